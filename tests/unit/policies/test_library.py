from __future__ import annotations

import numpy as np
import pytest

from haetae.domain.errors import DataError
from haetae.policies import LIBRARY, SignalStrategy, TargetStrategy
from haetae.policies import baselines as b
from haetae.policies.baselines import Task, listed
from panels import daily_panel
from views import view_of

PANEL = daily_panel(320, 14, seed=4)
ROWS = b.decision_rows(PANEL, every_sessions=20)
SHARES = np.arange(1, 15) * 1_000
TASK = Task(PANEL, ROWS, listed(PANEL), shares_outstanding=SHARES)
TARGETS = sorted(name for name, made in LIBRARY.items() if issubclass(made, TargetStrategy))
PLAIN = {
    "cash": b.cash,
    "buy_and_hold": b.buy_and_hold,
    "equal_weight": b.equal_weight,
    "cap_weight": b.cap_weight,
    "momentum_12_1": b.momentum,
    "reversal_5": b.reversal,
    "low_volatility_60": b.low_volatility,
    "perfect_foresight": b.perfect_foresight,
}


def test_every_baseline_of_the_functions_is_ready_by_name() -> None:
    assert {*PLAIN, "sma_cross", "optimised"} == set(LIBRARY)
    assert set(PLAIN) == set(TARGETS)
    assert [name for name, made in LIBRARY.items() if made.bound] == ["perfect_foresight"]
    assert issubclass(LIBRARY["sma_cross"], SignalStrategy)


@pytest.mark.parametrize("name", TARGETS)
def test_a_ready_strategy_decides_what_its_function_decides(name: str) -> None:
    assert np.array_equal(LIBRARY[name]().checked_targets(TASK), PLAIN[name](TASK), equal_nan=True)


def test_parameters_reach_the_functions() -> None:
    held = (LIBRARY["reversal_5"](look_back=20, top=3).checked_targets(TASK)[ROWS] > 0).sum(axis=1)
    assert set(held[2:].tolist()) == {3}
    other = b.reversal(TASK.holding(3), 20)
    assert np.array_equal(LIBRARY["reversal_5"](look_back=20, top=3).checked_targets(TASK), other, equal_nan=True)


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"perfect_foresight", "cap_weight", "cash"}))
def test_asked_by_a_view_it_decides_what_its_arrays_say(name: str) -> None:
    row = int(ROWS[-1])
    said = LIBRARY[name]().checked_targets(Task(PANEL, np.array([row]), listed(PANEL)))[row]
    proposed = LIBRARY[name]().propose(view_of(PANEL, row, tradable=listed(PANEL)[row])).targets
    assert proposed == {PANEL.symbols[s]: said[s] for s in np.flatnonzero(~np.isnan(said))}


def test_buy_and_hold_leaves_an_account_alone_that_has_bought() -> None:
    made = LIBRARY["buy_and_hold"]()
    held = np.zeros(14, np.int64)
    assert len(made.propose(view_of(PANEL)).targets) == 14
    held[3] = 1
    assert made.propose(view_of(PANEL, held=held)).targets == {}


def test_the_market_needs_listed_shares_known_on_the_day() -> None:
    known = np.zeros(PANEL.close.shape, np.int64)
    known[200:] = SHARES
    by_row = Task(PANEL, ROWS[-3:], listed(PANEL), shares_outstanding=known)
    weights = LIBRARY["cap_weight"]().checked_targets(by_row)[ROWS[-1]]
    worth = PANEL.close[ROWS[-1]] * SHARES
    assert weights == pytest.approx(worth / worth.sum())
    with pytest.raises(DataError, match="listed shares"):
        LIBRARY["cap_weight"]().checked_targets(Task(PANEL, ROWS[:1], listed(PANEL), shares_outstanding=known))
