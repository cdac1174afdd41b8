"""Journals as faces use them: verify the chain, say what is inside, write it out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from haetae.domain.units import Instant
from haetae.journal import JournalDb, export_jsonl


@dataclass(frozen=True, slots=True)
class JournalReport:
    """A journal whose chain holds: its exact content by head hash, and its entries by kind."""

    path: Path
    entries: int
    head: str
    first_at: Instant | None
    last_at: Instant | None
    kinds: dict[str, int]


def verify(path: Path) -> JournalReport:
    """Check the whole hash chain; raises ``JournalError`` at the first place that does not hold."""
    with JournalDb(path, read_only=True) as journal:
        count = journal.verify()
        kinds: Counter[str] = Counter()
        first: Instant | None = None
        last: Instant | None = None
        for _, at, kind, _, _ in journal.raw():
            kinds[kind] += 1
            first, last = at if first is None else first, at
        return JournalReport(path, count, journal.head[1], first, last, dict(sorted(kinds.items())))


def export(path: Path, target: Path) -> int:
    """Write every entry as a line of JSON; return their number."""
    with JournalDb(path, read_only=True) as journal:
        journal.verify()
        return export_jsonl(journal, target)
