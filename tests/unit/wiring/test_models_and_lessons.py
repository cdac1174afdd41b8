"""Who takes charge of a model, and which lessons reach a brief."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.domain.errors import ConfigError, ModelError
from haetae.domain.learning import Lesson, ModelCard, ModelState
from haetae.domain.units import instant_at
from haetae.journal import JournalDb
from haetae.registry.registry import Registry
from haetae.wiring import lessons, models
from haetae.wiring.clocks import DrivenClock

DAY = dt.date(2026, 11, 23)


def registered(folder: Path, *names: str) -> Path:
    registry = Registry(folder)
    for number, name in enumerate(names):
        card = ModelCard(name, "policy", "f", DAY, DAY, {"score": number / 10}, number, "")
        registry.put(card, {"weights.txt": name.encode()})
    return folder


def moved(folder: Path, name: str, to: ModelState = ModelState.CHAMPION) -> None:
    models.promote(folder, name, to, why="test", code=models.weigh(folder, name, to).code)


def test_a_promotion_needs_the_code_of_its_evidence(tmp_path: Path) -> None:
    folder = registered(tmp_path, "first", "second")
    with pytest.raises(ModelError, match="confirmation code"):
        models.promote(folder, "first", ModelState.CHAMPION, why="because", code="")
    assert all(each.state is ModelState.CANDIDATE for each in models.listing(folder))
    moved(folder, "first")
    assert Registry(folder).champion("policy").model_id == "first"
    assert Registry(folder).history()[-1].at > 0


def test_a_code_read_before_another_change_no_longer_fits(tmp_path: Path) -> None:
    folder = registered(tmp_path, "first", "second")
    stale = models.weigh(folder, "second", ModelState.CHAMPION).code
    moved(folder, "first")
    with pytest.raises(ModelError, match="confirmation code"):
        models.promote(folder, "second", ModelState.CHAMPION, why="because", code=stale)


def test_rollback_names_the_model_that_was_in_charge_before(tmp_path: Path) -> None:
    folder = registered(tmp_path, "first", "second")
    moved(folder, "first")
    with pytest.raises(ModelError, match="go back"):
        models.before(folder, "policy")
    moved(folder, "second")
    assert models.before(folder, "policy") == "first"
    moved(folder, "first")
    assert models.before(folder, "policy") == "second"


def test_the_verbs_promote_and_roll_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = registered(tmp_path, "first", "second")
    for name in ("first", "second"):
        code = models.weigh(folder, name, ModelState.CHAMPION).code
        verb = ["model", "promote", name, "--why", "measured", "--models", str(folder)]
        assert main(verb) == 2
        assert main([*verb, "--confirm", code]) == 0
    code = models.weigh(folder, "first", ModelState.CHAMPION).code
    assert main(["model", "rollback", "policy", "--why", "worse", "--models", str(folder), "--confirm", code]) == 0
    assert main(["model", "list", "--models", str(folder)]) == 0
    assert main(["model", "show", "first", "--models", str(folder)]) == 0
    assert main(["model", "show", "third", "--models", str(folder)]) == 6
    assert main(["model", "promote", "first", "--why", "x", "--to", "king", "--models", str(folder)]) == 2
    assert main(["model", "list", "--models", str(tmp_path / "nowhere")]) == 6
    assert "worse" in capsys.readouterr().out


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
