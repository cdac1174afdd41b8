"""The leak audit: planted leaks are refused by name, honest features and labels pass."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.features import daily
from haetae.ml import audit
from haetae.ml.labels import Labels, forward_returns
from random_panels import daily_panel

ROWS = np.arange(60, 200, dtype=np.int64)


def _market(horizon: int) -> tuple[Panel, np.ndarray, Labels, np.ndarray]:
    panel = daily_panel(3, symbols=40, sessions=260, halted=0.0)
    return panel, daily.build(panel, None), forward_returns(panel, horizon), np.asarray(panel.traded)


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_daily_features_hold_no_label(horizon: int) -> None:
    _, features, labels, who = _market(horizon)
    audit.check_features(features, daily.NAMES, labels, who, ROWS)


@pytest.mark.parametrize(("horizon", "shift"), [(1, 0), (1, 1), (5, 0), (5, 1), (5, 3), (5, -1), (5, -2), (20, -5)])
def test_a_feature_that_is_the_label_shifted_is_refused_by_name(horizon: int, shift: int) -> None:
    _, features, labels, who = _market(horizon)
    planted = features.copy()
    planted[:, :, 7] = np.roll(labels.values, -shift, axis=0) * 3 + 1
    with pytest.raises(DataError, match="label leakage") as refused:
        audit.check_features(planted, daily.NAMES, labels, who, ROWS)
    assert daily.NAMES[7] in str(refused.value)
    assert f"shift {shift:+d}" in str(refused.value)
    assert "라벨 누수" in refused.value.message.ko


def test_a_noisy_copy_of_the_label_is_refused_too() -> None:
    _, features, labels, who = _market(5)
    noise = np.random.default_rng(1).normal(size=labels.values.shape) * np.nanstd(labels.values)
    planted = features.copy()
    planted[:, :, 2] = labels.values + noise
    with pytest.raises(DataError, match=daily.NAMES[2]):
        audit.check_features(planted, daily.NAMES, labels, who, ROWS)


def test_training_rows_that_reach_into_the_test_window_are_refused() -> None:
    end_row = np.arange(200) + 6
    test = np.arange(150, 200)
    audit.check_overlap(np.arange(0, 145), test, end_row)
    audit.check_overlap(np.arange(0, 140), test, end_row, embargo_rows=5)
    with pytest.raises(DataError, match="label leakage: the labels of 1 training rows"):
        audit.check_overlap(np.arange(0, 146), test, end_row)
    with pytest.raises(DataError, match="label leakage: the labels of 5 training rows"):
        audit.check_overlap(np.arange(0, 145), test, end_row, embargo_rows=5)
    with pytest.raises(DataError, match="label leakage"):
        audit.check_overlap(np.array([3, 170]), test, end_row)


def test_labels_are_known_when_they_say_and_not_before() -> None:
    panel, _, labels, _ = _market(5)

    def make(given: Panel) -> np.ndarray:
        return forward_returns(given, 5).values

    audit.check_known_at(make, panel, labels.end_row, [100, 200], ["label_5"])
    with pytest.raises(DataError, match=r"label leakage: label_5 of .* already knows bars after it"):
        audit.check_known_at(make, panel, labels.end_row - 1, [100], ["label_5"])


def test_a_feature_that_moves_with_the_future_is_named() -> None:
    panel, _, _, _ = _market(5)
    rows = np.arange(len(panel))
    audit.check_known_at(lambda given: daily.build(given, None), panel, rows, [200], daily.NAMES)

    def peeking(given: Panel) -> np.ndarray:
        block = daily.build(given, None)
        block[:-1, :, 3] = block[1:, :, 3]
        return block

    with pytest.raises(DataError, match=daily.NAMES[3]):
        audit.check_known_at(peeking, panel, rows, [200], daily.NAMES)


def test_the_changed_future_is_another_one_and_the_past_the_same() -> None:
    panel, _, _, _ = _market(1)
    later = audit.changed_after(panel, 100)
    for block in dataclasses.fields(Panel):
        before, after = getattr(panel, block.name), getattr(later, block.name)
        if block.name in ("open", "high", "low", "close", "volume"):
            assert (before[:101] == after[:101]).all()
            alive = before[101:] > 0
            assert alive.any()
            assert (before[101:] != after[101:])[alive].all()
