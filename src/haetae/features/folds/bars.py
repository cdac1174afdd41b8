"""What a bar is to the folds: prices of those who traded, a flat bar at the last close of those who did not.

A halt and a minute without a trade are the same: open, high, low and close at the close before, volume 0. A symbol has
no bars before its first trade; its zeros until then mean nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.blocks import Block, State

BAR_ROWS = 2
"""Rows that ``flat_bars`` keeps: bars seen and the last close of each symbol."""


@njit(cache=True, error_model="numpy")
def everyone(traded: BoolArray) -> bool:
    """Return whether every symbol traded in every bar of the block: the common, faster case."""
    quiet = 0
    for t in range(traded.shape[0]):
        for s in range(traded.shape[1]):
            quiet += 0 if traded[t, s] else 1
    return quiet == 0


@njit(cache=True, error_model="numpy")
def floats(column: Int64Array) -> Block:
    """Return whole numbers as float64."""
    out = np.empty(column.shape)
    for t in range(column.shape[0]):
        for s in range(column.shape[1]):
            out[t, s] = float(column[t, s])
    return out


@njit(cache=True, error_model="numpy")
def flat_bars(
    state: State,
    at: int,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    traded: BoolArray,
) -> tuple[Block, Block, Block, Block, Block, Block, Block]:
    """Return ``seen``, the close before, open, high, low, close in won and volume in shares of each bar.

    The close before a symbol's first bar is 0. Inputs are columns of a panel, ``(n_bars, n_symbols)``.
    """
    shape = closes.shape
    seen, before = np.empty(shape), np.empty(shape)
    if shape[0] > 0 and everyone(traded):
        opened, high, low, close, volume = floats(opens), floats(highs), floats(lows), floats(closes), floats(volumes)
        for t in range(shape[0]):
            for s in range(shape[1]):
                state[at, s] += 1.0
                seen[t, s] = state[at, s]
            for s in range(shape[1]):
                before[t, s] = close[t - 1, s] if t > 0 else state[at + 1, s]
        for s in range(shape[1]):
            state[at + 1, s] = close[shape[0] - 1, s]
        return seen, before, opened, high, low, close, volume
    opened, high, low = np.empty(shape), np.empty(shape), np.empty(shape)
    close, volume = np.empty(shape), np.empty(shape)
    for t in range(shape[0]):
        for s in range(shape[1]):
            state[at, s] += 1.0 if (state[at, s] > 0.0) | traded[t, s] else 0.0
            seen[t, s] = state[at, s]
        for s in range(shape[1]):
            before[t, s] = state[at + 1, s]
        for s in range(shape[1]):
            close[t, s] = float(closes[t, s]) if traded[t, s] else state[at + 1, s]
            state[at + 1, s] = close[t, s]
        for s in range(shape[1]):
            high[t, s] = float(highs[t, s]) if traded[t, s] else before[t, s]
        for s in range(shape[1]):
            low[t, s] = float(lows[t, s]) if traded[t, s] else before[t, s]
        for s in range(shape[1]):
            opened[t, s] = float(opens[t, s]) if traded[t, s] else before[t, s]
        for s in range(shape[1]):
            volume[t, s] = float(volumes[t, s]) if traded[t, s] else 0.0
    return seen, before, opened, high, low, close, volume
