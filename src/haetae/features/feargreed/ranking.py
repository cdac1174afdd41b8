"""Memory of a series and where its newest value stands in it: compiled, on plain rows of numbers.

A ring is a row of float64: how many values were ever pushed, where the next one goes, then the values.
Sums run from the newest value backward, so a number does not depend on where the ring began.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

HEAD = 2
"""Places of a ring before its values."""


@njit(cache=True)
def push(ring: Float64Array, value: float) -> None:
    """Append a value; the oldest one goes where the ring is full."""
    place = int(ring[1])
    ring[HEAD + place] = value
    ring[1] = float(place + 1 if place + 1 < len(ring) - HEAD else 0)
    ring[0] += 1.0


@njit(cache=True)
def back(ring: Float64Array, age: int) -> float:
    """Return the value pushed ``age`` pushes before the newest; the caller knows that it is there."""
    place = int(ring[1]) - 1 - age
    return ring[HEAD + (place if place >= 0 else place + len(ring) - HEAD)]


@njit(cache=True)
def total(ring: Float64Array, count: int) -> float:
    """Return the sum of the newest values."""
    found = 0.0
    for age in range(count):
        found += back(ring, age)
    return found


@njit(cache=True)
def rank(ring: Float64Array, window: int, least: int) -> float:
    """Return where the newest value stands among the newest ``window`` pushes, 0-100; equal values count half.

    NaN where the newest is NaN or fewer than ``least`` of them are numbers.
    """
    newest = back(ring, 0)
    if math.isnan(newest):
        return np.nan
    seen, below = 0, 0.0
    for age in range(min(int(ring[0]), window)):
        value = back(ring, age)
        if not math.isnan(value):
            seen += 1
            if value < newest:
                below += 1.0
            elif value == newest:
                below += 0.5
    return 100.0 * below / seen if seen >= least else np.nan


@njit(cache=True)
def _ranks(raw: Float64Array, window: int, least: int) -> Float64Array:
    ring = np.zeros(HEAD + window)
    ranks = np.empty(len(raw))
    for t in range(len(raw)):
        push(ring, raw[t])
        ranks[t] = rank(ring, window, least)
    return ranks


def trailing_rank(raw: Float64Array, window: int = 252, least: int = 60) -> Float64Array:
    """Return where each value stands among the last ``window`` days, today included, 0-100.

    Equal values count half; NaN where today's value is missing or fewer than ``least`` values of the
    window are present. Uses nothing after the day.
    """
    return _ranks(np.ascontiguousarray(raw, dtype=np.float64), window, least)
