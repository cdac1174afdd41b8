"""The ground of the ranking contest: real daily bars, the 200 names of the highest trailing turnover of each day.

A day's members are chosen by what was known after its close: common shares that traded, by the median turnover of
the last sixty sessions. Windows are fixed: 2019-2021 to learn from, 2022 to stop by, 2023 to be judged on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from factoring.bins import Spans
from haetae.domain.panel import Panel
from haetae.research.market import load
from haetae.store.importer import ImportPlan, Prices, import_files
from haetae.store.lake import Lake

TOP, SESSIONS = 200, 60
TEST_YEAR = 2023
LEARN_UNTIL = 20211231
INDEX = "0001"

BoolArray = NDArray[np.bool_]
Int64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Bars of every name that is ever a member, and who is one on which day, ``(n_days, n_symbols)``."""

    panel: Panel
    who: BoolArray

    def rows_of(self, first: int, last: int) -> Int64Array:
        """Return the rows whose day lies in ``first <= day <= last``, yyyymmdd."""
        return np.flatnonzero((self.panel.days >= first) & (self.panel.days <= last))

    def spans(self) -> Spans:
        """Return each name's runs of membership as first and last row."""
        edges = np.diff(np.pad(self.who.astype(np.int8), ((1, 1), (0, 0))), axis=0)
        return {
            symbol: list(
                zip(
                    np.flatnonzero(edges[:, column] == 1).tolist(),
                    (np.flatnonzero(edges[:, column] == -1) - 1).tolist(),
                    strict=True,
                )
            )
            for column, symbol in enumerate(self.panel.symbols)
        }

    def grid(self, day: Int64Array, symbol: NDArray[np.str_], score: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return scores by day and symbol as ``(n_days, n_symbols)`` with NaN elsewhere."""
        values = np.full(self.who.shape, np.nan, dtype=np.float32)
        row = np.searchsorted(self.panel.days, day)
        column = np.searchsorted(np.array(self.panel.symbols), symbol)
        values[row, column] = score
        return values


def largest(panel: Panel, allowed: BoolArray, top: int = TOP, sessions: int = SESSIONS) -> BoolArray:
    """Return who is among the ``top`` of the allowed by median turnover over the last sessions, known at the close."""
    won = panel.close.astype(np.float64) * panel.volume
    who = np.zeros(won.shape, np.bool_)
    for row in range(sessions - 1, len(panel)):
        size = np.where(allowed[row], np.median(won[row - sessions + 1 : row + 1], axis=0), -1.0)
        best = np.argsort(-size, kind="stable")[:top]
        who[row, best[size[best] > 0.0]] = True
    return who


def ground_of(bars: Path, folder: Path) -> Ground:
    """Import a file of daily bars into a lake in the folder and return the ground on it."""
    lake = Lake(folder / "lake")
    import_files(lake, ImportPlan("daily", (bars,), "bench", Prices.ADJUSTED))
    market = load(lake, INDEX)
    who = largest(market.panel, market.panel.traded & market.common()[None, :])
    kept = np.flatnonzero(who.any(axis=0))
    return Ground(market.panel.columns(kept), np.ascontiguousarray(who[:, kept]))
