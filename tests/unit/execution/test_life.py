"""The life of an order: only legal transitions, final ends, every execution booked once."""
# long: one table of transitions, tried row by row.

from __future__ import annotations

import dataclasses
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
from haetae.execution import (
    TRANSITIONS,
    Blotter,
    Remark,
    Step,
    When,
    advance,
    cancel_requested,
    carried,
    conclude_absent,
    enter,
    give_up,
    is_legal,
    new_part,
    record,
    take,
)
from haetae.execution.life import cause_of

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
    Rejected("I1", 3, "NOT_OPEN", "no cancel", change=True),
    filled(3, 3),
)
RETURNING = (Accepted, Filled)
"""What may reach an order after its end and mean something: it lives, or was executed."""


@pytest.mark.parametrize("status", list(OrderStatus))
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_pair_of_state_and_event_is_decided(status: OrderStatus, event: OrderEvent) -> None:
    named = status.resting or status in (OrderStatus.CANCEL_PENDING, OrderStatus.FILLED)
    before = order(status, named=named, filled=QUANTITY if status is OrderStatus.FILLED else 0)
    if not is_legal(before, event):
        with pytest.raises(MarketRuleError):
            advance(before, event)
        return
    after = advance(before, event)
    if status.terminal and not isinstance(event, RETURNING):
        assert after.status is status
    assert advance(after, event) is after


def test_an_end_is_final_but_for_an_execution_or_the_taking_of_an_order_given_up() -> None:
    for status, events in itertools.product([s for s in OrderStatus if s.terminal], itertools.permutations(EVENTS, 2)):
        now = order(status)
        for event in events:
            if is_legal(now, event) and not isinstance(event, RETURNING):
                now = advance(now, event)
        assert now.status is status


@pytest.mark.parametrize(
    ("status", "event", "after"),
    [
        (OrderStatus.ABSENT, Accepted("I1", 3, NUMBER), OrderStatus.LATE_FILL),
        (OrderStatus.REFUSED, Accepted("I1", 3, NUMBER), OrderStatus.LATE_FILL),
        (OrderStatus.REJECTED, Accepted("I1", 3, NUMBER), OrderStatus.REJECTED),
        (OrderStatus.CANCELED, filled(3, 3), OrderStatus.LATE_FILL),
        (OrderStatus.EXPIRED, filled(3, 3), OrderStatus.LATE_FILL),
        (OrderStatus.ABSENT, filled(QUANTITY, QUANTITY), OrderStatus.FILLED),
        (OrderStatus.LATE_FILL, filled(3, 3), OrderStatus.LATE_FILL),
        (OrderStatus.LATE_FILL, filled(QUANTITY, QUANTITY), OrderStatus.FILLED),
        (OrderStatus.LATE_FILL, Canceled("I1", 9, 0), OrderStatus.CANCELED),
        (OrderStatus.LATE_FILL, Expired("I1", 9, 0), OrderStatus.EXPIRED),
    ],
)
def test_what_lives_after_its_end_is_in_question_until_the_broker_says_what_is_left(
    status: OrderStatus, event: OrderEvent, after: OrderStatus
) -> None:
    assert advance(order(status), event).status is after


def test_the_table_names_each_state_and_leads_each_pair_to_one_state() -> None:
    assert {row.before for row in TRANSITIONS} == set(OrderStatus)
    keys = [(row.before, row.cause, row.when) for row in TRANSITIONS]
    assert len(set(keys)) == len(keys)
    for (before, cause), rows in itertools.groupby(
        sorted(TRANSITIONS, key=lambda row: (row.before.value, str(row.cause))), lambda row: (row.before, row.cause)
    ):
        cases = {row.when for row in rows}
        assert cases == {When.ALWAYS} or When.ALWAYS not in cases, (before, cause)


def test_whatever_may_still_trade_can_end_and_whatever_ended_stays_ended_without_an_execution() -> None:
    reached = {state: {row.after for row in TRANSITIONS if row.before is state} for state in OrderStatus}
    for state in OrderStatus:
        seen, front = {state}, {state}
        while front:
            front = {after for each in front for after in reached[each]} - seen
            seen |= front
        assert any(each.terminal for each in seen), state
    back = [row for row in TRANSITIONS if row.before.terminal and row.before is not row.after]
    assert {row.cause for row in back} == {Accepted, Filled}


