"""Rank IC and decile spread against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import ModelError
from haetae.features import daily
from haetae.ml import quality, quality_deciles, yardsticks
from haetae.ml import samples as sampling


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


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_plain_ic_is_pearsons_r(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(2, 30)).astype(np.float32)
    outcomes = (scores**3 + rng.normal(size=(2, 30))).astype(np.float32)
    scores[1, :4] = np.nan
    mine = quality.daily_ic(scores, outcomes, correlation=quality.Correlation.PLAIN)
    for t in range(2):
        known = np.isfinite(scores[t])
        assert mine[t] == pytest.approx(np.corrcoef(scores[t][known], outcomes[t][known])[0, 1], abs=1e-5)


def test_a_neutral_score_keeps_nothing_of_what_was_removed() -> None:
    rng = np.random.default_rng(11)
    calm = rng.normal(size=(5, 50)).astype(np.float32)
    own = rng.normal(size=(5, 50)).astype(np.float32)
    left = quality.neutral_scores(2 * calm + own, calm)
    for t in range(5):
        assert abs(np.corrcoef(sampling.ranks(calm[t]), left[t])[0, 1]) < 1e-5
        assert np.corrcoef(own[t], left[t])[0, 1] > 0.8
    assert (quality.neutral_scores(calm, calm) == 0).all()
    assert quality.daily_ic(2 * calm + own, own, calm) == pytest.approx(
        [np.corrcoef(left[t], sampling.ranks(own[t]))[0, 1] for t in range(5)], abs=1e-5
    )


def test_lags_cover_the_overlap_and_shorter_ones_are_refused() -> None:
    assert quality.lags_for(20, 250) == 20
    assert quality.lags_for(1, 250) == 4
    daily = np.random.default_rng(4).normal(size=100)
    assert quality.summary(daily, 10).lags == 10
    with pytest.raises(ModelError, match="overlap") as refused:
        quality.summary(daily, 10, lags=3)
    assert "9" in str(refused.value.expected)


def test_newey_west_is_the_sum_over_the_kernel() -> None:
    values = np.random.default_rng(5).normal(0.2, 1.0, 60)
    centred = values - values.mean()
    gaps = np.abs(np.subtract.outer(np.arange(60), np.arange(60)))
    kernel = np.where(gaps <= 3, 1 - gaps / 4, 0.0)
    wanted = values.mean() / math.sqrt(centred @ kernel @ centred / 60**2)
    assert quality.newey_west_t(values, 3) == pytest.approx(wanted)


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
    still = quality_deciles.decile_spread(scores, outcomes, 1, round_trip_bp=30.0)
    assert still.turnover == pytest.approx(1 / 6)
    assert still.net_bp == pytest.approx(still.gross_bp - 2 * 30.0 / 6)
    assert still.long_bp == pytest.approx(1e4 * float(outcomes[0, -4:].mean()), rel=1e-4)
    flipping = scores.copy()
    flipping[::2] *= -1
    restless = quality_deciles.decile_spread(flipping, outcomes, 1, round_trip_bp=30.0)
    assert restless.turnover == 1.0
    assert restless.net_bp < restless.gross_bp - 50


def test_yardsticks_read_the_features_they_name() -> None:
    features = np.random.default_rng(3).normal(size=(4, 6, len(daily.NAMES))).astype(np.float32)
    scores = yardsticks.one_line_scores(features, daily.NAMES)
    assert set(scores) == {"low_volatility_60", "reversal_5", "momentum_20", "momentum_12_1"}
    place = daily.NAMES.index("volatility_60")
    np.testing.assert_array_equal(scores["low_volatility_60"], -features[:, :, place])
