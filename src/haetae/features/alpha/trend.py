"""Where closes went: change, mean, deviation, and the least-squares line through the window."""

from __future__ import annotations

from numba import njit

from haetae.features.alpha.declared import BETA, MA, RESI, ROC, RSQR, STD, WINDOWS
from haetae.features.moments import deviation, residual, rsquare, slope
from haetae.features.window import CLOSE, LANES, Float64Array, FloatArray, clear


@njit(cache=True, error_model="numpy")
def trend(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write roc, ma, std, beta, rsqr and resi of the window that ends with ``row``."""
    newest = days[CLOSE, row]
    total, squares, by_age = sums[0], sums[1], sums[2]
    clear(sums, 3)
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            closes = days[CLOSE, row - j]
            age = float(j)
            for s in range(LANES):
                gap = closes[s] - newest[s]
                total[s] += gap
                squares[s] += gap * gap
                by_age[s] += age * gap
        done = WINDOWS[k]
        n = float(done)
        ago = days[CLOSE, row - done]
        for s in range(LANES):
            close = newest[s]
            cells[ROC + k, s] = ago[s] / close
            cells[MA + k, s] = 1.0 + total[s] / n / close
            cells[STD + k, s] = deviation(total[s], squares[s], n) / close
            cells[BETA + k, s] = slope(total[s], by_age[s], n) / close
            cells[RSQR + k, s] = rsquare(total[s], squares[s], by_age[s], n)
            cells[RESI + k, s] = residual(total[s], by_age[s], n) / close
