"""A strategy over minutes with the whole desk around it: plan of legs, guards, escape, books, as on a live day.

Slower than ``strategies.run_strategy`` by some orders, and nearer to a live day: what the guards refuse is refused.
Here: the mornings of a ground's days. Not here: the loop (``episode``), the desk (``desk``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from haetae import sim
from haetae.backtest.episode import Decide, Record, Session, run_episode
from haetae.backtest.result import Result
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.strategies import Ground
from haetae.desk import DeskSettings, open_desk, warm
from haetae.desk.settings import ReviewMode
from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.errors import StrategyError, Text
from haetae.domain.events import SessionStart
from haetae.domain.market import Instrument, Int64Array, Slice
from haetae.domain.units import Instant, Symbol, yyyymmdd
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.policies import Strategy
from haetae.policies.asked import OnSchedule
from haetae.policies.authored import authors_errors
from haetae.sim import FillModel

_TURNOVER_SESSIONS = 20


def run_through_desk(
    strategy: Strategy,
    ground: Ground,
    *,
    name: str = "",
    settings: BacktestSettings | None = None,
    desk: DeskSettings | None = None,
    model: FillModel | None = None,
    decide: Decide | None = None,
    record: Record | None = None,
) -> Result:
    """Return the result of a strategy on minute bars with desk and guards around it.

    Parameters
    ----------
    desk : DeskSettings
        The strategy's schedule replaces how often the desk asks.
    decide : callable, optional
        Who reviews a leg; without one the review is off.

    Raises
    ------
    StrategyError
        On daily bars: a desk lives through minutes.
    """
    if ground.is_daily:
        raise StrategyError(
            Text(ko="데스크는 분봉으로만 돕니다", en="a desk lives through minutes"),
            expected=Text(ko="분봉", en="minute bars"),
            found=Text(ko="일봉", en="daily bars").en,
            next_step="--bars minute",
        )
    settings = settings or BacktestSettings()
    chosen = desk or DeskSettings()
    policy = OnSchedule(strategy, chosen.first_decision_minute)
    chosen = replace(
        chosen,
        decision_minutes=policy.decision_minutes,
        review=ReviewMode.ASK if decide is not None else ReviewMode.OFF,
        limits=replace(chosen.limits, require_vitals=False),  # a simulation has no machinery to measure
    )
    first = ground.traded.sessions()[0][0]
    instruments = ground.listing.named(ground.panel)
    venue = sim.open_venue(Rulebook.on(first), instruments, settings.cash, model=model)
    earlier = ground.panel.rows(0, ground.first)
    known = ground.daily.rows(0, int(np.searchsorted(ground.daily.days, yyyymmdd(first))))
    with authors_errors(type(strategy)):
        track = run_episode(
            warm(open_desk(chosen, open_book(settings.cash)), earlier, known),
            venue,
            mornings(ground, instruments),
            policy,
            decide or _nobody,
            record,
        )
    return track.result(name or strategy.policy_id)


def mornings(ground: Ground, instruments: dict[Symbol, Instrument]) -> Iterator[Session]:
    """Yield each traded day: what was known before its open, its rules, its minutes."""
    panel = ground.panel
    for day, first, last in panel.sessions():
        if first < ground.first:
            continue
        rules = Rulebook.on(day)
        before = panel.close[first - 1] if first else panel.open[first]
        base = np.where(before > 0, before, panel.open[first])
        turnover = _usual_turnover(ground, first)
        start = SessionStart(
            at=rules.session.orders_from,
            symbols=panel.symbols,
            base_prices=_priced(panel.symbols, base),
            scores={},
            tradable=frozenset(s for s, may in zip(panel.symbols, ground.eligible[first], strict=True) if may),
            fear_greed=50.0,
            markets={symbol: item.market.value for symbol, item in instruments.items()},
            sectors={symbol: item.sector for symbol, item in instruments.items()},
            average_turnover=_priced(panel.symbols, turnover),
            kinds={symbol: item.kind.value for symbol, item in instruments.items()},
        )
        yield Session(start, rules, _slices(ground, first, last))


def _usual_turnover(ground: Ground, first: int) -> Int64Array:
    """Return the mean won traded a session before a row, by the closed sessions, else by the minutes shown."""
    panel = ground.panel
    known = int(np.searchsorted(ground.daily.days, panel.days[first]))
    if known:
        recent, count = ground.daily.rows(max(0, known - _TURNOVER_SESSIONS), known), min(known, _TURNOVER_SESSIONS)
    else:
        recent, count = panel.rows(0, first), len(np.unique(panel.days[:first]))
    return (recent.close * recent.volume).sum(axis=0) // max(count, 1)


def _slices(ground: Ground, first: int, last: int) -> Iterator[Slice]:
    for row in range(first, last):
        yield ground.panel.slice_at(row)


def _priced(symbols: tuple[Symbol, ...], values: np.ndarray) -> dict[Symbol, int]:
    return {symbol: int(value) for symbol, value in zip(symbols, values.tolist(), strict=True) if value > 0}


def _nobody(_brief: Brief, _at: Instant) -> AgentReply | None:
    return None
