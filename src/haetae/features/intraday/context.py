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
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, put
from haetae.features.folds.relation import relation, relation_rows
from haetae.features.folds.windows import mean, older, older_rows, total_rows
from haetae.features.intraday.columns import FAR_SLOPE, SHORT, SLOPE, column
from haetae.features.minute import SESSION_MINUTES

LAYOUT: Final = Layout()
"""Rows of the state that the families of this file keep, counted from where the part begins."""
_LEVEL, _BACK = LAYOUT.take(older_rows(1)), LAYOUT.take(older_rows(SHORT))
_NEAR, _FAR = LAYOUT.take(relation_rows(SLOPE)), LAYOUT.take(relation_rows(FAR_SLOPE))
_BOOK = LAYOUT.take(total_rows(20))

_BETA, _BREADTH, _IMBALANCE, _CLOCK = (
    column("beta_60m"),
    column("breadth_1m"),
    column("book_imbalance"),
    column("time_of_day"),
)


@njit(cache=True, error_model="numpy")
def fold_index(
    state: State, at: int, tick: int, index: Block, seen: Block, step: Block, month: Block, out: FloatArray
) -> None:
    """Write slope, correlation and return beside the index; ``index`` is its level, the same for all symbols."""
    level = np.log(index)
    market = level - older(state, at + _LEVEL, 1, tick, level)
    beta, correlation = relation(state, at + _NEAR, SLOPE, tick, step, market)
    put(seen, SLOPE + 1.0, beta, _BETA, out)
    put(seen, SLOPE + 1.0, correlation, _BETA + 1, out)
    beta, correlation = relation(state, at + _FAR, FAR_SLOPE, tick, step, market)
    put(seen, FAR_SLOPE + 1.0, beta, _BETA + 2, out)
    put(seen, FAR_SLOPE + 1.0, correlation, _BETA + 3, out)
    moved = level - older(state, at + _BACK, SHORT, tick, level)
    put(seen, SHORT + 1.0, month - moved, _BETA + 4, out)


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
    seen: Block, before: Block, close: Block, closed: Block, vwap: Block, month: Block, out: FloatArray
) -> None:
    """Write the breadth of the panel and each return over the panel's mean; symbols without bars do not count."""
    breadth = np.empty_like(close)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 2.0, close, before, t)
    put(seen, 1.0, breadth, _BREADTH, out)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 1.0, close, closed, t)
    put(seen, 1.0, breadth, _BREADTH + 1, out)
    for t in range(close.shape[0]):
        breadth[t, :] = _balance(seen, 1.0, close, vwap, t)
    put(seen, 1.0, breadth, _BREADTH + 2, out)
    for t in range(close.shape[0]):
        whole, count = 0.0, 0.0
        for s in range(close.shape[1]):
            if seen[t, s] > SHORT:
                whole += month[t, s]
                count += 1.0
        breadth[t, :] = whole / count if count > 0.0 else math.nan
    put(seen, SHORT + 1.0, month - breadth, _BREADTH + 3, out)


@njit(cache=True, error_model="numpy")
def fold_book(state: State, at: int, tick: int, seen: Block, imbalance: Block, out: FloatArray) -> None:
    """Write the order book's imbalance at the bar's end and its mean."""
    put(seen, 1.0, imbalance, _IMBALANCE, out)
    put(seen, 20.0, mean(state, at + _BOOK, 20, tick, imbalance), _IMBALANCE + 1, out)


@njit(cache=True, error_model="numpy")
def write_clock(minutes: Int64Array, seen: Block, out: FloatArray) -> None:
    """Write the time of day."""
    clock = np.empty_like(seen)
    for t in range(seen.shape[0]):
        clock[t, :] = minutes[t] / (SESSION_MINUTES - 1.0)
    put(seen, 1.0, clock, _CLOCK, out)
