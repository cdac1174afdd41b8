"""PSI and KS tell what moved, say nothing of what did not, and know how little a few days tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from haetae.domain.learning import FeatureSpec
from haetae.features.drift import Verdict, drift

SPECS = tuple(FeatureSpec(name, 1, ("close",), 1, "close", "x", "nan") for name in ("same", "moved", "lost", "market"))


def _windows(shift: float, days: int = 60) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(3)
    before, now = (dice.normal(size=(days, 200, 4)).astype(np.float32) for _ in range(2))
    now[:, :, 1] += shift
    now[:, :50, 2] = np.nan
    before[:, :, 3], now[:, :, 3] = dice.normal(size=(days, 1)), dice.normal(size=(days, 1))
    return before, now


def test_what_moved_comes_first_with_its_size() -> None:
    found = {each.feature: each for each in drift(SPECS, *_windows(1.0))}
    assert next(iter(found)) == "moved"
    assert found["moved"].verdict is Verdict.SHIFTED
    # Two normals one deviation apart: the distribution functions differ by at most erf(1 / (2 sqrt 2)).
    assert found["moved"].ks == pytest.approx(math.erf(1 / (2 * math.sqrt(2))), abs=0.02)
    assert found["moved"].psi == pytest.approx(
        1.0, abs=0.15
    )  # of normals: the square of the shift, a little less in bins
    assert (found["same"].verdict, found["same"].psi < 0.01) == (Verdict.STABLE, True)


def test_a_lost_input_is_watched_and_no_value_is_unknown() -> None:
    before, now = _windows(0.0)
    found = {each.feature: each for each in drift(SPECS, before, now)}
    assert found["lost"].verdict is Verdict.WATCH
    assert found["lost"].missing_now == pytest.approx(0.25)
    now[:, :, 0] = np.nan
    gone = {each.feature: each for each in drift(SPECS, before, now)}["same"]
    assert gone.verdict is Verdict.UNKNOWN
    assert math.isnan(gone.psi)


def test_a_value_of_the_market_has_as_many_samples_as_days() -> None:
    found = {each.feature: each for each in drift(SPECS, *_windows(0.0, days=30))}["market"]
    assert found.chance == pytest.approx(9 * 2 / 30)
    assert found.verdict is not Verdict.SHIFTED
