"""Prints inside a day: exact to the won and the share for any day that could have happened."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.market import Kind, Market
from haetae.emulator.bridge import STEPS, DayBars, bridge_day, draw_noise, group
from haetae.emulator.grid import Grid
from haetae.emulator.recorded import cut
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook

DAY = MarketSettings().first_live_day
GRID = Grid(Rulebook.on(DAY), [(Kind.COMMON, Market.KOSPI)])
TIMES = Rulebook.on(DAY).session.minute_edges()
BEFORE = np.array([3_000])


@st.composite
def possible_days(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    """Open, high, low, close, volume of a day that could have been: every price needs a share of its own."""
    prices = st.integers(420, 780).map(lambda tick: tick * 5)
    opened, close = draw(prices), draw(prices)
    high = draw(st.one_of(st.just(max(opened, close)), prices.map(lambda price: max(price, opened, close))))
    low = draw(st.one_of(st.just(min(opened, close)), prices.map(lambda price: min(price, opened, close))))
    if draw(st.booleans()) and draw(st.booleans()):
        opened = high = low = close
    needed = len({opened, high, low, close}) if opened != close or high == low else len({opened, high, low}) + 1
    volume = draw(st.one_of(st.integers(needed, needed + 9), st.integers(needed, 300), st.integers(300, 10**9)))
    return opened, high, low, close, volume


def bars_of(day: tuple[int, int, int, int, int]) -> DayBars:
    return DayBars(*(np.array([value]) for value in day), BEFORE)


@given(possible_days(), st.integers(0, 2**32))
@settings(max_examples=120, deadline=None)
def test_prints_meet_any_possible_day(day: tuple[int, int, int, int, int], seed: int) -> None:
    price, volume = bridge_day(bars_of(day), draw_noise(seed, DAY, ["A"], len(TIMES[0])), GRID)
    printed = price[volume > 0]
    opened, high, low, close, total = day
    assert (printed[0], printed.max(), printed.min(), printed[-1], volume.sum()) == (opened, high, low, close, total)
    assert np.all(volume >= 0)
    assert np.all(volume[-STEPS:-1] == 0), "the closing auction prints once"
    minutes = group(DAY, TIMES, price, volume, BEFORE)
    live = minutes.traded[:, 0]
    assert minutes.volume.sum() == total
    assert np.all(minutes.low <= np.minimum(minutes.open, minutes.close))
    assert np.all(minutes.high >= np.maximum(minutes.open, minutes.close))
    first, last = live.argmax(), len(live) - 1 - live[::-1].argmax()
    told = (minutes.open[first, 0], minutes.high[live].max(), minutes.low[live].min(), minutes.close[last, 0])
    assert told == (opened, high, low, close)
    assert np.all(minutes.close[:first] == 3_000), "before the first print the base price stands"


@given(st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_day_no_prints_could_have_made_keeps_its_volume_and_its_close(seed: int) -> None:
    noise = draw_noise(seed, DAY, ["A"], len(TIMES[0]))
    for day in ((3_000, 3_100, 2_900, 3_050, 1), (3_000, 3_100, 2_900, 3_050, 2), (3_000, 3_100, 2_900, 3_050, 3)):
        price, volume = bridge_day(bars_of(day), noise, GRID)
        assert volume.sum() == day[4]
        assert price[volume > 0][-1] == 3_050


def test_a_day_without_volume_has_no_print() -> None:
    noise = draw_noise(1, DAY, ["A"], len(TIMES[0]))
    _, volume = bridge_day(bars_of((3_000, 3_000, 3_000, 3_000, 0)), noise, GRID)
    assert not volume.any()


def test_a_name_has_the_same_day_whoever_is_listed_beside_it() -> None:
    day = (3_000, 3_200, 2_950, 3_100, 500_000)
    alone = bridge_day(bars_of(day), draw_noise(3, DAY, ["B"], len(TIMES[0])), GRID)
    bars = DayBars(*(np.array([value, value, value]) for value in day), np.repeat(BEFORE, 3))
    grid = Grid(Rulebook.on(DAY), [(Kind.COMMON, Market.KOSPI)] * 3)
    beside = bridge_day(bars, draw_noise(3, DAY, ["A", "B", "C"], len(TIMES[0])), grid)
    for mine, theirs in zip(alone, beside, strict=True):
        assert np.array_equal(mine[:, 0], theirs[:, 1])
    assert not np.array_equal(beside[0][:, 0], beside[0][:, 1])


@st.composite
def minute_bar(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    prices = [draw(st.integers(900, 1_100)) for _ in range(4)]
    low, high = min(prices), max(prices)
    opened, close = prices[0], prices[3]
    extremes = (high > max(opened, close)) + (low < min(opened, close))
    needed = (2 if opened != close or extremes else 1) + extremes
    return opened, high, low, close, draw(st.integers(needed, needed + 12))


@given(st.dictionaries(st.integers(0, 380), minute_bar(), min_size=1, max_size=12))
@settings(max_examples=80, deadline=None)
def test_recorded_minutes_come_back_from_their_prints(found: dict[int, tuple[int, int, int, int, int]]) -> None:
    rows = sorted(found)
    columns = [np.array([found[row][k] for row in rows]) for k in range(5)]
    part = dict(zip(("open", "high", "low", "close", "volume"), columns, strict=True))
    price, volume = cut(part, np.array(rows), len(TIMES[0]))
    minutes = group(DAY, TIMES, price[:, None], volume[:, None], np.array([1_000]))
    assert np.array_equal(np.flatnonzero(minutes.traded[:, 0]), rows)
    for name, wanted in part.items():
        assert np.array_equal(getattr(minutes, name)[rows, 0], wanted), name


@pytest.mark.parametrize("day", [DAY, Rulebook.on(DAY).day.replace(day=19)])
def test_late_sessions_have_as_many_prints_as_minutes(day) -> None:
    times = Rulebook.on(day).session.minute_edges()
    price, volume = bridge_day(
        bars_of((3_000, 3_200, 2_900, 3_100, 10**6)), draw_noise(1, day, ["A"], len(times[0])), GRID
    )
    assert len(price) == len(times[0]) * STEPS
    assert volume.sum() == 10**6
