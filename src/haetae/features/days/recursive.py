"""Averages that forget slowly: MACD and Wilder's directional movement. They remember the first bar.

The plain mean of what was seen while that is less than an average's memory, the exponential mean after; so the values
of a panel that begins later differ, a little less every day. Everything else of the daily set is a window.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import CLOSE, HIGH, LOW
from haetae.features.specs import REMEMBERS

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("macd_12_26", "close", 26, "share of price", missing=REMEMBERS),
    spec("macd_signal_9", "close", 34, "share of price", missing=REMEMBERS),
    spec("macd_hist_9", "close", 34, "share of price", missing=REMEMBERS),
    spec("rsi_wilder_14", "close", 14, "-1..1, Wilder's means", missing=REMEMBERS),
    spec("directional_14", "high low close", 14, "-1..1, up less down over their sum (Wilder)", missing=REMEMBERS),
    spec("adx_14", "high low close", 27, "0..1, strength of the trend (Wilder)", missing=REMEMBERS),
)
MACD_12_26, MACD_SIGNAL_9, MACD_HIST_9, RSI_WILDER_14, DIRECTIONAL_14, ADX_14 = range(6)

# The averages a symbol keeps.
_FAST, _SLOW, _SIGNAL, _GAIN, _LOSS, _UP, _DOWN, _ADX = range(8)


@njit(cache=True)
def _average(before: float, value: float, seen: float, memory: float, alpha: float) -> float:
    return before + (value - before) * (1.0 / seen if seen <= memory else alpha)


@njit(cache=True)
def fill(averages: NDArray[np.float64], tape: NDArray[np.float64], t: int, age: int, row: NDArray[np.float32]) -> None:
    """Fold the day into the averages and write the features, ``age`` days after the first bar."""
    close = tape[CLOSE, t]
    seen = age + 1.0
    averages[_FAST] = _average(averages[_FAST], close, seen, 12.0, 2.0 / 13.0)
    averages[_SLOW] = _average(averages[_SLOW], close, seen, 26.0, 2.0 / 27.0)
    macd = averages[_FAST] - averages[_SLOW]
    if age >= 26:
        averages[_SIGNAL] = _average(averages[_SIGNAL], macd, age - 25.0, 9.0, 2.0 / 10.0)
        row[MACD_12_26] = macd / close
    if age >= 34:
        row[MACD_SIGNAL_9] = averages[_SIGNAL] / close
        row[MACD_HIST_9] = (macd - averages[_SIGNAL]) / close
    if age == 0:
        return
    change = close - tape[CLOSE, t - 1]
    up, down = tape[HIGH, t] - tape[HIGH, t - 1], tape[LOW, t - 1] - tape[LOW, t]
    averages[_GAIN] = _average(averages[_GAIN], max(change, 0.0), age, 14.0, 1.0 / 14.0)
    averages[_LOSS] = _average(averages[_LOSS], max(-change, 0.0), age, 14.0, 1.0 / 14.0)
    averages[_UP] = _average(averages[_UP], up if up > down and up > 0.0 else 0.0, age, 14.0, 1.0 / 14.0)
    averages[_DOWN] = _average(averages[_DOWN], down if down > up and down > 0.0 else 0.0, age, 14.0, 1.0 / 14.0)
    if age < 14:
        return
    both = averages[_GAIN] + averages[_LOSS]
    row[RSI_WILDER_14] = (averages[_GAIN] - averages[_LOSS]) / both if both > 0.0 else 0.0
    moved = averages[_UP] + averages[_DOWN]
    direction = (averages[_UP] - averages[_DOWN]) / moved if moved > 0.0 else 0.0
    row[DIRECTIONAL_14] = direction
    averages[_ADX] = _average(averages[_ADX], abs(direction), age - 13.0, 14.0, 1.0 / 14.0)
    if age >= 27:
        row[ADX_14] = averages[_ADX]
