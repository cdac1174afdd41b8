"""One Parquet file of the lake: written to bytes, read back in part, compared with its entry.

Rows are sorted, so the statistics of a row group say which symbols or days it can hold; groups
without a wanted one are not decoded. Page checksums are verified on every read.
Not here: which files make a table (``log``), where their bytes lie (``objects``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray
from haetae.domain.units import Symbol
from haetae.ports.tables import TableSpec
from haetae.store.actions import FileEntry
from haetae.store.objects import Objects
from haetae.store.settings import StoreSettings

_ROWS_WORTH_THREADS = 262_144
"""Below this, starting Arrow's threads costs more than they win (a session of minutes: 1.3 ms to 0.8)."""


_FEW_RUNS = 512
"""Up to so many slices are cheaper than one copy, also for who reads them."""

_MANY_VALUES = ("volume", "turnover")
"""Columns in which few values come again, as in those of float32; a dictionary makes files larger and slower."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a reader wants of a file: columns, values of the first key, an inclusive range of days.

    None means all. With ``as_codes`` the first key comes dictionary encoded.
    """

    columns: tuple[str, ...]
    symbols: tuple[Symbol, ...] | None = None
    start: dt.date | None = None
    end: dt.date | None = None
    as_codes: bool = False


def parquet_bytes(rows: pa.Table, settings: StoreSettings) -> bytes:
    """Return the rows as one Parquet file; equal rows give equal bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.combine_chunks(),
        sink,
        row_group_size=settings.row_group_rows,
        compression=settings.compression,
        use_dictionary=[
            field.name for field in rows.schema if field.name not in _MANY_VALUES and field.type != pa.float32()
        ],
        write_page_checksum=True,
    )
    return sink.getvalue().to_pybytes()


def read_file(objects: Objects, spec: TableSpec, entry: FileEntry, wanted: Selection) -> pa.Table:
    """Return the wanted rows of a file in its order; raises ``DataError`` if it is damaged or gone."""
    name = f"{spec.name}/{entry.path}"
    try:
        return _read(objects.source(name, entry.bytes), spec, wanted)
    except (OSError, pa.ArrowInvalid) as fault:
        where = f"{objects.address}/{name}"
        raise DataError(
            Text(
                ko=f"레이크 파일이 손상되었거나 없습니다: {where}",
                en=f"a file of the lake is damaged or missing: {where}",
            ),
            expected=f"{entry.rows} rows, sha256 {entry.sha256[:16]}…",
            found=str(fault),
            next_step="run `haetae lake check`, then import or collect these days again",
        ) from fault


def _read(source_of: Any, spec: TableSpec, wanted: Selection) -> pa.Table:
    key, day = spec.keys[0], spec.day_column
    with pq.ParquetFile(
        source_of,
        read_dictionary=[key],  # codes are read and cut several times faster than text
        pre_buffer=not isinstance(source_of, str),  # of a bucket: few large ranges instead of many small ones
        page_checksum_verification=True,
    ) as source:
        chosen = [key] if wanted.symbols is not None else []
        needed = list(dict.fromkeys([*wanted.columns, *chosen, *_if_ranged(wanted, day)]))
        groups = _groups(source.metadata, spec, wanted)
        large = source.metadata.num_rows > _ROWS_WORTH_THREADS
        rows = source.read_row_groups(groups, columns=needed, use_threads=large)
    if wanted.symbols is not None:
        rows = _of_symbols(rows, key, wanted.symbols)
    if wanted.start is not None or wanted.end is not None:
        rows = _of_days(rows, day, wanted)
    rows = rows.select(list(wanted.columns))
    if not wanted.as_codes and key in wanted.columns:
        place = rows.schema.get_field_index(key)
        rows = rows.set_column(place, spec.schema.field(key), pc.cast(rows.column(key), pa.string()))
    return rows


def _if_ranged(wanted: Selection, day: str) -> list[str]:
    return [day] if wanted.start is not None or wanted.end is not None else []


def _groups(metadata: pq.FileMetaData, spec: TableSpec, wanted: Selection) -> list[int]:
    """Return the row groups that may hold a wanted row."""
    key, day = (spec.schema.get_field_index(name) for name in (spec.keys[0], spec.day_column))
    kept = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        days = group.column(day).statistics if _if_ranged(wanted, spec.day_column) else None
        if days is not None and days.has_min_max and not _meet(days.min, days.max, wanted.start, wanted.end):
            continue
        names = group.column(key).statistics if wanted.symbols is not None else None
        if names is not None and names.has_min_max and wanted.symbols is not None:
            low, high = names.min, names.max
            if not any(low <= name <= high for name in wanted.symbols):
                continue
        kept.append(number)
    return kept


def _meet(low: dt.date, high: dt.date, start: dt.date | None, end: dt.date | None) -> bool:
    return (start is None or high >= start) and (end is None or low <= end)


def _of_symbols(rows: pa.Table, key: str, symbols: Sequence[Symbol]) -> pa.Table:
    column = rows.column(key).unify_dictionaries().combine_chunks()
    wanted = set(symbols)
    keep = np.array([name in wanted for name in column.dictionary.to_pylist()], dtype=np.bool_)
    return _runs(rows, keep[column.indices.to_numpy()]) if len(column) else rows


def _of_days(rows: pa.Table, day: str, wanted: Selection) -> pa.Table:
    days = rows.column(day)
    inside = np.ones(len(rows), dtype=np.bool_)
    if wanted.start is not None:
        inside &= pc.greater_equal(days, pa.scalar(wanted.start, pa.date32())).to_numpy()
    if wanted.end is not None:
        inside &= pc.less_equal(days, pa.scalar(wanted.end, pa.date32())).to_numpy()
    return _runs(rows, inside)


def _runs(rows: pa.Table, inside: BoolArray) -> pa.Table:
    """Return the rows inside as slices of the same memory where they are a few runs, else as a copy."""
    if inside.all():
        return rows
    edges = np.flatnonzero(np.diff(inside, prepend=False, append=False))
    if len(edges) > 2 * _FEW_RUNS:
        return rows.filter(pa.array(inside))
    pieces = [rows.slice(int(a), int(b - a)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return pa.concat_tables(pieces) if pieces else rows.slice(0, 0)


def damage(objects: Objects, name: str, entry: FileEntry) -> str:
    """Return what is wrong with a file, reading all of it; empty if nothing is."""
    try:
        content = objects.read(name)
    except OSError as fault:
        return str(fault)
    digest = hashlib.sha256(content).hexdigest()
    return "" if digest == entry.sha256 else f"sha256 is {digest[:16]}…, expected {entry.sha256[:16]}…"
