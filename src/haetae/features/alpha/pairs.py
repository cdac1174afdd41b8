"""How price and volume go together: correlations of levels, and of changes (``together``)."""

from __future__ import annotations

from numba import njit

from haetae.features import together
from haetae.features.alpha.declared import CORD, CORR, WINDOWS
from haetae.features.moments import correlation
from haetae.features.window import CLOSE, LANES, LOG_VOLUME, Float64Array, FloatArray, clear


@njit(cache=True, error_model="numpy")
def levels(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write corr: close and log volume, both as differences from the newest day."""
    close, volume = days[CLOSE, row], days[LOG_VOLUME, row]
    x, xx, y, yy, xy = sums[0], sums[1], sums[2], sums[3], sums[4]
    clear(sums, 5)
    done = 0
    for k in range(len(WINDOWS)):
        for j in range(done, WINDOWS[k]):
            closes, volumes = days[CLOSE, row - j], days[LOG_VOLUME, row - j]
            for s in range(LANES):
                price, size = closes[s] - close[s], volumes[s] - volume[s]
                x[s] += price
                xx[s] += price * price
                y[s] += size
                yy[s] += size * size
                xy[s] += price * size
        done = WINDOWS[k]
        for s in range(LANES):
            cells[CORR + k, s] = correlation(x[s], xx[s], y[s], yy[s], xy[s], float(done))


@njit(cache=True)
def changes(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    """Write cord: return and log ratio of volume."""
    clear(sums, 6)
    done = 0
    for k in range(len(WINDOWS)):
        if done < 10:
            together.add_days(days, row, done, WINDOWS[k], sums)
        else:
            together.add_tens(days, row, done, WINDOWS[k], sums)
        done = WINDOWS[k]
        if done == 10:
            together.keep_ten(days, row, sums)
        together.correlate(sums, float(done), cells[CORD + k])
