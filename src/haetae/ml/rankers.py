"""Gradient-boosted rankers of three libraries behind one face: fit, predict, dumps, loads.

A ranker regresses the day-rank of the forward return (``samples``) by squared error, which orders
the cross-section and ignores single extreme returns. Models are stored in the library's own text,
JSON or binary form (``lightgbm`` text, ``xgboost`` JSON, ``catboost`` cbm), never as
pickles. Fits are deterministic for a seed and a number of threads.

The libraries are imported when a ranker of their kind is first used; ``xgboost`` and ``catboost``
belong to the extra ``boost``.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ConfigError, ModelError, Text
from haetae.ml.settings import RankerKind, RankerSettings

FloatArray = NDArray[np.float32]
_CATBOOST_MARKS = ("model_guid", "train_finish_time")
"""What CatBoost stores beside a model that no seed decides."""


class Ranker(Protocol):
    """A fitted model: scores rows, becomes bytes."""

    @property
    def kind(self) -> RankerKind:
        """Which library made it."""
        ...

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """Return one score per row of ``(n_rows, n_features)``; higher is better."""
        ...

    def importance(self) -> FloatArray:
        """Return the gain of each feature as a share of all gain, ``(n_features,)``."""
        ...

    def dumps(self) -> bytes:
        """Return the model in its library's own form."""
        ...


def _library(kind: RankerKind) -> Any:
    try:
        return importlib.import_module(kind.value)
    except ImportError as absent:
        raise ConfigError(
            Text(ko=f"{kind.value}가 설치되어 있지 않습니다", en=f"{kind.value} is not installed"),
            expected=f"the package {kind.value}",
            found="no such package",
            next_step="install haetae with the extra 'boost'",
        ) from absent


def _shares(gain: NDArray[np.float64]) -> FloatArray:
    total = float(gain.sum())
    return (gain / total if total > 0 else gain).astype(np.float32)


class LightGbmRanker:
    """A LightGBM booster."""

    kind = RankerKind.LIGHTGBM

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    @classmethod
    def fit(cls, inputs: FloatArray, target: FloatArray, settings: RankerSettings) -> LightGbmRanker:
        """Fit on ``(n_rows, n_features)`` inputs and ``(n_rows,)`` targets without NaN targets."""
        library = _library(cls.kind)
        parameters = {
            "objective": "regression",
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
            "force_row_wise": True,
            "verbosity": -1,
        }
        data = library.Dataset(inputs, label=target, params=parameters, free_raw_data=True)
        return cls(library.train(parameters, data, num_boost_round=settings.rounds))

    @classmethod
    def loads(cls, blob: bytes) -> LightGbmRanker:
        """Return the model of ``dumps``."""
        return cls(_library(cls.kind).Booster(model_str=blob.decode()))

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """See ``Ranker``."""
        return np.asarray(self._booster.predict(inputs, num_threads=n_threads), dtype=np.float32)

    def importance(self) -> FloatArray:
        """See ``Ranker``."""
        return _shares(np.asarray(self._booster.feature_importance("gain"), dtype=np.float64))

    def dumps(self) -> bytes:
        """Return LightGBM's text form."""
        return str(self._booster.model_to_string()).encode()


class XgboostRanker:
    """An XGBoost booster."""

    kind = RankerKind.XGBOOST

    def __init__(self, booster: Any) -> None:
        self._booster = booster

    @classmethod
    def fit(cls, inputs: FloatArray, target: FloatArray, settings: RankerSettings) -> XgboostRanker:
        """Fit on ``(n_rows, n_features)`` inputs and ``(n_rows,)`` targets without NaN targets."""
        library = _library(cls.kind)
        parameters = {
            "objective": "reg:squarederror",
            "eta": settings.learning_rate,
            "max_depth": settings.depth,
            "min_child_weight": settings.min_leaf,
            "subsample": settings.row_share,
            "colsample_bytree": settings.column_share,
            "lambda": settings.l2,
            "max_bin": 64,
            "tree_method": "hist",
            "seed": settings.seed,
            "nthread": settings.n_threads,
            "verbosity": 0,
        }
        data = library.QuantileDMatrix(inputs, label=target, nthread=settings.n_threads, max_bin=64)
        return cls(library.train(parameters, data, num_boost_round=settings.rounds))

    @classmethod
    def loads(cls, blob: bytes) -> XgboostRanker:
        """Return the model of ``dumps``."""
        booster = _library(cls.kind).Booster()
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
        return _shares(gain)

    def dumps(self) -> bytes:
        """Return XGBoost's JSON form."""
        return bytes(self._booster.save_raw(raw_format="json"))


