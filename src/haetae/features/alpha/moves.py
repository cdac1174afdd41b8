"""Days up and days down, and how much of all movement was up: of closes, and of volumes."""

from __future__ import annotations

from numba import njit

from haetae.features.alpha.declared import CNTD, CNTN, CNTP, SUMD, SUMN, SUMP, VSUMD, VSUMN, VSUMP, WINDOWS
from haetae.features.window import CLOSE, LANES, VOLUME, Float64Array, FloatArray, clear


@njit(cache=True, error_model="numpy")
def prices(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write cntp, cntn, cntd, sump, sumn and sumd."""
    rises, falls, gains, losses = sums[0], sums[1], sums[2], sums[3]
    clear(sums, 4)
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            closes, before = days[CLOSE, row - j], days[CLOSE, row - j - 1]
            for s in range(LANES):
                move = closes[s] - before[s]
                rises[s] += 1.0 if move > 0.0 else 0.0
                falls[s] += 1.0 if move < 0.0 else 0.0
                gains[s] += move if move > 0.0 else 0.0
                losses[s] += -move if move < 0.0 else 0.0
        done = WINDOWS[k]
        n = float(done)
        for s in range(LANES):
            cells[CNTP + k, s] = rises[s] / n
            cells[CNTN + k, s] = falls[s] / n
            cells[CNTD + k, s] = (rises[s] - falls[s]) / n
            whole = gains[s] + losses[s]
            share = 1.0 / whole if whole > 0.0 else 0.0
            cells[SUMP + k, s] = gains[s] * share
            cells[SUMN + k, s] = losses[s] * share
            cells[SUMD + k, s] = (gains[s] - losses[s]) * share


@njit(cache=True, error_model="numpy")
def volumes(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write vsump, vsumn and vsumd."""
    gains, losses = sums[0], sums[1]
    clear(sums, 2)
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            sizes, before = days[VOLUME, row - j], days[VOLUME, row - j - 1]
            for s in range(LANES):
                move = sizes[s] - before[s]
                gains[s] += move if move > 0.0 else 0.0
                losses[s] += -move if move < 0.0 else 0.0
        done = WINDOWS[k]
        for s in range(LANES):
            whole = gains[s] + losses[s]
            share = 1.0 / whole if whole > 0.0 else 0.0
            cells[VSUMP + k, s] = gains[s] * share
            cells[VSUMN + k, s] = losses[s] * share
            cells[VSUMD + k, s] = (gains[s] - losses[s]) * share
