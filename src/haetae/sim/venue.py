"""State of the simulated exchange and broker for one account.

Here: the ``Venue`` record, the turn of the day, halts, volatility interruptions. Not here: its orders
(`book`), their entry (`entry`) and changes (`changes`), meeting the market (`trading`), the books with
cost and profit (``ledger``). A venue is a value: every function returns a new one. Money is won,
quantities are shares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import HaltChange, Instrument
from haetae.domain.orders import Expired, OrderEvent, OrderStatus, Side
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.krx import Rulebook
from haetae.krx.scalar import reserve_buy
from haetae.sim.book import DayOrders, VenueOrder
from haetae.sim.settings import FillModel

BRANCH = "00950"
"""Branch number of simulated orders; the mock servers of the broker use the same."""


@made_often
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
    orders : today's orders by intent id, ended ones included
    halted, in_call : sets of symbols
        Names without trading, and names in a call auction of their own (a volatility interruption).
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
    orders: DayOrders = field(default_factory=DayOrders)
    halted: frozenset[Symbol] = frozenset()
    in_call: frozenset[Symbol] = frozenset()
    sequence: int = 0
    known_until: Instant = 0
    fees: Won = 0
    taxes: Won = 0

    def open_orders(self) -> Iterator[VenueOrder]:
        """Yield the orders that may still fill, in the order they were taken."""
        return iter(self.orders.open.values())

    def reservation(self, order: VenueOrder) -> Won:
        """Return the cash an open buy ties up: at its limit, or at the upper limit of the day."""
        return self.hold(order.symbol, order.side, order.open_quantity, order.limit_price, order.amount)

    def hold(self, symbol: Symbol, side: Side, quantity: Shares, limit: Won, executed: Won = 0) -> Won:
        """Return the cash that an order for so many shares more ties up after ``executed`` won."""
        if side is Side.SELL or not quantity:
            return 0
        return int(reserve_buy(quantity, limit or self.limits[symbol][1], self.rules.fee_ppb, executed))

    @property
    def orderable_cash(self) -> Won:
        """Cash that no open buy has reserved."""
        return self.cash - self.orders.reserved

    def orderable_shares(self, symbol: Symbol) -> Shares:
        """Shares held that no open sell has reserved."""
        return self.holdings.get(symbol, 0) - self.orders.promised.get(symbol, 0)

    def with_new(self, order: VenueOrder) -> Venue:
        """Return the venue with an order that was just taken."""
        return Venue(
            self.rules,
            self.instruments,
            self.model,
            self.cash,
            self.holdings,
            self.limits,
            self.orders.changed((order,)),
            self.halted,
            self.in_call,
            order.sequence,
            self.known_until,
            self.fees,
            self.taxes,
        )

    def with_order(self, order: VenueOrder) -> Venue:
        """Return the venue with one order added or changed, and what it ties up counted anew."""
        return replace(self, orders=self.orders.changed((replace(order, held=self.reservation(order)),)))


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
    return replace(venue, rules=rules, limits=limits, orders=DayOrders(), in_call=frozenset(), sequence=0)


def close_day(venue: Venue, at: Instant, among: Collection[str] | None = None) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after the session with an ``Expired`` per open order; idempotent.

    ``among`` names the orders whose session it is, all by default.
    """
    ended = [
        replace(order, status=OrderStatus.EXPIRED, held=0)
        for order in venue.open_orders()
        if among is None or order.intent_id in among
    ]
    if not ended:
        return venue, ()
    events = tuple(Expired(order.intent_id, at, order.filled) for order in ended)
    return replace(venue, orders=venue.orders.changed(ended)), events


def set_halt(venue: Venue, change: HaltChange) -> Venue:
    """Return the venue after trading in a symbol was halted or resumed; resting orders stay."""
    halted = venue.halted | {change.symbol} if change.halted else venue.halted - {change.symbol}
    return replace(venue, halted=halted)


def set_call(venue: Venue, symbol: Symbol, *, begins: bool) -> Venue:
    """Return the venue after a name's own call auction (VI, or after a halt) began or ended.

    While it lasts nothing fills but at its single price (``step(..., single=...)``), and orders that cannot wait
    for one are not taken.
    """
    in_call = venue.in_call | {symbol} if begins else venue.in_call - {symbol}
    return replace(venue, in_call=in_call)


def _limits(
    rules: Rulebook, instruments: Mapping[Symbol, Instrument], base_prices: Mapping[Symbol, Won]
) -> dict[Symbol, tuple[Won, Won]]:
    limits = {}
    for symbol, item in instruments.items():
        base = base_prices.get(symbol, item.base_price)
        limits[symbol] = rules.price_limits(base, item.kind, item.market) if base > 0 else (0, 0)
    return limits
