"""Averages that never end: exponential and Wilder's, seeded as TA-Lib seeds them.

The seed is the plain mean of the first values, so nothing is guessed about what was before. An average forgets: an
error of rounding decays with it, so there is no drift. A plain moving mean is ``windows.mean``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State, Window, all_beyond


def average_rows(bars: int) -> int:
    """Return the rows that ``average`` keeps, and so ``ema`` and ``wilder``: one, whatever the length."""
    return 1


@njit(cache=True, error_model="numpy")
def average(state: State, window: Window, first: float, share: float, seen: Block, values: Block) -> Block:
    """Return averages in which the newest value has the weight ``share``.

    They begin, once ``first`` bars were seen, with the plain mean of the ``bars`` values that end there.
    """
    at, bars = window[0], window[1]
    out = np.empty_like(values)
    if all_beyond(seen, first):
        for t in range(values.shape[0]):
            for s in range(values.shape[1]):
                state[at, s] += (values[t, s] - state[at, s]) * share
                out[t, s] = state[at, s]
        return out
    begin, each = first - bars + 1.0, 1.0 / bars
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            before = 0.0 if seen[t, s] <= begin else state[at, s]
            moved = (values[t, s] - before) * share if seen[t, s] > first else values[t, s]
            state[at, s] = (before + moved) * (each if seen[t, s] == first else 1.0)
            out[t, s] = state[at, s]
    return out


@njit(cache=True, error_model="numpy")
def ema(state: State, window: Window, first: float, seen: Block, values: Block) -> Block:
    """Return exponential averages: the newest value weighs ``2 / (bars + 1)``; see ``average``."""
    return average(state, window, first, 2.0 / (window[1] + 1.0), seen, values)


@njit(cache=True, error_model="numpy")
def wilder(state: State, window: Window, first: float, seen: Block, values: Block) -> Block:
    """Return Wilder's averages: the newest value weighs ``1 / bars``; see ``average``."""
    return average(state, window, first, 1.0 / window[1], seen, values)
