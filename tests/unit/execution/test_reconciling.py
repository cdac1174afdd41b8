"""Comparison with the broker: adopt what is proven, class the rest, invent nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from haetae.domain.account import Book, Position
from haetae.domain.events import AccountSnapshot
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    Filled,
    Order,
    OrderIntent,
    OrderKind,
    OrderStatus,
    Side,
)
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.execution import DifferenceKind, ReconcileSettings, Reconciliation, reconcile

DAY = dt.date(2026, 11, 23)
AT = instant_at(DAY, 100_000)
SYMBOL = "005930"
SETTINGS = ReconcileSettings()
BOOK = Book(cash=10_000_000, deposits=10_000_000)


def name(number: int) -> BrokerOrderId:
    return BrokerOrderId(DAY, "00950", str(number))


def order(
    status: OrderStatus = OrderStatus.WORKING, *, number: int | None = 1, filled: int = 0, key: str = "I1"
) -> Order:
    intent = OrderIntent(key, "D1", SYMBOL, Side.BUY, 10, OrderKind.LIMIT, 50_000, AT)
    return Order(intent, 10, status, name(number) if number else None, filled, filled * 50_000, AT)


def row(number: int = 1, *, filled: int = 0, left: int | None = None, **changes) -> BrokerOrder:
    rest = 10 - filled if left is None else left
    return replace(
        BrokerOrder(name(number), SYMBOL, Side.BUY, 10, filled, filled * 50_000, rest, 50_000, AT), **changes
    )


def look(orders=(), rows=(), *, book=BOOK, cash=None, positions=None, after_s=1, readings=None) -> Reconciliation:
    held = positions if positions is not None else {s: p.quantity for s, p in book.positions.items()}
    snapshot = AccountSnapshot(AT + after_s * NS_PER_SECOND, book.cash if cash is None else cash, 0, held, tuple(rows))
    return reconcile(book, orders, snapshot, readings or {}, SETTINGS)


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
    assert found.differences == ()


def test_an_order_that_ended_at_the_broker_ends_here() -> None:
    found = look([order()], [row(filled=4, left=0)], positions={SYMBOL: 4})
    assert [type(event) for event in found.events] == [Filled, Canceled]


def test_a_cumulative_quantity_that_falls_is_unexplained() -> None:
    found = look([order(filled=7)], [row(filled=3)], positions={})
    assert DifferenceKind.UNEXPLAINED in kinds(found)
    assert not found.clean


def test_an_unknown_order_is_adopted_when_exactly_one_row_fits() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5)])
    (event,) = found.events
    assert isinstance(event, Accepted)
    assert event.order_id == name(5)


def test_an_adopted_order_brings_its_executions_along() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5, filled=10)], positions={SYMBOL: 10})
    assert [type(event) for event in found.events] == [Accepted, Filled]


def test_two_fitting_rows_are_a_persons_matter() -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5), row(6)])
    assert found.events == ()
    assert DifferenceKind.STUCK in kinds(found)
    assert not found.clean


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "000660"},
        {"side": Side.SELL},
        {"quantity": 9},
        {"limit_price": 49_900},
        {"at": AT - 3 * NS_PER_SECOND},
        {"at": AT + 16 * NS_PER_SECOND},
    ],
)
def test_a_row_that_differs_is_not_adopted(changes: dict) -> None:
    found = look([order(OrderStatus.UNKNOWN, number=None)], [row(5, **changes)])
    assert found.events == ()
    assert found.missing == ("I1",)
    assert DifferenceKind.EXTERNAL in kinds(found)


def test_a_row_of_another_of_our_orders_is_not_adopted() -> None:
    found = look([order(), order(OrderStatus.UNKNOWN, number=None, key="I2")], [row()])
    assert found.events == ()
    assert found.missing == ("I2",)


def test_absence_needs_time_and_several_readings_and_unmoved_holdings() -> None:
    lost = order(OrderStatus.UNKNOWN, number=None)
    readings: dict = {}
    for second in (130, 131):
        found = look([lost], after_s=second, readings=readings)
        assert found.absent == ()
        readings = dict(found.readings)
    assert look([lost], after_s=132, readings=readings).absent == ("I1",)
    assert look([lost], after_s=119, readings=readings).absent == ()
    assert look([lost], after_s=132, readings=readings, positions={SYMBOL: 10}).absent == ()


def test_a_list_that_does_not_show_a_known_order_lags_and_proves_nothing() -> None:
    found = look([order()], [])
    assert (found.events, found.absent, kinds(found)) == ((), (), [DifferenceKind.LAGGING])


def test_a_position_that_open_orders_explain_lags() -> None:
    found = look([order()], [row()], positions={SYMBOL: 10})
    assert kinds(found) == [DifferenceKind.LAGGING]


def test_a_position_nobody_explains_is_believed_after_three_equal_readings() -> None:
    readings: dict = {}
    seen = []
    for _ in range(3):
        found = look(positions={SYMBOL: 7}, readings=readings)
        readings = dict(found.readings)
        seen += kinds(found)
    assert seen == [DifferenceKind.LAGGING, DifferenceKind.LAGGING, DifferenceKind.UNEXPLAINED]


def test_a_difference_that_changes_starts_to_count_again() -> None:
    readings: dict = {}
    for shares in (7, 7, 8, 8):
        found = look(positions={SYMBOL: shares}, readings=readings)
        readings = dict(found.readings)
        assert DifferenceKind.UNEXPLAINED not in kinds(found)


def test_a_manual_trade_is_external_and_never_claimed() -> None:
    found = look([], [row(9, filled=10)], positions={SYMBOL: 10}, cash=9_499_000)
    assert kinds(found) == [DifferenceKind.EXTERNAL] * 3
    assert found.events == ()


def test_a_split_is_a_corporate_action() -> None:
    book = Book(9_500_000, 10_000_000, {SYMBOL: Position(SYMBOL, 10, 500_000)})
    found = look(book=book, positions={SYMBOL: 500})
    assert kinds(found) == [DifferenceKind.CORPORATE_ACTION]


@pytest.mark.parametrize(("gap", "kind"), [(1_000, DifferenceKind.FEE), (1_001, DifferenceKind.LAGGING)])
def test_cash_within_the_fees_rounding_is_a_fee(gap: int, kind: DifferenceKind) -> None:
    assert kinds(look(cash=BOOK.cash - gap)) == [kind]
