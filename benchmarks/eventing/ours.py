"""Our side of the event benchmark: the desk with every guard, on the simulated exchange, under a Python strategy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from eventing.workload import CASH, FAST, FRACTION, SLOW
from haetae import sim
from haetae.backtest.episode import Session
from haetae.desk import DeskSettings, ReviewMode
from haetae.domain.decisions import Proposal, View
from haetae.domain.events import SessionStart
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.execution import PlanSettings
from haetae.guards import TrialLimits
from haetae.krx import Rulebook
from haetae.sim import FillModel, Venue

_WIDE = 1_000_000_000
_GAP = np.repeat([-FAST, SLOW - FAST], [SLOW - FAST, FAST])
"""Weights of the newest closes: their sum has the sign of the fast mean over the slow one."""


class Cross:
    """Long while the fast mean is above the slow one, flat otherwise; a share of equity each, whole shares."""

    policy_id = "cross-1"

    def propose(self, view: View) -> Proposal:
        closes = view.minutes.close
        targets: dict[str, float] = {}
        if len(closes) >= SLOW:
            gap = _GAP @ closes[-SLOW:]
            for column in np.flatnonzero((gap > 0) != (view.held > 0)).tolist():
                if gap[column]:
                    targets[view.symbols[column]] = FRACTION if gap[column] > 0 else 0.0
        return Proposal(f"P{view.at}", view.at, self.policy_id, targets)


def settings(review: ReviewMode = ReviewMode.OFF) -> DeskSettings:
    """A decision each minute, and limits that deny nothing; every guard still looks at every order."""
    limits = TrialLimits(
        entry_after_open_s=0,
        entry_before_auction_s=60,
        day_volume_ppm=_WIDE,
        turnover_share_ppm=_WIDE,
        max_order_ppm=1_000_000,
        max_position_ppm=1_000_000,
        max_sector_ppm=1_000_000,
        max_gross_ppm=1_000_000,
        max_top5_ppm=1_000_000,
        orders_per_minute=1_000,
        orders_per_hour=60_000,
        orders_per_day=400_000,
        orders_per_symbol_day=400,
        daily_buys_ppm=_WIDE,
        daily_turnover_ppm=_WIDE,
        day_loss_reduce_ppm=1_000_000,
        day_loss_halt_ppm=1_000_000,
        drawdown_ppm=1_000_000,
        losing_exits=1_000_000,
        rest_after_loss=False,
        new_names_per_day=1_000,
        orders_per_second=1_000,
        week_loss_ppm=1_000_000,
        changes_per_symbol_day=1_000_000,
        require_reconciled=False,
        require_vitals=False,
    )
    plan = PlanSettings(band_ppm=0, min_order_won=0, cash_floor_ppm=0, max_legs=50)
    return DeskSettings(
        decision_minutes=1, first_decision_minute=1, max_commands=1_000_000, review=review, plan=plan, limits=limits
    )


def sessions(panel: Panel) -> Iterator[Session]:
    """Yield the days of a panel; base prices are the closes before."""
    closes = panel.open[0]
    for day, first, last in panel.sessions():
        rules = Rulebook.on(day)
        start = SessionStart(
            at=rules.session.orders_from,
            symbols=panel.symbols,
            base_prices=dict(zip(panel.symbols, closes.tolist(), strict=True)),
            scores={},
            tradable=frozenset(panel.symbols),
            fear_greed=50.0,
            markets={},
            sectors={symbol: f"{n % 10:02d}" for n, symbol in enumerate(panel.symbols)},
            average_turnover=dict.fromkeys(panel.symbols, 10**13),
            kinds=dict.fromkeys(panel.symbols, Kind.COMMON.value),
        )
        closes = panel.close[last - 1]
        yield Session(start, rules, (panel.slice_at(row) for row in range(first, last)))


def venue(panel: Panel) -> Venue:
    """Return the exchange on the first morning."""
    listed = {
        symbol: Instrument(symbol, symbol, Market.KOSPI, Kind.COMMON, panel.sessions()[0][0], base, 10**9)
        for symbol, base in zip(panel.symbols, panel.open[0].tolist(), strict=True)
    }
    rules = Rulebook.on(panel.sessions()[0][0])
    return sim.open_venue(rules, listed, CASH, model=FillModel(volume_share_ppm=1_000_000))
