"""Where the price stands against its own past: returns, means, ranges, oscillators. Windows, summed anew each day."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import CLOSE, HIGH, LOG, LOW, RET, STOCHASTIC, deviation

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("ret_1", "close", 1, "log return"),
    spec("ret_5", "close", 5, "log return"),
    spec("ret_10", "close", 10, "log return"),
    spec("ret_20", "close", 20, "log return"),
    spec("ret_60", "close", 60, "log return"),
    spec("ret_120", "close", 120, "log return"),
    spec("momentum_12_1", "close", 252, "log return from 252 to 21 days ago"),
    spec("rsi_14", "close", 14, "-1..1, plain sums (Cutler)"),
    spec("stochastic_14", "high low close", 14, "-1..1"),
    spec("stochastic_slow_14", "high low close", 16, "-1..1, mean of three days"),
    spec("range_position_20", "high low close", 20, "-1 at the 20-day low, 1 at the high"),
    spec("bollinger_z_20", "close", 20, "standard deviations of log price"),
    spec("bollinger_width_20", "close", 20, "standard deviation of log price"),
    spec("trend_12_26", "close", 26, "log of the 12-day over the 26-day mean"),
    spec("distance_60", "close", 60, "log of close over its 60-day mean"),
    spec("drawdown_60", "close", 60, "log of close over its highest close in 60 days"),
    spec("high_252", "high close", 252, "log of close over the 52-week high"),
    spec("low_252", "low close", 252, "log of close over the 52-week low"),
    spec("position_252", "high low close", 252, "-1 at the 52-week low, 1 at the high"),
)
(
    RET_1, RET_5, RET_10, RET_20, RET_60, RET_120, MOMENTUM_12_1, RSI_14, STOCHASTIC_14, STOCHASTIC_SLOW_14,
    RANGE_POSITION_20, BOLLINGER_Z_20, BOLLINGER_WIDTH_20, TREND_12_26, DISTANCE_60, DRAWDOWN_60, HIGH_252, LOW_252,
    POSITION_252,
) = range(19)  # fmt: skip


@njit(cache=True)
def position(value: float, top: float, bottom: float) -> float:
    """Return where a price lies in a range: -1 at the bottom, 1 at the top, 0 in a range of one price."""
    return (2.0 * value - top - bottom) / (top - bottom) if top > bottom else 0.0


@njit(cache=True)
def fill(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Write the features of tape column ``t``, ``age`` days after the symbol's first bar."""
    log, close = tape[LOG], tape[CLOSE]
    row[RET_1] = tape[RET, t]
    if age >= 5:
        row[RET_5] = log[t] - log[t - 5]
    if age >= 10:
        row[RET_10] = log[t] - log[t - 10]
    if age >= 14:
        _fortnight(tape, t, age, row)
    if age >= 20:
        row[RET_20] = log[t] - log[t - 20]
        _month(tape, t, row)
    if age >= 26:
        short, long = 0.0, 0.0
        for j in range(26):
            long += close[t - j]
            if j == 11:
                short = long
        row[TREND_12_26] = math.log(short / 12.0 / (long / 26.0))
    if age >= 60:
        prices, best = 0.0, 0.0
        for j in range(60):
            prices += close[t - j]
            best = max(best, close[t - j])
        row[RET_60] = log[t] - log[t - 60]
        row[DISTANCE_60] = math.log(close[t] / (prices / 60.0))
        row[DRAWDOWN_60] = math.log(close[t] / best)
    if age >= 120:
        row[RET_120] = log[t] - log[t - 120]
    if age >= 252:
        row[MOMENTUM_12_1] = log[t - 21] - log[t - 252]


@njit(cache=True)
def _fortnight(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    gains, losses, top, bottom = 0.0, 0.0, tape[HIGH, t], tape[LOW, t]
    for k in range(t - 13, t + 1):
        gains += max(tape[RET, k], 0.0)
        losses += max(-tape[RET, k], 0.0)
        top = max(top, tape[HIGH, k])
        bottom = min(bottom, tape[LOW, k])
    row[RSI_14] = (gains - losses) / (gains + losses) if gains + losses > 0.0 else 0.0
    now = position(tape[CLOSE, t], top, bottom)
    tape[STOCHASTIC, t] = now
    row[STOCHASTIC_14] = now
    if age >= 16:
        row[STOCHASTIC_SLOW_14] = (now + tape[STOCHASTIC, t - 1] + tape[STOCHASTIC, t - 2]) / 3.0


@njit(cache=True)
def _month(tape: NDArray[np.float64], t: int, row: NDArray[np.float32]) -> None:
    total, squares, top, bottom = 0.0, 0.0, tape[HIGH, t], tape[LOW, t]
    for j in range(20):
        distance = tape[LOG, t - j] - tape[LOG, t]
        total += distance
        squares += distance * distance
        top = max(top, tape[HIGH, t - j])
        bottom = min(bottom, tape[LOW, t - j])
    spread = deviation(total, squares, 20.0)
    row[RANGE_POSITION_20] = position(tape[CLOSE, t], top, bottom)
    row[BOLLINGER_Z_20] = -total / 20.0 / spread if spread > 1e-9 else 0.0
    row[BOLLINGER_WIDTH_20] = spread


@njit(cache=True)
def year_range(tape: NDArray[np.float64], t: int, row: NDArray[np.float32], top_at: int, bottom_at: int) -> None:
    """Write the features of the 52-week range, its high and low found at these columns of the tape."""
    close, top, bottom = tape[CLOSE, t], tape[HIGH, top_at], tape[LOW, bottom_at]
    row[HIGH_252] = math.log(close / top)
    row[LOW_252] = math.log(close / bottom)
    row[POSITION_252] = position(close, top, bottom)


@njit(cache=True)
def highest(tape: NDArray[np.float64], t: int, at: int) -> int:
    """Return the column of the highest high of the 252 days to ``t``; ``at`` is yesterday's answer, -1 if unknown.

    Equal to a search of all 252, which is made only when yesterday's high has left the window.
    """
    first = t - 251
    if at < first:
        at = first
        for k in range(first + 1, t + 1):
            if tape[HIGH, k] >= tape[HIGH, at]:
                at = k
        return at
    return t if tape[HIGH, t] >= tape[HIGH, at] else at


@njit(cache=True)
def lowest(tape: NDArray[np.float64], t: int, at: int) -> int:
    """Return the column of the lowest low of the 252 days to ``t``, see ``highest``."""
    first = t - 251
    if at < first:
        at = first
        for k in range(first + 1, t + 1):
            if tape[LOW, k] <= tape[LOW, at]:
                at = k
        return at
    return t if tape[LOW, t] <= tape[LOW, at] else at
