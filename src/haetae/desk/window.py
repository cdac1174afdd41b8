"""The newest bars of a fixed set of symbols, as many as are kept: what a policy may look back on.

A ``Window`` is a value: appending returns another one and leaves the older as it was. Successive windows share one
block of memory with room to spare; the newest writes one row past what all older ones see. Who appends to an older
window, or past the room, gets a block of their own, so the cost of a bar is constant and what is kept never grows.
Prices are won, volumes shares; a symbol that did not trade repeats its last close.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array, ascending
from haetae.domain.panel import Panel
from haetae.domain.records import made_often, unchecked
from haetae.domain.units import Instant, Symbol

_COLUMNS = ("open", "high", "low", "close", "volume")


class _Block:
    """Memory that successive windows share; rows below ``written`` are never written again."""

    __slots__ = ("bars", "days", "end", "start", "traded", "written")

    def __init__(self, rows: int, symbols: int) -> None:
        self.written = 0
        self.days: NDArray[np.int32] = np.zeros(rows, np.int32)
        self.start: Int64Array = np.zeros(rows, np.int64)
        self.end: Int64Array = np.zeros(rows, np.int64)
        self.bars: Int64Array = np.zeros((len(_COLUMNS), rows, symbols), np.int64)
        self.traded: BoolArray = np.zeros((rows, symbols), np.bool_)

    def take(self, panel: Panel, columns: Int64Array) -> None:
        """Begin with the rows of a panel; ``columns`` says where each symbol stands there, -1 for nowhere."""
        count, known = len(panel), columns >= 0
        self.days[:count], self.start[:count], self.end[:count] = panel.days, panel.start, panel.end
        for column, name in zip(self.bars, _COLUMNS, strict=True):
            column[:count, known] = getattr(panel, name)[:, columns[known]]
        self.traded[:count, known] = panel.traded[:, columns[known]]
        self.written = count


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The newest ``depth`` bars or fewer; made by ``open_window`` and ``window_of``."""

    symbols: tuple[Symbol, ...]
    depth: int
    block: _Block
    first: int = 0
    last: int = 0
    _shown: list[Panel] = field(default_factory=list, init=False, repr=False)

    def __reduce__(self) -> tuple[type[Window], tuple[object, ...]]:
        """Store the bars alone: a panel that was shown is made from them again."""
        return Window, (self.symbols, self.depth, self.block, self.first, self.last)

    def __len__(self) -> int:
        """Return how many bars are kept."""
        return self.last - self.first

    @property
    def newest_day(self) -> int:
        """Day of the newest bar as yyyymmdd, 0 if there is none."""
        return int(self.block.days[self.last - 1]) if self.last > self.first else 0

    def append(
        self,
        day: int,
        start: Instant,
        end: Instant,
        bars: Int64Array,
        traded: BoolArray,
    ) -> Window:
        """Return the window one bar later.

        Parameters
        ----------
        day : yyyymmdd of the trading day.
        bars : (5, n_symbols) int64
            Open, high, low, close in won and volume in shares.
        traded : (n_symbols,) bool
        """
        if not self.depth:
            return self
        block, first, last = self.block, self.first, self.last
        if block.written != last or last == len(block.days):
            kept = self.newest(self.depth - 1)
            block, first, last = kept.block, kept.first, kept.last
        block.days[last], block.start[last], block.end[last] = day, start, end
        block.bars[:, last] = bars
        block.traded[last] = traded
        block.written = last + 1
        return Window(self.symbols, self.depth, block, max(first, last + 1 - self.depth), last + 1)

    def newest(self, count: int) -> Window:
        """Return the newest bars in memory of their own."""
        panel = self.panel()
        return window_of(panel.rows(max(0, len(panel) - count), len(panel)), self.symbols, self.depth)

    def panel(self) -> Panel:
        """Return the bars as a panel of read-only views; made the first time somebody asks."""
        if not self._shown:
            block, rows = self.block, slice(self.first, self.last)
            days, start, end = block.days[rows], block.start[rows], block.end[rows]
            bars, traded = block.bars[:, rows], block.traded[rows]
            for column in (days, start, end, bars, traded):
                column.flags.writeable = False
            opened, high, low, close, volume = bars
            self._shown.append(_rows_of_block(self.symbols, days, start, end, opened, high, low, close, volume, traded))
        return self._shown[0]


_rows_of_block = unchecked(Panel)
"""The rows of a block have one shape and cannot be written; ``open_window`` has seen the order of the symbols."""


def open_window(symbols: tuple[Symbol, ...], depth: int) -> Window:
    """Return a window that has seen nothing; raises ``ValueError`` where symbols are not sorted by code."""
    if not ascending(symbols):
        raise ValueError("window symbols must be sorted by code")
    return Window(symbols, depth, _Block(2 * depth, len(symbols)))


def window_of(panel: Panel, symbols: tuple[Symbol, ...], depth: int) -> Window:
    """Return a window on the newest bars of a panel.

    A symbol that the panel lacks has price 0, volume 0 and no trades there.
    """
    made = open_window(symbols, depth)
    newest = panel.rows(max(0, len(panel) - depth), len(panel))
    place = {symbol: column for column, symbol in enumerate(panel.symbols)}
    made.block.take(newest, np.array([place.get(symbol, -1) for symbol in symbols], np.int64))
    return Window(symbols, depth, made.block, 0, len(newest))
