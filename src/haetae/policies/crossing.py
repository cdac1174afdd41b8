"""Crossings of two simple moving averages, exact on whole prices and compiled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import StrategyError, Text
from haetae.domain.market import Int64Array


def sma_cross(close: Int64Array, fast: int, slow: int) -> NDArray[np.int8]:
    """Return +1 where the fast mean crosses above the slow one, -1 where below, else 0.

    Sums are compared cross-multiplied, so no division rounds. Rows before ``slow`` bars are full give 0.

    Parameters
    ----------
    close : (n_bars, n_symbols) int64, won
    fast, slow : int
        Bars of the means, ``1 <= fast < slow``.
    """
    if not 1 <= fast < slow:
        raise StrategyError(
            Text(ko="이동평균의 길이가 맞지 않습니다", en="the lengths of the means do not fit"),
            expected="1 <= fast < slow",
            found=f"fast={fast}, slow={slow}",
            next_step="--set fast=20 --set slow=60",
        )
    return _cross(np.ascontiguousarray(close), fast, slow)


@njit(cache=True, error_model="numpy")
def _cross(close: Int64Array, fast: int, slow: int) -> NDArray[np.int8]:
    n_bars, n_symbols = close.shape
    signal = np.zeros((n_bars, n_symbols), dtype=np.int8)
    short = np.zeros(n_symbols, dtype=np.int64)
    long = np.zeros(n_symbols, dtype=np.int64)
    before = np.zeros(n_symbols, dtype=np.int64)
    for bar in range(n_bars):
        if bar >= slow:
            for s in range(n_symbols):
                short[s] += close[bar, s] - close[bar - fast, s]
                long[s] += close[bar, s] - close[bar - slow, s]
                gap = short[s] * slow - long[s] * fast
                signal[bar, s] = (gap > 0) * (before[s] <= 0) - (gap < 0) * (before[s] >= 0)
                before[s] = gap
        else:
            for s in range(n_symbols):
                long[s] += close[bar, s]
                short[s] += close[bar, s] - (close[bar - fast, s] if bar >= fast else 0)
                before[s] = short[s] * slow - long[s] * fast
    return signal
