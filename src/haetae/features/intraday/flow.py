"""Families that look at what was traded: signed volume, volume-weighted prices, surprise, seasons, illiquidity.

Each function folds its part over a block of bars and writes its columns.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, Window, apart, put
from haetae.features.folds.seasons import usual, usual_rows
from haetae.features.folds.volume import VWAP_ROWS, session_vwap, signed
from haetae.features.folds.windows import spread, spread_rows, total, total_rows
from haetae.features.intraday.columns import LEAST_SESSIONS, columns
from haetae.features.intraday.prices import FLOOR
from haetae.features.minute import SESSION_MINUTES

MEMORY: Final = 20.0
"""Sessions after which what is usual at a minute turns from a plain mean to an exponential one."""

LAYOUT: Final = Layout()
"""The rows of the state that the families of this file keep; they are given their own part of it."""
_SIGNED = LAYOUT.windows(total_rows, 20, 60)
_SHARES = LAYOUT.windows(total_rows, 20, 60)
_MONEY, _VWAP = LAYOUT.window(total_rows, 60), LAYOUT.take(VWAP_ROWS)
_VOLUMES, _TURNOVERS = LAYOUT.window(spread_rows, 60), LAYOUT.window(spread_rows, 60)
_USUAL_VOLUME = LAYOUT.window(usual_rows, SESSION_MINUTES)
_USUAL_MOVE = LAYOUT.window(usual_rows, SESSION_MINUTES)
_IMPACT, _ACTIVE = LAYOUT.window(total_rows, 60), LAYOUT.window(total_rows, 60)

_OBV, _DISTANCE = columns("obv_20m", "obv_60m"), columns("vwap_distance", "vwap_distance_60m")
_SURPRISE, _SEASON = columns("volume_z_60m", "turnover_z_60m"), columns("volume_season", "move_season")
_IDLE = columns("amihud_60m", "idle_60m")
_BILLION = 1e9


@njit(cache=True, error_model="numpy")
def _ratio(values: Block, whole: Block) -> Block:
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] / whole[t, s] if whole[t, s] > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def _log_ratio(values: Block, base: Block) -> Block:
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = math.log(values[t, s] / base[t, s]) if base[t, s] > 0.0 else 0.0
    return out


@njit(cache=True, error_model="numpy")
def fold_volume(
    state: State,
    tick: int,
    opens: Int64Array,
    seen: Block,
    change: Block,
    high: Block,
    low: Block,
    close: Block,
    volume: Block,
    out: FloatArray,
) -> tuple[Block, Block]:
    """Write signed volume and the distances from volume-weighted prices; return turnover in won and the VWAP."""
    direction = signed(change, volume)
    shares_20 = total(state, _SHARES[0], tick, volume)
    shares_60 = total(state, _SHARES[1], tick, volume)
    put(seen, 21.0, _ratio(total(state, _SIGNED[0], tick, direction), shares_20), _OBV[0], out)
    put(seen, 61.0, _ratio(total(state, _SIGNED[1], tick, direction), shares_60), _OBV[1], out)
    vwap = session_vwap(state, _VWAP, opens, high, low, close, volume)
    put(seen, 1.0, _log_ratio(close, vwap), _DISTANCE[0], out)
    money, worth = np.empty_like(close), np.empty_like(close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            money[t, s] = (high[t, s] + low[t, s] + close[t, s]) * volume[t, s] * (1.0 / 3.0)
            worth[t, s] = close[t, s] * shares_60[t, s]
    put(seen, 60.0, _log_ratio(worth, total(state, _MONEY, tick, money)), _DISTANCE[1], out)
    return money, vwap


@njit(cache=True, error_model="numpy")
def _surprise(state: State, window: Window, tick: int, values: Block) -> Block:
    middle, variance = spread(state, window, tick, values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            deviation = math.sqrt(variance[t, s])
            middle[t, s] = (values[t, s] - middle[t, s]) / deviation if deviation > 0.0 else 0.0
    return middle


@njit(cache=True, error_model="numpy")
def fold_surprise(
    state: State,
    tick: int,
    minutes: Int64Array,
    seen: Block,
    step: Block,
    volume: Block,
    money: Block,
    out: FloatArray,
) -> None:
    """Write volume and turnover against the last hour and, with the return, against what is usual at the minute."""
    shares, won, move = np.empty_like(step), np.empty_like(step), np.empty_like(step)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            shares[t, s], won[t, s] = math.log1p(volume[t, s]), math.log1p(money[t, s])
            move[t, s] = abs(step[t, s]) if seen[t, s] > 1.0 else 0.0
    put(seen, 60.0, _surprise(state, _VOLUMES, tick, shares), _SURPRISE[0], out)
    put(seen, 60.0, _surprise(state, _TURNOVERS, tick, won), _SURPRISE[1], out)
    before, known = usual(state, _USUAL_VOLUME, MEMORY, minutes, seen, shares)
    put(known, float(LEAST_SESSIONS), apart(shares, before), _SEASON[0], out)
    before, known = usual(state, _USUAL_MOVE, MEMORY, minutes, seen, move)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            move[t, s] = math.log((move[t, s] + FLOOR) / (before[t, s] + FLOOR))
    put(known, float(LEAST_SESSIONS), move, _SEASON[1], out)


@njit(cache=True, error_model="numpy")
def fold_illiquidity(
    state: State, tick: int, traded: BoolArray, seen: Block, step: Block, money: Block, out: FloatArray
) -> None:
    """Write Amihud's illiquidity of the bars that traded and the share of those that did not."""
    impact, active = np.zeros_like(step), np.zeros_like(step)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            if traded[t, s] and money[t, s] > 0.0:
                impact[t, s] = abs(step[t, s]) * _BILLION / money[t, s] if seen[t, s] > 1.0 else 0.0
                active[t, s] = 1.0
    felt = total(state, _IMPACT, tick, impact)
    times = total(state, _ACTIVE, tick, active)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            felt[t, s] = math.log(felt[t, s] / times[t, s] + 1e-9) if times[t, s] > 0.0 else math.nan
            times[t, s] = 1.0 - times[t, s] * (1.0 / 60.0)
    put(seen, 61.0, felt, _IDLE[0], out)
    put(seen, 60.0, times, _IDLE[1], out)
