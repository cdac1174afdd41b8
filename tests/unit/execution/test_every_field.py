"""What is told is right in every field: whole orders, outcomes, events and differences, not only their kinds."""
# long: every field of every thing that is told, beside each other.

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from haetae.domain.account import Book, Position
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
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
)
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.execution import (
    NOTHING_KNOWN,
    Blotter,
    Difference,
    DifferenceKind,
    Known,
    Occasion,
    ReconcileSettings,
    Reconciliation,
    Remark,
    Step,
    advance,
    enter,
    new_part,
    reconcile,
    record,
    take,
)
from haetae.execution.blotter import Outcome

DAY, BEFORE = dt.date(2026, 11, 23), dt.date(2026, 11, 20)
AT = instant_at(DAY, 100_000)
LATER = AT + 7
SYMBOL, OTHER = "005930", "000660"
SETTINGS = ReconcileSettings()


def number(n: int = 1, day: dt.date = DAY) -> BrokerOrderId:
    return BrokerOrderId(day, "00950", str(n))


def order(
    status: OrderStatus, named: int | None = 1, filled: int = 0, name: str = "I1", symbol: str = SYMBOL, **changes
) -> Order:
    intent = OrderIntent(name, "D1", symbol, changes.pop("side", Side.BUY), 10, OrderKind.LIMIT, 50_000, AT)
    identity = number(named) if named else None
    return replace(Order(intent, 10, status, identity, filled, filled * 50_000, AT, (number(99),)), **changes)


def fill(quantity: int, cumulative: int, at: int = LATER, named: int = 1, amount: int = 0) -> Fill:
    paid = amount or quantity * 50_000
    return Fill(number(named), "I1", SYMBOL, Side.BUY, quantity, paid // quantity, paid, cumulative, at)


# ---------------------------------------------------------------- one order


@pytest.mark.parametrize(
    ("before", "event", "changes"),
    [
        (order(OrderStatus.SENDING, None), Accepted("I1", LATER, number(5)),
         {"status": OrderStatus.WORKING, "order_id": number(5)}),
        (order(OrderStatus.WORKING), Canceled("I1", LATER, 0), {"status": OrderStatus.CANCELED}),
        (order(OrderStatus.PARTIAL, filled=3), Expired("I1", LATER, 3), {"status": OrderStatus.EXPIRED}),
        (order(OrderStatus.SENDING, None), OutcomeUnknown("I1", LATER, "?"), {"status": OrderStatus.UNKNOWN}),
        (order(OrderStatus.WORKING), Filled("I1", LATER, fill(4, 4, named=8)),
         {"status": OrderStatus.PARTIAL, "filled": 4, "amount": 200_000}),
        (order(OrderStatus.UNKNOWN, None, 3), Filled("I1", LATER, fill(2, 5, named=8, amount=96_000)),
         {"status": OrderStatus.PARTIAL, "filled": 5, "amount": 246_000, "order_id": number(8)}),
        (order(OrderStatus.PARTIAL, filled=3), Filled("I1", LATER, fill(7, 10)),
         {"status": OrderStatus.FILLED, "filled": 10, "amount": 500_000}),
    ],
)  # fmt: skip
def test_an_event_changes_what_it_speaks_of_and_nothing_else(before: Order, event: OrderEvent, changes: dict) -> None:
    assert advance(before, event) == replace(before, updated_at=LATER, **changes)


def test_a_new_price_changes_number_and_price_and_nothing_else() -> None:
    before = order(OrderStatus.PARTIAL, filled=3)
    after = advance(before, Replaced("I1", LATER, number(2), 49_900))
    assert after == replace(
        before, order_id=number(2), intent=replace(before.intent, limit_price=49_900), updated_at=LATER
    )
    assert advance(after, Replaced("I1", LATER + 1, number(2), 49_900)) is after
    assert advance(after, Replaced("I1", LATER + 1, number(2), 49_800)).intent.limit_price == 49_800
    assert advance(after, Replaced("I1", LATER + 1, number(3), 49_900)).order_id == number(3)


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (Step.CANCEL_ASKED, OrderStatus.WORKING, OrderStatus.CANCEL_PENDING),
        (Step.FOUND_ABSENT, OrderStatus.UNKNOWN, OrderStatus.ABSENT),
    ],
)
def test_a_step_of_ours_is_stamped(step: Step, before: OrderStatus, after: OrderStatus) -> None:
    from haetae.execution import cancel_requested, conclude_absent

    by_name = {Step.CANCEL_ASKED: cancel_requested, Step.FOUND_ABSENT: conclude_absent}
    made = order(before, filled=2)
    assert take(made, step, LATER) == by_name[step](made, LATER) == replace(made, status=after, updated_at=LATER)


