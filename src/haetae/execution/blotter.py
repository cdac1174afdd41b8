"""All orders of a day: one fold over their events, with exactly-once fills.

Here: which order an event belongs to, parking of executions that came too early, remarks for the
desk. Not here: the life of a single order (``life``), what the desk does about a remark (``desk``).
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """Orders by intent id, and executions that wait for an earlier one.

    Made by ``enter`` and ``record`` from an empty one. ``working`` holds those of ``orders`` that may still trade, so
    that nothing has to look through all orders of the day for them.
    """

    orders: Mapping[str, Order] = field(default_factory=dict)
    early: Mapping[str, tuple[Fill, ...]] = field(default_factory=dict)
    working: Mapping[str, Order] = field(default_factory=dict)

    def open_orders(self) -> tuple[Order, ...]:
        """Return orders that may still trade, in the order they were entered; UNKNOWN ones are open."""
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


def _entered(blotter: Blotter, order: Order, early: Mapping[str, tuple[Fill, ...]]) -> Blotter:
    name = order.intent.intent_id
    orders, working = dict(blotter.orders), dict(blotter.working)
    orders[name] = order
    if not order.status.terminal:
        working[name] = order
    else:
        working.pop(name, None)
    return Blotter(orders, early, working)


def record(blotter: Blotter, event: OrderEvent) -> tuple[Blotter, Outcome]:
    """Apply one event.

    The returned fills are the new parts only: the caller books each of them once. An event of an
    order we never made is ``FOREIGN``, one that its order's state excludes is ``CONTRADICTION``;
    both leave the blotter as it was.
    """
    order = blotter.orders.get(event.intent_id)
    if order is None:
        return blotter, Outcome(None, remark=Remark.FOREIGN)
    if not is_legal(order, event):
        return blotter, Outcome(order, remark=Remark.CONTRADICTION)
    if isinstance(event, Filled):
        return _record_fill(blotter, order, event)
    after = advance(order, event)
    if after is order:
        return blotter, Outcome(order, remark=Remark.DUPLICATE)
    remark = Remark.NONE
    if isinstance(event, Canceled | Expired) and event.filled > after.filled:
        remark = Remark.FILLS_MISSING
    return enter(blotter, after), Outcome(after, remark=remark)


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
    after = _entered(blotter, order, early)
    if order.filled > order.quantity and booked:
        remark = Remark.OVERFILL
    elif booked:
        remark = Remark.LATE_FILL if late else Remark.NONE
    else:
        remark = Remark.EARLY_FILL if event.fill in parked else Remark.DUPLICATE
    return after, Outcome(order, tuple(booked), remark)
