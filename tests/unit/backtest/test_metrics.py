import math

import numpy as np
import pytest

from haetae.backtest import compare, index_result, measure
from haetae.backtest.metrics import monthly_returns
from runs import DAYS, run_of


def test_figures_of_a_path_computed_by_hand():
    measured = measure(run_of([0.10, -0.20, 0.05]))
    assert measured.sessions == 4
    assert measured.total_return == pytest.approx(1.1 * 0.8 * 1.05 - 1)
    assert measured.max_drawdown == pytest.approx(-0.20)
    assert measured.drawdown_sessions == 2
    assert measured.hit_rate == pytest.approx(2 / 3)
    assert (measured.best_day, measured.worst_day) == (pytest.approx(0.10), pytest.approx(-0.20))
    assert math.isnan(measured.cagr)
    assert measure(run_of([0.10, -0.20, 0.05, *[0.0] * 60])).cagr == pytest.approx((1.1 * 0.8 * 1.05) ** (252 / 64) - 1)


def test_a_flat_run_has_no_ratios_and_says_so_with_null():
    plain = measure(run_of(np.zeros(20))).as_json()
    assert plain["sharpe"] is None and plain["total_return"] == 0.0 and plain["hit_rate"] is None


def test_a_run_beside_itself_has_no_excess_and_beta_one():
    run = run_of(np.random.default_rng(3).normal(0, 0.01, 100))
    same = compare(run, run)
    assert same.excess_return == 0 and same.beta == pytest.approx(1.0) and math.isnan(same.t_excess)


def test_comparison_uses_the_sessions_both_have():
    returns = np.full(50, 0.001)
    longer, shorter = run_of(returns), run_of(returns[:20])
    assert compare(longer, shorter).excess_return == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError):
        compare(longer, index_result("later", DAYS[200:203], np.ones(3), 100))


def test_months_compound_to_the_whole():
    run = run_of(np.random.default_rng(4).normal(0, 0.01, 300))
    table = monthly_returns(run)
    product = np.prod([1 + v for row in table.values() for v in row.values()])
    assert product == pytest.approx(run.equity[-1] / run.initial_cash)