def test_an_order_that_is_given_up_keeps_the_time_of_its_loss() -> None:
    from haetae.execution import give_up

    made = order(OrderStatus.UNKNOWN)
    assert give_up(made, LATER) == replace(made, status=OrderStatus.STUCK)
    working = order(OrderStatus.WORKING)
    assert give_up(working, LATER) is working


def test_an_impossible_event_is_told_with_what_would_have_been_possible() -> None:
    with pytest.raises(MarketRuleError) as caught:
        advance(order(OrderStatus.NEW), Accepted("I1", LATER, number()))
    assert str(caught.value) == "Accepted cannot reach an order that is new"
    assert caught.value.expected == "one of ['Denied', 'cleared by the guards']"
    assert caught.value.found == "Accepted of I1"


def test_an_overlapping_execution_is_worth_at_least_a_won_and_never_a_fraction() -> None:
    begun = order(OrderStatus.PARTIAL, filled=4)
    begun = replace(begun, amount=10)
    assert new_part(begun, fill(3, 5, amount=100)) == replace(
        fill(3, 5, amount=100), quantity=1, amount=33, price=33, amount_before=10
    )
    assert new_part(begun, fill(3, 6, amount=3)) == replace(
        fill(3, 6, amount=3), quantity=2, amount=2, price=1, amount_before=10
    )
    assert new_part(begun, replace(fill(3, 5, amount=3), amount=1)) == replace(
        fill(3, 5, amount=3), quantity=1, amount=1, price=1, amount_before=10
    )
    merged = new_part(begun, fill(5, 5, amount=11))  # one won more than was booked before
    assert merged is not None and (merged.quantity, merged.amount, merged.price) == (1, 1, 1)
    assert new_part(begun, replace(fill(7, 7, amount=20), price=2)) == replace(
        fill(7, 7, amount=20), quantity=3, amount=10, price=3, amount_before=10
    )


def test_nothing_of_an_order_happens_before_what_happened_to_it() -> None:
    """A clock that stepped back would end the search for the order's row before it was sent."""
    for status, event in (
        (OrderStatus.SENDING, OutcomeUnknown("I1", AT - 5, "?")),
        (OrderStatus.WORKING, Filled("I1", AT - 5, fill(4, 4))),
        (OrderStatus.WORKING, Replaced("I1", AT - 5, number(2), 49_900)),
    ):
        before = order(status)
        after = advance(before, event)
        assert after != before
        assert after.updated_at == before.updated_at == AT


# ---------------------------------------------------------------- all orders of a day


