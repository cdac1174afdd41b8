"""What the mutation command reads, lays out and refuses; mutmut itself runs by command only."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from mutation.prove import ROOMS, ROOT, Room, lay_out, main, scores


def test_every_room_names_files_and_tests_that_exist() -> None:
    for name, room in ROOMS.items():
        files = [path for pattern in room.files for path in (ROOT / "src" / "haetae").glob(pattern)]
        assert files, name
        assert [test for test in room.tests if (ROOT / test).exists()], name


def test_a_score_counts_what_was_killed_of_what_was_tried(tmp_path: Path) -> None:
    folder = tmp_path / "mutants" / "src" / "haetae" / "guards"
    folder.mkdir(parents=True)
    codes = {"a": 1, "b": 0, "c": 36, "d": None, "e": 1, "f": 33}
    (folder / "order.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    (folder / "empty.py.meta").write_text(json.dumps({"exit_code_by_key": {}}))
    (score,) = scores(tmp_path)
    assert (score.file, score.killed, score.survived, score.untried) == ("src/haetae/guards/order.py", 3, ("b",), 2)
    assert score.share == pytest.approx(0.75)


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
