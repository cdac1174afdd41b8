"""Labels and samples: ranks within a day, known when they say, nothing shared between days."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.ml import samples as sampling
from haetae.ml.labels import forward_returns
from random_panels import daily_panel, perturbed_after


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 500), horizon=st.integers(1, 20), row=st.integers(30, 80))
def test_a_label_uses_no_bar_after_its_end_row(seed: int, horizon: int, row: int) -> None:
    panel = daily_panel(seed, symbols=5, sessions=100)
    labels = forward_returns(panel, horizon)
    later = forward_returns(perturbed_after(panel, row, seed + 1), horizon)
    known = labels.end_row <= row
    assert labels.values[known].tobytes() == later.values[known].tobytes()


def test_a_label_is_the_return_between_two_opens() -> None:
    panel = daily_panel(1, symbols=3, sessions=60, halted=0.0)
    labels = forward_returns(panel, 5)
    assert labels.values[10, 0] == pytest.approx(panel.open[16, 0] / panel.open[11, 0] - 1, rel=1e-6)
    assert labels.end_row[10] == 16
    assert np.isnan(labels.values[-6:]).all()
    with pytest.raises(ValueError, match="horizon"):
        forward_returns(panel, 0)


def test_what_stops_trading_keeps_its_loss_in_the_labels() -> None:
    panel = daily_panel(2, symbols=2, sessions=60, halted=0.0)
    traded = panel.traded.copy()
    traded[30:, 0] = False
    close, opens = panel.close.copy(), panel.open.copy()
    close[30:, 0] = opens[30:, 0] = panel.close[29, 0]
    stopped = dataclasses.replace(panel, traded=traded, close=close, open=opens)
    labels = forward_returns(stopped, 5)
    assert labels.values[27, 0] == pytest.approx(panel.close[29, 0] / panel.open[28, 0] - 1, rel=1e-6)
    assert np.isnan(labels.values[29:, 0]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.integers(-5, 5).map(float)), min_size=1, max_size=40))
def test_ranks_are_symmetric_and_keep_order(values: list[float]) -> None:
    given_values = np.array(values, dtype=np.float32)
    placed = sampling.ranks(given_values)
    assert (np.isnan(placed) == np.isnan(given_values)).all()
    known = np.isfinite(given_values)
    if not known.any():
        return
    assert abs(float(placed[known].mean())) < 1e-5
    assert placed[known].min() >= -0.5
    assert placed[known].max() <= 0.5
    order = np.argsort(given_values[known], kind="stable")
    assert (np.diff(placed[known][order]) >= 0).all()
    np.testing.assert_array_equal(sampling.ranks(-given_values)[known], -placed[known])


def test_the_newest_day_alone_gives_the_rows_of_the_whole_block() -> None:
    rng = np.random.default_rng(3)
    panel = daily_panel(3, symbols=12, sessions=50)
    features = rng.normal(size=(50, 12, 4)).astype(np.float32)
    features[rng.random(features.shape) < 0.1] = np.nan
    eligible = rng.random((50, 12)) < 0.8
    samples = sampling.build(features, eligible, forward_returns(panel, 5))
    for t in (0, 17, 49):
        part = slice(int(samples.bounds[t]), int(samples.bounds[t + 1]))
        assert samples.inputs[part].tobytes() == sampling.ranked_day(features[t], eligible[t]).tobytes()
    grid = samples.grid(samples.outcome)
    assert np.isnan(grid[~eligible]).all()
    np.testing.assert_array_equal(grid[eligible], forward_returns(panel, 5).values[eligible])


def test_one_day_says_nothing_of_another() -> None:
    rng = np.random.default_rng(4)
    panel = daily_panel(4, symbols=12, sessions=50)
    labels = forward_returns(panel, 5)
    features = rng.normal(size=(50, 12, 4)).astype(np.float32)
    eligible = np.ones((50, 12), dtype=bool)
    before = sampling.build(features, eligible, labels)
    changed = features.copy()
    changed[30:] *= -3
    after = sampling.build(changed, eligible, labels)
    cut = int(before.bounds[30])
    assert before.inputs[:cut].tobytes() == after.inputs[:cut].tobytes()
    assert before.inputs[cut:].tobytes() != after.inputs[cut:].tobytes()