def test_every_outcome_names_the_order_as_it_is_after_the_event() -> None:
    working = order(OrderStatus.WORKING)
    blotter = enter(Blotter(), working)
    foreign = replace(fill(3, 3), symbol=OTHER)
    assert record(blotter, Filled("I1", LATER, foreign)) == (blotter, Outcome(working, (), Remark.CONTRADICTION))
    denied = enter(Blotter(), order(OrderStatus.DENIED))
    assert record(denied, Canceled("I1", LATER, 0)) == (
        denied, Outcome(order(OrderStatus.DENIED), (), Remark.CONTRADICTION),
    )  # fmt: skip
    twice = Accepted("I1", LATER, number())
    assert record(blotter, twice) == (blotter, Outcome(working, (), Remark.DUPLICATE))
    after, outcome = record(blotter, Canceled("I1", LATER, 0))
    assert outcome == Outcome(after.orders["I1"], (), Remark.NONE)
    waiting, told = record(blotter, Canceled("I1", LATER, 4))
    assert told == Outcome(working, (), Remark.FILLS_MISSING)
    assert record(waiting, Canceled("I1", LATER, 4)) == (waiting, Outcome(working, (), Remark.DUPLICATE))
    sent = enter(Blotter(), order(OrderStatus.SENDING, None))
    taken, usual = record(sent, Accepted("I1", LATER, number()))
    assert usual == Outcome(taken.orders["I1"], (), Remark.NONE)
    ended = enter(Blotter(), order(OrderStatus.ABSENT, None))
    back, late = record(ended, Accepted("I1", LATER, number()))
    assert late == Outcome(back.orders["I1"], (), Remark.LATE_FILL)


def test_an_execution_is_told_with_its_order_and_stamped_by_the_later_of_two_clocks() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING))
    after, outcome = record(blotter, Filled("I1", LATER + 5, fill(4, 4, at=LATER)))
    assert outcome == Outcome(after.orders["I1"], (fill(4, 4, at=LATER),), Remark.NONE)
    assert after.orders["I1"].updated_at == LATER + 5
    later, _ = record(blotter, Filled("I1", LATER, fill(4, 4, at=LATER + 9)))
    assert later.orders["I1"].updated_at == LATER + 9


def test_a_whole_execution_is_no_excess_and_one_told_again_while_another_waits_is_a_duplicate() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING))
    _, whole = record(blotter, Filled("I1", LATER, fill(10, 10)))
    assert whole.remark is Remark.NONE
    blotter, _ = record(blotter, Filled("I1", LATER, fill(2, 2)))
    blotter, early = record(blotter, Filled("I1", LATER, fill(2, 8)))
    assert early.remark is Remark.EARLY_FILL
    assert record(blotter, Filled("I1", LATER, fill(2, 8)))[1].remark is Remark.EARLY_FILL
    same, again = record(blotter, Filled("I1", LATER, fill(2, 2)))
    assert (again.remark, again.fills, same.early) == (Remark.DUPLICATE, (), {"I1": (fill(2, 8),)})


def test_executions_that_wait_are_kept_for_each_order_alone() -> None:
    other = replace(order(OrderStatus.WORKING), intent=replace(order(OrderStatus.WORKING).intent, intent_id="I2"))
    blotter = enter(enter(Blotter(), order(OrderStatus.WORKING)), other)
    theirs = replace(fill(2, 9), intent_id="I2")
    blotter, _ = record(blotter, Filled("I2", LATER, theirs))
    blotter, _ = record(blotter, Filled("I1", LATER, fill(2, 6)))
    assert blotter.early == {"I2": (theirs,), "I1": (fill(2, 6),)}
    blotter, _ = record(blotter, Filled("I1", LATER, fill(4, 4)))
    assert blotter.early == {"I2": (theirs,)}
    assert blotter.orders["I1"].filled == 6


def test_open_orders_are_told_by_name() -> None:
    blotter = enter(Blotter(), order(OrderStatus.WORKING))
    second = order(OrderStatus.WORKING, 2, name="I2", symbol=OTHER)
    blotter = enter(enter(blotter, second), order(OrderStatus.CANCELED, 3, name="I3"))
    assert blotter.open_of(SYMBOL) == (order(OrderStatus.WORKING),)
    assert blotter.open_of(OTHER) == (second,)
    assert blotter.open_orders() == (order(OrderStatus.WORKING), second)


