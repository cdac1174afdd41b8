"""``haetae universe``: fifty codes on the screen and in a file, the same ones again, refusals with the way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from haetae.cli.main import main
from haetae.domain.units import day_from
from haetae.store.lake import Lake
from haetae.wiring.collecting import read_universe
from told_markets import told_market, write_tables

TOLD = told_market(21, symbols=36, sessions=200)
DAYS = [day_from(int(day)) for day in TOLD.panel.days]
EASY = ["--size", "6", *(f"--set={name}=0" for name in ("min_turnover_won", "min_market_cap_won", "min_price_won"))]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("universe") / "lake"
    write_tables(TOLD, Lake(folder))
    return str(folder)


def told_by(lake: str, file: Path, *words: str) -> dict[str, Any]:
    assert main(["universe", *words, "--lake", lake, "--json", str(file)]) == 0
    return json.loads(file.read_text(encoding="utf-8"))


def test_select_show_and_list_tell_of_one_selection(
    lake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "ko")
    file = tmp_path / "fifty.json"
    day = str(DAYS[-3])
    record = told_by(lake, file, "select", "--date", day, *EASY)
    screen = capsys.readouterr().out
    assert record["kept"] == {"new": True, "dry_run": False}
    assert len(record["universe"]) == 6
    assert record["settings"]["size"] == 6
    assert read_universe(file, 6) == tuple(record["universe"])
    for word in ("유니버스 6종목", "총점", "가치", "저변동", "제외:", record["snapshot"], *record["universe"]):
        assert word in screen
    for symbol in record["universe"]:
        assert f"{symbol} {record['candidates'][symbol]['name']}" in screen
    tables = record["made"]["tables"]
    assert {name: told["version"] for name, told in tables.items()} == dict.fromkeys(tables, 1)
    assert {"daily", "instruments", "flags", "fundamentals"} == set(tables)
    reasons = {item["symbol"] for item in record["exclusions"]}
    assert reasons.isdisjoint(record["universe"])
    again = told_by(lake, file, "select", "--date", day, *EASY)
    assert (again["kept"]["new"], again["snapshot"]) == (False, record["snapshot"])
    shown = told_by(lake, file, "show", record["snapshot"])
    assert {name: shown[name] for name in shown} == {name: record[name] for name in shown}
    listed = told_by(lake, file, "list", "--date", day)
    assert [each["snapshot"] for each in listed["snapshots"]] == [record["snapshot"]]


def test_a_dry_run_in_english_keeps_nothing(
    lake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")
    before = told_by(lake, tmp_path / "list.json", "list")
    record = told_by(lake, tmp_path / "dry.json", "select", "--dry-run", "--previous", "none", *EASY)
    assert "not kept" in capsys.readouterr().out
    assert record["day"] == str(DAYS[-1])
    assert record["previous"] is None
    assert told_by(lake, tmp_path / "list.json", "list") == before


@pytest.mark.parametrize(
    ("words", "code", "sign"),
    [
        (["select", "--date", "tomorrow"], 2, "--date 2026-11-23"),
        (["select", "--date", "2020-03-01"], 3, "--date 2020-02-28"),
        (["select", "--set", "sise=3"], 2, "did you mean size"),
        (["select", "--set", "size"], 2, "NAME=VALUE"),
        (["select", "--set", "missing_parts=zero"], 2, "reweight | neutral | exclude"),
        (["select", "--size", "0"], 2, "size 0 < 1"),
        (["select", "--size", "900"], 3, "900 symbols"),
        (["select", "--previous", "nobody"], 3, "haetae universe list"),
        (["show", "nobody"], 3, "haetae universe list"),
        (["list", "--date", "x"], 2, "--date"),
    ],
)
def test_a_wrong_wish_is_refused_with_the_way_out(
    lake: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, sign: str
) -> None:
    assert main(["universe", *words, "--lake", lake]) == code
    assert sign in capsys.readouterr().err


def test_a_lake_that_is_not_there_and_a_file_that_cannot_be_written_are_refused(
    lake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["universe", "select", "--lake", str(tmp_path / "none")]) == 3
    assert main(["universe", "select", "--lake", lake, "--json", str(tmp_path / "no" / "file.json")]) == 2
    assert "haetae lake import" in capsys.readouterr().err
