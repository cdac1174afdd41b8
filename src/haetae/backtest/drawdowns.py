"""How deep a path fell, for how long, and when it was back.

Lengths are counted in sessions and in calendar days, for the same fall is quoted in either. Here:
the falls of one path, deepest first. Not here: its other figures (``metrics``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.result import Result
from haetae.domain.units import day_from


@dataclass(frozen=True, slots=True)
class Drawdown:
    """One stay below a former peak; days are yyyymmdd.

    Attributes
    ----------
    depth : float
        At the trough, negative.
    peak, trough : int
        Session of the peak (the first session where the start itself is the peak) and of the trough.
    recovery : int or None
        First session back at the peak or above; None where the path ends below it.
    sessions, calendar_days : int
        Sessions spent below the peak, and days from the peak to the recovery or the end.
    """

    depth: float
    peak: int
    trough: int
    recovery: int | None
    sessions: int
    calendar_days: int


def drawdown(equity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance below the running peak, 0 at a peak and negative under it."""
    return equity / np.maximum.accumulate(equity) - 1.0


def equity_path(result: Result) -> NDArray[np.float64]:
    """Return the starting cash and equity after each session, ``(n_sessions + 1,)``, in won."""
    return np.concatenate([[result.initial_cash], result.daily_equity()]).astype(np.float64)


def longest_below(under: NDArray[np.float64]) -> int:
    """Return the longest unbroken stay below a former peak, in sessions."""
    return max((last - first for first, last in _stays(under)), default=0)


def drawdowns(result: Result, count: int = 5) -> tuple[Drawdown, ...]:
    """Return the deepest falls of a run, deepest first; none for a path that never fell."""
    under = drawdown(equity_path(result))
    days = np.concatenate([result.daily_days()[:1], result.daily_days()])
    found = []
    for first, last in _stays(under):
        trough = first + int(under[first:last].argmin())
        recovery = int(days[last]) if last < len(days) else None
        peak, end = int(days[first - 1]), int(days[min(last, len(days) - 1)])
        spent = (day_from(end) - day_from(peak)).days
        found.append(Drawdown(float(under[trough]), peak, int(days[trough]), recovery, last - first, spent))
    return tuple(sorted(found, key=lambda fall: (fall.depth, fall.peak))[:count])


def calmar(cagr: float, deepest: float) -> float:
    """Return yearly return over the deepest fall (Young 1991); NaN where there was no fall."""
    return cagr / -deepest if deepest < 0 else math.nan


def _stays(under: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return first row below a peak and first row back, for each stay; the start is never below."""
    below = np.concatenate([[False], under < 0, [False]]).astype(np.int8)
    turns = np.diff(below)
    return list(zip(np.flatnonzero(turns == 1).tolist(), np.flatnonzero(turns == -1).tolist(), strict=True))
