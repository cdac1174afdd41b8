"""Resting orders meet a slice of the market.

Here: which orders are eligible, in which turn they share a bar's volume, the fills and what they
cost. Not here: at which price (`matching`), the entry of orders (`entry`), stops and conditional
orders (`waiting`). A fill is known at the end of its slice and stamped so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import replace

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import Phase, Slice
from haetae.domain.orders import Canceled, Fill, Filled, OrderEvent, OrderStatus, Side, TimeInForce
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.krx import Charge
from haetae.krx.afterhours import OffHours
from haetae.sim.book import VenueOrder
from haetae.sim.faults import check_slice
from haetae.sim.matching import fill_price, volume_cap
from haetae.sim.venue import Venue
from haetae.sim.waiting import join_closing, wake

_AUCTIONS = (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)
_MARKET_ORDER = 2**62
"""How much worse than any price a market order would take."""


def step(
    venue: Venue,
    piece: Slice,
    *,
    single: Collection[Symbol] = frozenset(),
    among: Collection[str] | None = None,
    hours: OffHours | None = None,
    printed: bool = False,
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after a slice, with the fills and cancels it caused.

    Orders take their turn by instant, symbol and sequence; at the one price of an auction those that would have
    paid (or taken) a worse price come first. A slice that ended before what is known already changes nothing;
    slices may hold a part of the symbols.

    Parameters
    ----------
    single : collection of symbols
        Names whose slice is the end of a call auction of their own: its close is the one price, and it takes
        every order that was entered before it ended. The opening and closing auctions of a slice's own phase
        need not be named.
    among : collection of intent ids, optional
        The only orders that may meet the slice.
    hours : OffHours, optional
        The market outside the regular session that the slice is of; it meets the orders for that market.
    printed : bool
        Each bar is one print, its open, on the way to the next: stops are judged by the print alone.

    Raises
    ------
    MarketRuleError
        If a slice begins before the newest known one ended: it would be met twice in part.
    DataError
        If a bar of the slice is corrupt.
    """
    if piece.end <= venue.known_until:
        return venue, ()
    if piece.start < venue.known_until:
        raise MarketRuleError(
            Text(ko="시장 자료 구간이 겹칩니다", en="slices overlap"),
            expected=f"a slice that begins at or after {venue.known_until}",
            found=f"[{piece.start}, {piece.end})",
            next_step="deliver slices in order and without overlap",
        )
    check_slice(piece)
    venue = join_closing(venue, piece.start)
    all_single = venue.rules.phase_at(piece.start) in _AUCTIONS
    trade = _Trade(venue, piece)
    for order, row, one_price in _turns(venue, piece, single, among, hours, all_single=all_single):
        trade.meet(order, row, one_price=one_price)
    after = trade.result()
    return wake(after, piece, printed=printed) if after.orders.waiting else after, tuple(trade.events)


def _turns(
    venue: Venue,
    piece: Slice,
    single: Collection[Symbol],
    among: Collection[str] | None,
    hours: OffHours | None,
    *,
    all_single: bool,
) -> list[tuple[VenueOrder, int, bool]]:
    """Return the orders that meet a slice in their turn, with the row of each and whether it has one price."""
    found: list[tuple[tuple[int, Instant, Symbol, int], VenueOrder, int, bool]] = []
    for order in venue.orders.open.values():
        if (order.terms.hours is not hours) if among is None else (order.intent_id not in among):
            continue
        own = order.symbol in single
        if order.live_from > (piece.end - 1 if own else piece.start):
            continue
        row = bisect_left(piece.symbols, order.symbol)
        if row == len(piece.symbols) or piece.symbols[row] != order.symbol:
            continue
        eager = _eagerness(order, int(piece.close[row])) if all_single or own else 0
        turn = (-eager, order.live_from, order.symbol, order.sequence)
        found.append((turn, order, row, all_single or own))
    found.sort(key=lambda one: one[0])
    return [(order, row, one_price) for _, order, row, one_price in found]


def _eagerness(order: VenueOrder, price: Won) -> Won:
    """Return how much worse a price than the auction's an order would take."""
    if not order.limit_price:
        return _MARKET_ORDER
    return order.limit_price - price if order.side is Side.BUY else price - order.limit_price


