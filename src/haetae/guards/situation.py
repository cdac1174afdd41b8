"""What the guards look at: one frozen picture of the desk at the moment of an intent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from haetae.domain.decisions import Decision
from haetae.domain.events import OperatorState, SessionStart, Vitals
from haetae.domain.market import Kind, Market
from haetae.domain.orders import Order, Side
from haetae.domain.records import made_often
from haetae.domain.units import NS_PER_MINUTE, Instant, Shares, Symbol, Won
from haetae.guards.asking import EscapeLevel
from haetae.krx import Rulebook

_KINDS = {kind.value: kind for kind in Kind}
_MARKETS = {market.value: market for market in Market}
_ONE_FLIGHT = 5 * NS_PER_MINUTE
"""Escapes of a name less than this apart are one flight: its collar goes on widening, a later one starts anew."""


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
    flights : when the first and the newest escape of a symbol's present flight left.
    changes : how many cancels and new prices were asked for by symbol, those of escapes not counted.
    """

    times: tuple[Instant, ...] = ()
    of_symbol: Mapping[Symbol, int] = field(default_factory=dict)
    newest: Mapping[tuple[Symbol, str], Instant] = field(default_factory=dict)
    escapes: int = 0
    flights: Mapping[Symbol, tuple[Instant, Instant]] = field(default_factory=dict)
    changes: Mapping[Symbol, int] = field(default_factory=dict)

    def and_then(self, sent: Sent) -> Traffic:
        """Return the traffic after one more order; orders may be told out of turn."""
        key = (sent.symbol, sent.side.value)
        newest = {**self.newest, key: max(sent.at, self.newest.get(key, 0))}
        if sent.escape:
            first, last = self.flights.get(sent.symbol, (sent.at, sent.at))
            flight = (first, max(last, sent.at)) if sent.at - last <= _ONE_FLIGHT else (sent.at, sent.at)
            flights = {**self.flights, sent.symbol: flight}
            return Traffic(self.times, self.of_symbol, newest, self.escapes + 1, flights, self.changes)
        times = (*self.times, sent.at)
        if len(times) > 1 and times[-2] > sent.at:
            times = tuple(sorted(times))
        counts = {**self.of_symbol, sent.symbol: self.of_symbol.get(sent.symbol, 0) + 1}
        return Traffic(times, counts, newest, self.escapes, self.flights, self.changes)

    def and_changed(self, symbol: Symbol) -> Traffic:
        """Return the traffic after a cancel or a new price of an order that is no escape."""
        changes = {**self.changes, symbol: self.changes.get(symbol, 0) + 1}
        return Traffic(self.times, self.of_symbol, self.newest, self.escapes, self.flights, changes)

    def since(self, at: Instant) -> int:
        """Return how many orders other than escapes left after an instant."""
        return len(self.times) - bisect_right(self.times, at)

    def newest_of(self, symbol: Symbol, side: Side) -> Instant:
        """Return when the newest order of a symbol and side left, 0 if none did."""
        return self.newest.get((symbol, side.value), 0)

    def fleeing_since(self, symbol: Symbol, at: Instant) -> Instant:
        """Return when the flight began that an escape of ``at`` belongs to: ``at`` itself where it is the first."""
        first, last = self.flights.get(symbol, (at, at))
        return first if at - last <= _ONE_FLIGHT else at


