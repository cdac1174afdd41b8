"""Our orders of a day at the exchange, as a value.

Here: one order, and ``DayOrders``, which keeps the open ones apart from those that ended, with what they tie up.
Not here: what changes an order (`entry`, `changes`, `trading`, `waiting`). Money is won, quantities are shares.

An ended order never changes again. The ended ones therefore stand in one log that all versions of a day share:
the newest version appends to it, an older one sees only as much of it as there was, and a version that goes
another way from there copies its part first. So a change costs the open orders, never the ended ones, and a
``DayOrders`` is still a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from haetae.domain.orders import BrokerOrder, BrokerOrderId, OrderKind, OrderStatus, Side, TimeInForce
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.sim.kinds import PLAIN, Terms


@made_often
@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the venue holds it.

    ``live_from`` is the earliest start of data it may meet; ``limit_price`` is 0 for market orders;
    ``filled`` and ``amount`` are cumulative over replacements; ``held`` is the cash it ties up.
    """

    intent_id: str
    order_id: BrokerOrderId
    symbol: Symbol
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    limit_price: Won
    quantity: Shares
    sent_at: Instant
    live_from: Instant
    sequence: int
    filled: Shares = 0
    amount: Won = 0
    status: OrderStatus = OrderStatus.WORKING
    terms: Terms = PLAIN[OrderKind.LIMIT]
    held: Won = 0

    @property
    def is_open(self) -> bool:
        """Whether it may still fill."""
        return self.status is OrderStatus.WORKING

    @property
    def open_quantity(self) -> Shares:
        """Shares that may still fill; 0 once the order ended."""
        return self.quantity - self.filled if self.status is OrderStatus.WORKING else 0

    def after_fill(self, quantity: Shares, amount: Won, held: Won) -> VenueOrder:
        """Return the order after an execution of so many shares for so many won; ``held`` is what it ties up then."""
        filled = self.filled + quantity
        return VenueOrder(
            self.intent_id,
            self.order_id,
            self.symbol,
            self.side,
            self.kind,
            self.time_in_force,
            self.limit_price,
            self.quantity,
            self.sent_at,
            self.live_from,
            self.sequence,
            filled,
            self.amount + amount,
            OrderStatus.FILLED if filled == self.quantity else self.status,
            self.terms,
            held,
        )

    def report(self) -> BrokerOrder:
        """Return the order as a broker reports it."""
        return BrokerOrder(
            self.order_id,
            self.symbol,
            self.side,
            self.quantity,
            self.filled,
            self.amount,
            self.open_quantity,
            self.limit_price,
            self.sent_at,
            canceled=self.quantity - self.filled if self.status is OrderStatus.CANCELED else 0,
        )


class DayOrders(Mapping[str, VenueOrder]):
    """Orders of a day by intent id: the ended ones in the turn they ended, then the open ones as they were taken.

    Attributes
    ----------
    open : mapping of intent id to the orders that may still fill; not to be changed
    reserved : won
        Cash that open buys tie up.
    promised : mapping of symbol to shares that open sells tie up, without empty rows
    waiting : set of intent ids
        Open orders that the day may change (stops and conditional limits).
    """

    __slots__ = ("_count", "_ended", "open", "promised", "reserved", "waiting")

    def __init__(self) -> None:
        """Begin a day without orders."""
        self.open: dict[str, VenueOrder] = {}
        self.reserved: Won = 0
        self.promised: dict[Symbol, Shares] = {}
        self.waiting: frozenset[str] = frozenset()
        self._ended: dict[str, tuple[int, VenueOrder]] = {}
        self._count = 0

    def __getitem__(self, intent_id: str) -> VenueOrder:
        """Return an order of the day; raises ``KeyError`` for an unknown one."""
        known = self.open.get(intent_id)
        if known is not None:
            return known
        place, order = self._ended[intent_id]
        if place >= self._count:  # it ended in another version of this day
            raise KeyError(intent_id)
        return order

    def __iter__(self) -> Iterator[str]:
        """Yield intent ids."""
        for intent_id, (place, _) in self._ended.items():
            if place >= self._count:
                break
            yield intent_id
        yield from self.open

    def __len__(self) -> int:
        """Return how many orders the day has had."""
        return self._count + len(self.open)

    def __repr__(self) -> str:
        """Show the counts."""
        return f"DayOrders({len(self.open)} open, {self._count} ended)"

    def changed(self, orders: Iterable[VenueOrder]) -> DayOrders:
        """Return the day with these orders added or changed; an order that ended is not to be opened again."""
        after = DayOrders()
        after.open, after.promised, after.reserved = dict(self.open), dict(self.promised), self.reserved
        after.waiting, after._ended, after._count = self.waiting, self._ended, self._count
        for order in orders:
            after._put(order)
        return after

    def _put(self, order: VenueOrder) -> None:
        before = self.open.get(order.intent_id)
        if before is not None:
            self.reserved -= before.held
            self._promise(before, -before.open_quantity)
        if order.is_open:
            self.open[order.intent_id] = order
            self.reserved += order.held
            self._promise(order, order.open_quantity)
        else:
            self.open.pop(order.intent_id, None)
            self._end(order)
        waits = order.is_open and order.terms.waits
        if waits != (order.intent_id in self.waiting):
            self.waiting = self.waiting ^ {order.intent_id}

    def _promise(self, order: VenueOrder, shares: Shares) -> None:
        if order.side is Side.BUY:
            return
        total = self.promised.get(order.symbol, 0) + shares
        if total:
            self.promised[order.symbol] = total
        else:
            self.promised.pop(order.symbol, None)

    def _end(self, order: VenueOrder) -> None:
        if len(self._ended) != self._count:
            self._ended = {key: entry for key, entry in self._ended.items() if entry[0] < self._count}
        self._ended[order.intent_id] = (self._count, order)
        self._count += 1