# ---------------------------------------------------------------- beside the broker


def row(n: int = 1, filled: int = 0, left: int | None = None, **changes) -> BrokerOrder:
    rest = 10 - filled if left is None else left
    return replace(BrokerOrder(number(n), SYMBOL, Side.BUY, 10, filled, filled * 50_000, rest, 50_000, AT), **changes)


BOOK = Book(cash=10_000_000, deposits=10_000_000)


def look(
    orders=(), rows=(), at: int = LATER, held: dict[str, int] | None = None, known: Known = NOTHING_KNOWN,
    occasion: Occasion | None = None, cash: int = BOOK.cash, orderable: int | None = None, book: Book = BOOK,
    days: tuple[dt.date, ...] = (),
) -> Reconciliation:  # fmt: skip
    reserved = sum(each.open_quantity * each.limit_price for each in rows if each.side is Side.BUY)
    free = cash - reserved if orderable is None else orderable
    snapshot = AccountSnapshot(at, cash, free, held or {}, tuple(rows), days)
    return reconcile(book, orders, snapshot, known, SETTINGS, occasion)


OVER = Occasion(over=frozenset({DAY}))


@pytest.mark.parametrize(
    ("shown", "occasion", "event"),
    [
        (row(left=0, refused=1),
         None, Rejected("I1", LATER, "EXCHANGE", "refused by the exchange after the broker took it")),
        (row(left=0, canceled=10), None, Canceled("I1", LATER, 0)),
        (row(left=0), OVER, Expired("I1", LATER, 0)),
        (row(left=6), OVER, Expired("I1", LATER, 0)),
        (row(left=0, canceled=1), OVER, Canceled("I1", LATER, 0)),
    ],
)  # fmt: skip
def test_an_end_at_the_broker_is_told_whole(shown: BrokerOrder, occasion: Occasion | None, event: OrderEvent) -> None:
    assert look([order(OrderStatus.WORKING)], [shown], occasion=occasion).events == (event,)


@pytest.mark.parametrize(("occasion", "canceled", "kind"), [(None, 6, Canceled), (OVER, 0, Expired)])
def test_an_end_after_a_part_speaks_of_the_part(occasion: Occasion | None, canceled: int, kind: type) -> None:
    shown = row(filled=4, left=0, canceled=canceled)
    found = look([order(OrderStatus.PARTIAL, filled=1)], [shown], held={SYMBOL: 3}, occasion=occasion)
    amount = Fill(number(), "I1", SYMBOL, Side.BUY, 3, 50_000, 150_000, 4, LATER, 50_000)
    assert found.events == (Filled("I1", LATER, amount), kind("I1", LATER, 4))
    assert found.differences == ()


def test_a_new_price_at_the_broker_is_told_whole() -> None:
    rows = [row(filled=1, left=0), row(2, quantity=9, left=9, original=number(), limit_price=50_100)]
    found = look([order(OrderStatus.WORKING)], rows, held={SYMBOL: 1})
    paid = Fill(number(2), "I1", SYMBOL, Side.BUY, 1, 50_000, 50_000, 1, LATER, 0)
    assert found.events == (Replaced("I1", LATER, number(2), 50_100), Filled("I1", LATER, paid))


@pytest.mark.parametrize(
    ("ours", "shown", "difference"),
    [
        (order(OrderStatus.PARTIAL, filled=7), row(filled=3), ("filled", 7, 3)),
        (order(OrderStatus.PARTIAL, filled=7), row(filled=8, amount=349_999), ("amount", 350_000, 349_999)),
        (order(OrderStatus.PARTIAL, filled=7), row(filled=7, amount=349_999), ("amount", 350_000, 349_999)),
    ],
)
def test_figures_that_cannot_follow_are_told_with_both_sides(ours: Order, shown: BrokerOrder, difference) -> None:
    what, mine, theirs = difference
    found = look([ours], [shown])
    assert found.events == ()
    assert found.differences[0] == Difference(DifferenceKind.UNEXPLAINED, what, SYMBOL, mine, theirs)


