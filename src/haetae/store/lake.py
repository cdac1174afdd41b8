"""The lake: versioned tables of market data in Parquet files.

``<root>/<table>/<part>/<hash>.parquet`` holds the rows of one year (of one day for minutes), sorted
by the keys of the table; ``<root>/<table>/_log/00000007.json`` names the files of a version. A write
builds new files for the partitions it touches, makes them durable, and then makes the version
exist with one rename: readers see the old version or the new one, never part, and a process may
die at any instant. One writer at a time per table (a lock of the operating system); readers take
no lock.

Here: ``Lake`` (``ports.BarLake``), its checks and its clean-up. Not here: schemas (``schema``),
arrays for simulation and learning (``panels``), instruments and closes as of a day (``reference``),
files of others (``importer``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from, yyyymmdd
from haetae.ports.tables import TABLES, TableSpec
from haetae.store import manifest
from haetae.store.durable import TEMPORARY, make_directory, remove_file, sync_directory, write_file, writer_lock
from haetae.store.files import Selection, damage, parquet_bytes, read_file
from haetae.store.manifest import LOG, FileEntry, Snapshot
from haetae.store.merge import sort_rows, upsert
from haetae.store.panels import build_panel
from haetae.store.query import run_query
from haetae.store.schema import conform, empty, spec_of
from haetae.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What the lake holds of a table: the answer of ``haetae lake show``."""

    table: str
    version: int
    rows: int
    files: int
    bytes: int
    first_day: dt.date | None
    last_day: dt.date | None
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is not what its manifest says."""

    table: str
    path: str
    detail: str


class Lake:
    """Tables of market data under one directory; fulfils ``ports.BarLake``.

    Opening creates nothing; the first write makes the directory. All refusals of the disk and all
    damage found while reading are ``DataError``.
    """

    def __init__(self, root: Path | str, settings: StoreSettings | None = None) -> None:
        """Take the directory; it need not exist yet."""
        self._root = Path(root)
        self._settings = settings or StoreSettings()

    @property
    def root(self) -> Path:
        """Where the lake lies."""
        return self._root

    # -- writing -----------------------------------------------------------------------------

    def write(self, table: str, rows: pa.Table, *, keys: Sequence[str], notes: Mapping[str, str] | None = None) -> int:
        """Insert or replace rows by ``keys``, atomically and durably; return the version.

        Parameters
        ----------
        table : str
        rows : Table
            Columns of the table's schema; columns with a declared default may be absent. Where a
            key comes twice, the last row counts.
        keys : sequence of str
            Must name the keys of the table, as a guard against a writer with another idea of them.
        notes : mapping, optional
            What readers must know, by source; kept with this and all later versions.

        Returns
        -------
        int
            The new version, or the present one if the write changes nothing: writing the same
            rows twice is one version.
        """
        spec = spec_of(table)
        if not set(spec.keys) <= set(keys):
            raise DataError(
                f"table '{table}' is keyed by {list(spec.keys)}, not by {list(keys)}",
                expected=", ".join(spec.keys),
                found=", ".join(keys),
                next_step="pass the keys of ports.tables",
            )
        new = conform(table, rows)
        directory = self._root / table
        make_directory(directory / LOG)
        with writer_lock(directory / LOG / "writer.lock"):
            before = manifest.load(directory, table)
            if not before.version:
                for folder in (directory, self._root, self._root.parent):
                    sync_directory(folder)
            parts = self._split(spec, new)
            fresh = {part: self._rewrite(spec, before, part, piece) for part, piece in parts}
            kept = [entry for entry in before.files if entry.part not in fresh]
            files = tuple(sorted([*kept, *fresh.values()], key=lambda entry: entry.part))
            noted = {**before.notes, **(notes or {})}
            if files == before.files and noted == dict(before.notes):
                return before.version
            after = Snapshot(table, before.version + 1, files, noted)
            manifest.commit(directory, after)
            if self._settings.keep_versions and after.version % self._settings.sweep_every == 0:
                self._sweep(table, self._settings.keep_versions)
            return after.version

    def _split(self, spec: TableSpec, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        days = rows.column(spec.day_column)
        form = "%Y%m%d" if spec.name == "minute" else "%Y"
        unique = pc.unique(days)
        names = pc.strftime(pc.cast(unique, pa.timestamp("s")), form)
        by_part: dict[str, list[object]] = {}
        for day, name in zip(unique.to_pylist(), names.to_pylist(), strict=True):
            by_part.setdefault(name, []).append(day)
        for name in sorted(by_part):
            if len(by_part) == 1:
                yield name, rows
                return
            low, high = pa.scalar(min(by_part[name]), pa.date32()), pa.scalar(max(by_part[name]), pa.date32())  # type: ignore[type-var]
            yield name, rows.filter(pc.and_(pc.greater_equal(days, low), pc.less_equal(days, high)))

    def _rewrite(self, spec: TableSpec, before: Snapshot, part: str, piece: pa.Table) -> FileEntry:
        everything = Selection(tuple(spec.schema.names))
        old = [
            read_file(self._root / spec.name / entry.path, spec, entry, everything)
            for entry in before.files
            if entry.part == part
        ]
        merged = upsert(pa.concat_tables([empty(spec.name), *old], promote_options="permissive"), piece, spec.keys)
        content = parquet_bytes(merged, self._settings)
        digest = hashlib.sha256(content).hexdigest()
        path = f"{part}/{digest[:20]}.parquet"
        span = pc.min_max(merged.column(spec.day_column)).as_py()
        first, last = yyyymmdd(span["min"]), yyyymmdd(span["max"])
        entry = FileEntry(path, part, len(merged), len(content), digest, first, last)
        if entry not in before.files:
            home = self._root / spec.name / path
            make_directory(home.parent)
            if not old:
                sync_directory(home.parent.parent)
            write_file(home, content)
        return entry

    # -- reading -----------------------------------------------------------------------------

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """Return rows with ``start <= day <= end``, sorted by the keys (symbol, then time).

        ``symbols`` selects by the first key (the index code of ``index_daily``). A table nobody
        wrote is empty. Damage of a file raises ``DataError`` with its path.
        """
        spec = spec_of(table)
        rows = self._scan(
            spec, self._snapshot(table, version), spec.schema.names, symbols, (start, end), as_codes=False
        )
        return sort_rows(rows.combine_chunks(), spec.sort)

    def panel(
        self,
        table: str,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        *,
        version: int | None = None,
    ) -> Panel:
        """Return bars of ``daily``, ``minute`` or ``index_daily`` as a dense ``Panel``.

        There is a row for each time at which at least one of the symbols has a bar, and a column for
        each symbol asked for, even if it never traded; without ``symbols`` the columns are those of
        the rows. Halted days and bars without volume are not ``traded``. Memory: 41 bytes per bar
        and symbol.
        """
        spec = spec_of(table)
        columns = [*spec.keys, "open", "high", "low", "close", "volume", *(["halted"] if table == "daily" else [])]
        rows = self._scan(spec, self._snapshot(table, version), columns, symbols, (start, end), as_codes=True)
        return build_panel(rows, spec.keys[0], spec.keys[1], symbols)

    def sql(self, query: str, *, versions: Mapping[str, int] | None = None) -> pa.Table:
        """Return the answer of a DuckDB query over the tables of the lake, by their names.

        The query reads this lake and nothing else: no other file, no network. ``versions`` pins
        tables to older versions.
        """
        pinned = versions or {}
        files = {}
        for table in TABLES:
            snapshot = self._snapshot(table, pinned.get(table))
            files[table] = [str(self._root / table / entry.path) for entry in snapshot.files]
        return run_query(query, files, self._root, self._settings)

    def versions(self) -> Mapping[str, int]:
        """Return the current version of each table that was ever written."""
        found = {table: manifest.versions_of(self._root / table) for table in TABLES}
        return {table: known[-1] for table, known in found.items() if known}

    def notes(self, table: str) -> Mapping[str, str]:
        """Return what writers noted about their rows, by source."""
        return self._snapshot(table, None).notes

    def describe(self) -> tuple[TableInfo, ...]:
        """Return what each written table holds now."""
        return tuple(self._info(self._snapshot(table, None)) for table in self.versions())

    def _info(self, snapshot: Snapshot) -> TableInfo:
        files = snapshot.files
        return TableInfo(
            snapshot.table,
            snapshot.version,
            snapshot.rows,
            len(files),
            sum(entry.bytes for entry in files),
            day_from(min(entry.first_day for entry in files)) if files else None,
            day_from(max(entry.last_day for entry in files)) if files else None,
            snapshot.notes,
        )

    def _snapshot(self, table: str, version: int | None) -> Snapshot:
        return manifest.load(self._root / table, spec_of(table).name, version)

    def _scan(
        self,
        spec: TableSpec,
        snapshot: Snapshot,
        columns: Sequence[str],
        symbols: Sequence[Symbol] | None,
        days: tuple[dt.date | None, dt.date | None],
        *,
        as_codes: bool,
    ) -> pa.Table:
        start, end = days
        first = yyyymmdd(start) if start else 0
        last = yyyymmdd(end) if end else 99_999_999
        pieces = []
        for entry in snapshot.files:
            if entry.last_day < first or entry.first_day > last:
                continue
            wanted = Selection(
                tuple(columns),
                None if symbols is None else tuple(symbols),
                start if entry.first_day < first else None,
                end if entry.last_day > last else None,
                as_codes,
            )
            pieces.append(read_file(self._root / spec.name / entry.path, spec, entry, wanted))
        if not pieces:
            return _no_rows(spec, columns, as_codes=as_codes)
        return pa.concat_tables(pieces, promote_options="permissive")

    # -- care --------------------------------------------------------------------------------

    def check(self, progress: Callable[[str, int, int], None] | None = None) -> tuple[Fault, ...]:
        """Read every byte of the current version of every table and compare it with its manifest."""
        snapshots = [self._snapshot(table, None) for table in self.versions()]
        total = sum(len(snapshot.files) for snapshot in snapshots)
        faults: list[Fault] = []
        done = 0
        for snapshot in snapshots:
            for entry in snapshot.files:
                path = self._root / snapshot.table / entry.path
                detail = damage(path, entry)
                if detail:
                    faults.append(Fault(snapshot.table, str(path), detail))
                done += 1
                if progress:
                    progress(snapshot.table, done, total)
        return tuple(faults)

    def vacuum(self, table: str, *, keep: int) -> int:
        """Drop all but the newest ``keep`` versions, and files no kept version names; return bytes freed.

        Also removes drafts a dead process left. Readers that hold an older version lose it.
        """
        if keep < 1:
            raise ValueError("at least one version must be kept")
        directory = self._root / spec_of(table).name
        if not manifest.versions_of(directory):
            return 0
        with writer_lock(directory / LOG / "writer.lock"):
            return self._sweep(table, keep)

    def _sweep(self, table: str, keep: int) -> int:
        directory = self._root / table
        known = manifest.versions_of(directory)
        named = {entry.path for version in known[-keep:] for entry in manifest.load(directory, table, version).files}
        doomed = [manifest.manifest_path(directory, version) for version in known[:-keep]]
        doomed += list(directory.rglob(f"*{TEMPORARY}"))
        doomed += [path for path in directory.rglob("*.parquet") if str(path.relative_to(directory)) not in named]
        return sum(remove_file(path) for path in doomed)


def _no_rows(spec: TableSpec, columns: Sequence[str], *, as_codes: bool) -> pa.Table:
    kinds = {name: spec.schema.field(name).type for name in columns}
    if as_codes:
        kinds[spec.keys[0]] = pa.dictionary(pa.int32(), kinds[spec.keys[0]])
    return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
