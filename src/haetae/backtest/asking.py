"""A policy of the live day over a panel: the same ``View``, the same ``propose``, simulated orders.

Here: building the view of each decision row and reading the proposal as targets. Not here: the walk
(``engine``), the agent's review and the guards, which a simulated account does not have; the full
chain is ``episode``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haetae.backtest.engine import Listing, walk
from haetae.backtest.result import Result
from haetae.backtest.settings import BacktestSettings
from haetae.domain.account import Book, Position
from haetae.domain.decisions import View
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel, empty_panel
from haetae.domain.units import Won, day_from
from haetae.ports import Policy
from haetae.sim import FillModel
from haetae.sim.batch import Batch


def run_policy(
    panel: Panel,
    policy: Policy,
    rows: Int64Array,
    *,
    name: str,
    features: NDArray[np.float32],
    feature_names: Sequence[str],
    scores: NDArray[np.float32] | None = None,
    fear_greed: float = 50.0,
    listing: Listing | None = None,
    model: FillModel | None = None,
    settings: BacktestSettings | None = None,
) -> Result:
    """Return the result of asking a policy at the end of each row in ``rows``.

    Parameters
    ----------
    features : (n_bars, n_symbols, n_features) float32
        Known at the end of each row.
    scores : (n_bars, n_symbols) or (1, n_symbols) float32, optional
        Rank scores known at each row; 0 when not given.
    fear_greed : float
        0 to 100, the same for the whole run; 50 is neutral.
    """
    settings = settings or BacktestSettings()
    count = len(panel.symbols)
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    none = np.zeros((1, count), np.float32)
    known = none if scores is None else np.asarray(scores, np.float32)

    def decide(row: int, batch: Batch) -> NDArray[np.float64]:
        view = view_at(
            panel,
            row,
            held=batch.shares[0].copy(),
            cash=int(batch.cash[0]),
            deposits=settings.cash,
            tradable=panel.close[row] > 0,
            features=features[row],
            feature_names=feature_names,
            scores=known[row if len(known) > 1 else 0],
            fear_greed=fear_greed,
        )
        targets = np.full((1, count), np.nan)
        for symbol, weight in policy.propose(view).targets.items():
            targets[0, places[symbol]] = weight
        return targets

    return walk(panel, rows, decide, name=name, listing=listing, model=model, settings=settings)


def view_at(
    panel: Panel,
    row: int,
    *,
    held: Int64Array,
    cash: Won,
    deposits: Won,
    tradable: BoolArray,
    features: NDArray[np.float32],
    feature_names: Sequence[str],
    scores: NDArray[np.float32] | None = None,
    fear_greed: float = 50.0,
    daily: Panel | None = None,
    minutes: Panel | None = None,
) -> View:
    """Return what a policy sees at the end of a row of a panel, beside an account of shares and cash.

    The book carries positions at the mark instead of their cost: the batch simulator keeps no cost basis.
    """
    last = panel.close[row]
    positions = {
        panel.symbols[place]: Position(panel.symbols[place], int(held[place]), int(held[place] * last[place]))
        for place in np.flatnonzero(held)
    }
    return View(
        at=int(panel.end[row]),
        day=day_from(int(panel.days[row])),
        symbols=panel.symbols,
        feature_names=tuple(feature_names),
        features=features,
        scores=np.zeros(len(panel.symbols), np.float32) if scores is None else scores,
        last=last,
        held=held,
        tradable=tradable,
        cash=cash,
        equity=cash + int((held * last).sum()),
        fear_greed=fear_greed,
        book=Book(cash=cash, deposits=deposits, positions=positions),
        daily=empty_panel(panel.symbols) if daily is None else daily,
        minutes=empty_panel(panel.symbols) if minutes is None else minutes,
    )
