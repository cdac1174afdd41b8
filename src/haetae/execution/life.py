"""The life of one order: a fold of its events.

``advance`` is total over legal events and idempotent: applying an event twice changes nothing, and
a terminal state is final. Fills are counted by the broker's *cumulative* quantity, so an execution
told twice, or told once in parts and once merged, is booked once. Quantities are shares, amounts won.

A fill that comes after a terminal state is booked all the same (money moved), the state stays.
An execution that presupposes one we have not seen is not booked here; ``blotter`` parks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Submitted,
)
from haetae.domain.units import Instant

_SENT: frozenset[type] = frozenset({Submitted, Accepted, Rejected, Filled, Canceled, Expired, OutcomeUnknown})
_NAMED: frozenset[type] = _SENT | {Replaced}

LEGAL: Mapping[OrderStatus, frozenset[type]] = {
    OrderStatus.NEW: frozenset({Denied, Submitted}),
    OrderStatus.SENDING: _SENT,
    OrderStatus.UNKNOWN: _SENT,
    OrderStatus.WORKING: _NAMED,
    OrderStatus.CANCEL_PENDING: _NAMED,
    OrderStatus.DENIED: frozenset({Denied}),
    OrderStatus.REFUSED: _SENT - {Accepted},
    OrderStatus.ABSENT: _SENT - {Accepted},
    OrderStatus.REJECTED: _NAMED,
    OrderStatus.FILLED: _NAMED,
    OrderStatus.CANCELED: _NAMED,
    OrderStatus.EXPIRED: _NAMED,
}
"""Which events may reach an order in each state; in terminal states they are stragglers."""


def is_legal(order: Order, event: OrderEvent) -> bool:
    """Whether an event may reach the order in its present state."""
    return type(event) in LEGAL[order.status]


def new_part(order: Order, fill: Fill) -> Fill | None:
    """Return the part of a fill that the order has not booked yet, None if nothing is new.

    None is also the answer when the fill presupposes executions we have not seen
    (``fill.cumulative - fill.quantity > order.filled``): their prices are unknown.
    """
    before = fill.cumulative - fill.quantity
    if fill.cumulative <= order.filled or before > order.filled:
        return None
    if before == order.filled:
        return fill
    quantity = fill.cumulative - order.filled
    merged = fill.amount - order.amount if before == 0 else 0
    amount = merged if merged > 0 else max(1, fill.amount * quantity // fill.quantity)
    return replace(fill, quantity=quantity, amount=amount, price=max(1, amount // quantity))


def advance(order: Order, event: OrderEvent) -> Order:
    """Return the order after one event; the same object when the event says nothing new.

    Raises
    ------
    MarketRuleError
        The event cannot reach an order in this state (see ``is_legal``), or is another order's.
    """
    if event.intent_id != order.intent.intent_id or not is_legal(order, event):
        raise MarketRuleError(
            f"{type(event).__name__} cannot reach an order that is {order.status.value}",
            expected=f"one of {sorted(kind.__name__ for kind in LEGAL[order.status])}",
            found=f"{type(event).__name__} of {event.intent_id}",
            next_step="read the order's entries in the journal",
        )
    if isinstance(event, Filled):
        return _filled(order, event)
    if order.status.terminal:
        named = isinstance(event, Accepted) and order.order_id is None
        return replace(order, order_id=event.order_id) if named else order  # type: ignore[union-attr]
    return _changed(order, event)


def _changed(order: Order, event: OrderEvent) -> Order:
    status, at = order.status, event.at
    match event:
        case Denied():
            return _moved(order, OrderStatus.DENIED, at)
        case Submitted():
            return _moved(order, OrderStatus.SENDING, at) if status is OrderStatus.NEW else order
        case Accepted(order_id=order_id):
            if status in (OrderStatus.SENDING, OrderStatus.UNKNOWN):
                return _moved(order, OrderStatus.WORKING, at, order_id)
            return order if order.order_id else _moved(order, status, at, order_id)
        case Rejected():
            if status is OrderStatus.CANCEL_PENDING:
                return _moved(order, OrderStatus.WORKING, at)
            proven = order.order_id is None
            return _moved(order, OrderStatus.REFUSED if proven else OrderStatus.REJECTED, at)
        case Replaced(order_id=order_id, limit_price=price):
            if order.order_id == order_id and order.intent.limit_price == price:
                return order
            return replace(order, order_id=order_id, intent=replace(order.intent, limit_price=price), updated_at=at)
        case Canceled():
            return _moved(order, OrderStatus.CANCELED, at)
        case Expired():
            return _moved(order, OrderStatus.EXPIRED, at)
        case OutcomeUnknown():
            return _moved(order, OrderStatus.UNKNOWN, at) if status is OrderStatus.SENDING else order
        case Filled():
            return _filled(order, event)


def _moved(order: Order, status: OrderStatus, at: Instant, order_id: BrokerOrderId | None = None) -> Order:
    named = order_id or order.order_id
    return Order(order.intent, order.quantity, status, named, order.filled, order.amount, at)


def _filled(order: Order, event: Filled) -> Order:
    part = new_part(order, event.fill)
    if part is None:
        return order
    filled = order.filled + part.quantity
    status = order.status
    if not status.terminal:
        if filled >= order.quantity:
            status = OrderStatus.FILLED
        elif status in (OrderStatus.SENDING, OrderStatus.UNKNOWN):
            status = OrderStatus.WORKING
    named = order.order_id or event.fill.order_id
    return Order(order.intent, order.quantity, status, named, filled, order.amount + part.amount, event.at)


def cancel_requested(order: Order, at: Instant) -> Order:
    """Return the order with its cancel on the way; only a working order changes."""
    if order.status is not OrderStatus.WORKING:
        return order
    return _moved(order, OrderStatus.CANCEL_PENDING, at)


def conclude_absent(order: Order, at: Instant) -> Order:
    """Return an unknown order as proven absent at the broker; ``reconcile`` holds the proof."""
    if order.status is not OrderStatus.UNKNOWN:
        return order
    return _moved(order, OrderStatus.ABSENT, at)
