import numpy as np
import pytest

from haetae.policies import baselines as b
from panels import daily_panel


def _task(panel, rows=None, top=3, eligible=None):
    rows = b.decision_rows(panel, every_sessions=5) if rows is None else rows
    return b.Task(panel, rows, b.listed(panel) if eligible is None else eligible, top)


BASELINES = {
    "cash": b.cash,
    "buy_and_hold": b.buy_and_hold,
    "equal_weight": b.equal_weight,
    "momentum_12_1": b.momentum,
    "reversal_5": b.reversal,
    "low_volatility_60": b.low_volatility,
    "perfect_foresight": b.perfect_foresight,
}


@pytest.mark.parametrize("baseline", BASELINES.values(), ids=BASELINES)
def test_targets_are_weights_and_only_at_decision_rows(baseline):
    panel = daily_panel(300, 8, seed=1)
    task = _task(panel)
    targets = baseline(task)
    asked = ~np.isnan(targets)
    assert set(np.flatnonzero(asked.any(axis=1)).tolist()) <= set(task.rows.tolist())
    sums = np.nansum(targets, axis=1)
    assert (sums <= 1 + 1e-9).all() and (np.nan_to_num(targets) >= 0).all()


@pytest.mark.parametrize("baseline", list(BASELINES.values())[:-1], ids=list(BASELINES)[:-1])
def test_no_baseline_sees_beyond_its_row(baseline):
    panel = daily_panel(300, 8, seed=1)
    altered = daily_panel(300, 8, seed=1, shock_from=281)
    rows = np.array([260, 270, 280])
    eligible = np.ones_like(panel.traded)
    before = baseline(_task(panel, rows, eligible=eligible))
    after = baseline(_task(altered, rows, eligible=eligible))
    assert np.array_equal(before[:281], after[:281], equal_nan=True)


def test_perfect_foresight_does_see_beyond_its_row():
    panel, altered = daily_panel(300, 8, seed=1), daily_panel(300, 8, seed=1, shock_from=281)
    rows = np.array([260, 270, 280])
    eligible = np.ones_like(panel.traded)
    a = b.perfect_foresight(_task(panel, rows, eligible=eligible))
    c = b.perfect_foresight(_task(altered, rows, eligible=eligible))
    assert not np.array_equal(a, c, equal_nan=True)


def test_nobody_ineligible_is_bought():
    panel = daily_panel(300, 8, seed=1)
    eligible = b.listed(panel).copy()
    eligible[:, 2] = False
    for baseline in BASELINES.values():
        assert np.nansum(baseline(_task(panel, eligible=eligible))[:, 2]) == 0


def test_random_names_repeat_with_the_seed_and_exchange_the_asked_share():
    panel = daily_panel(300, 30, seed=1)
    task = _task(panel, top=10)
    once = b.random_names(task, np.random.default_rng(7), replaced=0.3)
    again = b.random_names(task, np.random.default_rng(7), replaced=0.3)
    assert np.array_equal(once, again, equal_nan=True)
    held = once[task.rows] > 0
    exchanged = (held[1:] & ~held[:-1]).sum(axis=1).mean() / 10
    assert 0.2 < exchanged < 0.4
    assert b.replacement_for(5.0, 50.0) == 0.1


def test_month_rows_are_the_last_sessions_of_months():
    panel = daily_panel(60, 2, seed=1)
    rows = b.month_rows(panel)
    months = panel.days // 100
    assert all(months[r] != months[r + 1] for r in rows) and len(rows) >= 2
