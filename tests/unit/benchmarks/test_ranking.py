"""The ranking contest: the members' spans, the labels of both sides, one measure."""

from __future__ import annotations

import numpy as np
import ranking
from factoring.ground import grid, spans

from haetae.ml.costs import CostTable
from haetae.ml.judge import Judge
from haetae.ml.labels import forward_returns
from random_panels import daily_panel


def test_spans_are_the_runs_of_membership_and_scores_find_their_cells() -> None:
    panel = daily_panel(33, symbols=2, sessions=6, halted=0.0)
    who = np.array([[0, 1], [1, 1], [1, 0], [0, 0], [0, 1], [0, 1]], dtype=np.bool_)
    first, second = panel.symbols
    assert spans(panel, who) == {first: [(1, 2)], second: [(0, 1), (4, 5)]}
    scores = grid(panel, panel.days[[4, 1]], np.array([second, first]), np.array([0.5, -1.0], np.float32))
    assert scores[4, 1] == 0.5
    assert scores[1, 0] == -1.0
    assert np.isfinite(scores).sum() == 2


def test_a_score_that_knows_the_outcome_is_seen_to_and_one_by_the_peers_label_less_so() -> None:
    panel = daily_panel(34, symbols=30, sessions=80, halted=0.0)
    everyone, row = np.ones(panel.close.shape, np.bool_), 60
    low = np.random.default_rng(1).normal(size=everyone.shape).astype(np.float32)
    for horizon in (1, 5):
        labels = forward_returns(panel, horizon)
        own = ranking.close_to_close(panel.close, horizon)
        np.testing.assert_allclose(own[row], panel.close[row + 1 + horizon] / panel.close[row + 1] - 1.0, rtol=1e-6)
        judge = Judge(panel.days, labels, low, low, everyone, np.arange(30, 70), CostTable())
        knowing = ranking.judged(judge, labels.values, own)
        assert knowing["rank_ic"]["mean"] > 0.999
        assert knowing["spread"]["gross_bp"] > knowing["spread"]["net_bp"] > 0.0
        other = ranking.judged(judge, own, own)
        assert other["rank_ic_on_qlib_label"]["mean"] > 0.999
        assert other["rank_ic"]["mean"] < 0.999
