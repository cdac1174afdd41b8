"""What a learned policy sees: one function for training, backtest and the live day.

Here: the observation of each symbol as a row of plain float32 numbers, and the statistics that put
features on one scale. Not here: the features themselves (``features.minute``), the map from scores
to weights (``actions``), the net (``network``).

All functions take leading batch axes (``...``) so that a thousand training accounts and the one
live account run the same lines. Everything is known at the end of the newest closed bar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.domain.units import Instant, day_of
from haetae.krx import Rulebook

Float32Array = NDArray[np.float32]

VERSION = 1
"""Raise it when the meaning of any column changes; older artefacts are then refused."""
ACCOUNT_COLUMNS = ("score_z", "held_weight_x10", "cash_weight", "session_progress")
CLIP = 5.0
"""Scaled features beyond five deviations say no more than five."""


def observation_names(feature_names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the observation's columns, features first."""
    return (*feature_names, *ACCOUNT_COLUMNS)


def feature_hash(feature_names: Sequence[str]) -> str:
    """Return the hash that ties an artefact to feature names, their order and this observation."""
    text = f"observe/{VERSION}|" + "|".join(observation_names(feature_names))
    return hashlib.sha256(text.encode()).hexdigest()


def session_progress(at: Instant) -> float:
    """Return the elapsed part of the regular session of that day, 0 at the open and 1 at the close.

    Late-open days run on their own clock. Raises ``MarketRuleError`` on a day the KRX is closed.
    """
    session = Rulebook.on(day_of(at)).session
    return min(1.0, max(0.0, (at - session.open_at) / (session.close_at - session.open_at)))


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Mean and deviation of each feature, fitted on the training window only.

    Attributes
    ----------
    mean, deviation : (n_features,) float32
        ``deviation`` is at least 1e-6.
    """

    mean: Float32Array
    deviation: Float32Array

    @classmethod
    def fit(cls, features: Float32Array) -> Scaler:
        """Fit on ``(..., n_features)`` rows, NaN ignored; a feature that is all NaN gets (0, 1)."""
        flat = features.reshape(-1, features.shape[-1]).astype(np.float64)
        known = ~np.isnan(flat)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, flat, 0.0).sum(axis=0) / count
        variance = np.where(known, (flat - mean) ** 2, 0.0).sum(axis=0) / count
        deviation = np.sqrt(variance)
        deviation[~known.any(axis=0)] = 1.0
        return cls(mean.astype(np.float32), np.maximum(deviation, 1e-6).astype(np.float32))

    def apply(self, features: Float32Array) -> Float32Array:
        """Return scaled features, clipped to ±5, with 0 where the value is not known (NaN)."""
        if features.shape[-1] != len(self.mean):
            raise ModelError(
                Text("특징 수가 스케일러와 다릅니다.", "the features do not fit the scaler"),
                expected=f"{len(self.mean)} features",
                found=f"{features.shape[-1]} features",
                next_step=Text(
                    "학습에 쓴 특징 목록으로 다시 만드십시오.", "build the features the model was trained on"
                ),
            )
        scaled = (features - self.mean) / self.deviation
        return np.clip(np.nan_to_num(scaled, nan=0.0, posinf=CLIP, neginf=-CLIP), -CLIP, CLIP).astype(np.float32)


def observe(
    scaled: Float32Array,
    scores: Float32Array,
    held_weights: Float32Array,
    cash_weight: Float32Array | np.float32,
    progress: Float32Array | np.float32,
) -> Float32Array:
    """Return the observation of every symbol.

    Parameters
    ----------
    scaled : (..., n_symbols, n_features) float32
        Output of ``Scaler.apply``.
    scores : (..., n_symbols) float32
        Rank scores of the day on any scale; standardised across symbols here, so a day without
        scores (all equal) becomes 0.
    held_weights : (..., n_symbols) float32
        Share of equity held in each symbol.
    cash_weight : (...) float32
        Share of equity in cash.
    progress : (...) float32
        Elapsed part of the regular session, 0 at the open and 1 at the close.

    Returns
    -------
    (..., n_symbols, n_features + 4) float32, columns as in ``observation_names``
    """
    shape = (*scaled.shape[:-1], 1)
    known = np.nan_to_num(np.asarray(scores, np.float32))
    spread = known.std(axis=-1, keepdims=True)
    centred = known - known.mean(axis=-1, keepdims=True)
    ranked = np.where(spread > 1e-9, centred / np.maximum(spread, 1e-9), 0.0)
    account = (
        np.broadcast_to(np.clip(ranked, -CLIP, CLIP)[..., None], shape),
        np.broadcast_to((10.0 * np.asarray(held_weights))[..., None], shape),
        np.broadcast_to(np.asarray(cash_weight)[..., None, None], shape),
        np.broadcast_to(np.asarray(progress)[..., None, None], shape),
    )
    return np.concatenate([scaled, *account], axis=-1).astype(np.float32, copy=False)
