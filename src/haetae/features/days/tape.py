"""The past rows a symbol carries: laid out in the state between calls, before the new rows while a fold runs.

A *tape* is ``(series, PAST + n_rows)`` float64 of one symbol: raw columns and what is derived from one row and the
row before it (logs, returns, ranges). Row ``PAST + j`` is the ``j``-th new row since the symbol's first bar; left of
``PAST`` stand as many older rows as the longest window of each series needs. The state keeps exactly these, so a
window sums the same numbers in the same order wherever the rows were cut.

State of a symbol: ``SEEN`` rows since its first bar, what ``market`` and ``recursive`` keep, then the tails of the
series, oldest first.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]

PAST: Final = 252
"""The longest look-back in days: a trading year."""

# Series of a tape.
(
    LOG, HIGH, LOW, CLOSE, VOLUME, RET, INDEX, NIGHT, WITHIN, REACH, GARMAN, TRUE_RANGE, LOG_VOLUME, LOG_WON,
    SIGNED, IMPACT, STOCHASTIC, FOREIGN, INSTITUTION, INDIVIDUAL,
) = range(20)  # fmt: skip

DEPTHS: Final = (252, 252, 252, 60, 60, 120, 120, 20, 20, 20, 20, 14, 20, 60, 20, 60, 2, 20, 20, 20)
"""Past rows each series keeps: the longest window that reads it."""

# Head of a state row. Widths of the parts are those of their owners.
SEEN: Final = 0
STARTED: Final = 1
POINTS: Final = 2
BREADTH: Final = 3
MONEY_BREADTH: Final = 23
BREADTH_DAYS: Final = 20
AVERAGES: Final = 43
N_AVERAGES: Final = 8
HEAD: Final = AVERAGES + N_AVERAGES
WIDTH: Final = HEAD + sum(DEPTHS)

_DEPTHS = np.array(DEPTHS, dtype=np.int64)


def start(n_symbols: int) -> Float64Array:
    """Return the state before the first bar: ``(n_symbols, WIDTH)`` float64."""
    state = np.zeros((n_symbols, WIDTH), dtype=np.float64)
    state[:, BREADTH:AVERAGES] = np.nan
    return state


@njit(cache=True)
def last_close(row: Float64Array) -> float:
    """Return the close before the next row, 0 before the first bar."""
    end = HEAD
    for series in range(CLOSE + 1):
        end += _DEPTHS[series]
    return float(row[end - 1])


@njit(cache=True)
def load(row: Float64Array, tape: Float64Array) -> None:
    """Put the past rows of a state row before column ``PAST`` of the tape."""
    place = HEAD
    for series in range(len(_DEPTHS)):
        depth = _DEPTHS[series]
        for k in range(depth):
            tape[series, PAST - depth + k] = row[place + k]
        place += depth


@njit(cache=True)
def save(row: Float64Array, tape: Float64Array, end: int) -> None:
    """Keep the rows before column ``end`` of the tape in a state row."""
    place = HEAD
    for series in range(len(_DEPTHS)):
        depth = _DEPTHS[series]
        for k in range(depth):
            row[place + k] = tape[series, end - depth + k]
        place += depth


@njit(cache=True)
def write(
    tape: Float64Array, t: int, age: int, opening: float, high: float, low: float, close: float, volume: float
) -> None:
    """Write a day's bar and what follows from it and the day before it, of which there is none at age 0.

    Prices that a source left at 0 count as the close, and the range as wide enough to hold open and close.
    """
    opened = opening if opening > 0.0 else close
    top = max(high if high > 0.0 else close, max(opened, close))
    bottom = min(low if low > 0.0 else close, min(opened, close))
    tape[CLOSE, t], tape[HIGH, t], tape[LOW, t], tape[VOLUME, t] = close, top, bottom, volume
    tape[LOG, t] = math.log(close)
    tape[LOG_VOLUME, t] = math.log1p(volume)
    tape[LOG_WON, t] = math.log1p(close * volume)
    within = math.log(close / opened)
    span = math.log(top / bottom)
    tape[WITHIN, t] = within
    tape[REACH, t] = span * span
    tape[GARMAN, t] = 0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * within * within
    tape[STOCHASTIC, t] = np.nan
    if age == 0:
        tape[RET, t], tape[NIGHT, t], tape[TRUE_RANGE, t] = 0.0, 0.0, 0.0
        tape[SIGNED, t], tape[IMPACT, t] = 0.0, 0.0
    else:
        before = tape[CLOSE, t - 1]
        ret = tape[LOG, t] - tape[LOG, t - 1]
        tape[RET, t] = ret
        tape[SIGNED, t] = volume if ret > 0.0 else (-volume if ret < 0.0 else 0.0)
        tape[IMPACT, t] = abs(ret) / (close * volume * 1e-9) if volume > 0.0 else 0.0
        tape[NIGHT, t] = math.log(opened / before)
        tape[TRUE_RANGE, t] = (max(top, before) - min(bottom, before)) / close


@njit(cache=True)
def deviation(total: float, squares: float, count: float) -> float:
    """Return the standard deviation (over ``count``) from a sum and a sum of squares."""
    mean = total / count
    return math.sqrt(max(squares / count - mean * mean, 0.0))
