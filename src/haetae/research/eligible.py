"""Who may be learned from on each day; known after its close. Not here: who may be held (``universe``)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.features import daily
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings

FloatArray = NDArray[np.float32]


def eligible(market: DailyMarket, features: FloatArray, settings: ResearchSettings) -> BoolArray:
    """Return who may be learned from, ``(n_days, n_symbols)``: common shares that trade enough, and did today."""
    place = {name: k for k, name in enumerate(daily.NAMES)}
    traded_enough = features[:, :, place["turnover_20"]] >= math.log(settings.min_training_turnover_won + 1.0)
    awake = features[:, :, place["idle_days_60"]] <= settings.max_training_idle
    known = np.isfinite(features[:, :, place["volatility_60"]])
    return np.asarray(traded_enough & awake & known & market.panel.traded & market.common()[None, :], dtype=np.bool_)
