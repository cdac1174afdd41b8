"""How long a score lasts: rank IC over horizons, likeness of neighbouring days, names replaced.

Pure functions on ``(n_days, n_symbols)`` arrays; outcomes of each horizon are made by the caller
(``labels.forward_returns``), so that nothing here knows of prices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.ml.quality import RankQuality, daily_ic, rank_quality
from haetae.ml.quality_deciles import spread_periods

FloatArray = NDArray[np.float32]

HORIZONS: Final = (1, 2, 3, 5, 10, 20)
"""Sessions: a day, two, three, a week, two weeks, a month."""


def ic_decay(
    scores: FloatArray, outcomes: Mapping[int, FloatArray], low_volatility: FloatArray | None = None
) -> dict[int, RankQuality]:
    """Return the rank IC of one score against returns over each horizon, errors widened by each overlap.

    Parameters
    ----------
    outcomes : mapping of sessions to (n_days, n_symbols) float32
    """
    return {horizon: rank_quality(scores, outcomes[horizon], horizon, low_volatility) for horizon in sorted(outcomes)}


@dataclass(frozen=True, slots=True)
class Stability:
    """How much a score changes.

    ``autocorrelation`` is the mean rank correlation of a day's scores with those ``lag`` sessions before;
    ``turnover`` the mean share of the best tenth that was not in it ``lag`` sessions before (1 at random is 0.9).
    """

    lag: int
    autocorrelation: float
    turnover: float

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def stability(scores: FloatArray, lag: int) -> Stability:
    """Return how like itself a score is after ``lag`` sessions."""
    like = daily_ic(scores[:-lag], scores[lag:]) if lag < len(scores) else np.zeros(0)
    like = like[np.isfinite(like)]
    # The scores stand for outcomes too, so that only which names are best is asked.
    replaced = spread_periods(scores, scores, lag, round_trip_bp=0.0).long_replaced[1:]
    return Stability(
        lag,
        float(like.mean()) if len(like) else math.nan,
        float(replaced.mean()) if len(replaced) else math.nan,
    )
