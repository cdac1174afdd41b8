"""Comparison with the broker: adopt what is proven, class the rest, invent nothing."""
# long: every class of difference beside its neighbours.

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.account import Book, Position
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Expired,
    Filled,
    Order,
    OrderIntent,
    OrderKind,
    OrderStatus,
    Rejected,
    Replaced,
    Side,
)
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.execution import (
    NOTHING_KNOWN,
    DifferenceKind,
    Known,
    Occasion,
    ReconcileSettings,
    Reconciliation,
    reconcile,
)

DAY = dt.date(2026, 11, 23)
BEFORE = dt.date(2026, 11, 20)
AT = instant_at(DAY, 100_000)
SYMBOL = "005930"
SETTINGS = ReconcileSettings()
BOOK = Book(cash=10_000_000, deposits=10_000_000)


def name(number: int, day: dt.date = DAY) -> BrokerOrderId:
    return BrokerOrderId(day, "00950", str(number))


def order(
    status: OrderStatus = OrderStatus.WORKING,
    *,
    number: int | None = 1,
    filled: int = 0,
    key: str = "I1",
    side: Side = Side.BUY,
    limit: int = 50_000,
    at: int = AT,
    known: tuple[BrokerOrderId, ...] = (),
) -> Order:
    kind = OrderKind.LIMIT if limit else OrderKind.MARKET
    intent = OrderIntent(key, "D1", SYMBOL, side, 10, kind, limit, at)
    return Order(intent, 10, status, name(number) if number else None, filled, filled * 50_000, at, known)


def row(number: int = 1, *, filled: int = 0, left: int | None = None, **changes) -> BrokerOrder:
    rest = 10 - filled if left is None else left
    return replace(
        BrokerOrder(name(number), SYMBOL, Side.BUY, 10, filled, filled * 50_000, rest, 50_000, AT), **changes
    )


def look(
    orders=(), rows=(), *, book=BOOK, cash=None, orderable=None, positions=None, after_s=1.0, known=NOTHING_KNOWN,
    occasion=None, days=(),
) -> Reconciliation:  # fmt: skip
    held = positions if positions is not None else {s: p.quantity for s, p in book.positions.items()}
    money = book.cash if cash is None else cash
    reserved = sum(r.open_quantity * r.limit_price for r in rows if r.side is Side.BUY)
    free = money - reserved if orderable is None else orderable
    at = AT + round(after_s * NS_PER_SECOND)
    return reconcile(book, orders, AccountSnapshot(at, money, free, held, tuple(rows), days), known, SETTINGS, occasion)


def kinds(found: Reconciliation) -> list[DifferenceKind]:
    return [item.kind for item in found.differences]


def test_equal_books_differ_in_nothing() -> None:
    found = look([order()], [row()])
    assert (found.events, found.differences, found.clean) == ((), (), True)


def test_an_execution_the_list_shows_becomes_the_missing_part_once() -> None:
    found = look([order(filled=3)], [row(filled=7)], positions={SYMBOL: 4})
    (event,) = found.events
    assert isinstance(event, Filled)
    assert (event.fill.quantity, event.fill.cumulative, event.fill.amount) == (4, 7, 200_000)
    assert (event.fill.amount_before, event.fill.price) == (150_000, 50_000)
    assert found.differences == ()


@pytest.mark.parametrize(
    ("changes", "over", "end"),
    [
        ({"left": 0, "canceled": 6}, False, Canceled),
        ({"left": 0, "canceled": 6}, True, Canceled),
        ({"left": 6}, True, Expired),
        ({"left": 0}, True, Expired),
    ],
)
def test_an_order_that_ended_at_the_broker_ends_here(changes: dict, over: bool, end: type) -> None:
    occasion = Occasion(over=frozenset({DAY} if over else ()))
    found = look([order()], [row(filled=4, **changes)], positions={SYMBOL: 4}, occasion=occasion)
    assert [type(event) for event in found.events] == [Filled, end]


