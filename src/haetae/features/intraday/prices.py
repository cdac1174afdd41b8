"""Families that look at prices: returns, volatility, oscillators, bands, ranges, the session's levels.

Each function folds its part over a block of bars and writes its columns.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.bands import ATR_ROWS, atr, bollinger, bollinger_rows, true_range
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, put
from haetae.features.folds.extremes import extreme_rows, highest, lowest
from haetae.features.folds.oscillators import ADX_ROWS, MACD_ROWS, RSI_ROWS, adx, macd, rsi, stochastic, stochastic_rows
from haetae.features.folds.sessions import (
    CLOSE_ROWS,
    OPEN_ROWS,
    RANGE_ROWS,
    previous_close,
    session_open,
    session_range,
)
from haetae.features.folds.volatility import bar_variances, volatility, volatility_rows
from haetae.features.folds.windows import older, older_rows, spread, spread_rows
from haetae.features.intraday.columns import LONG, RETURNS, SHORT, column

FLOOR: Final = 1e-5
"""A tenth of a basis point: below it a symbol is simply not moving."""

LAYOUT: Final = Layout()
"""Rows of the state that the families of this file keep, counted from where the part begins."""
_OLDER = tuple(LAYOUT.take(older_rows(bars)) for bars in RETURNS)
_VOLATILITY = (LAYOUT.take(spread_rows(SHORT)), LAYOUT.take(spread_rows(LONG)))
_RANGES = tuple(LAYOUT.take(volatility_rows(bars)) for bars in (SHORT, LONG, SHORT, LONG))
_RSI = (LAYOUT.take(RSI_ROWS), LAYOUT.take(RSI_ROWS))
_MACD, _ATR, _ADX = LAYOUT.take(MACD_ROWS), LAYOUT.take(ATR_ROWS), LAYOUT.take(ADX_ROWS)
_BOLLINGER, _STOCHASTIC = LAYOUT.take(bollinger_rows(20)), LAYOUT.take(stochastic_rows(14, 3, 3))
_POSITION = tuple(LAYOUT.take(2 * extreme_rows(bars)) for bars in (20, 60, 240))
_SESSION, _CLOSED, _OPENED = LAYOUT.take(RANGE_ROWS), LAYOUT.take(CLOSE_ROWS), LAYOUT.take(OPEN_ROWS)
_EDGES = LAYOUT.take(2)

_RET, _VOL, _RSI_C, _MACD_C = column("ret_1m"), column("volatility_30m"), column("rsi_14m"), column("macd_line")
_BANDS, _K, _DI = column("bollinger_z_20m"), column("stochastic_k_14m"), column("plus_di_14m")
_PLACE, _LEVELS = column("bar_position"), column("session_position")


@njit(cache=True, error_model="numpy")
def log_closes(seen: Block, close: Block) -> Block:
    """Return the logs of the closes, 0 before the first bar."""
    out = np.zeros_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            if seen[t, s] > 0.0:
                out[t, s] = math.log(close[t, s])
    return out


@njit(cache=True, error_model="numpy")
def fold_returns(state: State, at: int, tick: int, seen: Block, logs: Block, out: FloatArray) -> tuple[Block, Block]:
    """Write the returns of all horizons; return those of one bar and of thirty."""
    step, month = logs - older(state, at + _OLDER[0], RETURNS[0], tick, logs), logs
    put(seen, RETURNS[0] + 1.0, step, _RET, out)
    for k in range(1, len(RETURNS)):
        value = logs - older(state, at + _OLDER[k], RETURNS[k], tick, logs)
        put(seen, RETURNS[k] + 1.0, value, _RET + k, out)
        if RETURNS[k] == SHORT:
            month = value
    return step, month


@njit(cache=True, error_model="numpy")
def fold_volatility(
    state: State,
    at: int,
    tick: int,
    seen: Block,
    step: Block,
    opened: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> None:
    """Write the volatilities of closes, ranges and bars."""
    _, quick = spread(state, at + _VOLATILITY[0], SHORT, tick, step)
    _, calm = spread(state, at + _VOLATILITY[1], LONG, tick, step)
    ratio = np.empty_like(quick)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            quick[t, s], calm[t, s] = math.sqrt(quick[t, s]), math.sqrt(calm[t, s])
            ratio[t, s] = math.log((quick[t, s] + FLOOR) / (calm[t, s] + FLOOR)) if seen[t, s] > LONG else 0.0
    put(seen, SHORT + 1.0, quick, _VOL, out)
    put(seen, LONG + 1.0, calm, _VOL + 1, out)
    put(seen, LONG + 1.0, ratio, _VOL + 2, out)
    parkinson, garman_klass = bar_variances(seen, opened, high, low, close)
    put(seen, float(SHORT), volatility(state, at + _RANGES[0], SHORT, tick, parkinson), _VOL + 3, out)
    put(seen, float(LONG), volatility(state, at + _RANGES[1], LONG, tick, parkinson), _VOL + 4, out)
    put(seen, float(SHORT), volatility(state, at + _RANGES[2], SHORT, tick, garman_klass), _VOL + 5, out)
    put(seen, float(LONG), volatility(state, at + _RANGES[3], LONG, tick, garman_klass), _VOL + 6, out)


@njit(cache=True, error_model="numpy")
def _share(values: Block, whole: Block) -> Block:
    # Shares of the price; before the first bar there is none, and nobody reads them.
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] / whole[t, s] if whole[t, s] > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def fold_oscillators(
    state: State,
    at: int,
    tick: int,
    seen: Block,
    change: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> None:
    """Write RSI, MACD and Stochastic; what runs from 0 to 100 runs from -1 to 1 here."""
    put(seen, 15.0, rsi(state, at + _RSI[0], 14.0, 50.0, seen, change) * 0.02 - 1.0, _RSI_C, out)
    put(seen, 61.0, rsi(state, at + _RSI[1], 60.0, 50.0, seen, change) * 0.02 - 1.0, _RSI_C + 1, out)
    line, signal = macd(state, at + _MACD, 12.0, 26.0, 9.0, seen, close)
    line, signal = _share(line, close), _share(signal, close)
    put(seen, 26.0, line, _MACD_C, out)
    put(seen, 34.0, signal, _MACD_C + 1, out)
    put(seen, 34.0, line - signal, _MACD_C + 2, out)
    slow_k, slow_d = stochastic(state, at + _STOCHASTIC, 14, 3, 3, tick, 50.0, high, low, close)
    put(seen, 16.0, slow_k * 0.02 - 1.0, _K, out)
    put(seen, 18.0, slow_d * 0.02 - 1.0, _K + 1, out)


@njit(cache=True, error_model="numpy")
def fold_bands(
    state: State,
    at: int,
    tick: int,
    seen: Block,
    before: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> None:
    """Write Bollinger's bands, ATR and the directional movement."""
    upper, middle, lower = bollinger(state, at + _BOLLINGER, 20, tick, 2.0, close)
    apart = np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            width = upper[t, s] - lower[t, s]
            apart[t, s] = 4.0 * (close[t, s] - middle[t, s]) / width if width > 0.0 else 0.0
    put(seen, 20.0, apart, _BANDS, out)
    put(seen, 20.0, _share(upper - lower, middle), _BANDS + 1, out)
    ranges = true_range(high, low, before)
    put(seen, 15.0, _share(atr(state, at + _ATR, 14.0, seen, ranges), close), _BANDS + 2, out)
    rise = high - older(state, at + _EDGES, 1, tick, high)
    fall = older(state, at + _EDGES + 1, 1, tick, low) - low
    plus, minus, strength = adx(state, at + _ADX, 14.0, seen, rise, fall, ranges)
    put(seen, 15.0, plus * 0.01, _DI, out)
    put(seen, 15.0, minus * 0.01, _DI + 1, out)
    put(seen, 28.0, strength * 0.01, _DI + 2, out)


