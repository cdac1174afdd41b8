"""Inverse volatility: less of what moves more, correlations left out."""

from __future__ import annotations

import numpy as np

from haetae.portfolio.request import FloatArray

_FLOOR = 0.25
"""A name that hardly moved counts as a quarter of the median volatility: it must not take the book."""


def shape(covariance: FloatArray) -> FloatArray:
    """Return proportions inverse to the standard deviations, which are floored at a quarter of their median."""
    deviation = np.sqrt(np.diag(covariance))
    inverse = 1.0 / np.maximum(deviation, _FLOOR * np.median(deviation))
    return np.asarray(inverse / inverse.sum(), dtype=np.float64)
