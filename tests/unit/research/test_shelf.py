"""The shelf: equal inputs are found again, changed ones are not, damage is made anew."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import haetae
from haetae.research.code import SOURCES, code_hash
from haetae.research.plan import STAGES
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Shelf, config_hash


class _Counted:
    def __init__(self, content: bytes = b"42") -> None:
        self.calls = 0
        self.content = content

    def __call__(self) -> tuple[Mapping[str, bytes], Mapping[str, float]]:
        self.calls += 1
        return {"answer.json": self.content}, {"answer": 42.0}


def test_a_stage_is_made_once_for_equal_inputs(tmp_path: Path) -> None:
    make = _Counted()
    shelf = Shelf(tmp_path)
    first = shelf.stage("models", "c1", {"features": "a"}, (ResearchSettings(),), make)
    again = Shelf(tmp_path).stage("models", "c1", {"features": "a"}, (ResearchSettings(),), make)
    assert make.calls == 1
    assert not first.reused
    assert again.reused
    assert again.json("answer.json") == 42
    assert again.manifest == first.manifest


def test_another_input_setting_or_code_is_another_stage(tmp_path: Path) -> None:
    make = _Counted()
    shelf = Shelf(tmp_path)
    keys = {
        shelf.stage("models", "c1", {"features": "a"}, (1,), make).key,
        shelf.stage("models", "c1", {"features": "b"}, (1,), make).key,
        shelf.stage("models", "c1", {"features": "a"}, (2,), make).key,
        shelf.stage("models", "c2", {"features": "a"}, (1,), make).key,
        shelf.stage("report", "c1", {"features": "a"}, (1,), make).key,
    }
    assert len(keys) == 5
    assert make.calls == 5


def test_a_damaged_output_is_made_anew(tmp_path: Path) -> None:
    make = _Counted()
    shelf = Shelf(tmp_path)
    made = shelf.stage("models", "c1", {}, (), make)
    (tmp_path / "models" / made.key / "answer.json").write_bytes(b"43")
    mended = shelf.stage("models", "c1", {}, (), make)
    assert make.calls == 2
    assert mended.files["answer.json"] == b"42"
    (tmp_path / "models" / made.key / "manifest.json").write_text("{", encoding="utf-8")
    shelf.stage("models", "c1", {}, (), make)
    assert make.calls == 3
    assert not list((tmp_path / "models").glob(".*"))


@pytest.mark.parametrize("writes", range(4))
def test_a_writer_killed_between_any_two_files_leaves_nothing_half_stored(tmp_path: Path, writes: int) -> None:
    shelf = Shelf(tmp_path)
    child = os.fork()
    if not child:
        left = writes

        def dying(path: Path, content: bytes, write: Any = Path.write_bytes) -> int:
            nonlocal left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return int(write(path, content))

        Path.write_bytes = dying  # type: ignore[method-assign]
        shelf.stage("models", "c1", {}, (), lambda: ({"a.json": b"1", "b.json": b"2", "c.json": b"3"}, {}))
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(shelf.manifests()) == (writes >= 3)
    made = shelf.stage("models", "c1", {}, (), lambda: ({"a.json": b"1", "b.json": b"2", "c.json": b"3"}, {}))
    assert made.reused is (writes >= 3)


def test_equal_settings_have_equal_hashes() -> None:
    assert config_hash(ResearchSettings()) == config_hash(ResearchSettings())
    assert config_hash(ResearchSettings()) != config_hash(ResearchSettings(horizon_sessions=6))
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})


def test_the_code_of_a_stage_has_a_name_and_stages_differ() -> None:
    names = {stage: code_hash(stage) for stage in SOURCES}
    assert set(SOURCES) == {*STAGES[1:], "fits"}
    assert len(set(names.values())) == len(SOURCES)
    assert names == {stage: code_hash(stage) for stage in SOURCES}
    source = Path(haetae.__file__).parent
    assert all((source / named).exists() for sources in SOURCES.values() for named in sources)
