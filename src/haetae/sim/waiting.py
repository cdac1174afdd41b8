"""Orders that the day changes while they rest: stops, and limits that join the closing auction.

Here: what a print or the clock does to them. Not here: which orders there are (`kinds`), their entry (`entry`),
fills (`trading`). Prices are won.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from haetae.domain.market import Phase, Slice
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Won
from haetae.krx.scalar import reserve_buy
from haetae.sim.book import VenueOrder
from haetae.sim.kinds import Pricing, Terms
from haetae.sim.venue import Venue

DORMANT: Instant = 2**62
"""A stop order is live from then on, which is never, until its trigger is reached."""


def join_closing(venue: Venue, at: Instant) -> Venue:
    """Return the venue with conditional orders turned into market orders once the closing auction has begun.

    A buy that cannot pay the upper limit becomes a limit at the most it can pay. They join in the order they were
    taken, at the beginning of the auction, whenever this is called first; again it changes nothing.
    """
    if not venue.orders.waiting or venue.rules.phase_at(at) is not Phase.CLOSING_AUCTION:
        return venue
    waiting = [venue.orders.open[intent_id] for intent_id in venue.orders.waiting]
    begins = venue.rules.session.auction_from
    for order in sorted(waiting, key=lambda order: order.sequence):
        if order.terms.pricing is not Pricing.CONDITIONAL:
            continue
        limit = _payable(venue, order) if order.side is Side.BUY else 0
        pricing = Pricing.LIMIT if limit else Pricing.MARKET
        live_from = max(order.live_from, begins)
        venue = venue.with_order(
            replace(order, kind=pricing.kind, limit_price=limit, live_from=live_from, terms=Terms(pricing))
        )
    return venue


def _payable(venue: Venue, order: VenueOrder) -> Won:
    """Return the highest price a buy may reach with the account's cash; 0 where it may reach the upper limit."""
    rules, item = venue.rules, venue.instruments[order.symbol]
    cash, upper = venue.orderable_cash + order.held, venue.limits[order.symbol][1]
    if reserve_buy(order.open_quantity, upper, rules.fee_ppb, order.amount) <= cash:
        return 0
    price = rules.floor_tick(max(cash // order.open_quantity, 1), item.kind, item.market)
    while price > order.limit_price and reserve_buy(order.open_quantity, price, rules.fee_ppb, order.amount) > cash:
        price = rules.floor_tick(price - 1, item.kind, item.market)
    return max(price, order.limit_price)


def wake(venue: Venue, piece: Slice, *, printed: bool = False) -> Venue:
    """Return the venue after a slice: stops whose trigger it reached are live from its end on.

    ``printed`` says that a bar is one print, its open; else its whole range counts.
    """
    highest, lowest = (piece.open, piece.open) if printed else (piece.high, piece.low)
    woken = []
    for intent_id in sorted(venue.orders.waiting):
        order = venue.orders.open[intent_id]
        row = bisect_left(piece.symbols, order.symbol)
        known = row < len(piece.symbols) and piece.symbols[row] == order.symbol and piece.traded[row]
        if order.live_from != DORMANT or not known:
            continue
        trigger = order.terms.trigger
        if highest[row] >= trigger if order.side is Side.BUY else lowest[row] <= trigger:
            live_from = max(piece.end, order.sent_at) + venue.model.latency_ns
            woken.append(replace(order, live_from=live_from, terms=Terms(Pricing.LIMIT, order.terms.hours)))
    return replace(venue, orders=venue.orders.changed(woken)) if woken else venue
