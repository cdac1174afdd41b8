"""Fear & greed from a lake: every input where it belongs and not before it was known; refusals that say what to do."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.dashboard.words import COMPONENT
from haetae.domain.errors import ConfigError, DataError
from haetae.domain.units import day_from
from haetae.features import feargreed
from haetae.features.feargreed import NAMES, FearGreedSettings, MoodInputs
from haetae.ports.tables import TABLES
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on
from haetae.universe.settings import UniverseSettings
from haetae.wiring import selection
from haetae.wiring.lakes import LakeAt
from haetae.wiring.mood_picture import picture_of
from haetae.wiring.mood_records import csv_of, mood_day, mood_history, mood_minutes, newest_day
from haetae.wiring.moods import cnn_between, mood_inputs, read_intraday, read_mood
from haetae.wiring.views.bars import Bars
from mood_lake import MINUTES, make_mood_lake, market, write, write_names

SMALL = UniverseSettings(size=3, min_turnover_won=0, min_listed_days=0, min_price_won=0)
LAST = day_from(int(market().days[-1]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mood_lake(tmp_path_factory.mktemp("mood") / "lake")


@pytest.fixture
def lake(folder: Path) -> Lake:
    return Lake(folder)


def at(folder: Path) -> LakeAt:
    return LakeAt(str(folder))


def read(lake: Lake, last: dt.date = LAST) -> MoodInputs:
    panel = lake.panel("daily", None, None, last)
    return mood_inputs(lake, panel, instruments_on(lake, last))


def test_every_input_stands_on_its_day(lake: Lake) -> None:
    found, wanted = read(lake), market()
    place = {int(day): row for row, day in enumerate(found.days)}
    rows = [place[int(day)] for day in wanted.days]
    assert np.allclose(found.index_close[rows], wanted.index_close, rtol=1e-5, equal_nan=True)  # type: ignore[index, arg-type]
    assert np.allclose(found.bond_close[rows], wanted.bond_close, rtol=1e-4, equal_nan=True)  # type: ignore[index, arg-type]
    assert np.allclose(found.foreign_won[rows], wanted.foreign_won, atol=1.0, equal_nan=True)  # type: ignore[index, arg-type]
    counted = dict(zip(found.panel.symbols, found.counted.tolist(), strict=True))  # type: ignore[union-attr]
    assert [symbol for symbol, here in counted.items() if not here] == [wanted.panel.symbols[3], "152380"]
    assert found.implied is None


def test_the_rate_counts_a_day_late(lake: Lake) -> None:
    found, wanted = read(lake), market()
    rate = dict(zip(wanted.days.tolist(), wanted.dollar_close.tolist(), strict=True))  # type: ignore[union-attr]
    days = found.days.tolist()
    for row in (200, 250, 300):
        known = [rate[day] for day in days[:row] if rate.get(day, float("nan")) == rate.get(day)]
        assert found.dollar_close[row] == pytest.approx(known[-1], rel=1e-5)  # type: ignore[index]


def test_a_stale_rate_is_no_rate(folder: Path, tmp_path: Path) -> None:
    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    rows = copy.read("index_daily", symbols=["USDKRW"], end=LAST - dt.timedelta(days=30))
    index = copy.read("index_daily", symbols=["0001"])
    copy.replace("index_daily", pa.concat_tables([index, rows]))
    assert np.isnan(read(copy).dollar_close[-1])  # type: ignore[index]


def test_a_dollar_fund_goes_before_the_rate(folder: Path, tmp_path: Path) -> None:
    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    price = {name: [10_500] for name in ("open", "high", "low", "close")}
    write(copy, "daily", {"symbol": ["261240"], "day": [LAST], **price, "volume": [3]})
    found = read(copy)
    assert found.dollar_close[-1] == 10_500.0  # type: ignore[index]
    assert np.isnan(found.dollar_close[:-1]).all()  # type: ignore[index]
    assert not found.counted[found.panel.symbols.index("261240")]  # type: ignore[index]


def test_rows_of_later_days_change_no_earlier_day(folder: Path, tmp_path: Path) -> None:
    day = day_from(int(market().days[-12]))
    cut = Lake(tmp_path / "cut")
    for table in Lake(folder).versions():
        rows = Lake(folder).read(table, end=day)
        cut.write(table, rows, keys=TABLES[table].keys)
    whole, short = (mood_day(LakeAt(str(place)), day) for place in (folder, tmp_path / "cut"))
    assert whole == short


def test_a_day_tells_what_made_it(folder: Path, lake: Lake) -> None:
    found = mood_day(at(folder), None)
    inputs = read(lake)
    mood = feargreed.build(inputs)
    row = mood.row_of(LAST)
    assert row is not None
    assert (found["value"], found["day"]) == (round(float(mood.value[row]), 2), str(day_from(int(mood.days[row]))))
    assert [part["name"] for part in found["components"]] == list(NAMES)
    assert sum(part["share"] for part in found["components"]) == pytest.approx(1.0, abs=1e-3)
    for c, part in enumerate(found["components"]):
        assert part["missing"] == bool(np.isnan(mood.ranks[row, c]))
        assert part["rank"] is None or part["rank"] == round(float(mood.ranks[row, c]), 2)
        assert part["weight"] == FearGreedSettings().weights[c]
    assert found["known_at"].endswith("15:30:00+09:00")
    assert found["calm_from"] == "realised"
    assert found["symbols"] == 23


def test_cnn_stands_beside_it_only_when_korea_knew_it(folder: Path, lake: Lake) -> None:
    found = mood_day(at(folder), LAST)["cnn"]
    assert dt.date.fromisoformat(found["known_on"]) <= LAST
    assert dt.date.fromisoformat(found["day"]) < LAST
    told = {row.day for row in cnn_between(lake, dt.date(2019, 1, 1), LAST)}
    assert LAST not in told
    rows = mood_history(at(folder), None, LAST)["days"]
    pieces = {row["day"]: row["cnn"] for row in rows}
    assert pieces[str(LAST)] == found["value"]
    for row in rows[-9:-1:4]:
        then = mood_day(at(folder), dt.date.fromisoformat(row["day"]))["cnn"]
        assert row["cnn"] == then["value"]
        assert then["day"] < row["day"]


def test_the_history_is_the_days(folder: Path, lake: Lake) -> None:
    found = mood_history(at(folder), LAST - dt.timedelta(days=60), LAST)
    mood = read_mood(lake, LAST, LAST)[0]
    value = dict(zip(mood.days.tolist(), mood.value.tolist(), strict=True))
    for row in found["days"]:
        day = int(row["day"].replace("-", ""))
        assert row["value"] == round(value[day], 2)
    table = csv_of(found["days"], "day").splitlines()
    assert table[0].split(",")[:2] == ["day", "value"]
    assert len(table) == len(found["days"]) + 1
    assert all(line.count(",") == table[0].count(",") for line in table)
    picture = picture_of(found["days"])
    assert picture.startswith("<svg")
    assert picture.count("<polyline") == 2
    days = [{**row, "cnn": None} if 10 <= place < 20 else row for place, row in enumerate(found["days"])]
    assert picture_of(days).count("<polyline") == 3


def test_without_an_index_the_symbols_stand_in(folder: Path, tmp_path: Path) -> None:
    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    rows = copy.read("index_daily", symbols=["0001"], end=LAST - dt.timedelta(days=300))
    copy.replace("index_daily", rows)
    found = mood_day(at(tmp_path / "lake"), None)
    assert found["index"] is None
    assert not {"momentum", "calm"} & set(found["missing"])
    assert read(copy).index_close is None


def test_flows_of_names_stand_in_for_those_of_the_market(folder: Path, tmp_path: Path) -> None:
    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    rows = copy.read("market_flows").rename_columns(["symbol", *copy.read("market_flows").column_names[1:]])
    copy.write("flows", rows, keys=("symbol", "day"))
    copy.replace("market_flows", copy.read("market_flows", end=dt.date(2000, 1, 1)))
    assert np.array_equal(read(copy).foreign_won, read(Lake(folder)).foreign_won, equal_nan=True)  # type: ignore[arg-type]


def test_the_desk_and_the_pages_see_the_same_number(folder: Path, lake: Lake) -> None:
    told = mood_day(at(folder), None)["value"]
    chosen = selection.read_market(lake, LAST, SMALL)
    assert round(chosen.mood.on(LAST), 2) == told
    rows = Bars(folder).mood(5)
    assert rows[-1]["value"] == pytest.approx(told, abs=0.01)
    now = Bars(folder).mood_now()
    assert now is not None
    assert [part["name"] for part in now["parts"]] == list(NAMES)
    assert sum(part["share"] for part in now["parts"]) == pytest.approx(1.0)
    assert set(COMPONENT) == set(NAMES)
    heavy = FearGreedSettings(momentum_weight=50.0)
    other = selection.read_market(lake, LAST, SMALL, mood=heavy).mood
    assert other.on(LAST) == pytest.approx(other.ranks[other.row_of(LAST), 0], abs=8.0)  # type: ignore[index]


def test_a_running_day_ends_where_the_daily_index_of_its_symbols_stands(lake: Lake, folder: Path) -> None:
    running = read_intraday(lake, LAST)
    assert len(running.ends) == MINUTES
    minutes = lake.panel("minute", None, LAST, LAST)
    panel = lake.panel("daily", list(minutes.symbols), None, LAST)
    daily = feargreed.build(mood_inputs(lake, panel, instruments_on(lake, LAST)))
    for name in ("strength", "breadth", "appetite"):
        place = NAMES.index(name)
        assert running.rows.raw[-1, place] == pytest.approx(daily.raw[-1, place], abs=1e-12), name
    assert {"foreign_flow", "bond_haven"} <= set(running.rows.missing(-1))
    assert not {"momentum", "calm"} & set(running.rows.missing(-1))
    told = mood_minutes(at(folder), LAST)
    assert [row["known_at"] for row in told["minutes"]] == sorted(row["known_at"] for row in told["minutes"])
    assert told["minutes"][0]["known_at"].endswith("09:01:00+09:00")
    levels = lake.read("index_minute").column("close").to_pylist()
    closes = read(lake, LAST - dt.timedelta(days=1)).index_close
    assert closes is not None
    before = closes[np.isfinite(closes)][-124:]
    for minute in (0, 7):
        level = levels[minute] / 100.0
        wanted = np.log(level / ((before.sum() + level) / 125))
        assert running.rows.raw[minute, 0] == pytest.approx(wanted, abs=1e-9), "the index of this minute, not the next"


def test_without_minutes_of_the_index_the_symbols_stand_in(folder: Path, tmp_path: Path) -> None:
    copy = Lake(shutil.copytree(folder, tmp_path / "lake"))
    copy.replace("index_minute", copy.read("index_minute", end=dt.date(2000, 1, 1)))
    running = read_intraday(copy, LAST)
    assert running.rows.stands_in
    assert not {"momentum", "calm"} & set(running.rows.missing(0))
    assert np.isfinite(running.rows.value).all()
    assert mood_minutes(at(tmp_path / "lake"), LAST)["index"] is None
    assert mood_minutes(at(folder), LAST)["index"] == "0001"


@pytest.mark.parametrize(
    ("ask", "kind", "signs"),
    [
        (lambda folder: mood_day(at(folder / "nowhere"), None), DataError, ("nowhere", "lake import")),
        (lambda folder: mood_day(at(folder), dt.date(2020, 3, 2)), DataError, ("20200302", "2020-03-02")),
        (lambda folder: mood_day(at(folder), dt.date(2001, 3, 2)), DataError, ("2019-10-10", "lake import")),
        (lambda folder: mood_history(at(folder), LAST, dt.date(2020, 1, 6)), ConfigError, ("2020-01-06", "--from")),
        (lambda folder: mood_minutes(at(folder), dt.date(2020, 3, 2)), DataError, ("2020-03-02", "collect minute")),
    ],
    ids=["no-lake", "short", "before", "backward", "no-minutes"],
)  # fmt: skip
def test_a_refusal_says_what_was_found_and_what_to_do(folder: Path, ask, kind, signs: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        ask(folder)
    fault = caught.value
    whole = f"{fault.message} {fault.expected} {fault.found} {fault.next_step}"
    for sign in signs:
        assert sign in whole
    assert fault.next_step


def test_a_lake_without_daily_bars_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    write_names(lake, market())
    with pytest.raises(DataError, match="no daily bars"):
        newest_day(lake)
