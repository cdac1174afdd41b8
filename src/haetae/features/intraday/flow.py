"""Families that look at what was traded: signed volume, volume-weighted prices, surprise, seasons, illiquidity.

Each function folds its part over a block of bars and writes its columns.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, put
from haetae.features.folds.seasons import usual, usual_rows
from haetae.features.folds.volume import VWAP_ROWS, session_vwap, signed
from haetae.features.folds.windows import spread, spread_rows, total, total_rows
from haetae.features.intraday.columns import LEAST_SESSIONS, column
from haetae.features.intraday.prices import FLOOR
from haetae.features.minute import SESSION_MINUTES

MEMORY: Final = 20.0
"""Sessions after which what is usual at a minute turns from a plain mean to an exponential one."""

LAYOUT: Final = Layout()
"""Rows of the state that the families of this file keep, counted from where the part begins."""
_SIGNED = (LAYOUT.take(total_rows(20)), LAYOUT.take(total_rows(60)))
_SHARES = (LAYOUT.take(total_rows(20)), LAYOUT.take(total_rows(60)))
_MONEY, _VWAP = LAYOUT.take(total_rows(60)), LAYOUT.take(VWAP_ROWS)
_SURPRISE = (LAYOUT.take(spread_rows(60)), LAYOUT.take(spread_rows(60)))
_SEASON = (LAYOUT.take(usual_rows(SESSION_MINUTES)), LAYOUT.take(usual_rows(SESSION_MINUTES)))
_IMPACT, _ACTIVE = LAYOUT.take(total_rows(60)), LAYOUT.take(total_rows(60))

_OBV, _DISTANCE, _Z = column("obv_20m"), column("vwap_distance"), column("volume_z_60m")
_USUAL, _AMIHUD = column("volume_season"), column("amihud_60m")
_BILLION = 1e9


@njit(cache=True, error_model="numpy")
def _ratio(values: Block, whole: Block, otherwise: float) -> Block:
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] / whole[t, s] if whole[t, s] > 0.0 else otherwise
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
    at: int,
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
    shares_20 = total(state, at + _SHARES[0], 20, tick, volume)
    shares_60 = total(state, at + _SHARES[1], 60, tick, volume)
    put(seen, 21.0, _ratio(total(state, at + _SIGNED[0], 20, tick, direction), shares_20, 0.0), _OBV, out)
    put(seen, 61.0, _ratio(total(state, at + _SIGNED[1], 60, tick, direction), shares_60, 0.0), _OBV + 1, out)
    vwap = session_vwap(state, at + _VWAP, opens, high, low, close, volume)
    put(seen, 1.0, _log_ratio(close, vwap), _DISTANCE, out)
    money = (high + low + close) * volume
    money /= 3.0
    spent = total(state, at + _MONEY, 60, tick, money)
    put(seen, 60.0, _log_ratio(close * shares_60, spent), _DISTANCE + 1, out)
    return money, vwap


@njit(cache=True, error_model="numpy")
def _surprise(state: State, at: int, bars: int, tick: int, values: Block) -> Block:
    middle, variance = spread(state, at, bars, tick, values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            deviation = math.sqrt(variance[t, s])
            middle[t, s] = (values[t, s] - middle[t, s]) / deviation if deviation > 0.0 else 0.0
    return middle


@njit(cache=True, error_model="numpy")
def fold_surprise(
    state: State,
    at: int,
    tick: int,
    minutes: Int64Array,
    seen: Block,
    step: Block,
    volume: Block,
    money: Block,
    out: FloatArray,
) -> None:
    """Write volume and turnover against the last hour and, with the return, against what is usual at the minute."""
    shares, won, move = np.log1p(volume), np.log1p(money), np.zeros_like(step)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            move[t, s] = abs(step[t, s]) if seen[t, s] > 1.0 else 0.0
    put(seen, 60.0, _surprise(state, at + _SURPRISE[0], 60, tick, shares), _Z, out)
    put(seen, 60.0, _surprise(state, at + _SURPRISE[1], 60, tick, won), _Z + 1, out)
    before, known = usual(state, at + _SEASON[0], SESSION_MINUTES, MEMORY, minutes, seen, shares)
    put(known, float(LEAST_SESSIONS), shares - before, _USUAL, out)
    before, known = usual(state, at + _SEASON[1], SESSION_MINUTES, MEMORY, minutes, seen, move)
    put(known, float(LEAST_SESSIONS), np.log((move + FLOOR) / (before + FLOOR)), _USUAL + 1, out)


@njit(cache=True, error_model="numpy")
def fold_illiquidity(
    state: State, at: int, tick: int, traded: BoolArray, seen: Block, step: Block, money: Block, out: FloatArray
) -> None:
    """Write Amihud's illiquidity of the bars that traded and the share of those that did not."""
    impact, active = np.zeros_like(step), np.zeros_like(step)
    for t in range(step.shape[0]):
        for s in range(step.shape[1]):
            if traded[t, s] and money[t, s] > 0.0:
                impact[t, s] = abs(step[t, s]) * _BILLION / money[t, s] if seen[t, s] > 1.0 else 0.0
                active[t, s] = 1.0
    felt = total(state, at + _IMPACT, 60, tick, impact)
    times = total(state, at + _ACTIVE, 60, tick, active)
    put(seen, 61.0, np.log(_ratio(felt, times, math.nan) + 1e-9), _AMIHUD, out)
    put(seen, 60.0, 1.0 - times * (1.0 / 60.0), _AMIHUD + 1, out)
