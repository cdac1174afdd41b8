"""Deaths at named points: the table is the code's, a killed desk and killed writers recover, a bad recovery is seen."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import haetae
from haetae.domain.errors import ConfigError, Text
from haetae.wiring.crashes.cases import Straight
from haetae.wiring.crashes.dying import Death, Dying
from haetae.wiring.crashes.points import POINTS
from haetae.wiring.crashes.sweep import Case, Found, Swept, Tried, Wanted, plan, stages, sweep
from haetae.wiring.crashes.writing import WritingStage, writings

PACKAGE = Path(haetae.__file__).parent
LEAST = 60


def passed_in(source: str) -> list[str]:
    """The points a source passes: `passing("…")`, `self._passing("…")`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("passing", "_passing") and isinstance(node.args[0].value, str):
                found.append(node.args[0].value)
    return found


def test_the_table_of_points_is_what_the_code_passes() -> None:
    in_code = Counter(name for path in PACKAGE.rglob("*.py") for name in passed_in(path.read_text(encoding="utf-8")))
    named = [point.name for point in POINTS]
    assert len(named) == len(set(named)) >= LEAST
    assert sorted(in_code) == sorted(named)


def test_the_product_passes_points_without_doing_anything() -> None:
    from haetae.ports import pass_by

    assert pass_by("any") is None


def test_a_share_of_the_deaths_is_survived() -> None:
    found = sweep(Wanted(seed=20261128, once=True, share=0.12))
    assert found.bad == ()
    assert found.never == ()
    assert len(found.tried) == found.planned >= 6


def test_a_death_at_each_point_of_a_durable_write_is_survived() -> None:
    names = tuple(stage.name for stage in writings())
    found = sweep(Wanted(stages=names, once=True))
    assert found.bad == ()
    assert len(found.tried) > 30
    assert {tried.found.outcome for tried in found.tried} == {"old", "new"}


def overwritten(number: int):
    """A writer that forgets the draft: the new content grows in the old one's place."""

    def step(folder: Path, passing: Any) -> None:
        with (folder / "f").open("w") as file:
            file.write(str(number))
            file.flush()
            passing("record.draft_written")
            file.write("!")

    return step


def test_a_writer_that_shows_part_of_a_file_is_found(tmp_path: Path) -> None:
    def state(folder: Path) -> object:
        path = folder / "f"
        return path.read_text() if path.exists() else None

    stage = WritingStage("torn", Text(ko="", en=""), [overwritten(n) for n in range(2)], state)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    found = stage.die(tmp_path / "b", Death("record.draft_written", 2), stage.straight(tmp_path / "a"))
    assert found.outcome == "torn"


def test_a_point_that_is_not_reached_and_one_that_is_unknown_are_told(tmp_path: Path) -> None:
    stage = writings()[-1]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    straight = stage.straight(tmp_path / "a")
    assert stage.die(tmp_path / "b", Death("token.durable", 99), straight).outcome == "not reached"
    with pytest.raises(ConfigError) as fault:
        sweep(Wanted(points=("no.such",)))
    assert "no.such" in fault.value.found


def test_a_sweep_with_anything_bad_or_left_out_is_not_well() -> None:
    good = Tried(Case("s", Death("p")), Found("same"))
    bad = Tried(Case("s", Death("p")), Found("torn", ("I7",)))
    assert Swept(1, (good,), 1, 0.0, (), ()).well
    assert not Swept(1, (good,), 2, 0.0, (), ()).well
    assert not Swept(1, (bad,), 1, 0.0, (), ()).well
    assert not Swept(1, (good,), 1, 0.0, ("q",), ()).well
    assert not Swept(1, (good,), 1, 0.0, (), ("q",)).well
    assert Swept(1, (bad,), 1, 0.0, (), ()).record()["bad"][0]["again"].endswith("--points p:1 --scenarios s")


def test_a_plan_tries_each_point_before_it_tries_one_twice() -> None:
    straights = {"a": Straight({"p": 3, "q": 1}, None), "b": Straight({"p": 1}, None)}
    cases = plan(straights, Wanted(seed=3))
    assert {case.death.point for case in cases[:2]} == {"p", "q"}
    assert Counter((c.stage, c.death.point) for c in cases) == {("a", "p"): 2, ("a", "q"): 1, ("b", "p"): 1}
    assert plan(straights, Wanted(seed=3)) == cases
    assert len(plan(straights, Wanted(once=True))) == 2
    assert plan(straights, Wanted(points=("p:2",), stages=("a",)))[0].death.visit == 2


def test_dying_counts_and_dies_only_at_its_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr("haetae.wiring.crashes.dying.os.kill", lambda pid, number: killed.append((pid, number)))
    passing = Dying(Death("p", 2))
    for name in ("p", "q", "p", "p"):
        passing(name)
    assert len(killed) == 1
    assert passing.passed == {"p": 3, "q": 1}


def test_stages_have_names_of_their_own() -> None:
    names = [stage.name for stage in stages()]
    assert len(names) == len(set(names)) >= 12
