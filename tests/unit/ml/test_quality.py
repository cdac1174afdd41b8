"""Rank IC and decile spread against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.features import daily
from haetae.ml import quality, yardsticks


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_daily_ic_is_spearmans_rho(seed: int) -> None:
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(3, 40)), 1).astype(np.float32)
    outcomes = (scores + 2 * rng.normal(size=(3, 40))).astype(np.float32)
    outcomes[0, :5] = np.nan
    mine = quality.daily_ic(scores, outcomes)
    for t in range(3):
        both = np.isfinite(outcomes[t])
        assert mine[t] == pytest.approx(spearmanr(scores[t][both], outcomes[t][both]).statistic, abs=1e-6)


def test_days_with_too_few_names_are_left_out() -> None:
    scores = np.zeros((2, 12), dtype=np.float32)
    outcomes = np.full((2, 12), np.nan, dtype=np.float32)
    assert np.isnan(quality.daily_ic(scores, outcomes)).all()
    assert quality.rank_quality(scores, outcomes, 5).days == 0


def test_a_score_that_only_repeats_low_volatility_has_no_neutral_ic() -> None:
    rng = np.random.default_rng(1)
    calm = rng.normal(size=(60, 80)).astype(np.float32)
    outcomes = (calm + rng.normal(size=(60, 80))).astype(np.float32)
    own = rng.normal(size=(60, 80)).astype(np.float32)
    repeated = quality.rank_quality(calm * 3 + 1, outcomes, 1, calm)
    assert repeated.mean > 0.5
    assert abs(repeated.neutral_mean) < 1e-6
    better = quality.rank_quality(calm + own, outcomes + own, 1, calm)
    assert better.neutral_mean > 0.2


def test_newey_west_widens_the_error_of_overlapping_values() -> None:
    rng = np.random.default_rng(2)
    values = np.convolve(rng.normal(0.1, 1.0, 2_000), np.ones(5) / 5, mode="valid")
    plain = values.mean() / (values.std() / math.sqrt(len(values)))
    assert quality.newey_west_t(values, 0) == pytest.approx(plain)
    assert abs(quality.newey_west_t(values, 5)) < abs(plain) * 0.7
    assert math.isnan(quality.newey_west_t(values[:1], 5))


def test_the_decile_spread_pays_for_what_it_replaces() -> None:
    scores = np.tile(np.arange(40, dtype=np.float32), (6, 1))
    outcomes = np.tile(np.linspace(-0.01, 0.01, 40, dtype=np.float32), (6, 1))
    still = quality.decile_spread(scores, outcomes, 1, round_trip_bp=30.0)
    assert still.turnover == pytest.approx(1 / 6)
    assert still.net_bp == pytest.approx(still.gross_bp - 2 * 30.0 / 6)
    assert still.long_bp == pytest.approx(1e4 * float(outcomes[0, -4:].mean()), rel=1e-4)
    flipping = scores.copy()
    flipping[::2] *= -1
    restless = quality.decile_spread(flipping, outcomes, 1, round_trip_bp=30.0)
    assert restless.turnover == 1.0
    assert restless.net_bp < restless.gross_bp - 50


def test_yardsticks_read_the_features_they_name() -> None:
    features = np.random.default_rng(3).normal(size=(4, 6, len(daily.NAMES))).astype(np.float32)
    scores = yardsticks.one_line_scores(features, daily.NAMES)
    assert set(scores) == {"low_volatility_60", "reversal_5", "momentum_20", "momentum_12_1"}
    place = daily.NAMES.index("volatility_60")
    np.testing.assert_array_equal(scores["low_volatility_60"], -features[:, :, place])
