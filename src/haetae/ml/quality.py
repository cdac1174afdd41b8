"""How good scores are: rank correlation with what followed, and what a decile earns after cost.

All figures are out of sample if the scores are. Correlations are taken within each day over the
symbols that have both a score and an outcome; days with fewer than ``MIN_NAMES`` are left out.
Labels of ``h`` sessions overlap, so the error of a mean follows Newey and West (1987) with
``h`` lags.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.ml.samples import ranks

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

MIN_NAMES: Final = 10


@dataclass(frozen=True, slots=True)
class RankQuality:
    """Daily rank IC in summary.

    ``icir`` is mean over standard deviation of the daily IC (not annualised); ``t`` divides the
    mean by its Newey-West error; ``neutral_mean`` and ``neutral_t`` are of the IC that is left
    after the low-volatility rank is taken out of the score.
    """

    mean: float
    deviation: float
    icir: float
    t: float
    positive_days: float
    days: int
    neutral_mean: float = math.nan
    neutral_t: float = math.nan

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class DecileSpread:
    """Best tenth minus worst tenth per holding period, in basis points.

    ``turnover`` is the mean share of the two tenths replaced at each rebalance; ``net_bp`` is
    gross minus turnover times the round-trip cost on both sides. The short side cannot be sold on
    a cash account, so ``long_bp`` (best tenth minus the mean of all) stands beside it, net alike.
    """

    gross_bp: float
    net_bp: float
    long_bp: float
    long_net_bp: float
    turnover: float
    periods: int

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def daily_ic(scores: FloatArray, outcomes: FloatArray, remove: FloatArray | None = None) -> Float64Array:
    """Return the rank correlation of each day, ``(n_days,)``, NaN where too few names have both.

    Parameters
    ----------
    scores, outcomes : (n_days, n_symbols) float32
    remove : (n_days, n_symbols) float32, optional
        A score whose ranks are regressed out of the ranks of ``scores`` first.
    """
    result = np.full(len(scores), np.nan)
    for t in range(len(scores)):
        both = np.isfinite(scores[t]) & np.isfinite(outcomes[t])
        if remove is not None:
            both &= np.isfinite(remove[t])
        if both.sum() < MIN_NAMES:
            continue
        left = ranks(scores[t][both]).astype(np.float64)
        right = ranks(outcomes[t][both]).astype(np.float64)
        left -= left.mean()
        right -= right.mean()
        if remove is not None:
            other = ranks(remove[t][both]).astype(np.float64)
            other -= other.mean()
            left -= other * (left @ other) / (other @ other)
        scale = math.sqrt(float(left @ left) * float(right @ right))
        result[t] = float(left @ right) / scale if scale > 1e-9 else 0.0
    return result


def newey_west_t(values: Float64Array, lags: int) -> float:
    """Return mean over its autocorrelation-robust error; NaN for fewer than two values."""
    count = len(values)
    if count < 2:
        return math.nan
    centred = values - values.mean()
    variance = float(centred @ centred) / count
    for lag in range(1, min(lags, count - 1) + 1):
        weight = 1.0 - lag / (lags + 1.0)
        variance += 2.0 * weight * float(centred[lag:] @ centred[:-lag]) / count
    return float(values.mean()) / math.sqrt(variance / count) if variance > 0 else math.nan


def summary(daily: Float64Array, horizon: int, neutral: Float64Array | None = None) -> RankQuality:
    """Return the summary of daily rank ICs; days with NaN are left out.

    Parameters
    ----------
    daily : (n_days,) float64
        From ``daily_ic``.
    horizon : int
        Sessions of the label: the lags of the error.
    neutral : (n_days,) float64, optional
        The same with the low-volatility ranks removed.
    """
    known = daily[np.isfinite(daily)]
    if not len(known):
        return RankQuality(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    deviation = float(known.std())
    left = np.zeros(0) if neutral is None else neutral[np.isfinite(neutral)]
    return RankQuality(
        mean=float(known.mean()),
        deviation=deviation,
        icir=float(known.mean()) / deviation if deviation > 0 else math.nan,
        t=newey_west_t(known, horizon),
        positive_days=float((known > 0).mean()),
        days=len(known),
        neutral_mean=float(left.mean()) if len(left) else math.nan,
        neutral_t=newey_west_t(left, horizon),
    )


def rank_quality(
    scores: FloatArray, outcomes: FloatArray, horizon: int, low_volatility: FloatArray | None = None
) -> RankQuality:
    """Return the summary of the daily rank IC of scores against forward returns of ``horizon`` sessions."""
    neutral = None if low_volatility is None else daily_ic(scores, outcomes, low_volatility)
    return summary(daily_ic(scores, outcomes), horizon, neutral)


def decile_spread(
    scores: FloatArray, outcomes: FloatArray, horizon: int, *, round_trip_bp: float, share: float = 0.1
) -> DecileSpread:
    """Return what the best and the worst ``share`` of the names earn, rebalanced each ``horizon``.

    Parameters
    ----------
    scores, outcomes : (n_days, n_symbols) float32
        Outcomes are returns over ``horizon`` sessions; every ``horizon``-th scored day is used.
    round_trip_bp : float
        Cost of replacing a holding: both fees, the sale tax and both slippages, in basis points.
    """
    scored = np.flatnonzero((np.isfinite(scores) & np.isfinite(outcomes)).sum(axis=1) >= MIN_NAMES)
    gross, long, replaced, long_replaced = [], [], [], []
    tops: set[int] = set()
    bottoms: set[int] = set()
    for t in scored[::horizon]:
        both = np.flatnonzero(np.isfinite(scores[t]) & np.isfinite(outcomes[t]))
        order = both[np.argsort(scores[t][both], kind="stable")]
        size = max(1, int(len(order) * share))
        best, worst = order[-size:], order[:size]
        mean_best = float(outcomes[t][best].mean())
        gross.append(mean_best - float(outcomes[t][worst].mean()))
        long.append(mean_best - float(outcomes[t][both].mean()))
        long_replaced.append(1.0 - len(tops & set(best.tolist())) / size)
        replaced.append((long_replaced[-1] + 1.0 - len(bottoms & set(worst.tolist())) / size) / 2.0)
        tops, bottoms = set(best.tolist()), set(worst.tolist())
    if not gross:
        return DecileSpread(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
    gross_bp = 1e4 * float(np.mean(gross))
    long_bp = 1e4 * float(np.mean(long))
    turnover = float(np.mean(replaced))
    return DecileSpread(
        gross_bp=gross_bp,
        net_bp=gross_bp - 2.0 * turnover * round_trip_bp,
        long_bp=long_bp,
        long_net_bp=long_bp - float(np.mean(long_replaced)) * round_trip_bp,
        turnover=turnover,
        periods=len(gross),
    )
