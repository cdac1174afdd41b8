"""``haetae feargreed``: what a user sees of the index, in both languages, and refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.features.feargreed import NAMES
from mood_lake import MINUTES, make_mood_lake, market

LAST = "2021-03-24"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    assert int(market().days[-1]) == int(LAST.replace("-", ""))
    return str(make_mood_lake(tmp_path_factory.mktemp("mood") / "lake"))


@pytest.mark.parametrize(
    ("language", "signs"),
    [
        ("ko", ("모멘텀", "외국인 수급", "가중치", "CNN", "2021-02 이전")),
        ("en", ("momentum", "foreign flow", "weight", "CNN", "before 2021-02")),
    ],
)
def test_a_day_is_shown_with_its_parts(
    lake: str,
    language: str,
    signs: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HAETAE_LANG", language)
    assert main(["feargreed", "show", "--lake", lake, "--day", "2021-01-20"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2021-01-20 · ")
    for sign in signs:
        assert sign in told


def test_the_record_holds_everything_that_is_shown(lake: str, tmp_path: Path) -> None:
    file = tmp_path / "mood.json"
    assert main(["feargreed", "show", "--lake", lake, "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert 0.0 <= found["value"] <= 100.0
    assert [part["name"] for part in found["components"]] == list(NAMES)
    assert {"raw", "rank", "weight", "share", "window_days", "missing", "last_known"} <= set(found["components"][0])
    assert found["cnn"]["regime"] == "cnn"


def test_what_is_missing_is_said_with_its_day(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    monkeypatch.setenv("HAETAE_FEARGREED__BOND_SYMBOLS", "000000")
    assert main(["feargreed", "show", "--lake", lake]) == 0
    assert (
        "stocks over treasuries: missing, its weight goes to the others (last known never)" in capsys.readouterr().out
    )


def test_a_holiday_shows_the_newest_day_known_then(
    lake: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    assert main(["feargreed", "show", "--lake", lake, "--day", "2021-03-21"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("2021-03-19")
    assert "The newest known on 2021-03-21" in told


def test_the_history_goes_to_files_and_a_line(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    files = [str(tmp_path / name) for name in ("h.json", "h.csv", "h.svg")]
    span = ["--from", "2021-01-01", "--to", LAST]
    command = ["feargreed", "history", "--lake", lake, *span, "--json", files[0], "--csv", files[1], "--svg", files[2]]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert "2021-02" in told
    assert set(told.splitlines()[0]) <= set("▁▂▃▄▅▆▇█")
    days = json.loads(Path(files[0]).read_text())["days"]
    assert days[0]["day"] >= "2021-01-01"
    assert days[-1]["day"] == LAST
    assert len(Path(files[1]).read_text().splitlines()) == len(days) + 1
    assert Path(files[2]).read_text().endswith("</svg>\n")


def test_a_running_day_is_told_by_the_minute(lake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, rows = tmp_path / "day.json", tmp_path / "day.csv"
    command = ["feargreed", "history", "--intraday", LAST, "--lake", lake, "--json", str(file), "--csv", str(rows)]
    assert main(command) == 0
    minutes = json.loads(file.read_text())["minutes"]
    assert len(minutes) == MINUTES
    assert all("foreign_flow" in row["missing"] for row in minutes)
    assert minutes[-1]["value"] is not None
    assert rows.read_text().startswith("known_at,value,momentum")
    assert "09:01" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "sign"),
    [
        (["show", "--lake", "/nowhere/lake"], 3, "lake import"),
        (["show", "--day", "tomorrow"], 2, "tomorrow"),
        (["show", "--json", "/nowhere/mood.json"], 2, "/nowhere/mood.json"),
        (["history", "--svg", "/nowhere/mood.svg"], 2, "/nowhere/mood.svg"),
        (["history", "--intraday", LAST, "--from", "2021-01-01"], 2, "--intraday"),
        (["history", "--from", "2021-02-01", "--to", "2021-01-01"], 2, "2021-02-01 > 2021-01-01"),
        (["history", "--intraday", "2021-03-21"], 3, "2021-03-21"),
        (["show", "--config", "/nowhere/my.toml"], 2, "/nowhere/my.toml"),
    ],
)
def test_bad_input_says_what_was_found_and_what_to_do(
    lake: str, arguments: list[str], code: int, sign: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("HAETAE_LANG", "en")
    verb, *rest = arguments
    place = [] if "--lake" in rest else ["--lake", lake]
    assert main(["feargreed", verb, *place, *rest]) == code
    assert sign in capsys.readouterr().err


def test_weights_that_cannot_be_meant_are_refused_by_name(
    lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    (tmp_path / "my.toml").write_text("[feargreed]\nmomentum_weight = -1.0\n")
    assert main(["feargreed", "show", "--lake", lake, "--config", str(tmp_path / "my.toml")]) == 2
    assert "momentum_weight must be a number >= 0" in capsys.readouterr().err
