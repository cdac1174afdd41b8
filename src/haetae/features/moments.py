"""From sums over a window to what they say: spread, line through the window, correlation.

The sums of prices are taken of differences from the newest close: whole won, so they are exact, a flat
window is flat to the last bit, and no error grows with the history. Time runs backward in the sums
(``j`` = 0 is the newest day) and forward in the results. NaN where a window does not vary.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_NOISE = 1e-12
"""A variance below this share of the mean square is what rounding leaves of a constant."""


@njit(cache=True, error_model="numpy")
def deviation(total: float, squares: float, count: float) -> float:
    """Return the sample standard deviation (count - 1) from a sum and a sum of squares."""
    spread = count * squares - total * total
    return math.sqrt(spread / (count * (count - 1.0))) if spread > 0.0 else 0.0


@njit(cache=True, error_model="numpy")
def slope(total: float, by_age: float, count: float) -> float:
    """Return the least-squares rise a day; ``by_age`` is the sum of ``j`` times the value."""
    across = 0.5 * (count - 1.0) * total - by_age
    return across * 12.0 / (count * (count * count - 1.0))


@njit(cache=True, error_model="numpy")
def residual(total: float, by_age: float, count: float) -> float:
    """Return how far the newest value lies above its line, where sums are of differences from the newest."""
    return -(total / count + slope(total, by_age, count) * 0.5 * (count - 1.0))


@njit(cache=True, error_model="numpy")
def rsquare(total: float, squares: float, by_age: float, count: float) -> float:
    """Return the share of the variance that the line explains, 0..1; NaN in a flat window."""
    spread = count * squares - total * total
    across = 0.5 * (count - 1.0) * total - by_age
    share = across * across * 12.0 / ((count * count - 1.0) * spread)
    return min(share, 1.0) if spread > 0.0 else np.nan


@njit(cache=True, error_model="numpy")
def correlation(x: float, xx: float, y: float, yy: float, xy: float, count: float) -> float:
    """Return the correlation of two series from their sums, -1..1; NaN where one of them does not vary."""
    x_spread, y_spread = count * xx - x * x, count * yy - y * y
    varies = x_spread > _NOISE * count * xx and y_spread > _NOISE * count * yy
    value = (count * xy - x * y) / math.sqrt(x_spread * y_spread)
    return max(-1.0, min(value, 1.0)) if varies else np.nan
