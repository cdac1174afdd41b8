"""What volume says: its direction, on-balance volume, the volume-weighted price of a session."""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import Int64Array
from haetae.features.folds.blocks import Block, State

OBV_ROWS = 1


@njit(cache=True, error_model="numpy")
def signed(change: Block, volume: Block) -> Block:
    """Return the volume with the sign of the close's change, 0 where it did not move."""
    out = np.empty_like(volume)
    for t in range(volume.shape[0]):
        for s in range(volume.shape[1]):
            bought = volume[t, s] if change[t, s] > 0.0 else 0.0
            out[t, s] = bought - (volume[t, s] if change[t, s] < 0.0 else 0.0)
    return out


@njit(cache=True, error_model="numpy")
def obv(state: State, at: int, seen: Block, change: Block, volume: Block) -> Block:
    """Return on-balance volume, in shares: the first bar's volume, then each bar's with the sign of the change.

    Whole numbers of shares stay exact up to ``2**53``.
    """
    out = np.empty_like(volume)
    for t in range(volume.shape[0]):
        for s in range(volume.shape[1]):
            bought = volume[t, s] if (change[t, s] > 0.0) | (seen[t, s] <= 1.0) else 0.0
            state[at, s] += bought - (volume[t, s] if change[t, s] < 0.0 else 0.0)
            out[t, s] = state[at, s]
    return out


VWAP_ROWS = 2


@njit(cache=True, error_model="numpy")
def session_vwap(
    state: State, at: int, opens: Int64Array, high: Block, low: Block, close: Block, volume: Block
) -> Block:
    """Return the volume-weighted typical price of the session so far, the close until something was traded.

    ``opens`` is 1 on the first bar of a session, else 0, ``(n_bars,)``. The sums are whole numbers, three times the
    won, and exact up to ``2**53``: three thousand trillion won a session and name.
    """
    out = np.empty_like(close)
    for t in range(close.shape[0]):
        if opens[t] == 1:
            state[at, :] = 0.0
            state[at + 1, :] = 0.0
        for s in range(close.shape[1]):
            state[at, s] += (high[t, s] + low[t, s] + close[t, s]) * volume[t, s]
            state[at + 1, s] += volume[t, s]
        for s in range(close.shape[1]):
            shares = state[at + 1, s]
            out[t, s] = state[at, s] / (3.0 * shares) if shares > 0.0 else close[t, s]
    return out
