"""The verbs of lake, journal and bench on real files."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from haetae.cli import bench
from haetae.cli.emulator import instant_of
from haetae.cli.main import main
from haetae.journal import JournalDb

CSV = """symbol,date,open,high,low,close,volume
005930,2026-01-02,100,110,90,105,1000
005930,2026-01-05,105,111,100,110,1100
000660,2026-01-02,200,210,190,205,500
000660,2026-01-05,205,150,195,199,500
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


def imported(folder: Path, *extra: str) -> int:
    (folder / "bars.csv").write_text(CSV)
    command = ["lake", "import", "--kind", "daily", str(folder / "bars.csv"), "--lake", str(folder / "lake"), *extra]
    return main(command)


def test_import_accounts_for_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path, "--json", str(tmp_path / "facts.json")) == 0
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert facts["read"] == 4
    assert facts["written"] + sum(facts["kept_out"].values()) == 4
    assert sum(facts["kept_out"].values()) == 1
    assert "kept out" in capsys.readouterr().out


def test_show_and_check_read_what_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path)
    assert main(["lake", "show", "--lake", str(tmp_path / "lake")]) == 0
    assert main(["lake", "check", "--lake", str(tmp_path / "lake")]) == 0
    told = capsys.readouterr().out
    assert "2026-01-02 ~ 2026-01-05" in told
    assert "no damage" in told


