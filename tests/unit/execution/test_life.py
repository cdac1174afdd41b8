"""The life of an order: only legal transitions, final ends, every execution booked once."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from haetae.domain.errors import MarketRuleError
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    Denied,
    Expired,
    Fill,
    Filled,
    Order,
    OrderEvent,
    OrderIntent,
    OrderKind,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Side,
    Submitted,
)
from haetae.execution import Blotter, Remark, advance, cancel_requested, conclude_absent, enter, is_legal, record
from haetae.execution.life import LEGAL

QUANTITY = 10
NUMBER = BrokerOrderId(dt.date(2026, 11, 23), "00950", "7")


def order(status: OrderStatus = OrderStatus.NEW, *, named: bool = False, filled: int = 0) -> Order:
    intent = OrderIntent("I1", "D1", "005930", Side.BUY, QUANTITY, OrderKind.LIMIT, 50_000, 1)
    return Order(intent, QUANTITY, status, NUMBER if named else None, filled, filled * 50_000)


def fill(quantity: int, cumulative: int, amount: int | None = None) -> Fill:
    total = amount if amount is not None else quantity * 50_000
    return Fill(NUMBER, "I1", "005930", Side.BUY, quantity, total // quantity, total, cumulative, 5)


def filled(quantity: int, cumulative: int, amount: int | None = None) -> Filled:
    return Filled("I1", 5, fill(quantity, cumulative, amount))


EVENTS: tuple[OrderEvent, ...] = (
    Denied("I1", 2, ("G01",)),
    Submitted("I1", 2),
    Accepted("I1", 3, NUMBER),
    Rejected("I1", 3, "APBK", "no"),
    filled(QUANTITY, QUANTITY),
    Replaced("I1", 3, NUMBER, 49_900),
    Canceled("I1", 4, 0),
    Expired("I1", 4, 0),
    OutcomeUnknown("I1", 3, "timeout"),
)


@pytest.mark.parametrize("status", list(OrderStatus))
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_pair_of_state_and_event_is_decided(status: OrderStatus, event: OrderEvent) -> None:
    before = order(status, named=status in (OrderStatus.WORKING, OrderStatus.CANCEL_PENDING))
    if not is_legal(before, event):
        with pytest.raises(MarketRuleError):
            advance(before, event)
        return
    after = advance(before, event)
    if status.terminal:
        assert after.status is status
    assert advance(after, event) is after or isinstance(event, Rejected)


def test_a_terminal_state_is_final_whatever_follows() -> None:
    for status, events in itertools.product([s for s in OrderStatus if s.terminal], itertools.permutations(EVENTS, 2)):
        now = order(status)
        for event in events:
            if is_legal(now, event):
                now = advance(now, event)
        assert now.status is status


def test_every_state_is_in_the_table() -> None:
    assert set(LEGAL) == set(OrderStatus)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((EVENTS[0],), OrderStatus.DENIED),
        ((EVENTS[1],), OrderStatus.SENDING),
        ((EVENTS[1], EVENTS[2]), OrderStatus.WORKING),
        ((EVENTS[1], EVENTS[3]), OrderStatus.REFUSED),
        ((EVENTS[1], EVENTS[2], EVENTS[3]), OrderStatus.REJECTED),
        ((EVENTS[1], EVENTS[8]), OrderStatus.UNKNOWN),
        ((EVENTS[1], EVENTS[8], EVENTS[2]), OrderStatus.WORKING),
        ((EVENTS[1], EVENTS[8], EVENTS[3]), OrderStatus.REFUSED),
        ((EVENTS[1], EVENTS[2], EVENTS[8]), OrderStatus.WORKING),
        ((EVENTS[1], EVENTS[4]), OrderStatus.FILLED),
        ((EVENTS[1], EVENTS[4], EVENTS[2]), OrderStatus.FILLED),
        ((EVENTS[1], EVENTS[8], filled(3, 3)), OrderStatus.WORKING),
        ((EVENTS[1], EVENTS[2], EVENTS[6]), OrderStatus.CANCELED),
        ((EVENTS[1], EVENTS[2], EVENTS[7]), OrderStatus.EXPIRED),
        ((EVENTS[1], EVENTS[6]), OrderStatus.CANCELED),
    ],
)
def test_the_usual_ways_through_a_life(events: tuple[OrderEvent, ...], status: OrderStatus) -> None:
    now = order()
    for event in events:
        now = advance(now, event)
    assert now.status is status


def test_a_refused_cancel_leaves_the_order_working() -> None:
    asked = cancel_requested(order(OrderStatus.WORKING, named=True), 9)
    assert asked.status is OrderStatus.CANCEL_PENDING
    assert advance(asked, EVENTS[3]).status is OrderStatus.WORKING
    assert advance(asked, OutcomeUnknown("I1", 9, "timeout")).status is OrderStatus.CANCEL_PENDING


def test_only_an_unknown_order_is_concluded_absent() -> None:
    assert conclude_absent(order(OrderStatus.UNKNOWN), 9).status is OrderStatus.ABSENT
    assert conclude_absent(order(OrderStatus.WORKING, named=True), 9).status is OrderStatus.WORKING


def test_an_event_of_another_order_is_refused() -> None:
    with pytest.raises(MarketRuleError):
        advance(order(OrderStatus.SENDING), Accepted("I2", 3, NUMBER))


@st.composite
def executions(draw: st.DrawFn) -> list[Fill]:
    """A true sequence of executions of an order, with prices of their own."""
    cuts = sorted(draw(st.sets(st.integers(1, QUANTITY), min_size=1, max_size=QUANTITY)))
    made, before = [], 0
    for cut in cuts:
        quantity = cut - before
        made.append(fill(quantity, cut, draw(st.integers(quantity * 100, quantity * 60_000))))
        before = cut
    return made


@st.composite
def tellings(draw: st.DrawFn) -> tuple[list[Fill], list[Fill]]:
    """The truth, and a telling of it: shuffled, repeated, some merged from the start."""
    truth = draw(executions())
    told = list(truth) + draw(st.lists(st.sampled_from(truth), max_size=6))
    for last in draw(st.lists(st.integers(1, len(truth)), max_size=2)):
        part = truth[:last]
        told.append(fill(part[-1].cumulative, part[-1].cumulative, sum(item.amount for item in part)))
    return truth, draw(st.permutations(told))


@given(tellings())
@settings(max_examples=400, deadline=None)
def test_executions_are_booked_exactly_once_however_they_are_told(case: tuple[list[Fill], list[Fill]]) -> None:
    truth, told = case
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    booked: list[Fill] = []
    for item in told:
        blotter, outcome = record(blotter, Filled("I1", 5, item))
        booked += outcome.fills
    now = blotter.orders["I1"]
    assert sum(item.quantity for item in booked) == now.filled == truth[-1].cumulative
    assert sum(item.amount for item in booked) == now.amount == sum(item.amount for item in truth)
    assert now.status is (OrderStatus.FILLED if now.filled == QUANTITY else OrderStatus.WORKING)
    assert not blotter.early


def test_an_execution_that_comes_too_early_waits_for_the_one_before() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    blotter, first = record(blotter, filled(4, 7))
    assert (first.remark, first.fills) == (Remark.EARLY_FILL, ())
    blotter, second = record(blotter, filled(3, 3))
    assert [item.cumulative for item in second.fills] == [3, 7]
    assert blotter.orders["I1"].filled == 7


def test_a_late_execution_of_a_cancelled_order_is_booked_and_told() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    blotter, gone = record(blotter, Canceled("I1", 6, 4))
    assert gone.remark is Remark.FILLS_MISSING
    blotter, late = record(blotter, filled(4, 4))
    assert (late.remark, late.fills[0].quantity) == (Remark.LATE_FILL, 4)
    assert blotter.orders["I1"].status is OrderStatus.CANCELED


def test_more_than_was_ordered_is_booked_and_called_an_excess() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    _, outcome = record(blotter, filled(11, 11))
    assert outcome.remark is Remark.OVERFILL
    assert outcome.fills[0].quantity == 11


def test_an_event_of_nobodys_order_and_one_against_the_state_change_nothing() -> None:
    blotter = enter(Blotter(), order(OrderStatus.ABSENT))
    same, foreign = record(blotter, Accepted("I9", 3, NUMBER))
    assert (same, foreign.remark) == (blotter, Remark.FOREIGN)
    same, risen = record(blotter, Accepted("I1", 3, NUMBER))
    assert (same, risen.remark) == (blotter, Remark.CONTRADICTION)


class OneOrder(RuleBasedStateMachine):
    """An order between us and a broker that loses and repeats what it tells."""

    @initialize()
    def begin(self) -> None:
        self.blotter = enter(Blotter(), order())
        self.booked = 0
        self.executed = 0
        self.seen: list[OrderStatus] = []
        self.give(Submitted("I1", 2))

    def give(self, event: OrderEvent) -> None:
        before = self.blotter.orders["I1"]
        self.blotter, outcome = record(self.blotter, event)
        after = self.blotter.orders["I1"]
        self.booked += sum(item.quantity for item in outcome.fills)
        assert after.filled >= before.filled
        if before.status.terminal:
            assert after.status is before.status

    @rule()
    def accept(self) -> None:
        self.give(Accepted("I1", 3, NUMBER))

    @rule()
    def lose_the_answer(self) -> None:
        self.give(OutcomeUnknown("I1", 3, "timeout"))

    @rule(quantity=st.integers(1, 4), told=st.integers(0, 3))
    def execute(self, quantity: int, told: int) -> None:
        quantity = min(quantity, QUANTITY - self.executed)
        if quantity <= 0:
            return
        self.executed += quantity
        for _ in range(told):
            self.give(filled(quantity, self.executed))

    @rule()
    def read_the_list(self) -> None:
        if self.executed:
            self.give(filled(self.executed, self.executed))

    @rule()
    def ask_cancel(self) -> None:
        now = cancel_requested(self.blotter.orders["I1"], 9)
        self.blotter = enter(self.blotter, now)

    @rule()
    def cancel(self) -> None:
        self.give(Canceled("I1", 9, self.executed))

    @rule()
    def expire(self) -> None:
        self.give(Expired("I1", 9, self.executed))

    @invariant()
    def never_more_booked_than_executed(self) -> None:
        if not hasattr(self, "booked"):
            return
        now = self.blotter.orders["I1"]
        assert self.booked == now.filled <= self.executed
        assert now.status is not OrderStatus.FILLED or now.filled == QUANTITY
        assert now.open_quantity >= 0

    def teardown(self) -> None:
        if getattr(self, "executed", 0):
            self.give(filled(self.executed, self.executed))
            assert self.booked == self.executed


TestOneOrder = OneOrder.TestCase
TestOneOrder.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
