"""LightGBM: ``regression`` and ``lambdarank``, stored as its text form."""

from __future__ import annotations

from typing import Any

import numpy as np

from haetae.ml.boosters.base import GRADES, Float64Array, FloatArray, Rows, library, no_cuda, shares
from haetae.ml.settings import Device, Objective, RankerKind, RankerSettings

PAIRS_TO = 100
"""Lambdas are of pairs with at least one name among the first hundred: half of a day's two hundred."""


class LightGbmRanker:
    """A LightGBM booster."""

    kind = RankerKind.LIGHTGBM

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    @classmethod
    def fit(cls, rows: Rows, settings: RankerSettings) -> LightGbmRanker:
        """Fit on rows."""
        lightgbm = library(cls.kind)
        parameters = _parameters(settings)
        data = lightgbm.Dataset(
            rows.inputs,
            label=rows.labels(settings.objective),
            group=rows.sizes if settings.objective is Objective.LAMBDARANK else None,
            params=parameters,
            free_raw_data=True,
        )
        try:
            return cls(lightgbm.train(parameters, data, num_boost_round=settings.rounds))
        except lightgbm.basic.LightGBMError as fault:
            if settings.device is Device.CUDA:
                raise no_cuda(settings, str(fault), "build lightgbm with USE_CUDA=ON") from fault
            raise

    @classmethod
    def loads(cls, blob: bytes) -> LightGbmRanker:
        """Return the model of ``dumps``."""
        return cls(library(cls.kind).Booster(model_str=blob.decode()))

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """See ``Ranker``."""
        return np.asarray(self._booster.predict(inputs, num_threads=n_threads), dtype=np.float32)

    def importance(self) -> FloatArray:
        """See ``Ranker``."""
        return shares(np.asarray(self._booster.feature_importance("gain"), dtype=np.float64))

    def contributions(self, inputs: FloatArray, n_threads: int = 1) -> Float64Array:
        """See ``Ranker``."""
        found = self._booster.predict(inputs, pred_contrib=True, num_threads=n_threads)
        return np.asarray(found, dtype=np.float64)

    def trees(self) -> int:
        """See ``Ranker``."""
        return int(self._booster.num_trees())

    def part(self, inputs: FloatArray, first: int, last: int) -> FloatArray:
        """See ``Ranker``."""
        found = self._booster.predict(inputs, start_iteration=first, num_iteration=last - first, num_threads=1)
        return np.asarray(found, dtype=np.float32)

    def cut(self, trees: int) -> LightGbmRanker:
        """See ``Ranker``."""
        return self.loads(str(self._booster.model_to_string(num_iteration=trees)).encode())

    def dumps(self) -> bytes:
        """Return LightGBM's text form."""
        return str(self._booster.model_to_string()).encode()


def _parameters(settings: RankerSettings) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "learning_rate": settings.learning_rate,
        "max_depth": settings.depth,
        "num_leaves": 2**settings.depth,
        "min_data_in_leaf": settings.min_leaf,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "feature_fraction": settings.column_share,
        "lambda_l2": settings.l2,
        "max_bin": 63,
        "seed": settings.seed,
        "num_threads": settings.n_threads,
        "deterministic": True,
        "verbosity": -1,
    }
    if settings.objective is Objective.LAMBDARANK:
        parameters |= {
            "objective": "lambdarank",
            "label_gain": list(range(GRADES)),
            "lambdarank_truncation_level": PAIRS_TO,
        }
    else:
        parameters |= {"objective": "regression"}
    return parameters | ({"device_type": "cuda"} if settings.device is Device.CUDA else {"force_row_wise": True})
