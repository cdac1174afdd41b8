"""Who is learned from and judged on: common shares with the highest trailing median turnover, point in time."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel

Float64Array = NDArray[np.float64]


@njit(cache=True)
def _medians(turnover: Float64Array, sessions: int, out: NDArray[np.float32]) -> None:
    days, symbols = turnover.shape
    for s in range(symbols):
        first = 0
        while first < days and np.isnan(turnover[first, s]):
            first += 1
        if days - first < sessions:
            continue
        ordered = np.sort(turnover[first : first + sessions, s])
        for t in range(first + sessions - 1, days):
            if t >= first + sessions:
                gone = np.searchsorted(ordered, turnover[t - sessions, s])
                ordered[gone : sessions - 1] = ordered[gone + 1 :].copy()
                place = np.searchsorted(ordered[: sessions - 1], turnover[t, s])
                ordered[place + 1 :] = ordered[place : sessions - 1].copy()
                ordered[place] = turnover[t, s]
            out[t, s] = 0.5 * (ordered[(sessions - 1) // 2] + ordered[sessions // 2])


def median_turnover(panel: Panel, sessions: int = 60) -> NDArray[np.float32]:
    """Return the median of close times volume over the last ``sessions`` days, ``(n_days, n_symbols)``, won.

    Known after the close of the day. Days without trade count as 0; NaN until a symbol has so many days.
    """
    turnover = panel.close.astype(np.float64) * panel.volume
    seen = np.maximum.accumulate(panel.close > 0, axis=0)
    turnover[~seen] = np.nan
    out = np.full(turnover.shape, np.nan, dtype=np.float32)
    _medians(turnover, sessions, out)
    return out


def largest(size: NDArray[np.float32], allowed: BoolArray, count: int) -> BoolArray:
    """Return the ``count`` allowed names of the highest ``size`` of each day, ``(n_days, n_symbols)``.

    Fewer where fewer have a size. Equal sizes are taken in column order.
    """
    chosen = np.zeros(size.shape, np.bool_)
    for t in range(len(size)):
        names = np.flatnonzero(allowed[t] & np.isfinite(size[t]))
        best = names[np.argsort(-size[t][names], kind="stable")[:count]]
        chosen[t, best] = True
    return chosen
