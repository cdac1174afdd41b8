"""What is the same for all symbols: the return of the index and the breadth of the market.

Here: one pass over the rows, before the symbols are folded. ``breadth_above_60`` follows after it, since it counts
features of the symbols.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days.declare import spec
from haetae.features.days.tape import AVERAGES, BREADTH, BREADTH_DAYS, MONEY_BREADTH, POINTS, STARTED, last_close

Float64Array = NDArray[np.float64]

SPECS: Final[tuple[FeatureSpec, ...]] = (
    spec("breadth_1", "close market", 1, "-1..1, names that rose less those that fell over those traded"),
    spec("breadth_20", "close market", 20, "mean of 20 days of breadth_1"),
    spec(
        "breadth_money_1", "close volume market", 1, "-1..1, turnover of names that rose less that of those that fell"
    ),
    spec("breadth_money_20", "close volume market", 20, "mean of 20 days of breadth_money_1"),
    spec("breadth_above_60", "close market", 60, "share of names above their 60-day mean"),
)
BREADTH_1, BREADTH_20, BREADTH_MONEY_1, BREADTH_MONEY_20, BREADTH_ABOVE_60 = range(5)

_DOWN, _UP = math.log(0.7), math.log(1.3)
"""Single returns of the stand-in for the index are cut at the ±30 % limit, so one resumption after a capital
reduction does not move the market."""


@njit(cache=True)
def _row(
    before: Float64Array, close: NDArray[np.int64], volume: NDArray[np.int64], traded: NDArray[np.bool_]
) -> tuple[float, float, float]:
    # Equal-weight return, breadth by names, breadth by turnover; the sums run in the order of the symbols.
    moves, names, rose, won, rose_won = 0.0, 0, 0.0, 0.0, 0.0
    for s in range(len(close)):
        now = float(close[s])
        if traded[s] and now > 0.0 and before[s] > 0.0:
            moves += min(max(math.log(now / before[s]), _DOWN), _UP)
            sign = 1.0 if now > before[s] else (-1.0 if now < before[s] else 0.0)
            money = now * volume[s]
            names += 1
            rose += sign
            won += money
            rose_won += sign * money
        before[s] = now
    if names == 0:
        return 0.0, math.nan, math.nan
    return moves / names, rose / names, rose_won / won if won > 0.0 else 0.0


@njit(cache=True)
def fold(
    state: Float64Array,
    close: NDArray[np.int64],
    volume: NDArray[np.int64],
    traded: NDArray[np.bool_],
    points: Float64Array,
    index: Float64Array,
    out: Float64Array,
) -> None:
    """Write the index return of each row and the breadths ``(n_rows, 4)``; keep in the state what the next row needs.

    ``points`` are the index levels, of length 0 where there is no index. The market's part of the state stands in
    every symbol's row, so that a symbol may join; it is read from a row that has seen the market.
    """
    n_rows, n_symbols = close.shape
    if n_symbols == 0:
        return
    known = 0
    for s in range(n_symbols):
        if state[s, STARTED] > state[known, STARTED]:
            known = s
    market = np.zeros(AVERAGES)
    for k in range(AVERAGES):
        market[k] = state[known, k]
    before = np.zeros(n_symbols)
    for s in range(n_symbols):
        before[s] = last_close(state[s])
    for t in range(n_rows):
        moved, names, money = _row(before, close[t], volume[t], traded[t])
        if len(points):
            level = math.log(points[t]) if points[t] > 0.0 else math.nan
            moved = level - market[POINTS]
            market[POINTS] = level
        index[t] = moved if market[STARTED] > 0.0 else 0.0
        market[STARTED] += 1.0
        out[t, BREADTH_1], out[t, BREADTH_MONEY_1] = names, money
        out[t, BREADTH_20] = _mean_with(market, BREADTH, names)
        out[t, BREADTH_MONEY_20] = _mean_with(market, MONEY_BREADTH, money)
    for s in range(n_symbols):
        for k in range(STARTED, AVERAGES):
            state[s, k] = market[k]


@njit(cache=True)
def _mean_with(market: Float64Array, place: int, newest: float) -> float:
    # Push the newest of the last days' values and return their mean, summed anew.
    total = 0.0
    for k in range(place, place + BREADTH_DAYS - 1):
        market[k] = market[k + 1]
        total += market[k]
    market[place + BREADTH_DAYS - 1] = newest
    return (total + newest) / BREADTH_DAYS


@njit(cache=True)
def share_above(distance: NDArray[np.float32], active: NDArray[np.bool_]) -> float:
    """Return the share of active names whose distance from a mean is positive, NaN where none has one."""
    known, above = 0, 0
    for s in range(len(distance)):
        if active[s] and not math.isnan(distance[s]):
            known += 1
            above += 1 if distance[s] > 0.0 else 0
    return above / known if known else math.nan
