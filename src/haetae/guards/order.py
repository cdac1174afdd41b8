"""Guards on the order itself: price and size. G09 to G12, G15, G16.

A comparison is written so that what is not a number fails it: ``not a <= b`` refuses where ``a > b`` would not.
"""

from __future__ import annotations

from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import NS_PER_SECOND, Shares, Won
from haetae.guards.finding import Cap, Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

_PPM = 1_000_000
_BP = 10_000


def tick_and_limits(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G09: whole shares in lots at a whole price on the grid, inside the day's limits; market orders only to escape."""
    price = intent.limit_price
    if type(price) is not int or type(quantity) is not int:
        return f"{quantity} sh at {price} won are not whole numbers"
    if intent.kind is OrderKind.MARKET:
        return None if intent.escape and intent.side is Side.SELL else "market orders are for escapes only"
    kind, market = now.listed_as(intent.symbol)
    base = now.session.base_prices[intent.symbol]
    lower, upper = now.rules.price_limits(base, kind, market)
    if not now.rules.on_grid(price, kind, market):
        return f"{price} is not on the grid of ticks of {now.rules.tick_size(price, kind, market)}"
    if not lower <= price <= upper:
        return f"{price} is outside {lower} to {upper}"
    lot = now.rules.lot(base, kind, market)
    return Cap(quantity - quantity % lot, f"{quantity} sh in lots of {lot}") if quantity % lot else None


def collar(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G10: the limit lies near the last price; an escape's may fall as time passes, and is free at the lower limit."""
    if intent.kind is OrderKind.MARKET:
        return None
    last, price = now.last[intent.symbol], intent.limit_price
    if intent.side is Side.BUY:
        low, high = last * (_BP - limits.entry_below_bp), last * (_BP + limits.entry_above_bp)
    else:
        low, high = last * (_BP - limits.exit_below_bp), last * (_BP + limits.exit_below_bp)
    if intent.escape:
        low = _escape_low(intent, last, now, limits) * _BP
    return None if low <= price * _BP <= high else f"{price} is not within {low // _BP} to {high // _BP}"


def _escape_low(intent: OrderIntent, last: Won, now: Situation, limits: Limits) -> Won:
    """Return the lowest price of an escape: it falls while the name is being left, down to the day's lower limit.

    It is rounded down to the grid, as the escape rounds its prices: toward leaving.
    """
    seconds = (now.at - now.fleeing_since(intent.symbol)) // NS_PER_SECOND
    below = min(_BP, limits.escape_below_bp + seconds // limits.escape_step_s * limits.escape_step_bp)
    lowest = now.price_limits(intent.symbol)[0]
    if intent.limit_price == lowest:  # at the limit it queues, whatever the last price is
        return lowest
    kind, market = now.listed_as(intent.symbol)
    return max(lowest, now.rules.floor_tick(last * (_BP - below) // _BP, kind, market))


def fat_finger(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G11: a small share of today's volume and of the usual turnover; a sale may be of a name of unknown turnover."""
    volume = now.volume_today.get(intent.symbol, 0)
    turnover = now.session.average_turnover.get(intent.symbol, 0)
    allowed = volume * limits.day_volume_ppm // _PPM
    if turnover > 0:
        allowed = min(allowed, turnover * limits.turnover_share_ppm // _PPM // now.last[intent.symbol])
    elif turnover < 0 or intent.side is Side.BUY:
        return "usual turnover is not known"
    if quantity <= allowed:
        return None
    return Cap(allowed, f"{quantity} of {volume} sh today, usual turnover {turnover} won, allowed {allowed}")


def order_value(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G12: value of one order as a share of equity; an exit may always be at least one share."""
    budget = now.basis * limits.max_order_ppm // _PPM
    if type(budget) is not int:
        return f"equity is not known ({now.equity})"
    price = max(intent.limit_price, now.last[intent.symbol])
    if quantity * price <= budget:
        return None
    allowed = budget // price
    if intent.side is Side.SELL:
        allowed = max(1, allowed)
    return Cap(allowed, f"{quantity * price} won, allowed {budget}") if allowed < quantity else None


def orderable_cash(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G15: a buy is paid from cash that no open buy reserves and that the broker shows too, fees included."""
    if intent.side is Side.SELL:
        return None
    if not now.short_cash >= 0:
        return f"the broker's cash is not known ({now.short_cash})"
    free = now.cash - now.reserved(limits.reserve_ppm) - now.short_cash
    each = intent.limit_price * (_PPM + limits.reserve_ppm) // _PPM + 1
    if quantity * each <= free:
        return None
    return Cap(free // each, f"{quantity * each} won of {free} free")


def sellable(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G16: no more is sold than is held, shown by the broker and not already on sale."""
    if intent.side is Side.BUY:
        return None
    missing = now.short_shares.get(intent.symbol, 0)
    if not missing >= 0:
        return f"the broker's holding is not known ({missing})"
    free = now.held.get(intent.symbol, 0) - missing - now.open_quantity(intent.symbol, Side.SELL)
    return None if quantity <= free else Cap(free, f"{quantity} of {free} sellable shares")
