"""Rows of bars → dense arrays for features, simulation and learning.

The arithmetic is a scatter: each row of the table goes to (its time, its symbol). Where a symbol
has no bar, its prices repeat its last close (0 before the first one) and its volume is 0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haetae.domain.errors import MarketRuleError
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import KST_OFFSET_NS, NS_PER_MINUTE, Symbol, instant_at
from haetae.krx.calendar import closes_at, opens_at

_CLOSING_AUCTION_NS = 10 * NS_PER_MINUTE
"""The last minute row of a session covers the closing call auction, ten minutes long."""


def build_panel(rows: pa.Table, symbol_key: str, time_key: str, symbols: Sequence[Symbol] | None) -> Panel:
    """Return the panel of bar rows.

    Parameters
    ----------
    rows : Table
        Columns ``symbol_key`` (dictionary encoded), ``time_key``, the four prices,
        ``volume`` and, if known, ``halted``; any order, no key twice.
    time_key : str
        ``day`` for daily rows, ``start`` for minutes.
    symbols : sequence of str or None
        Columns of the panel; None takes those of the rows.
    """
    names, columns = _columns(rows.column(symbol_key), symbols)
    times = _flat(rows, time_key)
    grid, position = np.unique(times, return_inverse=True)
    shape = (len(grid), len(names))
    cell = position * shape[1] + columns
    volume = np.zeros(shape, dtype=np.int64)
    volume.ravel()[cell] = _flat(rows, "volume")
    traded = volume > 0
    if "halted" in rows.column_names:
        halted = rows.column("halted").combine_chunks().to_numpy(zero_copy_only=False)
        traded.ravel()[cell[halted]] = False
        volume[~traded] = 0
    present = np.zeros(shape, dtype=np.bool_)
    present.ravel()[cell] = True
    close = np.zeros(shape, dtype=np.int64)
    close.ravel()[cell] = _flat(rows, "close")
    close = _carried(close, present)
    prices = {name: _scattered(close, traded, cell, _flat(rows, name)) for name in ("open", "high", "low")}
    days, start, end = _times(grid, time_key)
    return Panel(names, days, start, end, prices["open"], prices["high"], prices["low"], close, volume, traded)


def _flat(rows: pa.Table, name: str) -> Int64Array:
    column = rows.column(name).combine_chunks()
    if column.type == pa.date32():
        return column.view(pa.int32()).to_numpy().astype(np.int64)
    return column.to_numpy()


def _columns(column: pa.ChunkedArray, symbols: Sequence[Symbol] | None) -> tuple[tuple[Symbol, ...], NDArray[np.int64]]:
    encoded = column.unify_dictionaries().combine_chunks()
    seen = encoded.dictionary.to_pylist()
    names = tuple(sorted(set(seen if symbols is None else symbols)))
    place = {name: index for index, name in enumerate(names)}
    lookup = np.array([place.get(name, -1) for name in seen], dtype=np.int64)
    return names, lookup[encoded.indices.to_numpy()]


def _carried(close: Int64Array, present: BoolArray) -> Int64Array:
    """Return closes where a missing cell repeats the one above it."""
    if present.all():
        return close
    row = np.arange(len(close), dtype=np.int32)[:, None]
    newest = np.maximum.accumulate(np.where(present, row, np.int32(0)), axis=0)
    return np.take_along_axis(close, newest, axis=0)


def _scattered(close: Int64Array, traded: BoolArray, cell: NDArray[np.int64], values: Int64Array) -> Int64Array:
    block = close.copy()
    flat = block.ravel()
    flat[cell] = values
    return np.where(traded, block, close)


def _hours(day: dt.date) -> tuple[int, int]:
    """Return open and close of a day; the calendar's, or today's hours for days it does not know."""
    try:
        return opens_at(day), closes_at(day)
    except MarketRuleError:
        return 90_000, 153_000


def _times(grid: Int64Array, time_key: str) -> tuple[NDArray[np.int32], Int64Array, Int64Array]:
    """Return day, start and end of each bar from epoch days or from instants."""
    if time_key == "day":
        epoch = grid.astype("datetime64[D]")
    else:
        epoch = (grid + KST_OFFSET_NS).astype("datetime64[ns]").astype("datetime64[D]")
    unique, which = np.unique(epoch, return_inverse=True)
    days = [day.item() for day in unique]
    numbers = np.array([day.year * 10_000 + day.month * 100 + day.day for day in days], dtype=np.int32)
    hours = [_hours(day) for day in days]
    opens = np.array([instant_at(day, first) for day, (first, _) in zip(days, hours, strict=True)], dtype=np.int64)
    closes = np.array([instant_at(day, last) for day, (_, last) in zip(days, hours, strict=True)], dtype=np.int64)
    if time_key == "day":
        return numbers[which], opens[which], closes[which]
    auction = closes[which] - _CLOSING_AUCTION_NS
    end = np.where(grid == auction, closes[which], grid + NS_PER_MINUTE)
    return numbers[which], grid, end
