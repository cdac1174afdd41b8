"""``haetae features`` as people run it: what it prints, what it keeps, how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from feature_lakes import daily_lake
from haetae.cli.main import main
from haetae.domain.units import day_from
from haetae.features import daily
from random_panels import daily_panel


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("features") / "lake"
    daily_lake(folder, daily_panel(6, symbols=4, sessions=340, halted=0.01))
    return folder


@pytest.fixture
def lake(bars: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bars, tmp_path / "lake"))


def test_list_shows_every_promise_of_every_feature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = tmp_path / "facts.json"
    assert main(["features", "list", "--set", "daily", "--json", str(facts)]) == 0
    told, record = capsys.readouterr().out, json.loads(facts.read_text())
    assert set(record["sets"]) == {"daily"}
    assert record["sets"]["daily"]["hash"] == daily.SET.hash
    for spec, each in zip(daily.SPECS, record["features"], strict=True):
        assert (each["name"], each["version"], each["look_back"]) == (spec.name, spec.version, spec.look_back)
        line = next(line for line in told.splitlines() if line.split()[:1] == [spec.name])
        assert spec.unit in line
        assert spec.known_at in line
    assert main(["features", "list"]) == 0
    assert "minute · minute · 16 features" in capsys.readouterr().out


def test_list_of_an_unknown_set_offers_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "list", "--set", "dayly"]) == 2
    assert "daily" in capsys.readouterr().err


def test_build_keeps_features_and_says_what_it_reused(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "facts.json"
    arguments = ["features", "build", "--set", "daily", "--lake", str(lake), "--json", str(facts)]
    early = str(day_from(int(daily_panel(6, symbols=4, sessions=340).days[299])))
    assert main([*arguments, "--to", early]) == 0
    assert "reused 0 days · folded 300 days" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "reused 300 days · folded 40 days" in capsys.readouterr().out
    record = json.loads(facts.read_text())
    assert (record["hash"], record["reused"], record["from_the_start"]) == (daily.SET.hash, 300, "")
    assert record["table"] == f"features_daily_{daily.SET.hash}"
    assert main(["lake", "sql", f"SELECT count(ret_1) AS n FROM {record['table']}", "--lake", str(lake)]) == 0
    assert json.loads(capsys.readouterr().out)["n"] > 1_000
    assert main(["lake", "check", "--lake", str(lake)]) == 0


def test_check_proves_on_random_bars_and_on_a_lake(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = tmp_path / "facts.json"
    assert main(["features", "check", "--set", "daily", "--rows", "1", "--json", str(facts)]) == 0
    told = capsys.readouterr().out
    assert told.count("[pass]") == 6
    assert "every promise was kept." in told
    assert main(["features", "check", "--set", "daily", "--rows", "1", "--lake", str(lake), "--json", str(facts)]) == 0
    told = capsys.readouterr().out
    assert "[note] has values: sector_ret_20" in told  # the lake knows no sectors
    assert main(["features", "check", "--rows", "1", "--lake", str(lake)]) == 0
    assert "minute · skipped: no such bars here" in capsys.readouterr().out
    assert {each["feature"][:7] for each in json.loads(facts.read_text())["sets"]["daily"]["findings"]} == {"sector_"}


def test_check_ends_with_1_where_a_promise_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import dataclasses
    from types import MappingProxyType

    from haetae.features import catalogue

    specs = tuple(dataclasses.replace(spec, look_back=19) if spec.name == "ret_20" else spec for spec in daily.SPECS)
    liar = dataclasses.replace(daily.SET, name="liar", specs=specs)
    monkeypatch.setattr(catalogue, "SETS", MappingProxyType({"liar": liar}))
    assert main(["features", "check", "--rows", "1"]) == 1
    told = capsys.readouterr().out
    assert "[FAIL] a value once filled: ret_20" in told
    assert "[FAIL] older bars do not matter: ret_20" in told


def test_drift_puts_the_worst_first_and_its_exit_code_tells_of_a_shift(
    lake: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [str(day_from(int(day))) for day in daily_panel(6, symbols=4, sessions=340).days]
    facts = tmp_path / "facts.json"
    arguments = ["features", "drift", "--lake", str(lake), "--json", str(facts)]
    windows = ["--reference", f"{days[260]}:{days[300]}", "--recent", f"{days[301]}:{days[339]}"]
    assert main([*arguments, *windows]) == 1  # four random walks are somewhere else forty days later
    assert "features shifted (thresholds PSI 0.1 / 0.25" in capsys.readouterr().out
    found = json.loads(facts.read_text())["features"]
    assert len(found) == len(daily.SPECS)
    assert found[0]["verdict"] == "shifted"
    assert found[-1]["verdict"] == "unknown"  # nothing is known of the sectors


@pytest.mark.parametrize(
    ("windows", "code", "wanted"),
    [
        (("2020-06-01:2020-07-01", "2020-06-15:2020-08-01"), 2, "must end before"),
        (("2020-06-01", "2020-08-01:2020-09-01"), 2, "A:B"),
        (("2020-06-01:2020-07-01", "2020-08-01:2020-07-01"), 2, "A:B"),
        (("2011-06-01:2011-07-01", "2021-01-04:2021-03-01"), 3, "no bars in that window"),
    ],
)
def test_drift_refuses_windows_that_cannot_be_meant(
    lake: Path, capsys: pytest.CaptureFixture[str], windows: tuple[str, str], code: int, wanted: str
) -> None:
    assert main(["features", "drift", "--lake", str(lake), "--reference", windows[0], "--recent", windows[1]]) == code
    assert wanted in capsys.readouterr().err


def test_a_lake_without_enough_bars_is_refused_with_both_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daily_lake(tmp_path, daily_panel(6, symbols=2, sessions=60))
    for verb in (["build"], ["check", "--set", "daily"]):
        assert main(["features", *verb, "--lake", str(tmp_path)]) == 3
        told = capsys.readouterr().err
        assert "> 252 days" in told
        assert "60 days" in told
