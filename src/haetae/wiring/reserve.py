"""The emergency journal: an append-only file on another path, and its way back into the journal.

One JSON line an entry, in the journal's own words: number, instant, kind, text, hash of the same chain. Every append is
on the disk when it returns. The file exists only after the journal failed in the middle of an escape (``live.record``
has the rule); the next start merges it before anything else and keeps it beside as ``….merged``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from haetae.domain import codec
from haetae.domain.errors import JournalError, Text
from haetae.journal.chain import link
from haetae.journal.chained import ChainedJournal
from haetae.live.record import Entry


@dataclass(frozen=True, slots=True)
class _Line:
    seq: int
    at: int
    kind: str
    text: str
    hash: str


class ReserveFile:
    """Fulfils ``live.record.Reserve`` with one file."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet: most days never need it."""
        self.path = path
        self._file = -1
        self._seq, self._hash = 0, ""

    def begin(self, after: tuple[int, str], entries: Iterable[Entry]) -> None:
        """Make the file behind the journal's last entry on the disk; one that is there already is never overwritten."""
        self._seq, self._hash = after
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as fault:
            raise _unusable(self.path, fault.strerror or str(fault)) from fault
        self.append(entries)

    def append(self, entries: Iterable[Entry]) -> None:
        """Append entries and return when they are on the disk."""
        lines = []
        for kind, at, record in entries:
            text = codec.encode(record)
            self._seq += 1
            self._hash = link(self._hash, self._seq, at, kind, text)
            line = {"seq": self._seq, "at": at, "kind": kind, "text": text, "hash": self._hash}
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
        try:
            left = "".join(lines).encode()
            while left:
                left = left[os.write(self._file, left) :]
            os.fsync(self._file)
        except OSError as fault:
            raise _unusable(self.path, fault.strerror or str(fault)) from fault

    def close(self) -> None:
        """Close what was opened."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def merge(journal: ChainedJournal, path: Path) -> int:
    """Append to a journal what its reserve holds beyond it; return how many entries that were.

    A torn last line was never acknowledged and is left out. Raises ``JournalError`` where the two do not continue one
    another: then a person decides, and nothing was changed.
    """
    if not path.is_file():
        return 0
    journal.flush()
    have = journal.head[0]
    fresh = []
    expected = 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        told = _line(path, line)
        if expected and told.seq != expected:
            raise _unusable(path, f"entry {expected} is missing")
        expected = told.seq + 1
        if told.seq <= have:
            known = next(journal.raw(after=told.seq - 1))
            if known[4] != told.hash:
                raise _unusable(path, f"entry {told.seq} is not the journal's")
        else:
            fresh.append(told)
    if fresh and fresh[0].seq != have + 1:
        raise _unusable(path, f"the journal ends at {have}, the reserve goes on at {fresh[0].seq}")
    for told in fresh:
        journal.append(told.kind, [(told.at, codec.decode(told.text))], durable=False)
        if journal.head[1] != told.hash:
            raise _unusable(path, f"entry {told.seq} does not fit the hash chain")
    journal.flush()
    path.replace(path.with_name(f"{path.name}.{journal.head[0]}.merged"))
    return len(fresh)


def _line(path: Path, line: bytes) -> _Line:
    try:
        told = json.loads(line)
        return _Line(int(told["seq"]), int(told["at"]), str(told["kind"]), str(told["text"]), str(told["hash"]))
    except (ValueError, KeyError, TypeError) as fault:
        raise _unusable(path, f"a line does not read: {fault}") from fault


def _unusable(path: Path, found: str) -> JournalError:
    return JournalError(
        Text(ko=f"비상 저널을 쓸 수 없습니다: {path}", en=f"the emergency journal cannot be used: {path}"),
        expected=Text(ko="저널을 잇는 기록", en="entries that continue the journal"),
        found=found,
        next_step="docs/runbooks/restore-from-backup.md",
    )
