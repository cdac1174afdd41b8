"""Ranges around the price: true range and its average, the bands of Bollinger."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from haetae.features.folds.averages import average_rows, wilder
from haetae.features.folds.blocks import Block, State, Window
from haetae.features.folds.windows import spread, spread_rows


@njit(cache=True, error_model="numpy")
def true_range(high: Block, low: Block, before: Block) -> Block:
    """Return the range of each bar together with the close before it, in the unit of the prices."""
    out = np.empty_like(high)
    for t in range(high.shape[0]):
        for s in range(high.shape[1]):
            top = high[t, s] if high[t, s] > before[t, s] else before[t, s]
            bottom = low[t, s] if low[t, s] < before[t, s] else before[t, s]
            out[t, s] = top - bottom
    return out


def atr_rows(bars: int) -> int:
    """Return the rows that ``atr`` keeps."""
    return average_rows(bars)


@njit(cache=True, error_model="numpy")
def atr(state: State, window: Window, seen: Block, ranges: Block) -> Block:
    """Return Wilder's average of true ranges; begins once ``bars + 1`` bars were seen, as the first has no range."""
    return wilder(state, window, window[1] + 1.0, seen, ranges)


def bollinger_rows(bars: int) -> int:
    """Return the rows that ``bollinger`` keeps."""
    return spread_rows(bars)


@njit(cache=True, error_model="numpy")
def bollinger(state: State, window: Window, tick: int, width: float, close: Block) -> tuple[Block, Block, Block]:
    """Return the bands ``width`` deviations (divided by ``bars``) above and below the mean, and between them the mean.

    In the order upper, middle, lower; filled once ``bars`` were seen.
    """
    middle, upper = spread(state, window, tick, close)
    lower = np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            reach = width * math.sqrt(upper[t, s])
            upper[t, s] = middle[t, s] + reach
            lower[t, s] = middle[t, s] - reach
    return upper, middle, lower
