"""What follows a fit: ensembles, calibration, drift, the verdict."""

from __future__ import annotations

import json

import numpy as np
import pytest

from haetae.domain.errors import ModelError
from haetae.ml import calibration, drift, ensemble, quality
from haetae.ml.membership import largest, median_turnover
from haetae.ml.quality import RankQuality
from haetae.ml.verdict import Finding, verdict
from random_panels import daily_panel


def _noisy(seed: int, signal: np.ndarray, noise: float) -> np.ndarray:
    return (signal + noise * np.random.default_rng(seed).normal(size=signal.shape)).astype(np.float32)


def test_the_mean_of_ranks_beats_its_members_whatever_their_scales() -> None:
    signal = np.random.default_rng(0).normal(size=(80, 60)).astype(np.float32)
    grids = [_noisy(20 + k, signal, 2.0) * 10.0**k for k in range(5)]
    grids[0][3, :10] = np.nan
    mean = ensemble.mean_of_ranks(grids)
    alone = max(quality.daily_ic(grid, signal).mean() for grid in grids)
    assert quality.daily_ic(mean, signal).mean() > alone + 0.1
    np.testing.assert_array_equal(mean[1:], ensemble.mean_of_ranks([grid[1:] * 3 for grid in grids]))
    assert np.isfinite(mean).all()
    assert np.isnan(ensemble.mean_of_ranks([np.full((1, 4), np.nan, np.float32)])).all()


def test_weights_are_taken_only_where_they_are_proven() -> None:
    signal = np.random.default_rng(1).normal(size=(240, 60)).astype(np.float32)
    outcomes = _noisy(2, signal, 1.0)
    useful, noise = _noisy(3, signal, 0.5), _noisy(4, 0 * signal, 1.0)
    rows = np.arange(240)
    found = ensemble.stacked([useful, noise], outcomes, rows, 1)
    assert found.proven
    assert found.weights[0] > 0.9
    alike = ensemble.stacked([_noisy(5, signal, 1.0), _noisy(6, signal, 1.0)], outcomes, rows, 1)
    assert not alike.proven
    assert alike.weights == (0.5, 0.5)
    assert ensemble.stacked([useful], outcomes, rows, 1).weights == (1.0,)


def test_a_calibration_is_monotone_and_means_what_it_says() -> None:
    signal = np.random.default_rng(7).normal(size=(400, 60)).astype(np.float32)
    outcomes = _noisy(8, 0.01 * signal, 0.03)
    scores = _noisy(9, signal, 1.0)
    fitted = calibration.calibrated(scores[:200], outcomes[:200], 5)
    assert (np.diff(fitted.returns) >= 0).all()
    assert (np.diff(fitted.places) > 0).all()
    again = calibration.from_json(json.loads(json.dumps(fitted.as_json())))
    ranked = ensemble.day_ranks(scores[300:301])[0]
    np.testing.assert_array_equal(again.expected(ranked), fitted.expected(ranked))
    fresh = calibration.reliability(fitted, scores[200:], outcomes[200:])
    assert fresh.slope == pytest.approx(1.0, abs=0.15)
    assert np.corrcoef(fresh.expected_bp, fresh.realised_bp)[0, 1] > 0.95
    assert abs(sum(fresh.realised_bp)) < 1.0
    empty = calibration.reliability(fitted, np.zeros((5, 60), np.float32), outcomes[:5] * np.nan)
    assert np.isnan(empty.slope)


def test_a_calibration_of_noise_promises_little_and_one_of_nothing_is_refused() -> None:
    rng = np.random.default_rng(10)
    scores, outcomes = rng.normal(size=(2, 200, 60)).astype(np.float32)
    fitted = calibration.calibrated(scores, 0.02 * outcomes, 1)
    assert np.abs(fitted.returns).mean() < 0.002
    with pytest.raises(ModelError, match="no scores to calibrate"):
        calibration.calibrated(scores * np.nan, outcomes, 1)


