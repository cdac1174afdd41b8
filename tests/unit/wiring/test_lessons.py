"""Which lessons reach a brief."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from haetae.domain.errors import ConfigError
from haetae.domain.learning import Lesson
from haetae.domain.units import instant_at
from haetae.journal import JournalDb
from haetae.wiring import lessons
from haetae.wiring.clocks import DrivenClock

DAY = dt.date(2026, 11, 23)


def candidate(name: str, effect: str = "veto", trigger: str = "hour=09") -> Lesson:
    return Lesson(name, trigger, effect, ("D1",), 12, 15.0, "candidate", instant_at(DAY, 153_000))


def book(path: Path, *found: Lesson) -> Path:
    with JournalDb(path) as journal:
        journal.append(lessons.LESSON, [(each.created_at, each) for each in found], durable=True)
    return path


def approve(path: Path, name: str, at: int = instant_at(DAY, 180_000), state: str = lessons.ACTIVE) -> Lesson:
    return lessons.change(path, name, state, who="tester", why="measured", clock=DrivenClock(at))


def heard(path: Path, day: dt.date) -> list[str]:
    return [each.lesson.lesson_id for each in lessons.standings(path, day) if each.heard]


def test_only_approved_lessons_are_heard_and_only_from_then_on(tmp_path: Path) -> None:
    path = book(tmp_path / "j.db", candidate("L1"), candidate("L2", trigger="hour=10"))
    assert heard(path, DAY) == []
    approve(path, "L1")
    assert heard(path, DAY - dt.timedelta(days=1)) == []
    assert heard(path, DAY + dt.timedelta(days=1)) == ["L1"]
    approve(path, "L1", state=lessons.RETIRED)
    assert heard(path, DAY + dt.timedelta(days=1)) == []
    with JournalDb(path, read_only=True) as journal:
        assert [lesson.lesson_id for lesson in lessons.JournalLessons(journal).active(instant_at(DAY, 235_959))] == []
        journal.verify()


def test_an_approval_ends_after_sixty_sessions(tmp_path: Path) -> None:
    path = book(tmp_path / "j.db", candidate("L1"))
    approve(path, "L1")
    assert heard(path, DAY + dt.timedelta(days=70)) == ["L1"]
    assert heard(path, DAY + dt.timedelta(days=120)) == []


def test_lessons_that_contradict_each_other_are_both_silent(tmp_path: Path) -> None:
    path = book(tmp_path / "j.db", candidate("L1"), candidate("L2", effect="reduce"))
    approve(path, "L1")
    approve(path, "L2")
    assert heard(path, DAY) == []


def test_a_lesson_that_may_raise_risk_or_has_no_reason_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "j.db", candidate("L1", effect="test_looser_gate"), candidate("L2", trigger="hour=11"))
    with pytest.raises(ConfigError, match="raise risk"):
        approve(path, "L1")
    with pytest.raises(ConfigError, match="reason"):
        lessons.change(path, "L2", lessons.ACTIVE, who="me", why=" ", clock=DrivenClock(0))
    with pytest.raises(ConfigError, match="no lesson"):
        approve(path, "L9")
    assert heard(path, DAY) == []


def test_no_more_than_five_are_heard(tmp_path: Path) -> None:
    many = [dataclasses.replace(candidate(f"L{n}", trigger=f"hour={n}"), mean_gain_bp=float(n)) for n in range(8)]
    path = book(tmp_path / "j.db", *many)
    for each in many:
        approve(path, each.lesson_id)
    assert heard(path, DAY) == ["L7", "L6", "L5", "L4", "L3"]
