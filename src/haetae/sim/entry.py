"""Entry of orders at the simulated broker: submit, cancel, replace.

Here: what is taken or refused, with a typed code and the numbers compared. Not here: the check of
price, lot, cash and shares itself (`admission`, shared with ``sim.batch``), which phase takes which
order (`kinds`), changes of a part of an order (`changes`), fills (`trading`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.events import Cancel, Replace, Submit
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    OrderEvent,
    OrderIntent,
    OrderKind,
    OrderStatus,
    Rejected,
    Replaced,
    Side,
    TimeInForce,
)
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.sim.admission import BY_NUMBER, RejectCode, check
from haetae.sim.book import VenueOrder
from haetae.sim.kinds import PLAIN, Pricing, Terms, at_forbidden_limit, takes, window_takes
from haetae.sim.venue import BRANCH, Venue
from haetae.sim.waiting import DORMANT, join_closing


def accept(
    venue: Venue, command: Submit | Cancel | Replace, at: Instant, *, terms: Terms | None = None
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after a command that reached the broker at an instant, and the broker's answer.

    ``terms`` say what kind of order is sent beyond its intent; by default a limit or market order of the regular
    session.

    The answer is one event: ``Accepted``, ``Canceled``, ``Replaced`` or ``Rejected`` with a
    ``RejectCode`` value as its code. A submit of an intent that was taken before is answered with
    the same ``Accepted`` and changes nothing.

    Raises
    ------
    MarketRuleError
        If the terms do not fit the intent (a market order at a stop's terms, say).
    """
    venue = join_closing(venue, at)
    match command:
        case Submit():
            return submit(venue, command, at, terms)
        case Cancel():
            return _cancel(venue, command.intent_id, at)
        case Replace():
            return _replace(venue, command, at)
        case _:
            assert_never(command)


