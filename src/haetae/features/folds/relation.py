"""Slope on a reference and correlation with it, over the last bars.

The covariance is a quarter of what the variance of the sum exceeds that of the difference by: two windows that cannot
drift, and their difference is as exact as the variances themselves. A NaN in the reference makes the windows that hold
it NaN, and only those.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State
from haetae.features.folds.windows import spread, spread_rows

_STILL = 1e-18
"""A variance of returns below this (a hundredth of a hundredth of a basis point) is a reference that did not move."""


def relation_rows(bars: int) -> int:
    """Return the rows that ``relation`` keeps."""
    return 4 * spread_rows(bars)


@njit(cache=True, error_model="numpy")
def relation(state: State, at: int, bars: int, tick: int, values: Block, reference: Block) -> tuple[Block, Block]:
    """Return beta and correlation of the last ``bars`` values to the reference's; filled once ``bars`` were seen.

    NaN where the reference did not move; the correlation of a value that did not move is 0.
    """
    step = 2 + 2 * bars
    both, apart = np.empty_like(values), np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            both[t, s] = values[t, s] + reference[t, s]
            apart[t, s] = values[t, s] - reference[t, s]
    _, sums = spread(state, at, bars, tick, both)
    _, differences = spread(state, at + step, bars, tick, apart)
    _, own = spread(state, at + 2 * step, bars, tick, values)
    _, others = spread(state, at + 3 * step, bars, tick, reference)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            shared = 0.25 * (sums[t, s] - differences[t, s])
            moved = others[t, s] > _STILL
            both[t, s] = shared / others[t, s] if moved else math.nan
            bound = math.sqrt(own[t, s] * others[t, s]) if own[t, s] > _STILL else math.inf
            apart[t, s] = min(max(shared / bound, -1.0), 1.0) if moved else math.nan
    return both, apart
