"""What the three libraries share: the face of a fitted model, rows grouped by day, refusals.

LambdaRank learns from whole grades: a day's rank in ``GRADES`` equal steps, gains linear in the grade,
because both ends of the list matter here, not the first page of results.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ConfigError, Text
from haetae.domain.market import Int64Array
from haetae.ml.settings import Objective, RankerKind, RankerSettings

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

GRADES: Final = 10
"""Tenths of the day, as the reports cut them."""


class Ranker(Protocol):
    """A fitted model: scores rows, explains them, becomes bytes."""

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

    def contributions(self, inputs: FloatArray, n_threads: int = 1) -> Float64Array:
        """Return SHAP values ``(n_rows, n_features + 1)``, the last column the base; rows sum to the score.

        Each library's own TreeSHAP (Lundberg et al., 2020).
        """
        ...

    def trees(self) -> int:
        """Return how many trees it holds; fewer than the rounds after early stopping."""
        ...

    def part(self, inputs: FloatArray, first: int, last: int) -> FloatArray:
        """Return what the trees ``first <= tree < last`` add to each row's score, up to a constant."""
        ...

    def cut(self, trees: int) -> Ranker:
        """Return the model of the first ``trees`` trees."""
        ...

    def dumps(self) -> bytes:
        """Return the model in its library's own form."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Labelled rows, those of one day together.

    Attributes
    ----------
    inputs : (n_rows, n_features) float32
    target : (n_rows,) float32
        Rank of the label within its day, -0.5..0.5, no NaN.
    sizes : (n_groups,) int64
        Rows of each day in turn; of use to LambdaRank only.
    """

    inputs: FloatArray
    target: FloatArray
    sizes: Int64Array

    def labels(self, objective: Objective) -> NDArray[Any]:
        """Return what the library learns: the rank itself, or its grade 0..``GRADES`` - 1."""
        if objective is Objective.REGRESSION:
            return self.target
        return np.clip(np.floor((self.target + 0.5) * GRADES), 0, GRADES - 1).astype(np.int32)

    def days(self) -> Int64Array:
        """Return the group number of each row."""
        return np.repeat(np.arange(len(self.sizes), dtype=np.int64), self.sizes)


def library(kind: RankerKind) -> Any:
    """Return a library, imported when first used."""
    try:
        return importlib.import_module(kind.value)
    except ImportError as absent:
        raise ConfigError(
            Text(ko=f"{kind.value}가 설치되어 있지 않습니다", en=f"{kind.value} is not installed"),
            expected=f"the package {kind.value}",
            found="no such package",
            next_step="install haetae with the extra 'boost'",
        ) from absent


def no_cuda(settings: RankerSettings, found: str, remedy: str) -> ConfigError:
    """Return the refusal of a device that the installed library cannot use."""
    return ConfigError(
        Text(
            ko=f"설치된 {settings.kind.value}로는 GPU 학습을 할 수 없습니다",
            en=f"the installed {settings.kind.value} cannot train on CUDA",
        ),
        expected=Text(ko="CUDA 빌드와 GPU", en="a CUDA build and a GPU"),
        found=found,
        next_step=f"{remedy} · --device cpu",
    )


def shares(gain: Float64Array) -> FloatArray:
    """Return gains as shares of their sum; zeros stay zeros."""
    total = float(gain.sum())
    return (gain / total if total > 0 else gain).astype(np.float32)
