"""CatBoost: ``RMSE`` and ``YetiRank`` on symmetric trees, stored as its cbm form."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from haetae.ml.boosters.base import Float64Array, FloatArray, Rows, library, no_cuda, shares
from haetae.ml.settings import Device, Objective, RankerKind, RankerSettings

_MARKS = ("model_guid", "train_finish_time")
"""What CatBoost stores beside a model that no seed decides."""


PERMUTATIONS = 3
"""Random orders of a day per tree; the library's ten take three times as long for the same order."""


class CatBoostRanker:
    """A CatBoost model of symmetric trees."""

    kind = RankerKind.CATBOOST

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def fit(cls, rows: Rows, settings: RankerSettings) -> CatBoostRanker:
        """Fit on rows."""
        catboost = library(cls.kind)
        if settings.device is Device.CUDA and not _devices():
            raise no_cuda(settings, "0 GPUs", "make a GPU with a CUDA driver visible to this process")
        pool = catboost.Pool(
            rows.inputs,
            label=rows.labels(settings.objective),
            group_id=rows.days() if settings.objective is Objective.LAMBDARANK else None,
        )
        return cls(catboost.CatBoost(_parameters(settings)).fit(pool))

    @classmethod
    def loads(cls, blob: bytes) -> CatBoostRanker:
        """Return the model of ``dumps``."""
        model = library(cls.kind).CatBoost()
        return cls(model.load_model(blob=blob))

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """See ``Ranker``."""
        return np.asarray(self._model.predict(inputs, thread_count=n_threads), dtype=np.float32)

    def importance(self) -> FloatArray:
        """See ``Ranker``."""
        found = self._model.get_feature_importance(type="PredictionValuesChange")
        return shares(np.asarray(found, dtype=np.float64))

    def contributions(self, inputs: FloatArray, n_threads: int = 1) -> Float64Array:
        """See ``Ranker``."""
        pool = library(self.kind).Pool(inputs)
        found = self._model.get_feature_importance(pool, type="ShapValues", thread_count=n_threads)
        return np.asarray(found, dtype=np.float64)

    def trees(self) -> int:
        """See ``Ranker``."""
        return int(self._model.tree_count_)

    def part(self, inputs: FloatArray, first: int, last: int) -> FloatArray:
        """See ``Ranker``."""
        found = self._model.predict(inputs, ntree_start=first, ntree_end=last, thread_count=1)
        return np.asarray(found, dtype=np.float32)

    def cut(self, trees: int) -> CatBoostRanker:
        """See ``Ranker``."""
        shorter = self._model.copy()
        shorter.shrink(ntree_end=trees)
        return CatBoostRanker(shorter)

    def dumps(self) -> bytes:
        """Return CatBoost's cbm form; the library writes files only, so one passes through a folder.

        A random identity and the time of the fit are blanked: equal models are equal bytes.
        """
        for name in _MARKS:
            self._model.get_metadata()[name] = ""
        with tempfile.TemporaryDirectory(prefix="haetae-") as folder:
            path = os.path.join(folder, "model.cbm")
            self._model.save_model(path, format="cbm")
            return Path(path).read_bytes()


def _devices() -> int:
    from catboost.utils import get_gpu_device_count

    return int(get_gpu_device_count())


def _parameters(settings: RankerSettings) -> dict[str, Any]:
    ranking = settings.objective is Objective.LAMBDARANK
    parameters: dict[str, Any] = {
        "loss_function": f"YetiRank:permutations={PERMUTATIONS}" if ranking else "RMSE",
        "iterations": settings.rounds,
        "learning_rate": settings.learning_rate,
        "depth": settings.depth,
        "min_data_in_leaf": settings.min_leaf,
        "bootstrap_type": "Bernoulli",
        "subsample": settings.row_share,
        "l2_leaf_reg": settings.l2,
        "border_count": 63,
        "random_seed": settings.seed,
        "thread_count": settings.n_threads,
        "allow_writing_files": False,
        "verbose": False,
    }
    if settings.device is Device.CUDA:
        # Columns are not sampled there: the library allows it for pairwise losses only.
        parameters |= {"task_type": "GPU"}
    else:
        parameters |= {"rsm": settings.column_share}
    return parameters
