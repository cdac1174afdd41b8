"""One name on its way down and back: what fires, what one wrong price does not do, and when it may be bought again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.events import Glance, UsualMoves
from haetae.guards import EscapeSettings, EscapeState, glimpse, moves, observe, open_escape, start_session

SETTINGS = EscapeSettings()
N, VICTIM = 5, 2
SYMBOLS = tuple(f"00000{n}" for n in range(N))
ALL = np.ones(N, np.bool_)
PRICE = 100_000


def closes(price: int) -> np.ndarray:
    made = np.full(N, PRICE, np.int64)
    made[VICTIM] = price
    return made


def lived(prices: list[int], state: EscapeState | None = None, traded: list[bool] | None = None) -> EscapeState:
    """The victim's closes, minute by minute; the others stand still."""
    state = state or open_escape(N)
    for minute, price in enumerate(prices):
        trades = ALL.copy()
        trades[VICTIM] = traded is None or traded[minute]
        state = observe(state, closes(price), trades, SETTINGS, minute=minute)
    return state


def out(state: EscapeState) -> bool:
    return bool(state.exiting[VICTIM])


@pytest.mark.parametrize(("close", "leaves"), [(97_000, True), (97_001, False), (96_999, True)])
def test_three_percent_in_a_minute_confirmed_by_the_next_is_an_escape(close: int, leaves: bool) -> None:
    assert out(lived([PRICE, PRICE, close, close])) is leaves
    assert not out(lived([PRICE, PRICE, close]))


@pytest.mark.parametrize(("last", "leaves"), [(94_000, True), (94_001, False)])
def test_six_percent_in_the_window_is_an_escape_though_no_minute_was(last: int, leaves: bool) -> None:
    path = [PRICE, PRICE, 98_800, 97_600, 96_400, 95_200, last]
    assert not out(lived(path))
    assert out(lived([*path, last])) is leaves


def test_a_close_that_the_next_takes_back_is_no_escape() -> None:
    assert not out(lived([PRICE, PRICE, 80_000, PRICE, PRICE, PRICE, PRICE, PRICE]))


def test_a_close_that_stood_alone_above_its_neighbours_begins_no_fall() -> None:
    spike = [PRICE, PRICE, 115_000, PRICE, PRICE, PRICE, PRICE, PRICE, PRICE]
    assert not out(lived(spike))


def test_a_doubt_waits_for_the_next_trade() -> None:
    still = lived([PRICE, PRICE, 96_000, 96_000, 96_000], traded=[True, True, True, False, False])
    assert not out(still)
    assert out(lived([96_000], still))


def profile(ppm: int) -> UsualMoves:
    market, names = np.full(381, ppm, np.int64), np.full((381, N), ppm, np.int64)
    return UsualMoves(SYMBOLS, 20, SETTINGS.window, market, names)


@pytest.mark.parametrize(("ppm", "leaves"), [(1_400, True), (1_600, False)])
def test_four_times_the_usual_volatility_in_a_falling_name_is_an_escape(ppm: int, leaves: bool) -> None:
    # Six thousand ppm a minute on average at their wildest.
    path = [PRICE, PRICE, 99_000, 99_500, 99_000, 98_400, 98_000, 97_500]
    assert out(lived(path, start_session(open_escape(N), N, 0.0, usual=profile(ppm)))) is leaves


def test_the_same_volatility_in_a_rising_name_is_none() -> None:
    path = [PRICE, PRICE, 101_000, 100_500, 101_000, 101_600, 102_000, 102_500]
    assert not out(lived(path, start_session(open_escape(N), N, 0.0, usual=profile(200))))


def test_a_name_of_which_nothing_is_known_is_not_left_for_its_volatility() -> None:
    path = [PRICE, PRICE, 99_000, 99_500, 99_000, 98_400, 98_000, 97_500]
    assert not out(lived(path, start_session(open_escape(N), N, 0.0, usual=profile(0))))


LEFT = [PRICE, PRICE, 96_000, 96_000]


@pytest.mark.parametrize(
    ("calm", "price", "back"), [(15, 97_440, True), (14, 97_440, False), (15, 97_439, False), (40, 96_000, False)]
)
def test_a_name_comes_back_after_fifteen_calm_minutes_and_well_above_the_trigger(
    calm: int, price: int, back: bool
) -> None:
    state = lived([*LEFT, *[price] * calm])
    assert out(state) is not back


def test_restless_minutes_are_not_calm() -> None:
    morning = start_session(open_escape(N), N, 0.0, usual=profile(500))
    wild = [98_000 if n % 2 else 97_500 for n in range(40)]
    assert out(lived([*LEFT, *wild], morning))
    assert not out(lived([*LEFT, *[98_000] * 30], morning))


