"""Families that look beyond the symbol: the index, the panel's own market, the order book, the clock.

Each function folds its part over a block of bars and writes its columns. Only ``fold_market`` lets one symbol see
others.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.market import Int64Array
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, apart, put
from haetae.features.folds.relation import relation, relation_rows
from haetae.features.folds.windows import mean, older, older_rows, remember, total_rows
from haetae.features.intraday.columns import FAR_SLOPE, SHORT, SLOPE, columns
from haetae.features.minute import SESSION_MINUTES
from haetae.features.sets import Float64Array

LAYOUT: Final = Layout()
"""The rows of the state that the families of this file keep; they are given their own part of it."""
_LEVELS = LAYOUT.window(older_rows, SHORT)
_NEAR, _FAR = LAYOUT.window(relation_rows, SLOPE), LAYOUT.window(relation_rows, FAR_SLOPE)
_BOOK = LAYOUT.window(total_rows, 20)

_SLOPES = columns("beta_60m", "beta_120m")
_AGREEMENT = columns("correlation_60m", "correlation_120m")
_BREADTH = columns("breadth_1m", "breadth_day", "breadth_vwap")
_OVER = columns("relative_30m", "panel_relative_30m")
_IMBALANCE, _TIME = columns("book_imbalance", "book_imbalance_20m"), columns("time_of_day")


@njit(cache=True, error_model="numpy")
def fold_index(
    state: State, tick: int, index: Float64Array, seen: Block, step: Block, recent: Block, out: FloatArray
) -> None:
    """Write slope, correlation and return beside the index; ``index`` is its level, ``(n_bars,)``."""
    level = np.empty_like(step)
    for t in range(step.shape[0]):
        level[t, :] = math.log(index[t])
    market = apart(level, older(state, _LEVELS, tick, 1, level))
    beta, correlation = relation(state, _NEAR, tick, step, market)
    put(seen, SLOPE + 1.0, beta, _SLOPES[0], out)
    put(seen, SLOPE + 1.0, correlation, _AGREEMENT[0], out)
    beta, correlation = relation(state, _FAR, tick, step, market)
    put(seen, FAR_SLOPE + 1.0, beta, _SLOPES[1], out)
    put(seen, FAR_SLOPE + 1.0, correlation, _AGREEMENT[1], out)
    moved = apart(level, older(state, _LEVELS, tick, SHORT, level))
    put(seen, SHORT + 1.0, apart(recent, moved), _OVER[0], out)
    remember(state, _LEVELS, tick, level)


@njit(cache=True, error_model="numpy")
def _balance(seen: Block, least: float, values: Block, base: Block, t: int) -> float:
    # Those above less those below as a share of those whose base is known; NaN where nobody's is.
    above, known = 0, 0
    for s in range(values.shape[1]):
        if seen[t, s] >= least and not math.isnan(base[t, s]):
            known += 1
            above += 1 if values[t, s] > base[t, s] else (-1 if values[t, s] < base[t, s] else 0)
    return above / known if known > 0 else math.nan


@njit(cache=True, error_model="numpy")
def fold_market(
    seen: Block, before: Block, close: Block, closed: Block, vwap: Block, recent: Block, out: FloatArray
) -> None:
    """Write the breadth of the panel and each return over the panel's mean; symbols without bars do not count."""
    breadth = np.empty_like(close)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 2.0, close, before, t)
    put(seen, 1.0, breadth, _BREADTH[0], out)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 1.0, close, closed, t)
    put(seen, 1.0, breadth, _BREADTH[1], out)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 1.0, close, vwap, t)
    put(seen, 1.0, breadth, _BREADTH[2], out)
    for t in range(close.shape[0]):
        whole, count = 0.0, 0.0
        for s in range(close.shape[1]):
            if seen[t, s] > SHORT:
                whole += recent[t, s]
                count += 1.0
        breadth[t, :] = whole / count if count > 0.0 else math.nan
    put(seen, SHORT + 1.0, apart(recent, breadth), _OVER[1], out)


@njit(cache=True, error_model="numpy")
def fold_book(state: State, tick: int, seen: Block, imbalance: Block, out: FloatArray) -> None:
    """Write the order book's imbalance at the bar's end and its mean."""
    put(seen, 1.0, imbalance, _IMBALANCE[0], out)
    put(seen, 20.0, mean(state, _BOOK, tick, imbalance), _IMBALANCE[1], out)


@njit(cache=True, error_model="numpy")
def write_clock(minutes: Int64Array, seen: Block, out: FloatArray) -> None:
    """Write the time of day."""
    clock = np.empty_like(seen)
    for t in range(seen.shape[0]):
        clock[t, :] = minutes[t] / (SESSION_MINUTES - 1.0)
    put(seen, 1.0, clock, _TIME[0], out)
