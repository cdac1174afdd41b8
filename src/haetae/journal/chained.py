"""``ChainedJournal``: what every journal does alike, whatever database keeps it.

Entries get their number, text and hash here and wait in memory; ``flush`` hands them to the database in one
transaction, together with the head and the rows of the projections. What was acknowledged survives a killed process
and a power cut; what was not may be lost, as a whole tail, never from the middle.

The chain detects a changed, moved or missing entry; the head kept beside it detects a cut tail; the projections are
folded again and compared. After a write that failed nothing is acknowledged any more: whoever trades stops, and the
next start reads what is really there. Not here: any database (``database``, ``postgres``, ``memory``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from haetae.domain import codec
from haetae.domain.errors import JournalError, Text
from haetae.domain.units import Instant
from haetae.journal.chain import GENESIS, Entry, link
from haetae.journal.projections import Changes, Fold, shows
from haetae.journal.settings import JournalSettings
from haetae.journal.tables import PROJECTIONS, Key, Row, Table, digest_of, named
from haetae.ports import Lease

_ADOPTED = 2_000
"""Entries of another journal that are written at once."""


class ChainedJournal(ABC):
    """A journal over some database; fulfils ``ports.Journal``.

    Parameters
    ----------
    name : how messages call it; never holds a secret.
    read_only : opened beside a writer; ``append`` is refused.
    """

    def __init__(self, name: str, settings: JournalSettings | None, *, read_only: bool) -> None:
        self.name = name
        self.settings = settings or JournalSettings()
        self.read_only = read_only
        self._seq, self._hash = 0, GENESIS
        self._waiting: list[Entry] = []
        self._fold = Fold(self._load)
        self._failed: JournalError | None = None
        self._closed = False

    # -- what a database brings ------------------------------------------------------------------

    @property
    @abstractmethod
    def lease(self) -> Lease:
        """Return the right under which this journal writes; raises ``JournalError`` for a reader."""

    @abstractmethod
    def _write(self, entries: Sequence[Entry], changes: Changes) -> None:
        """Write entries, head and rows in one durable transaction under the lease; raises ``JournalError``."""

    @abstractmethod
    def _scan(self, kind: str | None, after: int) -> Iterator[Entry]:
        """Yield the entries of the database in order."""

    @abstractmethod
    def _snapshot(self) -> AbstractContextManager[None]:
        """Hold one view of the database while a writer goes on."""

    @abstractmethod
    def _head(self) -> str | None:
        """Return the head that was written with the last entry, as ``seq:hash``."""

    @abstractmethod
    def _load(self, table: Table, key: Key) -> Row | None:
        """Return a projection's row."""

    @abstractmethod
    def _rows(self, table: Table) -> list[Row]:
        """Return a projection's rows in the order of their entries."""

    @abstractmethod
    def _replace(self, tables: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        """Put these rows in the place of all rows of the projections, in one durable transaction."""

    @abstractmethod
    def _inspect(self) -> None:
        """Check what the database alone can know of its own health; raises ``JournalError``."""

    @abstractmethod
    def _shut(self) -> None:
        """Let go of the database and of the lease."""

    # -- writing ---------------------------------------------------------------------------------

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> int:
        """Append records in order, all of a call or none; see ``ports.Journal``.

        Raises
        ------
        JournalError
            The database refused, or another process holds the lease now. Nothing of the open batch is acknowledged
            and the journal must not be used further: whoever trades stops.
        """
        self._writable()
        said = [(at, codec.plain(record)) for at, record in records]
        texts = [(at, codec.text_of(one), one) for at, one in said]
        for at, text, one in texts:
            self._seq += 1
            self._hash = link(self._hash, self._seq, at, kind, text)
            self._waiting.append(Entry(self._seq, at, kind, text, self._hash))
            self._fold.apply(self._seq, at, one)
        if durable or len(self._waiting) >= self.settings.batch:
            self.flush()
        return self._seq

    def flush(self) -> None:
        """Commit what waits; returns when it is on the disk."""
        if self.read_only or not self._waiting:
            return
        self._writable()
        try:
            self._write(self._waiting, self._fold.take())
        except JournalError as fault:
            self._failed = fault
            self._waiting = []
            raise
        self._waiting = []
        self._fold.trim()

    def _writable(self) -> None:
        if self.read_only:
            raise self._broken("it was opened for reading")
        if self._closed:
            raise self._broken("it was closed")
        if self._failed is not None:
            raise self._broken(f"a write failed before: {self._failed.found or self._failed}") from self._failed

    def rebuild(self) -> int:
        """Verify and replay in one reading: check all that ``verify`` does, and put tables right that are not.

        Every entry is folded again; a table that is not what they say is emptied and written anew. Return how many
        entries there are. Raises ``JournalError`` where the chain, the head or the database itself is not whole.
        """
        self.flush()
        self._writable()
        with self._snapshot():
            self._inspect()
            folded, count = self._folded()
            wrong = [table for table in PROJECTIONS.values() if not self._agrees(folded, table)]
        if wrong:
            self._replace([(table, folded.rows(table.name)) for table in wrong])
        for table in wrong:
            if not self._agrees(folded, table):
                raise self._broken(f"table {table.name} does not keep what is written into it")
        self._fold = Fold(self._load)
        return count

    def _agrees(self, folded: Fold, table: Table) -> bool:
        return list(folded.rows(table.name)) == self._rows(table)

    def adopt(self, entries: Iterable[Entry], *, at_once: bool = False) -> int:
        """Append entries of another journal as they stand, texts and hashes unchanged; return how many.

        With ``at_once`` they wait for the next write, all together, however many they are; otherwise they are written
        as they come. Raises ``JournalError`` at the first that does not continue this chain.
        """
        self._writable()
        count = 0
        for entry in entries:
            follows = entry.seq == self._seq + 1
            if not follows or link(self._hash, entry.seq, entry.at, entry.kind, entry.text) != entry.digest:
                raise self._broken(f"entry {entry.seq} does not continue the chain after {self._seq}")
            self._seq, self._hash = entry.seq, entry.digest
            self._waiting.append(entry)
            if shows(entry.text):
                self._fold.apply(entry.seq, entry.at, codec.parse(entry.text))
            count += 1
            if len(self._waiting) >= _ADOPTED and not at_once:
                self.flush()
        if not at_once:
            self.flush()
        return count

    # -- reading ---------------------------------------------------------------------------------

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        """Yield ``(seq, at, kind, record)`` in order; raises ``JournalError`` at an entry that does not decode."""
        for seq, at, found, text, _ in self.raw(kind=kind, after=after):
            yield seq, at, found, codec.decode(text)

    def raw(self, *, kind: str | None = None, after: int = 0) -> Iterator[Entry]:
        """Yield ``(seq, at, kind, canonical text, hash)`` in order, without decoding."""
        self._settle()
        yield from self._scan(kind, after)

    def verify(self) -> int:
        """Check every entry, the head and every row of the projections; see ``ports.Journal``."""
        self._settle()
        with self._snapshot():
            self._inspect()
            folded, count = self._folded()
            for name, table in PROJECTIONS.items():
                if not self._agrees(folded, table):
                    raise self._broken(f"table {name} is not what the entries say; `haetae journal rebuild` mends it")
        return count

    def _check_head(self, count: int, digest: str) -> None:
        head = self._head()
        if head is None and count:
            raise self._broken("the head is missing")
        if head is not None and head != f"{count}:{digest}":
            raise self._broken(f"the tail is cut: {count} entries, the head says {head[:20]}")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a projection (one of ``TABLES``) as dicts, in the order of its entries."""
        self._settle()
        found = PROJECTIONS[table]
        return [named(found, row) for row in self._rows(found)]

    def digests(self) -> dict[str, str]:
        """Return one hash per projection: equal content, equal hash, whatever database keeps it."""
        self._settle()
        return {name: digest_of(self._rows(table)) for name, table in PROJECTIONS.items()}

    @property
    def head(self) -> tuple[int, str]:
        """Last sequence number and its hash; names the journal's exact content."""
        return self._seq, self._hash

    def _folded(self) -> tuple[Fold, int]:
        """Return all entries folded anew, and how many there are; raises ``JournalError`` where the chain breaks."""
        folded, count, previous, parse = Fold(), 0, GENESIS, codec.parse
        for seq, at, kind, text, digest in self._scan(None, 0):
            count += 1
            if seq != count:
                raise self._broken(f"entry {count} is missing")
            if link(previous, seq, at, kind, text) != digest:
                raise self._broken(f"entry {seq} does not fit the hash chain")
            previous = digest
            if shows(text):
                folded.apply(seq, at, parse(text))
        self._check_head(count, previous)
        return folded, count

    def _settle(self) -> None:
        """Let a reader of its own writing see all of it; a broken journal shows what was acknowledged."""
        if self._failed is None and not self._closed:
            self.flush()

    # -- ending ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Commit what waits, let go of the database and of the lease; a second call does nothing."""
        if self._closed:
            return
        try:
            if self._failed is None:
                self.flush()
        finally:
            self._closed = True
            self._shut()

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal."""
        self.close()

    def _broken(self, found: str) -> JournalError:
        return broken(self.name, found)


def broken(name: str, found: str) -> JournalError:
    """Return the refusal of a journal that cannot be trusted; ``found`` says why."""
    return JournalError(
        Text(ko=f"일지를 믿을 수 없습니다: {name}", en=f"the journal cannot be trusted: {name}"),
        expected=Text(ko="끊기지 않은 해시 사슬", en="an unbroken hash chain"),
        found=found,
        next_step=Text(
            ko="거래를 멈추고 사본을 보관한 뒤 `haetae journal verify`",
            en="stop trading, keep a copy, then `haetae journal verify`",
        ),
    )
