"""The volatility escape: where it fires, where it does not, and that it does not play ping-pong."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from haetae.guards import EscapeLevel, EscapeSettings, EscapeState, observe, open_escape, start_session

SETTINGS = EscapeSettings()
N = 20
ALL = np.ones(N, np.bool_)


def run(state: EscapeState, returns_bp: list[float], price: float = 100_000.0) -> tuple[EscapeState, float, list]:
    """Move all names alike, a return per minute; return the state, the price and the levels seen."""
    levels = []
    for move in returns_bp:
        price *= 1.0 + move / 10_000.0
        state = observe(state, np.full(N, round(price), np.int64), ALL, SETTINGS)
        levels.append(state.level)
    return state, price, levels


def calm_day(minutes: int = 60, size: float = 3.0) -> list[float]:
    return [size if n % 2 else -size for n in range(minutes)]


@pytest.mark.parametrize(
    ("fall_bp", "level"),
    [
        (-90, EscapeLevel.NORMAL),
        (-101, EscapeLevel.NO_BUYS),
        (-190, EscapeLevel.NO_BUYS),
        (-201, EscapeLevel.REDUCE),
        (-340, EscapeLevel.REDUCE),
        (-351, EscapeLevel.EXIT_ALL),
    ],
)
def test_the_level_follows_the_fall_of_five_minutes(fall_bp: float, level: EscapeLevel) -> None:
    state = open_escape(N)
    for minute in range(6):
        closes = np.full(N, round(100_000 * (1.0 + fall_bp * minute / 5.0 / 10_000.0)), np.int64)
        state = observe(state, closes, ALL, SETTINGS)
    assert state.level is level


def test_a_slow_fall_of_the_same_size_does_not_fire() -> None:
    _, _, levels = run(open_escape(N), [0.0, *[-8.0] * 60])
    assert set(levels) == {EscapeLevel.NORMAL}


def test_the_same_rise_does_not_fire_while_volatility_is_not_known() -> None:
    _, _, levels = run(open_escape(N), [0.0, *[40.0] * 10])
    assert set(levels) == {EscapeLevel.NORMAL}


def test_volatility_alone_stops_buying_only_when_it_is_three_times_usual() -> None:
    state, price, levels = run(open_escape(N), [0.0, *calm_day(60, 3.0)])
    assert set(levels) == {EscapeLevel.NORMAL}
    twice, _, _ = run(state, [6.0, -6.0, 6.0, -6.0, 6.0], price)
    assert twice.level is EscapeLevel.NORMAL
    wild, _, _ = run(state, [15.0, -15.0, 15.0, -15.0, 15.0], price)
    assert wild.ratio >= 3.0
    assert wild.level is EscapeLevel.NO_BUYS


def test_high_volatility_in_a_falling_market_reduces_and_in_a_rising_one_does_not() -> None:
    state, price, _ = run(open_escape(N), [0.0, *calm_day(60, 3.0)])
    falling, _, _ = run(state, [-30.0, 10.0, -30.0, 10.0, -30.0], price)
    assert falling.level is EscapeLevel.REDUCE
    rising, _, _ = run(state, [30.0, -10.0, 30.0, -10.0, 30.0], price)
    assert rising.level is EscapeLevel.NO_BUYS


def test_a_usual_volatility_from_before_the_open_arms_the_ratio_at_once() -> None:
    morning = start_session(open_escape(N), N, 0.0004)
    armed, _, _ = run(morning, [0.0, 15.0, -15.0, 15.0, -15.0])
    assert armed.level is EscapeLevel.NO_BUYS
    unarmed, _, _ = run(open_escape(N), [0.0, 15.0, -15.0, 15.0, -15.0])
    assert unarmed.level is EscapeLevel.NORMAL


def test_levels_fall_one_step_after_fifteen_calm_minutes_each() -> None:
    state, price, _ = run(open_escape(N), [0.0, *calm_day(60), *[-80.0] * 5])
    assert state.level is EscapeLevel.EXIT_ALL
    _, _, levels = run(state, [*[15.0] * 12, *calm_day(120)], price)
    changes = [n for n in range(1, len(levels)) if levels[n] is not levels[n - 1]]
    assert [levels[n] for n in changes] == [EscapeLevel.REDUCE, EscapeLevel.NO_BUYS, EscapeLevel.NORMAL]
    assert all(b - a == SETTINGS.calm_minutes for a, b in pairwise(changes))


def test_a_market_around_the_trigger_does_not_flip_the_level() -> None:
    wave = [-25.0, -25.0, -25.0, -25.0, -25.0, 25.0, 25.0, 25.0, 25.0, 25.0] * 12
    _, _, levels = run(open_escape(N), [0.0, *calm_day(40), *wave])
    flips = sum(1 for a, b in pairwise(levels) if a is not b)
    assert EscapeLevel.NO_BUYS in levels
    assert flips <= 2


def test_after_the_second_exit_buying_stays_off_for_the_day() -> None:
    crash = [-80.0] * 5
    state, price, _ = run(open_escape(N), [0.0, *calm_day(60), *crash])
    state, price, _ = run(state, [*[15.0] * 12, *calm_day(120)], price)
    assert state.level is EscapeLevel.NORMAL
    state, price, _ = run(state, crash, price)
    assert state.exits == 2
    state, price, _ = run(state, [*[15.0] * 12, *calm_day(200)], price)
    assert state.level is EscapeLevel.NO_BUYS
    assert start_session(state, N, 0.0).level is EscapeLevel.NORMAL


def test_one_name_that_falls_alone_is_left_and_the_market_is_not() -> None:
    state, _, _ = run(open_escape(N), [0.0] * 3)
    closes = np.full(N, 100_000, np.int64)
    closes[3] = 97_000
    closes[4] = 97_100
    state = observe(state, closes, ALL, SETTINGS)
    assert not state.exiting.any()
    state = observe(state, closes, ALL, SETTINGS)
    assert state.exiting.tolist() == [n == 3 for n in range(N)]
    assert state.level is EscapeLevel.NORMAL
    state = observe(state, closes, ALL, SETTINGS)
    assert state.exiting[3]


def test_a_name_that_did_not_trade_does_not_fire_on_a_stale_price() -> None:
    state, _, _ = run(open_escape(N), [0.0] * 3)
    closes = np.full(N, 100_000, np.int64)
    closes[3] = 90_000
    traded = ALL.copy()
    traded[3] = False
    assert not observe(state, closes, traded, SETTINGS).exiting.any()


def test_names_without_a_price_are_left_out_of_the_market() -> None:
    closes = np.full(N, 100_000, np.int64)
    closes[:10] = 0
    state = open_escape(N)
    for _ in range(3):
        state = observe(state, closes, ALL, SETTINGS)
    assert state.market_bp == 0.0
    assert state.level is EscapeLevel.NORMAL
