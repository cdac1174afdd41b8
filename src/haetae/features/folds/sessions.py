"""What belongs to a session: its high and low so far, where it opened, where the one before it closed.

``opens`` is 1 on the first bar of a session, else 0, ``(n_bars,)`` int64.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.blocks import Block, State


def openings(days: NDArray[np.int32], last_day: int) -> Int64Array:
    """Return 1 where a bar is the first of its trading day, else 0; ``last_day`` is the day before the first bar's.

    ``days`` is ``(n_bars,)`` yyyymmdd; ``last_day`` is 0 before the very first bar.
    """
    changed = np.diff(days.astype(np.int64), prepend=last_day) != 0
    return changed.astype(np.int64)


RANGE_ROWS = 2


@njit(cache=True, error_model="numpy")
def session_range(
    state: State, at: int, opens: Int64Array, seen: Block, high: Block, low: Block
) -> tuple[Block, Block]:
    """Return high and low of the session so far, from the symbol's first bar in it."""
    top, bottom = np.empty_like(high), np.empty_like(low)
    for t in range(high.shape[0]):
        fresh = opens[t] == 1
        for s in range(high.shape[1]):
            begins = fresh or seen[t, s] <= 1.0
            state[at, s] = high[t, s] if begins or high[t, s] > state[at, s] else state[at, s]
            top[t, s] = state[at, s]
        for s in range(high.shape[1]):
            begins = fresh or seen[t, s] <= 1.0
            state[at + 1, s] = low[t, s] if begins or low[t, s] < state[at + 1, s] else state[at + 1, s]
            bottom[t, s] = state[at + 1, s]
    return top, bottom


CLOSE_ROWS = 1


@njit(cache=True, error_model="numpy")
def previous_close(state: State, at: int, opens: Int64Array, seen: Block, before: Block) -> Block:
    """Return the last close of the session before this one, NaN in a symbol's first session."""
    out = np.empty_like(before)
    for t in range(before.shape[0]):
        if opens[t] == 1:
            for s in range(before.shape[1]):
                state[at, s] = before[t, s] if seen[t, s] > 1.0 else math.nan
        for s in range(before.shape[1]):
            state[at, s] = state[at, s] if seen[t, s] > 1.0 else math.nan
            out[t, s] = state[at, s]
    return out


OPEN_ROWS = 1


@njit(cache=True, error_model="numpy")
def session_open(state: State, at: int, opens: Int64Array, opened: Block, traded: BoolArray) -> Block:
    """Return the open of a symbol's first trade in the session, NaN until it traded."""
    out = np.empty_like(opened)
    for t in range(opened.shape[0]):
        if opens[t] == 1:
            state[at, :] = math.nan
        for s in range(opened.shape[1]):
            first = traded[t, s] and math.isnan(state[at, s])
            state[at, s] = opened[t, s] if first else state[at, s]
            out[t, s] = state[at, s]
    return out
