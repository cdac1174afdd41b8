"""The ranking contest: members by what was known, their spans, the labels of both sides, one measure."""

from __future__ import annotations

import dataclasses

import numpy as np
import ranking
from factoring.ground import Ground, largest

from haetae.domain.panel import Panel
from haetae.ml.labels import forward_returns
from random_panels import daily_panel, perturbed_after


def _in_2023(panel: Panel) -> Panel:
    return dataclasses.replace(panel, days=panel.days % 10_000 + 20_230_000)


def test_members_are_the_largest_by_median_turnover_and_the_future_moves_none() -> None:
    panel = daily_panel(31, symbols=12, sessions=90, halted=0.05)
    who = largest(panel, panel.traded, top=4, sessions=20)
    assert not who[:19].any()
    assert (who[19:].sum(axis=1) == 4).all()
    won = np.median(panel.close[31:51].astype(float) * panel.volume[31:51], axis=0)
    won[~panel.traded[50]] = -1.0
    assert set(np.flatnonzero(who[50])) == set(np.argsort(-won)[:4])
    changed = perturbed_after(panel, 50, 32)
    assert np.array_equal(largest(changed, changed.traded, top=4, sessions=20)[:51], who[:51])


def test_spans_are_the_runs_of_membership_and_scores_find_their_cells() -> None:
    panel = daily_panel(33, symbols=2, sessions=6, halted=0.0)
    who = np.array([[0, 1], [1, 1], [1, 0], [0, 0], [0, 1], [0, 1]], dtype=np.bool_)
    ground = Ground(panel, who)
    first, second = panel.symbols
    assert ground.spans() == {first: [(1, 2)], second: [(0, 1), (4, 5)]}
    grid = ground.grid(panel.days[[4, 1]], np.array([second, first]), np.array([0.5, -1.0], np.float32))
    assert grid[4, 1] == 0.5
    assert grid[1, 0] == -1.0
    assert np.isfinite(grid).sum() == 2


def test_a_score_that_knows_the_outcome_is_seen_to_and_one_by_another_label_less_so() -> None:
    panel = _in_2023(daily_panel(34, symbols=30, sessions=80, halted=0.0))
    ground = Ground(panel, np.ones(panel.close.shape, np.bool_))
    for horizon in (1, 5):
        outcomes = forward_returns(panel, horizon).values
        own = ranking.close_to_close(ground, horizon)
        row = 60
        expected = panel.close[row + 1 + horizon] / panel.close[row + 1] - 1.0
        np.testing.assert_allclose(own[row], expected, rtol=1e-6)
        low = np.random.default_rng(1).normal(size=outcomes.shape).astype(np.float32)
        knowing = ranking.judged(ground, outcomes, outcomes, own, low, horizon)
        assert knowing["mean"] > 0.999
        assert knowing["decile"]["gross_bp"] > knowing["decile"]["net_bp"] > 0.0
        other = ranking.judged(ground, own, outcomes, own, low, horizon)
        assert other["mean_on_qlib_label"] > 0.999
        assert other["mean"] < 0.999


def test_several_fits_count_by_their_mean_rank() -> None:
    nan = np.nan
    grids = [np.array([[1.0, 2.0, 3.0, nan]], np.float32), np.array([[10.0, 40.0, 20.0, nan]], np.float32)]
    np.testing.assert_allclose(ranking.mean_rank(grids), [[-0.5, 0.25, 0.25, nan]])
