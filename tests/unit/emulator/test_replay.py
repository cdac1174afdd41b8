"""Bars of a lake become a world that is served exactly."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from haetae.domain.errors import DataError
from haetae.emulator.bridge import Tape
from haetae.emulator.market import World
from haetae.emulator.replay import world_of_lake
from haetae.emulator.server import build_world
from haetae.emulator.settings import MarketSettings
from haetae.store.lake import Lake

SOURCE = MarketSettings(seed=4, listed=120, history_sessions=12, live_sessions=2)
KEPT = MarketSettings(seed=9, listed=40, history_sessions=10, live_sessions=2)


@pytest.fixture(scope="module")
def source() -> World:
    return build_world(SOURCE)


def daily_rows(world: World) -> pa.Table:
    cells = [
        (
            symbol,
            day,
            *(int(getattr(world.daily, name)[row, column]) for name in ("open", "high", "low", "close", "volume")),
        )
        for column, symbol in enumerate(world.symbols)
        for row, day in enumerate(world.days)
        if world.daily.close[row, column] > 0
    ]
    names = ("symbol", "day", "open", "high", "low", "close", "volume")
    return pa.table({name: [cell[k] for cell in cells] for k, name in enumerate(names)})


def minute_rows(world: World, row: int, symbol: str) -> pa.Table:
    bars, column = world.minutes(row), world.column[symbol]
    live = np.flatnonzero(bars.volume[:, column])
    columns = {name: getattr(bars, name)[live, column] for name in ("open", "high", "low", "close", "volume")}
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


def test_bridged_minutes_of_a_recorded_day_add_up(lake: Lake) -> None:
    world = world_of_lake(lake, KEPT)
    tape = Tape(world.minutes(10), world.daily.base[10])
    assert np.array_equal(tape.cumulative[-1], world.daily.volume[10])
    assert np.array_equal(tape.price[-1], world.daily.close[10])


def test_recorded_minutes_are_served_where_they_add_up(source: World, lake: Lake) -> None:
    row = source.row[KEPT.first_live_day]
    lake.write("minute", minute_rows(source, row, "005930"), keys=("symbol", "start"))
    world = world_of_lake(lake, KEPT)
    bars, column = world.minutes(10), world.column["005930"]
    theirs = source.minutes(row)
    for name in ("open", "high", "low", "close", "volume"):
        assert np.array_equal(getattr(bars, name)[:, column], getattr(theirs, name)[:, source.column["005930"]])
    other = world.symbols[0]
    assert not np.array_equal(bars.close[:, world.column[other]], theirs.close[:, source.column[other]])


def test_recorded_minutes_that_contradict_the_day_are_not_served(source: World, lake: Lake) -> None:
    row = source.row[KEPT.first_live_day]
    wrong = minute_rows(source, row, "005930").slice(1)
    lake.write("minute", wrong, keys=("symbol", "start"))
    world = world_of_lake(lake, KEPT)
    assert world.minutes(10).volume[:, world.column["005930"]].sum() == world.daily.volume[10, world.column["005930"]]


def test_lake_without_the_day_is_told_with_what_it_has(lake: Lake) -> None:
    with pytest.raises(DataError) as caught:
        world_of_lake(lake, MarketSettings(first_live_day=dt.date(2020, 3, 2), history_sessions=10))
    assert caught.value.expected
    assert caught.value.next_step
