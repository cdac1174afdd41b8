"""Running points: the ground as plain arrays that any process can be handed, and the loop body of a sweep.

A worker opens the work once (bars, rules of their days), then runs job after job on it. Not here: who starts workers
and how the arrays reach them (`executors`, `processes`, `cluster`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.engine import Listing
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.strategies import Ground, run_strategy
from haetae.backtest.sweep.points import Job, Outcome, Status
from haetae.backtest.sweep.scoring import figures_of
from haetae.backtest.sweep.space import Parameters
from haetae.domain.errors import StrategyError
from haetae.domain.panel import Panel, empty_panel
from haetae.policies import SignalStrategy, Strategy
from haetae.sim.batch import BatchMarket

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
Run: TypeAlias = Callable[[Job], Outcome]
_BLOCKS = ("days", "start", "end", "open", "high", "low", "close", "volume", "traded")


class Recipe(Protocol):
    """How a worker turns shared arrays into something that runs jobs; small, and sent as bytes."""

    def open(self, arrays: Arrays) -> Run:
        """Return what runs a job."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What all jobs of a sweep share: large arrays that are handed over once, and the recipe."""

    arrays: Arrays
    recipe: Recipe


class MakeStrategy(Protocol):
    """Makes the strategy of a point; can be sent to another process."""

    def __call__(self, parameters: Parameters) -> Strategy:
        """Return the strategy; ``StrategyError`` where the parameters do not fit."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class GroundRecipe:
    """Everything of a sweep over a ground except its arrays."""

    make: MakeStrategy
    symbols: tuple[str, ...]
    first: int
    listing: Listing
    settings: BacktestSettings

    def open(self, arrays: Arrays) -> Run:
        """Return what runs jobs on the ground these arrays hold."""
        panel, daily = _panel("panel", self.symbols, arrays), _panel("daily", self.symbols, arrays)
        ground = Ground(panel, self.first, self.listing, arrays["eligible"], daily, arrays.get("shares_outstanding"))
        return Bench(ground, self.make, self.settings).run


def work_of(ground: Ground, make: MakeStrategy, settings: BacktestSettings) -> Work:
    """Return a ground and a maker of strategies as work for executors."""
    arrays = {f"panel.{name}": getattr(ground.panel, name) for name in _BLOCKS}
    if len(ground.daily):
        arrays |= {f"daily.{name}": getattr(ground.daily, name) for name in _BLOCKS}
    arrays["eligible"] = ground.eligible
    if ground.shares_outstanding is not None:
        arrays["shares_outstanding"] = ground.shares_outstanding
    return Work(arrays, GroundRecipe(make, ground.panel.symbols, ground.first, ground.listing, settings))


class Bench:
    """A ground with the rules of the window in use prepared, so that signals pay for them once."""

    def __init__(self, ground: Ground, make: MakeStrategy, settings: BacktestSettings) -> None:
        """Keep the ground; nothing is prepared before a job asks."""
        self._ground = ground
        self._make = make
        self._settings = settings
        self._window = (-1, -1)
        self._part = ground
        self._market: BatchMarket | None = None

    def run(self, job: Job) -> Outcome:
        """Return what came of a job; a refusal of the strategy is an outcome, bad data is an error."""
        if (job.first, job.last) != self._window:
            self._part, self._market = window(self._ground, job.first, job.last), None
            self._window = (job.first, job.last)
        try:
            strategy = self._make(job.parameters)
            if self._market is None and isinstance(strategy, SignalStrategy):
                self._market = self._part.market()
            result = run_strategy(strategy, self._part, settings=self._settings, market=self._market)
        except StrategyError as refusal:
            return Outcome(job, Status.REFUSED, reason=f"{refusal.message}: {refusal.found}")
        return Outcome(job, Status.DONE, figures_of(result), result.daily_returns())


def window(ground: Ground, first: int, last: int) -> Ground:
    """Return the ground as it was known at the end of row ``last - 1``, traded from row ``first``.

    Rows before ``first`` stay as look-back; no bar from ``last`` on is in it.
    """
    if (first, last) == (ground.first, len(ground.panel)):
        return ground
    panel = ground.panel.rows(0, last)
    known = int(np.searchsorted(ground.daily.days, int(panel.days[-1]), side="right"))
    listing = ground.listing
    if first != ground.first or isinstance(listing.base_prices, np.ndarray):
        listing = dataclasses.replace(listing, base_prices=_base_prices(ground, first, last))
    return dataclasses.replace(
        ground,
        panel=panel,
        first=first,
        listing=listing,
        eligible=ground.eligible[:last],
        daily=ground.daily.rows(0, known),
    )


def _base_prices(ground: Ground, first: int, last: int) -> NDArray[np.int64] | None:
    """Return the rows of given base prices that a window trades; a mapping speaks of the first session alone."""
    given = ground.listing.base_prices
    if not isinstance(given, np.ndarray):
        return None
    days = np.unique(ground.traded.days)
    inside = np.unique(ground.panel.days[first:last])
    return np.asarray(given[np.isin(days, inside)])


def _panel(name: str, symbols: tuple[str, ...], arrays: Arrays) -> Panel:
    if f"{name}.days" not in arrays:
        return empty_panel()
    return Panel(symbols, *(arrays[f"{name}.{block}"] for block in _BLOCKS))
