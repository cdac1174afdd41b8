"""How a name moves with the index: slope, correlation, what is left. Windows, summed anew each day.

The index is that of the inputs, else the equal-weight market of the panel itself (``market``). A window with a
missing index day gives NaN.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import INDEX, RET, deviation

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("beta_120", "close index", 120, "slope on the index return"),
    spec("correlation_60", "close index", 60, "with the index return"),
    spec("correlation_120", "close index", 120, "with the index return"),
    spec("residual_volatility_60", "close index", 60, "standard deviation left by the index"),
    spec("residual_ret_20", "close index", 120, "log return over 20 days less beta_120 times that of the index"),
    spec("relative_20", "close index", 20, "log return over the index"),
    spec("relative_60", "close index", 60, "log return over the index"),
)
(
    BETA_120, CORRELATION_60, CORRELATION_120, RESIDUAL_VOLATILITY_60, RESIDUAL_RET_20, RELATIVE_20, RELATIVE_60,
) = range(7)  # fmt: skip

_LEAST_VARIANCE = 1e-12


@njit(cache=True)
def fill(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Write the features of tape column ``t``, ``age`` days after the symbol's first bar."""
    if age < 20:
        return
    total, squares, x, xx, xy = 0.0, 0.0, 0.0, 0.0, 0.0
    mine, others = 0.0, 0.0
    days = 120 if age >= 120 else (60 if age >= 60 else 20)
    for j in range(days):
        ret, index = tape[RET, t - j], tape[INDEX, t - j]
        total += ret
        squares += ret * ret
        x += index
        xx += index * index
        xy += index * ret
        if j == 19:
            mine, others = total, x
            row[RELATIVE_20] = total - x
        if j == 59:
            row[RELATIVE_60] = total - x
            spread = deviation(total, squares, 60.0)
            variance = xx / 60.0 - x / 60.0 * x / 60.0
            cov = xy / 60.0 - x / 60.0 * total / 60.0
            if variance > _LEAST_VARIANCE:
                bound = spread * math.sqrt(variance)
                row[CORRELATION_60] = cov / bound if bound > _LEAST_VARIANCE else 0.0
                row[RESIDUAL_VOLATILITY_60] = math.sqrt(max(spread * spread - cov * cov / variance, 0.0))
    if days < 120:
        return
    variance = xx / 120.0 - x / 120.0 * x / 120.0
    cov = xy / 120.0 - x / 120.0 * total / 120.0
    if variance > _LEAST_VARIANCE:
        bound = deviation(total, squares, 120.0) * math.sqrt(variance)
        row[BETA_120] = cov / variance
        row[CORRELATION_120] = cov / bound if bound > _LEAST_VARIANCE else 0.0
        row[RESIDUAL_RET_20] = mine - cov / variance * others
