"""The lake: versioned tables of market data, in the format of Delta Lake.

``<root>/<table>/<part>/<version>-<hash>.parquet`` holds the rows of one year (of one day or month for
minutes), sorted by the keys of the table; ``<root>/<table>/_delta_log`` names the files of each version.
A write builds new files for the parts it touches, makes them durable, and then makes the version
exist by one entry put where none was: readers see the old version or the new one, never part, and a
process may die at any instant. Writers of one machine wait for one another; of writers on several
machines (a bucket) the one that comes second reads, merges and tries again. Readers take no lock.

Here: ``Lake`` (``ports.BarLake``). Not here: schemas (``schema``), the log (``log``), files (``parts``,
``files``), where bytes lie (``objects``, ``s3``), the clean-up (``care``), arrays for simulation and
learning (``panels``), instruments and closes as of a day (``reference``), files of others (``importer``).
"""
# long: the one face of the lake; every way in and out reads in one place.

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from haetae.domain.errors import ConfigError, DataError, HaetaeError, Text
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, yyyymmdd
from haetae.ports import Passing, pass_by
from haetae.ports.tables import DERIVED, TABLES, TableSpec, derived_table
from haetae.store import care
from haetae.store.actions import Change, Snapshot, digest_of, metadata_of, schema_of
from haetae.store.care import Fault, Swept
from haetae.store.files import Selection, read_file
from haetae.store.frames import lazy_frame
from haetae.store.inventory import TableInfo, VersionInfo, info_of, version_of
from haetae.store.log import Log
from haetae.store.merge import sort_rows
from haetae.store.objects import Folder, Objects
from haetae.store.panels import build_panel
from haetae.store.parts import Rewriter, order_of
from haetae.store.query import run_query
from haetae.store.schema import conform, derived_from, spec_of
from haetae.store.settings import StoreSettings

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Fault", "Lake", "Swept", "TableInfo", "VersionInfo"]

T = TypeVar("T")


