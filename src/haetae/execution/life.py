"""The life of one order: a fold of its events over one table of transitions.

``advance`` is total over legal events and idempotent: applying an event twice changes nothing. An end is final save
for one thing: an execution, or the broker taking an order that we had given up. Money moved or may move, so the order
is in question again (``LATE_FILL``) until the broker says what is left of it. Fills are counted by the broker's
*cumulative* quantity, so an execution told twice, or told once in parts and once merged, is booked once. Quantities
are shares, amounts won.

An execution that presupposes one we have not seen is not booked here; ``blotter`` parks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeAlias

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


class Step(Enum):
    """What moves an order without an event of its own: our steps, and the refusal of a change."""

    CLEARED = "cleared by the guards"
    CANCEL_ASKED = "cancel asked for"
    CHANGE_REFUSED = "change refused"
    FOUND_ABSENT = "proven absent"
    GIVEN_UP = "given up to a person"

    __hash__ = object.__hash__  # one object each, as with `OrderStatus`


class When(Enum):
    """How much of the order is executed after the cause."""

    ALWAYS = "always"
    NONE = "nothing executed"
    PART = "a part executed"
    WHOLE = "all executed"

    __hash__ = object.__hash__


Cause: TypeAlias = type[OrderEvent] | Step


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: in state ``before`` and ``when`` so much is executed, ``cause`` leads to ``after``."""

    before: OrderStatus
    cause: Cause
    after: OrderStatus
    when: When = When.ALWAYS


_S = OrderStatus
_ON_THE_WAY = (_S.SENDING, _S.UNKNOWN, _S.STUCK)
_TAKEN = (_S.WORKING, _S.PARTIAL, _S.CANCEL_PENDING, _S.LATE_FILL)
_SENT_AND_ENDED = (_S.REFUSED, _S.REJECTED, _S.CANCELED, _S.EXPIRED, _S.ABSENT)


def _each(
    states: Iterable[OrderStatus], cause: Cause, after: OrderStatus | None = None, when: When = When.ALWAYS
) -> tuple[Transition, ...]:
    """Return a row per state; without ``after`` each stays as it is."""
    return tuple(Transition(state, cause, after or state, when) for state in states)


TRANSITIONS: tuple[Transition, ...] = (
    Transition(_S.NEW, Denied, _S.DENIED),
    Transition(_S.NEW, Step.CLEARED, _S.GUARDED),
    Transition(_S.DENIED, Denied, _S.DENIED),
    Transition(_S.GUARDED, Submitted, _S.SENDING),
    *_each((*_ON_THE_WAY, *_TAKEN, *_SENT_AND_ENDED, _S.FILLED), Submitted),
    *_each(_ON_THE_WAY, Accepted, _S.WORKING),
    *_each(_TAKEN, Accepted),
    *_each((_S.REFUSED, _S.ABSENT), Accepted, _S.LATE_FILL),
    *_each((_S.REJECTED, _S.CANCELED, _S.EXPIRED, _S.FILLED), Accepted),
    *_each(_ON_THE_WAY, Rejected, _S.REFUSED),
    *_each(_TAKEN, Rejected, _S.REJECTED),
    *_each((*_SENT_AND_ENDED, _S.FILLED), Rejected),
    Transition(_S.CANCEL_PENDING, Step.CHANGE_REFUSED, _S.WORKING, When.NONE),
    Transition(_S.CANCEL_PENDING, Step.CHANGE_REFUSED, _S.PARTIAL, When.PART),
    *_each((*_ON_THE_WAY, _S.WORKING, _S.PARTIAL, _S.LATE_FILL, *_SENT_AND_ENDED, _S.FILLED), Step.CHANGE_REFUSED),
    *_each((*_ON_THE_WAY, _S.WORKING, _S.PARTIAL), Filled, _S.PARTIAL, When.PART),
    *_each((_S.CANCEL_PENDING, _S.LATE_FILL), Filled, when=When.PART),
    *_each(_SENT_AND_ENDED, Filled, _S.LATE_FILL, When.PART),
    *_each((*_ON_THE_WAY, *_TAKEN, *_SENT_AND_ENDED, _S.FILLED), Filled, _S.FILLED, When.WHOLE),
    *_each((*_TAKEN, *_SENT_AND_ENDED, _S.FILLED), Replaced),
    *_each((*_ON_THE_WAY, *_TAKEN), Canceled, _S.CANCELED),
    *_each((*_SENT_AND_ENDED, _S.FILLED), Canceled),
    *_each((*_ON_THE_WAY, *_TAKEN), Expired, _S.EXPIRED),
    *_each((*_SENT_AND_ENDED, _S.FILLED), Expired),
    Transition(_S.SENDING, OutcomeUnknown, _S.UNKNOWN),
    *_each((_S.UNKNOWN, _S.STUCK, *_TAKEN, *_SENT_AND_ENDED, _S.FILLED), OutcomeUnknown),
    *_each((_S.WORKING, _S.PARTIAL, _S.LATE_FILL), Step.CANCEL_ASKED, _S.CANCEL_PENDING),
    *_each((_S.UNKNOWN, _S.STUCK), Step.FOUND_ABSENT, _S.ABSENT),
    Transition(_S.UNKNOWN, Step.GIVEN_UP, _S.STUCK),
)
"""Every transition there is; what no row names cannot happen, and a row that leads nowhere is a straggler."""

