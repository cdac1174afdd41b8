"""Closing formulas over sums: little variance is still variance, what rounding leaves of none is not."""

from __future__ import annotations

import numpy as np
import pytest

from haetae.features import moments


def _sums(x: np.ndarray, y: np.ndarray) -> tuple[float, ...]:
    return x.sum(), (x * x).sum(), y.sum(), (y * y).sum(), (x * y).sum(), float(len(x))


def test_a_small_variation_about_a_large_level_is_correlated() -> None:
    rng = np.random.default_rng(1)
    x, y = 1.0 + 1e-4 * rng.normal(size=20), rng.normal(size=20)
    assert moments.correlation(*_sums(x, y)) == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-6)


def test_what_rounding_leaves_of_a_constant_is_no_variation() -> None:
    x, y = np.full(20, 0.1), np.random.default_rng(2).normal(size=20)
    total, squares = 0.0, 0.0
    for value in x:
        total, squares = total + value, squares + value * value
    _, _, *others = _sums(x, y)
    assert 20 * squares != total * total
    assert np.isnan(moments.correlation(total, squares, *others))
    assert np.isnan(moments.correlation(*_sums(y, np.zeros(20))))


def test_a_line_is_a_line() -> None:
    ages = np.arange(10.0)
    values = 3.0 * (9.0 - ages) - 27.0
    total, squares, by_age = values.sum(), (values * values).sum(), (ages * values).sum()
    assert moments.slope(total, by_age, 10.0) == pytest.approx(3.0)
    assert moments.residual(total, by_age, 10.0) == pytest.approx(0.0, abs=1e-12)
    assert moments.rsquare(total, squares, by_age, 10.0) == pytest.approx(1.0)
    assert moments.deviation(total, squares, 10.0) == pytest.approx(values.std(ddof=1))
    assert np.isnan(moments.rsquare(0.0, 0.0, 0.0, 10.0))
