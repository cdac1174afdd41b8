"""A lake that holds adjusted daily bars only serves everything that needs daily bars, and says what it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.cli.main import main
from haetae.desk import DeskSettings
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import KST_OFFSET_NS, NS_PER_DAY, yyyymmdd
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.krx import trading_days
from haetae.ledger import open_book
from haetae.ports.tables import TABLES, daily_table, instrument_rows
from haetae.store.lake import Lake
from haetae.store.reference import latest_closes
from haetae.universe.settings import UniverseSettings
from haetae.wiring import doctor, selection
from haetae.wiring.desks import DayPlan, initial_desk
from haetae.wiring.emulators import replayed
from haetae.wiring.lakes import require_bars
from haetae.wiring.views.bars import Bars

DAYS = trading_days(dt.date(2026, 1, 5), dt.date(2026, 11, 20))
NAMES = {"005930": 1000, "000660": 2000, "035420": 3000}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("adjusted")
    rows = [
        f"{symbol},{day},{price},{price + 10},{price - 10},{price + place},{1000 + place}"
        for symbol, price in NAMES.items()
        for place, day in ((number % 10, day) for number, day in enumerate(DAYS))
    ]
    (place / "bars.csv").write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]))
    command = ["lake", "import", "--kind", "daily", "--prices", "adjusted", str(place / "bars.csv")]
    assert main([*command, "--lake", str(place / "lake")]) == 0
    listed = [
        Instrument(symbol, symbol, Market.KOSPI, Kind.COMMON, dt.date(2000, 1, 4), 0, 10**9, as_of=DAYS[0])
        for symbol in NAMES
    ]
    Lake(place / "lake").write("instruments", instrument_rows(listed), keys=TABLES["instruments"].keys)
    return place / "lake"


@pytest.fixture
def lake(folder: Path) -> Lake:
    return Lake(folder)


def test_the_table_is_chosen_in_one_place() -> None:
    assert daily_table({}) == "daily"
    assert daily_table({"daily_adjusted": 3}) == "daily_adjusted"
    assert daily_table({"daily": 1, "daily_adjusted": 3}) == "daily"


def test_closes_selection_and_charts_come_from_the_adjusted_bars(folder: Path, lake: Lake) -> None:
    assert lake.versions().keys() == {"daily_adjusted", "instruments"}
    last = len(DAYS) - 1
    closes = {symbol: price + last % 10 for symbol, price in NAMES.items()}
    assert latest_closes(lake, DAYS[-1]) == closes
    small = UniverseSettings(size=3, min_turnover_won=0, min_listed_days=0, min_price_won=0)
    market = selection.read_market(lake, DAYS[-1], small)
    assert dict(zip(market.panel.symbols, market.panel.close[-1].tolist(), strict=True)) == closes
    bars = Bars(folder)
    assert bars.closes(["005930"], DAYS[-1])["005930"][0] == closes["005930"]
    assert [row["close"] for row in bars.candles("005930", "daily", None, 1)] == [closes["005930"]]
    assert bars.mood(400) is not None


def test_the_emulator_replays_adjusted_bars(folder: Path) -> None:
    require_bars(folder)
    market = MarketSettings(listed=3, history_sessions=20, live_sessions=2)
    settings, world = replayed(replace(EmulatorSettings(), replay=folder, market=market))
    assert settings.market.first_live_day == DAYS[-2]
    assert {each.symbol for each in world.instruments} == set(NAMES)
    assert np.array_equal(world.days[-2:], DAYS[-2:])


def test_the_doctor_says_that_the_bars_are_adjusted(folder: Path) -> None:
    now = (DAYS[-1] - dt.date(1970, 1, 1)).days * NS_PER_DAY - KST_OFFSET_NS
    _, said, _ = doctor._lake(folder, now)
    assert "adjusted" in said.en
    assert str(DAYS[-1]) in said.en


def test_raw_bars_go_before_adjusted_ones_once_there_are_any(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    price = pa.array([77], pa.int64())
    day = pa.array([DAYS[-1]], pa.date32())
    values = dict.fromkeys(("open", "high", "low", "close", "volume"), price)
    copy.write("daily", pa.table({"symbol": ["005930"], "day": day, **values}), keys=("symbol", "day"))
    assert latest_closes(copy, DAYS[-1]) == {"005930": 77}


def test_a_desk_looks_back_on_the_daily_bars_before_its_day(lake: Lake) -> None:
    plan = DayPlan(DAYS[-1], tuple(sorted(NAMES)), 0)
    desk = initial_desk(lake, plan, open_book(10**8), DeskSettings(daily_history=30))
    panel = desk.tape.daily.panel()
    assert panel.days.tolist() == [yyyymmdd(day) for day in DAYS[-31:-1]]
    assert panel.close[:, panel.symbols.index("005930")].tolist() == [
        1000 + (len(DAYS) - 31 + n) % 10 for n in range(30)
    ]
