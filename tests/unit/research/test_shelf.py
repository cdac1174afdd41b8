"""The shelf: equal inputs are found again, changed ones are not, damage is made anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from haetae.research import STAGES
from haetae.research.code import ROOMS, code_hash
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


def test_equal_settings_have_equal_hashes() -> None:
    assert config_hash(ResearchSettings()) == config_hash(ResearchSettings())
    assert config_hash(ResearchSettings()) != config_hash(ResearchSettings(horizon_sessions=6))
    assert config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})


def test_the_code_of_a_stage_has_a_name_and_stages_differ() -> None:
    names = {stage: code_hash(stage) for stage in ROOMS}
    assert set(ROOMS) == set(STAGES[1:])
    assert len(set(names.values())) == len(ROOMS)
    assert names == {stage: code_hash(stage) for stage in ROOMS}
