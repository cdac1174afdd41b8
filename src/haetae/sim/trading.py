"""Resting orders meet a slice of the market.

Here: which orders are eligible, in which turn they share a bar's volume, the fills and what they
cost. Not here: at which price (`matching`), the entry of orders (`entry`). A fill is known at the
end of its slice and stamped so.
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
from haetae.sim.matching import fill_price, volume_cap
from haetae.sim.venue import Venue, VenueOrder

_AUCTIONS = (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)


def step(
    venue: Venue,
    piece: Slice,
    *,
    single: Collection[Symbol] = frozenset(),
    among: Collection[str] | None = None,
) -> tuple[Venue, tuple[OrderEvent, ...]]:
    """Return the venue after a slice, with the fills and cancels it caused.

    Orders take their turn by instant, symbol and sequence. A slice that ended before what is known
    already changes nothing; slices may hold a part of the symbols.

    Parameters
    ----------
    single : collection of symbols
        Names whose slice is the end of a call auction of their own: its close is the one price, and it takes
        every order that was entered before it ended. The opening and closing auctions of a slice's own phase
        need not be named.
    among : collection of intent ids, optional
        The only orders that may meet the slice (a market of its own outside the regular session).

    Raises
    ------
    MarketRuleError
        If a slice begins before the newest known one ended: it would be met twice in part.
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
    all_single = venue.rules.phase_at(piece.start) in _AUCTIONS
    left: dict[Symbol, Shares] = {}
    cash, fees, taxes = venue.cash, venue.fees, venue.taxes
    holdings = dict(venue.holdings)
    orders = dict(venue.orders)
    events: list[OrderEvent] = []
    waiting = (
        order
        for order in venue.open_orders()
        if order.live_from <= (piece.end - 1 if order.symbol in single else piece.start)
        and (among is None or order.intent_id in among)
    )
    for order in sorted(waiting, key=lambda order: (order.live_from, order.symbol, order.sequence)):
        row = bisect_left(piece.symbols, order.symbol)
        if row == len(piece.symbols) or piece.symbols[row] != order.symbol:
            continue
        one_price = all_single or order.symbol in single
        price = 0 if order.symbol in venue.halted else _price(venue, order, piece, row, one_price=one_price)
        if price:
            if order.symbol not in left:
                lot = venue.instruments[order.symbol].lot
                left[order.symbol] = int(volume_cap(int(piece.volume[row]), venue.model.volume_share_ppm, lot))
            quantity = min(order.open_quantity, left[order.symbol])
            if order.time_in_force is TimeInForce.FOK and quantity < order.open_quantity:
                quantity = 0
            if quantity:
                left[order.symbol] -= quantity
                order, event, charge = _fill(venue, order, quantity, price, piece.end)
                sign = 1 if order.side is Side.BUY else -1
                cash -= sign * quantity * price + charge.total
                fees += charge.fee
                taxes += charge.tax
                holdings[order.symbol] = holdings.get(order.symbol, 0) + sign * quantity
                events.append(event)
        if order.open_quantity and order.time_in_force is not TimeInForce.DAY:
            events.append(Canceled(order.intent_id, piece.end, order.filled))
            order = replace(order, status=OrderStatus.CANCELED)
        orders[order.intent_id] = order
    after = replace(
        venue,
        cash=cash,
        fees=fees,
        taxes=taxes,
        holdings={symbol: shares for symbol, shares in holdings.items() if shares},
        orders=orders,
        known_until=piece.end,
    )
    return after, tuple(events)


def _price(venue: Venue, order: VenueOrder, piece: Slice, row: int, *, one_price: bool) -> Won:
    if not piece.traded[row]:
        return 0
    item = venue.instruments[order.symbol]
    lower, upper = venue.limits[order.symbol]
    close = int(piece.close[row])
    opened, high, low = int(piece.open[row]), int(piece.high[row]), int(piece.low[row])
    return int(
        fill_price(
            1 if order.side is Side.BUY else -1,
            order.limit_price,
            close if one_price else opened,
            close if one_price else high,
            close if one_price else low,
            lower,
            upper,
            venue.model.slippage_ticks,
            venue.model.touch,
            *venue.rules.tick_table(item.kind, item.market),
        )
    )


def _fill(
    venue: Venue, order: VenueOrder, quantity: Shares, price: Won, at: Instant
) -> tuple[VenueOrder, Filled, Charge]:
    amount = quantity * price
    filled = order.filled + quantity
    status = OrderStatus.FILLED if filled == order.quantity else order.status
    after = replace(order, filled=filled, amount=order.amount + amount, status=status)
    item = venue.instruments[order.symbol]
    fill = Fill(
        order_id=order.order_id,
        intent_id=order.intent_id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        amount=amount,
        cumulative=filled,
        at=at,
        amount_before=order.amount,
    )
    charge = venue.rules.charge_fill(fill, item.market, item.kind)
    return after, Filled(order.intent_id, at, fill), charge
