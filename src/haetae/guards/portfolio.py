"""Guards on the portfolio and its losses: G13, G14, G19 to G21.

As everywhere here, a comparison with what is not a number refuses.
"""

from __future__ import annotations

from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import Shares, Won
from haetae.guards.finding import Cap, Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

_PPM = 1_000_000


def room_for(quantity: Shares, price: Won, room: Won, what: str) -> Finding:
    """Return the cap of shares at a price that a room in won leaves."""
    if quantity * price <= room:
        return None
    return Cap(room // price, f"{what}: {quantity * price} won, room for {room}")


def position_size(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G13: value of one name, open buys included."""
    if intent.side is Side.SELL:
        return None
    room = now.basis * limits.max_position_ppm // _PPM - now.exposure(intent.symbol)
    return room_for(quantity, max(intent.limit_price, now.last[intent.symbol]), room, "position")


def concentration(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G14: sector, gross and the five largest names; a name without a sector shares one with all such."""
    if intent.side is Side.SELL:
        return None
    values, sector_of = now.exposures(), now.session.sectors.get
    largest = sorted(values.values(), reverse=True)
    if largest and not largest[-1] > 0:
        return "a name that is held has no price"
    own, sector = values.get(intent.symbol, 0), sector_of(intent.symbol, "")
    in_sector = sum([value for symbol, value in values.items() if sector_of(symbol, "") == sector])
    largest = largest[:5]
    if own in largest:
        largest.remove(own)
    largest_others = sum(largest[:4])
    basis = now.basis
    rooms = (
        ("gross", basis * limits.max_gross_ppm // _PPM - sum(values.values())),
        ("sector", basis * limits.max_sector_ppm // _PPM - in_sector),
        ("top five", basis * limits.max_top5_ppm // _PPM - largest_others - own),
    )
    what, room = min(rooms, key=lambda item: item[1])
    return room_for(quantity, max(intent.limit_price, now.last[intent.symbol]), room, what)


def turnover(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G19: what a day buys, and what it trades; only buys are limited, since leaving must stay possible."""
    if intent.side is Side.SELL:
        return None
    if not (now.bought_today >= 0 and now.sold_today >= 0):
        return f"what was traded today is not known ({now.bought_today}, {now.sold_today})"
    waiting = now.reserved(0)
    bought = now.opening_equity * limits.daily_buys_ppm // _PPM - now.bought_today - waiting
    traded = now.opening_equity * limits.daily_turnover_ppm // _PPM - now.bought_today - now.sold_today - waiting
    return room_for(quantity, max(intent.limit_price, now.last[intent.symbol]), min(bought, traded), "turnover")


def losses(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G20: no buys at the loss limit of the day or the week, nor deep below the peak."""
    if intent.side is Side.SELL:
        return None
    equity = now.equity
    for what, before, allowed in (
        ("day", now.opening_equity, limits.day_loss_reduce_ppm),
        ("week", now.week_equity, limits.week_loss_ppm),
        ("peak", now.peak_equity, limits.drawdown_ppm),
    ):
        if not before > 0:
            return f"equity of the {what} is not known ({before})"
        if not (before - equity) * _PPM < allowed * before:
            return f"{(before - equity) * _PPM // before} ppm below that of the {what} ({before}), allowed {allowed}"
    return None


def loss_streak(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G21: after several losing exits nothing is bought, and a name sold at a loss rests for the day."""
    if intent.side is Side.SELL:
        return None
    if not 0 <= now.losing_exits < limits.losing_exits:
        return f"{now.losing_exits} losing exits today, allowed below {limits.losing_exits}"
    resting = limits.rest_after_loss and intent.symbol in now.lost_symbols
    return "sold at a loss today" if resting else None