@made_often
@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a guard may compare; won, shares, instants.

    Attributes
    ----------
    session : what was known before the open.
    vitals : how the machinery is doing, None where nobody measures it.
    reconciled, read_at : whether the newest reading of the account agreed with the books, and when it was taken.
    price_at : end of the newest slice; traded_at : end of the newest bar in which a symbol traded.
    resumed_at : when a halt or interruption of a symbol ended last.
    equity : at last prices; ``opening_equity`` at the close before, ``week_equity`` at the first opening of the week,
        ``peak_equity`` the highest ever.
    cash : trade-date cash before reservations.
    short_cash, short_shares : how much less the broker's reading showed than our books, orderable won and shares by
        symbol; what it showed beyond them counts for nothing.
    broker_gap_ppm : how far our equity and the broker's were apart in that reading.
    leaving_since : since when a name is being left, where the escape began before its first order could go.
    tainted : names whose decision context was flagged as steered today.
    decision : the agent's, None where nobody reviewed.
    """

    at: Instant
    rules: Rulebook
    session: SessionStart
    operator: OperatorState
    reconciled: bool
    price_at: Instant
    last: Mapping[Symbol, Won]
    traded_at: Mapping[Symbol, Instant]
    volume_today: Mapping[Symbol, Shares]
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
    week_equity: Won = 0
    read_at: Instant = 0
    vitals: Vitals | None = None
    resumed_at: Mapping[Symbol, Instant] = field(default_factory=dict)
    short_cash: Won = 0
    short_shares: Mapping[Symbol, Shares] = field(default_factory=dict)
    bought_today: Won = 0
    sold_today: Won = 0
    losing_exits: int = 0
    lost_symbols: frozenset[Symbol] = frozenset()
    new_names: frozenset[Symbol] = frozenset()
    tainted: frozenset[Symbol] = frozenset()
    excess: bool = False
    broker_gap_ppm: int = 0
    escape_level: EscapeLevel = EscapeLevel.NORMAL
    cooling: frozenset[Symbol] = frozenset()
    leaving_since: Mapping[Symbol, Instant] = field(default_factory=dict)
    decision: Decision | None = None

    @property
    def basis(self) -> Won:
        """Equity that shares of equity are taken of: today's growth on paper enlarges no limit."""
        return min(self.equity, self.opening_equity)

    def listed_as(self, symbol: Symbol) -> tuple[Kind, Market]:
        """Return kind and market of a name; one nobody told of is a common share of the KOSPI, as everywhere."""
        session = self.session
        return _KINDS[session.kinds.get(symbol, "common")], _MARKETS[session.markets.get(symbol, "KOSPI")]

    def price_limits(self, symbol: Symbol) -> tuple[Won, Won]:
        """Return the lowest and highest price of a name today; raises ``KeyError`` without a base price."""
        return self.rules.price_limits(self.session.base_prices[symbol], *self.listed_as(symbol))

    def open_quantity(self, symbol: Symbol, side: Side) -> Shares:
        """Return shares of open and unknown orders of one side: the worst case counts them as filled."""
        if not self.open_orders:
            return 0
        return sum(o.open_quantity for o in self.open_orders if o.intent.symbol == symbol and o.intent.side is side)

    def order_price(self, order: Order) -> Won:
        """Return the worst price an open buy may pay: its limit, or the upper limit of a market order."""
        return order.intent.limit_price or self.price_limits(order.intent.symbol)[1]

    def reserved(self, reserve_ppm: int) -> Won:
        """Return the won that open buys may still take, fees included."""
        total = sum(o.open_quantity * self.order_price(o) for o in self.open_orders if o.intent.side is Side.BUY)
        return total * (1_000_000 + reserve_ppm) // 1_000_000

    def fleeing_since(self, symbol: Symbol) -> Instant:
        """Return since when a name is being left: the earlier of the escape's own start and its first order."""
        began = self.leaving_since.get(symbol, self.at)
        return min(began, self.sent.fleeing_since(symbol, self.at))

    def exposures(self) -> dict[Symbol, Won]:
        """Return the worst-case value of every name held or being bought; raises ``KeyError`` without a price."""
        last = self.last
        values = {symbol: count * last[symbol] for symbol, count in self.held.items()}
        for order in self.open_orders:
            if order.intent.side is Side.BUY:
                symbol = order.intent.symbol
                coming = order.open_quantity * max(last[symbol], self.order_price(order))
                values[symbol] = values.get(symbol, 0) + coming
        return values

    def exposure(self, symbol: Symbol) -> Won:
        """Return the worst-case value of a name, held and on the way in."""
        value = self.held.get(symbol, 0) * self.last[symbol]
        for order in self.open_orders:
            if order.intent.side is Side.BUY and order.intent.symbol == symbol:
                value += order.open_quantity * max(self.last[symbol], self.order_price(order))
        return value

    def has_unknown(self, symbol: Symbol) -> bool:
        """Whether the fate of an order of this symbol is not known."""
        return any(o.status.doubtful and o.intent.symbol == symbol for o in self.open_orders)
