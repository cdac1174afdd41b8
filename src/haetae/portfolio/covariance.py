"""Covariance of daily returns as known at the end of the last row, and what is done where it is not.

Rules, by name:

- **untraded**: a session without trade gives no return (NaN), the next one spans the gap;
- **filled**: a missing return of a name with a full history counts as the mean of the names that
  have one that day, and the name's variance is then set to that of its own returns;
- **borrowed**: a name with a shorter history takes the larger of its own variance and the third quartile
  of the others', and the mean correlation of the others to everybody: young names are not called calm;
- **unknown**: without two names of full history (or one, if there is but one) there is no covariance at
  all: None, and the caller falls back.

Not here: what is made of risk (``methods``, ``optimiser``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel
from haetae.domain.units import Instant
from haetae.portfolio.request import FloatArray
from haetae.portfolio.settings import CovarianceSettings, Estimator

_RIDGE = 1e-6
"""Added to the diagonal as a share of its mean, so that every estimate can be factored."""
_CALMEST = 1e-3
"""A name that never moved counts with a thousandth of the median variance, not with none."""


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """Of daily returns, ``(n, n)`` float64, positive definite.

    ``borrowed`` marks names whose risk was taken from the others; ``known_at`` is the end of the last
    session used.
    """

    matrix: FloatArray
    borrowed: BoolArray
    sessions: int
    known_at: Instant

    def scaled(self, sessions: int) -> FloatArray:
        """Return the covariance over a horizon; returns of different days are taken as uncorrelated."""
        return self.matrix * float(sessions)


def daily_returns(panel: Panel, look_back: int) -> FloatArray:
    """Return simple returns of the last sessions, ``(<= look_back, n)``; NaN by the rule **untraded**."""
    closes = panel.close[-look_back - 1 :].astype(np.float64)
    traded = panel.traded[-look_back - 1 :]
    if len(closes) < 2:
        return np.zeros((0, len(panel.symbols)))
    before = np.where(closes[:-1] > 0, closes[:-1], np.nan)
    return np.where(traded[1:] & (closes[1:] > 0), closes[1:] / before - 1.0, np.nan)


def _filled(returns: FloatArray) -> FloatArray:
    known = np.isfinite(returns)
    count = known.sum(axis=1, keepdims=True)
    market = np.where(known, returns, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.where(known, returns, market)


def _exponential(returns: FloatArray, half_life: float) -> FloatArray:
    age = np.arange(len(returns))[::-1]
    weights = 0.5 ** (age / half_life)
    weights = weights / weights.sum()
    centred = returns - weights @ returns
    return np.asarray((centred * weights[:, None]).T @ centred, dtype=np.float64)


def _ledoit_wolf(returns: FloatArray) -> FloatArray:
    from sklearn.covariance import ledoit_wolf  # a second to import, and only here

    return np.asarray(ledoit_wolf(returns)[0], dtype=np.float64)


def _own_variance(returns: FloatArray) -> FloatArray:
    known = np.isfinite(returns)
    count = known.sum(axis=0)
    mean = np.where(known, returns, 0.0).sum(axis=0) / np.maximum(count, 1)
    squares = np.where(known, (returns - mean) ** 2, 0.0).sum(axis=0)
    return np.where(count > 1, squares / np.maximum(count - 1, 1), 0.0)


def _with_borrowed(known: FloatArray, full: BoolArray, own: FloatArray) -> FloatArray:
    n = len(full)
    deviation = np.sqrt(np.diag(known))
    correlation = known / np.outer(deviation, deviation)
    m = len(known)
    mean = float((correlation.sum() - m) / (m * (m - 1))) if m > 1 else 0.0
    whole = np.full((n, n), np.clip(mean, 0.0, 0.99))
    whole[np.ix_(full, full)] = correlation
    np.fill_diagonal(whole, 1.0)
    spread = np.zeros(n)
    spread[full] = deviation
    spread[~full] = np.sqrt(np.maximum(own[~full], np.quantile(deviation**2, 0.75)))
    return whole * np.outer(spread, spread)


def _definite(matrix: FloatArray) -> FloatArray:
    # Borrowed correlations need not fit the estimated ones; negative eigenvalues are cut to the ridge.
    matrix = (matrix + matrix.T) / 2.0
    least = _RIDGE * float(np.mean(np.diag(matrix)))
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= least:
        return matrix
    mended = (vectors * np.maximum(values, least)) @ vectors.T
    return np.asarray((mended + mended.T) / 2.0, dtype=np.float64)


def estimate(
    returns: FloatArray, settings: CovarianceSettings | None = None, *, known_at: Instant = 0
) -> Covariance | None:
    """Return the covariance of daily returns, or None by the rule **unknown**.

    Parameters
    ----------
    returns : (n_sessions, n) float64
        Newest last, NaN where there is none; rows before the look-back are left out. An infinite
        return counts as missing.
    known_at : instant
        End of the last session of ``returns``.
    """
    rules = settings or CovarianceSettings()
    seen = np.where(np.isfinite(returns), returns, np.nan)[-rules.look_back_sessions :]
    n = seen.shape[1]
    full = np.isfinite(seen).sum(axis=0) >= rules.full_history_sessions
    if n == 0 or full.sum() < min(2, n):
        return None
    own = _own_variance(seen)
    own[full] = np.maximum(own[full], _CALMEST * np.median(own[full]))
    if not (own[full] > 0.0).all():
        return None
    filled = _filled(seen[:, full])
    if rules.estimator is Estimator.LEDOIT_WOLF:
        known = _ledoit_wolf(filled)
    else:
        known = _exponential(filled, rules.half_life_sessions)
    missing = np.isnan(seen[:, full]).any(axis=0)
    deviation = np.sqrt(np.maximum(np.diag(known), _CALMEST * np.median(np.diag(known))))
    np.fill_diagonal(known, deviation**2)
    ratio = np.where(missing, np.sqrt(own[full]) / deviation, 1.0)
    known = known * np.outer(ratio, ratio)
    return Covariance(_definite(_with_borrowed(known, full, own)), ~full, len(seen), known_at)


def of_panel(panel: Panel, settings: CovarianceSettings | None = None) -> Covariance | None:
    """Return the covariance of a panel of closed sessions, columns as its symbols; see ``estimate``."""
    rules = settings or CovarianceSettings()
    known_at = int(panel.end[-1]) if len(panel) else 0
    return estimate(daily_returns(panel, rules.look_back_sessions), rules, known_at=known_at)
