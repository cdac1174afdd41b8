"""A file of tries: what was done counts once, and only for the program and the question that it was done for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from haetae.domain.errors import HaetaeError
from haetae.wiring import tries
from haetae.wiring.drills import days
from haetae.wiring.drills.days import Course, Figures, run_course
from haetae.wiring.tries import Tries


def test_what_was_kept_is_found_again_and_a_torn_line_is_not(tmp_path: Path) -> None:
    file = tmp_path / "tries.jsonl"
    book = Tries(file, {"seed": 1})
    book.keep("a", {"bad": 0})
    book.keep("b", {"bad": 1})
    file.write_bytes(file.read_bytes()[:-3])
    found = Tries(file, {"seed": 1})
    assert found.made == {"a": {"bad": 0}}
    found.keep("b", {"bad": 2})
    assert Tries(file, {"seed": 1}).made == {"a": {"bad": 0}, "b": {"bad": 2}}


def test_another_question_or_another_program_has_tried_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tries.jsonl"
    Tries(file, {"seed": 1}).keep("a", {})
    assert Tries(file, {"seed": 2}).made == {}
    monkeypatch.setattr(tries, "program", lambda: "another")
    assert Tries(file, {"seed": 1}).made == {}


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(HaetaeError, match="cannot write"):
        Tries(tmp_path / "none" / "tries.jsonl", {}).keep("a", {})


def test_days_that_stand_in_the_file_are_counted_and_not_run(tmp_path: Path) -> None:
    """A day, then a second: the figures and the hash are those of both in one go, but for the time taken."""
    course, file = Course(5, 2, symbols=2), tmp_path / "days.jsonl"
    whole = run_course(course, file=file)
    both = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(both[:-1]), encoding="utf-8")  # as a run that was cut off after its first day leaves it
    ran: list[int] = []
    run_course(replace(course, days=1), file=file, told=lambda figures: ran.append(figures.days))
    assert ran == []
    found = run_course(course, file=file, told=lambda figures: ran.append(figures.days))
    assert ran == [2]
    assert _facts(found, course) == _facts(whole, course)


def test_several_days_at_once_leave_none_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first day after those that begin together was once drawn and never run."""
    monkeypatch.setattr(days, "ProcessPoolExecutor", lambda jobs, **_: ThreadPoolExecutor(jobs))
    monkeypatch.setattr(days, "run_day", lambda _, number: SimpleNamespace(number=number))
    found = days._days(Course(1, 7), range(7), 2, 0.0)
    assert sorted(day.number for day in found) == list(range(7))


def test_a_day_that_ends_with_a_fault_of_the_program_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise KeyError("nobody")

    monkeypatch.setattr(days.Rig, "run", broken)
    day = days.run_day(Course(5, 1, symbols=4), 0)
    assert [one.invariant for one in day.violations] == ["I11"]
    assert "KeyError: 'nobody'" in day.violations[0].what


def _facts(figures: Figures, course: Course) -> dict[str, object]:
    return {k: v for k, v in figures.record(course).items() if k not in ("cpu_s", "wall_s", "days_per_core_hour")}
