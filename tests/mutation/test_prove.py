"""What the mutation command reads, lays out and refuses; mutmut itself runs by command only."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from mutation.branches import Reached, read
from mutation.prove import begun_at_import, lay_out, main, scores
from mutation.rooms import ROOMS, ROOT, Room


def test_every_room_names_files_and_tests_that_exist() -> None:
    for name, room in ROOMS.items():
        files = [path for pattern in room.files for path in (ROOT / "src" / "haetae").glob(pattern)]
        assert files, name
        named = (*room.tests, *room.reaching, *(test.partition("::")[0] for test in room.without))
        assert room.tests and all((ROOT / test).exists() for test in named), name


def test_every_file_of_the_journal_belongs_to_one_room() -> None:
    journal = ROOT / "src" / "haetae" / "journal"
    named = sorted(path for name in ("journal", "server") for path in ROOMS[name].files if "migrations" not in path)
    assert named == sorted(f"journal/{path.name}" for path in journal.glob("*.py") if path.name != "__init__.py")


def test_a_score_counts_what_was_killed_of_what_was_tried(tmp_path: Path) -> None:
    folder = tmp_path / "mutants" / "src" / "haetae" / "guards"
    folder.mkdir(parents=True)
    codes = {"a": 1, "b": 0, "c": 36, "d": None, "e": 1, "f": 33}
    (folder / "order.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    (folder / "empty.py.meta").write_text(json.dumps({"exit_code_by_key": {}}))
    (score,) = scores(tmp_path)
    assert (score.file, score.killed, score.survived, score.untried) == ("src/haetae/guards/order.py", 3, ("b", "f"), 1)
    assert score.share == pytest.approx(0.6)  # what no test reaches is as good as alive


def test_the_copy_says_what_is_changed_and_what_must_notice(tmp_path: Path) -> None:
    lay_out(tmp_path, Room(("guards/order.py",), ("tests/unit/guards", "tests/no/such")))
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    assert settings["only_mutate"] == ["src/haetae/guards/order.py"]
    assert settings["pytest_add_cli_args_test_selection"] == ["tests/unit/guards"]
    assert (tmp_path / "src" / "haetae" / "guards" / "order.py").is_file()


def test_an_unknown_room_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such-room"])
    assert "no-such-room" in capsys.readouterr().err


def test_functions_that_run_while_a_module_is_imported_are_known() -> None:
    source = "def _each(n):\n    return later(n)\nTABLE = (*_each(1), dict(a=_row(2)))\nclass A:\n    x = _field()\n"
    assert begun_at_import(source) == {"_each", "dict", "_row"}


def test_a_report_of_branches_names_what_was_not_reached() -> None:
    files = {
        "src/b.py": {"summary": {"num_statements": 6, "num_branches": 4}, "missing_lines": [7],
                     "missing_branches": [[3, 9], [5, -1], [7, 8]]},
        "src/a.py": {"summary": {"num_statements": 0, "num_branches": 0}, "missing_lines": [], "missing_branches": []},
    }  # fmt: skip
    empty, partly = read(json.dumps({"files": files}))
    assert (empty, empty.share) == (Reached("src/a.py", 0, 0, (), ()), 1.0)
    assert partly.share == pytest.approx(0.6)
    assert str(partly) == " 60.0%      6     4  src/b.py  7 3->9 5->0"