def test_a_damaged_file_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path)
    victim = max((tmp_path / "lake" / "daily").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 0xFF
    victim.write_bytes(bytes(data))
    assert main(["lake", "check", "--lake", str(tmp_path / "lake")]) == 3
    assert victim.name in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sign"),
    [
        (["lake", "show", "--lake", "/nowhere/lake"], 3, "/nowhere/lake"),
        (["lake", "import", "--kind", "daily", "/nowhere/bars.csv"], 3, "/nowhere/bars.csv"),
        (["lake", "import", "--kind", "daily", "x.csv", "--prices", "pretty"], 2, "raw, adjusted"),
        (["lake", "import", "--kind", "daily", "x.csv", "--json", "/nowhere/facts.json"], 2, "/nowhere/facts.json"),
        (["journal", "verify", "/nowhere/journal.db"], 5, "/nowhere/journal.db"),
        (["bench", "nothing"], 2, "nothing"),
        (["research", "run", "--first-test", "soon"], 2, "soon"),
        (["research", "run", "--config", "/nowhere/my.toml"], 2, "/nowhere/my.toml"),
        (["emulator", "run", "--clock", "monday"], 2, "monday"),
        (["emulator", "run", "--free-ports", "--replay", "/nowhere/lake"], 3, "/nowhere/lake"),
    ],
)
def test_bad_input_is_one_message(
    arguments: list[str], code: int, sign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    told = capsys.readouterr()
    assert sign in told.err
    assert told.err.startswith("error: ")
    assert told.out == ""


def test_research_on_an_empty_lake_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["research", "run", "--lake", str(tmp_path / "lake"), "--out", str(tmp_path / "out")]
    assert main(command) == 3
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("option", ["--map", "--column"])
def test_a_column_of_another_name_is_mapped(tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert imported(tmp_path, option, "close=low", "--json", str(tmp_path / "facts.json")) == 0
    assert main(["lake", "sql", "SELECT max(close) AS top FROM daily", "--lake", str(tmp_path / "lake")]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"top": 190}
    assert imported(tmp_path, option, "close") == 2
    assert "close=adj_close" in capsys.readouterr().err
    main(["lake", "import", "--help"])
    assert "--column" not in capsys.readouterr().out


def test_a_folder_and_a_pattern_stand_for_their_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = CSV.splitlines()
    for number, row in enumerate(rows[:2]):
        (tmp_path / f"part{number}.csv").write_text(f"{head}\n{row}\n")
    for what, lake in ((str(tmp_path), "one"), (str(tmp_path / "part?.csv"), "two")):
        facts = tmp_path / f"{lake}.json"
        command = ["lake", "import", "--kind", "daily", what, "--lake", str(tmp_path / lake), "--json", str(facts)]
        assert main(command) == 0
        assert json.loads(facts.read_text())["written"] == 2
    assert main(["lake", "import", "--kind", "daily", str(tmp_path / "none*.csv")]) == 3
    assert "none*.csv" in capsys.readouterr().err


def test_adjusted_bars_go_to_their_own_table_and_research_reads_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(tmp_path, "--prices", "adjusted") == 0
    facts = tmp_path / "facts.json"
    assert main(["lake", "show", "--lake", str(tmp_path / "lake"), "--json", str(facts)]) == 0
    assert set(json.loads(facts.read_text())) == {"daily_adjusted", "quality"}
    out = str(tmp_path / "out")
    assert main(["research", "run", "--lake", str(tmp_path / "lake"), "--out", out]) == 3
    assert "lake import" not in capsys.readouterr().err, "too few bars, but bars"


def versions(folder: Path, table: str = "daily") -> list[dict[str, object]]:
    facts = folder / "versions.json"
    assert main(["lake", "show", "--lake", str(folder / "lake"), "--versions", table, "--json", str(facts)]) == 0
    found: list[dict[str, object]] = json.loads(facts.read_text())["versions"]
    return found


def test_the_history_of_a_table_tells_when_what_and_who_and_old_versions_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(tmp_path)
    imported(tmp_path, "--map", "close=low", "--source", "portal")
    old, new = versions(tmp_path)
    assert (old["version"], old["rows"], old["by"]) == (1, 3, "haetae lake import bars")
    assert (new["version"], new["by"]) == (2, "haetae lake import portal")
    assert old["digest"] != new["digest"]
    assert "haetae lake import portal" in capsys.readouterr().out
    for at, top in ((["--at", "daily=1"], 205), ([], 190)):
        query = ["lake", "sql", "SELECT max(close) AS top FROM daily", "--lake", str(tmp_path / "lake"), *at]
        assert main([*query, "--json", str(tmp_path / "top.json")]) == 0
        assert json.loads((tmp_path / "top.json").read_text()) == {"rows": [{"top": top}]}
    assert main([*query, "--at", "daily=9"]) == 3
    assert main([*query, "--at", "daily=new"]) == 2
    assert main(["lake", "sql", "SELEC 1", "--lake", str(tmp_path / "lake")]) == 3


def test_vacuum_tells_before_it_drops(tmp_path: Path) -> None:
    imported(tmp_path)
    imported(tmp_path, "--map", "close=low")
    command = ["lake", "vacuum", "daily", "--keep", "1", "--lake", str(tmp_path / "lake"), "--json"]
    assert main([*command, str(tmp_path / "would.json"), "--dry-run"]) == 0
    assert len(versions(tmp_path)) == 2
    assert main([*command, str(tmp_path / "done.json")]) == 0
    assert [each["version"] for each in versions(tmp_path)] == [2]
    would, done = (json.loads((tmp_path / name).read_text()) for name in ("would.json", "done.json"))
    assert (would["dry_run"], done["dry_run"]) == (True, False)
    assert would["tables"] == done["tables"]
    assert done["tables"][0]["versions"] == 1
    assert main(["lake", "check", "--lake", str(tmp_path / "lake"), "--json", str(tmp_path / "all.json")]) == 0
    assert json.loads((tmp_path / "all.json").read_text())["daily"]["version"] == 2


def test_upgrading_a_lake_of_today_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(tmp_path)
    assert main(["lake", "upgrade", "--lake", str(tmp_path / "lake"), "--json", str(tmp_path / "facts.json")]) == 0
    assert "in today's format already" in capsys.readouterr().out
    assert {each["versions"] for each in json.loads((tmp_path / "facts.json").read_text())["tables"]} == {0}
    assert main(["lake", "upgrade", "--lake", "s3://bucket/lake"]) == 3
    assert main(["lake", "upgrade", "--lake", str(tmp_path / "nothing")]) == 3


def test_a_journal_is_verified_and_a_changed_byte_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import sqlite3

    path = tmp_path / "journal.db"
    with JournalDb(path) as journal:
        journal.append("note", [(1, {"a": 1}), (2, {"a": 2})], durable=True)
    assert main(["journal", "verify", str(path), "--json", str(tmp_path / "facts.json")]) == 0
    assert json.loads((tmp_path / "facts.json").read_text())["entries"] == 2
    assert main(["journal", "export", str(path), str(tmp_path / "all.jsonl")]) == 0
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET at = 3 WHERE seq = 2")
    assert main(["journal", "verify", str(path)]) == 5
    assert "entry 2" in capsys.readouterr().err


def test_a_benchmark_is_found_run_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quick_one.py").write_text("def run(out_json):\n    return {'ours': {'seconds': 1.5}, 'bars': 1234}\n")
    monkeypatch.setattr(bench, "FOLDER", tmp_path)
    assert main(["bench", "quick_one"]) == 0
    assert main(["bench", "quick-one", "--json", str(tmp_path / "facts.json")]) == 0
    assert json.loads((tmp_path / "facts.json").read_text()) == {"ours": {"seconds": 1.5}, "bars": 1234}
    told = capsys.readouterr().out
    assert "ours.seconds  1.5" in told
    assert "1,234" in told


def emulator(*extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", "--free-ports", "--speed", "0"]
    small = ["--listed", "120", "--history", "30", "--sessions", "1"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src"), "HAETAE_LANG": "en"}
    return subprocess.Popen(
        [*command, *small, *extra], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_an_emulator_tells_its_addresses_and_ends_on_an_interrupt() -> None:
    with emulator() as child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        assert ready["rest_real"].startswith("http://127.0.0.1:")
        assert ready["pid"] == child.pid
        child.send_signal(signal.SIGINT)
        told, faults = child.communicate(timeout=30)
        assert (child.returncode, told, faults) == (130, "", "")


def test_an_emulator_refuses_a_taken_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with emulator("--rest-real-port", str(taken.getsockname()[1])) as child:
            told, faults = child.communicate(timeout=30)
    assert child.returncode != 0
    assert told == ""
    assert faults.startswith("error: ")
    assert "Traceback" not in faults


def test_an_emulator_ends_with_the_process_that_started_it() -> None:
    code = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-m', 'haetae.cli.main', 'emulator', 'run',"
        "'--free-ports', '--speed', '0', '--listed', '120', '--history', '30', '--sessions', '1', '--with-parent'],"
        "stdout=subprocess.PIPE); child.stdout.readline(); print(child.pid)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True)
    orphan = int(done.stdout)
    for _ in range(100):
        try:
            os.kill(orphan, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(orphan, signal.SIGKILL)
    pytest.fail("the emulator outlived its parent")


@pytest.mark.parametrize(
    ("text", "instant"),
    [("2026-11-23T08:30", 1_795_390_200_000_000_000), ("1795390200000000000", 1_795_390_200_000_000_000)],
)
def test_a_clock_is_set_in_korean_time_or_nanoseconds(text: str, instant: int) -> None:
    assert instant_of(text) == instant
