"""What the volatility escape measures in a minute, compiled: it looks at every name, every minute.

Here: the arithmetic alone. Not here: what follows from it (`escape`). Prices are won, moves plain returns.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.decisions import FloatArray
from haetae.domain.market import BoolArray, Int64Array

_BP = 10_000.0


@njit(cache=True)
def measure(
    window: Int64Array,
    traded: BoolArray,
    exiting: BoolArray,
    symbol_minute_bp: float,
    symbol_window_bp: float,
) -> tuple[float, float, int]:
    """Return the market's return over the window in bp, its mean absolute minute return, and how many names fell alone.

    Parameters
    ----------
    window : (2 or more, n_symbols) int64, won
        Closes, oldest first; the last row is the minute that just closed.
    exiting : (n_symbols,) bool
        Names that are out for the day; those that fell alone now are added in place.
    """
    last = len(window) - 1
    total, moved, priced, fallen = 0.0, 0.0, 0, 0
    for s in range(window.shape[1]):
        close, before, oldest = window[last, s], window[last - 1, s], window[0, s]
        minute = close / before - 1.0 if close > 0 and before > 0 else 0.0
        span = close / oldest - 1.0 if close > 0 and oldest > 0 else 0.0
        if oldest > 0:
            priced += 1
            total += span
            moved += abs(minute)
        if traded[s] and (minute * _BP <= symbol_minute_bp or span * _BP <= symbol_window_bp):
            exiting[s] = True
        fallen += exiting[s]
    if priced == 0:
        return 0.0, 0.0, fallen
    return total / priced * _BP, moved / priced, fallen


@njit(cache=True)
def usual_ratio(moves: FloatArray, window: int, prior: float, arm_after: int, floor: float) -> float:
    """Return the mean of the newest ``window`` moves over their usual size.

    The usual size is the median of all moves once there are ``arm_after`` of them, else ``prior``; 1 is returned
    where neither is known.

    Parameters
    ----------
    moves : (n,) float32
        Mean absolute minute returns, newest last.
    """
    count = len(moves)
    if count < arm_after and prior <= 0.0:
        return 1.0
    usual = prior
    if count >= arm_after:
        half = count // 2
        parted = np.partition(moves, half)
        middle = parted[half]
        if count % 2 == 0:
            middle = np.float32((middle + parted[:half].max()) / np.float32(2.0))
        usual = float(middle)
    newest = moves[max(0, count - window) :]
    total = np.float32(0.0)
    for move in newest:
        total = np.float32(total + move)
    return float(np.float32(total / np.float32(len(newest)))) / max(usual, floor)
