"""A study's folder: its stored stages by name or key, and the book of trials that knows it once."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.domain.errors import DataError
from haetae.domain.learning import Trial
from haetae.registry.trials import TrialBook
from haetae.research.shelf import Shelf
from haetae.wiring.studies import note_trials, stored_stages

DAY = dt.date(2022, 1, 3)
TRIAL = Trial("ranker", {"scores": "lightgbm"}, "key", "data", DAY, DAY, 100, 0.05, "research", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stages of a study, one of them damaged afterwards."""
    shelf = Shelf(tmp_path / "stages")
    learned = shelf.stage("models", "c1", {"features": "abc"}, (5,), lambda: ({"scores.npz": b"1"}, {"t": 3.5}))
    shelf.stage("report", "c1", {"models": learned.key}, (), lambda: ({"report.html": b"2"}, {}))
    (tmp_path / "stages" / "models" / learned.key / "scores.npz").write_bytes(b"9")
    return tmp_path


def test_stages_are_found_by_name_by_key_and_by_the_beginning_of_a_key(folder: Path) -> None:
    models, report = stored_stages(folder)
    assert [(one.manifest.stage, one.whole) for one in (models, report)] == [("models", False), ("report", True)]
    assert stored_stages(folder, "report") == stored_stages(folder, report.key[:6]) == (report,)
    assert report.manifest.inputs == {"models": models.key}
    for named in ("backtest", "zzzz"):
        with pytest.raises(DataError, match="no such stored stage") as refused:
            stored_stages(folder, named)
        assert "models, report" in str(refused.value.expected)


def test_the_verbs_list_and_show_a_study(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = folder / "list.json"
    assert main(["research", "list", "--out", str(folder), "--json", str(listed)]) == 0
    assert {one["stage"]: one["whole"] for one in json.loads(listed.read_text()).values()} == {
        "models": False,
        "report": True,
    }
    assert main(["research", "show", "models", "--out", str(folder)]) == 0
    assert "scores.npz" in capsys.readouterr().out
    assert main(["research", "show", "nothing", "--out", str(folder)]) == 3
    assert main(["research", "list", "--out", str(folder / "elsewhere")]) == 3
    assert main(["research", "run", "--lake", str(folder), "--out", str(folder / "x"), "--until", "everything"]) == 2
    assert not (folder / "x").exists()


def test_the_trials_of_a_study_are_written_down_once(tmp_path: Path) -> None:
    book = TrialBook(tmp_path / "trials.jsonl")
    other = dataclasses.replace(TRIAL, parameters={"scores": "xgboost_same_rules"})
    note_trials(book, book.trials(), [TRIAL, other], 5)
    note_trials(book, book.trials(), [TRIAL, other], 9)
    assert book.trials() == (dataclasses.replace(TRIAL, at=5), dataclasses.replace(other, at=5))
    note_trials(book, book.trials(), [dataclasses.replace(TRIAL, code="another")], 9)
    assert len(book.of("ranker")) == 3
