"""Sums, means, variances and older values over the last bars, each without drift.

A window of ``bars`` values is the values of the running stretch and the rest of the stretch before. The stretch before
keeps its sums from each place to its end, the running one a sum from its beginning; a window is one of each. Nothing is
ever subtracted, so nothing drifts and a NaN is gone when its bar has left the window. Each value is added twice.

Variances join the two parts by their means and their squares about the means (Chan, Golub and LeVeque 1979), so a
price level of a million and a variance of one do not disturb each other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.features.folds.blocks import Block, State, Window


def older_rows(depth: int) -> int:
    """Return the rows of a ring from which values up to ``depth`` bars old can be read."""
    return depth


@njit(cache=True, error_model="numpy")
def older(state: State, window: Window, tick: int, bars: int, values: Block) -> Block:
    """Return the values of ``bars`` bars ago, at most ``depth``; they mean something once ``bars + 1`` were seen.

    Reads only: one ring serves many ages, and ``remember`` turns it when all have read.
    """
    at, depth = window[0], window[1]
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        if t >= bars:
            out[t, :] = values[t - bars]
            continue
        out[t, :] = state[at + (tick + t - bars) % depth]
    return out


@njit(cache=True, error_model="numpy")
def remember(state: State, window: Window, tick: int, values: Block) -> None:
    """Put the values of the block into a ring of ``older_rows(depth)``."""
    at, depth = window[0], window[1]
    for t in range(max(values.shape[0] - depth, 0), values.shape[0]):
        state[at + (tick + t) % depth, :] = values[t]


def total_rows(bars: int) -> int:
    """Return the rows that ``total`` keeps."""
    return bars + 1


@njit(cache=True, error_model="numpy")
def total(state: State, window: Window, tick: int, values: Block) -> Block:
    """Return the sums of the last ``bars`` values; filled once ``bars`` were seen."""
    at, bars = window[0], window[1]
    out = np.empty_like(values)
    symbols = values.shape[1]
    for t in range(values.shape[0]):
        place = (tick + t) % bars
        newest = at + 1 + place
        if place == 0:
            state[at, :] = 0.0
        if place + 1 < bars:
            for s in range(symbols):
                state[at, s] += values[t, s]
                out[t, s] = state[at, s] + state[newest + 1, s]
            for s in range(symbols):
                state[newest, s] = values[t, s]
            continue
        for s in range(symbols):
            out[t, s] = state[at, s] + values[t, s]
            state[newest, s] = values[t, s]
        for k in range(newest - 1, at, -1):
            for s in range(symbols):
                state[k, s] += state[k + 1, s]
    return out


@njit(cache=True, error_model="numpy")
def mean(state: State, window: Window, tick: int, values: Block) -> Block:
    """Return the plain means of the last ``bars`` values; keeps what ``total`` keeps."""
    out = total(state, window, tick, values)
    share = 1.0 / window[1]
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] *= share
    return out


def spread_rows(bars: int) -> int:
    """Return the rows that ``spread`` keeps."""
    return 2 + 2 * bars


@njit(cache=True, error_model="numpy")
def spread(state: State, window: Window, tick: int, values: Block) -> tuple[Block, Block]:
    """Return mean and variance (divided by ``bars``) of the last ``bars`` values; filled once ``bars`` were seen.

    Equal values give a variance of exactly zero.
    """
    at, bars = window[0], window[1]
    means, variances = np.empty_like(values), np.empty_like(values)
    symbols = values.shape[1]
    middle, squares, each = at, at + 1, 1.0 / bars
    for t in range(values.shape[0]):
        place = (tick + t) % bars
        rest = bars - 1 - place
        share = 1.0 / (place + 1.0)
        if place == 0:
            state[squares, :] = 0.0
            state[middle, :] = values[t]
        for s in range(symbols):
            gap = values[t, s] - state[middle, s]
            state[middle, s] += gap * share
            state[squares, s] += gap * (values[t, s] - state[middle, s])
        for s in range(symbols):
            state[at + 2 + place, s] = values[t, s]
        if rest > 0:
            tail, tail_squares = at + 3 + place, at + 3 + bars + place
            weight = rest * each
            joint = weight * (place + 1.0)
            for s in range(symbols):
                means[t, s] = state[middle, s] + (state[tail, s] - state[middle, s]) * weight
            for s in range(symbols):
                gap = state[tail, s] - state[middle, s]
                variances[t, s] = (state[squares, s] + state[tail_squares, s] + gap * gap * joint) * each
            continue
        for s in range(symbols):
            means[t, s] = state[middle, s]
            variances[t, s] = state[squares, s] * each
        _keep_tails(state, at + 2, at + 2 + bars, bars)
    return means, variances


@njit(cache=True, error_model="numpy")
def _keep_tails(state: State, means: int, squares: int, bars: int) -> None:
    # Turn the values of the stretch into mean and squares of each of its tails, the newest first.
    state[squares + bars - 1, :] = 0.0
    for k in range(bars - 2, -1, -1):
        share = 1.0 / (bars - k)
        middle, spent = means + k, squares + k
        for s in range(state.shape[1]):
            gap = state[middle, s] - state[middle + 1, s]
            state[middle, s] = state[middle + 1, s] + gap * share
            state[spent, s] = state[spent + 1, s] + gap * (gap - gap * share)
