"""How good scores are: daily correlation with what followed, and what the best names earn after cost.

All figures are out of sample if the scores are. Correlations are taken within each day over the
symbols that have both a score and an outcome; days with fewer than ``MIN_NAMES`` are left out.
Labels of ``h`` sessions overlap, so the error of a mean follows Newey and West (1987) with
``lags_for(h, days)`` lags, never fewer than the overlap. Not here: tenths (``quality_deciles``),
horizons and stability (``quality_decay``), years, sectors and sizes (``quality_groups``).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.ml.samples import rank_into

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

MIN_NAMES: Final = 10


class Correlation(Enum):
    """What an information coefficient correlates: ranks (Spearman) or the values themselves (Pearson)."""

    RANK = "rank"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class RankQuality:
    """Daily information coefficients in summary.

    ``icir`` is mean over standard deviation of the daily IC (not annualised); ``t`` divides the
    mean by its Newey-West error over ``lags`` lags; ``neutral_mean``, ``neutral_icir`` and
    ``neutral_t`` are of the IC that is left after the low-volatility rank is taken out of the score.
    """

    mean: float
    deviation: float
    icir: float
    t: float
    positive_days: float
    days: int
    neutral_mean: float = math.nan
    neutral_icir: float = math.nan
    neutral_t: float = math.nan
    lags: int = 0

    def as_json(self) -> dict[str, float | None]:
        """Return the figures with NaN as null."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


@njit(cache=True)
def _known_on(first: FloatArray, second: FloatArray, third: FloatArray, at: NDArray[np.int64]) -> int:
    count = 0
    for s in range(len(first)):
        if np.isfinite(first[s]) and np.isfinite(second[s]) and np.isfinite(third[s]):
            at[count] = s
            count += 1
    return count


@njit(cache=True)
def _centred(values: FloatArray, at: NDArray[np.int64], ranked: int) -> Float64Array:
    chosen = values[at]
    if ranked:
        rank_into(values[at], chosen)
    wide = chosen.astype(np.float64)
    return wide - wide.mean()


@njit(cache=True)
def _correlate(
    scores: FloatArray, outcomes: FloatArray, remove: FloatArray, result: Float64Array, ranked: int, least: int
) -> None:
    days, symbols = scores.shape
    neutral = len(remove) > 0
    place = np.empty(symbols, np.int64)
    for t in range(days):
        other_row = remove[t] if neutral else scores[t]
        count = _known_on(scores[t], outcomes[t], other_row, place)
        if count < least:
            continue
        at = place[:count]
        left = _centred(scores[t], at, ranked)
        right = _centred(outcomes[t], at, ranked)
        if neutral:
            other = _centred(remove[t], at, 1)
            spread = other @ other
            if spread > 1e-12:
                left -= other * ((left @ other) / spread)
        scale = math.sqrt((left @ left) * (right @ right))
        result[t] = (left @ right) / scale if scale > 1e-9 else 0.0


def _block(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, dtype=np.float32)


def daily_ic(
    scores: FloatArray,
    outcomes: FloatArray,
    remove: FloatArray | None = None,
    *,
    correlation: Correlation = Correlation.RANK,
) -> Float64Array:
    """Return the correlation of each day, ``(n_days,)``, NaN where too few names have both.

    Parameters
    ----------
    scores, outcomes : (n_days, n_symbols) float32
    remove : (n_days, n_symbols) float32, optional
        A score whose ranks are regressed out of the ranks (or values) of ``scores`` first.
    """
    result = np.full(len(scores), np.nan)
    taken = np.zeros((0, scores.shape[1]), np.float32) if remove is None else _block(remove)
    _correlate(_block(scores), _block(outcomes), taken, result, int(correlation is Correlation.RANK), MIN_NAMES)
    return result


@njit(cache=True)
def _take_out(scores: FloatArray, remove: FloatArray, result: FloatArray) -> None:
    place = np.empty(scores.shape[1], np.int64)
    for t in range(len(scores)):
        count = _known_on(scores[t], remove[t], scores[t], place)
        if count < 2:
            continue
        at = place[:count]
        left, other = _centred(scores[t], at, 1), _centred(remove[t], at, 1)
        spread = other @ other
        slope = (left @ other) / spread if spread > 1e-12 else 0.0
        for k in range(count):
            left_over = left[k] - slope * other[k]
            # What is left of a score that only repeats the other is rounding noise; it must not be ordered.
            result[t, at[k]] = left_over if abs(left_over) > 1e-6 else 0.0


def neutral_scores(scores: FloatArray, remove: FloatArray) -> FloatArray:
    """Return what is left of each day's score ranks after regressing them on the ranks of another score.

    ``(n_days, n_symbols)`` float32; NaN where either is unknown. Outcomes play no part.
    """
    result = np.full(scores.shape, np.nan, dtype=np.float32)
    _take_out(_block(scores), _block(remove), result)
    return result


def lags_for(horizon: int, days: int) -> int:
    """Return the Newey-West lags for daily figures on labels of ``horizon`` sessions.

    The overlap of the labels (``horizon``), or the usual rule 4 (n / 100)^(2/9) of Newey and West (1994)
    where that is longer: factors that labels share live longer than a day.
    """
    return max(horizon, int(4.0 * (max(days, 1) / 100.0) ** (2.0 / 9.0)))


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


def summary(
    daily: Float64Array, horizon: int, neutral: Float64Array | None = None, *, lags: int | None = None
) -> RankQuality:
    """Return the summary of daily ICs; days with NaN are left out.

    Parameters
    ----------
    daily : (n_days,) float64
        From ``daily_ic``.
    horizon : int
        Sessions of the label: what neighbouring outcomes share.
    neutral : (n_days,) float64, optional
        The same with the low-volatility ranks removed.
    lags : int, optional
        Of the error; ``lags_for`` if not given.

    Raises
    ------
    ModelError
        If ``lags`` do not cover the overlap of the labels: the error would be too small.
    """
    known = daily[np.isfinite(daily)]
    chosen = lags_for(horizon, len(known)) if lags is None else lags
    if chosen < horizon - 1:
        raise ModelError(
            Text(ko="뉴이-웨스트 시차가 라벨의 겹침보다 짧습니다", en="Newey-West lags are shorter than the overlap"),
            expected=f"lags >= {horizon - 1}",
            found=str(chosen),
            next_step=f"lags={horizon}",
        )
    if not len(known):
        return RankQuality(math.nan, math.nan, math.nan, math.nan, math.nan, 0, lags=chosen)
    left = np.zeros(0) if neutral is None else neutral[np.isfinite(neutral)]
    deviation = float(known.std())
    return RankQuality(
        mean=float(known.mean()),
        deviation=deviation,
        icir=_ratio(known),
        t=newey_west_t(known, chosen),
        positive_days=float((known > 0).mean()),
        days=len(known),
        neutral_mean=float(left.mean()) if len(left) else math.nan,
        neutral_icir=_ratio(left),
        neutral_t=newey_west_t(left, chosen),
        lags=chosen,
    )


def _ratio(values: Float64Array) -> float:
    deviation = float(values.std()) if len(values) else 0.0
    return float(values.mean()) / deviation if deviation > 0 else math.nan


def rank_quality(
    scores: FloatArray, outcomes: FloatArray, horizon: int, low_volatility: FloatArray | None = None
) -> RankQuality:
    """Return the summary of the daily rank IC of scores against forward returns of ``horizon`` sessions."""
    neutral = None if low_volatility is None else daily_ic(scores, outcomes, low_volatility)
    return summary(daily_ic(scores, outcomes), horizon, neutral)
