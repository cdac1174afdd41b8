"""Prices of many symbols on the tick grid of a day, as arrays.

Here: compiled loops over whole rows that call the rule functions of ``krx.scalar`` one price at a time.
Not here: the rules themselves (``krx``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import Int64Array, Kind, Market
from haetae.krx import Rulebook
from haetae.krx.scalar import limit_prices, tick_size


class Grid:
    """Tick grid of one day for a fixed row of symbols."""

    def __init__(self, rules: Rulebook, places: Sequence[tuple[Kind, Market]]) -> None:
        """Set the tick tables one behind the other; all rows passed later have the order of ``places``."""
        self._rules = rules
        self._places = tuple(places)
        begins: dict[tuple[bytes, bytes], int] = {}
        tables: list[tuple[Int64Array, Int64Array]] = []
        first_of = {}
        for place in dict.fromkeys(self._places):
            bounds, sizes = rules.tick_table(*place)
            key = (bounds.tobytes(), sizes.tobytes())
            if key not in begins:
                begins[key] = sum(len(before) for before, _ in tables)
                tables.append((bounds, sizes))
            first_of[place] = begins[key]
        none = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        self._bounds, self._sizes = (np.concatenate(columns) for columns in zip(none, *tables, strict=True))
        self._first = np.array([first_of[place] for place in self._places], dtype=np.int64)
        self._limit_bp = np.array([rules.limit_bp_of(market) for _, market in self._places], dtype=np.int64)

    def take(self, columns: Int64Array) -> Grid:
        """Return the grid of some symbols, in that order."""
        return Grid(self._rules, [self._places[column] for column in columns])

    def tick(self, prices: NDArray[np.float64] | Int64Array) -> Int64Array:
        """Return the tick size of each price, shape ``(…, n_symbols)``, won."""
        whole = np.floor(prices).astype(np.int64).reshape(-1, len(self._places))
        return _ticks(whole, self._bounds, self._sizes, self._first).reshape(prices.shape)

    def nearest(self, prices: NDArray[np.float64] | Int64Array) -> Int64Array:
        """Return prices rounded to the nearest tick, at least one tick."""
        ticks = self.tick(prices)
        rounded = np.rint(prices / ticks).astype(np.int64) * ticks
        return np.maximum(rounded, ticks)

    def limits(self, base: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Return ``(lower, upper)`` limit prices of a row of base prices; 0 where the base is 0.

        The same as ``Rulebook.price_limits`` one by one.
        """
        return _limits(np.asarray(base, dtype=np.int64), self._limit_bp, self._bounds, self._sizes, self._first)


@njit(cache=True, error_model="numpy")
def _ticks(prices: Int64Array, bounds: Int64Array, sizes: Int64Array, first: Int64Array) -> Int64Array:
    ticks = np.empty_like(prices)
    for row in range(prices.shape[0]):
        for column in range(prices.shape[1]):
            ticks[row, column] = tick_size(prices[row, column], bounds, sizes, first[column])
    return ticks


@njit(cache=True, error_model="numpy")
def _limits(
    base: Int64Array, limit_bp: Int64Array, bounds: Int64Array, sizes: Int64Array, first: Int64Array
) -> tuple[Int64Array, Int64Array]:
    lower, upper = np.zeros_like(base), np.zeros_like(base)
    for column in range(len(base)):
        if base[column] > 0:
            edges = limit_prices(base[column], limit_bp[column], bounds, sizes, first[column])
            lower[column], upper[column] = edges
    return lower, upper
