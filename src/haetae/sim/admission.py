"""Whether the broker takes an order: codes and the compiled check.

Here: one function for ``Venue`` and ``sim.batch``, so both refuse for the same reason. Not here:
phases, halts and the life of orders (`venue`), our own guards (``haetae.guards``). Prices and cash
are int64 won, quantities shares.
"""

from __future__ import annotations

from enum import Enum

from numba import njit

from haetae.domain.market import Int64Array
from haetae.krx.scalar import floor_tick, reserve_buy, whole_lots

OK = 0
NO_BASE_PRICE = 1
BAD_LOT = 2
OFF_TICK = 3
OUTSIDE_LIMITS = 4
NO_SHARES = 5
NO_CASH = 6
HALTED = 7
NOT_IN_AUCTION = 8

_HUGE = 4e18
"""Amounts beyond this would leave int64; no account can pay them."""


class RejectCode(Enum):
    """Why the simulated broker refuses; the value is the code in ``Rejected``."""

    NO_BASE_PRICE = "no_base_price"
    BAD_LOT = "bad_lot"
    OFF_TICK = "off_tick"
    OUTSIDE_LIMITS = "outside_limits"
    NO_SHARES = "no_shares"
    NO_CASH = "no_cash"
    UNKNOWN_SYMBOL = "unknown_symbol"
    MARKET_CLOSED = "market_closed"
    HALTED = "halted"
    UNKNOWN_ORDER = "unknown_order"
    NOT_OPEN = "not_open"
    NOT_A_LIMIT = "not_a_limit"
    NOT_IN_AUCTION = "not_in_auction"
    AT_THE_LIMIT = "at_the_limit"
    TOO_MANY = "too_many"


BY_NUMBER: tuple[RejectCode | None, ...] = (
    None,
    RejectCode.NO_BASE_PRICE,
    RejectCode.BAD_LOT,
    RejectCode.OFF_TICK,
    RejectCode.OUTSIDE_LIMITS,
    RejectCode.NO_SHARES,
    RejectCode.NO_CASH,
    RejectCode.HALTED,
    RejectCode.NOT_IN_AUCTION,
)
"""The code of each number that ``check`` and ``sim.batch`` return; ``None`` for ``OK``."""


@njit(cache=True, error_model="numpy")
def check(
    sign: int,
    quantity: int,
    limit: int,
    lower: int,
    upper: int,
    lot: int,
    cash: int,
    shares: int,
    fee_ppb: int,
    bounds: Int64Array,
    sizes: Int64Array,
    first: int = 0,
) -> int:
    """Return ``OK`` or the number of the first rule an order breaks.

    ``cash`` and ``shares`` are what no other open order has reserved. A market buy must be able to
    pay the upper limit, a limit buy its price, both with the fee.
    """
    if upper <= 0:
        return NO_BASE_PRICE
    if quantity <= 0 or whole_lots(quantity, lot) != quantity:
        return BAD_LOT
    if limit != 0 and floor_tick(limit, bounds, sizes, first) != limit:
        return OFF_TICK
    if limit != 0 and (limit < lower or limit > upper):
        return OUTSIDE_LIMITS
    if sign < 0:
        return OK if quantity <= shares else NO_SHARES
    price = limit if limit != 0 else upper
    if quantity * 1.0 * price > _HUGE or reserve_buy(quantity, price, fee_ppb) > cash:
        return NO_CASH
    return OK
