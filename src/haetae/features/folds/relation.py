"""Slope on a reference and correlation with it, over the last bars.

The covariance is half of what the variance of the sum exceeds both variances by: windows that cannot drift, and a
difference as exact as the variances themselves. A NaN in the reference makes the windows that hold it NaN, and only
those.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State, Window
from haetae.features.folds.windows import spread, spread_rows

_STILL = 1e-18
"""A variance of returns below this (a hundredth of a hundredth of a basis point) is a reference that did not move."""


def relation_rows(bars: int) -> int:
    """Return the rows that ``relation`` keeps."""
    return 3 * spread_rows(bars)


@njit(cache=True, error_model="numpy")
def relation(state: State, window: Window, tick: int, values: Block, reference: Block) -> tuple[Block, Block]:
    """Return beta and correlation of the last ``bars`` values to the reference's; filled once ``bars`` were seen.

    NaN where the reference did not move; the correlation of a value that did not move is 0.
    """
    at, bars = window[0], window[1]
    step = 2 + 2 * bars
    both = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            both[t, s] = values[t, s] + reference[t, s]
    beta, sums = spread(state, (at, bars), tick, both)
    correlation, own = spread(state, (at + step, bars), tick, values)
    _, others = spread(state, (at + 2 * step, bars), tick, reference)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            shared = 0.5 * (sums[t, s] - own[t, s] - others[t, s])
            moved = others[t, s] > _STILL
            beta[t, s] = shared / others[t, s] if moved else math.nan
            bound = math.sqrt(own[t, s] * others[t, s]) if own[t, s] > _STILL else math.inf
            correlation[t, s] = min(max(shared / bound, -1.0), 1.0) if moved else math.nan
    return beta, correlation