class Lake:
    """Tables of market data in one folder or bucket; fulfils ``ports.BarLake``.

    Opening creates nothing; the first write makes the place. All refusals of the disk and all damage
    found while reading are ``DataError``.
    """

    def __init__(
        self,
        root: Path | str | Objects,
        settings: StoreSettings | None = None,
        *,
        by: str = "",
        passing: Passing = pass_by,
    ) -> None:
        """Take the place; it need not exist yet. ``by`` says who writes and is kept with each version."""
        if isinstance(root, str) and "://" in root:
            raise ConfigError(
                Text(ko="버킷의 레이크는 주소만으로 열 수 없습니다", en="a lake in a bucket needs a client"),
                expected=Text(ko="폴더, 또는 store.s3.Bucket", en="a folder, or a store.s3.Bucket"),
                found=root,
                next_step="haetae.wiring.lakes.open_lake",
            )
        self._objects: Objects = Folder(Path(root), passing) if isinstance(root, (str, Path)) else root
        self._passing = passing
        self._settings = settings or StoreSettings()
        self._by = by
        self._logs: dict[str, Log] = {}
        self._derived: dict[str, TableSpec] = {}

    @property
    def address(self) -> str:
        """What people call the place: a path or ``s3://bucket/prefix``."""
        return self._objects.address

    @property
    def root(self) -> Path:
        """Where the lake lies on this machine; a lake in a bucket has no such place."""
        path = self._objects.path("")
        if path is None:
            raise DataError(
                Text(ko="이 레이크는 이 컴퓨터에 없습니다", en="this lake is not on this machine"),
                expected=Text(ko="폴더의 레이크", en="a lake in a folder"),
                found=self.address,
                next_step=f"haetae lake pull {self.address}",
            )
        return path

    def declare(self, spec: TableSpec) -> None:
        """Make a derived table known before its first write; later its log tells its columns."""
        self._derived[spec.name] = spec

    def _spec(self, table: str) -> TableSpec:
        if table not in TABLES and table not in self._derived and table.startswith(DERIVED):
            bare = derived_table(table, {}, minutes=False)
            meta = Log(self._objects, bare, self._settings.checkpoint_every).load().meta
            if meta is not None:
                self._derived[table] = derived_from(table, schema_of(meta))
        return self._derived.get(table) or spec_of(table)

    def _log(self, table: str) -> Log:
        spec = self._spec(table)
        if table not in self._logs:
            self._logs[table] = Log(self._objects, spec, self._settings.checkpoint_every, self._passing)
        return self._logs[table]

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
        spec = self._spec(table)
        if not set(spec.keys) <= set(keys):
            raise DataError(
                f"table '{table}' is keyed by {list(spec.keys)}, not by {list(keys)}",
                expected=", ".join(spec.keys),
                found=", ".join(keys),
                next_step="pass the keys of ports.tables",
            )
        return self._write(spec, conform(spec, rows), notes or {}, whole=False)

    def replace(self, table: str, rows: pa.Table, *, notes: Mapping[str, str] | None = None) -> int:
        """Make ``rows`` all that a table holds, atomically and durably; return the version. Other notes stay."""
        spec = self._spec(table)
        return self._write(spec, conform(spec, rows), notes or {}, whole=True)

    def _write(self, spec: TableSpec, rows: pa.Table, notes: Mapping[str, str], *, whole: bool) -> int:
        log = self._log(spec.name)
        if not len(rows) and not notes and not whole:
            return log.newest()
        with self._objects.exclusive(spec.name):
            self._objects.settle(spec.name)
            work = Rewriter(self._objects, spec, self._settings, self._objects.moment(spec.name))
            before = log.load()
            try:
                for _ in range(self._settings.commit_attempts):
                    if before.meta is None:
                        log.create(work.at_ms, by=self._by)
                        before = log.load()
                    after = self._attempt(log, work, before, rows, notes, whole=whole)
                    if after is not None:
                        break
                    before = log.load()
                else:
                    raise _crowded(spec.name, self._settings.commit_attempts)
            except HaetaeError:
                with suppress(HaetaeError):
                    if not self._objects.shared and log.newest() <= before.version:
                        work.discard()
                raise
            if after.version > before.version:
                self._sweep(spec.name, after)
            return after.version

    def _attempt(
        self, log: Log, work: Rewriter, before: Snapshot, rows: pa.Table, notes: Mapping[str, str], *, whole: bool
    ) -> Snapshot | None:
        """Return the version that holds the rows, ``before`` itself if it does; None if another writer was first."""
        come, gone = work.replaced(before, rows) if whole else work.upserted(before, rows)
        meta = metadata_of(work.spec, {**before.notes, **notes}, before.meta, work.at_ms)
        told = None if meta == before.meta else meta
        if not come and not gone and told is None:
            return before
        change = Change("WRITE" if whole else "MERGE", tuple(come), tuple(gone), told, self._by)
        self._passing("lake.parts_written")
        after = log.commit(before, change, work.at_ms)
        self._passing("lake.version_committed")
        return after

    def _sweep(self, table: str, after: Snapshot) -> None:
        keep = self._settings.keep_versions
        if self._objects.shared:
            return  # in a bucket only `vacuum` drops: who writes there need not have the right to delete
        if keep and after.version % self._settings.sweep_every == 0:
            care.sweep(self._objects, self._log(table), table, keep, self._grace_ms)

    @property
    def _grace_ms(self) -> int | None:
        return self._settings.orphan_hours * 3_600_000 if self._objects.shared else None

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
        spec = self._spec(table)
        pieces = self._looked(
            table, version, lambda seen: list(self._pieces(spec, seen, spec.schema.names, symbols, (start, end)))
        )
        rows = _joined(spec, pieces, spec.schema.names, as_codes=False).combine_chunks()
        one_day = start is not None and start == end
        as_in_file = len(pieces) < 2 and (one_day or order_of(spec) == spec.sort)
        return rows if as_in_file else sort_rows(rows, spec.sort)

    def batches(
        self,
        table: str,
        *,
        columns: Sequence[str] | None = None,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> Iterator[pa.Table]:
        """Yield the rows of one version file by file, in the order of days, for a pass that need not hold all.

        The first key comes dictionary encoded. Inside a file rows are sorted by the keys (of minutes, by
        day, then the keys). A clean-up that drops the version meanwhile ends the pass with ``DataError``.
        """
        spec = self._spec(table)
        seen = self._log(table).load(version)
        return self._pieces(spec, seen, columns or spec.schema.names, symbols, (start, end), as_codes=True)

    def panel(
        self,
        table: str,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        *,
        version: int | None = None,
    ) -> Panel:
        """Return bars of a table with prices as a dense ``Panel``.

        There is a row for each time at which at least one of the symbols has a bar, and a column for
        each symbol asked for, even if it never traded; without ``symbols`` the columns are those of
        the rows. Halted days and bars without volume are not ``traded``. Memory: 41 bytes per bar
        and symbol.
        """
        spec = self._spec(table)
        halted = ["halted"] if "halted" in spec.schema.names else []
        columns = [*spec.keys, "open", "high", "low", "close", "volume", *halted]
        pieces = self._looked(
            table, version, lambda seen: list(self._pieces(spec, seen, columns, symbols, (start, end), as_codes=True))
        )
        rows = _joined(spec, pieces, columns, as_codes=True)
        return build_panel(rows, spec.keys[0], spec.keys[1], symbols)

    def sql(self, query: str, *, versions: Mapping[str, int] | None = None) -> pa.Table:
        """Return the answer of a DuckDB query over the tables of the lake, by their names.

        The query reads this lake and nothing else: no other file, no network. ``versions`` pins
        tables to older versions. Of a lake in a bucket the tables the query names are fetched whole first.
        """
        at = versions or {}
        specs = {table: self._spec(table) for table in dict.fromkeys((*TABLES, *self.tables()))}
        return run_query(query, self._objects, specs, lambda each: self._log(each).load(at.get(each)), self._settings)

    def scan(
        self,
        table: str,
        *,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> pl.LazyFrame:
        """Return the rows of exactly one version as a lazy frame of Polars (extra ``polars``), in no order.

        Raises ``ConfigError`` where Polars is not installed.
        """
        spec = self._spec(table)
        seen = self._log(table).load(version)
        files = [entry for entry in seen.files if _meets(entry.first_day, entry.last_day, start, end)]
        return lazy_frame(self._objects, spec, files, symbols, start, end)

    def _looked(self, table: str, version: int | None, look: Callable[[Snapshot], T]) -> T:
        """Return what ``look`` finds in a version; if a clean-up took the newest away meanwhile, in the one after."""
        log = self._log(table)
        while True:
            seen = log.load(version)
            try:
                return look(seen)
            except DataError as fault:
                gone = isinstance(fault.__cause__, FileNotFoundError)
                if not gone or version is not None or log.newest() == seen.version:
                    raise

    def _pieces(
        self,
        spec: TableSpec,
        snapshot: Snapshot,
        columns: Sequence[str],
        symbols: Sequence[Symbol] | None,
        days: tuple[dt.date | None, dt.date | None],
        *,
        as_codes: bool = False,
    ) -> Iterator[pa.Table]:
        start, end = days
        for entry in snapshot.files:
            if not _meets(entry.first_day, entry.last_day, start, end):
                continue
            wanted = Selection(
                tuple(columns),
                None if symbols is None else tuple(symbols),
                start if start is not None and entry.first_day < yyyymmdd(start) else None,
                end if end is not None and entry.last_day > yyyymmdd(end) else None,
                as_codes,
            )
            yield read_file(self._objects, spec, entry, wanted)

    # -- what is there -----------------------------------------------------------------------

    def tables(self) -> tuple[str, ...]:
        """Return the tables that were ever begun, also those whose first write was refused."""
        there = sorted(self._objects.folders())
        return (*(table for table in TABLES if table in there), *(name for name in there if name.startswith(DERIVED)))

    def versions(self) -> Mapping[str, int]:
        """Return the current version of each table that was ever written."""
        found = {table: self._log(table).newest() for table in self.tables()}
        return {table: version for table, version in found.items() if version}

    def digest(self, table: str, version: int | None = None) -> str:
        """Return the name of the exact bytes of a version: equal digests are equal rows, in any lake."""
        return digest_of(self._spec(table), self._log(table).load(version).files)

    def notes(self, table: str) -> Mapping[str, str]:
        """Return what writers noted about their rows, by source."""
        return self._log(table).load().notes

    def describe(self) -> tuple[TableInfo, ...]:
        """Return what each written table holds now."""
        return tuple(info_of(self._spec(table), self._log(table).load()) for table in self.versions())

    def history(self, table: str) -> tuple[VersionInfo, ...]:
        """Return the versions that can still be read, oldest first; their seals are checked on the way."""
        spec = self._spec(table)
        return tuple(version_of(spec, commit, seen) for commit, seen in self._log(table).history())

    # -- care --------------------------------------------------------------------------------

    def check(self, progress: Callable[[str, int, int], None] | None = None) -> tuple[Fault, ...]:
        """Read every log entry, and every byte of the current version, of every table; return what is damaged."""
        return care.check(self._objects, {table: self._log(table) for table in self.versions()}, progress)

    def vacuum(self, table: str, *, keep: int, dry_run: bool = False) -> Swept:
        """Drop all but the newest ``keep`` versions, and files no kept version names; return what went.

        Also removes drafts a dead process left. Readers that hold an older version lose it. With
        ``dry_run`` nothing is removed.
        """
        if keep < 1:
            raise ValueError("at least one version must be kept")
        log = self._log(table)
        if log.listing().newest is None:
            return Swept(table, 0, 0, 0)
        if dry_run:
            return care.sweep(self._objects, log, table, keep, self._grace_ms, dry_run=True)
        with self._objects.exclusive(table):
            return care.sweep(self._objects, log, table, keep, self._grace_ms)


def _crowded(table: str, attempts: int) -> DataError:
    return DataError(
        Text(ko=f"'{table}'에 다른 프로그램이 계속 쓰고 있습니다", en=f"others keep writing '{table}'"),
        expected=Text(ko="빈틈", en="a turn"),
        found=f"{attempts} versions by others",
        next_step=Text(ko="같은 명령을 다시 실행하세요", en="run the same command again"),
    )


def _meets(first_day: int, last_day: int, start: dt.date | None, end: dt.date | None) -> bool:
    return (start is None or last_day >= yyyymmdd(start)) and (end is None or first_day <= yyyymmdd(end))


def _joined(spec: TableSpec, pieces: list[pa.Table], columns: Sequence[str], *, as_codes: bool) -> pa.Table:
    if pieces:
        return pa.concat_tables(pieces, promote_options="permissive")
    kinds = {name: spec.schema.field(name).type for name in columns}
    if as_codes:
        kinds[spec.keys[0]] = pa.dictionary(pa.int32(), kinds[spec.keys[0]])
    return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
