"""Ready strategies by name: the baselines that anything clever has to beat, and a worked example of signals.

Here: classes with parameters over the functions of `baselines`, and the optimised policy with momentum for
scores. Not here: the user's own files (``wiring``).
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError, Text
from haetae.domain.panel import Panel
from haetae.policies import baselines, crossing
from haetae.policies.baselines import TargetArray, Task
from haetae.policies.forms import SignalStrategy, TargetStrategy
from haetae.policies.optimised import OptimisedPolicy
from haetae.policies.strategy import Parameter, Strategy
from haetae.portfolio import AllocationSettings, CovarianceSettings, Limits, Method


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


class Optimised(Strategy):
    """Size the best names by a method of ``portfolio``; the view's scores choose, 12-1 momentum where it has none.

    ``minimum_variance`` and ``score_cost`` need the extra ``optimise``. Names count as common shares of the KOSPI
    without a sector, because a view does not tell.
    """

    every: ClassVar[str] = "month"
    sessions_back: ClassVar[int] = 504
    method: str = "risk_parity"
    names: int = 20
    max_weight: float = 0.1
    turnover_cap: float = 1.0
    risk_aversion: float = 10.0
    look_back: int = 252
    skip: int = 21

    def __init__(self, **parameters: Parameter) -> None:
        """Set parameters; an unknown method is a ``StrategyError``, an absent extra a ``ConfigError``."""
        super().__init__(**parameters)
        methods = [method.value for method in Method]
        if self.method not in methods:
            raise StrategyError(
                Text(ko=f"모르는 방법입니다: {self.method}", en=f"unknown method: {self.method}"),
                expected=", ".join(methods),
                found=self.method,
                next_step="method=risk_parity",
            )
        settings = AllocationSettings(
            method=Method(self.method),
            names=self.names,
            keep_rank=self.names * 3 // 2,
            risk_aversion=self.risk_aversion,
            limits=Limits(max_weight=self.max_weight, turnover_cap=self.turnover_cap),
            covariance=CovarianceSettings(look_back_sessions=self.sessions_back),
        )
        self._policy = OptimisedPolicy(settings)

    def propose(self, view: View) -> Proposal:
        """Return whole-share weights of the names to be traded; nothing while histories are too short."""
        if not np.any(view.scores):
            view = replace(view, scores=self._momentum(view))
        wanted = self._policy.propose(view)
        return self.hold(view, wanted.targets, scores=wanted.scores)

    def _momentum(self, view: View) -> NDArray[np.float32]:
        closes = view.daily.close
        if len(closes) <= self.look_back:
            return np.zeros(len(view.symbols), np.float32)
        then, lately = closes[-1 - self.look_back], closes[-1 - self.skip]
        return np.where(then > 0, lately / np.maximum(then, 1) - 1.0, 0.0).astype(np.float32)


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
        Optimised,
    )
}
"""Every ready strategy by its name."""
