"""One name's prints under the rules of interruption, for any day, any hold, any moment of a script."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.market import Kind, Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND
from haetae.emulator.bridge import STEPS, DayBars, bridge_day, draw_noise
from haetae.emulator.dice import dice
from haetae.emulator.grid import Grid
from haetae.emulator.holds import Hold, Plan, Settled, ViKind
from haetae.emulator.interrupts import resume, settle
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook
from unit.emulator.test_bridge import possible_days

DAY = MarketSettings().first_live_day
RULES = Rulebook.on(DAY)
GRID = Grid(RULES, [(Kind.COMMON, Market.KOSPI)])
STARTS, ENDS = RULES.session.minute_edges()
LENGTH = (ENDS - STARTS) // STEPS
START = (STARTS[:, None] + LENGTH[:, None] * np.arange(STEPS)).ravel()
END = np.append(START[1:], ENDS[-1])
CONTINUOUS, CLOSING = (len(STARTS) - 1) * STEPS, len(STARTS) * STEPS - 1
BASE = 3_000


def plan(*, exact: bool = True, narrow: bool = False, holds: tuple[Hold, ...] = (), rules=RULES.vi) -> Plan:
    rates = RULES.vi.dynamic(narrow=narrow)
    return Plan(0, BASE, START, END, CONTINUOUS, CLOSING, rules, rates.continuous, rates.closing, holds, exact=exact)


def prints(day: tuple[int, int, int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    bars = DayBars(*(np.array([value]) for value in day), np.array([BASE]))
    price, volume = bridge_day(bars, draw_noise(seed, DAY, ["A"], len(STARTS)), GRID)
    rows = np.flatnonzero(volume[:, 0])
    return rows, price[rows, 0], volume[rows, 0]


def told(found: Settled) -> list[tuple[int, int, int]]:
    late = [(len(END), *found.late[1:])] if found.late else []
    return found.prints + late


def check(found: Settled, the_plan: Plan) -> None:
    """The laws: nothing printed in a hold, every continuous print within both bands, each VI as long as it must be."""
    assert [row for row, _, _ in found.prints] == sorted({row for row, _, _ in found.prints})
    assert all(volume > 0 and price > 0 for _, price, volume in found.prints)
    single = set(found.single)
    held = {row for first, last in found.held for row in range(first, last)}
    reference, last = BASE, 0
    rates = (the_plan.static_bp, the_plan.dynamic_bp)
    for row, price, _ in found.prints:
        assert row not in held, f"row {row} printed while it was held"
        for hold in the_plan.holds:
            assert not (hold.first <= row < min(hold.last, CONTINUOUS)), "a hold was not kept"
            assert not (hold.ends_day and row >= hold.first)
        if row not in single and the_plan.rules is not None:
            near = last or price
            assert abs(price - reference) * 10_000 < reference * rates[0], "a static VI was missed"
            assert abs(price - near) * 10_000 < near * rates[1], "a dynamic VI was missed"
        if row in single or not last:
            reference = price
        last = price
    for event in found.events:
        span = (event.released_at - event.at) / NS_PER_SECOND
        into_close = event.released_at == END[CLOSING] or event.released_at > END[CLOSING]
        beyond = any(START[min(h.first, len(END) - 1)] <= event.released_at for h in the_plan.holds)
        assert 120 <= span <= 150 or into_close or beyond, "a VI lasts 120 to 150 seconds"
        rate = {ViKind.STATIC: (event.static_reference, the_plan.static_bp)}.get(event.kind)
        if rate is not None:
            assert abs(event.price - rate[0]) * 10_000 >= rate[0] * rate[1]


@given(possible_days(), st.integers(0, 2**32), st.booleans())
@settings(max_examples=120, deadline=None)
def test_interrupted_days_keep_their_four_prices_and_every_share(day, seed: int, narrow: bool) -> None:
    the_plan = plan(narrow=narrow)
    found = settle(*prints(day, seed), the_plan, dice(seed, "vi"))
    check(found, the_plan)
    lines = told(found)
    prices = [price for _, price, _ in lines]
    assert (prices[0], max(prices), min(prices), prices[-1]) == day[:4]
    assert sum(volume for _, _, volume in lines) == day[4]


@st.composite
def holds(draw: st.DrawFn) -> tuple[Hold, ...]:
    """One or two stretches of a quarter to half an hour, as a breaker makes them."""
    found = []
    first = draw(st.integers(1, 600))
    for _ in range(draw(st.integers(1, 2))):
        last = first + draw(st.integers(60, 120))
        found.append(Hold(first, last, int(END[first]) + 5 * NS_PER_MINUTE))
        first = last + draw(st.integers(40, 500))
    return tuple(hold for hold in found if hold.last < CONTINUOUS - 120)


@given(possible_days(), st.integers(0, 2**32), holds())
@settings(max_examples=120, deadline=None)
def test_days_with_holds_keep_their_four_prices_too(day, seed: int, stretches: tuple[Hold, ...]) -> None:
    the_plan = plan(holds=stretches)
    found = settle(*prints(day, seed), the_plan, dice(seed, "vi"))
    check(found, the_plan)
    lines = told(found)
    prices = [price for _, price, _ in lines]
    assert (prices[0], max(prices), min(prices), prices[-1]) == day[:4]
    assert sum(volume for _, _, volume in lines) == day[4]


PERIODIC = tuple(
    Hold(mark + 1, following, int(END[mark]))
    for mark, following in zip(
        range(0, CONTINUOUS, 30 * STEPS), [*range(30 * STEPS, CONTINUOUS, 30 * STEPS), len(END)], strict=True
    )
)


@given(possible_days(), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_names_at_periodic_single_prices_print_at_their_marks_only(day, seed: int) -> None:
    the_plan = plan(holds=PERIODIC, rules=None)
    found = settle(*prints(day, seed), the_plan, dice(seed, "vi"))
    assert {row for row, _, _ in found.prints} <= {*range(0, CONTINUOUS, 30 * STEPS), CLOSING}
    prices = [price for _, price, _ in found.prints]
    assert (prices[0], max(prices), min(prices), prices[-1]) == day[:4]
    assert sum(volume for _, _, volume in found.prints) == day[4]
    assert set(found.single) == {row for row, _, _ in found.prints}


@given(possible_days(), possible_days(), st.integers(0, 2**32), st.integers(0, CONTINUOUS * 15))
@settings(max_examples=120, deadline=None)
def test_nothing_before_a_script_depends_on_it(day, other, seed: int, second: int) -> None:
    cut = int(START[0]) + second * NS_PER_SECOND
    before = settle(*prints(day, seed), plan(), dice(seed, "vi"))
    first = int(np.searchsorted(END, cut, side="right"))
    rows, price, volume = prints(day, seed)
    later = prints(other, seed + 1)
    kept, new = rows < first, later[0] >= first
    mixed = tuple(np.concatenate([a[kept], b[new]]) for a, b in zip((rows, price, volume), later, strict=True))
    after = resume(before, cut, mixed, plan(), dice(seed, "again"))
    assert [line for line in after.prints if END[line[0]] <= cut] == [
        line for line in before.prints if END[line[0]] <= cut
    ]
    assert [event for event in after.events if event.at < cut] == [event for event in before.events if event.at < cut]
    check(after, plan(exact=False))
    if any(event.at <= cut < event.released_at for event in before.events):
        first = min(first, max(begin for begin, _ in before.held if begin <= first))
    done = sum(volume for row, _, volume in before.prints if row < first)
    assert sum(v for _, _, v in told(after)) == done + mixed[2][mixed[0] >= first].sum(), "no share is lost"


def test_a_gap_of_ten_percent_at_the_open_opens_two_minutes_late_at_that_price() -> None:
    found = settle(*prints((3_300, 3_320, 3_280, 3_300, 500_000), 1), plan(), dice(1, "vi"))
    row, price, _ = found.prints[0]
    assert price == 3_300
    assert 120 <= (END[row] - START[0]) / NS_PER_SECOND <= 150
    event = found.events[0]
    assert (event.kind, event.static_reference, event.dynamic_reference) == (ViKind.STATIC, BASE, 0)
    assert row in found.single


def test_a_print_after_a_vi_is_counted_from_its_single_price() -> None:
    rows = np.array([0, 100, 200, 300, CLOSING])
    price, volume = np.array([3_000, 3_010, 3_350, 3_360, 3_360]), np.array([10, 10, 10, 10, 10])
    found = settle(rows, price, volume, plan(exact=False), dice(1, "vi"))
    assert len(found.events) == 1
    assert found.events[0].kind is ViKind.BOTH
    assert found.events[0].dynamic_reference == 3_010
    assert [price for _, price, _ in found.prints] == [3_000, 3_010, 3_350, 3_360, 3_360]


def test_a_close_far_from_the_last_print_is_found_two_minutes_later() -> None:
    rows = np.array([0, 100, CLOSING])
    price, volume = np.array([3_000, 3_000, 3_130]), np.array([10, 10, 30])
    found = settle(rows, price, volume, plan(), dice(1, "vi"))
    assert found.late is not None
    at, close, shares = found.late
    assert (close, shares) == (3_130, 30)
    assert 120 <= (at - END[CLOSING]) / NS_PER_SECOND <= 150
    assert settle(rows, np.array([3_000, 3_000, 3_110]), volume, plan(), dice(1, "vi")).late is None


def test_a_vi_that_runs_into_the_closing_auction_ends_with_it() -> None:
    rows = np.array([0, CONTINUOUS - 4, CONTINUOUS - 2, CLOSING])
    price, volume = np.array([3_000, 3_250, 3_250, 3_240]), np.array([10, 10, 10, 10])
    found = settle(rows, price, volume, plan(exact=False), dice(1, "vi"))
    assert found.prints[-1] == (CLOSING, 3_240, 30)
    assert found.events[0].released_at == END[CLOSING]
