"""All orders of a day: one fold over their events, with exactly-once fills.

Here: which order an event belongs to, parking of executions that came too early and of ends that speak of
executions not seen yet, remarks for the desk, and what of a blotter outlives its day. Not here: the life of a single
order (``life``), what the desk does about a remark (``desk``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from haetae.domain.orders import (
    Canceled,
    Expired,
    Fill,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
)
from haetae.domain.records import made_often
from haetae.domain.units import Symbol
from haetae.execution.life import advance, is_legal, new_part


class Remark(Enum):
    """What was unusual about an event; each asks the desk to look."""

    NONE = "none"
    DUPLICATE = "duplicate"
    FOREIGN = "foreign"
    CONTRADICTION = "contradiction"
    EARLY_FILL = "early_fill"
    LATE_FILL = "late_fill"
    OVERFILL = "overfill"
    FILLS_MISSING = "fills_missing"


@made_often
@dataclass(frozen=True, slots=True)
class Blotter:
    """Orders by intent id, and what waits for an execution that was not told yet.

    Made by ``enter`` and ``record`` from an empty one, or by ``carried``. ``working`` holds those of ``orders`` that
    may still trade, so that nothing has to look through all orders of the day for them. ``early`` are executions that
    presuppose another, ``ends`` the ends of orders that speak of more executed shares than were told.
    """

    orders: Mapping[str, Order] = field(default_factory=dict)
    early: Mapping[str, tuple[Fill, ...]] = field(default_factory=dict)
    working: Mapping[str, Order] = field(default_factory=dict)
    ends: Mapping[str, Canceled | Expired] = field(default_factory=dict)

    def open_orders(self) -> tuple[Order, ...]:
        """Return orders that may still trade, in the order they were entered; UNKNOWN and STUCK ones are open."""
        return tuple(self.working.values())

    def open_of(self, symbol: Symbol) -> tuple[Order, ...]:
        """Return the open orders of one symbol."""
        return tuple(order for order in self.working.values() if order.intent.symbol == symbol)


@made_often
@dataclass(frozen=True, slots=True)
class Outcome:
    """What one event did: the order after it, the executions to book, and a remark."""

    order: Order | None
    fills: tuple[Fill, ...] = ()
    remark: Remark = Remark.NONE


def enter(blotter: Blotter, order: Order) -> Blotter:
    """Return the blotter with an order added or replaced by its next state."""
    return _entered(blotter, order, blotter.early)


def carried(orders: Iterable[Order]) -> Blotter:
    """Return the blotter a new day begins with: of orders handed over, those whose fate is not settled.

    They keep their shares and money reserved until the broker's figures say what became of them.
    """
    kept = {order.intent.intent_id: order for order in orders if not order.status.terminal}
    return Blotter(orders=kept, working=dict(kept))


def _entered(blotter: Blotter, order: Order, early: Mapping[str, tuple[Fill, ...]]) -> Blotter:
    name = order.intent.intent_id
    orders, working = dict(blotter.orders), dict(blotter.working)
    orders[name] = order
    if not order.status.terminal:
        working[name] = order
    else:
        working.pop(name, None)
    return Blotter(orders, early, working, blotter.ends)


def record(blotter: Blotter, event: OrderEvent) -> tuple[Blotter, Outcome]:
    """Apply one event.

    The returned fills are the new parts only: the caller books each of them once. An event of an
    order we never made is ``FOREIGN``, one that its order's state excludes is ``CONTRADICTION``, as is an
    execution of another name, side or day; they leave the blotter as it was. The broker's numbers are
    used again on other days, so the day is part of an order's key.
    """
    order = blotter.orders.get(event.intent_id)
    if order is None:
        return blotter, Outcome(None, remark=Remark.FOREIGN)
    if not is_legal(order, event):
        return blotter, Outcome(order, remark=Remark.CONTRADICTION)
    if isinstance(event, Filled):
        if not _is_of(order, event.fill):
            return blotter, Outcome(order, remark=Remark.CONTRADICTION)
        return _record_fill(blotter, order, event)
    if isinstance(event, Canceled | Expired) and event.filled > order.filled and not order.status.terminal:
        known = blotter.ends.get(event.intent_id) == event
        return _parked_end(blotter, event), Outcome(order, remark=Remark.DUPLICATE if known else Remark.FILLS_MISSING)
    after = advance(order, event)
    if after is order:
        return blotter, Outcome(order, remark=Remark.DUPLICATE)
    returned = order.status.terminal and not after.status.terminal
    return enter(blotter, after), Outcome(after, remark=Remark.LATE_FILL if returned else Remark.NONE)


def _is_of(order: Order, fill: Fill) -> bool:
    """Whether a fill can be an execution of this order."""
    intent, named = order.intent, order.order_id
    same = (fill.symbol, fill.side) == (intent.symbol, intent.side)
    return same and (named is None or fill.order_id.day == named.day)


def _parked_end(blotter: Blotter, end: Canceled | Expired) -> Blotter:
    return Blotter(blotter.orders, blotter.early, blotter.working, {**blotter.ends, end.intent_id: end})


def _record_fill(blotter: Blotter, order: Order, event: Filled) -> tuple[Blotter, Outcome]:
    late = order.status.terminal and order.status is not OrderStatus.FILLED
    waiting = blotter.early.get(event.intent_id, ())
    queue = [event.fill]
    if waiting:
        queue = sorted({*waiting, event.fill}, key=lambda fill: (fill.cumulative, fill.quantity))
    booked: list[Fill] = []
    parked: list[Fill] = []
    for fill in queue:
        part = new_part(order, fill)
        if part is not None:
            order = advance(order, Filled(event.intent_id, max(event.at, fill.at), fill))
            booked.append(part)
        elif fill.cumulative > order.filled:
            parked.append(fill)
    early = blotter.early
    if waiting or parked:
        early = {name: fills for name, fills in early.items() if name != event.intent_id}
        if parked:
            early[event.intent_id] = tuple(parked)
    end = blotter.ends.get(event.intent_id)
    if end is not None and end.filled <= order.filled:
        order = advance(order, end)
    after = _entered(blotter, order, early)
    if order.filled > order.quantity and booked:
        remark = Remark.OVERFILL
    elif booked:
        remark = Remark.LATE_FILL if late else Remark.NONE
    else:
        remark = Remark.EARLY_FILL if event.fill in parked else Remark.DUPLICATE
    return after, Outcome(order, tuple(booked), remark)
