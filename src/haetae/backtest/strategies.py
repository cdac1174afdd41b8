"""A strategy over a stretch of the market: the same bars, rules and costs for every form of it.

Here: ``Ground`` (what all runs of a comparison share) and ``run_strategy``, which takes the compiled way where the
strategy is written over arrays, and otherwise asks ``propose`` with a view of each decision row. Not here: the walks
(``engine``, ``sim.batch``), the chain with desk and guards (``episode``), where the bars come from (``wiring``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.asking import view_at
from haetae.backtest.charges import scaled_costs, scaled_model
from haetae.backtest.engine import Listing, assumptions, kept_fills, run, walk
from haetae.backtest.result import Result, stale_value
from haetae.backtest.settings import BacktestSettings
from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel, empty_panel
from haetae.domain.units import day_from
from haetae.features import minute
from haetae.policies import SignalStrategy, Strategy, TargetStrategy, Task
from haetae.policies.authored import authors_errors
from haetae.policies.strategy import check
from haetae.sim import FillModel
from haetae.sim.batch import Batch, BatchMarket, run_signals
from haetae.sim.batch.signals import BatchResult

_MIN_BARS = 2

Heard: TypeAlias = Callable[[int, View, Proposal], None]
"""Told of every asking: the row of the whole panel, the view and what was proposed."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What all runs of a comparison share.

    Attributes
    ----------
    panel : Panel
        Daily or minute bars, look-back included.
    first : int
        Row from which decisions are taken and results count.
    eligible : (n_bars, n_symbols) bool
        Who may be bought, known at each row.
    daily : Panel
        Closed sessions with the same symbols, for views of a minute run; empty if there are none.
    shares_outstanding : (n_symbols,) or (n_bars, n_symbols) int64, optional
        Listed shares as known at each row.
    """

    panel: Panel
    first: int
    listing: Listing
    eligible: BoolArray
    daily: Panel = field(default_factory=empty_panel)
    shares_outstanding: Int64Array | None = None

    def __post_init__(self) -> None:
        """Refuse a stretch in which nothing could be traded."""
        if len(self.panel) - self.first < _MIN_BARS:
            raise DataError(
                Text(ko="거래할 봉이 없습니다", en="there are no bars to trade"),
                expected=f"at least {_MIN_BARS} bars from the first day asked for",
                found=f"{max(len(self.panel) - self.first, 0)}",
                next_step="widen --from and --to, or collect the days",
            )

    @property
    def traded(self) -> Panel:
        """The bars that are traded."""
        return self.panel.rows(self.first, len(self.panel))

    @property
    def is_daily(self) -> bool:
        """Whether a bar is a whole session."""
        return len(self.panel.sessions()) == len(self.panel)

    def task(self, rows: Int64Array) -> Task:
        """Return what array strategies are given."""
        return Task(self.panel, rows, self.eligible, shares_outstanding=self.shares_outstanding)

    def market(self) -> BatchMarket:
        """Return the traded bars with the rules of their days, prepared once for many runs."""
        return self.listing.prepare(self.traded)


def run_strategy(
    strategy: Strategy,
    ground: Ground,
    *,
    name: str = "",
    settings: BacktestSettings | None = None,
    model: FillModel | None = None,
    market: BatchMarket | None = None,
    heard: Heard | None = None,
) -> Result:
    """Return the result of one strategy on a ground.

    Parameters
    ----------
    market : BatchMarket, optional
        ``ground.market()`` prepared before, for sweeps over signals.
    heard : callable, optional
        Told of every view and proposal; array forms are not asked.

    Raises
    ------
    StrategyError
        If its code stops, or what it returned cannot be meant; nothing is traded on it.
    DataError
        If the bars cannot be traded on.
    """
    settings = settings or BacktestSettings()
    name = name or strategy.policy_id
    with authors_errors(type(strategy)):
        if isinstance(strategy, SignalStrategy):
            found = _signals(strategy, ground, name, settings, model, market)
        elif isinstance(strategy, TargetStrategy):
            rows = strategy.schedule().rows(ground.panel, ground.first)
            targets = strategy.checked_targets(ground.task(rows))[ground.first :]
            found = run(ground.traded, targets, name=name, listing=ground.listing, model=model, settings=settings)
        else:
            found = _asked(strategy, ground, name, settings, model, heard)
    return replace(found, bound=strategy.bound)


class Views:
    """Views of a ground's rows: windows of closed bars and, where asked for, minute features."""

    def __init__(self, strategy: Strategy, ground: Ground) -> None:
        """Prepare what is the same for every row."""
        self._strategy = strategy
        self._ground = ground
        self._daily = ground.is_daily
        panel = ground.panel
        if strategy.uses_features and not self._daily:
            fold = minute.init_state(len(panel.symbols))
            _, values = minute.fold(fold, panel, minute.session_minutes(panel))
            self._features: NDArray[np.float32] | None = values
        else:
            self._features = None
        self._closed = ground.daily.days if len(ground.daily) else np.zeros(0, np.int32)
        days = panel.days
        self._session_end = np.append(days[1:] != days[:-1], True) if len(days) else np.zeros(0, np.bool_)

    def at(self, row: int, *, held: Int64Array, cash: int, deposits: int) -> View:
        """Return the view at the end of a row of the whole panel."""
        ground, strategy = self._ground, self._strategy
        panel = ground.panel
        if self._daily:
            daily = panel.rows(max(0, row + 1 - strategy.sessions_back), row + 1)
            minutes = empty_panel(panel.symbols)
        else:
            before_tomorrow = int(panel.days[row]) + int(self._session_end[row])
            known = int(np.searchsorted(self._closed, before_tomorrow))
            daily = ground.daily.rows(max(0, known - strategy.sessions_back), known)
            minutes = panel.rows(max(0, row + 1 - strategy.minutes_back), row + 1)
        features = self._features
        none = np.zeros((len(panel.symbols), 0), np.float32)
        return view_at(
            panel,
            row,
            held=held,
            cash=cash,
            deposits=deposits,
            tradable=ground.eligible[row] & (panel.close[row] > 0),
            features=none if features is None else features[row],
            feature_names=() if features is None else minute.NAMES,
            daily=daily,
            minutes=minutes,
        )