def test_an_order_of_which_nothing_is_open_and_no_end_is_said_may_go_on_under_a_number_not_shown_yet() -> None:
    """Its price was changed by hand and the list lags: called ended, it would trade on while nobody follows it."""
    old, known = row(filled=4, left=0), NOTHING_KNOWN
    for second in (1, 60, 120, 180):
        found = look([order(filled=4)], [old], positions={SYMBOL: 4}, known=known, after_s=second)
        known = found.known
        assert found.events == ()
    (event,) = look([order(filled=4)], [old, row(2, quantity=6, original=name(1), left=6)], positions={SYMBOL: 4},
                    known=known, after_s=240).events  # fmt: skip
    assert isinstance(event, Replaced)
    said = [look([order(filled=4)], [old], positions={SYMBOL: 4}, known=known, after_s=s).events for s in (240.9, 241)]
    assert [[type(event) for event in events] for events in said] == [[], [Canceled]]


def test_an_order_the_exchange_refused_is_rejected() -> None:
    (event,) = look([order()], [row(left=0, refused=10)]).events
    assert isinstance(event, Rejected) and not event.change


def test_a_whole_execution_has_no_other_end() -> None:
    found = look([order()], [row(filled=10)], positions={SYMBOL: 10}, occasion=Occasion(over=frozenset({DAY})))
    assert [type(event) for event in found.events] == [Filled]


@pytest.mark.parametrize("changes", [{"filled": 3}, {"filled": 8, "amount": 350_000}, {"filled": 8, "amount": 350_001}])
def test_cumulative_figures_that_cannot_follow_are_unexplained_at_once(changes: dict) -> None:
    found = look([order(filled=7)], [row(**changes)], positions={})
    wrong = changes.get("amount") == 350_001
    assert (DifferenceKind.UNEXPLAINED in kinds(found)) is not wrong
    assert found.clean is wrong


def test_an_unknown_order_is_adopted_when_exactly_one_row_fits() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5)])
    (event,) = found.events
    assert isinstance(event, Accepted)
    assert event.order_id == name(5)
    assert (found.missing, found.differences) == ((), ())


@pytest.mark.parametrize("state", [OrderStatus.STUCK, OrderStatus.ABSENT])
def test_an_order_that_was_given_up_is_adopted_late(state: OrderStatus) -> None:
    (event,) = look([order(state, number=None)], [row(5)]).events
    assert isinstance(event, Accepted)
    assert look([order(state, number=None)], [row(5, quantity=9)]).missing == (
        ("I1",) if state is OrderStatus.STUCK else ()
    )


def test_an_unknown_order_has_the_first_claim_on_a_row_that_one_given_up_fits_too() -> None:
    both = [order(OrderStatus.ABSENT, number=None, key="I0"), order(OrderStatus.UNKNOWN, number=None, key="I1")]
    (event,) = look(both, [row(5)]).events
    assert event.intent_id == "I1"


def test_an_adopted_order_brings_its_executions_and_its_end_along() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5, filled=10)], positions={SYMBOL: 10})
    assert [type(event) for event in found.events] == [Accepted, Filled]
    dead = look([order(OrderStatus.UNKNOWN, number=None)], [row(5, left=0, canceled=10)])
    assert [type(event) for event in dead.events] == [Accepted, Canceled]


def test_two_fitting_rows_are_a_persons_matter() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5), row(6)])
    assert (found.events, found.stuck, found.missing) == ((), ("I1",), ())
    assert DifferenceKind.STUCK in kinds(found)
    assert not found.clean
    assert look([order(OrderStatus.STUCK, number=None)], [row(5), row(6)]).stuck == ()


