"""How one order meets one bar: price and most shares, compiled scalars.

Here: the fill model's arithmetic, written once for ``Venue`` and for ``sim.batch``. Not here: rules
of the exchange (``krx.scalar``), whose order it is, what it costs. Prices are int64 won, volumes
shares; ``sign`` is +1 for a buy and -1 for a sell; a limit of 0 means a market order.
"""

from __future__ import annotations

from numba import njit

from haetae.domain.market import Int64Array
from haetae.krx.scalar import ticks_down, ticks_up, whole_lots

PPM = 1_000_000


@njit(cache=True, error_model="numpy")
def buy_price(
    limit: int,
    open_: int,
    high: int,
    low: int,
    upper: int,
    slippage: int,
    touch: bool,  # noqa: FBT001 - a compiled scalar of the model, always passed in place
    bounds: Int64Array,
    sizes: Int64Array,
    first: int = 0,
) -> int:
    """Return the price at which a buy fills in a bar, 0 if it does not."""
    if low == high and high >= upper:
        return 0
    if limit == 0:
        return min(ticks_up(open_, slippage, bounds, sizes, first), high)
    if open_ <= limit:
        return open_
    if low < limit or (touch and low == limit):
        return limit
    return 0


@njit(cache=True, error_model="numpy")
def sell_price(
    limit: int,
    open_: int,
    high: int,
    low: int,
    lower: int,
    slippage: int,
    touch: bool,  # noqa: FBT001 - a compiled scalar of the model, always passed in place
    bounds: Int64Array,
    sizes: Int64Array,
    first: int = 0,
) -> int:
    """Return the price at which a sell fills in a bar, 0 if it does not."""
    if low == high and low <= lower:
        return 0
    if limit == 0:
        return max(ticks_down(open_, slippage, bounds, sizes, first), low)
    if open_ >= limit:
        return open_
    if high > limit or (touch and high == limit):
        return limit
    return 0


@njit(cache=True, error_model="numpy")
def fill_price(
    sign: int,
    limit: int,
    open_: int,
    high: int,
    low: int,
    lower: int,
    upper: int,
    slippage: int,
    touch: bool,  # noqa: FBT001 - a compiled scalar of the model, always passed in place
    bounds: Int64Array,
    sizes: Int64Array,
    first: int = 0,
) -> int:
    """Return the price at which an order fills in a bar, 0 if it does not.

    The price lies in ``[low, high]``. A bar that leaves the day's limits is wrong data and fills
    nothing; a bar locked at the upper limit fills no buy, one locked at the lower limit no sell.
    """
    if low < lower or high > upper:
        return 0
    if sign > 0:
        return buy_price(limit, open_, high, low, upper, slippage, touch, bounds, sizes, first)
    return sell_price(limit, open_, high, low, lower, slippage, touch, bounds, sizes, first)


@njit(cache=True, error_model="numpy")
def volume_cap(volume: int, share_ppm: int, lot: int) -> int:
    """Return the most shares that all our orders of a symbol may take from a bar, in whole lots."""
    return whole_lots(volume * share_ppm // PPM, lot)
