"""How the rows of a table are divided into files, and what a write does to them.

A file holds the rows of one year, of derived tables those of one month; of minutes, those of one day, and
of one month when the month is over. A part is named by its days: ``2023``, ``202301`` or ``20230102``; a
day belongs to the file whose part its own name begins with. Here: which parts a write touches, their new
files, the folding of days into months. Not here: versions (``log``), the write as a whole (``lake``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.units import yyyymmdd
from haetae.ports.tables import Span, TableSpec
from haetae.store.actions import FileEntry, Snapshot
from haetae.store.files import Selection, parquet_bytes, read_file
from haetae.store.merge import upsert
from haetae.store.objects import Objects
from haetae.store.settings import StoreSettings

_DAY, _MONTH = Span.DAY.value, Span.MONTH.value


def order_of(spec: TableSpec) -> tuple[str, ...]:
    """Return the order of rows in files: the keys, and the day before them where a file may hold a month."""
    return (spec.day_column, *spec.keys) if spec.span is Span.DAY else spec.keys


def parts_of(spec: TableSpec, files: Sequence[FileEntry], rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the parts that the rows belong to with their rows, in the order of days."""
    days = rows.column(spec.day_column)
    by_part: dict[str, list[dt.date]] = {}
    known = sorted((entry.part for entry in files), key=len)
    for day in sorted(pc.unique(days).to_pylist()):
        name = str(yyyymmdd(day))
        fresh = name[: spec.span.value]
        by_part.setdefault(next((part for part in known if name.startswith(part)), fresh), []).append(day)
    for part, inside in by_part.items():
        if len(by_part) == 1:
            yield part, rows
            return
        low, high = pa.scalar(inside[0], pa.date32()), pa.scalar(inside[-1], pa.date32())
        yield part, rows.filter(pc.and_(pc.greater_equal(days, low), pc.less_equal(days, high)))


@dataclass(slots=True)
class Rewriter:
    """Makes the files of one write; kept over its attempts, so that what a rival left alone is not made again."""

    objects: Objects
    spec: TableSpec
    settings: StoreSettings
    at_ms: int
    _made: dict[tuple[str, tuple[str, ...]], FileEntry] = field(default_factory=dict)
    _put: list[str] = field(default_factory=list)

    def upserted(self, before: Snapshot, rows: pa.Table) -> tuple[list[FileEntry], list[FileEntry]]:
        """Return the files that come and those that go when ``rows`` are inserted or replaced.

        The files are durable on return. Both are empty if the rows are there already.
        """
        come: list[FileEntry] = []
        gone: list[FileEntry] = []
        parts = list(parts_of(self.spec, before.files, rows)) if len(rows) else []
        for part, piece in parts:
            old = [entry for entry in before.files if entry.part == part]
            fresh = self._merged(before.version, part, old, piece)
            if [entry.sha256 for entry in old] != [fresh.sha256]:
                come.append(fresh)
                gone += old
        if come and self.spec.span is Span.DAY:
            for month, days in _over(before.files, [part for part, _ in parts], self.settings.fold_rows):
                come.append(self._folded(before.version, month, days))
                gone += days
        return come, gone

    def replaced(self, before: Snapshot, rows: pa.Table) -> tuple[list[FileEntry], list[FileEntry]]:
        """Return the files that come and those that go when ``rows`` are all that stays."""
        parts = list(parts_of(self.spec, before.files, rows)) if len(rows) else []
        come = [self._merged(before.version, part, [], piece) for part, piece in parts]
        same = {entry.sha256 for entry in come} & {entry.sha256 for entry in before.files}
        return (
            [entry for entry in come if entry.sha256 not in same],
            [entry for entry in before.files if entry.sha256 not in same],
        )

    def discard(self) -> None:
        """Remove the files of a write that was refused, so that a full disk is not left fuller."""
        self.objects.remove(self._put)

    def _merged(self, version: int, part: str, old: list[FileEntry], piece: pa.Table) -> FileEntry:
        key = (part, tuple(entry.path for entry in old))
        if key not in self._made:
            merged = upsert(self._rows(old), piece, order_of(self.spec))
            self._made[key] = self._stored(version, part, merged, [entry.sha256 for entry in old])
        return self._made[key]

    def _folded(self, version: int, month: str, days: list[FileEntry]) -> FileEntry:
        key = (month, tuple(entry.path for entry in days))
        if key not in self._made:
            self._made[key] = self._stored(version, month, self._rows(days), [])
        return self._made[key]

    def _rows(self, entries: Sequence[FileEntry]) -> pa.Table:
        everything = Selection(tuple(self.spec.schema.names))
        read = [read_file(self.objects, self.spec, entry, everything) for entry in entries]
        return pa.concat_tables([self.spec.schema.empty_table(), *read], promote_options="permissive")

    def _stored(self, version: int, part: str, rows: pa.Table, known: list[str]) -> FileEntry:
        content = parquet_bytes(rows, self.settings)
        digest = hashlib.sha256(content).hexdigest()
        # Named by the version it is meant for too: a file that a clean-up may be dropping is never needed again.
        path = f"{part}/{version + 1:08d}-{digest[:20]}.parquet"
        days = pc.min_max(rows.column(self.spec.day_column)).as_py()
        keys = pc.min_max(rows.column(self.spec.keys[0])).as_py()
        if known != [digest]:
            self._put.append(f"{self.spec.name}/{path}")
            self.objects.put(self._put[-1], content)
        return FileEntry(
            path, part, len(rows), len(content), digest, yyyymmdd(days["min"]), yyyymmdd(days["max"]),
            keys["min"], keys["max"], self.at_ms,
        )  # fmt: skip


def _over(files: Sequence[FileEntry], touched: Sequence[str], most_rows: int) -> Iterator[tuple[str, list[FileEntry]]]:
    """Yield the months that are over and still lie in days: before the newest, and not being written."""
    busy = {part[:_MONTH] for part in touched}
    newest = max(busy | {entry.part[:_MONTH] for entry in files}, default="")
    months: dict[str, list[FileEntry]] = {}
    for entry in files:
        if len(entry.part) == _DAY and entry.part[:_MONTH] not in busy:
            months.setdefault(entry.part[:_MONTH], []).append(entry)
    for month, days in sorted(months.items()):
        if month < newest and len(days) > 1 and sum(entry.rows for entry in days) <= most_rows:
            yield month, days
