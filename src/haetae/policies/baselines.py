"""Simple strategies that anything clever has to beat, as target weights by row.

Here: functions from a panel to ``(n_bars, n_symbols)`` float64 targets, NaN where nothing is done;
they run through the same engine and costs as every other strategy. Not here: that engine
(``backtest``), policies for the live day (``rank``, ``net``).

A target in row ``t`` uses bars up to and including ``t`` and its orders meet row ``t + 1``. The one
exception is ``perfect_foresight``, which exists to show the bound of what could be earned.
Symbols outside ``eligible`` are never bought; what is held of them is sold at the next decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel

TargetArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What every baseline is given.

    Attributes
    ----------
    rows : (n_decisions,) int64
        Rows at whose end a decision is taken, ascending.
    eligible : (n_bars, n_symbols) bool
        Who may be bought, known at each row.
    top : int
        Names held by the selective baselines. 10: concentrated enough to differ from the market.
    shares_outstanding : (n_symbols,) or (n_bars, n_symbols) int64, optional
        Listed shares as known at each row, 0 where unknown.
    """

    panel: Panel
    rows: Int64Array
    eligible: BoolArray
    top: int = 10
    shares_outstanding: Int64Array | None = None

    def holding(self, top: int) -> Task:
        """Return the same task for another number of names."""
        return replace(self, top=top)

    def empty(self) -> TargetArray:
        """Return targets that ask for nothing."""
        return np.full(self.panel.close.shape, np.nan)

    def session_closes(self, row: int) -> NDArray[np.float64]:
        """Return closes of the sessions finished at a row's end, ``(n_sessions, n_symbols)``, NaN before listing."""
        ends = np.append(np.flatnonzero(np.diff(self.panel.days)), len(self.panel) - 1)
        known = ends[ends <= row]
        closes = self.panel.close[known].astype(np.float64)
        return np.where(closes > 0, closes, np.nan)


def _spread(task: Task, chosen: NDArray[np.bool_] | Int64Array) -> NDArray[np.float64]:
    target = np.zeros(task.panel.close.shape[1])
    names = np.flatnonzero(chosen) if np.asarray(chosen).dtype == np.bool_ else np.asarray(chosen)
    if len(names):
        target[names] = 1.0 / len(names)
    return target


def _ranked(task: Task, row: int, signal: NDArray[np.float64]) -> NDArray[np.float64]:
    usable = task.eligible[row] & np.isfinite(signal)
    order = np.argsort(np.where(usable, -signal, np.inf), kind="stable")
    return _spread(task, order[: min(task.top, int(usable.sum()))])


def cash(task: Task) -> TargetArray:
    """Hold nothing."""
    return task.empty()


def buy_and_hold(task: Task) -> TargetArray:
    """Buy every eligible name once in equal parts and never trade again."""
    targets = task.empty()
    for row in task.rows:
        if task.eligible[row].any():
            targets[row] = _spread(task, task.eligible[row])
            break
    return targets


def equal_weight(task: Task) -> TargetArray:
    """Return to equal parts of every eligible name at each decision."""
    targets = task.empty()
    for row in task.rows:
        targets[row] = _spread(task, task.eligible[row])
    return targets


def cap_weight(task: Task) -> TargetArray:
    """Hold every eligible name by its market value: price times listed shares.

    Raises ``DataError`` where no eligible name has a number of listed shares.
    """
    targets = task.empty()
    for row in task.rows:
        listed = task.shares_outstanding
        known = np.zeros(task.panel.close.shape[1]) if listed is None else listed[row] if listed.ndim == 2 else listed
        worth = np.where(task.eligible[row], task.panel.close[row] * known.astype(np.float64), 0.0)
        if task.eligible[row].any() and not worth.any():
            raise DataError(
                Text(ko="상장주식수를 알 수 없습니다", en="the numbers of listed shares are unknown"),
                expected="instruments with shares_outstanding",
                found="none for any eligible name",
                next_step="collect instruments, or leave cap_weight out",
            )
        targets[row] = worth / worth.sum() if worth.any() else 0.0
    return targets


def momentum(task: Task, look_back: int = 252, skip: int = 21) -> TargetArray:
    """Hold the best names of the past twelve months without the last one (12-1 momentum).

    Histories shorter than ``look_back`` sessions give no signal, and nothing is held.
    """
    targets = task.empty()
    for row in task.rows:
        closes = task.session_closes(row)
        signal = np.full(closes.shape[1], np.nan)
        if len(closes) > look_back:
            signal = closes[-1 - skip] / closes[-1 - look_back] - 1.0
        targets[row] = _ranked(task, row, signal)
    return targets


