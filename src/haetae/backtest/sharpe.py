"""What a Sharpe ratio is worth: its error, the chance that it is luck, how long a record must be.

Daily ratios in and out unless a name says annual; a year has 252 sessions, the risk-free rate is 0.
Sources: Mertens (2002), "Comments on variance of the IID estimator in Lo (2002)", for the error under
skew and fat tails; Bailey and Lopez de Prado (2012), "The Sharpe ratio efficient frontier", for the
probabilistic ratio and the minimum track record; the same (2014), "The deflated Sharpe ratio", for
the best of many trials. Not here: which trials there were (``trials``).
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SESSIONS_PER_YEAR = 252
_EULER = 0.5772156649015329
_FLAT = 1e-15
"""A standard deviation below this is rounding noise: the returns do not vary."""


class Moments(NamedTuple):
    """Daily Sharpe ratio, skewness and kurtosis (3 for a normal) of a series; NaN where it does not vary."""

    ratio: float
    skew: float
    kurtosis: float

    @property
    def spread(self) -> float:
        """Standard error of the daily ratio times the root of (sessions - 1)."""
        return math.sqrt(max(1.0 - self.skew * self.ratio + (self.kurtosis - 1.0) / 4.0 * self.ratio**2, 1e-12))


def moments(returns: NDArray[np.float64]) -> Moments:
    """Return what the error of a Sharpe ratio depends on; all NaN below three sessions or without variance."""
    spread = float(returns.std(ddof=1)) if len(returns) > 2 else 0.0
    if spread <= _FLAT:
        return Moments(math.nan, math.nan, math.nan)
    centred = returns - returns.mean()
    scale = float(centred.std())
    return Moments(
        float(returns.mean()) / spread,
        float((centred**3).mean()) / scale**3,
        float((centred**4).mean()) / scale**4,
    )


def sharpe_with_error(returns: NDArray[np.float64]) -> tuple[float, float]:
    """Return the annual Sharpe ratio and its standard error (Mertens); NaN without variance."""
    found = moments(returns)
    if math.isnan(found.ratio):
        return math.nan, math.nan
    year = math.sqrt(SESSIONS_PER_YEAR)
    return found.ratio * year, found.spread / math.sqrt(len(returns) - 1) * year


def probabilistic_sharpe(returns: NDArray[np.float64], hurdle: float = 0.0) -> float:
    """Return the probability that the true daily ratio beats a daily hurdle; NaN without variance."""
    found = moments(returns)
    if math.isnan(found.ratio):
        return math.nan
    return NormalDist().cdf((found.ratio - hurdle) * math.sqrt(len(returns) - 1) / found.spread)


def expected_best(trials: float, spread: float) -> float:
    """Return the daily ratio that the best of so many skill-less trials is expected to show.

    Parameters
    ----------
    trials : float
        Independent trials; at 1 or fewer there is no choice and the answer is 0.
    spread : float
        Standard deviation of the daily ratios among the trials.
    """
    if trials <= 1:
        return 0.0
    normal = NormalDist()
    first, second = normal.inv_cdf(1 - 1 / trials), normal.inv_cdf(1 - 1 / (trials * math.e))
    return spread * ((1 - _EULER) * first + _EULER * second)


def deflated_sharpe(returns: NDArray[np.float64], trials: float, trial_sharpe_sd: float) -> float:
    """Return the probability that the true Sharpe ratio beats what the best of so many lucky trials shows.

    Parameters
    ----------
    returns : (n_sessions,) float64
        Daily returns of the chosen run.
    trials : float
        How many configurations were tried, at least 1; 1 gives the probability of a positive ratio.
    trial_sharpe_sd : float
        Standard deviation of the daily (not annual) Sharpe ratios among the trials.
    """
    return probabilistic_sharpe(returns, expected_best(trials, trial_sharpe_sd))


def minimum_track_record(returns: NDArray[np.float64], hurdle: float = 0.0, confidence: float = 0.95) -> float:
    """Return how many sessions of such returns it takes to be so sure that the ratio beats a daily hurdle.

    Infinite where the observed ratio does not beat the hurdle: no record of this kind is long enough.
    NaN without variance.
    """
    found = moments(returns)
    if math.isnan(found.ratio):
        return math.nan
    if found.ratio <= hurdle:
        return math.inf
    return 1.0 + (found.spread * NormalDist().inv_cdf(confidence) / (found.ratio - hurdle)) ** 2
