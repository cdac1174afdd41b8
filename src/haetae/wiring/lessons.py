"""The book of lessons in a journal: candidates, who approved which, and which are in force.

A lesson is an entry; so is each change of its state, with the same record in the new state. The book
is their fold. Only a person approves, only what lowers risk can be approved, approval ends after sixty
sessions, and two lessons in force that say different things of one trigger both stay silent.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import Note
from haetae.domain.learning import Lesson
from haetae.domain.units import Instant, day_of
from haetae.krx.calendar import next_trading_day
from haetae.live.recovery import opened_at
from haetae.ports import Clock, Journal
from haetae.wiring.journal_places import open_journal

LESSON, NOTE = "lesson", "note"
"""Kinds of the entries: lessons in some state, and who changed what and why."""
CANDIDATE, ACTIVE, RETIRED = "candidate", "active", "retired"
EXPIRES_SESSIONS = 60
"""A quarter of a year: a rule drawn from one market says little about the next."""
IN_FORCE_AT_MOST = 5
"""More lessons than that were seen to drown the case itself."""
LOWERING = frozenset({"veto", "reduce"})
"""Effects that can only lower risk; a looser gate is for a test to show, not for a person to wish."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A lesson, when its state last changed, and whether it is heard today."""

    lesson: Lesson
    changed_at: Instant
    heard: bool


def fold(journal: Journal, *, before: int | None = None) -> dict[str, tuple[Lesson, Instant]]:
    """Return each lesson in its newest state and since when; entries before one sequence number if given."""
    found: dict[str, tuple[Lesson, Instant]] = {}
    for seq, at, _, record in journal.entries(kind=LESSON):
        if before is not None and seq >= before:
            break
        if isinstance(record, Lesson):
            found[record.lesson_id] = (record, at)
    return found


def in_force(found: dict[str, tuple[Lesson, Instant]], day: dt.date) -> tuple[Lesson, ...]:
    """Return the approved lessons heard on a day, strongest first; never one approved after it."""
    active = []
    for lesson, at in found.values():
        since = day_of(at)
        if lesson.state == ACTIVE and since <= day <= next_trading_day(since, EXPIRES_SESSIONS):
            active.append(lesson)
    effects: dict[str, set[str]] = defaultdict(set)
    for lesson in active:
        effects[lesson.trigger].add(lesson.effect)
    clear = [lesson for lesson in active if len(effects[lesson.trigger]) == 1]
    return tuple(sorted(clear, key=lambda item: (-item.mean_gain_bp, item.lesson_id))[:IN_FORCE_AT_MOST])


def lessons_of(journal: Journal, day: dt.date) -> tuple[Lesson, ...]:
    """Return what the briefs of a day carry: nothing that was written after the day was opened."""
    opened = opened_at(journal, day)
    return in_force(fold(journal, before=opened[0] if opened else None), day)


class JournalLessons:
    """``ports.LessonBook`` over an open journal."""

    def __init__(self, journal: Journal) -> None:
        """Read nothing yet."""
        self._journal = journal

    def active(self, at: Instant) -> tuple[Lesson, ...]:
        """Return the lessons in force at an instant."""
        known = {name: (lesson, since) for name, (lesson, since) in fold(self._journal).items() if since <= at}
        return in_force(known, day_of(at))


def standings(path: Path, day: dt.date) -> tuple[Standing, ...]:
    """Return every lesson of a journal, strongest first, and whether it is heard on ``day``."""
    with open_journal(path, read_only=True) as journal:
        found = fold(journal)
    heard = {lesson.lesson_id for lesson in in_force(found, day)}
    rows = [Standing(lesson, at, lesson.lesson_id in heard) for lesson, at in found.values()]
    return tuple(sorted(rows, key=lambda row: (-row.lesson.mean_gain_bp, row.lesson.lesson_id)))


def change(path: Path, lesson_id: str, state: str, *, who: str, why: str, clock: Clock) -> Lesson:
    """Approve or retire a lesson for a stated reason; returns it in its new state."""
    if not why.strip():
        raise _refused(
            Text(ko="이유가 필요합니다", en="a reason is needed"),
            Text(ko="무엇을 보고 정했는지", en="what it rests on"),
            "-",
        )
    with open_journal(path) as journal:
        found = fold(journal)
        if lesson_id not in found:
            raise _refused(
                Text(ko=f"그런 교훈이 없습니다: {lesson_id}", en=f"there is no lesson {lesson_id}"),
                Text(ko="목록에 있는 이름", en="a name of the list"),
                f"{len(found)} lessons",
            )
        lesson = found[lesson_id][0]
        if state == ACTIVE and lesson.effect not in LOWERING:
            raise _refused(
                Text(
                    ko="위험을 늘릴 수 있는 교훈은 승인할 수 없습니다",
                    en="a lesson that may raise risk cannot be approved",
                ),
                ", ".join(sorted(LOWERING)),
                lesson.effect,
            )
        changed = replace(lesson, state=state)
        if changed != lesson:
            at = clock.now()
            note = Note(at, "lesson.changed", {"lesson_id": lesson_id, "state": state, "who": who, "why": why})
            journal.append(NOTE, [(at, note)], durable=False)
            journal.append(LESSON, [(at, changed)], durable=True)
        return changed


def _refused(message: Text, expected: str | Text, found: str) -> ConfigError:
    return ConfigError(
        message,
        expected=expected,
        found=found,
        next_step=Text(ko="`haetae review lessons list 저널` 로 보세요", en="look with `haetae review lessons list`"),
    )
