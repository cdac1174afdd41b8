"""XGBoost: ``reg:squarederror`` and ``rank:ndcg``, stored as its JSON form."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from haetae.ml.boosters.base import Float64Array, FloatArray, Rows, library, no_cuda, shares
from haetae.ml.settings import Device, Objective, RankerKind, RankerSettings

_REMEDY = "replace xgboost-cpu by the package xgboost on a machine with a GPU"
PAIRS_A_NAME = 8
"""Pairs drawn for each name of a day."""
MAX_BIN = 64


class XgboostRanker:
    """An XGBoost booster."""

    kind = RankerKind.XGBOOST

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    @classmethod
    def fit(cls, rows: Rows, settings: RankerSettings) -> XgboostRanker:
        """Fit on rows."""
        xgboost = library(cls.kind)
        if settings.device is Device.CUDA and not xgboost.build_info().get("USE_CUDA"):
            raise no_cuda(settings, "a build without CUDA", _REMEDY)
        data = xgboost.QuantileDMatrix(
            rows.inputs,
            label=rows.labels(settings.objective),
            qid=rows.days() if settings.objective is Objective.LAMBDARANK else None,
            nthread=settings.n_threads,
            max_bin=MAX_BIN,
        )
        booster = xgboost.train(_parameters(settings), data, num_boost_round=settings.rounds)
        if settings.device is Device.CUDA:
            _refuse_fallback(booster, settings)
            booster.set_param({"device": "cpu"})
        return cls(booster)

    @classmethod
    def loads(cls, blob: bytes) -> XgboostRanker:
        """Return the model of ``dumps``."""
        booster = library(cls.kind).Booster()
        booster.load_model(bytearray(blob))
        return cls(booster)

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """See ``Ranker``."""
        self._booster.set_param({"nthread": n_threads})
        return np.asarray(self._booster.inplace_predict(inputs), dtype=np.float32)

    def importance(self) -> FloatArray:
        """See ``Ranker``."""
        gain = np.zeros(int(self._booster.num_features()))
        for name, value in self._booster.get_score(importance_type="total_gain").items():
            gain[int(name[1:])] = value
        return shares(gain)

    def contributions(self, inputs: FloatArray, n_threads: int = 1) -> Float64Array:
        """See ``Ranker``."""
        data = library(self.kind).DMatrix(inputs, nthread=n_threads)
        return np.asarray(self._booster.predict(data, pred_contribs=True), dtype=np.float64)

    def trees(self) -> int:
        """See ``Ranker``."""
        return int(self._booster.num_boosted_rounds())

    def part(self, inputs: FloatArray, first: int, last: int) -> FloatArray:
        """See ``Ranker``."""
        self._booster.set_param({"nthread": 1})
        return np.asarray(self._booster.inplace_predict(inputs, iteration_range=(first, last)), dtype=np.float32)

    def cut(self, trees: int) -> XgboostRanker:
        """See ``Ranker``."""
        return XgboostRanker(self._booster[:trees])

    def dumps(self) -> bytes:
        """Return XGBoost's JSON form."""
        return bytes(self._booster.save_raw(raw_format="json"))


def _parameters(settings: RankerSettings) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "eta": settings.learning_rate,
        "max_depth": settings.depth,
        "min_child_weight": settings.min_leaf,
        "subsample": settings.row_share,
        "colsample_bytree": settings.column_share,
        "lambda": settings.l2,
        "max_bin": MAX_BIN,
        "tree_method": "hist",
        "seed": settings.seed,
        "nthread": settings.n_threads,
        "verbosity": 0,
        "device": settings.device.value,
    }
    if settings.objective is Objective.REGRESSION:
        return parameters | {"objective": "reg:squarederror"}
    return parameters | {
        "objective": "rank:ndcg",
        "ndcg_exp_gain": False,
        "lambdarank_pair_method": "mean",
        "lambdarank_num_pair_per_sample": PAIRS_A_NAME,
        # Second derivatives of pairs are small; as a floor on their sum the leaf size would forbid every split.
        "min_child_weight": 1.0,
    }


def _refuse_fallback(booster: Any, settings: RankerSettings) -> None:
    # Without a visible GPU a CUDA build only warns and trains on the processor.
    used = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    if not str(used).startswith("cuda"):
        raise no_cuda(settings, f"device {used}", "make a GPU visible to this process")