def test_two_fitting_rows_that_never_traded_and_never_will_settle_the_order() -> None:
    morning = Occasion(over=frozenset({BEFORE}))
    old = order(OrderStatus.STUCK, number=None, at=instant_at(BEFORE, 100_000))
    rows = [row(n, order_id=name(n, BEFORE), at=instant_at(BEFORE, 100_000)) for n in (5, 6)]
    found = look([old], rows, occasion=morning, days=(BEFORE, DAY), orderable=BOOK.cash)
    assert [type(event) for event in found.events] == [Accepted, Expired]
    assert found.differences == ()
    rows[0] = replace(rows[0], filled=1, amount=50_000)
    assert look([old], rows, occasion=morning, days=(BEFORE, DAY)).events == ()


def test_two_fitting_rows_that_ended_alike_settle_the_order_whichever_was_ours() -> None:
    """A person's order of the same shape is no puzzle for the books once both traded the same and can trade no more."""
    lost = order(OrderStatus.STUCK, number=None)
    found = look([lost], [row(5, filled=10), row(6, filled=10)], positions={SYMBOL: 20})
    assert [type(event) for event in found.events] == [Accepted, Filled]
    assert [(d.kind, d.what, d.theirs) for d in found.differences if d.what == "order"] == [
        (DifferenceKind.EXTERNAL, "order", 10)
    ]


@pytest.mark.parametrize(
    "other",
    [
        row(6, filled=10, amount=500_010),
        row(6, filled=9, left=0),
        row(6, filled=9),
        row(6, left=0),
    ],
)
def test_two_fitting_rows_that_ended_apart_are_a_persons_matter(other: BrokerOrder) -> None:
    for rows in ([row(5, filled=10), other], [other, row(5, filled=10)]):
        found = look([order(OrderStatus.UNKNOWN, number=None)], rows, positions={SYMBOL: 20})
        assert (found.events, found.stuck) == ((), ("I1",))


def test_an_unknown_order_whose_price_was_changed_meanwhile_is_adopted_with_all_its_numbers() -> None:
    chain = [row(5, filled=3, left=0), row(6, quantity=7, filled=1, left=6, original=name(5), limit_price=50_100)]
    found = look([order(OrderStatus.UNKNOWN, number=None)], chain, positions={SYMBOL: 4})
    assert [type(event) for event in found.events] == [Accepted, Replaced, Filled]
    assert found.differences == ()
    dead = [row(7, left=0), row(8, original=name(7))]  # it looks ended, and lives under its new number
    ambiguous = look([order(OrderStatus.UNKNOWN, number=None)], [row(4, left=0), *dead])
    assert (ambiguous.events, ambiguous.stuck) == ((), ("I1",))


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "000660"},
        {"side": Side.SELL},
        {"quantity": 9},
        {"limit_price": 49_900},
        {"at": AT - 3 * NS_PER_SECOND},
        {"at": AT + 16 * NS_PER_SECOND},
        {"original": name(2)},
        {"order_id": name(5, BEFORE)},
    ],
)
def test_a_row_that_differs_is_not_adopted(changes: dict) -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5, **changes)])
    assert found.events == ()
    assert found.missing == ("I1",)
    assert (DifferenceKind.EXTERNAL in kinds(found)) is (changes.get("order_id") is None)


@pytest.mark.parametrize("at", [AT - 2 * NS_PER_SECOND, AT + 15 * NS_PER_SECOND])
def test_a_row_at_the_edge_of_the_window_is_adopted(at: int) -> None:
    assert len(look([order(OrderStatus.UNKNOWN, number=None)], [row(5, at=at)]).events) == 1


def test_a_market_order_is_found_whatever_price_its_row_shows() -> None:
    assert len(look([order(OrderStatus.UNKNOWN, number=None, limit=0)], [row(5, limit_price=51_000)]).events) == 1


def test_a_row_that_was_there_before_the_send_is_not_adopted() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None, known=(name(5),))], [row(5)])
    assert (found.events, found.missing) == ((), ("I1",))


