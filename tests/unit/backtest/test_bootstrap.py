"""The stationary bootstrap: blocks as they should be, intervals that cover, points that are the figures."""

import math

import numpy as np
import pytest

from haetae.backtest import compare, intervals, measure
from haetae.backtest.bootstrap import block_length, resampled_rows
from runs import run_of


def _autoregressive(n, phi, rng):
    noise = rng.normal(0, 1, n)
    series = np.zeros(n)
    for t in range(1, n):
        series[t] = phi * series[t - 1] + noise[t]
    return series


@pytest.mark.parametrize("phi", [0.3, 0.5, 0.8])
def test_the_block_length_is_near_the_known_best_of_an_autoregression(phi):
    # For AR(1) the optimum of Politis and White is (2 phi / (1 - phi^2))^(2/3) n^(1/3).
    n = 20_000
    found = [block_length(_autoregressive(n, phi, np.random.default_rng(seed))) for seed in range(9)]
    best = (2 * phi / (1 - phi**2)) ** (2 / 3) * n ** (1 / 3)
    assert np.median(found) == pytest.approx(best, rel=0.2)


def test_independent_returns_need_hardly_any_block_and_short_or_flat_ones_none():
    found = [block_length(np.random.default_rng(seed).normal(size=1250)) for seed in range(9)]
    assert np.median(found) < 6
    assert block_length(np.zeros(100)) == block_length(np.arange(5.0)) == block_length(np.zeros(0)) == 1.0


def test_a_block_is_never_longer_than_its_bound():
    trend = np.cumsum(np.ones(200)) + np.random.default_rng(1).normal(0, 0.1, 200)
    assert block_length(trend) <= math.ceil(min(3 * math.sqrt(200), 200 / 3))


@pytest.mark.parametrize("length", [1.0, 5.0, 40.0])
def test_rows_go_on_in_stretches_of_the_mean_length(length):
    rows = resampled_rows(500, length, 400, np.random.default_rng(2))
    assert rows.min() == 0 and rows.max() == 499
    # A fresh start lands on the following row by chance once in 500, too seldom to matter here.
    goes_on = (np.diff(rows, axis=1) % 500 == 1).mean()
    assert goes_on == pytest.approx(1 - 1 / length, abs=0.01)
    assert np.bincount(rows.ravel(), minlength=500).std() / 400 < 0.3


def test_the_same_generator_gives_the_same_intervals():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.0005, 0.01, (2, 300))
    one, other = (intervals(a, b, np.random.default_rng(9), replicates=300) for _ in range(2))
    assert one == other
    assert one != intervals(a, b, np.random.default_rng(10), replicates=300)


def test_the_points_are_the_figures_of_the_run():
    rng = np.random.default_rng(4)
    run, index = run_of(rng.normal(0.0006, 0.01, 300), "a"), run_of(rng.normal(0.0002, 0.008, 300), "b")
    found = intervals(run.daily_returns(), index.daily_returns(), np.random.default_rng(1), replicates=200, name="b")
    own = measure(run)
    assert found.sharpe.point == pytest.approx(own.sharpe)
    assert found.cagr.point == pytest.approx(own.cagr)
    assert found.max_drawdown.point == pytest.approx(own.max_drawdown)
    assert found.excess_cagr.point == pytest.approx(compare(run, index).excess_cagr)
    for interval in (found.sharpe, found.cagr, found.excess_cagr):
        assert interval.low < interval.point < interval.high
    assert found.benchmark == "b" and found.replicates == 200


@pytest.mark.parametrize("phi", [0.0, 0.25])
def test_the_interval_covers_the_true_ratio_about_as_often_as_it_says(phi):
    rng = np.random.default_rng(5)
    truth = 0.08 / math.sqrt(1 / (1 - phi**2)) * math.sqrt(252)
    covered = 0
    for _ in range(150):
        returns = 0.01 * (0.08 + _autoregressive(400, phi, rng))
        found = intervals(returns, np.zeros(400), rng, replicates=250)
        covered += found.sharpe.low <= truth <= found.sharpe.high
    assert 0.86 <= covered / 150 <= 0.99


def test_paths_are_drawn_together_so_a_constant_lead_is_certain():
    noise = np.random.default_rng(6).normal(0, 0.02, 300)
    found = intervals(noise + 0.001, noise, np.random.default_rng(7), replicates=300)
    assert found.ahead == 1.0 and found.excess_cagr.low > 0
    assert intervals(noise, noise, np.random.default_rng(7), replicates=100).ahead == 0.0


def test_the_start_is_a_peak_too():
    found = intervals(np.full(80, -0.01), np.zeros(80), np.random.default_rng(1), replicates=20)
    assert found.max_drawdown.low == found.max_drawdown.point == pytest.approx(0.99**80 - 1)


def test_a_short_sample_has_no_yearly_interval_and_a_flat_one_no_ratio():
    found = intervals(np.zeros(30), np.zeros(30), np.random.default_rng(8), replicates=50)
    assert math.isnan(found.cagr.low) and math.isnan(found.excess_cagr.high) and math.isnan(found.sharpe.point)
    assert found.max_drawdown == (0.0, 0.0, 0.0)


def test_sessions_must_be_the_same():
    with pytest.raises(ValueError, match="beside"):
        intervals(np.zeros(30), np.zeros(29), np.random.default_rng(0))
