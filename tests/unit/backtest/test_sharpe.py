"""Errors of Sharpe ratios, deflation and the length a record needs."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.backtest import deflated_sharpe, minimum_track_record, probabilistic_sharpe
from haetae.backtest.sharpe import expected_best, moments, sharpe_with_error


def test_the_error_of_the_sharpe_ratio_covers_the_truth_about_as_often_as_it_should():
    rng = np.random.default_rng(11)
    truth = 0.05 * math.sqrt(252)
    inside = 0
    for _ in range(400):
        ratio, error = sharpe_with_error(0.05 * 0.01 + 0.01 * rng.standard_t(6, 250) / math.sqrt(1.5))
        inside += abs(ratio - truth) < 1.96 * error
    assert 0.92 <= inside / 400 <= 0.98


def test_moments_are_those_of_scipy():
    from scipy import stats

    returns = np.random.default_rng(1).standard_t(5, 400) * 0.01
    found = moments(returns)
    assert found.skew == pytest.approx(stats.skew(returns))
    assert found.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))


def test_for_normal_returns_the_error_is_that_of_lo():
    ratio, skew, kurtosis = 0.1, 0.0, 3.0
    found = moments(np.random.default_rng(0).normal(0.001, 0.01, 300))._replace(
        ratio=ratio, skew=skew, kurtosis=kurtosis
    )
    assert found.spread**2 == pytest.approx(1 + ratio**2 / 2)


def test_the_example_of_the_paper_on_deflated_ratios():
    # Bailey and Lopez de Prado (2014), numerical example: annual ratio 2.5 over five years of 250
    # sessions, skew -3, kurtosis 10, 100 trials whose annual ratios have variance 1/2: about 0.9.
    daily, sessions = 2.5 / math.sqrt(250), 1250
    hurdle = expected_best(100, math.sqrt(0.5 / 250))
    assert hurdle == pytest.approx(0.1132, abs=2e-4)
    spread = moments(np.arange(5.0))._replace(ratio=daily, skew=-3.0, kurtosis=10.0).spread
    assert NormalDist().cdf((daily - hurdle) * math.sqrt(sessions - 1) / spread) == pytest.approx(0.9004, abs=5e-4)


def test_the_best_of_many_skill_less_trials_is_about_what_is_expected_of_it():
    rng = np.random.default_rng(3)
    best = rng.normal(0, 0.07, (4_000, 50)).max(axis=1).mean()
    assert expected_best(50, 0.07) == pytest.approx(best, rel=0.02)


def test_one_trial_is_no_choice():
    assert expected_best(1, 0.3) == 0.0
    returns = np.random.default_rng(4).normal(0.0005, 0.01, 200)
    assert deflated_sharpe(returns, 1, 0.3) == probabilistic_sharpe(returns)


@given(st.integers(2, 5_000), st.integers(1, 5_000), st.floats(1e-4, 0.2))
def test_more_trials_and_a_wider_spread_only_ever_lower_it(trials, more, spread):
    returns = np.random.default_rng(5).normal(0.001, 0.01, 250)
    some = deflated_sharpe(returns, trials, spread)
    assert deflated_sharpe(returns, trials + more, spread) <= some
    assert deflated_sharpe(returns, trials, spread * 1.5) <= some


def test_deflated_sharpe_of_luck_is_about_a_half():
    rng = np.random.default_rng(2)
    found = []
    for _ in range(150):
        trials = rng.normal(0, 0.01, (40, 250))
        ratios = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
        found.append(deflated_sharpe(trials[ratios.argmax()], 40, float(ratios.std(ddof=1))))
    assert 0.35 < np.mean(found) < 0.65


def test_a_record_of_the_minimum_length_is_just_sure_enough():
    returns = np.random.default_rng(6).standard_t(5, 500) * 0.01 + 0.0004
    needed = minimum_track_record(returns, 0.01)
    found = moments(returns)
    at = NormalDist().cdf((found.ratio - 0.01) * math.sqrt(needed - 1) / found.spread)
    assert at == pytest.approx(0.95)
    assert (needed > 500) == (probabilistic_sharpe(returns, 0.01) < 0.95)


def test_the_probability_is_that_of_the_ratio_in_its_own_errors():
    returns = np.random.default_rng(8).standard_t(4, 30) * 0.01 + 0.002
    ratio, error = sharpe_with_error(returns)
    assert probabilistic_sharpe(returns) == pytest.approx(NormalDist().cdf(ratio / error))


def test_no_record_is_long_enough_for_a_ratio_below_the_hurdle():
    returns = np.random.default_rng(7).normal(0.0005, 0.01, 300)
    assert math.isinf(minimum_track_record(returns, moments(returns).ratio))


@pytest.mark.parametrize("returns", [np.zeros(50), np.full(50, 0.001), np.array([0.01, 0.02])])
def test_without_variance_nothing_is_known(returns):
    assert math.isnan(probabilistic_sharpe(returns))
    assert math.isnan(minimum_track_record(returns))
    assert math.isnan(sharpe_with_error(returns)[0])
