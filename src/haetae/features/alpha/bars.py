"""The shape of the newest bar, and its prices beside its close.

A bar without a range has no shape: 0. The set has no turnover, so the typical price stands for the VWAP.
"""

from __future__ import annotations

from numba import njit

from haetae.features.window import CLOSE, HIGH, LANES, LOW, OPEN, Float64Array, FloatArray


@njit(cache=True, error_model="numpy")
def bars(days: Float64Array, row: int, cells: FloatArray) -> None:
    """Write the thirteen features of the bar in ``row``."""
    opens, highs, lows, closes = days[OPEN, row], days[HIGH, row], days[LOW, row], days[CLOSE, row]
    for s in range(LANES):
        opened, high, low, close = opens[s], highs[s], lows[s], closes[s]
        reach = high - low
        wide = 1.0 / reach if reach > 0.0 else 0.0
        top, bottom = max(opened, close), min(opened, close)
        shift = 2.0 * close - high - low
        cells[0, s] = (close - opened) / opened
        cells[1, s] = reach / opened
        cells[2, s] = (close - opened) * wide
        cells[3, s] = (high - top) / opened
        cells[4, s] = (high - top) * wide
        cells[5, s] = (bottom - low) / opened
        cells[6, s] = (bottom - low) * wide
        cells[7, s] = shift / opened
        cells[8, s] = shift * wide
        cells[9, s] = opened / close
        cells[10, s] = high / close
        cells[11, s] = low / close
        cells[12, s] = (high + low + close) / 3.0 / close
