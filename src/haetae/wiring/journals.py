"""Journals as faces use them: verify the chain, say what is inside, write it out, copy it, put it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haetae import live
from haetae.domain.units import Instant
from haetae.journal import backup, export_jsonl
from haetae.krx import Rulebook
from haetae.ports import Clock
from haetae.store.lake import Lake
from haetae.wiring.desks import desk_settings, initial_desk, opening_book, read_plan
from haetae.wiring.journal_places import bind, bound_to, migrated, open_journal
from haetae.wiring.lessons import lessons_of


@dataclass(frozen=True, slots=True)
class JournalReport:
    """A journal whose chain holds: its exact content by head hash, and its entries by kind."""

    path: Path
    entries: int
    head: str
    first_at: Instant | None
    last_at: Instant | None
    kinds: dict[str, int]


def verify(path: Path, env: Mapping[str, str] | None = None) -> JournalReport:
    """Check the whole hash chain; raises ``JournalError`` at the first place that does not hold."""
    with open_journal(path, env=env, read_only=True) as journal:
        count = journal.verify()
        kinds: Counter[str] = Counter()
        first: Instant | None = None
        last: Instant | None = None
        for _, at, kind, _, _ in journal.raw():
            kinds[kind] += 1
            first, last = at if first is None else first, at
        return JournalReport(path, count, journal.head[1], first, last, dict(sorted(kinds.items())))


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What folding a journal again came to; ``first`` shows the first command that differs."""

    path: Path
    days: int
    events: int
    commands: int
    differences: int
    first: str


def replay(path: Path, env: Mapping[str, str] | None = None) -> ReplayReport:
    """Fold every planned day of a journal again and compare each command byte for byte."""
    plan = read_plan(path)
    lake = Lake(plan.lake)
    settings = desk_settings(plan.decision_minutes, plan.first_decision_minute)
    events = commands = differences = 0
    first = ""
    with open_journal(path, env=env, read_only=True) as journal:
        for day in plan.days:
            desk = initial_desk(lake, day, opening_book(plan), day.settings or settings, lessons_of(journal, day.day))
            found = live.replay(journal, desk, Rulebook.on(day.day))
            events += found.events
            commands += found.commands
            differences += len(found.mismatches)
            if found.mismatches and not first:
                worst = found.mismatches[0]
                first = f"seq {worst.seq}: {worst.journalled[:120]} / {worst.replayed[:120]}"
    return ReplayReport(path, len(plan.days), events, commands, differences, first)


def export(path: Path, target: Path, env: Mapping[str, str] | None = None) -> int:
    """Write every entry as a line of JSON; return their number."""
    with open_journal(path, env=env, read_only=True) as journal:
        journal.verify()
        return export_jsonl(journal, target)


def back_up(path: Path, target: Path, env: Mapping[str, str] | None = None) -> int:
    """Copy a journal into a new file while a desk may write it, and verify the copy; return its entries."""
    with open_journal(path, env=env, read_only=True) as journal:
        return backup.copy_file(path, target) if bound_to(path) is None else backup.copy_out(journal, target)


def restore(copy: Path, path: Path, clock: Clock, env: Mapping[str, str] | None = None) -> int:
    """Put a copy where no journal is, marked as behind the broker; return the number of entries copied."""
    backup.verified(copy)
    if bind(path, env) is None:
        backup.refuse_taken(path)
    with open_journal(path, env=env) as journal:
        return backup.copy_in(copy, journal, clock.now())


def migrate(path: Path, env: Mapping[str, str] | None = None) -> str:
    """Bring a journal's tables to this program's version; return what they are now."""
    return migrated(path, env)


def rebuild(path: Path, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Fold every entry into the tables again; return the hash of each table."""
    with open_journal(path, env=env) as journal:
        journal.rebuild()
        return journal.digests()