def test_a_row_of_another_of_our_orders_is_not_adopted() -> None:
    found = look([order(), order(OrderStatus.UNKNOWN, number=None, key="I2")], [row()])
    assert found.events == ()
    assert found.missing == ("I2",)


def prove(times=(10, 60, 130), *, lost=None, rows=(), **changes) -> tuple[str, ...]:
    """Read at those seconds after an order became unknown; return what the last reading proves absent."""
    orders = [lost or order(OrderStatus.UNKNOWN, number=None)]
    known = changes.pop("known", NOTHING_KNOWN)
    absent: tuple[str, ...] = ()
    for second in times:
        found = look(orders, rows, after_s=second, known=known, **changes)
        known, absent = found.known, found.absent
    return absent


def test_absence_needs_time_and_several_readings() -> None:
    assert prove() == ("I1",)
    assert prove((10, 60, 119)) == ()
    assert prove((10, 60, 120)) == ("I1",)
    assert prove((60, 130)) == ()
    assert prove(lost=order(OrderStatus.STUCK, number=None)) == ("I1",)


def test_absence_needs_unmoved_holdings() -> None:
    assert prove(positions={SYMBOL: 10}) == ()
    assert prove(positions={"000660": 10}) == ("I1",)


def test_absence_needs_cash_that_agrees_but_for_rounding() -> None:
    assert prove(cash=BOOK.cash - 900) == ("I1",)
    assert prove(cash=BOOK.cash - 500_000) == ()


@pytest.mark.parametrize(("reserved", "absent"), [(0, ("I1",)), (30_000, ("I1",)), (30_001, ()), (500_000, ())])
def test_absence_needs_that_no_money_is_reserved_that_our_orders_do_not_explain(reserved: int, absent: tuple) -> None:
    assert prove(orderable=BOOK.cash - reserved) == absent


def small(side: Side = Side.BUY, limit: int = 5_000) -> Order:
    return order(OrderStatus.UNKNOWN, number=None, side=side, limit=limit)


HELD = Book(9_950_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 50_000)})


@pytest.mark.parametrize(
    ("lost", "book", "reserved", "absent"),
    [
        (small(), BOOK, 25_000, ("I1",)),  # half of what the order would hold
        (small(), BOOK, 25_001, ()),
        (small(Side.SELL), HELD, 26_000, ("I1",)),  # a sale holds no money, however small it is
        (small(limit=0), BOOK, 26_000, ("I1",)),  # what an order without a limit would hold is not known
        (small(limit=0), BOOK, 30_001, ()),
    ],
)
def test_a_small_buy_is_called_absent_only_where_less_than_half_of_it_can_be_reserved(
    lost: Order, book: Book, reserved: int, absent: tuple
) -> None:
    assert prove(lost=lost, book=book, orderable=book.cash - reserved) == absent


