"""Scalers: fitted on the training window, the same numbers after JSON, blind to what comes later."""

from __future__ import annotations

import json

import numpy as np
import pytest

from haetae.domain.errors import ConfigError, DataError
from haetae.ml import samples, transforms
from haetae.ml.transforms import Missing, Scaling, TransformSettings

NAMES = ("a", "b", "c")


def _block(seed: int = 0, days: int = 60, symbols: int = 30) -> np.ndarray:
    rng = np.random.default_rng(seed)
    block = (rng.standard_t(3, size=(days, symbols, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, 1.0]).astype(np.float32)
    block[rng.random(block.shape) < 0.05] = np.nan
    return block


@pytest.mark.parametrize("missing", list(Missing))
@pytest.mark.parametrize("scaling", list(Scaling))
def test_a_scaler_survives_json_and_nothing_after_its_window_moves_it(scaling: Scaling, missing: Missing) -> None:
    block = _block()
    settings = TransformSettings(scaling, missing)
    fitted = transforms.fitted(block[:40].reshape(-1, 3), NAMES, settings)
    later = block.copy()
    later[40:] = later[40:] * 100 - 7
    again = transforms.fitted(later[:40].reshape(-1, 3), NAMES, settings)
    assert again.as_json() == fitted.as_json()
    assert fitted.as_json() != transforms.fitted(later.reshape(-1, 3), NAMES, settings).as_json() or (
        scaling is Scaling.DAY_RANKS
    )
    stored = transforms.from_json(json.loads(json.dumps(fitted.as_json())))
    who = fitted.takes(block[50], np.ones(30, dtype=bool))
    np.testing.assert_array_equal(stored.day(block[50], who), fitted.day(block[50], who))
    assert fitted.day(block[50], who).shape == (int(who.sum()), 3)


def test_ranks_of_the_day_are_the_default_and_fit_nothing() -> None:
    block = _block()
    fitted = transforms.fitted(block[:40].reshape(-1, 3), NAMES)
    who = np.ones(30, dtype=bool)
    np.testing.assert_array_equal(fitted.day(block[45], who), samples.ranked_day(block[45], who))
    assert fitted.as_json()["low"] == []


def test_robust_z_is_the_distance_from_the_median_in_deviations() -> None:
    block = _block()
    rows = block[:40].reshape(-1, 3)
    fitted = transforms.fitted(rows, NAMES, TransformSettings(Scaling.ROBUST_Z, winsor_share=0.0))
    who = np.ones(30, dtype=bool)
    middle = np.nanmedian(rows, axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(rows - middle), axis=0)
    inside = np.clip(block[45], np.nanmin(rows, axis=0), np.nanmax(rows, axis=0))
    np.testing.assert_allclose(fitted.day(block[45], who), (inside - middle) / spread, rtol=1e-5, atol=1e-5)


def test_winsorising_cuts_at_the_quantiles_of_training() -> None:
    block = _block()
    rows = block[:40].reshape(-1, 3)
    fitted = transforms.fitted(rows, NAMES, TransformSettings(Scaling.WINSORISED, winsor_share=0.05))
    wild = np.full((2, 3), 1e6, dtype=np.float32)
    wild[1] = -1e6
    cut = fitted.day(wild, np.ones(2, dtype=bool))
    np.testing.assert_allclose(cut[0], np.nanquantile(rows, 0.95, axis=0), rtol=1e-6)
    np.testing.assert_allclose(cut[1], np.nanquantile(rows, 0.05, axis=0), rtol=1e-6)


def test_rank_gauss_of_the_training_window_is_normal() -> None:
    rows = _block(days=400).reshape(-1, 3)
    fitted = transforms.fitted(rows, NAMES, TransformSettings(Scaling.RANK_GAUSS))
    values = fitted.day(rows, np.ones(len(rows), dtype=bool))
    assert np.nanmean(values, axis=0) == pytest.approx([0, 0, 0], abs=0.02)
    assert np.nanstd(values, axis=0) == pytest.approx([1, 1, 1], abs=0.05)
    order = np.argsort(rows[:50, 0])
    known = np.isfinite(rows[order, 0])
    assert (np.diff(values[order, 0][known]) >= 0).all()


def test_each_policy_treats_what_is_missing_as_it_says() -> None:
    block = _block()
    rows, who = block[:40].reshape(-1, 3), np.ones(30, dtype=bool)
    kept = transforms.fitted(rows, NAMES, TransformSettings(Scaling.ROBUST_Z, Missing.KEEP))
    filled = transforms.fitted(rows, NAMES, TransformSettings(Scaling.ROBUST_Z, Missing.MEDIAN))
    dropped = transforms.fitted(rows, NAMES, TransformSettings(Scaling.ROBUST_Z, Missing.DROP))
    gone = np.isnan(block[45])
    assert gone.any()
    assert (np.isnan(kept.day(block[45], who)) == gone).all()
    assert (filled.day(block[45], who)[gone] == 0).all()
    assert (dropped.takes(block[45], who) == ~gone.any(axis=1)).all()


def test_a_sector_has_no_mean_after_it_was_taken_out() -> None:
    block = _block()
    settings = TransformSettings(Scaling.ROBUST_Z, neutral_sectors=True)
    fitted = transforms.fitted(block[:40].reshape(-1, 3), NAMES, settings)
    sectors = np.repeat(np.array([0, 1, -1]), 10)
    who = np.ones(30, dtype=bool)
    who[3] = False
    values = fitted.day(block[45], who, sectors)
    for sector in (0, 1):
        assert np.nanmean(values[sectors[who] == sector], axis=0) == pytest.approx([0, 0, 0], abs=1e-5)
    plain = transforms.fitted(block[:40].reshape(-1, 3), NAMES, TransformSettings(Scaling.ROBUST_Z))
    np.testing.assert_array_equal(values[sectors[who] == -1], plain.day(block[45], who)[sectors[who] == -1])
    with pytest.raises(ConfigError, match="sectors are needed"):
        fitted.day(block[45], who)


def test_a_feature_without_a_value_is_named_unless_its_inputs_do_not_exist() -> None:
    rows = _block()[:40].reshape(-1, 3)
    rows[:, 1] = np.nan
    for scaling in Scaling:
        with pytest.raises(DataError, match=r"without a value in the training window: b$"):
            transforms.fitted(rows, NAMES, TransformSettings(scaling))
        fitted = transforms.fitted(rows, NAMES, TransformSettings(scaling, Missing.DROP), frozenset({"b"}))
        who = fitted.takes(rows, np.ones(len(rows), dtype=bool))
        assert 0 < who.sum() < len(rows)
        assert np.isnan(fitted.day(rows, who)[:, 1]).all()
        assert transforms.from_json(fitted.as_json()).absent == {"b"}
