"""A block of bars of many symbols: the array form that features, simulation and learning share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array, Slice, ascending
from haetae.domain.records import made_often, unchecked
from haetae.domain.units import Symbol, day_from


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Bars as ``(n_bars, n_symbols)`` arrays, time ascending, symbols sorted by code.

    Attributes
    ----------
    days : (n_bars,) int32
        Trading day of each bar as yyyymmdd.
    start, end : (n_bars,) int64
        Instants; a row is known at its ``end``.
    open, high, low, close : (n_bars, n_symbols) int64, won
        Where ``traded`` is False the four repeat the last close before (0 before the first one).
    volume : (n_bars, n_symbols) int64, shares
    traded : (n_bars, n_symbols) bool
    """

    symbols: tuple[Symbol, ...]
    days: NDArray[np.int32]
    start: Int64Array
    end: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    traded: BoolArray

    def __post_init__(self) -> None:
        """Check shapes and order, and make the arrays read-only."""
        if not ascending(self.symbols):
            raise ValueError("panel symbols must be sorted by code")
        shape = (len(self.days), len(self.symbols))
        for block in (self.open, self.high, self.low, self.close, self.volume, self.traded):
            if block.shape != shape:
                raise ValueError(f"panel block has shape {block.shape}, expected {shape}")
            block.flags.writeable = False

    def __len__(self) -> int:
        """Return the number of bars."""
        return len(self.days)

    def slice_at(self, row: int) -> Slice:
        """Return one row as the ``Slice`` a live feed would have delivered."""
        return _row_of_panel(
            int(self.start[row]),
            int(self.end[row]),
            self.symbols,
            self.open[row],
            self.high[row],
            self.low[row],
            self.close[row],
            self.volume[row],
            self.traded[row],
        )

    def rows(self, first: int, last: int) -> Panel:
        """Return the rows ``first <= row < last`` as views of the same memory."""
        part = slice(first, last)
        return Panel(
            self.symbols,
            self.days[part],
            self.start[part],
            self.end[part],
            self.open[part],
            self.high[part],
            self.low[part],
            self.close[part],
            self.volume[part],
            self.traded[part],
        )

    def columns(self, places: Int64Array) -> Panel:
        """Return some symbols by their places, ascending, as contiguous copies."""

        def cut(block: Int64Array) -> Int64Array:
            return np.ascontiguousarray(block[:, places])

        return Panel(
            tuple(self.symbols[place] for place in places),
            self.days,
            self.start,
            self.end,
            cut(self.open),
            cut(self.high),
            cut(self.low),
            cut(self.close),
            cut(self.volume),
            np.ascontiguousarray(self.traded[:, places]),
        )

    def sessions(self) -> list[tuple[dt.date, int, int]]:
        """Return ``(day, first row, last row + 1)`` of each trading day, in order."""
        if not len(self.days):
            return []
        cuts = np.flatnonzero(np.diff(self.days)) + 1
        firsts = [0, *cuts.tolist()]
        lasts = [*cuts.tolist(), len(self.days)]
        return [(day_from(int(self.days[a])), a, b) for a, b in zip(firsts, lasts, strict=True)]


_row_of_panel = unchecked(Slice)
"""A row has the order and shape of its panel, and can be written as little."""


def empty_panel(symbols: tuple[Symbol, ...] = ()) -> Panel:
    """Return a panel without bars."""
    block = np.zeros((0, len(symbols)), np.int64)
    at, none = np.zeros(0, np.int64), np.zeros(block.shape, np.bool_)
    return Panel(symbols, np.zeros(0, np.int32), at, at, block, block, block, block, block, none)