def test_an_order_that_is_not_listed_is_told_with_its_name_and_counted_from_the_first_reading() -> None:
    orders = [order(OrderStatus.WORKING), order(OrderStatus.WORKING, 2, name="I2", symbol=OTHER)]
    first = look(orders, [row(2, symbol=OTHER)])
    assert first.differences == (Difference(DifferenceKind.LAGGING, "order_list", SYMBOL, 1, 0),)
    assert first.known == Known({"hidden:I1": (1, LATER)}, frozenset({number(2)}))
    second = look(orders, [], at=LATER + 240 * NS_PER_SECOND, known=first.known)
    assert second.differences == (
        Difference(DifferenceKind.STUCK, "order_list", SYMBOL, 1, 0),
        Difference(DifferenceKind.LAGGING, "order_list", OTHER, 1, 0),
    )
    assert second.known.readings == {"hidden:I1": (2, LATER), "hidden:I2": (1, LATER + 240 * NS_PER_SECOND)}
    assert second.known.shown == {number(2)}


def test_holdings_and_cash_that_differ_are_told_with_both_sides() -> None:
    found = look(held={SYMBOL: 7, OTHER: 3}, cash=BOOK.cash - 5_000)
    assert found.differences == (
        Difference(DifferenceKind.LAGGING, "position", OTHER, 0, 3),
        Difference(DifferenceKind.LAGGING, "position", SYMBOL, 0, 7),
        Difference(DifferenceKind.LAGGING, "cash", "", BOOK.cash, BOOK.cash - 5_000),
    )
    assert set(found.known.readings) == {
        "position:000660:0:3", "position:005930:0:7", f"cash:{BOOK.cash}:{BOOK.cash - 5_000}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "kind"),
    [
        (1, 50, DifferenceKind.CORPORATE_ACTION),
        (10, 1, DifferenceKind.CORPORATE_ACTION),
        (10, 0, DifferenceKind.LAGGING),
        (10, 7, DifferenceKind.LAGGING),
    ],
)
def test_holdings_that_multiplied_are_told_apart_from_those_that_went(
    ours: int, theirs: int, kind: DifferenceKind
) -> None:
    same = Position(OTHER, 3, 300_000)  # stands before the one that differs
    book = Book(BOOK.cash, BOOK.deposits, {SYMBOL: Position(SYMBOL, ours, ours * 50_000), OTHER: same})
    held = {OTHER: 3} | ({SYMBOL: theirs} if theirs else {})
    assert look(held=held, book=book).differences == (Difference(kind, "position", SYMBOL, ours, theirs),)


def test_an_order_by_hand_is_told_with_its_shares_and_only_on_its_day() -> None:
    rows = [row(9, symbol=OTHER, quantity=7), row(8, order_id=number(8, BEFORE))]
    found = look((), rows, orderable=BOOK.cash)
    assert found.differences == (Difference(DifferenceKind.EXTERNAL, "order", OTHER, 0, 7),)


def test_an_unknown_order_that_was_found_is_accepted_now_and_told_with_its_executions() -> None:
    found = look([order(OrderStatus.UNKNOWN, None, known=())], [row(5, filled=4, left=0, canceled=6)], held={SYMBOL: 4})
    paid = Fill(number(5), "I1", SYMBOL, Side.BUY, 4, 50_000, 200_000, 4, LATER, 0)
    assert found.events == (
        Accepted("I1", LATER, number(5)), Filled("I1", LATER, paid), Canceled("I1", LATER, 4),
    )  # fmt: skip


def test_several_rows_that_fit_are_told_with_their_count() -> None:
    rows = [row(5), row(6), row(7)]
    found = look([order(OrderStatus.UNKNOWN, None)], rows)
    assert found.differences[0] == Difference(DifferenceKind.STUCK, "order", SYMBOL, 1, 3)
    assert found.stuck == ("I1",)


