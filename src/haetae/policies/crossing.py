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
    signal = np.zeros(close.shape, np.int8)
    _cross(np.ascontiguousarray(close), fast, slow, signal, np.zeros((3, close.shape[1]), np.int64))
    return signal


@njit(cache=True, error_model="numpy")
def _cross(close: Int64Array, fast: int, slow: int, signal: NDArray[np.int8], sums: Int64Array) -> None:
    # The arrays come from outside: a loop that makes none compiles in a fraction of the time.
    n_bars, n_symbols = close.shape
    for bar in range(n_bars):
        if bar >= slow:
            for s in range(n_symbols):
                sums[0, s] += close[bar, s] - close[bar - fast, s]
                sums[1, s] += close[bar, s] - close[bar - slow, s]
                gap = sums[0, s] * slow - sums[1, s] * fast
                signal[bar, s] = (gap > 0) * (sums[2, s] <= 0) - (gap < 0) * (sums[2, s] >= 0)
                sums[2, s] = gap
        else:
            for s in range(n_symbols):
                sums[1, s] += close[bar, s]
                sums[0, s] += close[bar, s] - (close[bar - fast, s] if bar >= fast else 0)
                sums[2, s] = sums[0, s] * slow - sums[1, s] * fast
