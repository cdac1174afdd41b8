"""The stages that hold and compare: scores to targets by one set of rules, and all baselines.

Every portfolio, the baselines too, trades the same symbols at the same decision rows through
``backtest`` with the same fills, fees and dated taxes. Scores of a row are known after its close;
orders meet the next session.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae import backtest
from haetae.backtest.engine import walk
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Won, day_from
from haetae.policies import LIBRARY, TargetStrategy
from haetae.policies.baselines import Task, random_names, replacement_for
from haetae.portfolio import Constraints, construct
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings
from haetae.sim.batch import Batch

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]
_SESSIONS_PER_YEAR = 246


@dataclass(frozen=True, slots=True, eq=False)
class Arena:
    """What all portfolios share.

    ``panel`` and ``universe`` span the whole history (baselines look back), only for symbols that
    were ever in the universe; trading begins after row ``first``. ``rows`` are decision rows.
    """

    panel: Panel
    columns: Int64Array
    universe: BoolArray
    first: int
    rows: Int64Array
    listing: backtest.Listing

    @property
    def traded(self) -> Panel:
        """The bars from the first decision row on."""
        return self.panel.rows(self.first, len(self.panel))


def arena(market: DailyMarket, universe: BoolArray, first: int, settings: ResearchSettings) -> Arena:
    """Return the common ground from the first decision row ``first`` on."""
    columns = np.flatnonzero(universe.any(axis=0)).astype(np.int64)
    panel = market.panel.columns(columns)
    known = {instrument.symbol: instrument for instrument in market.instruments(day_from(int(panel.days[-1])))}
    listing = backtest.Listing(instruments={symbol: known[symbol] for symbol in panel.symbols})
    rows = np.arange(first, len(panel) - 1, settings.rebalance_sessions, dtype=np.int64)
    return Arena(panel, columns, universe[:, columns], first, rows, listing)


def trailing_volatility(panel: Panel, row: int, window: int = 60) -> Float64Array:
    """Return the standard deviation of daily log returns up to a row, ``(n_symbols,)``, NaN if too young."""
    closes = panel.close[max(0, row - window) : row + 1].astype(np.float64)
    moves = np.diff(np.log(np.maximum(closes, 1.0)), axis=0)
    spread = moves.std(axis=0) if len(moves) else np.full(closes.shape[1], np.nan)
    return np.where(closes[0] > 0, spread, np.nan)


def constructed(
    ground: Arena, scores: FloatArray, limits: Constraints, settings: ResearchSettings, name: str
) -> tuple[Float64Array, backtest.Result]:
    """Return targets and result of holding the best scores of the universe under the constraints.

    Parameters
    ----------
    scores : (n_days, n_columns) float32
        For the columns of ``ground``; NaN is no opinion.

    Returns
    -------
    targets : (n_traded_days, n_columns) float64
        NaN where nothing was asked for.
    """
    panel = ground.traded
    targets = np.full(panel.close.shape, np.nan)

    def decide(row: int, batch: Batch) -> Float64Array | None:
        at = row + ground.first
        equity = int(batch.equity(batch.next_bar - 1)[0])
        weights = batch.shares[0] * panel.close[row] / max(equity, 1)
        held = {panel.symbols[s]: float(weights[s]) for s in np.flatnonzero(batch.shares[0])}
        members = np.flatnonzero(ground.universe[at] & np.isfinite(scores[at]))
        wanted = construct(
            day_from(int(panel.days[row])),
            {panel.symbols[s]: float(scores[at, s]) for s in members},
            dict(zip(panel.symbols, trailing_volatility(ground.panel, at).tolist(), strict=True)),
            held,
            limits,
            tradable=[panel.symbols[s] for s in np.flatnonzero(panel.traded[row])],
        )
        places = {symbol: s for s, symbol in enumerate(panel.symbols)}
        for symbol, weight in wanted.weights.items():
            if abs(weight - held.get(symbol, 0.0)) > 1e-9:
                targets[row, places[symbol]] = weight
        return targets[row : row + 1]

    result = walk(
        panel, ground.rows - ground.first, decide, name=name, listing=ground.listing, settings=settings.backtest
    )
    return targets, result


def baselines(
    ground: Arena, settings: ResearchSettings, matched_turnover: float, dice: np.random.Generator
) -> dict[str, backtest.Result]:
    """Return every ready array strategy of ``policies`` on the same rows, and random names of the same turnover.

    ``cap_weight`` is left out where no number of listed shares is known.

    Parameters
    ----------
    matched_turnover : float
        One-sided turnover a year that the random portfolio imitates.
    """
    known = ground.listing.named(ground.panel)
    listed = np.array([known[symbol].shares_outstanding for symbol in ground.panel.symbols], dtype=np.int64)
    task = Task(
        ground.panel,
        ground.rows,
        ground.universe & ground.panel.traded,
        top=settings.constraints.names,
        shares_outstanding=listed if listed.any() else None,
    )
    share = replacement_for(matched_turnover, _SESSIONS_PER_YEAR / settings.rebalance_sessions)
    ready = {name: made for name, made in LIBRARY.items() if issubclass(made, TargetStrategy)}
    if not listed.any():
        del ready["cap_weight"]
    grids: dict[str, Float64Array] = {name: _targets(made, task) for name, made in ready.items()}
    grids["random_names"] = random_names(task, dice, share)
    bounds = {name for name, made in ready.items() if made.bound}
    runs = {
        name: backtest.run(
            ground.traded, grid[ground.first :], name=name, listing=ground.listing, settings=settings.backtest
        )
        for name, grid in grids.items()
    }
    # A bound is no benchmark to beat: unmarked it would be the best one of every report.
    return {name: dataclasses.replace(run, bound=name in bounds) for name, run in runs.items()}


def _targets(made: type[TargetStrategy], task: Task) -> Float64Array:
    parameters = {"top": task.top} if "top" in made.defaults() else {}
    return made(**parameters).checked_targets(task)


def index_run(market: DailyMarket, first: int, cash: Won) -> backtest.Result | None:
    """Return the index from row ``first`` on, or None where the lake lacks it; a missing day keeps the last close."""
    if market.index_close is None:
        return None
    closes = market.index_close[first:].astype(np.float64)
    if closes[0] <= 0:
        return None
    for row in range(1, len(closes)):
        closes[row] = closes[row] if closes[row] > 0 else closes[row - 1]
    return backtest.index_result("KOSPI", market.panel.days[first:], closes, cash)


def pack_targets(targets: Float64Array, ground: Arena) -> bytes:
    """Return targets with their days and symbols as one file."""
    buffer = io.BytesIO()
    symbols = np.array(ground.panel.symbols)
    np.savez_compressed(buffer, allow_pickle=False, targets=targets, days=ground.traded.days, symbols=symbols)
    return buffer.getvalue()


def unpack(blob: bytes) -> Mapping[str, NDArray[Any]]:
    """Return the arrays of a stored file by name."""
    with np.load(io.BytesIO(blob), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