@pytest.mark.parametrize(("left", "canceled", "told"), [(0, 10, 2), (1, 9, 0), (0, 0, 0)])
def test_of_rows_that_fit_one_that_may_still_trade_is_not_given_away(left: int, canceled: int, told: int) -> None:
    rows = [row(n, left=left, canceled=canceled) for n in (5, 6)]
    found = look([order(OrderStatus.UNKNOWN, None)], rows)
    assert len(found.events) == told


def test_a_later_order_is_not_kept_from_its_row_by_one_that_several_rows_fit() -> None:
    first = order(OrderStatus.UNKNOWN, None, name="I1")
    second = order(OrderStatus.UNKNOWN, None, name="I2", symbol=OTHER)
    third = order(OrderStatus.UNKNOWN, None, name="I3", symbol="035420")
    found = look([first, third, second], [row(5), row(6), row(7, symbol=OTHER)])
    assert found.events == (Accepted("I2", LATER, number(7)),)
    assert (found.stuck, found.missing) == (("I1",), ("I3",))


def test_the_rows_of_every_order_are_told_whichever_stands_before_it() -> None:
    unnamed = order(OrderStatus.UNKNOWN, None, name="I0", symbol="035420")
    second = order(OrderStatus.WORKING, 2, name="I2", symbol=OTHER)
    rows = [row(filled=3, amount=150_001, left=7), row(2, filled=10, symbol=OTHER)]
    found = look([unnamed, order(OrderStatus.WORKING), second], rows, held={SYMBOL: 3, OTHER: 10})
    first = Fill(number(), "I1", SYMBOL, Side.BUY, 3, 50_000, 150_001, 3, LATER, 0)
    assert found.events == (
        Filled("I1", LATER, first),
        Filled("I2", LATER, Fill(number(2), "I2", OTHER, Side.BUY, 10, 50_000, 500_000, 10, LATER, 0)),
    )
    assert isinstance(found.events[0], Filled) and type(found.events[0].fill.price) is int
    assert (found.differences, found.missing) == ((), ("I0",))


@pytest.mark.parametrize(("side", "left"), [(Side.BUY, 14), (Side.SELL, 6)])
def test_what_this_reading_executed_is_expected_on_top_of_what_was_held(side: Side, left: int) -> None:
    book = Book(BOOK.cash, BOOK.deposits, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    found = look([order(OrderStatus.WORKING, side=side)], [row(filled=4, side=side)], held={SYMBOL: left}, book=book)
    assert len(found.events) == 1
    assert found.differences == ()


def test_a_day_that_was_read_must_show_what_it_showed() -> None:
    hidden = look([order(OrderStatus.WORKING)], [], days=(DAY,))
    assert hidden.differences == (Difference(DifferenceKind.LAGGING, "order_list", SYMBOL, 1, 0),)
    lost, known = order(OrderStatus.UNKNOWN, None), Known({}, frozenset({number(3)}))
    for second in (10, 60, 130):
        found = look([lost], [], at=AT + second * NS_PER_SECOND, known=known, days=(DAY,))
        known = found.known
    assert found.absent == ()
    for second in (140, 150, 160):
        found = look([lost], [], at=AT + second * NS_PER_SECOND, known=Known(known.readings, frozenset()), days=(DAY,))
        known = found.known
    assert found.absent == ("I1",)


@pytest.mark.parametrize("missing", [0, 30, 900_000])
def test_cash_is_not_compared_in_a_reading_that_tells_executions(missing: int) -> None:
    found = look([order(OrderStatus.WORKING)], [row(filled=4)], held={SYMBOL: 4}, cash=BOOK.cash - 200_000 - missing)
    assert (len(found.events), found.differences) == (1, ())
    assert not any(key.startswith("cash:") for key in found.known.readings)
