"""What the guards look at: one frozen picture of the desk at the moment of an intent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from haetae.domain.events import OperatorState
from haetae.domain.orders import Order, OrderStatus, Side
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.guards.escape import EscapeLevel
from haetae.krx import Rulebook


@made_often
@dataclass(frozen=True, slots=True)
class Sent:
    """An order that left today."""

    at: Instant
    intent_id: str
    symbol: Symbol
    side: Side
    escape: bool


@made_often
@dataclass(frozen=True, slots=True)
class Traffic:
    """The orders that left today, counted as they leave, so that no guard reads them one by one.

    Attributes
    ----------
    times : when orders other than escapes left, ascending.
    of_symbol : how many of them by symbol.
    newest : when the newest order of a symbol and side left, escapes too; the side by its value.
    escapes : how many escapes left.
    """

    times: tuple[Instant, ...] = ()
    of_symbol: Mapping[Symbol, int] = field(default_factory=dict)
    newest: Mapping[tuple[Symbol, str], Instant] = field(default_factory=dict)
    escapes: int = 0

    def and_then(self, sent: Sent) -> Traffic:
        """Return the traffic after one more order; orders may be told out of turn."""
        key = (sent.symbol, sent.side.value)
        newest = {**self.newest, key: max(sent.at, self.newest.get(key, 0))}
        if sent.escape:
            return Traffic(self.times, self.of_symbol, newest, self.escapes + 1)
        times = (*self.times, sent.at)
        if len(times) > 1 and times[-2] > sent.at:
            times = tuple(sorted(times))
        counts = {**self.of_symbol, sent.symbol: self.of_symbol.get(sent.symbol, 0) + 1}
        return Traffic(times, counts, newest, self.escapes)

    def since(self, at: Instant) -> int:
        """Return how many orders other than escapes left after an instant."""
        return len(self.times) - bisect_right(self.times, at)

    def newest_of(self, symbol: Symbol, side: Side) -> Instant:
        """Return when the newest order of a symbol and side left, 0 if none did."""
        return self.newest.get((symbol, side.value), 0)


@made_often
@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a guard may compare; won, shares, instants.

    ``price_at`` is the end of the newest slice, ``traded_at`` the end of the newest bar in which a
    symbol traded. ``equity`` is at last prices, ``opening_equity`` at the previous close,
    ``peak_equity`` the highest ever. ``cash`` is trade-date cash before reservations.
    ``confidence`` is None where no agent reviews.
    """

    at: Instant
    rules: Rulebook
    operator: OperatorState
    reconciled: bool
    price_at: Instant
    last: Mapping[Symbol, Won]
    traded_at: Mapping[Symbol, Instant]
    base_prices: Mapping[Symbol, Won]
    kinds: Mapping[Symbol, str]
    sectors: Mapping[Symbol, str]
    average_turnover: Mapping[Symbol, Won]
    volume_today: Mapping[Symbol, Shares]
    tradable: frozenset[Symbol]
    halted: frozenset[Symbol]
    frozen: frozenset[Symbol]
    held: Mapping[Symbol, Shares]
    open_orders: tuple[Order, ...]
    known_intents: Container[str]
    sent: Traffic
    cash: Won
    equity: Won
    opening_equity: Won
    peak_equity: Won
    bought_today: Won = 0
    sold_today: Won = 0
    losing_exits: int = 0
    lost_symbols: frozenset[Symbol] = frozenset()
    new_names: frozenset[Symbol] = frozenset()
    excess: bool = False
    broker_gap_ppm: int = 0
    escape_level: EscapeLevel = EscapeLevel.NORMAL
    cooling: frozenset[Symbol] = frozenset()
    confidence: float | None = None
    evidence: int = 0
    risk_flags: tuple[str, ...] = field(default=())

    def open_quantity(self, symbol: Symbol, side: Side) -> Shares:
        """Return shares of open and unknown orders of one side: the worst case counts them as filled."""
        if not self.open_orders:
            return 0
        return sum(o.open_quantity for o in self.open_orders if o.intent.symbol == symbol and o.intent.side is side)

    def order_price(self, order: Order) -> Won:
        """Return the worst price an open buy may pay: its limit, or the upper limit of a market order."""
        if order.intent.limit_price:
            return order.intent.limit_price
        return self.rules.price_limits(self.base_prices[order.intent.symbol])[1]

    def reserved(self, reserve_ppm: int) -> Won:
        """Return the won that open buys may still take, fees included."""
        total = sum(o.open_quantity * self.order_price(o) for o in self.open_orders if o.intent.side is Side.BUY)
        return total * (1_000_000 + reserve_ppm) // 1_000_000

    def exposure(self, symbol: Symbol) -> Won:
        """Return the won value of a name, held and on the way in."""
        return (self.held.get(symbol, 0) + self.open_quantity(symbol, Side.BUY)) * self.last.get(symbol, 0)

    def exposures(self) -> dict[Symbol, Won]:
        """Return the worst-case value of every name held or being bought."""
        shares = dict(self.held)
        for order in self.open_orders:
            if order.intent.side is Side.BUY:
                shares[order.intent.symbol] = shares.get(order.intent.symbol, 0) + order.open_quantity
        return {symbol: count * self.last.get(symbol, 0) for symbol, count in shares.items()}

    def has_unknown(self, symbol: Symbol) -> bool:
        """Whether the fate of an order of this symbol is not known."""
        return any(o.status is OrderStatus.UNKNOWN and o.intent.symbol == symbol for o in self.open_orders)
