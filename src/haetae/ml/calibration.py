"""From a score's place in its day to the return that may be expected: isotonic, fitted on the validation window.

The input is the day rank (-0.5..0.5) of a score, the output the expected return over the horizon beyond the mean
of all ranked names. Monotone by construction (pool adjacent violators, ``scipy.optimize.isotonic_regression``);
stored as two plain lists and read by straight lines between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.ml.ensemble import day_ranks

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

CELLS: Final = 100
"""Steps of the day's rank; each pools a hundredth of the names of all days before the fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Expected excess return at ascending day ranks; flat beyond the ends."""

    places: Float64Array
    returns: Float64Array
    horizon: int

    def expected(self, ranked: FloatArray) -> Float64Array:
        """Return the expected excess return of day ranks, as a share per horizon; NaN stays NaN."""
        found = np.interp(ranked.astype(np.float64), self.places, self.returns)
        return np.where(np.isfinite(ranked), found, np.nan)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; ``from_json`` gives the same calibration."""
        return {"places": self.places.tolist(), "returns": self.returns.tolist(), "horizon": self.horizon}


def from_json(told: Mapping[str, Any]) -> Calibration:
    """Return the calibration of ``as_json``."""
    return Calibration(np.array(told["places"], np.float64), np.array(told["returns"], np.float64), told["horizon"])


def _pairs(scores: FloatArray, outcomes: FloatArray) -> tuple[Float64Array, Float64Array]:
    ranked = day_ranks(np.where(np.isfinite(outcomes), scores, np.float32(np.nan)))
    known = np.isfinite(ranked)
    counts = known.sum(axis=1, keepdims=True)
    total = np.where(known, outcomes, 0.0).sum(axis=1, keepdims=True)
    mean = np.divide(total, counts, out=np.zeros(total.shape), where=counts > 0)
    return ranked[known].astype(np.float64), (outcomes - mean)[known].astype(np.float64)


def calibrated(scores: FloatArray, outcomes: FloatArray, horizon: int) -> Calibration:
    """Return the calibration of ``(n_days, n_symbols)`` scores of the validation window.

    Raises
    ------
    ModelError
        If no name has both a score and an outcome.
    """
    ranked, excess = _pairs(scores, outcomes)
    if not len(ranked):
        raise ModelError(
            Text(ko="보정할 점수가 없습니다", en="there are no scores to calibrate"),
            expected="a validation window with scores and outcomes",
            found="none",
            next_step="--valid FIRST:LAST inside the lake",
        )
    from scipy.optimize import isotonic_regression  # only a fit needs it, and every process would wait

    cell = np.clip(((ranked + 0.5) * CELLS).astype(np.int64), 0, CELLS - 1)
    counts = np.bincount(cell, minlength=CELLS).astype(np.float64)
    filled = counts > 0
    places = np.bincount(cell, ranked, CELLS)[filled] / counts[filled]
    means = np.bincount(cell, excess, CELLS)[filled] / counts[filled]
    return Calibration(places, isotonic_regression(means, weights=counts[filled]).x, horizon)


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was expected and what came, by tenth of the expectation's order, in basis points per horizon.

    ``slope`` is of outcomes on expectations over all names: 1 where they mean what they say, 0 where they say nothing.
    """

    expected_bp: tuple[float, ...]
    realised_bp: tuple[float, ...]
    slope: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        slope = self.slope if np.isfinite(self.slope) else None
        return {"expected_bp": list(self.expected_bp), "realised_bp": list(self.realised_bp), "slope": slope}


def reliability(calibration: Calibration, scores: FloatArray, outcomes: FloatArray, *, bins: int = 10) -> Reliability:
    """Return expected beside realised returns of other scores (the test window)."""
    ranked, excess = _pairs(scores, outcomes)
    expected = calibration.expected(ranked.astype(np.float32))
    order = np.argsort(ranked, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    centred = expected - expected.mean() if len(expected) else expected
    spread = float(centred @ centred)
    return Reliability(
        tuple(1e4 * float(expected[part].mean()) for part in parts),
        tuple(1e4 * float(excess[part].mean()) for part in parts),
        float(centred @ excess) / spread if spread > 1e-15 else float("nan"),
    )
