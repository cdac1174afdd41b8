"""How much the price moves, and when: by closes, by ranges, by night and by day. Windows, summed anew each day."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import GARMAN, NIGHT, REACH, RET, TRUE_RANGE, WITHIN, deviation

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("volatility_20", "close", 20, "standard deviation of daily log return"),
    spec("volatility_60", "close", 60, "standard deviation of daily log return"),
    spec("volatility_120", "close", 120, "standard deviation of daily log return"),
    spec("volatility_20_120", "close", 120, "log of 20-day over 120-day volatility"),
    spec("downside_60", "close", 60, "root mean square of negative log returns"),
    spec("skew_60", "close", 60, "third standardised moment"),
    spec("kurtosis_60", "close", 60, "fourth standardised moment less 3"),
    spec("max_ret_20", "close", 20, "largest daily log return"),
    spec("min_ret_20", "close", 20, "smallest daily log return"),
    spec("parkinson_20", "high low", 20, "daily volatility from the range"),
    spec("garman_klass_20", "open high low close", 20, "daily volatility from the bar"),
    spec("atr_14", "high low close", 14, "share of price"),
    spec("gap_1", "open close", 1, "log of open over the last close"),
    spec("gap_z_20", "open close", 20, "standard deviations of the gap"),
    spec("overnight_20", "open close", 20, "mean log return from close to open"),
    spec("intraday_20", "open close", 20, "mean log return from open to close"),
)
(
    VOLATILITY_20, VOLATILITY_60, VOLATILITY_120, VOLATILITY_20_120, DOWNSIDE_60, SKEW_60, KURTOSIS_60, MAX_RET_20,
    MIN_RET_20, PARKINSON_20, GARMAN_KLASS_20, ATR_14, GAP_1, GAP_Z_20, OVERNIGHT_20, INTRADAY_20,
) = range(16)  # fmt: skip

_STILL = 1e-4
"""A basis point a day: below it a name is simply not moving, and a ratio of volatilities tells nothing."""


@njit(cache=True)
def fill(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Write the features of tape column ``t``, ``age`` days after the symbol's first bar."""
    row[GAP_1] = tape[NIGHT, t]
    if age >= 14:
        ranges = 0.0
        for k in range(t - 13, t + 1):
            ranges += tape[TRUE_RANGE, k]
        row[ATR_14] = ranges / 14.0
    if age >= 20:
        _month(tape, t, row)
    if age >= 60:
        _quarter(tape, t, age, row)


@njit(cache=True)
def _month(tape: NDArray[np.float64], t: int, row: NDArray[np.float32]) -> None:
    total, squares, best, worst = 0.0, 0.0, -1e9, 1e9
    nights, night_squares, withins, park, garman = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(20):
        k = t - j
        ret, night = tape[RET, k], tape[NIGHT, k]
        total += ret
        squares += ret * ret
        best = max(best, ret)
        worst = min(worst, ret)
        nights += night
        night_squares += night * night
        withins += tape[WITHIN, k]
        park += tape[REACH, k]
        garman += tape[GARMAN, k]
    row[VOLATILITY_20] = deviation(total, squares, 20.0)
    row[MAX_RET_20], row[MIN_RET_20] = best, worst
    row[PARKINSON_20] = math.sqrt(park / (20.0 * 4.0 * math.log(2.0)))
    row[GARMAN_KLASS_20] = math.sqrt(max(garman / 20.0, 0.0))
    spread = deviation(nights, night_squares, 20.0)
    row[GAP_Z_20] = (tape[NIGHT, t] - nights / 20.0) / spread if spread > _STILL else 0.0
    row[OVERNIGHT_20] = nights / 20.0
    row[INTRADAY_20] = withins / 20.0


@njit(cache=True)
def _quarter(tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    total, squares, cubes, fourths, below = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(60):
        ret = tape[RET, t - j]
        square = ret * ret
        total += ret
        squares += square
        cubes += square * ret
        fourths += square * square
        below += min(ret, 0.0) * min(ret, 0.0)
    mean, spread = total / 60.0, deviation(total, squares, 60.0)
    row[VOLATILITY_60] = spread
    row[DOWNSIDE_60] = math.sqrt(below / 60.0)
    third = cubes / 60.0 - 3.0 * mean * squares / 60.0 + 2.0 * mean * mean * mean
    row[SKEW_60] = third / (spread * spread * spread) if spread > 1e-6 else 0.0
    fourth = fourths / 60.0 - 4.0 * mean * cubes / 60.0 + 6.0 * mean * mean * squares / 60.0 - 3.0 * mean**4
    row[KURTOSIS_60] = fourth / spread**4 - 3.0 if spread > _STILL else 0.0
    if age >= 120:
        for j in range(60, 120):
            ret = tape[RET, t - j]
            total += ret
            squares += ret * ret
        slow = deviation(total, squares, 120.0)
        row[VOLATILITY_120] = slow
        row[VOLATILITY_20_120] = math.log((row[VOLATILITY_20] + _STILL) / (slow + _STILL))
