import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from haetae.policies.actions import ActionMap, target_weights

LIMITS = ActionMap(max_weight=0.3, gross=0.9, band=0.02, turnover_cap=0.2, floor=0.01)


@settings(max_examples=200, deadline=None)
@given(
    arrays(np.float32, 6, elements=st.floats(-40, 40, width=32)),
    arrays(np.float64, 6, elements=st.floats(0, 0.16)),
    arrays(np.bool_, 6),
)
def test_no_decision_breaks_cap_band_or_turnover(scores, held, tradable):
    targets = target_weights(scores, held, tradable, LIMITS)
    moved = ~np.isnan(targets)
    assert not moved[~tradable].any()
    assert (targets[moved] >= -1e-12).all()
    rises = moved & (np.nan_to_num(targets) > held)
    assert (targets[rises] <= LIMITS.max_weight + 1e-9).all()
    change = np.where(moved, targets - held, 0.0)
    assert np.abs(change).sum() / 2 <= LIMITS.turnover_cap + 1e-9


def test_small_differences_are_left_alone_but_exits_are_not():
    held = np.array([0.15, 0.005])
    targets = target_weights(np.array([0.0, -30.0]), held, np.ones(2, bool), LIMITS)
    assert np.isnan(targets[0])
    assert targets[1] == 0.0


def test_wishes_beyond_gross_are_scaled_down_together():
    limits = ActionMap(max_weight=0.5, gross=0.6, band=0.0, turnover_cap=10.0, floor=0.0)
    targets = target_weights(np.full(3, 30.0), np.zeros(3), np.ones(3, bool), limits)
    assert np.allclose(targets, 0.2)


def test_the_largest_differences_use_the_turnover_first():
    limits = ActionMap(max_weight=0.3, gross=0.9, band=0.02, turnover_cap=0.1, floor=0.01)
    scores = np.array([3.0, -1.0, 2.0, 0.0])
    weights = target_weights(scores, np.zeros(4), np.ones(4, bool), limits)
    assert np.isfinite(weights[0])
    assert np.isnan(weights[[1, 2, 3]]).all()
    assert np.nansum(weights) == pytest.approx(2 * limits.turnover_cap)