_NEXT: Mapping[OrderStatus, Mapping[Cause, Mapping[When, OrderStatus]]] = {
    state: {
        cause: {row.when: row.after for row in TRANSITIONS if (row.before, row.cause) == (state, cause)}
        for cause in dict.fromkeys(row.cause for row in TRANSITIONS if row.before is state)
    }
    for state in OrderStatus
}


def cause_of(event: OrderEvent) -> Cause:
    """Return what of the table an event is: a refused change moves the order differently from a refused order."""
    if type(event) is Rejected and event.change:
        return Step.CHANGE_REFUSED
    return type(event)


def is_legal(order: Order, event: OrderEvent) -> bool:
    """Whether an event may reach the order in its present state."""
    return cause_of(event) in _NEXT[order.status]


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
    price = max(1, amount // quantity)
    return replace(fill, quantity=quantity, amount=amount, price=price, amount_before=order.amount)


def advance(order: Order, event: OrderEvent) -> Order:
    """Return the order after one event; the same object when the event says nothing new.

    Raises
    ------
    MarketRuleError
        The event cannot reach an order in this state (see ``is_legal``), or is another order's.
    """
    cause = cause_of(event)
    led = _NEXT[order.status].get(cause)
    if led is None or event.intent_id != order.intent.intent_id:
        raise MarketRuleError(
            f"{type(event).__name__} cannot reach an order that is {order.status.value}",
            expected=f"one of {sorted(_named(each) for each in _NEXT[order.status])}",
            found=f"{type(event).__name__} of {event.intent_id}",
            next_step="read the order's entries in the journal",
        )
    if cause is Filled:
        assert isinstance(event, Filled)
        return _filled(order, event, led)
    status = _led(order, led)
    match event:
        case Accepted(order_id=order_id) if order.order_id is None:
            return _moved(order, status, event.at, order_id)
        case Replaced(order_id=order_id, limit_price=price):
            if order.status.terminal or (order.order_id == order_id and order.intent.limit_price == price):
                return order
            at = max(event.at, order.updated_at)
            return replace(order, order_id=order_id, intent=replace(order.intent, limit_price=price), updated_at=at)
    return order if status is order.status else _moved(order, status, event.at)


def take(order: Order, step: Step, at: Instant) -> Order:
    """Return the order after a step of ours; the same object where its state knows no such step."""
    led = _NEXT[order.status].get(step)
    return order if led is None else _moved(order, _led(order, led), at)


def _named(cause: Cause) -> str:
    return cause.value if isinstance(cause, Step) else cause.__name__


def _led(order: Order, led: Mapping[When, OrderStatus]) -> OrderStatus:
    found = led.get(When.ALWAYS)
    return found if found is not None else led[_executed(order.filled, order.quantity)]


def _executed(filled: int, quantity: int) -> When:
    if filled >= quantity:
        return When.WHOLE
    return When.PART if filled else When.NONE


def _moved(order: Order, status: OrderStatus, at: Instant, order_id: BrokerOrderId | None = None) -> Order:
    named = order_id or order.order_id
    at = max(at, order.updated_at)
    return Order(order.intent, order.quantity, status, named, order.filled, order.amount, at, order.known)


def _filled(order: Order, event: Filled, led: Mapping[When, OrderStatus]) -> Order:
    part = new_part(order, event.fill)
    if part is None:
        return order
    filled = order.filled + part.quantity
    named = order.order_id or event.fill.order_id
    status = led[_executed(filled, order.quantity)]
    at, amount = max(event.at, order.updated_at), order.amount + part.amount
    return Order(order.intent, order.quantity, status, named, filled, amount, at, order.known)


def cancel_requested(order: Order, at: Instant) -> Order:
    """Return the order with its cancel on the way; only an order that rests at the broker changes."""
    return take(order, Step.CANCEL_ASKED, at)


def conclude_absent(order: Order, at: Instant) -> Order:
    """Return an unknown order as proven absent at the broker; ``reconcile`` holds the proof."""
    return take(order, Step.FOUND_ABSENT, at)


def give_up(order: Order, at: Instant) -> Order:
    """Return an unknown order as one that only a person, or the next morning's figures, can settle.

    ``updated_at`` stays that of its loss: it says until when a row of the broker can be this order, and an order that
    somebody placed hours later, before the close gave ours up, is none.
    """
    after = take(order, Step.GIVEN_UP, at)
    return after if after is order else replace(after, updated_at=order.updated_at)
