"""A search that learns: Optuna's tree of Parzen estimators, asked and told in batches of a fixed size.

The sampler sees a batch's scores only when the whole batch is in, in the order it was proposed. So one seed gives the
same points on one core, on many, on a cluster, and after a crash, when finished points are told again from the log.
Source: Bergstra et al. (2011), as Optuna's ``TPESampler`` has it. Needs the extra ``research``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from haetae.backtest.sweep.search import Score
from haetae.backtest.sweep.space import Axis, Choices, IntRange, Parameters, Space
from haetae.domain.errors import ConfigError, Text

BATCH = 8
"""Points that are tried before anything is learnt of them: enough for a few cores, few enough to learn from."""


class Adaptive:
    """Proposes ``n`` points, each batch from what the ones before it scored."""

    def __init__(self, space: Space, n: int, seed: int) -> None:
        """Open a study; raises ``ConfigError`` where Optuna is not installed."""
        optuna = _optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._axes = {axis.name: _distribution(optuna.distributions, axis) for axis in space.axes}
        self._refused = optuna.trial.TrialState.PRUNED
        self._fixed = dict(space.fixed)
        self._left = n
        self._asked: list[Any] = []
        self.most = n

    def propose(self) -> Sequence[Parameters]:
        """Return the next points; the same one may come twice."""
        self._asked = [self._study.ask(self._axes) for _ in range(min(BATCH, self._left))]
        self._left -= len(self._asked)
        return [self._fixed | trial.params for trial in self._asked]

    def learn(self, scores: Sequence[Score]) -> None:
        """Tell the study; a refused point counts as worse than all others, so that its neighbours are left alone."""
        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._study.tell(trial, state=self._refused)
            else:
                self._study.tell(trial, score)


def _distribution(kinds: Any, axis: Axis) -> Any:
    if isinstance(axis, Choices):
        return kinds.CategoricalDistribution(axis.values)
    if isinstance(axis, IntRange):
        high = axis.low + (axis.high - axis.low) // axis.step * axis.step
        return kinds.IntDistribution(axis.low, high, log=axis.log, step=axis.step)
    return kinds.FloatDistribution(axis.low, axis.high, log=axis.log)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as fault:
        raise ConfigError(
            Text(ko="Optuna가 설치되어 있지 않습니다", en="Optuna is not installed"),
            expected="optuna",
            found=str(fault),
            next_step='pip install "haetae[research]"',
        ) from fault
    return optuna
