"""Families that look at prices: returns, volatility, oscillators, bands, ranges, the session's levels.

Each function folds its part over a block of bars and writes its columns.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.bands import atr, atr_rows, bollinger, bollinger_rows, true_range
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, apart, constants, put
from haetae.features.folds.extremes import extreme_rows, highest, lowest
from haetae.features.folds.oscillators import (
    MACD_ROWS,
    adx,
    adx_rows,
    macd,
    rsi,
    rsi_rows,
    stochastic,
    stochastic_rows,
)
from haetae.features.folds.sessions import (
    CLOSE_ROWS,
    OPEN_ROWS,
    RANGE_ROWS,
    previous_close,
    session_open,
    session_range,
)
from haetae.features.folds.volatility import bar_variances, volatility, volatility_rows
from haetae.features.folds.windows import older, older_rows, remember, spread, spread_rows
from haetae.features.intraday.columns import LONG, RETURNS, SHORT, columns

FLOOR: Final = 1e-5
"""A tenth of a basis point: below it a symbol is simply not moving."""

LAYOUT: Final = Layout()
"""The rows of the state that the families of this file keep; they are given their own part of it."""
_LOGS = LAYOUT.window(older_rows, max(RETURNS))
_HORIZONS = constants(*RETURNS)
_CLOSES = LAYOUT.windows(spread_rows, SHORT, LONG)
_RANGES = LAYOUT.windows(volatility_rows, SHORT, LONG)
_BODIES = LAYOUT.windows(volatility_rows, SHORT, LONG)
_RSI = LAYOUT.windows(rsi_rows, 14, 60)
_MACD, _MACD_BARS = LAYOUT.take(MACD_ROWS), constants(12, 26, 9)
_STOCHASTIC_BARS = constants(14, 3, 3)
_STOCHASTIC = LAYOUT.take(stochastic_rows(*_STOCHASTIC_BARS))
_BOLLINGER, _ATR, _ADX = LAYOUT.window(bollinger_rows, 20), LAYOUT.window(atr_rows, 14), LAYOUT.window(adx_rows, 14)
_HIGH, _LOW = LAYOUT.window(older_rows, 1), LAYOUT.window(older_rows, 1)
_TOPS = LAYOUT.windows(extreme_rows, 20, 60, 240)
_BOTTOMS = LAYOUT.windows(extreme_rows, 20, 60, 240)
_SESSION, _CLOSED, _OPENED = LAYOUT.take(RANGE_ROWS), LAYOUT.take(CLOSE_ROWS), LAYOUT.take(OPEN_ROWS)

_RET = columns(*(f"ret_{bars}m" for bars in RETURNS))
_VOLATILITY = columns("volatility_30m", "volatility_120m", "volatility_ratio_30_120m")
_PARKINSON, _GARMAN = columns("parkinson_30m", "parkinson_120m"), columns("garman_klass_30m", "garman_klass_120m")
_STRENGTH, _TREND = columns("rsi_14m", "rsi_60m"), columns("macd_line", "macd_signal", "macd_histogram")
_SLOW = columns("stochastic_k_14m", "stochastic_d_14m")
_BANDS = columns("bollinger_z_20m", "bollinger_width_20m", "atr_14m")
_DIRECTION = columns("plus_di_14m", "minus_di_14m", "adx_14m")
_PLACE = columns("range_position_20m", "range_position_60m", "range_position_240m")
_WHOLE = columns("bar_position", "session_position", "session_range")
_DAY = columns("gap", "day_return", "session_return")


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
def fold_returns(state: State, tick: int, seen: Block, logs: Block, out: FloatArray) -> tuple[Block, Block]:
    """Write the returns of all horizons; return those of one bar and of thirty."""
    step, recent = logs, logs
    for k in range(len(_HORIZONS)):
        bars = _HORIZONS[k]
        value = apart(logs, older(state, _LOGS, tick, bars, logs))
        put(seen, bars + 1.0, value, _RET[k], out)
        if bars == 1:
            step = value
        if bars == SHORT:
            recent = value
    remember(state, _LOGS, tick, logs)
    return step, recent


@njit(cache=True, error_model="numpy")
def fold_volatility(
    state: State,
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
    _, quick = spread(state, _CLOSES[0], tick, step)
    _, calm = spread(state, _CLOSES[1], tick, step)
    ratio = np.empty_like(quick)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            quick[t, s], calm[t, s] = math.sqrt(quick[t, s]), math.sqrt(calm[t, s])
            ratio[t, s] = math.log((quick[t, s] + FLOOR) / (calm[t, s] + FLOOR)) if seen[t, s] > LONG else 0.0
    put(seen, SHORT + 1.0, quick, _VOLATILITY[0], out)
    put(seen, LONG + 1.0, calm, _VOLATILITY[1], out)
    put(seen, LONG + 1.0, ratio, _VOLATILITY[2], out)
    parkinson, garman_klass = bar_variances(seen, opened, high, low, close)
    put(seen, float(SHORT), volatility(state, _RANGES[0], tick, parkinson), _PARKINSON[0], out)
    put(seen, float(LONG), volatility(state, _RANGES[1], tick, parkinson), _PARKINSON[1], out)
    put(seen, float(SHORT), volatility(state, _BODIES[0], tick, garman_klass), _GARMAN[0], out)
    put(seen, float(LONG), volatility(state, _BODIES[1], tick, garman_klass), _GARMAN[1], out)


@njit(cache=True, error_model="numpy")
def _share(values: Block, whole: Block) -> Block:
    # Shares of the price; before the first bar there is none, and nobody reads them.
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] / whole[t, s] if whole[t, s] > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def _about_zero(values: Block) -> Block:
    # From 0..100 to -1..1, in place.
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            values[t, s] = values[t, s] * 0.02 - 1.0
    return values


@njit(cache=True, error_model="numpy")
def fold_oscillators(
    state: State,
    tick: int,
    seen: Block,
    change: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> None:
    """Write RSI, MACD and Stochastic; what runs from 0 to 100 runs from -1 to 1 here."""
    put(seen, 15.0, _about_zero(rsi(state, _RSI[0], 50.0, seen, change)), _STRENGTH[0], out)
    put(seen, 61.0, _about_zero(rsi(state, _RSI[1], 50.0, seen, change)), _STRENGTH[1], out)
    line, signal = macd(state, _MACD, _MACD_BARS, seen, close)
    line, signal = _share(line, close), _share(signal, close)
    put(seen, 26.0, line, _TREND[0], out)
    put(seen, 34.0, signal, _TREND[1], out)
    put(seen, 34.0, apart(line, signal), _TREND[2], out)
    slow_k, slow_d = stochastic(state, _STOCHASTIC, _STOCHASTIC_BARS, tick, 50.0, high, low, close)
    put(seen, 16.0, _about_zero(slow_k), _SLOW[0], out)
    put(seen, 18.0, _about_zero(slow_d), _SLOW[1], out)


@njit(cache=True, error_model="numpy")
def fold_bands(
    state: State,
    tick: int,
    seen: Block,
    before: Block,
    high: Block,
    low: Block,
    close: Block,
    out: FloatArray,
) -> None:
    """Write Bollinger's bands, ATR and the directional movement."""
    upper, middle, lower = bollinger(state, _BOLLINGER, tick, 2.0, close)
    away = np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            width = upper[t, s] - lower[t, s]
            away[t, s] = 4.0 * (close[t, s] - middle[t, s]) / width if width > 0.0 else 0.0
    put(seen, 20.0, away, _BANDS[0], out)
    put(seen, 20.0, _share(apart(upper, lower), middle), _BANDS[1], out)
    ranges = true_range(high, low, before)
    put(seen, 15.0, _share(atr(state, _ATR, seen, ranges), close), _BANDS[2], out)
    rise = apart(high, older(state, _HIGH, tick, 1, high))
    fall = apart(older(state, _LOW, tick, 1, low), low)
    remember(state, _HIGH, tick, high)
    remember(state, _LOW, tick, low)
    whole = np.full(close.shape, 100.0)
    plus, minus, strength = adx(state, _ADX, seen, rise, fall, ranges)
    put(seen, 15.0, _share(plus, whole), _DIRECTION[0], out)
    put(seen, 15.0, _share(minus, whole), _DIRECTION[1], out)
    put(seen, 28.0, _share(strength, whole), _DIRECTION[2], out)


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
    put(seen, 1.0, _position(high, low, close), _WHOLE[0], out)
    for k in range(len(_TOPS)):
        top, bottom = highest(state, _TOPS[k], tick, high), lowest(state, _BOTTOMS[k], tick, low)
        put(seen, float(_TOPS[k, 1]), _position(top, bottom, close), _PLACE[k], out)
    top, bottom = session_range(state, _SESSION, opens, seen, high, low)
    put(seen, 1.0, _position(top, bottom, close), _WHOLE[1], out)
    put(seen, 1.0, _log_over(top, bottom), _WHOLE[2], out)
    closed = previous_close(state, _CLOSED, opens, seen, before)
    began = session_open(state, _OPENED, opens, opened, traded)
    put(seen, 1.0, _log_over(began, closed), _DAY[0], out)
    put(seen, 1.0, _log_over(close, closed), _DAY[1], out)
    put(seen, 1.0, _log_over(close, began), _DAY[2], out)
    return closed
