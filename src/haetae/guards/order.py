"""Guards on the order itself: price and size. G09 to G12, G15, G16."""

from __future__ import annotations

from haetae.domain.market import Kind
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import Shares
from haetae.guards.finding import Cap, Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

_PPM = 1_000_000
_BP = 10_000


def tick_and_limits(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G09: limit price on the grid and inside the day's limits; market orders only to escape."""
    if intent.kind is OrderKind.MARKET:
        return None if intent.escape and intent.side is Side.SELL else "market orders are for escapes only"
    kind = Kind(now.kinds.get(intent.symbol, Kind.COMMON.value))
    lower, upper = now.rules.price_limits(now.base_prices[intent.symbol], kind)
    price = intent.limit_price
    if not now.rules.on_grid(price, kind):
        return f"{price} is not on the tick grid"
    return None if lower <= price <= upper else f"{price} is outside {lower} to {upper}"


def collar(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G10: the limit lies near the last price; one tick of rounding is granted to sells."""
    if intent.kind is OrderKind.MARKET:
        return None
    last, price = now.last[intent.symbol], intent.limit_price
    if intent.side is Side.BUY:
        low, high = last * (_BP - limits.entry_below_bp), last * (_BP + limits.entry_above_bp)
    else:
        below = limits.escape_below_bp if intent.escape else limits.exit_below_bp
        low, high = last * (_BP - below), last * (_BP + limits.exit_below_bp)
    if low <= price * _BP <= high:
        return None
    if intent.escape and price == now.rules.price_limits(now.base_prices[intent.symbol])[0]:
        return None
    return f"{price} is not within {low // _BP} to {high // _BP}"


def fat_finger(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G11: a small share of today's volume and of the usual turnover."""
    volume = now.volume_today.get(intent.symbol, 0)
    turnover = now.average_turnover.get(intent.symbol, 0)
    if turnover <= 0 and intent.side is Side.BUY:
        return "usual turnover is not known"
    allowed = volume * limits.day_volume_ppm // _PPM
    if turnover > 0:
        allowed = min(allowed, turnover * limits.turnover_share_ppm // _PPM // now.last[intent.symbol])
    if quantity <= allowed:
        return None
    return Cap(allowed, f"{quantity} of {volume} sh today, usual turnover {turnover} won")


def order_value(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G12: value of one order as a share of equity; an exit may always be at least one share."""
    budget = now.equity * limits.max_order_ppm // _PPM
    price = max(intent.limit_price, now.last[intent.symbol])
    if quantity * price <= budget:
        return None
    allowed = budget // price
    if intent.side is Side.SELL:
        allowed = max(1, allowed)
    return Cap(allowed, f"{quantity * price} won, allowed {budget}") if allowed < quantity else None


def orderable_cash(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G15: a buy is paid from cash that no open buy reserves, fees included."""
    if intent.side is Side.SELL:
        return None
    free = now.cash - now.reserved(limits.reserve_ppm)
    each = intent.limit_price * (_PPM + limits.reserve_ppm) // _PPM + 1
    if quantity * each <= free:
        return None
    return Cap(free // each, f"{quantity * each} won of {free} free")


def sellable(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G16: no more is sold than is held and not already on sale."""
    if intent.side is Side.BUY:
        return None
    free = now.held.get(intent.symbol, 0) - now.open_quantity(intent.symbol, Side.SELL)
    return None if quantity <= free else Cap(free, f"{quantity} of {free} sellable shares")