def submit(
    venue: Venue, command: Submit, at: Instant, terms: Terms | None, *, cash: Won = 0, shares: Shares = 0
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Enter an order; ``cash`` and ``shares`` are what the order it comes from sets free."""
    intent = command.order.intent
    terms = terms if terms is not None else PLAIN[intent.kind]
    if terms.pricing.kind is not intent.kind:
        raise _misfit(intent, terms)
    known = venue.orders.get(intent.intent_id)
    if known is not None:
        return venue, (Accepted(intent.intent_id, known.sent_at, known.order_id),)
    if intent.symbol not in venue.instruments:
        return refuse(venue, intent.intent_id, at, RejectCode.UNKNOWN_SYMBOL, intent.symbol)
    closed = _closed(venue, intent.symbol, terms, intent.time_in_force, at)
    if closed is not None:
        return refuse(venue, intent.intent_id, at, *closed)
    fault = _fault(
        venue, intent.symbol, intent.side, command.order.quantity, intent.limit_price,
        venue.orderable_cash + cash, venue.orderable_shares(intent.symbol) + shares,
    )  # fmt: skip
    if fault is None and at_forbidden_limit(terms, intent.side, intent.limit_price, venue.limits[intent.symbol]):
        fault = RejectCode.AT_THE_LIMIT, "a conditional order cannot stand at the limit it would move to"
    if fault is not None:
        return refuse(venue, intent.intent_id, at, *fault)
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
        live_from=DORMANT if terms.pricing is Pricing.STOP else at + venue.model.latency_ns,
        sequence=sequence,
        terms=terms,
        held=venue.hold(intent.symbol, intent.side, command.order.quantity, intent.limit_price),
    )
    return venue.with_new(order), (Accepted(intent.intent_id, at, order.order_id),)


def _cancel(venue: Venue, intent_id: str, at: Instant) -> tuple[Venue, tuple[OrderEvent, ...]]:
    order = venue.orders.get(intent_id)
    if order is None:
        return refuse(venue, intent_id, at, RejectCode.UNKNOWN_ORDER, intent_id, change=True)
    if order.status.terminal:
        return refuse(venue, intent_id, at, RejectCode.NOT_OPEN, f"the order is {order.status.value}", change=True)
    ended = replace(order, status=OrderStatus.CANCELED, held=0)
    return replace(venue, orders=venue.orders.changed((ended,))), (Canceled(intent_id, at, order.filled),)


def _replace(venue: Venue, command: Replace, at: Instant) -> tuple[Venue, tuple[OrderEvent, ...]]:
    order = venue.orders.get(command.intent_id)
    if order is None:
        return refuse(venue, command.intent_id, at, RejectCode.UNKNOWN_ORDER, command.intent_id, change=True)
    if order.status.terminal:
        return refuse(
            venue, order.intent_id, at, RejectCode.NOT_OPEN, f"the order is {order.status.value}", change=True
        )
    if order.kind is not OrderKind.LIMIT or command.limit_price <= 0:
        return refuse(venue, order.intent_id, at, RejectCode.NOT_A_LIMIT, "only limit prices can be moved", change=True)
    closed = _closed(venue, order.symbol, order.terms, order.time_in_force, at)
    if closed is not None:
        return refuse(venue, order.intent_id, at, *closed, change=True)
    # The fee on the rest of a partly executed order may round up by a won that the check does not see.
    cash = venue.orderable_cash + order.held - (order.amount > 0)
    own = order.open_quantity if order.side is Side.SELL else 0
    fault = _fault(
        venue, order.symbol, order.side, order.open_quantity, command.limit_price, cash,
        venue.orderable_shares(order.symbol) + own,
    )  # fmt: skip
    if fault is None and at_forbidden_limit(order.terms, order.side, command.limit_price, venue.limits[order.symbol]):
        fault = RejectCode.AT_THE_LIMIT, "a conditional order cannot stand at the limit it would move to"
    if fault is not None:
        return refuse(venue, order.intent_id, at, *fault, change=True)
    sequence = venue.sequence + 1
    moved = replace(
        order,
        order_id=_number(venue, sequence),
        limit_price=command.limit_price,
        live_from=DORMANT if order.live_from == DORMANT else at + venue.model.latency_ns,
        sequence=sequence,
    )
    event = Replaced(order.intent_id, at, moved.order_id, command.limit_price)
    return replace(venue.with_order(moved), sequence=sequence), (event,)


def _closed(
    venue: Venue, symbol: Symbol, terms: Terms, force: TimeInForce, at: Instant
) -> tuple[RejectCode, str] | None:
    phase = venue.rules.phase_at(at)
    code = takes(terms.pricing, force, phase, hours=terms.hours, in_call=symbol in venue.in_call)
    code = code or window_takes(terms, venue.rules, at)
    if code is RejectCode.MARKET_CLOSED:
        return code, f"no orders are taken in phase {phase.value}"
    if symbol in venue.halted:
        return RejectCode.HALTED, f"{symbol} is halted"
    if code is None and "liquidation" in venue.instruments[symbol].flags and terms.pricing is not Pricing.LIMIT:
        code = RejectCode.NOT_IN_AUCTION  # 정리매매: single prices every half hour, limit orders only (KRX)
    if code is not None:
        return code, f"a call auction takes no {terms.pricing.value} order for {force.value}"
    return None


def _fault(
    venue: Venue, symbol: Symbol, side: Side, quantity: Shares, limit: Won, cash: Won, shares: Shares
) -> tuple[RejectCode, str] | None:
    item = venue.instruments[symbol]
    lower, upper = venue.limits[symbol]
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


def refuse(
    venue: Venue, intent_id: str, at: Instant, code: RejectCode, message: str, *, change: bool = False
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue as it is, with the refusal of an order, or of a ``change`` to one."""
    return venue, (Rejected(intent_id, at, code.value, message, change),)


def _misfit(intent: OrderIntent, terms: Terms) -> MarketRuleError:
    return MarketRuleError(
        Text(ko="주문 유형이 주문과 맞지 않습니다", en="the terms do not fit the order"),
        expected=f"an intent of kind {terms.pricing.kind.value} for {terms.pricing.value} terms",
        found=f"intent {intent.intent_id} of kind {intent.kind.value}",
        next_step="send stops, conditional and best-price orders as limit orders",
    )
