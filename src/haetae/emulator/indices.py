"""Indices of a market: daily bars from its members, and the minutes of a session.

Here: capitalisation-weighted moves from base price to price, chained from a base in points x 100. Of days of the
history a high and low are taken as a share of the members' summed extremes, which do not come at one time, and
minutes are stretched to meet them; days that the clock runs through are exact, for a stretched minute would depend
on what comes after it. Not here: who is a member, which days are exact (``world``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.emulator.bridge import STEPS

BASE_POINTS = {"0001": 260_000.0, "1001": 82_000.0, "2001": 35_000.0}
"""Where each index begins, points x 100: KOSPI, KOSDAQ, KOSPI 200."""
NAMES = {"0001": "종합", "1001": "KOSDAQ", "2001": "KOSPI200"}
_TOGETHER = 0.45
"""Share of the members' summed way to their extremes that the index goes itself."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexTable:
    """Index bars ``(n_days,)`` in points x 100, the shares traded, and the level before each day."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    before: NDArray[np.float64]


def index_table(
    columns: dict[str, Int64Array], members: Int64Array, shares: NDArray[np.float64], points: float
) -> IndexTable:
    """Return the daily bars of an index.

    Parameters
    ----------
    columns : mapping of ``base``, ``open``, ``high``, ``low``, ``close``, ``volume`` to ``(n_days, n_symbols)``
    members : columns of the members
    shares : ``(n_days, n_members)`` shares outstanding
    """
    base = columns["base"][:, members]
    weight = np.where(base > 0, base * shares, 0.0)
    total = np.maximum(weight.sum(axis=1), 1.0)

    def move(name: str) -> NDArray[np.float64]:
        ratio = np.divide(columns[name][:, members], base, out=np.ones(base.shape), where=base > 0)
        return np.asarray((weight * ratio).sum(axis=1) / total)

    ends = move("close") if weight.sum() else np.ones(len(base))
    close = points * np.cumprod(ends)
    before = close / ends
    first = before * move("open")
    top, bottom = np.maximum(first, close), np.minimum(first, close)
    high = top + _TOGETHER * np.maximum(before * move("high") - top, 0.0)
    low = bottom - _TOGETHER * np.maximum(bottom - before * move("low"), 0.0)
    volume = columns["volume"][:, members].sum(axis=1)
    rounded = [np.rint(part).astype(np.int64) for part in (first, high, low, close)]
    return IndexTable(rounded[0], rounded[1], rounded[2], rounded[3], volume, before)


def index_path(price: Int64Array, base: Int64Array, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the move of an index from its level before the day at each row of a session's carried prices."""
    members = np.flatnonzero(weights)
    if not len(members):
        return np.ones(len(price))
    ratio = price[:, members] / np.maximum(base[members], 1)
    return np.asarray(ratio @ weights[members] / weights[members].sum())


def make_exact(table: IndexTable, row: int, path: NDArray[np.float64]) -> None:
    """Set a day's open, high and low from the way the index went."""
    level = np.rint(table.before[row] * path).astype(np.int64)
    table.open[row], table.high[row], table.low[row] = level[0], level.max(), level.min()
    table.close[row] = level[-1]


def index_minutes(levels: Int64Array) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return open, high, low and close of each bar of a day's levels, points x 100."""
    return levels[:, 0].copy(), levels.max(axis=1), levels.min(axis=1), levels[:, -1].copy()


def index_levels(path: NDArray[np.float64], bars: int, table: IndexTable, row: int, *, exact: bool) -> Int64Array:
    """Return the level at each step of each bar, ``(bars, STEPS)``, points x 100, that aggregates to the day.

    Rows after the last bar belong to it (a prolonged closing auction).
    """
    level = table.before[row] * path
    if len(level) > bars * STEPS:
        level = np.append(level[: bars * STEPS - 1], level[-1])
    if exact:
        return np.rint(level).astype(np.int64).reshape(bars, STEPS)
    opened, high, low, close = (int(part[row]) for part in (table.open, table.high, table.low, table.close))
    level[0], level[-1] = opened, close
    top, bottom = max(opened, close), min(opened, close)
    for edge, extreme, sign in ((top, high, 1.0), (bottom, low, -1.0)):
        over = np.maximum(sign * (level - edge), 0.0)
        most = over.max()
        if most > 0:
            level += sign * over * (abs(extreme - edge) / most - 1.0)
        elif extreme != edge:
            level[len(level) // 2] = extreme
    grid = np.clip(np.rint(level).astype(np.int64), low, high).reshape(bars, STEPS)
    grid[0, 0], grid[-1, -1] = opened, close
    return grid
