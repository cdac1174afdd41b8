"""Return and change of volume over a window: the sums behind their correlation, ten days at a time.

Only days count that traded, as did the day before; with fewer than half a window of them there is no
correlation. The sums over ten days are kept as series of their own, so that sixty days are six additions and
still depend on nothing but those sixty days.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.features.moments import correlation
from haetae.features.window import LANES, PAIR, RETURN, TEN, VOLUME_CHANGE, Float64Array, FloatArray

_SUMS = 6


@njit(cache=True, error_model="numpy")
def add_days(days: Float64Array, row: int, newest: int, oldest: int, sums: Float64Array) -> None:
    """Add the days of age ``newest <= age < oldest`` before ``row``."""
    x, xx, y, yy, xy, count = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for j in range(newest, oldest):
        moves, sizes, both = days[RETURN, row - j], days[VOLUME_CHANGE, row - j], days[PAIR, row - j]
        for s in range(LANES):
            move, size = moves[s] * both[s], sizes[s]
            x[s] += move
            xx[s] += move * move
            y[s] += size
            yy[s] += size * size
            xy[s] += move * size
            count[s] += both[s]


@njit(cache=True)
def keep_ten(days: Float64Array, row: int, sums: Float64Array) -> None:
    """Keep the sums of the ten days that end with ``row``."""
    for k in range(_SUMS):
        for s in range(LANES):
            days[TEN + k, row, s] = sums[k, s]


@njit(cache=True)
def add_tens(days: Float64Array, row: int, newest: int, oldest: int, sums: Float64Array) -> None:
    """Add the days of age ``newest <= age < oldest``, both multiples of ten."""
    for back in range(newest, oldest, 10):
        for k in range(_SUMS):
            ten, total = days[TEN + k, row - back], sums[k]
            for s in range(LANES):
                total[s] += ten[s]


@njit(cache=True, error_model="numpy")
def correlate(sums: Float64Array, width: float, cell: FloatArray) -> None:
    """Write the correlation over ``width`` days from their sums."""
    x, xx, y, yy, xy, count = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    for s in range(LANES):
        value = correlation(x[s], xx[s], y[s], yy[s], xy[s], count[s])
        cell[s] = value if 2.0 * count[s] >= width else np.nan
