"""Strategies written over whole arrays: entries and exits, or target weights by row.

They run in compiled loops over years of minutes, and the same object answers ``propose`` from the bars of a view, so it
trades a live day too. Here: the two forms, and the check of the arrays they return. Not here: the loops (``sim.batch``,
``backtest``), ready ones (`library`).
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError, Text
from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel
from haetae.domain.proposals import SLACK
from haetae.domain.units import kst_text
from haetae.policies.baselines import TargetArray, Task
from haetae.policies.strategy import Strategy

ENTER, LEAVE, STAY = 1, -1, 0


class SignalStrategy(Strategy):
    """Entries and exits: +1 enters with ``fraction`` of equity, -1 leaves, 0 does nothing.

    Row ``t`` of the signals may use rows up to ``t`` of the panel and nothing later; ``backtest audit`` proves it.
    """

    every: ClassVar[str] = "bar"
    fraction: float = 0.02

    def signals(self, panel: Panel) -> NDArray[np.int8]:
        """Return ``(n_bars, n_symbols)`` int8 of ``ENTER``, ``LEAVE`` and ``STAY``."""
        raise NotImplementedError(f"{type(self).__name__} has no signals(panel)")

    def checked_signals(self, panel: Panel) -> NDArray[np.int8]:
        """Return the signals.

        Raises ``StrategyError`` naming symbol and time of the first value that is none of -1, 0 and 1, and for another
        shape or a ``fraction`` outside (0, 1].
        """
        if not 0 < self.fraction <= 1:
            raise _misfit(self.policy_id, "0 < fraction <= 1", f"fraction={self.fraction}")
        found = _shaped(self.policy_id, self.signals(panel), panel, "signals")
        wrong = ~((found == ENTER) | (found == LEAVE) | (found == STAY))
        if wrong.any():
            raise _misplaced(self.policy_id, panel, found, wrong, "-1, 0, 1", "signals")
        return found.astype(np.int8, copy=False)

    def propose(self, view: View) -> Proposal:
        """Return the newest row of the signals of the view's bars as target weights.

        Where more names enter at once than equity has room for, each gets the same smaller part.
        """
        panel = view.minutes if len(view.minutes) else view.daily
        if not len(panel):
            return self.hold(view, {})
        newest = self.checked_signals(panel)[-1]
        entering = (newest == ENTER) & (view.held == 0) & view.tradable
        part = min(self.fraction, 1.0 / max(int(entering.sum()), 1))
        weights = {view.symbols[place]: part for place in np.flatnonzero(entering)}
        weights |= {view.symbols[place]: 0.0 for place in np.flatnonzero((newest == LEAVE) & (view.held > 0))}
        return self.hold(view, weights)


class TargetStrategy(Strategy):
    """Target weights by row, over the whole panel at once.

    Row ``t`` of the targets may use rows up to ``t`` and nothing later, NaN leaves a symbol as it is.
    """

    def targets(self, task: Task) -> TargetArray:
        """Return ``(n_bars, n_symbols)`` float64, rows outside ``task.rows`` all NaN."""
        raise NotImplementedError(f"{type(self).__name__} has no targets(task)")

    def checked_targets(self, task: Task) -> TargetArray:
        """Return the targets.

        Raises ``StrategyError`` naming symbol and time of the first weight outside [0, 1], of the first row whose
        weights sum to more than 1 or that was not asked for, and for another shape.
        """
        found = _shaped(self.policy_id, self.targets(task), task.panel, "targets").astype(np.float64, copy=False)
        left = np.isnan(found)
        wrong = ~left & ~((found >= 0.0) & (found <= 1.0 + SLACK))
        if wrong.any():
            raise _misplaced(self.policy_id, task.panel, found, wrong, "a number from 0 to 1, or NaN", "targets")
        unasked = ~left
        unasked[task.rows] = False
        if unasked.any():
            raise _misplaced(self.policy_id, task.panel, found, unasked, "NaN in rows outside task.rows", "targets")
        sums = np.where(left, 0.0, found).sum(axis=1)
        if (sums > 1.0 + SLACK).any():
            row = int(np.argmax(sums > 1.0 + SLACK))
            at = kst_text(int(task.panel.end[row]))
            raise _misfit(self.policy_id, f"a sum of at most 1 ({at})", f"{sums[row]:.6f}", "targets")
        return found

    def propose(self, view: View) -> Proposal:
        """Return the targets of the newest closed session."""
        panel = view.daily
        if not len(panel):
            return self.hold(view, {})
        eligible = np.zeros(panel.close.shape, np.bool_)
        eligible[-1] = view.tradable
        row = len(panel) - 1
        newest = self.checked_targets(Task(panel, np.array([row], np.int64), eligible))[row]
        return self.hold(view, {view.symbols[s]: float(newest[s]) for s in np.flatnonzero(~np.isnan(newest))})


def _shaped(policy: str, given: object, panel: Panel, method: str) -> NDArray[Any]:
    found = np.asarray(given)
    if found.shape != panel.close.shape:
        raise _misfit(policy, f"shape {panel.close.shape}", f"shape {found.shape}", method)
    if not (np.issubdtype(found.dtype, np.number) or found.dtype == np.bool_):
        raise _misfit(policy, "an array of numbers", f"dtype {found.dtype}", method)
    return found


def _misplaced(
    policy: str, panel: Panel, found: NDArray[Any], wrong: BoolArray, expected: str, method: str
) -> StrategyError:
    row, column = (int(place) for place in np.argwhere(wrong)[0])
    where = f"{panel.symbols[column]}, {kst_text(int(panel.end[row]))}"
    return _misfit(policy, expected, f"{where}: {found[row, column]}", method)


def _misfit(policy: str, expected: str, found: str, method: str = "signals") -> StrategyError:
    return StrategyError(
        Text(
            ko=f"{policy}: {method}()가 돌려준 배열이 맞지 않습니다",
            en=f"{policy}: the array that {method}() returned does not fit",
        ),
        expected=expected,
        found=found,
        next_step=Text(ko=f"{method}()를 고치세요", en=f"mend {method}()"),
    )
