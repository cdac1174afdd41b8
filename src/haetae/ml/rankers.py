"""Gradient-boosted rankers of three libraries behind one face: fit, predict, explain, dumps, loads.

A ranker learns the day-rank of the forward return (``samples``): by squared error, or from pairs of the
same day (LambdaRank and its kin). Both order the cross-section and ignore single extreme returns.
Models are stored in the library's own text, JSON or binary form (``lightgbm`` text, ``xgboost`` JSON,
``catboost`` cbm), never as pickles. Fits are deterministic for a seed and a number of threads.

The libraries are imported when a ranker of their kind is first used; ``xgboost`` and ``catboost``
belong to the extra ``boost``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.domain.market import Int64Array
from haetae.ml.boosters.base import FloatArray, Ranker, Rows
from haetae.ml.boosters.catboost import CatBoostRanker
from haetae.ml.boosters.lightgbm import LightGbmRanker
from haetae.ml.boosters.xgboost import XgboostRanker
from haetae.ml.samples import ranks
from haetae.ml.settings import Objective, RankerKind, RankerSettings

__all__ = ["Ranker", "Rows", "fit", "loads", "rows_of", "stopped"]

STEP: Final = 5
"""Trees between two looks at the validation window."""

_RANKERS: dict[RankerKind, type[LightGbmRanker] | type[XgboostRanker] | type[CatBoostRanker]] = {
    RankerKind.LIGHTGBM: LightGbmRanker,
    RankerKind.XGBOOST: XgboostRanker,
    RankerKind.CATBOOST: CatBoostRanker,
}


def rows_of(inputs: FloatArray, target: FloatArray, days: Int64Array | None = None) -> Rows:
    """Return the rows that have a label, grouped by day.

    Parameters
    ----------
    inputs : (n_rows, n_features) float32
        Day ranks or scaled values; NaN is a value of its own to all three libraries.
    target : (n_rows,) float32
        Day ranks of the label; rows with a NaN target are left out.
    days : (n_rows,) int64, optional
        Any number of each row's day; rows of a day stand together. One day if not given.
    """
    known = np.isfinite(target)
    if not known.any():
        raise ModelError(
            Text(ko="학습할 라벨이 없습니다", en="no labelled row to fit on"),
            expected="at least one finite label",
            found="none",
            next_step="choose a window whose labels are known, or a shorter horizon",
        )
    if not known.all():
        inputs, target = inputs[known], target[known]
    if days is None:
        return Rows(inputs, target, np.array([len(target)], dtype=np.int64))
    day = days[known]
    starts = np.flatnonzero(np.concatenate([[True], day[1:] != day[:-1]]))
    return Rows(inputs, target, np.diff(np.append(starts, len(day))).astype(np.int64))


def fit(
    inputs: FloatArray,
    target: FloatArray,
    settings: RankerSettings,
    *,
    days: Int64Array | None = None,
    watched: Rows | None = None,
) -> Ranker:
    """Return a ranker fitted by the library that the settings name.

    Parameters
    ----------
    inputs, target, days
        See ``rows_of``; ``days`` are needed for LambdaRank.
    watched : Rows, optional
        A validation window for early stopping, used where ``settings.early_stopping`` asks for it, see ``stopped``.

    Raises
    ------
    ModelError
        If no row has a label, or LambdaRank has no days.
    ConfigError
        If the library, or the device the settings ask for, is not there.
    """
    if days is None and settings.objective is Objective.LAMBDARANK:
        raise ModelError(
            Text(ko="LambdaRank에는 날짜 묶음이 필요합니다", en="LambdaRank needs the day of each row"),
            expected="days",
            found="none",
            next_step="fit(..., days=samples.day_of(rows))",
        )
    model = _RANKERS[settings.kind].fit(rows_of(inputs, target, days), settings)
    return stopped(model, watched) if watched is not None and settings.early_stopping else model


def stopped(model: Ranker, watched: Rows) -> Ranker:
    """Return the model cut where its rank IC on a validation window was best.

    The trees are looked at in their order, ``STEP`` at a time, all of them: under LambdaRank the IC may fall for
    fifty trees and then pass its first peak. All libraries and objectives stop by the same figure, the one that
    is reported.
    """
    whole = model.trees()
    scores = np.zeros(len(watched.target), dtype=np.float64)
    best, best_at = -np.inf, whole
    for first in range(0, whole, STEP):
        last = min(first + STEP, whole)
        scores += model.part(watched.inputs, first, last)
        found = _mean_ic(scores, watched)
        if found > best + 1e-9:
            best, best_at = found, last
    return model if best_at == whole else model.cut(best_at)


def _mean_ic(scores: NDArray[np.float64], rows: Rows) -> float:
    ends = np.cumsum(rows.sizes)
    found = []
    for first, last in zip(ends - rows.sizes, ends, strict=True):
        left, right = ranks(scores[first:last].astype(np.float32)), rows.target[first:last]
        spread = float(left.std() * right.std())
        found.append(float(((left - left.mean()) * (right - right.mean())).mean()) / spread if spread > 0 else 0.0)
    return float(np.mean(found))


def loads(kind: RankerKind, blob: bytes) -> Ranker:
    """Return the ranker of ``Ranker.dumps``."""
    return _RANKERS[kind].loads(blob)