@pytest.mark.parametrize(("reserved", "absent"), [(30_000, ("I1",)), (30_001, ()), (500_000, ())])
def test_a_sale_that_rests_explains_no_money(reserved: int, absent: tuple) -> None:
    book = Book(10_000_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    sale = replace(order(number=2, key="I2", side=Side.SELL), updated_at=AT)
    orders, rows = [order(OrderStatus.UNKNOWN, number=None), sale], [row(2, side=Side.SELL)]
    known = NOTHING_KNOWN
    for second in (10, 60, 130):
        found = look(orders, rows, book=book, orderable=book.cash - reserved, after_s=second, known=known)
        known = found.known
    assert found.absent == absent


def test_money_that_other_orders_reserve_is_explained() -> None:
    other = order(number=2, key="I2")
    rows = [row(2)]
    orders = [order(OrderStatus.UNKNOWN, number=None, at=AT - 30 * NS_PER_SECOND), other]
    known = NOTHING_KNOWN
    for second in (10, 60, 130):
        found = look(orders, rows, after_s=second, known=known)
        known = found.known
    assert found.absent == ("I1",)
    foreign = [row(9, symbol="000660")]
    assert prove(rows=foreign) == ("I1",)
    assert prove(rows=foreign, orderable=BOOK.cash - 1_000_000) == ()


def test_money_of_an_order_that_the_same_reading_finds_is_explained() -> None:
    """A reading that finds one of two lost orders counts for the other: the proof would take one reading more."""
    found_late, never_there = (order(OrderStatus.UNKNOWN, number=None, key=key, limit=n) for key, n in
                               (("I1", 50_000), ("I2", 49_000)))  # fmt: skip
    known = look([found_late, never_there], [], after_s=10, orderable=BOOK.cash - 500_000).known
    orders = [found_late, never_there]
    for second in (60, 120, 180):
        found = look(orders, [row(5)], after_s=second, known=known)
        known, orders = found.known, [order(number=5), never_there]
        assert found.absent == (("I2",) if second == 180 else ())


def test_money_is_explained_by_what_the_list_shows_open_today_and_by_nothing_else() -> None:
    ended, kept = order(number=2, key="I2"), [row(2, left=0, canceled=10)]
    reading = {"orderable": BOOK.cash - 500_000}
    known = NOTHING_KNOWN
    for second in (10, 60, 130):  # our books say that an order of the same worth rests
        found = look([order(OrderStatus.UNKNOWN, number=None), ended], kept, after_s=second, known=known, **reading)
        known = found.known
    assert found.absent == ()
    assert prove(rows=[row(9, symbol="000660")], **reading) == ("I1",)
    assert prove(rows=[row(9, symbol="000660", order_id=name(9, BEFORE)), row(8, left=0)], **reading) == ()


def test_an_absent_sale_reserves_no_money() -> None:
    book = Book(9_500_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    sale = order(OrderStatus.UNKNOWN, number=None, side=Side.SELL)
    assert prove(lost=sale, book=book) == ("I1",)
    assert prove(lost=sale, book=book, positions={}) == ()
    assert prove(lost=sale, book=book, orderable=9_500_000 - 28_500) == ("I1",)


def test_a_list_that_lost_what_it_once_showed_proves_nothing() -> None:
    shown = Known({}, frozenset({name(3)}))
    assert prove(known=shown) == ()
    assert prove(known=shown, rows=[row(3, symbol="000660")]) == ("I1",)
    named = order(number=1, key="I0")
    orders = [named, order(OrderStatus.UNKNOWN, number=None)]
    known = NOTHING_KNOWN
    for second in (10, 60, 130):
        found = look(orders, [], after_s=second, known=known)
        known = found.known
    assert found.absent == ()


def test_an_empty_list_out_of_hours_proves_nothing() -> None:
    closed = Occasion(listing=False)
    assert prove(occasion=closed) == ()
    assert prove(occasion=closed, rows=[row(3, symbol="000660")]) == ("I1",)


def test_a_reading_that_proves_nothing_makes_the_count_begin_anew() -> None:
    lost = [order(OrderStatus.UNKNOWN, number=None)]
    known = NOTHING_KNOWN
    for second, positions in ((100, {}), (125, {}), (130, {SYMBOL: 10}), (140, {}), (150, {})):
        found = look(lost, after_s=second, known=known, positions=positions)
        known = found.known
        assert found.absent == ()
    assert look(lost, after_s=160, known=known, positions={}).absent == ("I1",)


def test_a_day_that_was_not_read_proves_nothing_about_its_orders() -> None:
    old = order(OrderStatus.STUCK, number=None, at=instant_at(BEFORE, 100_000))
    assert prove(lost=old, days=(DAY,), occasion=Occasion(over=frozenset({BEFORE}))) == ()
    assert prove(lost=old, days=(BEFORE, DAY), occasion=Occasion(over=frozenset({BEFORE}))) == ("I1",)


def test_an_order_of_yesterday_is_settled_by_yesterdays_row() -> None:
    old = replace(order(at=instant_at(BEFORE, 100_000)), order_id=name(1, BEFORE))
    morning = Occasion(over=frozenset({BEFORE}))
    rows = [row(order_id=name(1, BEFORE), filled=4), row(1, symbol="000660")]  # the number is used again today
    found = look([old], rows, occasion=morning, days=(BEFORE, DAY), positions={SYMBOL: 4})
    assert [type(event) for event in found.events] == [Filled, Expired]
    assert [d.symbol for d in found.differences] == ["000660"]
    unread = look([old], [], occasion=morning, days=(DAY,))
    assert (unread.events, unread.differences) == ((), ())


def test_rows_of_yesterday_that_are_not_in_question_are_nobodys_concern() -> None:
    assert look([], [row(order_id=name(1, BEFORE))], days=(BEFORE, DAY), orderable=BOOK.cash).differences == ()


def test_a_list_that_does_not_show_a_known_order_lags_and_then_needs_a_person() -> None:
    found = look([order()], [])
    assert (found.events, found.absent, kinds(found)) == ((), (), [DifferenceKind.LAGGING])
    later = look([order()], [], after_s=240, known=found.known)
    assert kinds(later) == [DifferenceKind.LAGGING]
    lost = look([order()], [], after_s=241, known=later.known)
    assert kinds(lost) == [DifferenceKind.STUCK]
    assert look([order(OrderStatus.CANCELED)], []).differences == ()


def test_a_changed_price_makes_a_chain_whose_parts_are_counted_once() -> None:
    chain = [row(1, filled=3, left=0), row(2, quantity=7, filled=2, left=5, original=name(1), limit_price=50_100)]
    found = look([order()], chain, positions={SYMBOL: 5})
    replaced, filled = found.events
    assert isinstance(replaced, Replaced) and isinstance(filled, Filled)
    assert (replaced.order_id, replaced.limit_price) == (name(2), 50_100)
    assert (filled.fill.cumulative, filled.fill.quantity) == (5, 5)
    known_number = look([order(number=2, filled=5)], chain, positions={}, book=Book(BOOK.cash, BOOK.deposits))
    assert known_number.events == ()
    assert DifferenceKind.EXTERNAL not in kinds(known_number)


def test_a_chain_with_a_link_that_is_not_shown_tells_nothing() -> None:
    found = look([order(number=2, filled=3)], [row(2, quantity=7, original=name(1))], positions={})
    assert (found.events, kinds(found)) == ((), [DifferenceKind.LAGGING])


def test_a_chain_that_names_itself_ends() -> None:
    loop = [row(1, original=name(2)), row(2, original=name(1))]
    assert look([order(filled=0)], loop).clean


def test_an_ended_order_is_not_given_a_new_number() -> None:
    chain = [row(1, left=0), row(2, original=name(1))]
    assert look([order(OrderStatus.CANCELED)], chain).events == ()


def test_a_position_that_an_unknown_order_explains_lags() -> None:
    lost = order(OrderStatus.UNKNOWN, number=None)
    known = NOTHING_KNOWN
    for second in (1, 20, 40, 60):
        found = look([lost], after_s=second, known=known, positions={SYMBOL: 10})
        known = found.known
        assert kinds(found) == [DifferenceKind.LAGGING]
    known = NOTHING_KNOWN
    for second in (1, 20, 40):
        found = look([lost], after_s=second, known=known, positions={SYMBOL: 11})
        known = found.known
    assert kinds(found) == [DifferenceKind.UNEXPLAINED]


def test_a_position_that_only_a_sale_could_explain_is_not_explained_by_a_buy() -> None:
    book = Book(9_500_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    for side, kind in ((Side.BUY, DifferenceKind.UNEXPLAINED), (Side.SELL, DifferenceKind.LAGGING)):
        lost, known = order(OrderStatus.UNKNOWN, number=None, side=side), NOTHING_KNOWN
        for second in (1, 20, 40):
            found = look([lost], after_s=second, known=known, positions={SYMBOL: 3}, book=book)
            known = found.known
        assert kinds(found) == [kind]


@pytest.mark.parametrize(
    ("times", "kind"),
    [
        ((0, 15, 30), DifferenceKind.UNEXPLAINED),
        ((0, 15, 29), DifferenceKind.LAGGING),
        ((0, 30), DifferenceKind.LAGGING),
    ],
)
def test_a_position_nobody_explains_is_believed_after_three_equal_readings_over_thirty_seconds(
    times: tuple[int, ...], kind: DifferenceKind
) -> None:
    known = NOTHING_KNOWN
    for second in times:
        found = look(positions={SYMBOL: 7}, known=known, after_s=second)
        known = found.known
    assert kinds(found) == [kind]


def test_a_difference_that_changes_starts_to_count_again() -> None:
    known = NOTHING_KNOWN
    for number, shares in enumerate((7, 7, 8, 8)):
        found = look(positions={SYMBOL: shares}, known=known, after_s=number * 20)
        known = found.known
        assert DifferenceKind.UNEXPLAINED not in kinds(found)


def test_a_manual_trade_is_external_and_never_claimed() -> None:
    found = look([], [row(9, filled=10)], positions={SYMBOL: 10}, cash=9_499_000)
    assert kinds(found) == [DifferenceKind.EXTERNAL] * 3
    assert found.events == ()


@pytest.mark.parametrize(
    ("held", "kind"),
    [(500, DifferenceKind.CORPORATE_ACTION), (2, DifferenceKind.CORPORATE_ACTION), (15, DifferenceKind.LAGGING)],
)
def test_a_split_is_a_corporate_action(held: int, kind: DifferenceKind) -> None:
    book = Book(9_500_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    assert kinds(look(book=book, positions={SYMBOL: held})) == [kind]
    assert kinds(
        look([order(OrderStatus.FILLED, filled=10)], [row(filled=10)], book=book, positions={SYMBOL: 500})
    ) == [DifferenceKind.LAGGING]


def test_shares_out_of_nowhere_are_no_corporate_action() -> None:
    assert kinds(look(positions={SYMBOL: 10})) == [DifferenceKind.LAGGING]


@pytest.mark.parametrize(
    ("gap", "turnover", "kind"),
    [
        (1_000, 0, DifferenceKind.FEE),
        (1_001, 0, DifferenceKind.LAGGING),
        (5_000, 10_000_000, DifferenceKind.FEE),
        (5_001, 10_000_000, DifferenceKind.LAGGING),
    ],
)
def test_cash_within_the_fees_rounding_is_a_fee(gap: int, turnover: int, kind: DifferenceKind) -> None:
    for sign in (-1, 1):
        assert kinds(look(cash=BOOK.cash + sign * gap, occasion=Occasion(turnover=turnover))) == [kind]


def test_cash_that_stays_wrong_is_unexplained() -> None:
    known = NOTHING_KNOWN
    for second in (0, 15, 30):
        found = look(cash=BOOK.cash - 5_000, known=known, after_s=second)
        known = found.known
    assert kinds(found) == [DifferenceKind.UNEXPLAINED]


@given(
    truth=st.integers(0, 10),
    told=st.integers(0, 10),
    unit=st.integers(1_000, 60_000),
    state=st.sampled_from([s for s in OrderStatus if s not in (OrderStatus.NEW, OrderStatus.GUARDED)]),
)
def test_a_reading_never_tells_more_than_the_broker_executed(truth: int, told: int, unit: int, state) -> None:
    ours = replace(order(state, filled=told), amount=told * unit)
    found = look([ours], [row(filled=truth, amount=truth * unit)], positions={})
    told_now = sum(event.fill.quantity for event in found.events if isinstance(event, Filled))
    assert told_now == max(0, truth - told)
    assert (DifferenceKind.UNEXPLAINED in kinds(found)) is (truth < told)
