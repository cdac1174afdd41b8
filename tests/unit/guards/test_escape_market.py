"""Every market-wide trigger a hair on either side, the two sights that sales need, and the way back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import ConfigError
from haetae.domain.events import Glance, MarketReading, UsualMoves
from haetae.domain.units import NS_PER_SECOND
from haetae.guards import (
    ESCAPE_BOUNDS,
    EscapeLevel,
    EscapeSettings,
    EscapeState,
    Figures,
    glimpse,
    heed,
    observe,
    open_escape,
    start_session,
)
from haetae.guards.asking import CALM_MARKET, asked_of, indices_of, is_quiet

SETTINGS = EscapeSettings()
NORMAL, NO_BUYS, REDUCE, EXIT_ALL = EscapeLevel
N = 4
ALL = np.ones(N, np.bool_)
SYMBOLS = tuple(f"00000{n}" for n in range(N))


def asked(**figures: float) -> tuple[EscapeLevel, str]:
    return asked_of(CALM_MARKET._replace(**figures), SETTINGS)


@pytest.mark.parametrize(
    ("figures", "level", "why"),
    [
        ({}, NORMAL, ""),
        # universe: the mean alone stops buying, mean and middle sell
        ({"market_bp": -99.9, "middle_bp": -500}, NORMAL, ""),
        ({"market_bp": -100, "middle_bp": 0}, NO_BUYS, "universe"),
        ({"market_bp": -900, "middle_bp": -99.9}, NO_BUYS, "universe"),
        ({"market_bp": -200, "middle_bp": -199.9}, NO_BUYS, "universe"),
        ({"market_bp": -199.9, "middle_bp": -200}, NO_BUYS, "universe"),
        ({"market_bp": -200, "middle_bp": -200}, REDUCE, "universe"),
        ({"market_bp": -350, "middle_bp": -349.9}, REDUCE, "universe"),
        ({"market_bp": -350, "middle_bp": -350}, EXIT_ALL, "universe"),
        # index: the newest reading alone stops buying, two sell
        ({"newest_index_bp": -99.9}, NORMAL, ""),
        ({"newest_index_bp": -100}, NO_BUYS, "index"),
        ({"newest_index_bp": -900, "index_bp": -99}, NO_BUYS, "index"),
        ({"newest_index_bp": -200, "index_bp": -199.9}, NO_BUYS, "index"),
        ({"newest_index_bp": -200, "index_bp": -200}, REDUCE, "index"),
        ({"newest_index_bp": -350, "index_bp": -350}, EXIT_ALL, "index"),
        # volatility: alone it stops buying, in a falling market it reduces, it never exits
        ({"ratio": 2.99}, NORMAL, ""),
        ({"ratio": 3.0}, NO_BUYS, "volatility"),
        ({"ratio": 40.0}, NO_BUYS, "volatility"),
        ({"ratio": 3.99, "market_bp": -60, "middle_bp": -60}, NO_BUYS, "volatility"),
        ({"ratio": 4.0, "market_bp": -60, "middle_bp": -49}, NO_BUYS, "volatility"),
        ({"ratio": 4.0, "market_bp": -50, "middle_bp": -50}, REDUCE, "volatility"),
        ({"ratio": 4.0, "newest_index_bp": -50, "index_bp": -50}, REDUCE, "volatility"),
        ({"ratio": 40.0, "market_bp": -90, "middle_bp": -90}, REDUCE, "volatility"),
        # implied volatility: level and jump
        ({"vkospi_x100": 3_499}, NORMAL, ""),
        ({"vkospi_x100": 3_500}, NO_BUYS, "vkospi"),
        ({"vkospi_x100": 5_000}, NO_BUYS, "vkospi"),
        ({"vkospi_x100": 4_999, "market_bp": -60, "middle_bp": -60}, NO_BUYS, "vkospi"),
        ({"vkospi_x100": 5_000, "market_bp": -60, "middle_bp": -60}, REDUCE, "vkospi"),
        ({"vkospi_jump_ppm": 149_999}, NORMAL, ""),
        ({"vkospi_jump_ppm": 150_000}, NO_BUYS, "vkospi"),
        ({"vkospi_jump_ppm": 300_000, "market_bp": -60, "middle_bp": -60}, REDUCE, "vkospi"),
        # fear: triggers at three quarters below 20, no purchases below 10
        ({"fear_greed": 20.0, "market_bp": -75, "middle_bp": -75}, NORMAL, ""),
        ({"fear_greed": 19.9, "market_bp": -74.9, "middle_bp": -75}, NORMAL, ""),
        ({"fear_greed": 19.9, "market_bp": -75, "middle_bp": 0}, NO_BUYS, "universe"),
        ({"fear_greed": 19.9, "market_bp": -150, "middle_bp": -150}, REDUCE, "universe"),
        ({"fear_greed": 19.9, "market_bp": -262.5, "middle_bp": -262.5}, EXIT_ALL, "universe"),
        ({"fear_greed": 19.9, "ratio": 2.25}, NO_BUYS, "volatility"),
        ({"fear_greed": 19.9, "newest_index_bp": -150, "index_bp": -150}, REDUCE, "index"),
        ({"fear_greed": 10.0}, NORMAL, ""),
        ({"fear_greed": 9.9}, NO_BUYS, "fear"),
        ({"fear_greed": 0.0, "ratio": 1.0}, NO_BUYS, "fear"),
    ],
)
def test_each_source_asks_for_its_level_from_its_trigger_on(figures: dict, level: EscapeLevel, why: str) -> None:
    assert asked(**figures) == (level, why)


@pytest.mark.parametrize(
    ("figures", "quiet"),
    [
        ({}, True),
        ({"ratio": 2.0}, False),
        ({"ratio": 1.999}, True),
        ({"market_bp": -50}, False),
        ({"market_bp": -49.9}, True),
        ({"index_bp": -50}, False),
        ({"index_bp": -49.9}, True),
    ],
)
def test_a_minute_is_calm_below_twice_the_usual_and_without_a_fall(figures: dict, quiet: bool) -> None:
    assert is_quiet(CALM_MARKET._replace(**figures), SETTINGS) is quiet


def marks(*levels: int, vkospi: tuple[int, ...] = (), apart_s: int = 60) -> tuple[MarketReading, ...]:
    unrest = vkospi or (0,) * len(levels)
    return tuple(
        MarketReading((n + 1) * apart_s * NS_PER_SECOND, level, fear)
        for n, (level, fear) in enumerate(zip(levels, unrest, strict=True))
    )


def test_an_index_is_compared_by_the_milder_of_two_readings_at_either_end() -> None:
    assert indices_of(marks(100_000, 98_000)) == (0.0, 0.0, 0, 0)
    assert indices_of(marks(100_000, 100_000, 98_000, 99_000))[:2] == pytest.approx((-100.0, -100.0))
    assert indices_of(marks(100_000, 100_000, 99_000, 98_000))[:2] == pytest.approx((-100.0, -200.0))
    # one wrong reading, high or low, at either end
    assert indices_of(marks(1_000_000, 100_000, 100_000, 100_000))[0] == 0.0
    assert indices_of(marks(100_000, 100_000, 100_000, 10_000))[0] == 0.0
    assert indices_of(marks(100_000, 100_000, 1_000_000, 100_000))[0] > 0.0


def test_implied_volatility_is_what_two_readings_say_and_jumps_from_what_two_said() -> None:
    steady = (100_000,) * 4
    assert indices_of(marks(*steady, vkospi=(2_000, 2_000, 2_400, 2_600)))[2:] == (2_400, 200_000)
    assert indices_of(marks(*steady, vkospi=(2_000, 2_000, 2_000, 9_000)))[2:] == (2_000, 0)
    assert indices_of(marks(*steady, vkospi=(0, 0, 2_000, 2_000)))[2:] == (2_000, 0)


def heard(state: EscapeState, *levels: int, apart_s: int = 60, mood: float | None = None) -> EscapeState:
    for reading in marks(*levels, apart_s=apart_s):
        state = heed(state, replace(reading, fear_greed=mood), SETTINGS)
    return state


def test_readings_of_the_index_raise_the_level_between_minutes() -> None:
    assert heard(open_escape(N), 100_000, 100_000, 98_000).level is NO_BUYS
    state = heard(open_escape(N), 100_000, 100_000, 98_000, 98_000)
    assert (state.level, state.why) == (REDUCE, "index")
    assert heard(open_escape(N), 100_000, 100_000, 96_500, 96_500).level is EXIT_ALL


def test_a_fall_that_takes_longer_than_the_window_is_not_one() -> None:
    assert heard(open_escape(N), *range(100_000, 96_000, -100), apart_s=60).level is NORMAL
    assert heard(open_escape(N), *range(100_000, 96_000, -100), apart_s=10).level is REDUCE


def test_readings_without_an_index_or_out_of_order_are_left_out() -> None:
    state = heard(open_escape(N), 100_000, 100_000, 99_500)
    assert heed(state, MarketReading(10**12, 0), SETTINGS) is state
    assert heed(state, MarketReading(1, 50_000), SETTINGS) is state


def test_the_running_mood_replaces_that_of_the_close() -> None:
    state = start_session(open_escape(N), N, 0.0, mood=50.0)
    assert heard(state, 100_000).figures.fear_greed == 50.0
    panic = heard(state, 100_000, mood=5.0)
    assert (panic.level, panic.why) == (NO_BUYS, "fear")
    assert minute(start_session(open_escape(N), N, 0.0, mood=5.0), 0.0, 2).level is NO_BUYS


def minute(state: EscapeState, move_bp: float, count: int = 1, end: int = 0) -> EscapeState:
    """Move all names alike for some minutes."""
    for _ in range(count):
        before = state.closes[-1] if len(state.closes) else np.full(N, 10_000_000, np.int64)
        closes = np.rint(before * (1.0 + move_bp / 10_000)).astype(np.int64)
        state = observe(state, closes, ALL, SETTINGS, end=end)
    return state


def test_an_index_that_is_not_read_any_more_counts_no_more() -> None:
    state = heard(minute(open_escape(N), 0.0, 3), 100_000, 100_000, 98_000, 98_000)
    heard_at = state.marks[-1].at
    still = minute(state, 0.0, end=heard_at + 300 * NS_PER_SECOND)
    assert still.figures.index_bp == pytest.approx(-200.0)
    gone = minute(state, 0.0, end=heard_at + 301 * NS_PER_SECOND)
    assert (gone.figures.index_bp, gone.marks) == (0.0, ())


def test_calm_alone_does_not_bring_a_market_back_that_did_not_recover() -> None:
    fallen = minute(minute(open_escape(N), 0.0, 3), -80.0, 5)
    assert fallen.level is EXIT_ALL
    assert minute(fallen, 0.0, 200).level is EXIT_ALL


@pytest.mark.parametrize(("gain_bp", "back"), [(152, True), (148, False)])
def test_a_market_comes_back_a_step_at_a_time_once_it_stands_above_its_trigger(gain_bp: int, back: bool) -> None:
    fallen = minute(minute(open_escape(N), 0.0, 3), -80.0, 5)
    assert (fallen.level, fallen.trigger) == (EXIT_ALL, pytest.approx(fallen.market))
    levels = []
    state = minute(fallen, gain_bp / 5, 5)
    for _ in range(80):
        state = minute(state, 0.0)
        levels.append(state.level)
    steps = [b for a, b in pairwise(levels) if a is not b]
    assert steps == ([REDUCE, NO_BUYS, NORMAL] if back else [])
    assert state.trigger == (0.0 if back else pytest.approx(fallen.trigger))


def test_no_buys_ends_with_calm_alone() -> None:
    state = minute(minute(open_escape(N), 0.0, 3), -25.0, 5)
    assert (state.level, state.trigger) == (NO_BUYS, 0.0)
    assert minute(state, 0.0, 30).level is NORMAL


def test_a_level_that_is_still_asked_for_is_not_left() -> None:
    state = start_session(open_escape(N), N, 0.0, mood=5.0)
    state = minute(state, 0.0, 100)
    assert state.level is NO_BUYS


def glance(price: int, before: int | None = None, names: int = N) -> Glance:
    last = np.zeros(N, np.int64)
    last[:names] = price
    older = np.where(last > 0, price if before is None else before, 0)
    return Glance(10**18, SYMBOLS, last, older, np.zeros(N, np.int64))


@pytest.mark.parametrize(
    ("fall", "names", "level"),
    [(0.0099, N, NORMAL), (0.0101, N, NO_BUYS), (0.0201, N, REDUCE), (0.0351, N, EXIT_ALL), (0.09, 1, NO_BUYS)],
)
def test_prints_between_minutes_raise_the_level_by_the_same_triggers(
    fall: float, names: int, level: EscapeLevel
) -> None:
    state = minute(open_escape(N), 0.0, 6)
    price = round(10_000_000 * (1.0 - fall))
    assert glimpse(state, glance(price, names=names), SETTINGS).level is level
    assert glimpse(state, glance(price, before=10_000_000, names=names), SETTINGS).level is NORMAL


def test_a_glance_never_calms_down() -> None:
    fallen = minute(minute(open_escape(N), 0.0, 3), -80.0, 5)
    after = glimpse(fallen, glance(10_000_000), SETTINGS)
    assert (after.level, after.calm, after.trigger) == (fallen.level, fallen.calm, fallen.trigger)


def test_the_same_time_of_day_is_the_yardstick_where_it_is_known() -> None:
    names = np.zeros((381, N), np.int64)
    market = np.full(381, 300, np.int64)
    market[200:] = 3_000
    usual = UsualMoves(SYMBOLS, 20, SETTINGS.window, market, names)
    for start, level in ((50, NO_BUYS), (250, NORMAL)):
        state = start_session(open_escape(N), N, 0.0, usual=usual)
        closes = 10_000_000
        for n in range(12):
            closes += 10_000 if n % 2 else -10_000
            state = observe(state, np.full(N, closes), ALL, SETTINGS, minute=start + n)
        assert state.level is level


@given(st.lists(st.tuples(st.floats(-120, 60), st.integers(0, 400)), min_size=5, max_size=120))
@settings(max_examples=60, deadline=None)
def test_levels_fall_a_step_at_a_time_and_never_within_fifteen_minutes_of_a_change(
    path: list[tuple[float, int]],
) -> None:
    state = minute(open_escape(N), 0.0, 3)
    changed, now = -100, 0
    for move, wait in path:
        state_before = state
        state = minute(state, move)
        now += 1
        if state.level < state_before.level:
            assert state.level == state_before.level - 1
            assert now - changed >= SETTINGS.calm_minutes
        if state.level is not state_before.level:
            changed = now
        state = minute(state, 0.0, min(wait, 2))
        now += min(wait, 2)


@given(
    st.builds(
        Figures,
        *[st.floats(-600, 100) for _ in range(4)],
        st.integers(0, 9_000),
        st.integers(-100_000, 900_000),
        st.floats(0, 9),
        st.floats(0, 100) | st.just(float("nan")),
    ),
    st.lists(st.floats(0, 400), min_size=6, max_size=6),
)
@settings(max_examples=300, deadline=None)
def test_a_worse_market_never_asks_for_less(now: Figures, worse: list[float]) -> None:
    figures = Figures(
        now.market_bp - worse[0],
        now.middle_bp - worse[1],
        now.index_bp - worse[2],
        now.newest_index_bp - worse[3],
        now.vkospi_x100 + round(worse[4]),
        now.vkospi_jump_ppm,
        now.ratio + worse[5],
        now.fear_greed,
    )
    assert asked_of(figures, SETTINGS)[0] >= asked_of(now, SETTINGS)[0]


@given(st.integers(-3_000, 3_000), st.integers(0, N - 1))
@settings(max_examples=60, deadline=None)
def test_one_name_never_sells_the_market(move_bp: int, which: int) -> None:
    """Whatever one of several names does, alone and for as long as it likes."""
    state = minute(open_escape(N), 0.0, 6)
    closes = np.full(N, 10_000_000, np.int64)
    closes[which] = 10_000_000 * (10_000 + move_bp) // 10_000
    for _ in range(3):
        state = observe(state, closes, ALL, SETTINGS)
    assert state.level <= NO_BUYS


@pytest.mark.parametrize("name", sorted(ESCAPE_BOUNDS))
def test_no_configuration_passes_the_bounds(name: str) -> None:
    value = getattr(SETTINGS, name)
    for bound, beyond in zip(ESCAPE_BOUNDS[name], (-1, 1), strict=True):
        wrong = bound + beyond if isinstance(bound, int) and bound else bound + beyond * 0.000_001
        changed = (wrong, *value[1:]) if isinstance(value, tuple) else wrong
        with pytest.raises(ConfigError) as caught:
            replace(SETTINGS, **{name: changed})
        assert name in caught.value.found


def test_levels_out_of_order_are_refused_all_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        EscapeSettings(
            market_bp=(-100, -100, -350), index_bp=(-100, -200, -150), volatility_ratio=(4.0, 4.0),
            vkospi_x100=(5_000, 4_000), vkospi_jump_ppm=(300_000, 300_000), calm_ratio=4.5,
        )  # fmt: skip
    for name in ("market_bp", "index_bp", "volatility_ratio", "vkospi_x100", "vkospi_jump_ppm", "calm_ratio"):
        assert name in caught.value.found


def test_every_field_has_bounds() -> None:
    assert set(ESCAPE_BOUNDS) == set(EscapeSettings.__dataclass_fields__)
