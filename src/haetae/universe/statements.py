"""Figures of financial statements as they were known on a day.

Two groups are read. *Flows* of a business year (profit, sales, return on equity) come from the newest yearly
period that is whole: a source lists the running year beside the past ones, so a yearly period counts where the
same month of the year before is known too, or where no period has such a neighbour. *States* (equity,
liabilities, assets) come from the newest period of any length. All figures of a group are of one period: what that
period lacks is missing, not taken from an older one. Restated figures replace the former ones on their ``known_on``.

Amounts only: figures per share change their meaning with every split.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haetae.domain.units import Symbol, yyyymmdd

FLOWS: Final = ("net_income_won", "sales_won", "operating_profit_won", "roe_pct", "equity_won")
STATES: Final = ("equity_won", "liabilities_won", "assets_won", "debt_to_equity_pct")
ITEMS: Final = tuple(dict.fromkeys((*FLOWS, *STATES)))
"""Items of the table ``fundamentals`` that the selection reads."""

Int64Array = NDArray[np.int64]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What was known of each symbol on a day; NaN where a figure is missing, period 0 where there is none.

    Attributes
    ----------
    flows, states : mapping of item to (n_symbols,) float64
        Won, or percent where the item ends in ``_pct``.
    flow_period, state_period : (n_symbols,) int64
        yyyymm of the period's end.
    """

    flows: Mapping[str, Float64Array]
    states: Mapping[str, Float64Array]
    flow_period: Int64Array
    state_period: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class Statements:
    """Rows of figures, ``(n_rows,)`` each, in any order; a row is known on its ``known_on`` (yyyymmdd).

    ``symbol`` and ``item`` are places in ``symbols`` and ``ITEMS``; ``yearly`` tells a business year from a quarter.
    """

    symbols: tuple[Symbol, ...]
    symbol: Int64Array
    item: Int64Array
    period: Int64Array
    yearly: NDArray[np.bool_]
    value: Float64Array
    known_on: Int64Array

    @classmethod
    def of(
        cls,
        symbols: Sequence[Symbol],
        items: Sequence[str],
        periods: Sequence[int],
        yearly: Sequence[bool],
        values: Sequence[float],
        known_on: Sequence[int],
    ) -> Statements:
        """Return rows given side by side; items that are not in ``ITEMS`` are left out."""
        places = {item: place for place, item in enumerate(ITEMS)}
        item = np.array([places.get(each, -1) for each in items], dtype=np.int64)
        read = item >= 0
        names, symbol = np.unique(np.asarray(symbols, dtype=np.str_)[read], return_inverse=True)
        return cls(
            tuple(names.tolist()),
            symbol.astype(np.int64),
            item[read],
            np.asarray(periods, dtype=np.int64)[read],
            np.asarray(yearly, dtype=np.bool_)[read],
            np.asarray(values, dtype=np.float64)[read],
            np.asarray(known_on, dtype=np.int64)[read],
        )

    def on(self, day: dt.date, symbols: Sequence[Symbol]) -> Known:
        """Return what was known on a day of some symbols, in their order."""
        known = np.flatnonzero((self.known_on <= yyyymmdd(day)) & np.isfinite(self.value))
        whole = known[self.yearly[known] & np.isin(self.item[known], [ITEMS.index(item) for item in FLOWS])]
        whole = whole[_whole_years(self.symbol[whole], self.period[whole])]
        stood = known[np.isin(self.item[known], [ITEMS.index(item) for item in STATES])]
        order = {symbol: place for place, symbol in enumerate(self.symbols)}
        at = np.array([order.get(symbol, -1) for symbol in symbols], dtype=np.int64)
        flows, flow_period = self._newest(whole, at, FLOWS)
        states, state_period = self._newest(stood, at, STATES)
        return Known(flows, states, flow_period, state_period)

    def _newest(
        self, rows: Int64Array, at: Int64Array, items: Sequence[str]
    ) -> tuple[dict[str, Float64Array], Int64Array]:
        """Return the figures of each symbol's newest period among some rows, and that period."""
        period = np.zeros(len(self.symbols) + 1, np.int64)  # the last place stands for symbols without a row
        np.maximum.at(period, self.symbol[rows], self.period[rows])
        rows = rows[self.period[rows] == period[self.symbol[rows]]]
        # of one period the word told last counts; where a year and a quarter end together, the year's
        rows = rows[np.lexsort((self.value[rows], self.yearly[rows], self.known_on[rows]))]
        grid = np.full((len(ITEMS), len(self.symbols) + 1), np.nan)
        grid[self.item[rows], self.symbol[rows]] = self.value[rows]
        return {item: grid[ITEMS.index(item)][at] for item in items}, period[at]


def _whole_years(symbol: Int64Array, period: Int64Array) -> NDArray[np.bool_]:
    """Return which yearly rows are of a whole business year, see the module's head."""
    key = symbol * 1_000_000 + period
    follows = np.isin(key - 100, key)
    return follows | ~np.isin(symbol, symbol[follows])


NO_STATEMENTS = Statements.of((), (), (), (), (), ())
"""Of a lake that holds no fundamentals."""
