"""Strategies written over whole arrays: entries and exits, or target weights by row.

They run in compiled loops over years of minutes, and the same object answers ``propose`` from the bars of a view, so it
trades a live day too. Here: the two forms. Not here: the loops (``sim.batch``, ``backtest``), ready ones (`library`).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError, Text
from haetae.domain.panel import Panel
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
        """Return the signals; a ``StrategyError`` where they have another shape or other values."""
        found = np.asarray(self.signals(panel))
        if found.shape != panel.close.shape:
            raise _misshapen(self.policy_id, f"shape {panel.close.shape}", f"shape {found.shape}")
        if found.dtype != np.int8 and not (found == np.rint(found)).all():
            raise _misshapen(self.policy_id, "whole numbers -1, 0, 1", f"{found[found != np.rint(found)][0]}")
        if not np.isin(found, (ENTER, LEAVE, STAY)).all():
            raise _misshapen(self.policy_id, "-1, 0, 1", f"{found[~np.isin(found, (ENTER, LEAVE, STAY))][0]}")
        return found.astype(np.int8, copy=False)

    def propose(self, view: View) -> Proposal:
        """Return the newest row of the signals of the view's bars as target weights."""
        panel = view.minutes if len(view.minutes) else view.daily
        if not len(panel):
            return self.hold(view, {})
        newest = self.checked_signals(panel)[-1]
        weights = {}
        for place, symbol in enumerate(view.symbols):
            if newest[place] == ENTER and not view.held[place] and view.tradable[place]:
                weights[symbol] = self.fraction
            elif newest[place] == LEAVE and view.held[place]:
                weights[symbol] = 0.0
        return self.hold(view, weights)


class TargetStrategy(Strategy):
    """Target weights by row, over the whole panel at once.

    Row ``t`` of the targets may use rows up to ``t`` and nothing later, NaN leaves a symbol as it is.
    """

    def targets(self, task: Task) -> TargetArray:
        """Return ``(n_bars, n_symbols)`` float64, rows outside ``task.rows`` all NaN."""
        raise NotImplementedError(f"{type(self).__name__} has no targets(task)")

    def propose(self, view: View) -> Proposal:
        """Return the targets of the newest closed session."""
        panel = view.daily
        if not len(panel):
            return self.hold(view, {})
        eligible = np.zeros(panel.close.shape, np.bool_)
        eligible[-1] = view.tradable
        row = len(panel) - 1
        newest = self.targets(Task(panel, np.array([row], np.int64), eligible))[row]
        return self.hold(view, {view.symbols[s]: float(newest[s]) for s in np.flatnonzero(~np.isnan(newest))})


def _misshapen(policy: str, expected: str, found: str) -> StrategyError:
    return StrategyError(
        Text(ko=f"{policy}: 신호 배열이 맞지 않습니다", en=f"{policy}: the array of signals does not fit"),
        expected=expected,
        found=found,
        next_step=Text(ko="signals()를 고치세요", en="mend signals()"),
    )
