"""State of the simulated exchange and broker for one account.

Here: the ``Venue`` record, its orders, the turn of the day, halts. Not here: entry of orders
(`entry`), meeting the market (`trading`), the books with cost and profit (``ledger``). A venue is a
value: every function returns a new one. Money is won, quantities are shares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import HaltChange, Instrument
from haetae.domain.orders import (
    BrokerOrder,
    BrokerOrderId,
    Expired,
    OrderEvent,
    OrderKind,
    OrderStatus,
    Side,
    TimeInForce,
)
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.krx import Rulebook
from haetae.krx.scalar import reserve_buy
from haetae.sim.settings import FillModel

BRANCH = "00950"
"""Branch number of simulated orders; the mock servers of the broker use the same."""


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the venue holds it.

    ``live_from`` is the earliest start of data it may meet; ``limit_price`` is 0 for market orders;
    ``filled`` and ``amount`` are cumulative over replacements.
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

    @property
    def open_quantity(self) -> Shares:
        """Shares that may still fill; 0 once the order ended."""
        return 0 if self.status.terminal else self.quantity - self.filled

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
        )


@dataclass(frozen=True, slots=True)
class Venue:
    """Exchange, broker and account in one value.

    Attributes
    ----------
    rules : Rulebook
        Rules of the current trading day.
    cash : won
        Trade-date cash: moves in full with each fill.
    holdings : mapping of symbol to shares, without empty rows
    orders : mapping of intent id to today's orders, ended ones included
    limits : mapping of symbol to the lowest and highest valid price of the day
    known_until : instant
        End of the newest slice that was met.
    """

    rules: Rulebook
    instruments: Mapping[Symbol, Instrument]
    model: FillModel
    cash: Won
    holdings: Mapping[Symbol, Shares]
    limits: Mapping[Symbol, tuple[Won, Won]]
    orders: Mapping[str, VenueOrder] = field(default_factory=dict)
    halted: frozenset[Symbol] = frozenset()
    sequence: int = 0
    known_until: Instant = 0
    fees: Won = 0
    taxes: Won = 0

    def open_orders(self) -> Iterator[VenueOrder]:
        """Yield the orders that may still fill, in the order they were taken."""
        return (order for order in self.orders.values() if not order.status.terminal)

    def reservation(self, order: VenueOrder) -> Won:
        """Return the cash an open buy ties up: at its limit, or at the upper limit of the day."""
        if order.side is Side.SELL or order.status.terminal:
            return 0
        price = order.limit_price or self.limits[order.symbol][1]
        return int(reserve_buy(order.open_quantity, price, self.rules.fee_ppb, order.amount))

    @property
    def orderable_cash(self) -> Won:
        """Cash that no open buy has reserved."""
        return self.cash - sum(self.reservation(order) for order in self.open_orders())

    def orderable_shares(self, symbol: Symbol) -> Shares:
        """Shares held that no open sell has reserved."""
        promised = sum(
            order.open_quantity for order in self.open_orders() if order.symbol == symbol and order.side is Side.SELL
        )
        return self.holdings.get(symbol, 0) - promised

    def with_order(self, order: VenueOrder) -> Venue:
        """Return the venue with one order added or changed."""
        return replace(self, orders={**self.orders, order.intent_id: order})


def open_venue(
    rules: Rulebook,
    instruments: Mapping[Symbol, Instrument],
    cash: Won,
    holdings: Mapping[Symbol, Shares] | None = None,
    model: FillModel | None = None,
) -> Venue:
    """Return a venue on the morning of a day; limits come from the instruments' base prices.

    Symbols whose flags say ``halted`` begin halted.
    """
    return Venue(
        rules=rules,
        instruments=instruments,
        model=model if model is not None else FillModel(),
        cash=cash,
        holdings={symbol: shares for symbol, shares in (holdings or {}).items() if shares},
        limits=_limits(rules, instruments, {}),
        halted=frozenset(symbol for symbol, item in instruments.items() if "halted" in item.flags),
    )


def open_day(venue: Venue, rules: Rulebook, base_prices: Mapping[Symbol, Won]) -> Venue:
    """Return the venue on the morning of a new day, without yesterday's orders.

    Parameters
    ----------
    base_prices : mapping of symbol to won
        Today's 기준가; a symbol without one keeps that of its instrument.

    Raises
    ------
    MarketRuleError
        If orders are still open: ``close_day`` comes first.
    """
    still_open = sorted(order.intent_id for order in venue.open_orders())
    if still_open:
        raise MarketRuleError(
            Text(ko="전일 주문이 남아 있습니다", en="orders of the day before are still open"),
            expected="no open order",
            found=", ".join(still_open[:5]),
            next_step="end the day with close_day first",
        )
    limits = _limits(rules, venue.instruments, base_prices)
    return replace(venue, rules=rules, limits=limits, orders={}, sequence=0)


def close_day(venue: Venue, at: Instant, among: Collection[str] | None = None) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after the session with an ``Expired`` per open order; idempotent.

    ``among`` names the orders whose session it is, all by default.
    """
    ended = {
        order.intent_id: replace(order, status=OrderStatus.EXPIRED)
        for order in venue.open_orders()
        if among is None or order.intent_id in among
    }
    events = tuple(Expired(order.intent_id, at, order.filled) for order in ended.values())
    return replace(venue, orders={**venue.orders, **ended}), events


def set_halt(venue: Venue, change: HaltChange) -> Venue:
    """Return the venue after trading in a symbol was halted or resumed; resting orders stay."""
    halted = venue.halted | {change.symbol} if change.halted else venue.halted - {change.symbol}
    return replace(venue, halted=halted)


def _limits(
    rules: Rulebook, instruments: Mapping[Symbol, Instrument], base_prices: Mapping[Symbol, Won]
) -> dict[Symbol, tuple[Won, Won]]:
    limits = {}
    for symbol, item in instruments.items():
        base = base_prices.get(symbol, item.base_price)
        limits[symbol] = rules.price_limits(base, item.kind, item.market) if base > 0 else (0, 0)
    return limits
