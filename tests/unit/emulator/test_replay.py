"""Bars of a lake become a world that is served exactly."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import instant_at
from haetae.emulator.board import Board
from haetae.emulator.interventions import ActionKind, Shock
from haetae.emulator.market import World
from haetae.emulator.replay import world_of_lake
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.emulator.tables import DailyTable
from haetae.emulator.tape import Tape
from haetae.krx import Rulebook
from haetae.store.lake import Lake
from real_bars import BARS, needs_real_bars
from unit.emulator.asking import SAMPLES, ask, rows
from unit.emulator.service_rig import Desk
from unit.emulator.test_bridge import possible_days

SOURCE = MarketSettings(seed=4, listed=120, history_sessions=12, live_sessions=2)
KEPT = MarketSettings(seed=9, listed=40, history_sessions=10, live_sessions=2)
PRICES = ("open", "high", "low", "close")
DAY = KEPT.first_live_day


@pytest.fixture(scope="module")
def source() -> World:
    return build_world(SOURCE)


def daily_rows(world: World) -> pa.Table:
    cells = [
        (symbol, day, *(int(getattr(world.daily, name)[row, column]) for name in (*PRICES, "volume")))
        for column, symbol in enumerate(world.symbols)
        for row, day in enumerate(world.days)
        if world.daily.close[row, column] > 0
    ]
    names = ("symbol", "day", *PRICES, "volume")
    return pa.table({name: [cell[k] for cell in cells] for k, name in enumerate(names)})


def minute_rows(world: World, row: int, symbol: str) -> pa.Table:
    bars, column = world.minutes(row), world.column[symbol]
    live = np.flatnonzero(bars.volume[:, column])
    columns = {name: getattr(bars, name)[live, column] for name in (*PRICES, "volume")}
    same = {"symbol": [symbol] * len(live), "day": [world.days[row]] * len(live), "start": bars.start[live]}
    return pa.table({**same, **columns})


@pytest.fixture
def lake(source: World, tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    made.write("daily", daily_rows(source), keys=("symbol", "day"))
    return made


def test_daily_bars_are_served_as_the_lake_has_them(source: World, lake: Lake) -> None:
    world = world_of_lake(lake, KEPT)
    assert len(world.symbols) == 40
    assert "005930" in world.symbols
    assert world.days[-2] == KEPT.first_live_day
    for column, symbol in enumerate(world.symbols):
        there = source.column[symbol]
        first = source.row[world.days[0]]
        for name in ("high", "low", "close", "volume"):
            mine, theirs = getattr(world.daily, name)[:, column], getattr(source.daily, name)[first : first + 12, there]
            assert np.array_equal(mine, theirs)


def test_every_call_is_answered_from_a_replayed_market_too(lake: Lake) -> None:
    desk = Desk(world=world_of_lake(lake, KEPT)).log_in()
    for clock in (83_000, 100_000, 160_000):
        desk.to(clock)
        for name, asked in SAMPLES.items():
            reply = ask(desk, asked)
            about_funds = name.startswith(("etfetn", "nav-"))
            assert reply.code == ("APBK0656" if about_funds else "MCA00000"), f"{name}: {reply.text}"
            if not about_funds and asked.operation.outputs[-1].many:
                rows(desk, asked)


def test_bridged_minutes_of_a_recorded_day_add_up(lake: Lake) -> None:
    world = world_of_lake(lake, KEPT)
    tape = Tape.of(world.course(10))
    assert np.array_equal(tape.cumulative[-1], world.daily.volume[10])
    assert np.array_equal(tape.price[-1], world.daily.close[10])


def test_recorded_minutes_are_served_where_they_add_up(source: World, lake: Lake) -> None:
    row = source.row[DAY]
    lake.write("minute", minute_rows(source, row, "005930"), keys=("symbol", "start"))
    for alone in (False, True):
        world = world_of_lake(lake, KEPT)
        column, theirs = world.column["005930"], source.minutes(row)
        bars = (
            world.minutes_of(10, column)
            if alone
            else [getattr(world.minutes(10), n)[:, column] for n in (*PRICES, "volume")]
        )
        for name, mine in zip((*PRICES, "volume"), bars, strict=True):
            assert np.array_equal(mine, getattr(theirs, name)[:, source.column["005930"]])
    other = world.symbols[0]
    assert not np.array_equal(
        world.minutes(10).close[:, world.column[other]], theirs.close[:, source.column[other]]
    )  # fmt: skip
    assert not [event for event in world.course(10).events if event.column == column], "a record is not interrupted"


def test_recorded_minutes_that_contradict_the_day_are_not_served(source: World, lake: Lake) -> None:
    row = source.row[DAY]
    wrong = minute_rows(source, row, "005930").slice(1)
    lake.write("minute", wrong, keys=("symbol", "start"))
    world = world_of_lake(lake, KEPT)
    assert world.minutes(10).volume[:, world.column["005930"]].sum() == world.daily.volume[10, world.column["005930"]]


def test_a_script_moves_a_recorded_day_from_its_instant_on(source: World, lake: Lake) -> None:
    row = source.row[DAY]
    lake.write("minute", minute_rows(source, row, "005930"), keys=("symbol", "start"))
    world = world_of_lake(lake, KEPT)
    before = world.minutes(10).close[:, world.column["005930"]].copy()
    world.intervene(Shock(instant_at(DAY, 110_000), 0, 500, ("005930",)))
    after = world.minutes(10).close[:, world.column["005930"]]
    assert np.array_equal(before[:120], after[:120])
    assert after[130] > before[130] * 1.03


def test_lake_without_the_day_is_told_with_what_it_has(lake: Lake) -> None:
    with pytest.raises(DataError) as caught:
        world_of_lake(lake, MarketSettings(first_live_day=dt.date(2020, 3, 2), history_sessions=10))
    assert caught.value.expected
    assert caught.value.next_step


def write_days(lake: Lake, symbol: str, bars: list[tuple[dt.date, int, int, int, int, int]]) -> None:
    names = ("day", *PRICES, "volume")
    columns = {name: [bar[k] for bar in bars] for k, name in enumerate(names)}
    lake.write("daily", pa.table({"symbol": [symbol] * len(bars), **columns}), keys=("symbol", "day"))


def splitting(source: World, ratio: int) -> tuple[list[tuple[dt.date, int, int, int, int, int]], dt.date]:
    """A name that trades at 100,000 and from the first live day on at a ratio-th of it."""
    days, live = source.days, DAY
    bars = []
    for day in days:
        price = 100_000 // (ratio if day >= live else 1)
        bars.append((day, price, price + 100, price - 100, price, 10_000))
    return bars, live


def test_a_split_that_the_lake_tells_gives_the_base_price_of_its_day(source: World, lake: Lake) -> None:
    bars, day = splitting(source, 5)
    write_days(lake, "111110", bars)
    told = {"symbol": ["111110", "005930"], "day": [day, day], "kind": ["split", "dividend"], "ratio": [5.0, 361.0]}
    lake.write(
        "corporate_actions", pa.table({**told, "detail": ["", ""], "as_of": [day, day]}), keys=("symbol", "day", "kind")
    )
    world = world_of_lake(lake, MarketSettings(seed=9, listed=120, history_sessions=10, live_sessions=2))
    column, row = world.column["111110"], world.row[day]
    assert (world.daily.base[row, column], world.daily.base[row + 1, column]) == (20_000, 20_000)
    kinds = {(one.symbol, one.kind) for one in world.register.notices}
    assert kinds == {("111110", ActionKind.SPLIT), ("005930", ActionKind.DIVIDEND)}


def test_an_untold_jump_beyond_the_limits_opens_a_new_base(source: World, lake: Lake) -> None:
    bars, day = splitting(source, 5)
    write_days(lake, "111110", bars)
    world = world_of_lake(lake, MarketSettings(seed=9, listed=120, history_sessions=10, live_sessions=2))
    assert world.daily.base[world.row[day], world.column["111110"]] == 20_000
    assert not world.register.notices


def test_a_delisting_that_the_lake_tells_takes_the_name_off_the_list(source: World, lake: Lake) -> None:
    last = source.days[-1]
    rows = {
        "symbol": ["005930", "005930"], "name": ["삼성전자"] * 2, "market": ["KOSPI"] * 2, "kind": ["common"] * 2,
        "listed_on": [dt.date(1975, 6, 11)] * 2, "base_price": [0, 0], "shares_outstanding": [10**9] * 2,
        "sector": [""] * 2, "lot": [1, 1], "flags": ["", "delisted"], "as_of": [source.days[2], last],
    }  # fmt: skip
    lake.write("instruments", pa.table(rows), keys=("symbol", "as_of"))
    world = world_of_lake(lake, KEPT)
    assert Board(world, instant_at(DAY, 100_000)).instrument("005930").name == "삼성전자"
    assert Board(world, instant_at(last, 100_000)).instrument("005930") is None


@given(st.lists(possible_days(), min_size=6, max_size=6), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_any_bars_are_met_exactly_with_interruptions_in_them(bars, seed: int) -> None:
    """Also those with gaps, locked limits and a handful of shares; interruptions are inserted, nothing is lost."""
    days = build_days()
    listed = tuple(
        Instrument(f"{k:05d}0", f"{k}", Market.KOSPI, Kind.COMMON, dt.date(1990, 1, 3), 3_000, 10**6) for k in range(6)
    )
    columns = [np.array([[bar[k] for bar in bars]] * len(days)) for k in range(5)]
    base = np.full(columns[0].shape, 3_000)
    daily = DailyTable(base, columns[0], columns[1], columns[2], columns[3], columns[4])
    world = World(listed, days, daily, key=seed)
    for row in range(len(days)):
        tape = Tape.of(world.course(row))
        assert np.array_equal(tape.opened[-1], daily.open[row])
        assert np.array_equal(tape.high[-1], daily.high[row])
        assert np.array_equal(tape.low[-1], daily.low[row])
        assert np.array_equal(tape.price[-1], daily.close[row])
        assert np.array_equal(tape.cumulative[-1], daily.volume[row])
        minutes = world.minutes(row)
        assert np.array_equal(minutes.volume.sum(axis=0), daily.volume[row])
        assert np.array_equal(minutes.close[-1], daily.close[row])


def build_days() -> tuple[dt.date, ...]:
    """A day under each set of rules: none, dynamic only, both, both with another table of ticks."""
    days = (dt.date(2014, 3, 3), dt.date(2015, 3, 3), dt.date(2016, 3, 3), dt.date(2026, 3, 3))
    assert [Rulebook.on(day).vi is None for day in days] == [True, False, False, False]
    return days


@pytest.mark.realdata
@needs_real_bars
def test_real_days_are_met_exactly_and_the_breaker_trips_on_the_days_it_did(tmp_path: Path) -> None:
    """March 2020: the KOSPI fell by 8 % within the day on the 13th and the 19th, and on no other day."""
    first, last = dt.date(2020, 1, 20), dt.date(2020, 4, 3)
    table = pq.read_table(BARS, filters=[("date", ">=", first), ("date", "<=", last)])
    columns = {name: table[name].cast(pa.int64()) for name in (*PRICES, "volume")}
    lake = Lake(tmp_path / "real")
    lake.write("daily", pa.table({"symbol": table["symbol"], "day": table["date"], **columns}), keys=("symbol", "day"))
    chosen = MarketSettings(listed=240, first_live_day=dt.date(2020, 3, 9), history_sessions=25, live_sessions=10)
    world = world_of_lake(lake, chosen)
    tripped = []
    for row, day in enumerate(world.days):
        if day < world.first_live:
            continue
        course = world.course(row)
        tape, live = Tape.of(course), world.daily.volume[row] > 4
        for mine, theirs in (
            (tape.opened[-1], world.daily.open[row]),
            (tape.high[-1], world.daily.high[row]),
            (tape.low[-1], world.daily.low[row]),
            (tape.price[-1], world.daily.close[row]),
            (tape.cumulative[-1], world.daily.volume[row]),
        ):
            assert np.array_equal(mine[live], theirs[live])
        tripped += [(day.isoformat(), pause.level) for pause in course.pauses if pause.market is Market.KOSPI]
    assert tripped == [("2020-03-13", 1), ("2020-03-19", 1)]