def reversal(task: Task, look_back: int = 5) -> TargetArray:
    """Hold the worst names of the last week."""
    targets = task.empty()
    for row in task.rows:
        closes = task.session_closes(row)
        signal = np.full(closes.shape[1], np.nan)
        if len(closes) > look_back:
            signal = -(closes[-1] / closes[-1 - look_back] - 1.0)
        targets[row] = _ranked(task, row, signal)
    return targets


def low_volatility(task: Task, look_back: int = 60) -> TargetArray:
    """Hold the names whose daily returns moved least over a quarter; a name that never moved is left out."""
    targets = task.empty()
    for row in task.rows:
        closes = task.session_closes(row)[-look_back - 1 :]
        signal = np.full(closes.shape[1], np.nan)
        if len(closes) > look_back // 2:
            spread = np.diff(np.log(closes), axis=0).std(axis=0)
            signal = np.where(spread > 0, -spread, np.nan)
        targets[row] = _ranked(task, row, signal)
    return targets


def random_names(task: Task, rng: np.random.Generator, replaced: float = 0.5) -> TargetArray:
    """Hold random names and exchange a share of them at each decision.

    Parameters
    ----------
    replaced : float
        Share of the holdings exchanged per decision, see ``replacement_for`` to match a turnover.
    """
    targets = task.empty()
    held: list[int] = []
    for row in task.rows:
        usable = np.flatnonzero(task.eligible[row])
        kept = [name for name in held if name in set(usable.tolist())]
        leaving = rng.binomial(len(kept), min(1.0, max(0.0, replaced))) if kept else 0
        kept = sorted(rng.permutation(kept)[leaving:].tolist()) if leaving else kept
        fresh = np.setdiff1d(usable, np.array(kept, dtype=np.int64))
        wanted = max(0, min(task.top - len(kept), len(fresh)))
        held = sorted([*kept, *rng.choice(fresh, wanted, replace=False).tolist()])
        targets[row] = _spread(task, np.array(held, dtype=np.int64))
    return targets


def replacement_for(turnover_per_year: float, decisions_per_year: float) -> float:
    """Return the share to exchange at each decision so that a random portfolio turns over as much as another."""
    return min(1.0, max(0.0, turnover_per_year / max(decisions_per_year, 1e-9)))


def perfect_foresight(task: Task, cost: float = 0.005) -> TargetArray:
    """Hold the names that will rise most until the next decision; looks into the future on purpose.

    Parameters
    ----------
    cost : float
        A name is held only if its coming return exceeds it.
    """
    targets = task.empty()
    last = len(task.panel) - 1
    for place, row in enumerate(task.rows):
        entry = min(int(row) + 1, last)
        leave = min(int(task.rows[place + 1]) + 1, last) if place + 1 < len(task.rows) else last
        start = task.panel.open[entry].astype(np.float64)
        coming = np.where(start > 0, task.panel.open[leave] / np.maximum(start, 1.0) - 1.0, np.nan)
        coming = np.where(task.panel.traded[entry] & (coming > cost), coming, np.nan)
        targets[row] = _ranked(task, row, coming)
    return targets


def decision_rows(panel: Panel, *, every_sessions: int = 5, first_session: int = 0) -> Int64Array:
    """Return the last row of every n-th session from ``first_session`` on.

    The last session of the panel is left out: nothing could be traded after it.
    """
    ends = [last - 1 for _day, _first, last in panel.sessions()]
    return np.array(ends[first_session:-1:every_sessions], dtype=np.int64)


def month_rows(panel: Panel, *, first_session: int = 0) -> Int64Array:
    """Return the last row of the last session of each month, the panel's last session left out."""
    sessions = panel.sessions()
    ends = [
        last - 1
        for place, (day, _first, last) in enumerate(sessions[:-1])
        if place >= first_session and sessions[place + 1][0].month != day.month
    ]
    return np.array(ends, dtype=np.int64)


def minute_rows(panel: Panel, *, every_minutes: int, begin: int = 5, end: int = 370) -> Int64Array:
    """Return decision rows inside each session of a minute panel.

    Parameters
    ----------
    every_minutes : int
        Bars between decisions.
    begin, end : int
        First and last bar offset that may decide; 5 and 370 are 09:05 and 15:10 on a regular day.
    """
    rows: list[int] = []
    for _day, first, last in panel.sessions():
        rows += range(first + begin - 1, min(first + end, last - 1), every_minutes)
    return np.array(rows, dtype=np.int64)


def listed(panel: Panel, exclude: Sequence[str] = ()) -> BoolArray:
    """Return a plain eligibility: the symbol traded in this bar and is not excluded."""
    keep = np.array([symbol not in set(exclude) for symbol in panel.symbols])
    return panel.traded & (panel.close > 0) & keep