def test_stability_is_zero_on_itself_and_large_after_a_shift() -> None:
    rng = np.random.default_rng(11)
    then = rng.normal(size=(5000, 2)).astype(np.float32)
    then[::50, 1] = np.nan
    fitted = drift.reference(then, ("a", "b"))
    assert fitted.psi(then) == {"a": 0.0, "b": 0.0}
    now = rng.normal(size=(5000, 2)).astype(np.float32)
    assert fitted.psi(now)["a"] < drift.WATCH
    moved = drift.reference_from(json.loads(json.dumps(fitted.as_json()))).psi(now + 1)
    assert min(moved.values()) > drift.MOVED
    assert fitted.psi(then * np.nan)["a"] > 5


def test_the_alarm_sounds_when_the_rank_ic_is_lost_and_not_before() -> None:
    rng = np.random.default_rng(12)
    valid = rng.normal(0.06, 0.12, 240)
    quiet = drift.alarm(valid, rng.normal(0.06, 0.12, 240), 1)
    assert not quiet.sounds
    lost = np.concatenate([rng.normal(0.06, 0.12, 120), rng.normal(-0.1, 0.12, 120)])
    found = drift.alarm(valid, lost, 1)
    assert found.sounds
    assert 120 < found.first_row < 190
    assert found.as_json()["sounds"] is True
    overlapping = drift.alarm(valid, lost, 20)
    assert overlapping.floor < found.floor
    assert not drift.alarm(valid, np.full(30, -1.0), 1).sounds


def test_the_rolling_mean_leaves_out_days_without_a_figure() -> None:
    daily = np.array([1.0, np.nan, 2.0, 3.0, np.nan, 5.0])
    np.testing.assert_allclose(drift.rolling_ic(daily, 2), [np.nan, np.nan, 1.5, 2.5, np.nan, 4.0])


def _quality(mean: float, t: float, neutral: float = 0.0, neutral_t: float = 0.0) -> RankQuality:
    return RankQuality(mean, 0.1, mean / 0.1, t, 0.5, 200, neutral, neutral / 0.1, neutral_t)


@pytest.mark.parametrize(
    ("model", "finding", "words"),
    [
        (_quality(0.05, 4.0, 0.03, 3.0), Finding.MORE, "Yes: the model knows more than low volatility."),
        (_quality(0.02, 2.5, 0.02, 2.5), Finding.MORE, "though the low-volatility score alone has the higher IC"),
        (_quality(0.04, 3.0, 0.001, 0.2), Finding.ONLY_LOW_VOLATILITY, "only found low volatility again"),
        (_quality(0.01, 0.7, 0.001, 0.2), Finding.NOTHING, "told from luck"),
    ],
)
def test_the_verdict_says_plainly_what_the_figures_say(model: RankQuality, finding: Finding, words: str) -> None:
    found = verdict(model, _quality(0.04, 2.0))
    assert found.finding is finding
    assert words in found.sentence.en
    assert f"{model.neutral_mean:+.4f}" in found.sentence.ko


def test_the_median_turnover_is_that_of_the_window_and_of_no_later_day() -> None:
    panel = daily_panel(13, symbols=6, sessions=90)
    mine = median_turnover(panel, 20)
    money = panel.close.astype(np.float64) * panel.volume
    for t, s in ((19, 0), (40, 2), (89, 5)):
        if (panel.close[: t - 18, s] > 0).any():
            assert mine[t, s] == pytest.approx(np.median(money[t - 19 : t + 1, s]), rel=1e-6)
    assert np.isnan(mine[:19]).all()
    cut = median_turnover(panel.rows(0, 50), 20)
    np.testing.assert_array_equal(cut, mine[:50])


def test_the_largest_are_taken_among_the_allowed() -> None:
    size = np.array([[5.0, 4.0, 3.0, np.nan, 9.0]], dtype=np.float32)
    allowed = np.array([[True, True, True, True, False]])
    assert np.flatnonzero(largest(size, allowed, 2)[0]).tolist() == [0, 1]
    assert largest(size, allowed, 9).sum() == 3
