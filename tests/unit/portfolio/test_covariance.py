"""Covariances are positive definite for any holes, follow the named rules, and know nothing of later days."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.panel import Panel
from haetae.portfolio import CovarianceSettings, Estimator
from haetae.portfolio.covariance import daily_returns, estimate, of_panel
from unit.portfolio.requests import codes, returns

BOTH = pytest.mark.parametrize("estimator", list(Estimator), ids=lambda e: e.value)


def panel(close: np.ndarray, traded: np.ndarray | None = None) -> Panel:
    rows, n = close.shape
    stamps = np.arange(rows, dtype=np.int64)
    seen = np.ones(close.shape, np.bool_) if traded is None else traded
    days = (20260101 + stamps).astype(np.int32)
    volume = np.full_like(close, 5)
    return Panel(codes(n), days, stamps, stamps + 1, *(close.copy() for _ in range(4)), volume, seen)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 12), sessions=st.integers(0, 200), seed=st.integers(0, 9), holes=st.floats(0.0, 0.9),
    estimator=st.sampled_from(Estimator), quiet=st.booleans(),
)  # fmt: skip
def test_every_estimate_can_be_factored(
    n: int, sessions: int, seed: int, holes: float, estimator: Estimator, quiet: bool
) -> None:
    seen = returns(n, sessions, seed)
    rng = np.random.default_rng(seed)
    seen[rng.random(seen.shape) < holes] = np.nan
    if quiet:
        seen[:, 0] = 0.0
    known = estimate(seen, CovarianceSettings(estimator=estimator))
    full = np.isfinite(seen).sum(axis=0) >= 60
    if known is None:
        assert full.sum() < min(2, n) or not np.nanstd(seen[:, full], axis=0).max(initial=0.0) > 0.0 or full.sum() == 2
        return
    np.linalg.cholesky(known.matrix)
    assert np.array_equal(known.matrix, known.matrix.T)
    assert np.array_equal(known.borrowed, ~full)
    assert np.all(np.diag(known.matrix) > 0.0)


@BOTH
def test_long_histories_find_the_true_covariance(estimator: Estimator) -> None:
    rng = np.random.default_rng(1)
    true = np.array([[4e-4, 1e-4], [1e-4, 1e-4]])
    seen = rng.multivariate_normal([0, 0], true, 20_000)
    rules = CovarianceSettings(estimator=estimator, look_back_sessions=20_000, half_life_sessions=10_000)
    known = estimate(seen, rules)
    assert known is not None
    np.testing.assert_allclose(known.matrix, true, rtol=0.1)


def test_ledoit_wolf_is_the_librarys_own() -> None:
    from sklearn.covariance import LedoitWolf

    seen = returns(8, 300)
    known = estimate(seen)
    assert known is not None
    np.testing.assert_allclose(known.matrix, LedoitWolf().fit(seen).covariance_, rtol=1e-9)


def test_exponential_weights_follow_the_recent_half_life() -> None:
    rng = np.random.default_rng(2)
    seen = np.vstack([rng.normal(0, 0.01, (500, 2)), rng.normal(0, 0.03, (200, 2))])
    sharp = CovarianceSettings(estimator=Estimator.EXPONENTIAL, half_life_sessions=30)
    known, plain = estimate(seen, sharp), estimate(seen)
    assert known is not None
    assert plain is not None
    assert np.sqrt(known.matrix[0, 0]) == pytest.approx(0.03, rel=0.15)
    assert np.sqrt(plain.matrix[0, 0]) < 0.02


@BOTH
def test_a_young_name_borrows_risk_and_is_not_called_calm(estimator: Estimator) -> None:
    seen = returns(9, 300)
    seen[:-20, 4] = np.nan
    seen[-20:, 4] *= 0.01
    known = estimate(seen, CovarianceSettings(estimator=estimator))
    assert known is not None
    assert known.borrowed.tolist() == [k == 4 for k in range(9)]
    others = np.delete(np.diag(known.matrix), 4)
    assert known.matrix[4, 4] == pytest.approx(np.quantile(others, 0.75), rel=1e-6)
    correlation = known.matrix / np.sqrt(np.outer(np.diag(known.matrix), np.diag(known.matrix)))
    block = np.delete(np.delete(correlation, 4, 0), 4, 1)
    mean = (block.sum() - 8) / 56
    np.testing.assert_allclose(np.delete(correlation[4], 4), mean, rtol=1e-6)


def test_missing_days_do_not_make_a_name_calmer() -> None:
    seen = returns(6, 600)
    whole = estimate(seen)
    holes = seen.copy()
    holes[::2, 1] = np.nan
    known = estimate(holes)
    assert whole is not None
    assert known is not None
    assert known.matrix[1, 1] == pytest.approx(np.nanvar(holes[:, 1], ddof=1), rel=1e-6)


def test_without_enough_history_there_is_no_covariance() -> None:
    assert estimate(returns(5, 59)) is None
    assert estimate(np.zeros((0, 5))) is None
    assert estimate(np.zeros((100, 0))) is None
    assert estimate(np.zeros((100, 3))) is None
    one = estimate(returns(1, 60))
    assert one is not None


def test_returns_skip_untraded_sessions_and_span_the_gap() -> None:
    close = np.array([[0, 100], [1_000, 110], [1_100, 110], [1_100, 121]], dtype=np.int64)
    traded = np.array([[False, True], [True, True], [True, False], [False, True]])
    found = daily_returns(panel(close, traded), 10)
    np.testing.assert_allclose(found, [[np.nan, 0.1], [0.1, np.nan], [np.nan, 0.1]])
    assert daily_returns(panel(close[:1], traded[:1]), 10).shape == (0, 2)


def test_an_estimate_tells_when_it_was_known_and_never_looks_further() -> None:
    close = (np.exp(np.cumsum(returns(5, 200), axis=0)) * 50_000).astype(np.int64)
    whole = panel(close)
    part = of_panel(whole.rows(0, 150))
    again = close.copy()
    again[150:] = 1
    other = of_panel(panel(again).rows(0, 150))
    assert part is not None
    assert other is not None
    assert np.array_equal(part.matrix, other.matrix)
    assert (part.known_at, part.sessions) == (150, 149)
