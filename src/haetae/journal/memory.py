"""``MemoryJournal``: the same journal without a disk, for simulated days that crash and go on.

The same texts, the same hashes, the same refusals. ``MemoryDisk`` plays the disk: it holds what was acknowledged and
outlives the process that wrote it. ``crash`` ends a process: what only waited is gone, save so much of it as the disk
had taken already without saying so. Not for real orders: nothing here survives the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from haetae.domain import codec
from haetae.journal.chain import Entry
from haetae.journal.chained import ChainedJournal
from haetae.journal.lease import expired, in_use
from haetae.journal.projections import Changes, Fold, shows
from haetae.journal.settings import JournalSettings
from haetae.journal.tables import PROJECTIONS, Key, Row, Table
from haetae.ports import Passing, pass_by


@dataclass(slots=True)
class MemoryDisk:
    """What a simulated machine's disk holds; ``epoch`` is the newest holder's, ``held`` whether it still lives."""

    entries: list[Entry] = field(default_factory=list)
    head: str | None = None
    tables: dict[str, dict[Key, Row]] = field(default_factory=lambda: {name: {} for name in PROJECTIONS})
    epoch: int = 0
    held: bool = False


class MemoryLease:
    """The newest epoch of a disk holds; ``lose`` plays the other process that took over."""

    def __init__(self, disk: MemoryDisk) -> None:
        """Take the next epoch."""
        disk.epoch += 1
        disk.held = True
        self._disk = disk
        self._epoch = disk.epoch
        self._released = False

    @property
    def epoch(self) -> int:
        """Return the number of this holder."""
        return self._epoch

    def holds(self) -> bool:
        """Say whether nobody took over since."""
        return not self._released and self._disk.epoch == self._epoch

    def release(self) -> None:
        """Let go, so that the next process may take it; who was replaced has nothing to let go of."""
        if self.holds():
            self._disk.held = False
        self._released = True

    def lose(self) -> None:
        """Let somebody else take over: this holder's writes are refused from now on."""
        self._disk.epoch += 1


class MemoryJournal(ChainedJournal):
    """A journal in memory; fulfils ``ports.Journal``.

    Parameters
    ----------
    disk : what an earlier process left; a fresh one by default.
    fail_at : the write (counted from 1, of this process) that the disk refuses, None for never; the disk then
        holds nothing of it, as after ENOSPC.
    passing : told ``journal.before_commit`` and ``journal.committed`` around each write.
    """

    def __init__(
        self,
        settings: JournalSettings | None = None,
        *,
        disk: MemoryDisk | None = None,
        fail_at: int | None = None,
        read_only: bool = False,
        passing: Passing = pass_by,
    ) -> None:
        super().__init__("memory", settings, read_only=read_only)
        self.disk = disk or MemoryDisk()
        if not read_only and self.disk.held:
            raise in_use("memory")
        self._lease = None if read_only else MemoryLease(self.disk)
        self._fail_at = fail_at
        self._writes = 0
        self._passing = passing
        if self.disk.entries:
            self._seq, self._hash = self.disk.entries[-1].seq, self.disk.entries[-1].digest

    @property
    def lease(self) -> MemoryLease:
        """Return the right under which this journal writes."""
        if self._lease is None:
            raise self._broken("it was opened for reading")
        return self._lease

    @property
    def acknowledged(self) -> int:
        """Return the last sequence number that the disk acknowledged."""
        return len(self.disk.entries)

    def fail_in(self, writes: int) -> None:
        """Let the disk refuse the so-many-th write from now."""
        self._fail_at = self._writes + writes

    def crash(self, *, kept: int = 0, fail_at: int | None = None) -> MemoryJournal:
        """End this process without a farewell and return the journal as the next process opens it.

        Parameters
        ----------
        kept : how many of the waiting entries the disk had taken though it never said so; the rest is lost.
        fail_at : the write of the next process that the disk refuses.
        """
        if self._failed is None and kept:
            self._keep(self._waiting[:kept])
        self._waiting = []
        self._closed = True
        self.disk.held = False
        self.lease.release()
        return MemoryJournal(self.settings, disk=self.disk, fail_at=fail_at, passing=self._passing)

    def _keep(self, entries: Sequence[Entry]) -> None:
        fold = Fold(self._load)
        for seq, at, _, text, _ in entries:
            if shows(text):
                fold.apply(seq, at, codec.parse(text))
        self._store(entries, fold.take())

    def _write(self, entries: Sequence[Entry], changes: Changes) -> None:
        self._writes += 1
        if self._writes == self._fail_at:
            raise self._broken("the write failed: no space left on the disk")
        if not self.lease.holds():
            raise expired(self.name, self.lease.epoch)
        self._passing("journal.before_commit")
        self._store(entries, changes)
        self._passing("journal.committed")

    def _store(self, entries: Sequence[Entry], changes: Changes) -> None:
        if entries:
            self.disk.entries.extend(entries)
            self.disk.head = f"{entries[-1].seq}:{entries[-1].digest}"
        for name, rows in changes.items():
            keys = PROJECTIONS[name].keys
            self.disk.tables[name].update((row[:keys], row) for row in rows)

    def _scan(self, kind: str | None, after: int) -> Iterator[Entry]:
        for place in range(after, len(self.disk.entries)):
            entry = self.disk.entries[place]
            if kind is None or entry.kind == kind:
                yield entry

    def _snapshot(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _head(self) -> str | None:
        return self.disk.head

    def _load(self, table: Table, key: Key) -> Row | None:
        return self.disk.tables[table.name].get(key)

    def _rows(self, table: Table) -> list[Row]:
        return sorted(self.disk.tables[table.name].values(), key=lambda row: row[-1])

    def _replace(self, tables: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        for table, rows in tables:
            self.disk.tables[table.name] = {row[: table.keys]: row for row in rows}

    def _inspect(self) -> None:
        """Find nothing: memory has no health of its own."""

    def _shut(self) -> None:
        if self._lease is not None:
            self._lease.release()
