"""What the symbols of a day say together: highs and lows, turnover, volatility; a compiled fold.

Each symbol keeps the chained log level of its last 251 closes. A move beyond the daily price limit of
30 % is no move of the market (a split, a capital reduction, a resumption) and counts as none, so raw and
adjusted prices tell the same story. A symbol counts on a day it traded; what stands still says nothing.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.feargreed.components import CALM_DAYS, LEAST_NAMES, MONTH, YEAR
from haetae.features.feargreed.ranking import HEAD, back, push

Float64Array = NDArray[np.float64]

_CLOSE, _LEVEL, _TOP, _BOTTOM, _RING = 0, 1, 2, 3, 4
_DEPTH: Final = YEAR - 1
WIDTH: Final = _RING + HEAD + _DEPTH
"""Numbers kept of each symbol."""
LOWEST_MOVE, HIGHEST_MOVE = math.log(0.7) - 1e-3, math.log(1.3) + 1e-3
"""A day's log return at the ±30 % limit; a tick of rounding above it is still the limit."""
_SAME: Final = 1e-9
"""Two log levels closer than this are one price reached twice."""

HIGHS, LOWS, LISTED, WON, SIGNED, MOVES, MOVED, APPETITE = range(8)
TOLD: Final = 8
"""Columns of what a day tells: counts, won traded, moves summed and counted, the spread of thirds."""


@njit(cache=True)
def move(before: float, close: float) -> float:
    """Return the log return between two closes; 0 beyond the daily limit, or where one is not known."""
    if before <= 0.0 or close <= 0.0:
        return 0.0
    change = math.log(close / before)
    return change if LOWEST_MOVE <= change <= HIGHEST_MOVE else 0.0


@njit(cache=True)
def _remember(row: Float64Array, level: float) -> None:
    # Push the level; the highest and lowest of the ring are sought anew only where they leave it.
    ring = row[_RING:]
    full = ring[0] >= _DEPTH
    leaving = back(ring, _DEPTH - 1) if full else 0.0
    push(ring, level)
    if ring[0] == 1.0:
        row[_TOP], row[_BOTTOM] = level, level
    elif full and (leaving >= row[_TOP] or leaving <= row[_BOTTOM]):
        top, bottom = level, level
        for place in range(HEAD, HEAD + _DEPTH):
            top = max(top, ring[place])
            bottom = min(bottom, ring[place])
        row[_TOP], row[_BOTTOM] = top, bottom
    else:
        row[_TOP], row[_BOTTOM] = max(row[_TOP], level), min(row[_BOTTOM], level)


@njit(cache=True)
def _symbol(
    row: Float64Array,
    close: Float64Array,
    won: Float64Array,
    traded: BoolArray,
    told: Float64Array,
    volatility: Float64Array,
    gain: Float64Array,
) -> None:
    ring = row[_RING:]
    for t in range(len(close)):
        volatility[t], gain[t] = np.nan, np.nan
        if row[_CLOSE] <= 0.0 and close[t] <= 0.0:
            continue
        change = move(row[_CLOSE], close[t])
        level = row[_LEVEL] + change
        seen = int(ring[0])
        if traded[t] and seen > 0:
            told[t, WON] += won[t]
            if change > 0.0:
                told[t, SIGNED] += won[t]
            elif change < 0.0:
                told[t, SIGNED] -= won[t]
            told[t, MOVES] += change
            told[t, MOVED] += 1.0
            if seen >= CALM_DAYS:
                sums, squares, newer = 0.0, 0.0, level
                for age in range(CALM_DAYS):
                    older = back(ring, age)
                    step = newer - older
                    sums += step
                    squares += step * step
                    newer = older
                mean = sums / CALM_DAYS
                volatility[t] = math.sqrt(max(squares / CALM_DAYS - mean * mean, 0.0))
                gain[t] = level - back(ring, MONTH - 1)
            if seen >= _DEPTH:
                told[t, LISTED] += 1.0
                if level > row[_TOP] + _SAME:
                    told[t, HIGHS] += 1.0
                elif level < row[_BOTTOM] - _SAME:
                    told[t, LOWS] += 1.0
        _remember(row, level)
        row[_LEVEL] = level
        if close[t] > 0.0:
            row[_CLOSE] = close[t]


@njit(cache=True)
def _spread(volatility: Float64Array, gain: Float64Array) -> float:
    # Mean gain of the most volatile third minus that of the calmest; equal volatilities stand in the symbols' order.
    known = np.flatnonzero(~np.isnan(volatility))
    third = len(known) // 3
    if len(known) < LEAST_NAMES:
        return np.nan
    order = known[np.argsort(volatility[known], kind="mergesort")]
    wild, still = 0.0, 0.0
    for place in range(third):
        still += gain[order[place]]
        wild += gain[order[len(order) - third + place]]
    return (wild - still) / third


@njit(cache=True)
def fold_crowd(
    state: Float64Array,
    close: Int64Array,
    volume: Int64Array,
    traded: BoolArray,
    counted: BoolArray,
) -> Float64Array:
    """Fold days of all symbols into ``state`` (changed in place) and return what each day tells, ``(n_days, TOLD)``.

    ``close``, ``volume`` and ``traded`` are ``(n_days, n_symbols)``; a symbol that is not ``counted`` is passed over.
    """
    days, symbols = close.shape
    told = np.zeros((days, TOLD))
    volatility = np.full((symbols, days), np.nan)
    gain = np.full((symbols, days), np.nan)
    prices, won, active = np.empty(days), np.empty(days), np.empty(days, np.bool_)
    for s in range(symbols):
        if not counted[s]:
            continue
        for t in range(days):
            prices[t] = float(close[t, s])
            won[t] = prices[t] * float(volume[t, s])
            active[t] = traded[t, s]
        _symbol(state[s], prices, won, active, told, volatility[s], gain[s])
    for t in range(days):
        told[t, APPETITE] = _spread(volatility[:, t].copy(), gain[:, t].copy())
    return told


def start_crowd(n_symbols: int) -> Float64Array:
    """Return the memory of symbols before their first bar, ``(n_symbols, WIDTH)``."""
    return np.zeros((n_symbols, WIDTH))


def last_closes(state: Float64Array) -> Float64Array:
    """Return the last close of each symbol, won, 0 before the first one."""
    return state[:, _CLOSE].copy()
