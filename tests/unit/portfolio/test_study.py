"""The other library answers the same requests alike, and judges its estimators on what they have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from haetae.domain.errors import DataError
from haetae.portfolio import Limits, Method, Optimiser, Outcome, allocate, study
from haetae.portfolio.methods import hierarchical, risk_parity
from unit.portfolio.requests import codes, covariance, request, returns

OPTIMISER = Optimiser()
NAMES = codes(12)
CASES: dict[str, dict[str, Any]] = {
    "free": {"buy_cost": {}, "sell_cost": {}},
    "from_cash": {},
    "held": {"held": {NAMES[0]: 0.2, NAMES[5]: 0.3}},
    "everything": {
        "held": {NAMES[0]: 0.2, NAMES[5]: 0.3, NAMES[7]: 0.1},
        "limits": Limits(max_weight=0.15, turnover_cap=0.9),
        "sector_caps": {"a": 0.3, "b": 0.4, "c": 0.35},
        "tradable": frozenset(NAMES) - {NAMES[7]},
    },
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", [Method.MINIMUM_VARIANCE, Method.SCORE_COST], ids=lambda m: m.value)
def test_convex_methods_agree_with_the_other_library(method: Method, case: str) -> None:
    asked = request(**CASES[case])
    ours = allocate(method, asked, OPTIMISER)
    assert ours.outcome is Outcome.SOLVED
    assert ours.turnover > 0.1
    np.testing.assert_allclose(ours.weights, study.second_opinion(method, asked), atol=1e-4)


@pytest.mark.parametrize(
    "method", [m for m in Method if not m.needs_solver and m is not Method.RISK_PARITY], ids=lambda m: m.value
)
@pytest.mark.parametrize("n", [2, 3, 12, 25])
def test_shapes_equal_those_of_the_other_library(method: Method, n: int) -> None:
    asked = request(n, limits=Limits(max_weight=1.0, turnover_cap=2.0, band=0.0), sectors={})
    ours = allocate(method, asked, OPTIMISER).weights
    np.testing.assert_allclose(ours, study.second_opinion(method, asked), atol=1e-12)


def test_risk_parity_agrees_and_every_contribution_is_the_same() -> None:
    asked = request(25, limits=Limits(max_weight=1.0, turnover_cap=2.0, band=0.0), sectors={})
    ours = allocate(Method.RISK_PARITY, asked, OPTIMISER).weights
    np.testing.assert_allclose(ours, study.second_opinion(Method.RISK_PARITY, asked), atol=1e-4)
    np.testing.assert_allclose(risk_parity.contributions(ours, asked.covariance), 1 / 25, atol=1e-9)


@pytest.mark.parametrize("linkage", ["ward", "single", "average", "complete"])
def test_hierarchical_weights_equal_the_other_librarys_for_each_linkage(linkage: hierarchical.Linkage) -> None:
    matrix = covariance(17)
    model = study.estimator(study.Study.HIERARCHICAL, linkage=linkage)
    other = model.fit(study.returns_of_moments(np.zeros(17), matrix)).weights_
    np.testing.assert_allclose(hierarchical.shape(matrix, linkage), other, atol=1e-12)


def test_returns_made_of_moments_have_exactly_them() -> None:
    matrix, mean = covariance(9), np.linspace(-0.01, 0.02, 9)
    made = study.returns_of_moments(mean, matrix)
    np.testing.assert_allclose(made.mean(axis=0), mean, atol=1e-15)
    np.testing.assert_allclose(np.cov(made, rowvar=False), matrix, atol=1e-15)


def test_walk_forward_trades_only_rows_after_its_training() -> None:
    seen = returns(6, 500)
    model = study.estimator(study.Study.MINIMUM_CVAR, Limits(max_weight=0.4, cash_floor=0.0))
    path = study.walk_forward(model, seen, train_sessions=200, test_sessions=50, purged_sessions=5)
    assert path.rows[0] == 205
    assert np.all(np.diff(path.rows) == 1)
    assert path.weights.shape == (5, 6)
    assert path.weights.max() <= 0.4 + 1e-6
    np.testing.assert_allclose(path.returns[:50], seen[205:255] @ path.weights[0])
    later = seen.copy()
    later[255:] *= -3.0
    again = study.walk_forward(model, later, train_sessions=200, test_sessions=50, purged_sessions=5)
    np.testing.assert_array_equal(path.weights[0], again.weights[0])
    assert not np.allclose(path.weights[2], again.weights[2])


def test_combinatorial_paths_cover_every_row_once_each() -> None:
    seen = returns(6, 300)
    model = study.estimator(study.Study.HIERARCHICAL)
    paths = study.purged_paths(model, seen, folds=6, test_folds=2, purged_sessions=5, embargo_sessions=5)
    assert len(paths) == 5  # C(6, 2) * 2 / 6
    assert all(path.returns.shape == (300,) and np.isfinite(path.returns).all() for path in paths)
    assert len({path.returns.tobytes() for path in paths}) == 5


def test_least_shortfall_has_a_smaller_shortfall_than_least_variance() -> None:
    seen = returns(6, 400) * np.where(np.arange(400)[:, None] % 40 == 0, 6.0, 1.0) ** (np.arange(6) % 2)

    def shortfall(which: study.Study) -> float:
        worst = np.sort(seen @ study.estimator(which).fit(seen).weights_)[:20]
        return float(-worst.mean())

    assert shortfall(study.Study.MINIMUM_CVAR) < shortfall(study.Study.MINIMUM_VARIANCE)


def test_gaps_in_the_returns_are_refused_with_their_place() -> None:
    seen = returns(4, 100)
    seen[7, 2] = np.nan
    with pytest.raises(DataError) as refused:
        study.walk_forward(study.estimator(study.Study.EQUAL_WEIGHT), seen, train_sessions=50, test_sessions=10)
    assert refused.value.found == "row and column [7, 2]"