class CatBoostRanker:
    """A CatBoost model of symmetric trees."""

    kind = RankerKind.CATBOOST

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def fit(cls, inputs: FloatArray, target: FloatArray, settings: RankerSettings) -> CatBoostRanker:
        """Fit on ``(n_rows, n_features)`` inputs and ``(n_rows,)`` targets without NaN targets."""
        model = _library(cls.kind).CatBoostRegressor(
            loss_function="RMSE",
            iterations=settings.rounds,
            learning_rate=settings.learning_rate,
            depth=settings.depth,
            min_data_in_leaf=settings.min_leaf,
            bootstrap_type="Bernoulli",
            subsample=settings.row_share,
            rsm=settings.column_share,
            l2_leaf_reg=settings.l2,
            border_count=63,
            random_seed=settings.seed,
            thread_count=settings.n_threads,
            allow_writing_files=False,
            verbose=False,
        )
        return cls(model.fit(inputs, target))

    @classmethod
    def loads(cls, blob: bytes) -> CatBoostRanker:
        """Return the model of ``dumps``."""
        model = _library(cls.kind).CatBoostRegressor()
        return cls(model.load_model(blob=blob))

    def predict(self, inputs: FloatArray, n_threads: int = 1) -> FloatArray:
        """See ``Ranker``."""
        return np.asarray(self._model.predict(inputs, thread_count=n_threads), dtype=np.float32)

    def importance(self) -> FloatArray:
        """See ``Ranker``."""
        return _shares(np.asarray(self._model.get_feature_importance(), dtype=np.float64))

    def dumps(self) -> bytes:
        """Return CatBoost's cbm form; the library writes files only, so one passes through a folder.

        A random identity and the time of the fit are blanked: equal models are equal bytes.
        """
        for name in _CATBOOST_MARKS:
            self._model.get_metadata()[name] = ""
        with tempfile.TemporaryDirectory(prefix="haetae-") as folder:
            path = os.path.join(folder, "model.cbm")
            self._model.save_model(path, format="cbm")
            return Path(path).read_bytes()


_RANKERS: dict[RankerKind, type[LightGbmRanker] | type[XgboostRanker] | type[CatBoostRanker]] = {
    RankerKind.LIGHTGBM: LightGbmRanker,
    RankerKind.XGBOOST: XgboostRanker,
    RankerKind.CATBOOST: CatBoostRanker,
}


def fit(inputs: FloatArray, target: FloatArray, settings: RankerSettings) -> Ranker:
    """Return a ranker fitted by the library that the settings name.

    Parameters
    ----------
    inputs : (n_rows, n_features) float32
        Day ranks; NaN is a value of its own to all three libraries.
    target : (n_rows,) float32
        Day ranks of the label; rows with a NaN target are left out.
    """
    known = np.isfinite(target)
    if not known.all():
        inputs, target = inputs[known], target[known]
    if not len(target):
        raise ModelError("no labelled row to fit on", expected="at least one finite label", found="none")
    return _RANKERS[settings.kind].fit(inputs, target, settings)


def loads(kind: RankerKind, blob: bytes) -> Ranker:
    """Return the ranker of ``Ranker.dumps``."""
    return _RANKERS[kind].loads(blob)
