"""Risk parity: every name contributes the same share of the portfolio's variance.

The weights are those of ``min x'Cx / 2 - sum(log x) / n``, whose gradient says ``x_i (Cx)_i = 1/n``
(Maillard, Roncalli and Teiletche 2010); scaled to sum one. Solved by damped Newton steps, which
converge from any start because the logarithm is self-concordant (Spinu 2013).
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import FloatArray

_STEPS = 100
_NEAR = 0.3819660112501051
"""Newton decrement ``(3 - sqrt 5) / 2`` below which full steps converge quadratically (Nesterov)."""
_TOLERANCE = 1e-12


def shape(covariance: FloatArray) -> FloatArray:
    """Return proportions of equal risk contribution.

    The covariance must be positive definite; ``covariance.estimate`` makes it so. Scale does not matter.
    """
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    n = len(covariance)
    budget = 1.0 / n
    x = np.full(n, 1.0) / np.sqrt(correlation.sum())
    for _ in range(_STEPS):
        gradient = correlation @ x - budget / x
        hessian = correlation + np.diag(budget / x**2)
        step = np.linalg.solve(hessian, gradient)
        # The barrier weighs 1/n, so the decrement of the self-concordant function is sqrt(n) times this one's.
        decrement = np.sqrt(max(float(gradient @ step), 0.0) * n)
        if decrement < _TOLERANCE:
            break
        x = x - (step if decrement < _NEAR else step / (1.0 + decrement))
    weights = x / deviation
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def contributions(weights: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return each name's share of the portfolio's variance; sums to one, zeros for an empty portfolio."""
    parts = weights * (covariance @ weights)
    total = parts.sum()
    return np.asarray(parts / total if total > 0.0 else np.zeros_like(parts), dtype=np.float64)
