"""What the daily features read beside bars, laid on the days and columns of a panel: the index, who bought, sectors.

One reading for research, training, the desk's evening and shadow forecasts: a feature that a model learned from is then
the same number when the model decides. What a lake does not hold is None. Not here: the features (``features.daily``),
the chunks in which features are kept in a lake (``wiring.feature_rows``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.market import Instrument, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, yyyymmdd
from haetae.features import daily
from haetae.features.sets import Flows, Inputs
from haetae.ports import TableReader

_FLOWS = ("foreign_won", "institution_won", "individual_won")


def index_of(reader: TableReader, panel: Panel, index: str) -> Int64Array | None:
    """Return closes of an index on a panel's days, points x 100, 0 for a missing day; None where most are missing."""
    if "index_daily" not in reader.versions() or not len(panel):
        return None
    rows = reader.read("index_daily", symbols=[index])
    closes = {
        yyyymmdd(day): close
        for day, close in zip(rows.column("day").to_pylist(), rows.column("close").to_pylist(), strict=True)
    }
    points = np.array([closes.get(int(day), 0) for day in panel.days], dtype=np.int64)
    return points if (points > 0).mean() > 0.5 else None


def flows_of(reader: TableReader, panel: Panel, *, version: int | None = None) -> Flows | None:
    """Return net purchases on a panel's days and columns, NaN where unknown; None where the lake has no flows."""
    if "flows" not in reader.versions() or not len(panel):
        return None
    start, end = day_from(int(panel.days[0])), day_from(int(panel.days[-1]))
    rows = reader.read("flows", start=start, end=end, version=version)
    place = {symbol: column for column, symbol in enumerate(panel.symbols)}
    encoded = rows.column("symbol").combine_chunks().dictionary_encode()
    lookup = np.array([place.get(name, -1) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    column = lookup[encoded.indices.to_numpy()] if len(rows) else np.zeros(0, np.int64)
    days = days_of(rows)
    row = np.searchsorted(panel.days, days)
    known = (column >= 0) & (row < len(panel))
    known &= panel.days[np.minimum(row, len(panel) - 1)] == days
    blocks = []
    for name in _FLOWS:
        block = np.full(panel.close.shape, np.nan)
        block[row[known], column[known]] = rows.column(name).to_numpy()[known]
        blocks.append(block)
    return Flows(*blocks)


def sector_numbers(names: Sequence[str]) -> Int64Array | None:
    """Return a number for each sector's name, -1 where it is empty; None where none is known."""
    number = {name: place for place, name in enumerate(sorted({*names} - {""}))}
    return np.array([number.get(name, -1) for name in names], dtype=np.int64) if number else None


def sectors_of(symbols: Iterable[Symbol], instruments: Iterable[Instrument]) -> Int64Array | None:
    """Return the number of each symbol's sector as the given list of names tells it; see ``sector_numbers``."""
    known: Mapping[Symbol, str] = {each.symbol: each.sector for each in instruments}
    return sector_numbers([known.get(symbol, "") for symbol in symbols])


def inputs_of(reader: TableReader, panel: Panel, instruments: Iterable[Instrument], index: str) -> Inputs:
    """Return the rows that the daily features fold: a panel with all that the lake holds beside it."""
    return Inputs(
        panel,
        index_close=daily.index_points(index_of(reader, panel, index)),
        flows=flows_of(reader, panel),
        sectors=sectors_of(panel.symbols, instruments),
    )


def days_of(rows: pa.Table) -> Int64Array:
    """Return the column ``day`` as yyyymmdd."""
    unique = {day: yyyymmdd(day) for day in pc.unique(rows.column("day")).to_pylist()}
    return np.array([unique[day] for day in rows.column("day").to_pylist()], dtype=np.int64)
