"""The verb ``backtest sweep``: what it prints and keeps, and what it says of bad input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from haetae.cli.main import main
from rigs.sweeping import fill_lake


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sweep") / "lake"
    return folder, fill_lake(folder, days=200, symbols=5)


def line(lake: tuple[Path, str], folder: Path, *more: str, strategy: str = "sma_cross") -> list[str]:
    where = ["--lake", str(lake[0]), "--symbols", lake[1], "--out", str(folder / "out"), "--executor", "here"]
    kept = ["--trials", str(folder / "trials.jsonl"), "--json", str(folder / "facts.json"), "--no-baselines"]
    return ["backtest", "sweep", strategy, *where, *kept, *more]


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    return found


def test_a_grid_is_swept_and_told_with_its_refusals(
    lake: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line(lake, tmp_path, "--grid", "fast=3,5,30", "--grid", "slow=10,20")) == 0
    told = capsys.readouterr().out
    found = facts(tmp_path)
    assert (found["points"], found["done"], found["refused"], found["resumed"]) == (6, 4, 2, 0)
    assert "fast=30, slow=10" in told
    assert found["luck"]["verdict_en"] in told
    assert found["best"]["score"] == max(each["score"] for each in found["top"])
    assert Path(found["files"]["html"]).is_file()
    assert main(line(lake, tmp_path, "--grid", "fast=3,5,30", "--grid", "slow=10,20")) == 0
    assert facts(tmp_path)["resumed"] == 6
    assert facts(tmp_path)["best"] == found["best"]


def test_the_objective_decides_what_is_best(lake: tuple[Path, str], tmp_path: Path) -> None:
    for name, figure in (("return", "total_return"), ("calmar", "calmar"), ("sharpe", "sharpe")):
        grid = ["--grid", "look_back=2,5,20", "--grid", "top=1,3", "--objective", name, "--fresh"]
        assert main(line(lake, tmp_path, *grid, strategy="reversal_5")) == 0
        found = facts(tmp_path)
        scores = [each["figures"][figure] for each in found["top"]]
        assert found["best"]["score"] == max(scores)
        assert scores == sorted(scores, reverse=True)


def test_a_random_search_repeats_with_its_seed(lake: tuple[Path, str], tmp_path: Path) -> None:
    tops = []
    for seed in ("3", "3", "4"):
        more = ["--random", "fast=2:9", "--random", "fraction=0.01:0.2:log", "--grid", "slow=12", "--n", "6"]
        assert main(line(lake, tmp_path, *more, "--seed", seed, "--fresh")) == 0
        tops.append([each["parameters"] for each in facts(tmp_path)["top"]])
    assert tops[0] == tops[1] != tops[2]
    assert all(each["slow"] == 12 for each in tops[0])


def test_optuna_searches_around_the_defaults_where_no_space_is_given(lake: tuple[Path, str], tmp_path: Path) -> None:
    more = ["--optuna", "--n", "10", "--set", "fraction=0.1"]
    assert main(line(lake, tmp_path, *more)) == 0
    found = facts(tmp_path)
    assert set(found["space"]["axes"]) == {"fast", "slow"}
    assert all(each["parameters"]["fraction"] == 0.1 for each in found["top"])


def test_a_walk_forward_is_told_fold_by_fold(
    lake: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--grid", "fast=3,5,8", "--grid", "slow=12,20", "--walk-forward", "train=60d,test=30d"]
    assert main(line(lake, tmp_path, *more)) == 0
    found = facts(tmp_path)
    told = capsys.readouterr().out
    assert len(found["folds"]) == 3
    assert all(f"{fold['test'][0]}–{fold['test'][1]}" in told for fold in found["folds"])
    assert "where chosen" in told
    assert "out of sample" in told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--grid fraction=0.02 --grid fast=20 --grid slow=60"),
        (("--grid", "fast=a"), "parameter fast does not fit"),
        (("--grid", "lock=3,4"), "no parameter lock"),
        (("--grid", "fast"), "cannot be read"),
        (("--random", "fast=9:2"), "cannot be read"),
        (("--grid", "fast=3,5", "--grid", "fast=7"), "does not fit"),
        (("--grid", "fast=3,5", "--objective", "luck"), "sharpe, return, calmar"),
        (("--grid", "fast=3,5", "--executor", "moon"), "here, cores, ray"),
        (("--grid", "fast=3,5", "--walk-forward", "train=60d"), "windows"),
        (("--grid", "fast=3,5", "--walk-forward", "train=600d,test=60d"), "sessions"),
        (("--grid", "fast=30", "--set", "slow=10"), "no point to choose"),
        (("--grid", "fast=3,5", "--set", "slow=x"), "parameter slow"),
    ],
)
def test_bad_input_is_one_message_with_the_remedy(
    lake: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert main(line(lake, tmp_path, *more)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "facts.json").exists()


def test_a_changed_space_needs_a_fresh_start(
    lake: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line(lake, tmp_path, "--grid", "fast=3,5", "--set", "slow=12")) == 0
    assert main(line(lake, tmp_path, "--grid", "fast=3,6", "--set", "slow=12")) == 2
    assert "--fresh" in capsys.readouterr().err
    assert main(line(lake, tmp_path, "--grid", "fast=3,6", "--set", "slow=12", "--fresh")) == 0


def test_a_file_that_changed_is_another_strategy(
    lake: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.py"
    text = (
        "from haetae.policies import crossing, SignalStrategy\n"
        "class Mine(SignalStrategy):\n    fast: int = 3\n"
        "    def signals(self, panel):\n        return crossing.sma_cross(panel.close, self.fast, 12)\n"
    )
    mine.write_text(text)
    assert main(line(lake, tmp_path, "--grid", "fast=3,5", strategy=str(mine))) == 0
    mine.write_text(text.replace("12", "13"))
    assert main(line(lake, tmp_path, "--grid", "fast=3,5", strategy=str(mine))) == 2
    assert "code" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("missing", "more", "extra"),
    [
        ("optuna", ("--optuna", "--n", "3"), "haetae[research]"),
        ("ray", ("--grid", "fast=3,5", "--executor", "ray"), "haetae[distributed]"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    lake: tuple[Path, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    more: tuple[str, ...],
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert main(line(lake, tmp_path, "--set", "slow=12", *more)) == 2
    assert extra in capsys.readouterr().err
