"""Volume beside its window, and the movement that volume bore.

A day without trade has no volume to divide by: vma and vstd are NaN on it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.features.alpha.declared import VMA, VSTD, WINDOWS, WVMA
from haetae.features.moments import deviation
from haetae.features.window import LANES, MOVED, VOLUME, Float64Array, FloatArray, clear


@njit(cache=True, error_model="numpy")
def volume(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write vma, vstd and wvma."""
    newest = days[VOLUME, row]
    total, squares, moved, moved_squares = sums[0], sums[1], sums[2], sums[3]
    clear(sums, 4)
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            sizes, moves = days[VOLUME, row - j], days[MOVED, row - j]
            for s in range(LANES):
                gap, move = sizes[s] - newest[s], moves[s]
                total[s] += gap
                squares[s] += gap * gap
                moved[s] += move
                moved_squares[s] += move * move
        done = WINDOWS[k]
        n = float(done)
        for s in range(LANES):
            size = newest[s] if newest[s] > 0.0 else np.nan
            cells[VMA + k, s] = 1.0 + total[s] / n / size
            cells[VSTD + k, s] = deviation(total[s], squares[s], n) / size
            spread = deviation(moved[s], moved_squares[s], n)
            cells[WVMA + k, s] = spread * n / moved[s] if moved[s] > 0.0 else 0.0
