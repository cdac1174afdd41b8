"""One training on fixed windows: what is learned from whom, and the fits that come of it, as pure steps.

``Course`` holds everything that the fits of one horizon share. Not here: reading a lake, keeping finished fits,
registering models (``wiring.training``), how good scores are (``judge``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.ml import rankers, samples, transforms
from haetae.ml.costs import CostTable
from haetae.ml.folds import walk_forward
from haetae.ml.labels import Labels
from haetae.ml.quality import daily_ic
from haetae.ml.rankers import Ranker
from haetae.ml.samples import Samples
from haetae.ml.settings import Device, Objective, RankerKind, RankerSettings, WalkForwardSettings
from haetae.ml.splits import Split
from haetae.ml.transforms import Transform, TransformSettings

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """One training; a reason stands beside every default. None was chosen by what a test window showed."""

    horizons: tuple[int, ...] = (1, 5)
    """A day and a week."""
    kinds: tuple[RankerKind, ...] = tuple(RankerKind)
    objectives: tuple[Objective, ...] = (Objective.REGRESSION,)
    seeds: int = 5
    """Fewer do not tell a model from the luck of its sampling."""
    universe_top: int = 200
    """Names of the highest turnover each day: those that can be bought without moving them."""
    median_sessions: int = 60
    embargo_rows: int = 5
    """Sessions between the last label's end and the next window, beyond the purge."""
    shuffled_controls: int = 3
    """Fits on labels dealt out anew, by the first kind: three show how far luck reaches."""
    transform: TransformSettings = field(default_factory=TransformSettings)
    ranker: RankerSettings = field(default_factory=lambda: RankerSettings(n_threads=2, early_stopping=True))
    costs: CostTable = field(default_factory=CostTable)
    search_trials: int = 0
    """Settings tried by each search; 0 takes the defaults, which were never tuned."""
    search_budget_s: float | None = None

    def rankers(self) -> tuple[RankerSettings, ...]:
        """Return the settings of each kind and objective, under the first seed."""
        return tuple(
            replace(self.ranker, kind=kind, objective=objective) for kind in self.kinds for objective in self.objectives
        )

    def on(self, device: Device) -> TrainingSettings:
        """Return the same training on another device."""
        return replace(self, ranker=replace(self.ranker, device=device))


@dataclass(frozen=True, slots=True, eq=False)
class FeatureTable:
    """Features as a model sees them: names in column order, the hash of their declarations, values.

    ``absent`` are features whose inputs the lake does not hold (flows, sectors): NaN throughout, and told so. Any
    other column without a value is refused.
    """

    names: tuple[str, ...]
    hash: str
    values: FloatArray
    absent: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Refuse names that are not the columns'."""
        if len(self.names) != self.values.shape[-1] or len(set(self.names)) != len(self.names):
            raise ModelError(
                Text(ko="특징의 이름과 열이 맞지 않습니다", en="names and columns of the features do not fit"),
                expected=f"{self.values.shape[-1]} different names",
                found=f"{len(set(self.names))} of {len(self.names)}",
                next_step="give one name a column",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What the fits of one horizon share."""

    samples: Samples
    labels: Labels
    split: Split
    transform: Transform
    who: BoolArray

    def rows(self) -> Int64Array:
        """Return the days that are scored: validation and test."""
        return np.concatenate([self.split.valid, self.split.test])


def course(
    table: FeatureTable,
    who: BoolArray,
    labels: Labels,
    split: Split,
    settings: TransformSettings,
    sectors: Int64Array | None = None,
) -> Course:
    """Return the course of one horizon; scalers see the training window's eligible names only.

    Raises
    ------
    DataError
        If a feature that is not absent has no value in the training window; it is named.
    """
    fitted = transforms.fitted(table.values[split.train][who[split.train]], table.names, settings, table.absent)
    takes = fitted.takes(table.values, who)
    rows = samples.build(table.values, takes, labels, lambda day, names: fitted.day(day, names, sectors))
    return Course(rows, labels, split, fitted, takes)


def fit(ground: Course, settings: RankerSettings, target: FloatArray | None = None) -> Ranker:
    """Return a ranker fitted on the training window; the validation window stops its trees if it may.

    ``target`` stands in place of the samples' own (the shuffled control, which is never stopped).
    """
    known = ground.samples
    at = known.of(ground.split.train)
    watched = None
    if settings.early_stopping and target is None:
        seen = known.of(ground.split.valid)
        watched = rankers.rows_of(known.inputs[seen], known.target[seen], known.day_of(seen))
    wanted = known.target if target is None else target
    return rankers.fit(known.inputs[at], wanted[at], settings, days=known.day_of(at), watched=watched)


def scored(ground: Course, model: Ranker, n_threads: int = 1) -> FloatArray:
    """Return the scores of the validation and test days, ``(n_days, n_symbols)``, NaN elsewhere."""
    known = ground.samples
    at = known.of(ground.rows())
    flat = np.full(len(known.column), np.nan, dtype=np.float32)
    flat[at] = model.predict(known.inputs[at], n_threads)
    return known.grid(flat)


SEARCH_WALK = WalkForwardSettings(train_rows=504, min_train_rows=20, test_rows=126, embargo_rows=5, sample_every=2)
"""Folds of a search: half-years of the validation window, each fitted on the two years before it."""


def tried(ground: Course, settings: RankerSettings) -> tuple[tuple[float, ...], FloatArray]:
    """Return the mean rank IC of each fold of the validation window, and the scores they were read from.

    Nothing of the test window is touched: rows after the validation window do not exist here.
    """
    known, last = ground.samples, int(ground.split.valid[-1]) + 1
    flat = np.full(len(known.column), np.nan, dtype=np.float32)
    for fold in walk_forward(ground.labels.end_row[:last], int(ground.split.valid[0]), SEARCH_WALK):
        at = known.of(fold.train[::-1][:: SEARCH_WALK.sample_every][::-1])
        model = rankers.fit(known.inputs[at], known.target[at], settings, days=known.day_of(at))
        part = known.of(np.arange(fold.first_test, fold.last_test))
        flat[part] = model.predict(known.inputs[part], settings.n_threads)
    grid = known.grid(flat)
    valid = ground.split.valid
    daily = daily_ic(grid[valid], ground.labels.values[valid])
    parts = np.array_split(daily, max(1, -(-len(valid) // SEARCH_WALK.test_rows)))
    return tuple(float(np.nanmean(part)) for part in parts if np.isfinite(part).any()), grid


def mean_contribution(ground: Course, model: Ranker, rows: Int64Array) -> Float64Array:
    """Return the mean absolute SHAP value of each feature over the eligible names of some days, ``(n_features,)``."""
    inputs = ground.samples.inputs[ground.samples.of(rows)]
    return np.asarray(np.abs(model.contributions(inputs)[:, :-1]).mean(axis=0), dtype=np.float64)


def seeds(settings: RankerSettings, count: int) -> Sequence[RankerSettings]:
    """Return the same settings under ``count`` seeds, the first one being its own."""
    return [replace(settings, seed=settings.seed + k) for k in range(count)]
