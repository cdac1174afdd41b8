"""A day of the market into components, their ranks and the index: a compiled fold over plain rows of numbers.

Every series keeps its own memory and counts the days on which it was known, so a day without one input
costs that input's components that day and no other. The rank of a day stands among the calendar of the
last ``window`` days, missing ones included.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.features.feargreed.components import BREADTH_DAYS, HALF_YEAR, LEAST_NAMES, MONTH, NAMES
from haetae.features.feargreed.crowd import APPETITE, HIGHS, LISTED, LOWS, MOVED, MOVES, SIGNED, WON
from haetae.features.feargreed.ranking import HEAD, back, push, rank, total

Float64Array = NDArray[np.float64]

INDEX, IMPLIED, FOREIGN, BOND, DOLLAR, SPREAD_TODAY = range(6)
INPUTS: Final = 6
"""Columns of a day's inputs: closes, net won of foreigners, and (of a running day) its volatility against the usual;
NaN where unknown."""

COUNT: Final = len(NAMES)
MOMENTUM, STRENGTH, BREADTH, CALM, THIRDS, FLOW, BOND_HAVEN, DOLLAR_HAVEN = range(COUNT)
_IMPLIED_CALM = COUNT
_SERIES = COUNT + 1

# Rows of the memory: first the ranked series, then what they are made from, last the row of single numbers.
_CLOSES, _MOVES, _SPREADS, _IMPLIEDS, _SHARES, _FOREIGN, _TURNOVER, _BONDS, _DOLLARS = range(_SERIES, _SERIES + 9)
_SINGLE = _SERIES + 9
ROWS: Final = _SINGLE + 1
_STAND_IN: Final = COUNT
"""Place of the stand-in index in the row of single numbers, after the days on which each component was last known."""
WEIGHTS: Final = 4
"""Place of the first weight among the rules."""
SMALLEST_DEPTH: Final = HALF_YEAR + 1


def start_market(window: int) -> Float64Array:
    """Return the memory of the market before its first day, ``(ROWS, HEAD + depth)``."""
    state = np.zeros((ROWS, HEAD + max(window, SMALLEST_DEPTH)))
    state[_SINGLE, _STAND_IN] = 1_000.0
    return state


@njit(cache=True)
def _haven(ring: Float64Array, level: float, haven: float) -> float:
    # The month's return of stocks over a haven, from the log of their ratio on the days both were known.
    if not (level > 0.0 and haven > 0.0):
        return np.nan
    push(ring, math.log(level / haven))
    return back(ring, 0) - back(ring, MONTH) if ring[0] > MONTH else np.nan


@njit(cache=True)
def _realised(memory: Float64Array, today: float) -> float:
    # Calm of the index: the month's volatility over its half-year mean. `today`, where known, is the variance of the
    # day so far as a multiple of what is usual (negative where that is not known), and stands in for the squared move.
    moves, spreads = memory[_MOVES], memory[_SPREADS]
    if moves[0] < MONTH:
        return np.nan
    squares = 0.0
    for age in range(1, MONTH):
        squares += back(moves, age) * back(moves, age)
    newest = back(moves, 0) * back(moves, 0)
    if not math.isnan(today):
        if today < 0.0 or spreads[0] < HALF_YEAR - 1:
            return np.nan
        usual = total(spreads, HALF_YEAR - 1) / (HALF_YEAR - 1)
        newest = today * usual * usual
    spread = math.sqrt((squares + newest) / MONTH)
    push(spreads, spread)
    if spreads[0] < HALF_YEAR:
        return np.nan
    mean = total(spreads, HALF_YEAR) / HALF_YEAR
    return -math.log(spread / mean) if spread > 0.0 else np.nan


@njit(cache=True)
def _implied(ring: Float64Array, level: float) -> float:
    if not level > 0.0:
        return np.nan
    push(ring, level)
    return -math.log(level / (total(ring, HALF_YEAR) / HALF_YEAR)) if ring[0] >= HALF_YEAR else np.nan


@njit(cache=True)
def _of_crowd(memory: Float64Array, told: Float64Array, foreign: float, raw: Float64Array) -> None:
    if told[LISTED] >= LEAST_NAMES:
        raw[STRENGTH] = (told[HIGHS] - told[LOWS]) / told[LISTED]
    if told[WON] > 0.0:
        push(memory[_SHARES], told[SIGNED] / told[WON])
        if memory[_SHARES][0] >= BREADTH_DAYS:
            raw[BREADTH] = total(memory[_SHARES], BREADTH_DAYS) / BREADTH_DAYS
        if not math.isnan(foreign):
            push(memory[_FOREIGN], foreign)
            push(memory[_TURNOVER], told[WON])
            if memory[_FOREIGN][0] >= MONTH:
                raw[FLOW] = total(memory[_FOREIGN], MONTH) / total(memory[_TURNOVER], MONTH)
    raw[THIRDS] = told[APPETITE]


@njit(cache=True)
def _of_index(memory: Float64Array, inputs: Float64Array, level: float, raw: Float64Array) -> None:
    closes = memory[_CLOSES]
    if level > 0.0:
        if closes[0] > 0.0:
            push(memory[_MOVES], math.log(level / back(closes, 0)))
        push(closes, level)
        if closes[0] >= HALF_YEAR:
            raw[MOMENTUM] = math.log(level / (total(closes, HALF_YEAR) / HALF_YEAR))
        raw[CALM] = _realised(memory, inputs[SPREAD_TODAY])
    raw[_IMPLIED_CALM] = _implied(memory[_IMPLIEDS], inputs[IMPLIED])
    raw[BOND_HAVEN] = _haven(memory[_BONDS], level, inputs[BOND])
    raw[DOLLAR_HAVEN] = _haven(memory[_DOLLARS], level, inputs[DOLLAR])


@njit(cache=True)
def _day(
    memory: Float64Array,
    day: float,
    told: Float64Array,
    inputs: Float64Array,
    rules: Float64Array,
    raw: Float64Array,
    ranks: Float64Array,
    seen: Float64Array,
) -> tuple[float, bool]:
    # Returns the index and whether calm was the implied one; `rules` is
    # window, least days, least weight, 1 where the index is stood in for, and the weights.
    single = memory[_SINGLE]
    level = inputs[INDEX]
    if rules[3] > 0.0:
        level = np.nan
        if told[MOVED] > 0.0:
            single[_STAND_IN] *= math.exp(told[MOVES] / told[MOVED])
            level = single[_STAND_IN]
    every = np.full(_SERIES, np.nan)
    _of_crowd(memory, told, inputs[FOREIGN], every)
    _of_index(memory, inputs, level, every)
    found = np.empty(_SERIES)
    for s in range(_SERIES):
        push(memory[s], every[s])
        found[s] = rank(memory[s], int(rules[0]), int(rules[1]))
    implied = not math.isnan(found[_IMPLIED_CALM])
    if implied:
        every[CALM], found[CALM] = every[_IMPLIED_CALM], found[_IMPLIED_CALM]
    weighed, present, whole = 0.0, 0.0, 0.0
    for c in range(COUNT):
        raw[c], ranks[c] = every[c], found[c]
        weight = rules[WEIGHTS + c]
        whole += weight
        if not math.isnan(found[c]):
            single[c] = day
            present += weight
            weighed += weight * found[c]
        seen[c] = single[c]
    enough = present > 0.0 and present >= rules[2] * whole - 1e-12
    return (weighed / present if enough else np.nan), implied


@njit(cache=True)
def fold_market(
    memory: Float64Array,
    days: NDArray[np.int32],
    told: Float64Array,
    inputs: Float64Array,
    rules: Float64Array,
    raw: Float64Array,
    ranks: Float64Array,
    seen: Float64Array,
    value: Float64Array,
    implied: NDArray[np.bool_],
) -> None:
    """Fold days into ``memory`` (changed in place) and write raw numbers, ranks, days last known, index and source.

    Shapes: ``told`` (n_days, TOLD), ``inputs`` (n_days, INPUTS), ``raw``, ``ranks`` and ``seen``
    (n_days, COUNT), ``value`` and ``implied`` (n_days,).
    """
    for t in range(len(days)):
        value[t], implied[t] = _day(memory, float(days[t]), told[t], inputs[t], rules, raw[t], ranks[t], seen[t])
