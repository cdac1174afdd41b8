"""Daily price limits of a whole panel, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.krx.scalar import limit_prices

_NONE = int(np.iinfo(np.int64).max)


@njit(cache=True, error_model="numpy")
def daily_limits(
    open_: Int64Array,
    high: Int64Array,
    low: Int64Array,
    close: Int64Array,
    traded: BoolArray,
    edges: Int64Array,
    bases: Int64Array,
    limit_bp: Int64Array,
    table: NDArray[np.int32],
    bounds: Int64Array,
    sizes: Int64Array,
    lower: Int64Array,
    upper: Int64Array,
    bottom: Int64Array,
    top: Int64Array,
) -> None:
    """Write lowest and highest valid prices per session and symbol, 0 where nothing is known.

    ``edges`` (n_sessions, 2) holds the first row and the one after the last of each session. The
    base price is the given one, else the close before, else the first price of the day; if the
    day's range leaves the limits of a base, its open is the base and the limits widen to the range.
    ``lower`` and ``upper`` come as zeros; ``bottom`` and ``top`` (n_symbols,) are room to count in.
    """
    n_sessions, n_symbols = bases.shape
    for day in range(n_sessions):
        first_bar, end_bar = edges[day, 0], edges[day, 1]
        top[:] = 0
        bottom[:] = _NONE
        for bar in range(first_bar, end_bar):
            for s in range(n_symbols):
                top[s] = max(top[s], high[bar, s] if traded[bar, s] else 0)
                bottom[s] = min(bottom[s], low[bar, s] if traded[bar, s] else _NONE)
        for s in range(n_symbols):
            base = bases[day, s]
            if base <= 0 and first_bar > 0:
                base = close[first_bar - 1, s]
            opened = 0
            if top[s] > 0:
                bar = first_bar
                while not traded[bar, s]:
                    bar += 1
                opened = open_[bar, s]
            if base <= 0:
                base = opened
            if base > 0:
                first = table[day, s]
                low_limit, high_limit = limit_prices(base, limit_bp[day, s], bounds, sizes, first)
                if opened > 0 and (bottom[s] < low_limit or top[s] > high_limit):
                    low_limit, high_limit = limit_prices(opened, limit_bp[day, s], bounds, sizes, first)
                    low_limit = min(low_limit, bottom[s])
                    high_limit = max(high_limit, top[s])
                lower[day, s] = low_limit
                upper[day, s] = high_limit
