"""What is audited: a strategy that can be made anew, on a ground, and what it decides there.

Decisions of every form are told the same way: one row of numbers for each row that is asked, NaN where a symbol is left
as it is. Arrays give them directly; ``propose`` is asked again from where a run sat (`Seat`), so that the account does
not carry a difference from one decision into the next. Not here: what is compared with what (the checks beside this).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.result import Result
from haetae.backtest.settings import BacktestSettings
from haetae.backtest.strategies import Ground, Views, run_strategy
from haetae.domain.decisions import Proposal, View
from haetae.domain.errors import StrategyError, Text
from haetae.domain.market import Int64Array
from haetae.domain.units import kst_text
from haetae.policies import SignalStrategy, Strategy, TargetStrategy
from haetae.policies.strategy import check
from haetae.sim import FillModel

Grid = NDArray[np.float64]
PATH = ("equity", "cash", "fees", "taxes", "bought", "sold")
"""The columns of a result that are compared, to the won."""


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Where a run sat when it asked: the row of the whole panel, shares and cash."""

    row: int
    held: Int64Array
    cash: int


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A strategy on a ground.

    Attributes
    ----------
    make : callable
        Returns a new instance with the same parameters.
    """

    make: Callable[[], Strategy]
    ground: Ground
    settings: BacktestSettings = dataclasses.field(default_factory=BacktestSettings)

    @property
    def by_arrays(self) -> bool:
        """Whether it decides by whole arrays; else it is asked view by view."""
        return isinstance(self.make(), SignalStrategy | TargetStrategy)

    def on(self, ground: Ground) -> Subject:
        """Return the same strategy on another ground."""
        return dataclasses.replace(self, ground=ground)

    def asked_rows(self) -> Int64Array:
        """Return the rows of the panel at whose end it decides; a ``StrategyError`` if there is none."""
        strategy, ground = self.make(), self.ground
        if isinstance(strategy, SignalStrategy):
            rows = np.arange(ground.first, len(ground.panel) - 1, dtype=np.int64)
        else:
            rows = strategy.schedule().rows(ground.panel, ground.first)
        if not len(rows):
            raise StrategyError(
                Text(ko="이 기간에 한 번도 묻지 않았습니다", en="the strategy is never asked in this period"),
                expected=f"a period longer than every = {strategy.every!r}",
                found=f"{len(ground.traded)} bars",
                next_step="--from / --to",
            )
        return rows

    def run(self, model: FillModel | None = None, strategy: Strategy | None = None) -> Result:
        """Return the result of a run by a new instance, or by the one given."""
        return run_strategy(strategy or self.make(), self.ground, settings=self.settings, model=model)

    def seats(self) -> tuple[list[Seat], Result]:
        """Return where a run sat at each asking, and its result; array forms have no seats."""
        heard: list[Seat] = []
        result = run_strategy(
            self.make(),
            self.ground,
            settings=self.settings,
            heard=lambda row, view, _proposal: heard.append(Seat(row, view.held.copy(), view.cash)),
        )
        return heard, result

    def views(self, seats: Iterable[Seat]) -> list[View]:
        """Return the views of a ground from seats."""
        seen = Views(self.make(), self.ground)
        return [seen.at(seat.row, held=seat.held, cash=seat.cash, deposits=self.settings.cash) for seat in seats]

    def grid(self, rows: Int64Array, strategy: Strategy | None = None) -> Grid:
        """Return what an array form decides: signals of every bar, or targets with those of ``rows``."""
        strategy = strategy or self.make()
        if isinstance(strategy, SignalStrategy):
            return strategy.checked_signals(self.ground.panel).astype(np.float64)
        assert isinstance(strategy, TargetStrategy)
        return strategy.checked_targets(self.ground.task(rows))


def proposed(strategy: Strategy, views: Sequence[View]) -> Grid:
    """Return what a strategy proposes for views, ``(n_views, n_symbols)``; what cannot be meant is refused."""
    found = np.full((len(views), len(views[0].symbols) if views else 0), np.nan)
    for place, view in enumerate(views):
        proposal = strategy.propose(view)
        check(proposal, view)
        found[place] = weights_of(proposal, view)
    return found


def weights_of(proposal: Proposal, view: View) -> Grid:
    """Return a proposal's weights in the order of the view's symbols, NaN where a symbol is left alone."""
    return np.array([proposal.targets.get(symbol, np.nan) for symbol in view.symbols], np.float64)


def first_difference(one: Grid, other: Grid, slack: float = 0.0) -> tuple[int, int] | None:
    """Return the first place in which two grids differ by more than ``slack``; NaN equals NaN."""
    same = (np.isnan(one) & np.isnan(other)) | (np.abs(one - other) <= slack)
    moved = np.argwhere(~same)
    return (int(moved[0, 0]), int(moved[0, 1])) if len(moved) else None


def first_path_difference(one: Result, other: Result, rows: int) -> tuple[int, str] | None:
    """Return the first of the first ``rows`` bars in which two results differ by a won, and in what."""
    found = [
        (int(np.flatnonzero(moved)[0]), name)
        for name in PATH
        if (moved := getattr(one, name)[:rows] != getattr(other, name)[:rows]).any()
    ]
    return min(found, default=None)


def place_text(ground: Ground, row: int, column: int | None = None) -> str:
    """Return a row and a symbol as people read them."""
    symbol = "" if column is None else f", {ground.panel.symbols[column]}"
    return f"row {row}, {kst_text(int(ground.panel.end[row]))}{symbol}"
