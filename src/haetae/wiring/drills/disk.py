"""A journal in memory: what was acknowledged outlives the process that wrote it, what only waited does not.

Here: ``MemoryDisk``, ``MemoryJournal``. The same texts and the same hash chain as on a disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from haetae.domain import codec
from haetae.domain.errors import JournalError
from haetae.domain.units import Instant
from haetae.journal.chain import GENESIS, link

Entry = tuple[int, Instant, str, str, str]


@dataclass(slots=True)
class MemoryDisk:
    """What a simulated machine's disk holds."""

    entries: list[Entry] = field(default_factory=list)


class MemoryJournal:
    """``ports.Journal`` in memory."""

    def __init__(self, *, disk: MemoryDisk, fail_at: int | None = None) -> None:
        """Go on where the disk ends; the ``fail_at``-th write from now on is refused."""
        self.disk = disk
        self._waiting: list[Entry] = []
        self._fail_at = fail_at
        self._writes = 0
        self._last = (disk.entries[-1][0], disk.entries[-1][4]) if disk.entries else (0, GENESIS)

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> int:
        """Append records; with ``durable`` return only once they are on the disk."""
        for at, record in records:
            text = codec.encode(record)
            seq = self._last[0] + 1
            digest = link(self._last[1], seq, at, kind, text)
            self._waiting.append((seq, at, kind, text, digest))
            self._last = (seq, digest)
        if durable:
            self.flush()
        return self._last[0]

    def flush(self) -> None:
        """Put what waits on the disk; raises ``JournalError`` where that has no room."""
        self._writes += 1
        if self._writes == self._fail_at:
            raise JournalError(
                "the write failed", expected="room", found="no space left on the disk", next_step="make room"
            )
        self.disk.entries += self._waiting
        self._waiting = []

    @property
    def head(self) -> tuple[int, str]:
        """Return the last sequence number and its hash."""
        return self._last

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        """Yield ``(seq, at, kind, record)`` in order."""
        for place in range(after, len(self.disk.entries)):
            seq, at, found, text, _ = self.disk.entries[place]
            if kind is None or found == kind:
                yield seq, at, found, codec.decode(text)
        for seq, at, found, text, _ in list(self._waiting):
            if seq > after and (kind is None or found == kind):
                yield seq, at, found, codec.decode(text)

    def raw(self) -> Iterator[Entry]:
        """Yield ``(seq, at, kind, text, hash)`` of what is on the disk."""
        return iter(self.disk.entries)

    def verify(self) -> int:
        """Check the chain."""
        previous = GENESIS
        for seq, at, kind, text, digest in self.disk.entries:
            if link(previous, seq, at, kind, text) != digest:
                raise JournalError("broken", expected="a chain", found=f"entry {seq}", next_step="stop")
            previous = digest
        return len(self.disk.entries)

    def fail_in(self, writes: int) -> None:
        """Let the disk refuse the so-many-th write from now."""
        self._fail_at = self._writes + writes

    def crash(self, *, kept: int = 0) -> None:
        """Lose what waits, save so much of it as the disk had taken without saying so."""
        self.disk.entries += self._waiting[:kept]
        self._waiting = []

    def close(self) -> None:
        """End in order."""
        self.flush()
