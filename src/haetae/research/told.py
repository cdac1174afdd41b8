"""What a lake tells of names beside their bars: statements and status words, each with the day it was known.

Not here: what was known on a day (``universe``), the bars and the list of names (``market``).
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from haetae.ports import TableReader
from haetae.universe.statements import ITEMS, NO_STATEMENTS, Statements
from haetae.universe.statuses import NO_STATUSES, Statuses


def statements(reader: TableReader, end: dt.date | None = None) -> Statements:
    """Return the figures of statements known by a day (by default all), empty where a lake has none."""
    if "fundamentals" not in reader.versions():
        return NO_STATEMENTS
    rows = reader.read("fundamentals", end=end)
    rows = rows.filter(pc.is_in(rows.column("item"), pa.array(ITEMS)))
    symbols, symbol = _coded(rows.column("symbol"))
    items, item = _coded(rows.column("item"))
    places = np.array([ITEMS.index(each) for each in items], dtype=np.int64)
    return Statements(
        symbols,
        symbol,
        places[item],
        rows.column("period").to_numpy().astype(np.int64),
        pc.equal(rows.column("basis"), "year").to_numpy(),
        rows.column("value").to_numpy(),
        _days(rows.column("known_on")),
    )


def statuses(reader: TableReader, end: dt.date | None = None) -> Statuses:
    """Return the status words told by a day (by default all), empty where a lake has none."""
    if "flags" not in reader.versions():
        return NO_STATUSES
    rows = reader.read("flags", end=end)
    symbols, symbol = _coded(rows.column("symbol"))
    words, word = _coded(rows.column("flag"))
    return Statuses(symbols, words, symbol, word, _days(rows.column("day")))


def _coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the different texts of a column, sorted, and the place of each row's."""
    coded = column.combine_chunks().dictionary_encode()
    texts = np.asarray(coded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(texts)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return tuple(texts[order].tolist()), place[coded.indices.to_numpy()]


def _days(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return days as yyyymmdd."""
    days = column.to_numpy().astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    year, month = years.astype(np.int64) + 1970, (months - years).astype(np.int64) + 1
    return year * 10_000 + month * 100 + (days - months).astype(np.int64) + 1