def test_a_step_of_ours_moves_only_the_states_that_know_it() -> None:
    moved = {
        (step, state): take(order(state, named=True), step, 9).status
        for step in Step
        for state in OrderStatus
        if take(order(state, named=True), step, 9).status is not state
    }
    assert moved == {
        (Step.CLEARED, OrderStatus.NEW): OrderStatus.GUARDED,
        (Step.CANCEL_ASKED, OrderStatus.WORKING): OrderStatus.CANCEL_PENDING,
        (Step.CANCEL_ASKED, OrderStatus.PARTIAL): OrderStatus.CANCEL_PENDING,
        (Step.CANCEL_ASKED, OrderStatus.LATE_FILL): OrderStatus.CANCEL_PENDING,
        (Step.CHANGE_REFUSED, OrderStatus.CANCEL_PENDING): OrderStatus.WORKING,
        (Step.FOUND_ABSENT, OrderStatus.UNKNOWN): OrderStatus.ABSENT,
        (Step.FOUND_ABSENT, OrderStatus.STUCK): OrderStatus.ABSENT,
        (Step.GIVEN_UP, OrderStatus.UNKNOWN): OrderStatus.STUCK,
    }


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((EVENTS[1], EVENTS[2], filled(3, 3)), OrderStatus.PARTIAL),
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
        ((EVENTS[1], EVENTS[8], filled(3, 3)), OrderStatus.PARTIAL),
        ((EVENTS[1], EVENTS[2], filled(3, 3), EVENTS[3]), OrderStatus.REJECTED),
        ((EVENTS[1], EVENTS[2], EVENTS[6]), OrderStatus.CANCELED),
        ((EVENTS[1], EVENTS[2], EVENTS[7]), OrderStatus.EXPIRED),
        ((EVENTS[1], EVENTS[6]), OrderStatus.CANCELED),
    ],
)
def test_the_usual_ways_through_a_life(events: tuple[OrderEvent, ...], status: OrderStatus) -> None:
    now = take(order(), Step.CLEARED, 1)
    for event in events:
        now = advance(now, event)
    assert now.status is status


def test_an_order_the_guards_did_not_clear_cannot_be_sent() -> None:
    with pytest.raises(MarketRuleError) as caught:
        advance(order(), Submitted("I1", 2))
    assert "cleared by the guards" in str(caught.value.expected)
    assert advance(order(), EVENTS[0]).status is OrderStatus.DENIED


def test_a_refused_cancel_leaves_the_order_working() -> None:
    asked = cancel_requested(order(OrderStatus.WORKING, named=True), 9)
    assert asked.status is OrderStatus.CANCEL_PENDING
    refused = Rejected("I1", 9, "NOT_OPEN", "no", change=True)
    assert advance(asked, refused).status is OrderStatus.WORKING
    assert advance(advance(asked, refused), refused).status is OrderStatus.WORKING  # told twice
    assert advance(asked, EVENTS[3]).status is OrderStatus.REJECTED  # not the cancel: the exchange refused the order
    part = cancel_requested(order(OrderStatus.PARTIAL, named=True, filled=3), 9)
    assert advance(part, refused).status is OrderStatus.PARTIAL
    assert cause_of(refused) is Step.CHANGE_REFUSED
    assert advance(asked, OutcomeUnknown("I1", 9, "timeout")).status is OrderStatus.CANCEL_PENDING


def test_only_an_unknown_order_is_concluded_absent() -> None:
    assert conclude_absent(order(OrderStatus.UNKNOWN), 9).status is OrderStatus.ABSENT
    assert conclude_absent(order(OrderStatus.WORKING, named=True), 9).status is OrderStatus.WORKING
    assert give_up(order(OrderStatus.UNKNOWN), 9).status is OrderStatus.STUCK
    assert give_up(order(OrderStatus.WORKING, named=True), 9).status is OrderStatus.WORKING


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
    assert now.status is (OrderStatus.FILLED if now.filled == QUANTITY else OrderStatus.PARTIAL)
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
    blotter, gone = record(blotter, Canceled("I1", 6, 0))
    assert gone.order is not None and gone.order.status is OrderStatus.CANCELED
    blotter, late = record(blotter, filled(4, 4))
    assert (late.remark, late.fills[0].quantity) == (Remark.LATE_FILL, 4)
    assert blotter.orders["I1"].status is OrderStatus.LATE_FILL
    assert blotter.open_orders() == (blotter.orders["I1"],)
    blotter, settled = record(blotter, Canceled("I1", 7, 4))
    assert (settled.remark, blotter.orders["I1"].status) == (Remark.NONE, OrderStatus.CANCELED)
    assert blotter.open_orders() == ()


