"""Equal weight: the same of every name; nothing is estimated, so nothing is estimated wrongly.

DeMiguel, Garlappi and Uppal (2009): hard to beat out of sample.
"""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import FloatArray


def shape(covariance: FloatArray) -> FloatArray:
    """Return equal proportions, one per row of the covariance."""
    n = len(covariance)
    return np.full(n, 1.0 / n)
