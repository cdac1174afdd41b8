"""Each shape has the property it is named after; expected returns follow the order of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.portfolio.allocating import SHAPES
from haetae.portfolio.methods import hierarchical, inverse_volatility, risk_parity
from haetae.portfolio.methods.score_cost import expected
from unit.portfolio.requests import covariance


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 20), scale=st.sampled_from([1e-8, 1.0, 1e4]))
def test_every_shape_is_positive_sums_to_one_and_does_not_know_the_scale(n: int, seed: int, scale: float) -> None:
    matrix = covariance(n, seed)
    for shape in SHAPES.values():
        weights = shape(matrix)
        assert np.all(weights > 0.0)
        assert weights.sum() == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(shape(matrix * scale), weights, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 40), seed=st.integers(0, 20), power=st.floats(0.0, 3.0))
def test_risk_parity_contributions_are_equal_for_very_unlike_names(n: int, seed: int, power: float) -> None:
    size = 10.0 ** (power * np.linspace(-1, 1, n))
    matrix = covariance(n, seed) * np.outer(size, size)
    shares = risk_parity.contributions(risk_parity.shape(matrix), matrix)
    np.testing.assert_allclose(shares, 1.0 / n, atol=1e-9)


def test_risk_parity_without_correlation_is_inverse_volatility() -> None:
    matrix = np.diag([1e-4, 4e-4, 2.5e-3])
    np.testing.assert_allclose(risk_parity.shape(matrix), inverse_volatility.shape(matrix), rtol=1e-9)


def test_risk_parity_holds_for_names_that_move_against_each_other() -> None:
    matrix = np.array([[1.0, -0.99, 0.3], [-0.99, 1.0, -0.3], [0.3, -0.3, 1.0]])
    np.testing.assert_allclose(risk_parity.contributions(risk_parity.shape(matrix), matrix), 1 / 3, atol=1e-9)


def test_a_name_that_hardly_moves_does_not_take_the_book() -> None:
    matrix = np.diag([1e-4, 1e-4, 1e-4, 1e-12])
    np.testing.assert_allclose(inverse_volatility.shape(matrix), np.array([1, 1, 1, 4]) / 7)


def test_hierarchical_puts_twins_side_by_side_and_shares_between_the_pairs() -> None:
    correlation = np.array([[1, 0.1, 0.9, 0.1], [0.1, 1, 0.1, 0.9], [0.9, 0.1, 1, 0.1], [0.1, 0.9, 0.1, 1]])
    order = hierarchical.leaves(correlation * 1e-4)
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}
    np.testing.assert_allclose(hierarchical.shape(correlation * 1e-4), 0.25)


def test_expected_returns_follow_scores_by_rank_and_volatility() -> None:
    scores = np.array([3.0, np.nan, 100.0, -7.0])
    deviation = np.array([0.02, 0.02, 0.04, 0.02])
    found = expected(scores, deviation, 0.05)
    assert np.isnan(found[1])
    assert found[0] == pytest.approx(0.0, abs=1e-15)
    assert found[2] == pytest.approx(-2.0 * found[3])
    assert found[2] == pytest.approx(0.05 * 0.04 * 0.967421566)  # normal quantile of 5/6
    assert not expected(scores, deviation, 0.0)[[0, 2, 3]].any()
    np.testing.assert_array_equal(expected(np.exp(scores / 50), deviation, 0.05), found)
    assert np.isnan(expected(np.full(3, np.nan), np.ones(3), 0.05)).all()
