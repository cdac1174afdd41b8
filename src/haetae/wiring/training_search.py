"""A search for settings of the trees, by the rank IC of the validation window alone.

Points are proposed by Optuna in batches (``backtest.sweep.adaptive``) from one seed, and every finished point is kept
(``training_fits``): a search that was killed proposes the same points again and finds those that were done. The
defaults are always the first point, so nothing is taken that was not better than them on validation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from haetae.backtest.sweep.adaptive import Adaptive
from haetae.backtest.sweep.space import FloatRange, IntRange, Space
from haetae.ml.settings import RankerSettings
from haetae.ml.training import Course, FloatArray
from haetae.wiring.training_fits import Bench

SPACE: Final = Space(
    (
        IntRange("rounds", 50, 400, 50),
        FloatRange("learning_rate", 0.02, 0.2, log=True),
        IntRange("depth", 3, 7),
        IntRange("min_leaf", 50, 1000, log=True),
        FloatRange("row_share", 0.5, 1.0),
        FloatRange("column_share", 0.3, 1.0),
        FloatRange("l2", 0.1, 50.0, log=True),
    )
)
"""An order of magnitude around the defaults; the ends are where trees learn nothing or everything."""


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A point of a search: its settings, the rank IC of each validation fold, its validation scores."""

    settings: RankerSettings
    folds: tuple[float, ...]
    scores: FloatArray

    @property
    def score(self) -> float:
        """The mean rank IC over the folds; NaN without any."""
        return float(np.mean(self.folds)) if self.folds else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """The settings to go on with, every point that was tried, and whether time ended the search."""

    best: RankerSettings
    tried: tuple[Tried, ...]
    out_of_time: bool

    def as_json(self) -> dict[str, Any]:
        """Return the points in the order they were tried."""
        points = [
            {"settings": _shape(each.settings), "valid_rank_ic": each.score, "folds": list(each.folds)}
            for each in self.tried
        ]
        return {"points": points, "best": _shape(self.best), "out_of_time": self.out_of_time}


def search(
    bench: Bench, course: Course, base: RankerSettings, *, trials: int, seed: int, late: Callable[[], bool]
) -> Searched:
    """Try the defaults and points around them.

    Parameters
    ----------
    trials : int
        Points in all, the defaults among them.
    seed : int
        Of the sampler.
    late : callable
        Whether the time of the search is over; asked before each point, never within one.

    Raises
    ------
    ConfigError
        If Optuna is not installed.
    """
    found = [Tried(base, *bench.tried(course, base))]
    proposals = Adaptive(SPACE, trials - 1, seed)
    while batch := proposals.propose():
        scores = []
        for point in batch:
            if late():
                return Searched(_best(found), tuple(found), out_of_time=True)
            settings = _with(base, point)
            one = Tried(settings, *bench.tried(course, settings))
            found.append(one)
            scores.append(one.score if np.isfinite(one.score) else None)
        proposals.learn(scores)
    return Searched(_best(found), tuple(found), out_of_time=False)


def _with(base: RankerSettings, point: Mapping[str, Any]) -> RankerSettings:
    return replace(base, **point)


def _best(found: list[Tried]) -> RankerSettings:
    # The first of equals: where no point was better, the defaults stay.
    return max(found, key=lambda each: each.score if np.isfinite(each.score) else -np.inf).settings


def _shape(settings: RankerSettings) -> dict[str, Any]:
    told = asdict(settings)
    return {axis.name: told[axis.name] for axis in SPACE.axes}
