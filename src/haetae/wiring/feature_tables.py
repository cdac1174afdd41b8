"""The tables that keep features: their columns, rows of values and of state, how far they are, and reading back.

The table of a set is ``features_<set>_<hash>``: a row for each symbol and day (or minute) that has a value, a float32
column for each feature. ``…_state`` beside it holds the fold's state as plain numbers. Not here: when they are written
(``materialising``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, day_of, yyyymmdd
from haetae.features.sets import FeatureSet, FloatArray, Grain, State
from haetae.ports.tables import TableSpec, derived_table
from haetae.store.lake import Lake

NOTE = "build"
"""The note of a table that tells how far it is."""

_NUMBERS = pa.list_(pa.field("element", pa.float64(), nullable=False))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a table is: its last row, the rows behind it, the version of the state after it, what was read."""

    through: int
    rows: int
    state: int
    digest: str

    def note(self) -> str:
        """Return it as the text that a table carries."""
        return f"through={self.through} rows={self.rows} state={self.state} inputs={self.digest}"

    @staticmethod
    def of(note: str) -> Progress:
        """Return what a table's note tells."""
        told = dict(each.split("=", 1) for each in note.split())
        return Progress(int(told["through"]), int(told["rows"]), int(told["state"]), told["inputs"])


def table_of(feature_set: FeatureSet) -> TableSpec:
    """Return the declaration of the table that holds a set; its name carries the set's hash."""
    columns = dict.fromkeys(feature_set.names, pa.float32())
    return derived_table(
        f"features_{feature_set.name}_{feature_set.hash}", columns, minutes=feature_set.grain is Grain.MINUTE
    )


def former_tables(lake: Lake, feature_set: FeatureSet) -> tuple[str, ...]:
    """Return the tables of a set as it was declared before."""
    now = table_of(feature_set).name
    start = f"features_{feature_set.name}_"
    return tuple(name for name in lake.tables() if name.startswith(start) and not name.startswith(now))


def state_table(feature_set: FeatureSet) -> TableSpec:
    """Return the declaration of the table that holds the state after the last row of a set's table."""
    return derived_table(f"{table_of(feature_set).name}_state", {"numbers": _NUMBERS}, minutes=False)


def state_rows(state: State, symbols: tuple[Symbol, ...], day: dt.date) -> pa.Table:
    """Return the state's numbers in order, shared out over the symbols whatever its shape is."""
    pieces = np.array_split(state.ravel(), len(symbols))
    ends = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int32)
    numbers = pa.ListArray.from_arrays(pa.array(ends), pa.array(state.ravel()), type=_NUMBERS)
    days = pa.array(np.repeat(np.datetime64(day, "D"), len(symbols)))
    return pa.table({"symbol": pa.array(symbols), "day": days, "numbers": numbers})


def flat_state(held: pa.Table) -> NDArray[np.float64]:
    """Return the numbers of ``state_rows`` in order."""
    numbers = held.column("numbers").combine_chunks()
    return np.array(numbers.flatten().to_numpy(zero_copy_only=False), dtype=np.float64)


def value_rows(spec: TableSpec, panel: Panel, values: FloatArray, first_day: dt.date | None) -> pa.Table:
    """Return the rows that have a value, symbol by symbol; none of days before the first that is kept."""
    there: BoolArray = np.logical_not(np.isnan(values).all(axis=2))
    if first_day is not None:
        there[panel.days < yyyymmdd(first_day)] = False
    column, row = np.nonzero(there.T)
    unique, which = np.unique(panel.days, return_inverse=True)
    days = np.array([day_from(int(day)) for day in unique], dtype="datetime64[D]")[which]
    names = pa.DictionaryArray.from_arrays(pa.array(column.astype(np.int32)), pa.array(panel.symbols))
    columns = {"symbol": names.cast(pa.string()), "day": pa.array(days[row])}
    if "start" in spec.schema.names:
        columns["start"] = pa.array(panel.start[row])
    names_of = [name for name in spec.schema.names if name not in columns]
    for place, name in enumerate(names_of):
        columns[name] = pa.array(values[row, column, place])
    return pa.table(columns)


def read_back(lake: Lake, feature_set: FeatureSet, panel: Panel) -> FloatArray:
    """Return the kept values of a panel, ``(n_rows, n_symbols, n_features)``; NaN where none is kept.

    Raises
    ------
    DataError
        If the set was not built, or not up to the last row of the panel.
    """
    spec = table_of(feature_set)
    note = lake.notes(spec.name).get(NOTE) if spec.name in lake.tables() else None
    through = Progress.of(note).through if note is not None else 0
    if not len(panel) or through < int(panel.start[-1]):
        raise DataError(
            Text(ko=f"'{feature_set.name}' 특징이 그날까지 없습니다", en=f"'{feature_set.name}' is not built so far"),
            expected=str(day_from(int(panel.days[-1]))) if len(panel) else Text(ko="봉", en="bars"),
            found=str(day_of(through)) if through else Text(ko="없음", en="none").en,
            next_step=f"haetae features build --set {feature_set.name} --lake {lake.address}",
        )
    first, last = day_from(int(panel.days[0])), day_from(int(panel.days[-1]))
    values = np.full((*panel.close.shape, len(feature_set.specs)), np.nan, dtype=np.float32)
    for piece in lake.batches(spec.name, symbols=panel.symbols, start=first, end=last):
        row, column = _places(piece, spec, panel)
        known = (row >= 0) & (column >= 0)
        for place, name in enumerate(feature_set.names):
            values[row[known], column[known], place] = piece.column(name).to_numpy()[known]
    return values


def _places(piece: pa.Table, spec: TableSpec, panel: Panel) -> tuple[Int64Array, Int64Array]:
    """Return the row and the column of each row of a table in a panel, -1 where it has none."""
    if "start" in spec.schema.names:
        times, grid = piece.column("start").to_numpy(), panel.start
    else:
        days = piece.column("day").combine_chunks().view(pa.int32()).to_numpy().astype(np.int64)
        grid = np.array([day_from(int(day)) for day in panel.days], dtype="datetime64[D]").astype(np.int64)
        times = days
    row = np.minimum(np.searchsorted(grid, times), len(grid) - 1)
    row = np.where(grid[row] == times, row, -1)
    encoded = piece.column("symbol").unify_dictionaries().combine_chunks()
    place = {symbol: at for at, symbol in enumerate(panel.symbols)}
    lookup = np.array([place.get(name, -1) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    return row, lookup[encoded.indices.to_numpy()]
