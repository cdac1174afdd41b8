"""Rule arithmetic of the KRX on integers, compiled: the only place where it is written.

Here: tick rounding, daily limits, whole lots, charges, the cash a buy ties up, when a price trips a VI.
Called one value at a time by ``Rulebook`` and ``sim.Venue`` and from inside the compiled loops of
``sim.batch`` and of the emulator. Not here: the dated tables (`ticks`, `costs`). Prices and
amounts are int64 won, rates are parts per billion (ppb), tick tables are two int64 arrays: exclusive
upper bounds (the last one is the largest int64) and sizes. Several tables may stand one behind the
other; ``first`` is where the one meant begins.
Nothing leaves int64 for prices up to 1e14 won, amounts up to 4e18 won and rates up to 100 %.
"""

from __future__ import annotations

from numba import njit

from haetae.domain.market import Int64Array

PPB = 1_000_000_000
BP = 10_000


@njit(cache=True, error_model="numpy")
def tick_size(price: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> int:
    """Return the tick (won) in force at a price."""
    row = first
    while price >= bounds[row]:
        row += 1
    return sizes[row]


@njit(cache=True, error_model="numpy")
def floor_tick(price: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> int:
    """Return the highest valid price at or below a price."""
    return price - price % tick_size(price, bounds, sizes, first)


@njit(cache=True, error_model="numpy")
def ceil_tick(price: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> int:
    """Return the lowest valid price at or above a price."""
    tick = tick_size(price, bounds, sizes, first)
    over = price % tick
    return price + tick - over if over else price


@njit(cache=True, error_model="numpy")
def ticks_up(price: int, count: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> int:
    """Return the valid price ``count`` ticks above a price, which is rounded up to the grid first."""
    result = ceil_tick(price, bounds, sizes, first)
    for _ in range(count):
        result += tick_size(result, bounds, sizes, first)
    return result


@njit(cache=True, error_model="numpy")
def ticks_down(price: int, count: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> int:
    """Return the valid price ``count`` ticks below a price, rounded down first; never below one tick."""
    result = floor_tick(price, bounds, sizes, first)
    for _ in range(count):
        result -= tick_size(result - 1, bounds, sizes, first)
    return max(result, sizes[first])


@njit(cache=True, error_model="numpy")
def limit_prices(base: int, limit_bp: int, bounds: Int64Array, sizes: Int64Array, first: int = 0) -> tuple[int, int]:
    """Return the lowest and highest valid price of a day from its base price (기준가).

    The band is ``base x limit`` cut to the tick of the base price; prices are then rounded inward.
    """
    band = base * limit_bp // BP
    band -= band % tick_size(base, bounds, sizes, first)
    return ceil_tick(base - band, bounds, sizes, first), floor_tick(base + band, bounds, sizes, first)


@njit(cache=True, error_model="numpy")
def trips(price: int, reference: int, rate_bp: int) -> bool:
    """Return whether a price is at or beyond ``reference ± reference x rate``; a rate of 0 never trips."""
    return rate_bp > 0 and abs(price - reference) * BP >= reference * rate_bp


@njit(cache=True, error_model="numpy")
def whole_lots(quantity: int, lot: int) -> int:
    """Return the most shares in whole lots that are not more than a quantity of at least 0."""
    return quantity if lot == 1 else quantity // lot * lot


@njit(cache=True, error_model="numpy")
def part_of(amount: int, rate_ppb: int) -> int:
    """Return ``floor(amount x rate)``, exactly and without overflow of the product."""
    return amount // PPB * rate_ppb + amount % PPB * rate_ppb // PPB


@njit(cache=True, error_model="numpy")
def charge(amount: int, rate_ppb: int) -> int:
    """Return the fee or tax on an amount: floored to a won."""
    return part_of(amount, rate_ppb)


@njit(cache=True, error_model="numpy")
def charge_next(before: int, amount: int, rate_ppb: int) -> int:
    """Return the fee or tax that ``amount`` adds to an order which has executed ``before``.

    It is floored on the order's whole amount, so executions add up to the same won however they are told.
    """
    return charge(before + amount, rate_ppb) - charge(before, rate_ppb)


@njit(cache=True, error_model="numpy")
def reserve_buy(quantity: int, price: int, fee_ppb: int, before: int = 0) -> int:
    """Return the cash a buy ties up: amount at ``price`` (the upper limit for market orders) and fee.

    ``before`` is what the order has executed already; the fee on the rest depends on it by a won.
    """
    amount = quantity * price
    return amount + charge_next(before, amount, fee_ppb)


@njit(cache=True, error_model="numpy")
def spendable(cash: int, fee_ppb: int) -> int:
    """Return the largest amount that, with the fee on it, is not more than ``cash``.

    ``amount + floor(amount x rate) <= cash`` says ``amount x (1 + rate) < cash + 1``; the quotient is taken
    in two parts, so that no product leaves int64.
    """
    if cash <= 0:
        return 0
    whole = PPB + fee_ppb
    over = (cash + 1) % whole * PPB
    most = (cash + 1) // whole * PPB + over // whole
    return most if over % whole else most - 1


@njit(cache=True, error_model="numpy")
def affordable(cash: int, price: int, fee_ppb: int, lot: int) -> int:
    """Return the most shares, in whole lots, that ``cash`` can reserve at a price; 0 if none."""
    if price <= 0:
        return 0
    return whole_lots(spendable(cash, fee_ppb) // price, lot)
