import datetime as dt

import numpy as np
import pytest

from haetae.domain.errors import ModelError
from haetae.domain.units import instant_at
from haetae.policies.observe import Scaler, feature_hash, observation_names, observe, session_progress


def _account(symbols):
    return np.zeros(symbols, np.float32), np.zeros(symbols, np.float32), np.float32(1.0), np.float32(0.25)


def test_scaler_ignores_unknown_values_and_maps_them_to_zero():
    features = np.array([[1.0, np.nan], [3.0, np.nan]], np.float32)
    scaler = Scaler.fit(features)
    assert scaler.mean.tolist() == [2.0, 0.0]
    scaled = scaler.apply(np.array([[3.0, np.nan], [np.inf, 1.0]], np.float32))
    assert scaled.tolist() == [[1.0, 0.0], [5.0, 1.0]]


def test_scaler_refuses_another_number_of_features():
    scaler = Scaler.fit(np.zeros((4, 3), np.float32))
    with pytest.raises(ModelError):
        scaler.apply(np.zeros((4, 2), np.float32))


def test_one_account_and_a_batch_of_accounts_see_the_same_numbers():
    rng = np.random.default_rng(3)
    features = rng.standard_normal((5, 4)).astype(np.float32)
    scaler = Scaler.fit(rng.standard_normal((50, 4)).astype(np.float32))
    scores = rng.standard_normal(5).astype(np.float32)
    held = rng.random((7, 5)).astype(np.float32) / 10
    cash = rng.random(7).astype(np.float32)
    progress = rng.random(7).astype(np.float32)
    many = observe(
        np.broadcast_to(scaler.apply(features), (7, 5, 4)), np.broadcast_to(scores, (7, 5)), held, cash, progress
    )
    assert many.shape == (7, 5, len(observation_names(("a", "b", "c", "d"))))
    for n in range(7):
        one = observe(scaler.apply(features), scores, held[n], cash[n], progress[n])
        assert one.tobytes() == many[n].tobytes()


def test_a_day_without_scores_gives_zero_not_noise():
    held, scores, cash, progress = _account(4)
    row = observe(np.zeros((4, 2), np.float32), scores + 7.0, held, cash, progress)
    assert row[:, 2].tolist() == [0.0] * 4


def test_feature_hash_depends_on_order():
    assert feature_hash(("a", "b")) != feature_hash(("b", "a"))


def test_session_progress_follows_a_late_open_day():
    regular, late = dt.date(2026, 11, 18), dt.date(2026, 11, 19)
    assert session_progress(instant_at(regular, 90000)) == 0.0
    assert session_progress(instant_at(late, 100000)) == 0.0
    assert session_progress(instant_at(late, 163000)) == 1.0
    assert session_progress(instant_at(regular, 121500)) == pytest.approx(0.5)
