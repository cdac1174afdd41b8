"""Where the close stands among the window: extremes and their age, rank and quantiles.

Rank counts how many closes lie below the newest and how many equal it. Quantiles read windows kept in
order: one pass over a window drops the close that leaves and sinks the new one into place, the same few
instructions whatever the values. Those windows are part of the state (``ORDERED`` rows of each symbol).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.features.alpha.declared import (
    IMAX,
    IMIN,
    IMXD,
    MAX,
    MIN,
    QTLD,
    QTLU,
    RANK,
    RSV,
    WINDOWS,
)
from haetae.features.window import CLOSE, HIGH, LANES, LOW, Float64Array, FloatArray, clear

ORDERED: Final = sum(WINDOWS)
_UPPER, _LOWER = 0.8, 0.2
_AGES = 64.0
"""A price in won times this, with its age added, orders by price and then by age, exactly."""


@njit(cache=True, error_model="numpy")
def extremes(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write max, min, rank, rsv, imax, imin and imxd; of equal extremes the earliest counts."""
    newest = days[CLOSE, row]
    top, bottom, below, equal = sums[0], sums[1], sums[2], sums[3]
    clear(sums, 4)
    for s in range(LANES):
        bottom[s] = np.inf
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            age = float(j)
            highs, lows, closes = days[HIGH, row - j], days[LOW, row - j], days[CLOSE, row - j]
            for s in range(LANES):
                high, low = highs[s] * _AGES + age, lows[s] * _AGES - age
                top[s] = high if high > top[s] else top[s]
                bottom[s] = low if low < bottom[s] else bottom[s]
            for s in range(LANES):
                below[s] += 1.0 if closes[s] < newest[s] else 0.0
                equal[s] += 1.0 if closes[s] == newest[s] else 0.0
        done = WINDOWS[k]
        n = float(done)
        for s in range(LANES):
            close = newest[s]
            high, low = math.floor(top[s] / _AGES), math.ceil(bottom[s] / _AGES)
            top_age, bottom_age = top[s] - high * _AGES, low * _AGES - bottom[s]
            reach = high - low
            cells[MAX + k, s] = high / close
            cells[MIN + k, s] = low / close
            cells[RANK + k, s] = (below[s] + 0.5 * (equal[s] + 1.0)) / n
            cells[RSV + k, s] = (close - low) / reach if reach > 0.0 else 0.0
            cells[IMAX + k, s] = (n - top_age) / n
            cells[IMIN + k, s] = (n - bottom_age) / n
            cells[IMXD + k, s] = (bottom_age - top_age) / n


@njit(cache=True, error_model="numpy")
def quantiles(days: Float64Array, row: int, ordered: Float64Array, carry: Float64Array, cells: FloatArray) -> None:
    """Take the close of ``row`` into the ordered windows and write qtlu and qtld, linear between two closes."""
    newest = days[CLOSE, row]
    base = 0
    for k in range(len(WINDOWS)):
        width = WINDOWS[k]
        leaving = days[CLOSE, row - width]
        for s in range(LANES):
            carry[s] = newest[s]
        for place in range(width - 1):
            here, after = ordered[base + place], ordered[base + place + 1]
            for s in range(LANES):
                left = here[s] if here[s] < leaving[s] else after[s]
                less = left < carry[s]
                here[s] = left if less else carry[s]
                carry[s] = carry[s] if less else left
        for s in range(LANES):
            ordered[base + width - 1, s] = carry[s]
        up, down = int(_UPPER * (width - 1)), int(_LOWER * (width - 1))
        up_share, down_share = _UPPER * (width - 1) - up, _LOWER * (width - 1) - down
        above, above_next = ordered[base + up], ordered[base + up + 1]
        under, under_next = ordered[base + down], ordered[base + down + 1]
        for s in range(LANES):
            cells[QTLU + k, s] = (above[s] + up_share * (above_next[s] - above[s])) / newest[s]
            cells[QTLD + k, s] = (under[s] + down_share * (under_next[s] - under[s])) / newest[s]
        base += width
