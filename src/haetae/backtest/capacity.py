"""How much money a strategy carries before its orders are too large for their bars.

An order of a larger account is larger in proportion, so a fill of Q shares out of V traded, made by
an account worth E, would be a share p of its bar in an account of p E V / Q. Capacity at p is the
account at which 95 % of the money traded stays within p (one thin bar does not decide), and beside
it the account whose first order goes beyond (one thin bar decides). A limit on participation is what
can be read from bars without a model of impact; when impact has eaten the excess return, the question
of Vangelisti (2006), "The capacity of an equity strategy", it does not say, and that may be sooner.

Known at the end of the run. The simulator itself fills no more than its volume share of a bar, so
where orders were cut (fill rate below 1) the account was already beyond that share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haetae.backtest.result import Result
from haetae.domain.units import Won

SHARES_PPM = (10_000, 50_000, 100_000)
"""1, 5 and 10 % of a bar: hardly seen, felt, and what the simulator allows by default."""
WITHIN = 0.95


@dataclass(frozen=True, slots=True)
class Capacity:
    """Largest account at one share of volume, in won; see the module for both meanings."""

    share_ppm: int
    account: Won
    first_beyond: Won


@dataclass(frozen=True, slots=True)
class Participation:
    """What share of their bars the run's own fills were, by money traded, and its capacities."""

    median: float
    within_95: float
    largest: float
    capacities: tuple[Capacity, ...]


def participation(result: Result) -> Participation | None:
    """Return shares of volume and capacities of a run; None where no fills were kept.

    Fills of a name in one bar count together, buys and sales alike.
    """
    fills = result.fills
    if not len(fills):
        return None
    key = fills["row"] * max(len(result.symbols), 1) + fills["symbol"]
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    shares, money = (np.zeros(len(first), np.int64) for _ in range(2))
    np.add.at(shares, place, np.abs(fills["quantity"]))
    np.add.at(money, place, np.abs(fills["quantity"]) * fills["price"])
    part = shares / np.maximum(fills["volume"][first], 1)
    equity = np.maximum(result.equity[fills["row"][first]], 1)
    whole_bar = equity / part
    by_part, by_account = np.argsort(part, kind="stable"), np.argsort(whole_bar, kind="stable")
    return Participation(
        median=float(part[by_part][_reached(money[by_part], 0.5)]),
        within_95=float(part[by_part][_reached(money[by_part], WITHIN)]),
        largest=float(part.max()),
        capacities=tuple(
            Capacity(
                share_ppm=ppm,
                account=int(whole_bar[by_account][_reached(money[by_account], 1.0 - WITHIN)] * ppm / 1e6),
                first_beyond=int(whole_bar.min() * ppm / 1e6),
            )
            for ppm in SHARES_PPM
        ),
    )


def _reached(weights: np.ndarray, level: float) -> int:
    """Return the first place at which so much of the weight is behind."""
    return int(np.searchsorted(np.cumsum(weights), level * weights.sum()))
