"""Prices of many symbols on the tick grid of a day, as arrays.

Here: rounding and limits over whole rows, from the dated tables of ``krx``.
Not here: the rules themselves (``krx``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array, Kind, Market
from haetae.krx import Rulebook


class Grid:
    """Tick grid of one day for a fixed row of symbols."""

    def __init__(self, rules: Rulebook, places: Sequence[tuple[Kind, Market]]) -> None:
        """Group the symbols by tick table; all rows passed later have the order of ``places``."""
        self._rules = rules
        self._places = tuple(places)
        groups: dict[tuple[Kind, Market], list[int]] = {}
        for column, place in enumerate(places):
            groups.setdefault(place, []).append(column)
        self._groups = [(np.array(columns), *rules.tick_table(*place)) for place, columns in groups.items()]

    def tick(self, prices: NDArray[np.float64] | Int64Array) -> Int64Array:
        """Return the tick size of each price, shape ``(…, n_symbols)``, won."""
        ticks = np.ones(prices.shape, dtype=np.int64)
        for columns, bounds, sizes in self._groups:
            place = np.searchsorted(bounds, prices[..., columns], side="right")
            ticks[..., columns] = sizes[np.minimum(place, len(sizes) - 1)]
        return ticks

    def nearest(self, prices: NDArray[np.float64]) -> Int64Array:
        """Return prices rounded to the nearest tick, at least one tick."""
        ticks = self.tick(prices)
        rounded = np.rint(prices / ticks).astype(np.int64) * ticks
        return np.maximum(rounded, ticks)

    def limits(self, base: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return ``(lower, upper)`` limit prices of a row of base prices; 0 where the base is 0."""
        lower, upper = np.zeros_like(base), np.zeros_like(base)
        for column, (kind, market) in enumerate(self._places):
            if base[column] > 0:
                lower[column], upper[column] = self._rules.price_limits(int(base[column]), kind, market)
        return lower, upper
