"""A strategy over minutes with the whole desk around it, beside the same strategy on the account alone."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from haetae.backtest import BacktestSettings, Ground, Listing, run_strategy
from haetae.backtest.deskdays import run_through_desk
from haetae.desk import DeskSettings
from haetae.domain.errors import StrategyError
from haetae.domain.events import Note, Submit
from haetae.policies import Strategy
from random_panels import daily_panel, minute_panel

SETTINGS = BacktestSettings(cash=1_000_000_000)


class Some(Strategy):
    """Wants a little of every other name, another half each time."""

    every = "20m"
    size: float = 0.01

    def propose(self, view):
        turn = (view.at // 60_000_000_000) // 20 % 2
        chosen = {s: self.size for n, s in enumerate(view.symbols) if n % 2 == turn and view.tradable[n]}
        return self.hold(view, chosen, close_others=True)


class Rash(Some):
    """Wants far more than the guards allow."""

    size: float = 0.25


def ground(sessions: int = 3) -> Ground:
    panel = minute_panel(5, symbols=4, sessions=sessions, minutes=380, quiet=0.02)
    return Ground(panel, 380, Listing(), panel.traded & (panel.close > 0))


def test_the_desk_lives_through_the_minutes_and_its_account_balances():
    told = []
    result = run_through_desk(Some(), ground(), settings=SETTINGS, record=lambda e, cs: told.append((e, cs)))
    assert len(result.days) == 2 * 380 and result.orders > 5
    left = result.initial_cash - result.bought + result.sold - result.fees - result.taxes
    assert np.array_equal(left, result.cash)
    asked = {c.at for _, cs in told for c in cs if isinstance(c, Note) and c.kind == "proposal.planned"}
    assert len(asked) >= 2 * 15


def test_what_the_guards_refuse_is_refused_here_and_not_on_the_account_alone():
    told = []
    run_through_desk(Rash(), ground(), settings=SETTINGS, record=lambda e, cs: told.append((e, cs)))
    sent = [c.order for _, cs in told for c in cs if isinstance(c, Submit)]
    limit = DeskSettings().limits.max_order_ppm
    assert all(o.quantity * o.intent.limit_price <= 1_050_000_000 * limit // 1_000_000 for o in sent)
    free = run_strategy(Rash(), ground(), settings=SETTINGS)
    assert free.bought[-1] > 1_050_000_000 * limit // 1_000_000


def test_the_same_ground_gives_the_same_path_twice():
    one, two = (run_through_desk(Some(), ground(), settings=SETTINGS) for _ in range(2))
    assert np.array_equal(one.equity, two.equity) and one.orders == two.orders


def test_daily_bars_are_refused_with_the_next_step():
    panel = daily_panel(3, symbols=4, sessions=30)
    days = Ground(panel, 5, Listing(), panel.traded)
    with pytest.raises(StrategyError) as caught:
        run_through_desk(Some(), days)
    assert caught.value.next_step == "--bars minute"


def test_the_schedule_of_the_strategy_is_the_desks():
    told = []
    desk = dataclasses.replace(DeskSettings(), decision_minutes=3)
    run_through_desk(Some(), ground(2), settings=SETTINGS, desk=desk, record=lambda e, cs: told.append(e))
    asked = sorted(e.at for e in told if type(e).__name__ == "Proposal")
    assert {b - a for a, b in itertools.pairwise(asked)} == {20 * 60_000_000_000}