@njit(cache=True, error_model="numpy")
def _position(high: Block, low: Block, close: Block) -> Block:
    out = np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            width = high[t, s] - low[t, s]
            out[t, s] = (2.0 * close[t, s] - high[t, s] - low[t, s]) / width if width > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def _log_over(values: Block, base: Block) -> Block:
    # NaN where the base is missing; 0 before the first bar, which nobody reads.
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = math.log(values[t, s] / base[t, s]) if values[t, s] > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def fold_levels(
    state: State,
    at: int,
    tick: int,
    opens: Int64Array,
    traded: BoolArray,
    seen: Block,
    before: Block,
    opened: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> Block:
    """Write the positions in ranges and what belongs to the session; return the close of the session before."""
    put(seen, 1.0, _position(high, low, close), _PLACE, out)
    for k, bars in enumerate((20, 60, 240)):
        top = highest(state, at + _POSITION[k], bars, tick, high)
        bottom = lowest(state, at + _POSITION[k] + bars + 1, bars, tick, low)
        put(seen, float(bars), _position(top, bottom, close), _PLACE + 1 + k, out)
    top, bottom = session_range(state, at + _SESSION, opens, seen, high, low)
    put(seen, 1.0, _position(top, bottom, close), _LEVELS, out)
    put(seen, 1.0, _log_over(top, bottom), _LEVELS + 1, out)
    closed = previous_close(state, at + _CLOSED, opens, seen, before)
    began = session_open(state, at + _OPENED, opens, opened, traded)
    put(seen, 1.0, _log_over(began, closed), _LEVELS + 2, out)
    put(seen, 1.0, _log_over(close, closed), _LEVELS + 3, out)
    put(seen, 1.0, _log_over(close, began), _LEVELS + 4, out)
    return closed