def test_after_the_second_escape_a_name_stays_out_until_the_next_day() -> None:
    once = lived([*LEFT, *[98_000] * 20])
    assert not out(once)
    twice = lived([95_000, 95_000, *[99_000] * 60], once)
    assert out(twice)
    assert not out(start_session(twice, N, 0.0))


def glance(last: int, before: int, ago: int = 0, at: int = 10**18) -> Glance:
    made = [np.zeros(N, np.int64) for _ in range(3)]
    for column, price in zip(made, (last, before, ago), strict=True):
        column[VICTIM] = price
    return Glance(at, SYMBOLS, *made)


@pytest.mark.parametrize(
    ("last", "before", "ago", "leaves"),
    [
        (97_000, 97_000, PRICE, True),
        (97_000, 97_001, PRICE, False),  # the milder of the two
        (97_001, 97_000, PRICE, False),
        (50_000, PRICE, PRICE, False),  # one wrong print
        (97_000, 0, PRICE, False),  # one print alone
        (97_000, 97_000, 0, False),  # a minute ago is not known, the window says -3 %
        (94_000, 94_000, 0, True),
        (94_001, 94_000, 0, False),
        (0, 0, PRICE, False),
    ],
)
def test_two_prints_between_minutes_are_an_escape(last: int, before: int, ago: int, leaves: bool) -> None:
    state = glimpse(lived([PRICE, PRICE, PRICE]), glance(last, before, ago), SETTINGS)
    assert out(state) is leaves
    assert state.fallen == int(leaves)


def test_two_prints_confirm_what_a_close_made_doubtful() -> None:
    doubted = lived([PRICE, PRICE, 96_900])
    assert out(glimpse(doubted, glance(97_000, 96_950), SETTINGS))
    assert not out(glimpse(doubted, glance(97_001, 96_950), SETTINGS))


def test_before_the_first_minute_a_glance_looks_a_minute_back_alone() -> None:
    assert out(glimpse(open_escape(N), glance(97_000, 97_000, PRICE), SETTINGS))
    assert not out(glimpse(open_escape(N), glance(50_000, 50_000, 0), SETTINGS))


def test_an_escape_is_told_once_until_the_name_comes_back() -> None:
    once = glimpse(lived([PRICE, PRICE, PRICE]), glance(97_000, 97_000, PRICE), SETTINGS)
    again = glimpse(once, glance(90_000, 90_000, PRICE), SETTINGS)
    assert again.names[:, VICTIM].tolist() == once.names[:, VICTIM].tolist()


@given(st.lists(st.integers(90_000, 105_000), min_size=4, max_size=40), st.integers(0, 39), st.integers(1, 300_000))
@settings(max_examples=150, deadline=None)
def test_one_wrong_close_never_leaves_a_name(path: list[int], where: int, wrong: int) -> None:
    """Of a name that stands still but for one close, whatever that says; the first has nothing it could differ from."""
    prices = [PRICE] * (len(path) + 1)
    prices[1 + where % len(path)] = wrong
    assert not out(lived(prices))


@given(
    st.lists(st.integers(-200, 200), min_size=2, max_size=12),
    st.integers(80_000, 120_000),
    st.integers(80_000, 120_000),
    st.integers(0, 20_000),
)
@settings(max_examples=200, deadline=None)
def test_a_deeper_fall_never_leaves_fewer_names(steps: list[int], last: int, before: int, deeper: int) -> None:
    state = lived([PRICE + step for step in steps])
    mild = glimpse(state, glance(last, before, PRICE), SETTINGS)
    deep = glimpse(state, glance(max(1, last - deeper), max(1, before - deeper), PRICE), SETTINGS)
    assert out(deep) >= out(mild)
    assert deep.level >= mild.level


def test_names_without_prices_are_no_market_and_no_falls() -> None:
    morning = start_session(open_escape(N), N, 0.0, usual=profile(500))
    state = morning
    for minute in range(4):
        state = observe(state, np.zeros(N, np.int64), ALL, SETTINGS, minute=minute)
    assert (state.market_bp, state.fallen) == (0.0, 0)
    none = glimpse(state, glance(0, 0), SETTINGS)
    assert (none.market_bp, none.fallen) == (0.0, 0)
    assert glimpse(state, glance(97_000, 97_000, PRICE), SETTINGS).fallen == 1


def test_a_name_whose_price_is_gone_is_left_out() -> None:
    state = lived([PRICE, PRICE, PRICE], start_session(open_escape(N), N, 0.0, usual=profile(500)))
    state = observe(state, closes(0), ALL, SETTINGS, minute=3)
    assert not out(state)
    assert not moves.falls(0, PRICE, PRICE, PRICE, state.rule)


def test_a_name_that_appears_in_the_window_falls_from_where_it_appeared() -> None:
    state = lived([0, 0, PRICE, 96_000])
    assert not out(state)
    assert out(lived([96_000], state))