class _Trade:
    """What a slice does to a venue, order by order; the venue itself does not change."""

    def __init__(self, venue: Venue, piece: Slice) -> None:
        self.venue = venue
        self.piece = piece
        self.events: list[OrderEvent] = []
        self._left: dict[Symbol, Shares] = {}
        self._cash, self._fees, self._taxes = venue.cash, venue.fees, venue.taxes
        self._holdings: dict[Symbol, Shares] = {}
        self._changed: list[VenueOrder] = []

    def meet(self, order: VenueOrder, row: int, *, one_price: bool) -> None:
        """Let one order meet its bar."""
        quantity = 0
        closed = order.symbol in self.venue.halted or (order.symbol in self.venue.in_call and not one_price)
        price = 0 if closed else self._price(order, row, one_price=one_price)
        if price:
            quantity = min(order.open_quantity, self._volume_left(order.symbol, row))
            if order.time_in_force is TimeInForce.FOK and quantity < order.open_quantity:
                quantity = 0
        if quantity:
            self._left[order.symbol] -= quantity
            order = self._fill(order, quantity, price)
        if order.is_open and order.time_in_force is not TimeInForce.DAY:
            self.events.append(Canceled(order.intent_id, self.piece.end, order.filled))
            order = replace(order, status=OrderStatus.CANCELED, held=0)
        elif not quantity:
            return
        self._changed.append(order)

    def _volume_left(self, symbol: Symbol, row: int) -> Shares:
        if symbol not in self._left:
            lot = self.venue.instruments[symbol].lot
            share = self.venue.model.volume_share_ppm
            self._left[symbol] = int(volume_cap(int(self.piece.volume[row]), share, lot))
        return self._left[symbol]

    def _price(self, order: VenueOrder, row: int, *, one_price: bool) -> Won:
        piece, venue = self.piece, self.venue
        if not piece.traded[row]:
            return 0
        item = venue.instruments[order.symbol]
        lower, upper = venue.limits[order.symbol]
        close = int(piece.close[row])
        return int(
            fill_price(
                1 if order.side is Side.BUY else -1,
                order.limit_price,
                close if one_price else int(piece.open[row]),
                close if one_price else int(piece.high[row]),
                close if one_price else int(piece.low[row]),
                lower,
                upper,
                venue.model.slippage_ticks,
                venue.model.touch,
                *venue.rules.tick_table(item.kind, item.market),
            )
        )

    def _fill(self, order: VenueOrder, quantity: Shares, price: Won) -> VenueOrder:
        amount, filled = quantity * price, order.filled + quantity
        fill = Fill(
            order_id=order.order_id,
            intent_id=order.intent_id,
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            amount=amount,
            cumulative=filled,
            at=self.piece.end,
            amount_before=order.amount,
        )
        item = self.venue.instruments[order.symbol]
        charge: Charge = self.venue.rules.charge_fill(fill, item.market, item.kind)
        sign = 1 if order.side is Side.BUY else -1
        self._cash -= sign * amount + charge.total
        self._fees += charge.fee
        self._taxes += charge.tax
        owned = self._holdings.get(order.symbol, self.venue.holdings.get(order.symbol, 0))
        self._holdings[order.symbol] = owned + sign * quantity
        self.events.append(Filled(order.intent_id, self.piece.end, fill))
        held = self.venue.hold(
            order.symbol, order.side, order.quantity - filled, order.limit_price, order.amount + amount
        )  # fmt: skip
        return order.after_fill(quantity, amount, held)

    def result(self) -> Venue:
        """Return the venue after the slice."""
        venue = self.venue
        holdings = venue.holdings
        if self._holdings:
            merged = {**holdings, **self._holdings}
            holdings = {symbol: shares for symbol, shares in merged.items() if shares}
        return Venue(
            rules=venue.rules,
            instruments=venue.instruments,
            model=venue.model,
            cash=self._cash,
            holdings=holdings,
            limits=venue.limits,
            orders=venue.orders.changed(self._changed) if self._changed else venue.orders,
            halted=venue.halted,
            in_call=venue.in_call,
            sequence=venue.sequence,
            known_until=self.piece.end,
            fees=self._fees,
            taxes=self._taxes,
        )
