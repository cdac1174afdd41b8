"""A walk-forward trial: fit on each fold's past, score the quarter that follows.

Every score of the result was made by a model that had seen only labels known before (``folds``).
Nothing is chosen on test figures here: one setting goes in, one row of scores comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.ml import rankers
from haetae.ml.folds import Fold, walk_forward
from haetae.ml.rankers import Ranker
from haetae.ml.samples import Samples
from haetae.ml.settings import RankerSettings, WalkForwardSettings

FloatArray = NDArray[np.float32]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Out-of-sample scores of one setting.

    Attributes
    ----------
    scores : (n_days, n_symbols) float32
        NaN before the first test row and for symbols that were not eligible.
    models : tuple of Ranker
        One per fold; the last one is the newest.
    """

    scores: FloatArray
    folds: tuple[Fold, ...]
    models: tuple[Ranker, ...]
    settings: RankerSettings

    def importance(self) -> FloatArray:
        """Return the mean gain share of each feature over the folds."""
        return np.mean([model.importance() for model in self.models], axis=0, dtype=np.float32)


def _training_rows(fold: Fold, settings: WalkForwardSettings) -> Int64Array:
    # Counted back from the newest, so that the freshest session is always among them.
    return fold.train[::-1][:: settings.sample_every][::-1]


def run(
    samples: Samples,
    first_test: int,
    ranker: RankerSettings,
    walk: WalkForwardSettings,
    *,
    target: FloatArray | None = None,
    progress: Progress | None = None,
) -> Trial:
    """Fit and score every fold.

    Parameters
    ----------
    first_test : int
        Row of the first prediction wanted.
    target : (n_samples,) float32, optional
        In place of the samples' own target (the shuffled control).
    progress : callable, optional
        Told ``(folds done, folds in all)``.
    """
    wanted = samples.target if target is None else target
    folds = walk_forward(samples.end_row, first_test, walk)
    flat = np.full(len(samples.column), np.nan, dtype=np.float32)
    models = []
    for number, fold in enumerate(folds):
        at = samples.of(_training_rows(fold, walk))
        model = rankers.fit(samples.inputs[at], wanted[at], ranker, days=samples.day_of(at))
        part = slice(int(samples.bounds[fold.first_test]), int(samples.bounds[fold.last_test]))
        if part.stop > part.start:
            flat[part] = model.predict(samples.inputs[part], ranker.n_threads)
        models.append(model)
        if progress:
            progress(number + 1, len(folds))
    return Trial(samples.grid(flat), folds, tuple(models), ranker)


def newest(samples: Samples, ranker: RankerSettings, walk: WalkForwardSettings) -> tuple[Ranker, Int64Array]:
    """Return a ranker fitted on all labels known at the last row, and the rows it was fitted on.

    This is the model for the sessions that follow; it has no out-of-sample figures of its own and
    borrows those of the trial with the same settings.
    """
    days = len(samples.bounds) - 1
    known = np.flatnonzero(samples.end_row <= days - 1)
    rows = _training_rows(Fold(known[-walk.train_rows :], days, days), walk)
    at = samples.of(rows)
    return rankers.fit(samples.inputs[at], samples.target[at], ranker, days=samples.day_of(at)), rows


def seeds(ranker: RankerSettings, count: int) -> tuple[RankerSettings, ...]:
    """Return the same settings under ``count`` seeds, the first one being its own."""
    return tuple(replace(ranker, seed=ranker.seed + k) for k in range(count))
