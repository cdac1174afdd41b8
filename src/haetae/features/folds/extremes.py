"""Highest and lowest of the last bars, three comparisons a bar whatever the window's length.

As in ``windows``: the stretch before keeps the extreme of each of its tails, the running one its own (van Herk 1992,
Gil and Werman 1993). Values are never NaN.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State, Window


def extreme_rows(bars: int) -> int:
    """Return the rows that ``highest`` or ``lowest`` keeps."""
    return bars + 1


@njit(cache=True, error_model="numpy")
def highest(state: State, window: Window, tick: int, values: Block) -> Block:
    """Return the highest of the last ``bars`` values; filled once ``bars`` were seen."""
    at, bars = window[0], window[1]
    out = np.empty_like(values)
    symbols = values.shape[1]
    for t in range(values.shape[0]):
        place = (tick + t) % bars
        newest = at + 1 + place
        if place == 0:
            state[at, :] = values[t]
        tail = newest + 1 if place + 1 < bars else at
        for s in range(symbols):
            state[at, s] = state[at, s] if state[at, s] > values[t, s] else values[t, s]
        for s in range(symbols):
            out[t, s] = state[at, s] if state[at, s] > state[tail, s] else state[tail, s]
            state[newest, s] = values[t, s]
        if place == bars - 1:
            for k in range(newest - 1, at, -1):
                for s in range(symbols):
                    state[k, s] = state[k, s] if state[k, s] > state[k + 1, s] else state[k + 1, s]
    return out


@njit(cache=True, error_model="numpy")
def lowest(state: State, window: Window, tick: int, values: Block) -> Block:
    """Return the lowest of the last ``bars`` values; filled once ``bars`` were seen."""
    at, bars = window[0], window[1]
    out = np.empty_like(values)
    symbols = values.shape[1]
    for t in range(values.shape[0]):
        place = (tick + t) % bars
        newest = at + 1 + place
        if place == 0:
            state[at, :] = values[t]
        tail = newest + 1 if place + 1 < bars else at
        for s in range(symbols):
            state[at, s] = state[at, s] if state[at, s] < values[t, s] else values[t, s]
        for s in range(symbols):
            out[t, s] = state[at, s] if state[at, s] < state[tail, s] else state[tail, s]
            state[newest, s] = values[t, s]
        if place == bars - 1:
            for k in range(newest - 1, at, -1):
                for s in range(symbols):
                    state[k, s] = state[k, s] if state[k, s] < state[k + 1, s] else state[k + 1, s]
    return out
