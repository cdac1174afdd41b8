"""Orders whose price or life depends on the market: stops, and limits that join the closing auction.

Here: how a venue's orders change, from what was printed or from the clock. Not here: which orders there are
(``accounts``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from haetae.domain.market import Slice
from haetae.domain.orders import OrderKind, Side
from haetae.domain.units import Instant, Won
from haetae.emulator.orders import OrderRow
from haetae.krx.scalar import reserve_buy
from haetae.sim import Venue

DORMANT: Instant = 2**62
"""A stop order is live from then on, which is never, until its condition is met."""


def put_to_sleep(venue: Venue, intent_id: str) -> Venue:
    """Return the venue with an order that meets nothing until it is woken."""
    return venue.with_order(replace(venue.orders[intent_id], live_from=DORMANT))


def wake(venue: Venue, rows: Iterable[OrderRow], piece: Slice) -> Venue:
    """Return the venue after a slice: stops whose condition its print reached are live from its end on."""
    for row in rows:
        if not row.trigger or row.symbol not in piece.symbols:
            continue
        order, place = venue.orders[row.intent_id], piece.symbols.index(row.symbol)
        if order.live_from != DORMANT or not piece.traded[place]:
            continue
        price = int(piece.open[place])
        if price >= row.trigger if row.side is Side.BUY else price <= row.trigger:
            venue = venue.with_order(replace(order, live_from=piece.end))
    return venue


def join_closing(venue: Venue, row: OrderRow, at: Instant) -> Venue:
    """Return the venue with a conditional order turned into a market order, as far as the cash goes."""
    order = venue.orders[row.intent_id]
    if order.kind is OrderKind.MARKET or order.status.terminal:
        return venue
    limit = _payable(venue, row) if row.side is Side.BUY else 0
    kind = OrderKind.LIMIT if limit else OrderKind.MARKET
    return venue.with_order(replace(order, kind=kind, limit_price=limit, live_from=at))


def _payable(venue: Venue, row: OrderRow) -> Won:
    """Return the highest price a buy may reach with the account's cash; 0 where it may reach the upper limit."""
    order, rules = venue.orders[row.intent_id], venue.rules
    cash = venue.orderable_cash + venue.reservation(order)
    item, upper = venue.instruments[row.symbol], venue.limits[row.symbol][1]
    if reserve_buy(order.open_quantity, upper, rules.fee_ppb, order.amount) <= cash:
        return 0
    price = rules.floor_tick(max(cash // order.open_quantity, 1), item.kind, item.market)
    while price > order.limit_price and reserve_buy(order.open_quantity, price, rules.fee_ppb, order.amount) > cash:
        price = rules.floor_tick(price - 1, item.kind, item.market)
    return max(price, order.limit_price)
