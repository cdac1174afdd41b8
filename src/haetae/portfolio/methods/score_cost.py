"""Score less cost: expected return, less risk, less what the trades cost; cash is always an answer.

``expected`` turns rank scores into returns (Grinold 1994: alpha is volatility times skill times
score). A name without a score is never bought and is kept or sold by its risk and cost alone.
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import FloatArray, Request


def reward(request: Request) -> FloatArray:
    """Return what a unit of weight of each name is worth, ``(n,)``: its expected return, 0 without opinion."""
    return np.where(np.isfinite(request.expected), request.expected, 0.0)


def expected(scores: FloatArray, deviation: FloatArray, information_coefficient: float) -> FloatArray:
    """Return expected returns over a horizon from scores of any scale.

    Parameters
    ----------
    scores : (n,) float64
        Higher is better; only their order counts. NaN is no opinion and stays NaN.
    deviation : (n,) float64
        Standard deviation of each return over the same horizon.
    information_coefficient : float
        Correlation of scores with returns; 0 means no skill and expects nothing.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    known = np.isfinite(scores)
    normal = np.full(len(scores), np.nan)
    count = int(known.sum())
    if count:
        normal[known] = ndtri((rankdata(scores[known]) - 0.5) / count)
    return np.asarray(information_coefficient * deviation * normal, dtype=np.float64)