def test_an_end_that_speaks_of_untold_executions_waits_for_them() -> None:
    blotter = enter(Blotter(), order(OrderStatus.CANCEL_PENDING, named=True))
    end = Canceled("I1", 6, 4)
    blotter, told = record(blotter, end)
    assert (told.remark, blotter.orders["I1"].status) == (Remark.FILLS_MISSING, OrderStatus.CANCEL_PENDING)
    blotter, again = record(blotter, end)
    assert again.remark is Remark.DUPLICATE
    blotter, part = record(blotter, filled(1, 1))
    assert (part.remark, blotter.orders["I1"].status) == (Remark.NONE, OrderStatus.CANCEL_PENDING)
    blotter, rest = record(blotter, filled(3, 4))
    assert (rest.remark, blotter.orders["I1"].status) == (Remark.NONE, OrderStatus.CANCELED)
    assert blotter.orders["I1"].filled == 4


def test_an_order_given_up_that_the_broker_takes_is_open_again_and_told() -> None:
    blotter = enter(Blotter(), order(OrderStatus.ABSENT))
    blotter, back = record(blotter, Accepted("I1", 9, NUMBER))
    assert back.remark is Remark.LATE_FILL
    assert blotter.orders["I1"].open_quantity == QUANTITY


@pytest.mark.parametrize(
    "strange",
    [
        {"order_id": BrokerOrderId(dt.date(2026, 11, 24), "00950", "7")},
        {"symbol": "000660"},
        {"side": Side.SELL},
    ],
)
def test_an_execution_of_another_day_name_or_side_is_none_of_this_order(strange: dict) -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    same, outcome = record(blotter, Filled("I1", 5, dataclasses.replace(fill(3, 3), **strange)))
    assert (same, outcome.remark, outcome.fills) == (blotter, Remark.CONTRADICTION, ())


def test_a_new_day_begins_with_the_orders_whose_fate_is_not_settled() -> None:
    states = (OrderStatus.UNKNOWN, OrderStatus.FILLED, OrderStatus.STUCK, OrderStatus.WORKING, OrderStatus.ABSENT)
    made = [
        dataclasses.replace(order(s), intent=dataclasses.replace(order().intent, intent_id=s.value)) for s in states
    ]
    assert set(carried(made).working) == set(carried(made).orders) == {"unknown", "stuck", "working"}


def test_what_is_sent_keeps_the_numbers_that_were_there_before_it() -> None:
    known = dataclasses.replace(order(OrderStatus.SENDING), known=(NUMBER,))
    assert advance(advance(known, EVENTS[8]), filled(3, 3)).known == (NUMBER,)


def test_the_part_of_a_merged_execution_is_priced_by_what_is_left_of_its_amount() -> None:
    half = order(OrderStatus.PARTIAL, named=True, filled=4)
    part = new_part(half, fill(QUANTITY, QUANTITY, 4 * 50_000 + 6 * 49_000))
    assert part is not None and (part.quantity, part.amount, part.price) == (6, 6 * 49_000, 49_000)
    overlapping = new_part(half, fill(5, 8, 5 * 48_000))
    assert overlapping is not None and (overlapping.quantity, overlapping.amount) == (4, 4 * 48_000)
    nonsense = new_part(half, fill(QUANTITY, QUANTITY, 100_000))  # less than was booked before
    assert nonsense is not None and (nonsense.quantity, nonsense.amount) == (6, 60_000)
    assert new_part(half, fill(1, 6)) is None
    assert new_part(half, fill(4, 4)) is None


def test_more_than_was_ordered_is_booked_and_called_an_excess() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING, named=True))
    _, outcome = record(blotter, filled(11, 11))
    assert outcome.remark is Remark.OVERFILL
    assert outcome.fills[0].quantity == 11


def test_an_event_of_nobodys_order_and_one_against_the_state_change_nothing() -> None:
    blotter = enter(Blotter(), order(OrderStatus.DENIED))
    same, foreign = record(blotter, Accepted("I9", 3, NUMBER))
    assert (same, foreign.remark) == (blotter, Remark.FOREIGN)
    same, risen = record(blotter, Accepted("I1", 3, NUMBER))
    assert (same, risen.remark) == (blotter, Remark.CONTRADICTION)


class OneOrder(RuleBasedStateMachine):
    """An order between us and a broker that loses and repeats what it tells."""

    @initialize()
    def begin(self) -> None:
        self.blotter = enter(Blotter(), take(order(), Step.CLEARED, 1))
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
        if before.status.terminal and not outcome.fills:
            assert after.status is before.status
        if before.status.terminal and outcome.fills:
            assert outcome.remark is Remark.LATE_FILL

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
