"""Entry of orders at the simulated broker: submit, cancel, replace.

Here: what is taken or refused, with a typed code and the numbers compared. Not here: the check of
price, lot, cash and shares itself (`admission`, shared with ``sim.batch``), fills (`trading`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from haetae.domain.events import Cancel, Replace, Submit
from haetae.domain.market import Phase
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    OrderEvent,
    OrderKind,
    OrderStatus,
    Rejected,
    Replaced,
    Side,
)
from haetae.domain.units import Instant, Shares, Won
from haetae.sim.admission import BY_NUMBER, RejectCode, check
from haetae.sim.venue import BRANCH, Venue, VenueOrder

REGULAR = frozenset({Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION})
"""Phases in which an order of the regular session is taken."""


def accept(
    venue: Venue, command: Submit | Cancel | Replace, at: Instant, *, phases: Collection[Phase] = REGULAR
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after a command that reached the broker at an instant, and the broker's answer.

    ``phases`` are those in which an order of this kind is taken; whoever knows other kinds says so.

    The answer is one event: ``Accepted``, ``Canceled``, ``Replaced`` or ``Rejected`` with a
    ``RejectCode`` value as its code. A submit of an intent that was taken before is answered with
    the same ``Accepted`` and changes nothing.
    """
    match command:
        case Submit():
            return _submit(venue, command, at, phases)
        case Cancel():
            return _cancel(venue, command.intent_id, at)
        case Replace():
            return _replace(venue, command, at, phases)
        case _:
            assert_never(command)


def _submit(
    venue: Venue, command: Submit, at: Instant, phases: Collection[Phase]
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    intent = command.order.intent
    known = venue.orders.get(intent.intent_id)
    if known is not None:
        return venue, (Accepted(intent.intent_id, known.sent_at, known.order_id),)
    if intent.symbol not in venue.instruments:
        return _refuse(venue, intent.intent_id, at, RejectCode.UNKNOWN_SYMBOL, intent.symbol)
    closed = _closed(venue, intent.symbol, at, phases)
    if closed is not None:
        return _refuse(venue, intent.intent_id, at, *closed)
    fault = _fault(venue, intent.symbol, intent.side, command.order.quantity, intent.limit_price, venue.orderable_cash)
    if fault is not None:
        return _refuse(venue, intent.intent_id, at, *fault)
    sequence = venue.sequence + 1
    order = VenueOrder(
        intent_id=intent.intent_id,
        order_id=_number(venue, sequence),
        symbol=intent.symbol,
        side=intent.side,
        kind=intent.kind,
        time_in_force=intent.time_in_force,
        limit_price=intent.limit_price,
        quantity=command.order.quantity,
        sent_at=at,
        live_from=at + venue.model.latency_ns,
        sequence=sequence,
    )
    return replace(venue.with_order(order), sequence=sequence), (Accepted(intent.intent_id, at, order.order_id),)


def _cancel(venue: Venue, intent_id: str, at: Instant) -> tuple[Venue, tuple[OrderEvent, ...]]:
    order = venue.orders.get(intent_id)
    if order is None:
        return _refuse(venue, intent_id, at, RejectCode.UNKNOWN_ORDER, intent_id)
    if order.status.terminal:
        return _refuse(venue, intent_id, at, RejectCode.NOT_OPEN, f"the order is {order.status.value}")
    ended = replace(order, status=OrderStatus.CANCELED)
    return venue.with_order(ended), (Canceled(intent_id, at, order.filled),)


def _replace(
    venue: Venue, command: Replace, at: Instant, phases: Collection[Phase]
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    order = venue.orders.get(command.intent_id)
    if order is None:
        return _refuse(venue, command.intent_id, at, RejectCode.UNKNOWN_ORDER, command.intent_id)
    if order.status.terminal:
        return _refuse(venue, order.intent_id, at, RejectCode.NOT_OPEN, f"the order is {order.status.value}")
    if order.kind is not OrderKind.LIMIT or command.limit_price <= 0:
        return _refuse(venue, order.intent_id, at, RejectCode.NOT_A_LIMIT, "only limit prices can be moved")
    closed = _closed(venue, order.symbol, at, phases)
    if closed is not None:
        return _refuse(venue, order.intent_id, at, *closed)
    own = venue.reservation(order)
    # The fee on the rest of a partly executed order may round up by a won that the check does not see.
    cash = venue.orderable_cash + own - (order.amount > 0)
    fault = _fault(
        venue, order.symbol, order.side, order.open_quantity, command.limit_price, cash,
        own_shares=order.open_quantity if order.side is Side.SELL else 0,
    )  # fmt: skip
    if fault is not None:
        return _refuse(venue, order.intent_id, at, *fault)
    sequence = venue.sequence + 1
    moved = replace(
        order,
        order_id=_number(venue, sequence),
        limit_price=command.limit_price,
        live_from=at + venue.model.latency_ns,
        sequence=sequence,
    )
    event = Replaced(order.intent_id, at, moved.order_id, command.limit_price)
    return replace(venue.with_order(moved), sequence=sequence), (event,)


def _closed(venue: Venue, symbol: str, at: Instant, phases: Collection[Phase]) -> tuple[RejectCode, str] | None:
    phase = venue.rules.phase_at(at)
    if phase not in phases:
        return RejectCode.MARKET_CLOSED, f"no orders are taken in phase {phase.value}"
    if symbol in venue.halted:
        return RejectCode.HALTED, f"{symbol} is halted"
    return None


def _fault(
    venue: Venue, symbol: str, side: Side, quantity: Shares, limit: Won, cash: Won, *, own_shares: Shares = 0
) -> tuple[RejectCode, str] | None:
    item = venue.instruments[symbol]
    lower, upper = venue.limits[symbol]
    shares = venue.orderable_shares(symbol) + own_shares
    number = check(
        1 if side is Side.BUY else -1, quantity, limit, lower, upper, item.lot, cash, shares,
        venue.rules.fee_ppb, *venue.rules.tick_table(item.kind, item.market),
    )  # fmt: skip
    code = BY_NUMBER[number]
    if code is None:
        return None
    return code, f"{symbol} {side.value} {quantity} at {limit}: limits {lower}-{upper}, cash {cash}, shares {shares}"


def _number(venue: Venue, sequence: int) -> BrokerOrderId:
    return BrokerOrderId(venue.rules.day, BRANCH, f"{sequence:010d}")


def _refuse(
    venue: Venue, intent_id: str, at: Instant, code: RejectCode, message: str
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    return venue, (Rejected(intent_id, at, code.value, message),)