def _asked(
    strategy: Strategy,
    ground: Ground,
    name: str,
    settings: BacktestSettings,
    model: FillModel | None,
    heard: Heard | None,
) -> Result:
    panel = ground.traded
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    seen = Views(strategy, ground)

    def decide(row: int, batch: Batch) -> NDArray[np.float64]:
        view = seen.at(row + ground.first, held=batch.shares[0].copy(), cash=int(batch.cash[0]), deposits=settings.cash)
        proposal = strategy.propose(view)
        check(proposal, view)
        if heard is not None:
            heard(row + ground.first, view, proposal)
        targets = np.full((1, len(places)), np.nan)
        for symbol, weight in proposal.targets.items():
            targets[0, places[symbol]] = weight
        return targets

    rows = strategy.schedule().rows(ground.panel, ground.first) - ground.first
    return walk(panel, rows, decide, name=name, listing=ground.listing, model=model, settings=settings)


def _signals(
    strategy: SignalStrategy,
    ground: Ground,
    name: str,
    settings: BacktestSettings,
    model: FillModel | None,
    market: BatchMarket | None,
) -> Result:
    panel = ground.traded
    signals = strategy.checked_signals(ground.panel)[ground.first :]
    entering = np.minimum(signals, ground.eligible[ground.first :])  # +1 only where it may be bought
    if settings.delay_bars:
        entering = np.vstack([np.zeros_like(entering[: settings.delay_bars]), entering[: -settings.delay_bars]])
    prepared = scaled_costs(market if market is not None else ground.market(), settings.cost_multiple_ppm)
    model = scaled_model(model or FillModel(), settings.cost_multiple_ppm)
    walked = run_signals(prepared, entering, round(strategy.fraction * 1e6), settings.cash, model)
    return signal_result(panel, walked, name, settings, prepared, model)


def signal_result(
    panel: Panel,
    walked: BatchResult,
    name: str,
    settings: BacktestSettings,
    market: BatchMarket,
    model: FillModel | None = None,
) -> Result:
    """Return the walk of signals as a ``Result``."""
    fills = walked.fills
    rows, amounts, buys = fills["bar"], np.abs(fills["quantity"]) * fills["price"], fills["quantity"] > 0

    def total(values: Int64Array) -> Int64Array:
        column = np.zeros(len(panel), np.int64)
        np.add.at(column, rows, values)
        return np.cumsum(column)

    fees, taxes = total(fills["fee"]), total(fills["tax"])
    bought, sold = total(np.where(buys, amounts, 0)), total(np.where(buys, 0, amounts))
    quantity = int(np.abs(fills["quantity"]).sum())
    return Result(
        name=name,
        symbols=panel.symbols,
        days=panel.days,
        initial_cash=settings.cash,
        equity=walked.equity.copy(),
        cash=settings.cash - bought + sold - fees - taxes,
        fees=fees,
        taxes=taxes,
        bought=bought,
        sold=sold,
        shares=walked.shares.copy(),
        stale_value=stale_value(panel.close, panel.traded, panel.days, walked.shares),
        orders=walked.n_orders,
        ordered=quantity,
        filled=quantity,
        assumptions=assumptions(market, model or FillModel(), settings),
        fills=kept_fills(fills, rows, panel),
        marks=panel.close[-1].copy(),
    )


def first_row(panel: Panel, day: int) -> int:
    """Return the first row of a panel on or after a day (yyyymmdd)."""
    return int(np.searchsorted(panel.days, day))


def spoken_period(ground: Ground) -> tuple[str, str]:
    """Return the first and last day of the traded bars as text."""
    days = ground.traded.days
    return day_from(int(days[0])).isoformat(), day_from(int(days[-1])).isoformat()
