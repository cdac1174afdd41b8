"""Folds: nothing of the test window, nor anything that ends in it, is learned from."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.ml.folds import walk_forward
from haetae.ml.settings import WalkForwardSettings

walks = st.builds(
    WalkForwardSettings,
    train_rows=st.integers(1, 300),
    min_train_rows=st.integers(1, 40),
    test_rows=st.integers(1, 90),
    embargo_rows=st.integers(0, 25),
)


@settings(max_examples=150, deadline=None)
@given(
    days=st.integers(1, 400),
    first_test=st.integers(0, 200),
    walk=walks,
    spans=st.lists(st.integers(1, 60), min_size=1, max_size=7),
)
def test_every_label_learned_from_ends_before_the_embargo(
    days: int, first_test: int, walk: WalkForwardSettings, spans: list[int]
) -> None:
    end_row = np.arange(days) + np.resize(np.array(spans), days)
    folds = walk_forward(end_row, first_test, walk)
    for fold in folds:
        assert (end_row[fold.train] + walk.embargo_rows <= fold.first_test).all()
        assert (fold.train < fold.first_test).all()
        assert (fold.train >= fold.first_test - walk.train_rows).all()
        assert len(fold.train) >= walk.min_train_rows
        assert (np.diff(fold.train) > 0).all()


@settings(max_examples=100, deadline=None)
@given(days=st.integers(1, 400), first_test=st.integers(0, 200), walk=walks)
def test_test_windows_tile_the_rows_once(days: int, first_test: int, walk: WalkForwardSettings) -> None:
    folds = walk_forward(np.arange(days) + 1, first_test, walk)
    rows = [row for fold in folds for row in range(fold.first_test, fold.last_test)]
    assert len(rows) == len(set(rows))
    if folds:
        assert rows == list(range(folds[0].first_test, days))


def test_no_usable_row_is_left_out_without_reason() -> None:
    walk = WalkForwardSettings(train_rows=100, min_train_rows=1, test_rows=50, embargo_rows=3)
    (first, *_) = walk_forward(np.arange(200) + 6, 120, walk)
    assert first.train.tolist() == list(range(20, 112))
