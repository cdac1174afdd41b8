"""The light path: a desk that is told glances stands where one that saw every print would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.events import Glance
from haetae.domain.units import NS_PER_SECOND
from haetae.guards import (
    EscapeLevel,
    EscapeSettings,
    EscapeState,
    PriceWatch,
    glimpse,
    make_ready,
    moves,
    observe,
    open_escape,
    watch,
)
from haetae.guards.moves import OUT

SETTINGS = EscapeSettings()
N = 6
SYMBOLS = tuple(f"00000{n}" for n in range(N))
PRICE = 100_000
START = 1_800_000_000 * NS_PER_SECOND
NOBODY = np.zeros(N, np.int64)


def settled(minutes: int = 6) -> EscapeState:
    state = open_escape(N)
    for _ in range(minutes):
        state = observe(state, np.full(N, PRICE, np.int64), np.ones(N, np.bool_), SETTINGS)
    return state


class Desk:
    """An escape and the watch beside it; ``told`` are the glances it was given."""

    def __init__(self, state: EscapeState, lower: np.ndarray = NOBODY, upper: np.ndarray = NOBODY) -> None:
        self.state = state
        self.watch = PriceWatch(SYMBOLS, SETTINGS, lower, upper)
        self.told: list[Glance] = []

    def prints(self, at_s: float, *prints: tuple[int, int]) -> None:
        names = [SYMBOLS[place] for place, _ in prints]
        prices = np.array([price for _, price in prints], np.int64)
        glance = self.watch.take(names, prices, START + round(at_s * NS_PER_SECOND), self.state)
        if glance is not None:
            self.told.append(glance)
            self.state = glimpse(self.state, glance, SETTINGS)

    def minute(self) -> None:
        closes = np.array([price or PRICE for price in self.watch._sheet[0]], np.int64)
        self.state = observe(self.state, closes, np.ones(N, np.bool_), SETTINGS)


def test_quiet_prints_tell_the_desk_nothing() -> None:
    desk = Desk(settled())
    for second in range(120):
        desk.prints(second, *((place, PRICE + (second % 3 - 1) * 100) for place in range(N)))
    assert desk.told == []


def test_two_prints_of_a_fall_within_sixty_seconds_are_told_and_one_is_not() -> None:
    desk = Desk(settled())
    for second in (0, 30):
        desk.prints(second, (2, PRICE), (2, PRICE))
    desk.prints(59, (2, 97_000))
    assert desk.told == []
    desk.prints(60, (2, 97_000))
    (glance,) = desk.told
    assert (glance.last[2], glance.before[2], glance.ago[2]) == (97_000, 97_000, PRICE)
    assert desk.state.names[OUT].tolist() == [0, 0, 1, 0, 0, 0]


def test_the_same_fall_over_a_minute_and_a_second_is_none() -> None:
    desk = Desk(settled())
    desk.prints(0, (2, PRICE), (2, PRICE))
    desk.prints(20, (2, 98_000), (2, 98_000))
    desk.prints(81, (2, 97_000), (2, 97_000))
    assert desk.told == []


def test_what_a_name_cost_a_minute_ago_is_known_between_its_prints() -> None:
    desk = Desk(settled())
    desk.prints(0, (2, PRICE), (2, PRICE))
    desk.prints(100, (2, 96_900), (2, 96_900))  # nothing printed since: a minute ago it still cost what it cost at 0
    assert desk.state.names[OUT, 2] == 1


def test_one_wrong_print_is_no_fall_neither_when_it_comes_nor_a_minute_later() -> None:
    desk = Desk(settled())
    for second in range(200):
        price = 130_000 if second == 50 else 70_000 if second == 120 else PRICE
        desk.prints(second, (2, price))
    assert desk.told == []


def test_prices_beyond_the_days_limits_and_names_of_other_sessions_are_left_out() -> None:
    lower, upper = np.full(N, 70_000, np.int64), np.full(N, 130_000, np.int64)
    desk = Desk(settled(), lower, upper)
    desk.prints(0, (2, PRICE), (2, PRICE))
    desk.prints(1, (2, 10_000), (2, 10_000), (2, 0), (2, -5))
    assert desk.watch.take(["999999"], np.array([1]), START + NS_PER_SECOND, desk.state) is None
    assert desk.told == []


@pytest.mark.parametrize(
    ("fall", "level"),
    [
        (990, EscapeLevel.NORMAL),
        (1_010, EscapeLevel.NO_BUYS),
        (2_010, EscapeLevel.REDUCE),
        (3_510, EscapeLevel.EXIT_ALL),
    ],
)
def test_a_fall_of_the_market_is_told_before_the_minute_ends(fall: int, level: EscapeLevel) -> None:
    desk = Desk(settled())
    names = tuple((place, PRICE - fall) for place in range(N))
    desk.prints(0, *names)
    desk.prints(1, *names)
    assert desk.state.level is level


def test_a_fall_is_told_once_while_the_desk_has_not_answered() -> None:
    desk = Desk(settled())
    fallen = tuple((place, 96_000) for place in range(N))
    names, prices = [SYMBOLS[p] for p, _ in fallen], np.array([96_000] * N)
    assert desk.watch.take(names, prices, START, desk.state) is None
    assert desk.watch.take(names, prices, START + 1, desk.state) is not None
    assert desk.watch.take(names, prices, START + 2, desk.state) is None
    assert desk.watch.glances == 1


def test_what_falls_behind_a_glance_is_told_alike_whether_or_not_the_desk_has_answered_it() -> None:
    """Two messages of one moment may come in one piece or in two: what the desk makes of them is the same."""
    told = []
    for answers in (False, True):
        desk, glances = Desk(settled()), []
        for at, place in ((0, 1), (1, 1), (2, 2), (3, 2)):
            glance = desk.watch.take([SYMBOLS[place]], np.array([90_000]), START + at, desk.state)
            if glance is not None:
                glances.append(glance)
                desk.state = glimpse(desk.state, glance, SETTINGS) if answers else desk.state
        for glance in [] if answers else glances:
            desk.state = glimpse(desk.state, glance, SETTINGS)
        told.append(([(glance.at, glance.last.tolist()) for glance in glances], desk.state.names.tolist()))
    assert told[0] == told[1]
    assert [at for at, _ in told[0][0]] == [START + 1, START + 3]


def test_at_exit_all_there_is_nothing_more_to_tell_of_the_market() -> None:
    desk = Desk(settled())
    for second, price in enumerate((96_000, 96_000, 94_000, 93_900, 93_000)):
        desk.prints(second, *((place, price) for place in range(N)))
    assert desk.state.level is EscapeLevel.EXIT_ALL
    told = len(desk.told)
    desk.prints(9, *((place, 92_000) for place in range(N)))
    assert len(desk.told) == told


def test_volatility_that_waits_for_a_falling_market_is_told_of_the_fall() -> None:
    quiet = settled()
    loud = Desk(
        EscapeState(
            quiet.level,
            0,
            quiet.closes,
            quiet.moves,
            0.0,
            quiet.names,
            quiet.rule,
            figures=quiet.figures._replace(ratio=5.0),
        )
    )
    names = tuple((place, PRICE - 600) for place in range(N))
    for second in range(2):
        loud.prints(second, *names)
    assert loud.state.level is EscapeLevel.REDUCE


def test_before_the_first_minute_and_of_a_name_without_a_price_there_is_nothing_to_compare_with() -> None:
    morning = Desk(open_escape(N))
    for second in range(3):
        morning.prints(second, *((place, PRICE - 20_000 * second) for place in range(N)))
    assert morning.told == []
    closes, state = np.full(N, PRICE, np.int64), open_escape(N)
    closes[5] = 0
    for _ in range(6):
        state = observe(state, closes, closes > 0, SETTINGS)
    desk = Desk(state)
    for second, price in enumerate((PRICE, PRICE, PRICE // 2, PRICE // 2)):
        desk.prints(second, (5, price))  # halved since its first print, and of no weight in the market
    assert desk.state.level is EscapeLevel.NORMAL
    desk.prints(9, *((place, PRICE - 1_010) for place in range(N - 1)))
    desk.prints(10, *((place, PRICE - 1_010) for place in range(N - 1)))
    assert desk.state.level is EscapeLevel.NO_BUYS


def test_a_mean_counts_only_names_priced_at_both_ends() -> None:
    window = np.array([[100, 200, 0], [100, 0, 300]], np.int64)
    market_bp, middle_bp, drift = moves.spans_of(window, np.array([110, 240, 330], np.int64), 0)
    assert (market_bp, middle_bp) == (pytest.approx(1_500.0), pytest.approx(1_500.0))
    assert drift == pytest.approx(0.05)  # of the last minute, over both names that have a price


def test_a_name_without_a_price_a_minute_ago_has_not_moved_in_this_one() -> None:
    state = open_escape(2)
    for closes in ((PRICE, PRICE), (PRICE, 0), (PRICE - 1_000, PRICE - 3_000)):
        priced = np.array(closes, np.int64)
        state = observe(state, priced, priced > 0, SETTINGS)
    assert state.moves[-1] == pytest.approx(0.005)  # a hundredth of one, nothing known of the other
    assert state.figures.market_bp == pytest.approx(-200.0)  # over the window both are known


def compiled(loop: object) -> int:
    """For how many types a loop is machine code; none where it is left as Python."""
    return len(getattr(loop, "signatures", ()))


def test_no_loop_is_compiled_while_the_market_falls() -> None:
    make_ready(SETTINGS)
    loops = (moves.glance_at, moves.spans_of, moves.confirmed, moves.falls, watch._take, watch._refresh)
    before = [compiled(loop) for loop in loops]
    desk = Desk(settled())
    for second in range(3):
        desk.prints(second, *((place, 93_000) for place in range(N)))
    assert desk.state.level is EscapeLevel.EXIT_ALL
    assert [compiled(loop) for loop in loops] == before


prints = st.tuples(st.integers(0, N - 1), st.integers(-600, 300))


@given(
    st.lists(
        st.tuples(st.floats(0.05, 25.0), st.lists(prints, min_size=1, max_size=5), st.booleans()),
        min_size=5,
        max_size=60,
    ),
    st.floats(0, 60),
)
@settings(max_examples=120, deadline=None)
def test_a_desk_that_is_told_glances_stands_where_one_told_every_print_would(
    steps: list[tuple[float, list[tuple[int, int]], bool]], drift: float
) -> None:
    """Twin: after every batch the glance of all prices changes nothing more about level and names."""
    desk, now = Desk(settled()), 0.0
    newest = np.full(N, PRICE, np.int64)
    for number, (wait, batch, ends) in enumerate(steps):
        now += wait
        made = []
        for place, move in batch:
            newest[place] = max(1_000, newest[place] + move * 4 - round(drift))
            made.append((place, int(newest[place])))
        desk.prints(now, *made)
        sheet, ring = desk.watch._sheet, desk.watch._ring
        second = (START + round(now * NS_PER_SECOND)) // NS_PER_SECOND
        printed = sheet[7] >= second - 60
        whole = Glance(
            START + number, SYMBOLS, sheet[0].copy(), sheet[1].copy(), np.where(printed, ring[(second - 60) % 64], 0)
        )
        told = glimpse(desk.state, whole, SETTINGS)
        assert told.level is desk.state.level
        just = {place for place, _ in made}
        for place in just:
            assert told.names[OUT, place] == desk.state.names[OUT, place]
        if ends:
            desk.minute()
