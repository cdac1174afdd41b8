"""Volatility of a bar by its range, and of many by theirs: Parkinson 1980, Garman and Klass 1980.

Both are in squares of log return a bar; a mean of them over a window and its root is the volatility of a bar.
The volatility of closes is the root of ``windows.spread`` of their returns.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State, Window
from haetae.features.folds.windows import mean, total_rows

_OF_THE_RANGE = 1.0 / (4.0 * math.log(2.0))
_OF_THE_BODY = 2.0 * math.log(2.0) - 1.0


@njit(cache=True, error_model="numpy")
def bar_variances(seen: Block, opened: Block, high: Block, low: Block, close: Block) -> tuple[Block, Block]:
    """Return the variance of each bar by Parkinson and by Garman and Klass; 0 before the first bar."""
    parkinson, garman_klass = np.empty_like(close), np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            here = seen[t, s] > 0.0
            reach = math.log(high[t, s] / low[t, s]) if here else 0.0
            body = math.log(close[t, s] / opened[t, s]) if here else 0.0
            parkinson[t, s] = reach * reach * _OF_THE_RANGE
            garman_klass[t, s] = 0.5 * reach * reach - _OF_THE_BODY * body * body
    return parkinson, garman_klass


def volatility_rows(bars: int) -> int:
    """Return the rows that ``volatility`` keeps."""
    return total_rows(bars)


@njit(cache=True, error_model="numpy")
def volatility(state: State, window: Window, tick: int, variances: Block) -> Block:
    """Return the root of the mean of the last ``bars`` variances; filled once ``bars`` were seen.

    Garman and Klass's mean can fall below zero by its second term; it counts as zero then.
    """
    out = mean(state, window, tick, variances)
    for t in range(out.shape[0]):
        for s in range(out.shape[1]):
            out[t, s] = math.sqrt(out[t, s] if out[t, s] > 0.0 else 0.0)
    return out
