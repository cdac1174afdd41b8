"""One-line scores that a model must stand beside: low volatility, reversal, momentum, noise.

On the Korean market a bare low-volatility score is a hard yardstick; a model that only finds it
again must be seen to do so. Inputs are daily features (``haetae.features.daily``) by name; all
are known after the close of their day.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

LOW_VOLATILITY: Final = "low_volatility_60"
ONE_LINE: Final[dict[str, tuple[str, float]]] = {
    LOW_VOLATILITY: ("volatility_60", -1.0),
    "reversal_5": ("ret_5", -1.0),
    "momentum_20": ("ret_20", 1.0),
    "momentum_12_1": ("momentum_12_1", 1.0),
}
"""Name of the score: feature and sign."""


def one_line_scores(features: FloatArray, names: Sequence[str]) -> dict[str, FloatArray]:
    """Return each yardstick as ``(n_days, n_symbols)`` from ``(n_days, n_symbols, n_features)``."""
    places = {name: k for k, name in enumerate(names)}
    return {score: sign * features[:, :, places[feature]] for score, (feature, sign) in ONE_LINE.items()}


def shuffled_within_days(target: FloatArray, bounds: NDArray[np.int64], dice: np.random.Generator) -> FloatArray:
    """Return targets dealt out anew among the samples of each day: nothing is left to learn.

    A model fitted on them must show no rank IC out of sample; if it does, the trial leaks.
    """
    dealt = target.copy()
    for first, last in itertools.pairwise(bounds):
        dealt[first:last] = dice.permutation(dealt[first:last])
    return dealt
