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
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
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

    Notes
    -----
    The view's book carries positions at the mark instead of their cost: the batch simulator keeps
    no cost basis, and ready policies do not read it.
    """
    settings = settings or BacktestSettings()
    count = len(panel.symbols)
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    none = np.zeros((1, count), np.float32)
    known = none if scores is None else np.asarray(scores, np.float32)

    def decide(row: int, batch: Batch) -> NDArray[np.float64]:
        last, held, cash = panel.close[row], batch.shares[0].copy(), int(batch.cash[0])
        positions = {
            symbol: Position(symbol, int(held[place]), int(held[place] * last[place]))
            for symbol, place in places.items()
            if held[place]
        }
        view = View(
            at=int(panel.end[row]),
            day=day_from(int(panel.days[row])),
            symbols=panel.symbols,
            feature_names=tuple(feature_names),
            features=features[row],
            scores=known[row if len(known) > 1 else 0],
            last=last,
            held=held,
            tradable=last > 0,
            cash=cash,
            equity=cash + int((held * last).sum()),
            fear_greed=fear_greed,
            book=Book(cash=cash, deposits=settings.cash, positions=positions),
        )
        targets = np.full((1, count), np.nan)
        for symbol, weight in policy.propose(view).targets.items():
            targets[0, places[symbol]] = weight
        return targets

    return walk(panel, rows, decide, name=name, listing=listing, model=model, settings=settings)
