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

_BP = 10_000


class Grid:
    """Tick grid of one day for a fixed row of symbols."""

    def __init__(self, rules: Rulebook, places: Sequence[tuple[Kind, Market]]) -> None:
        """Group the symbols by tick table; all rows passed later have the order of ``places``."""
        self._rules = rules
        self._places = tuple(places)
        groups: dict[tuple[bytes, bytes], tuple[list[int], Int64Array, Int64Array]] = {}
        known = {place: rules.tick_table(*place) for place in set(self._places)}
        for column, place in enumerate(self._places):
            bounds, sizes = known[place]
            groups.setdefault((bounds.tobytes(), sizes.tobytes()), ([], bounds, sizes))[0].append(column)
        self._groups = [(np.array(columns), bounds, sizes) for columns, bounds, sizes in groups.values()]
        self._limit_bp = np.array([rules.limit_bp_of(market) for _, market in self._places], dtype=np.int64)

    def take(self, columns: Int64Array) -> Grid:
        """Return the grid of some symbols, in that order."""
        return Grid(self._rules, [self._places[column] for column in columns])

    def tick(self, prices: NDArray[np.float64] | Int64Array) -> Int64Array:
        """Return the tick size of each price, shape ``(…, n_symbols)``, won."""
        ticks = np.ones(prices.shape, dtype=np.int64)
        for columns, bounds, sizes in self._groups:
            place = np.searchsorted(bounds, prices[..., columns], side="right")
            ticks[..., columns] = sizes[np.minimum(place, len(sizes) - 1)]
        return ticks

    def nearest(self, prices: NDArray[np.float64] | Int64Array) -> Int64Array:
        """Return prices rounded to the nearest tick, at least one tick."""
        ticks = self.tick(prices)
        rounded = np.rint(prices / ticks).astype(np.int64) * ticks
        return np.maximum(rounded, ticks)

    def floor(self, prices: Int64Array) -> Int64Array:
        """Return the highest valid prices at or below."""
        return prices - prices % self.tick(prices)

    def ceil(self, prices: Int64Array) -> Int64Array:
        """Return the lowest valid prices at or above."""
        ticks = self.tick(prices)
        over = prices % ticks
        return prices + np.where(over > 0, ticks - over, 0)

    def limits(self, base: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return ``(lower, upper)`` limit prices of a row of base prices; 0 where the base is 0.

        The same as ``Rulebook.price_limits`` one by one.
        """
        band = base * self._limit_bp // _BP
        band -= band % self.tick(base)
        listed = base > 0
        lower, upper = self.ceil(base - band), self.floor(base + band)
        return np.where(listed, lower, 0), np.where(listed, upper, 0)
