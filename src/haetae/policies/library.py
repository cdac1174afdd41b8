"""Ready strategies by name: the baselines that anything clever has to beat, and a worked example of signals.

Here: classes with parameters over the functions of `baselines`. Not here: the user's own files (``wiring``).
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from haetae.domain.decisions import Proposal, View
from haetae.domain.panel import Panel
from haetae.policies import baselines, crossing
from haetae.policies.baselines import TargetArray, Task
from haetae.policies.forms import SignalStrategy, TargetStrategy
from haetae.policies.strategy import Strategy


class Cash(TargetStrategy):
    """Hold nothing."""

    def targets(self, task: Task) -> TargetArray:
        """Return targets that ask for nothing."""
        return baselines.cash(task)


class BuyAndHold(TargetStrategy):
    """Buy every eligible name once in equal parts."""

    every: ClassVar[str] = "month"

    def targets(self, task: Task) -> TargetArray:
        """Return one row of equal parts."""
        return baselines.buy_and_hold(task)

    def propose(self, view: View) -> Proposal:
        """Return equal parts to an account that holds nothing, and nothing to one that has bought."""
        return self.hold(view, {}) if view.held.any() else super().propose(view)


class EqualWeight(TargetStrategy):
    """Return to equal parts every month."""

    every: ClassVar[str] = "month"

    def targets(self, task: Task) -> TargetArray:
        """Return equal parts at every row asked."""
        return baselines.equal_weight(task)


class CapWeight(TargetStrategy):
    """Hold the market by what it is worth."""

    every: ClassVar[str] = "month"

    def targets(self, task: Task) -> TargetArray:
        """Return shares of market value at every row asked."""
        return baselines.cap_weight(task)


class Momentum(TargetStrategy):
    """Hold the best names of the past year without its last month (12-1 momentum)."""

    every: ClassVar[str] = "month"
    name: ClassVar[str] = "momentum_12_1"
    look_back: int = 252
    skip: int = 21
    top: int = 10

    def targets(self, task: Task) -> TargetArray:
        """Return equal parts of the best names."""
        return baselines.momentum(task.holding(self.top), self.look_back, self.skip)


class Reversal(TargetStrategy):
    """Hold the worst names of the last week."""

    every: ClassVar[str] = "week"
    name: ClassVar[str] = "reversal_5"
    look_back: int = 5
    top: int = 10

    def targets(self, task: Task) -> TargetArray:
        """Return equal parts of the worst names."""
        return baselines.reversal(task.holding(self.top), self.look_back)


class LowVolatility(TargetStrategy):
    """Hold the names that moved least over a quarter."""

    every: ClassVar[str] = "month"
    name: ClassVar[str] = "low_volatility_60"
    look_back: int = 60
    top: int = 10

    def targets(self, task: Task) -> TargetArray:
        """Return equal parts of the calmest names."""
        return baselines.low_volatility(task.holding(self.top), self.look_back)


class PerfectForesight(TargetStrategy):
    """Hold the names that will rise most until the next decision: the bound of what could be earned."""

    every: ClassVar[str] = "week"
    bound: ClassVar[bool] = True
    top: int = 10

    def targets(self, task: Task) -> TargetArray:
        """Return equal parts of the coming winners."""
        return baselines.perfect_foresight(task.holding(self.top))


class SmaCross(SignalStrategy):
    """Enter where the fast mean of closes crosses above the slow one, leave where it crosses below."""

    fast: int = 20
    slow: int = 60

    def signals(self, panel: Panel) -> NDArray[np.int8]:
        """Return the crossings, exact on whole prices."""
        return crossing.sma_cross(panel.close, self.fast, self.slow)


LIBRARY: dict[str, type[Strategy]] = {
    made.title(): made
    for made in (
        Cash,
        BuyAndHold,
        EqualWeight,
        CapWeight,
        Momentum,
        Reversal,
        LowVolatility,
        PerfectForesight,
        SmaCross,
    )
}
"""Every ready strategy by its name."""
