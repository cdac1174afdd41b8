"""Every planted bug fits the code, and a handful drawn for the day is found; `python3 run.py zoo` proves all."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.bugs import BUGS, PACKAGE, Bug
from zoo.prove import main, prove

LEAST = 30
HANDFUL = 3
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_bug_fits_the_code_once_and_still_compiles(bug: Bug) -> None:
    planted = bug.planted(bug.path().read_text(encoding="utf-8"))
    compile(planted, str(bug.path()), "exec")
    for test in bug.tests:
        assert (ROOT / test.partition("::")[0]).exists(), test


def test_the_zoo_is_large_and_draws_from_every_post_mortem_of_the_order_path() -> None:
    names = [bug.name for bug in BUGS]
    assert len(set(names)) == len(names) >= LEAST
    assert {bug.case for bug in BUGS} >= {1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}


QUICK = ("guards", "ledger", "agent", "execution", "kis/test_reconnects.py", "kis/test_working.py")
"""Suites of a second or two."""


def quick() -> list[Bug]:
    """Bugs that one quick suite finds."""
    return [bug for bug in BUGS if all(any(f"tests/unit/{name}" in test for name in QUICK) for test in bug.tests)]


@pytest.mark.zoo
@pytest.mark.parametrize("bug", random.Random(20261128).sample(quick(), HANDFUL), ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    proof = prove(bug)
    assert proof.found, f"{bug.name}: {proof.why}"
    assert proof.by


def test_a_change_that_changes_nothing_is_missed_and_one_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    calm = Bug("calm", 0, "haetae.guards.finding", '"""What a guard is', '"""What guards are', ("tests/zoo/calm.py",))
    assert "What guards are" in calm.planted(calm.path().read_text(encoding="utf-8"))
    stale = Bug("stale", 0, "haetae.guards.finding", "no such text", "", ())
    with pytest.raises(ValueError, match="stale"):
        stale.planted(stale.path().read_text(encoding="utf-8"))


def test_a_bug_reaches_the_process_that_tests(tmp_path: Path) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text("def test_it():\n    from haetae.ledger import open_book\n    assert open_book(7).cash == 7\n")
    bug = Bug("probe", 0, "haetae.ledger.books", "return Book(cash=cash, deposits=cash)", "return Book(0, 0)", ())
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "import zoo.bugs as bugs, zoo.planting as planting;"
        f"planting.plant(bugs.Bug({bug.name!r}, 0, {bug.module!r}, {bug.before!r}, {bug.after!r}, ()));"
        "from haetae.ledger import open_book; print(open_book(7).cash)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT / "tests"], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(PACKAGE), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.stdout.strip() == "0"


def test_the_command_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "no_such_bug"])
    assert "no_such_bug" in capsys.readouterr().err
