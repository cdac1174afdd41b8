"""Bad input, item by item: one message with expected, found and next step, an exit code, nothing half-written."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from haetae.cli.main import main
from haetae.krx.calendar import trading_days
from haetae.store.lake import Lake

SOURCE = Path(__file__).resolve().parents[3] / "src"
SMALL = ("--free-ports", "--speed", "0", "--listed", "120", "--history", "30", "--sessions", "1")


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAETAE_LANG", "en")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of daily bars alone: 3 names, 200 sessions to 2026-11-20."""
    import datetime as dt

    folder = tmp_path_factory.mktemp("bars")
    days = trading_days(dt.date(2026, 1, 5), dt.date(2026, 11, 20))
    lines = [
        f"{symbol},{day},{price},{price + 10},{price - 10},{price},{1000 + place}"
        for symbol, price in (("005930", 1000), ("000660", 2000), ("035420", 3000))
        for place, day in enumerate(days)
    ]
    (folder / "bars.csv").write_text("\n".join(["symbol,date,open,high,low,close,volume", *lines]))
    lake = folder / "lake"
    assert main(["lake", "import", "--kind", "daily", str(folder / "bars.csv"), "--lake", str(lake)]) == 0
    return lake


@pytest.fixture
def lake(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(imported, tmp_path / "lake"))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command line that must be refused; return its one message."""

    def run(*arguments: object, code: int) -> str:
        capsys.readouterr()
        assert main([str(each) for each in arguments]) == code
        told = capsys.readouterr()
        assert told.out == ""
        one_message(told.err)
        return told.err

    return run


def one_message(told: str) -> None:
    for part in ("error:", "expected:", "found:", "next:"):
        assert told.count(part) == 1, told
    assert "Traceback" not in told


def haetae(*arguments: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own; ``limit`` bounds every file it writes, as a full disk would."""

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "haetae.cli.main", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HAETAE_LANG": "en"},
        preexec_fn=bound,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def spoil(lake: Path) -> Path:
    """Flip a byte in the largest file of daily bars."""
    victim = max((lake / "daily").rglob("*.parquet"), key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 0xFF
    victim.write_bytes(bytes(content))
    return victim


def drop(lake: Path, table: str) -> Path:
    shutil.rmtree(lake / table)
    return lake


# ---------------------------------------------------------------- unknown command or option


@pytest.mark.parametrize(
    "arguments", [["lkae"], ["lake", "pour"], ["bench", "m60", "--jsn", "x"], ["demo", "--sed", "1"]]
)
def test_an_unknown_command_or_option_is_named_with_what_is_near(
    arguments: list[str], refused: Callable[..., str]
) -> None:
    told = refused(*arguments, code=2)
    assert next(word for word in arguments if word in told)
    assert "--help" in told


@pytest.mark.parametrize(
    "arguments",
    [
        ["demo", "--seed", "-1"],
        ["research", "run", "--seed", "many"],
        ["emulator", "run", "--seed", "-1"],
        ["emulator", "run", "--listed", "10000000"],
        ["emulator", "run", "--trade-fields", "9"],
        ["emulator", "run", "--notice-fields", "9"],
    ],
)
def test_a_value_out_of_range_is_refused_at_the_command_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("error:")
    assert arguments[-2] in told or arguments[-1] in told


# ---------------------------------------------------------------- port, permission, disk


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = haetae("emulator", "run", *SMALL, "--rest-real-port", port)
    assert done.returncode == 2
    one_message(done.stderr)
    assert str(port) in done.stderr
    assert "in use" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("out", ["/proc/1/demo", "/proc/version/demo"])
def test_a_demo_without_permission_says_where(out: str, refused: Callable[..., str]) -> None:
    told = refused("demo", "--short", "--out", out, code=1)
    assert out in told
    assert "--out" in told or "another path" in told


def test_research_and_import_without_permission_say_where(lake: Path, refused: Callable[..., str]) -> None:
    assert "/proc/1/out" in refused("research", "run", "--lake", lake, "--out", "/proc/1/out", code=1)
    bars = lake.parent / "bars.csv"
    bars.write_text("symbol,date,open,high,low,close,volume\n005930,2026-01-02,100,110,90,105,1\n")
    told = refused("lake", "import", "--kind", "daily", bars, "--lake", "/proc/1/lake", code=3)
    assert "/proc/1/lake" in told


def test_an_unwritable_json_file_is_refused_before_the_work(tmp_path: Path, refused: Callable[..., str]) -> None:
    for target in ("/nowhere/facts.json", tmp_path):
        refused("demo", "--short", "--out", tmp_path / "out", "--json", target, code=2)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_during_an_import_leaves_no_part_of_a_table(lake: Path) -> None:
    before = Lake(lake).versions()
    bars = lake.parent / "more.csv"
    rows = [f"{n:06d},2026-01-{2 + n % 3:02d},100,110,90,105,{n}" for n in range(9_000)]
    bars.write_text("\n".join(["symbol,date,open,high,low,close,volume", *rows]))
    done = haetae("lake", "import", "--kind", "daily", bars, "--lake", lake, limit=10_000)
    assert done.returncode == 3
    one_message(done.stderr)
    assert "free disk space" in done.stderr
    assert Lake(lake).versions()["daily"] == before["daily"]
    assert Lake(lake).check() == ()
    assert not list(lake.rglob("*.tmp"))


def test_a_full_disk_under_a_json_file_keeps_the_old_one(lake: Path) -> None:
    target = lake.parent / "facts.json"
    target.write_text("{}\n")
    done = haetae("lake", "show", "--lake", lake, "--json", target, limit=10)
    assert done.returncode == 1
    one_message(done.stderr)
    assert target.read_text() == "{}\n"
    assert [path.name for path in lake.parent.iterdir() if path.name.endswith(".tmp")] == []


# ---------------------------------------------------------------- configuration


def test_all_faults_of_a_configuration_are_told_at_once(tmp_path: Path, refused: Callable[..., str]) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(
        '[emulator]\nspeed = "fast"\n[research]\nhorizon = 5\n[nothing]\nx = 1\n[desk.limits]\nmin_confidence = 2\n'
    )
    for verb in (("emulator", "run"), ("research", "run", "--out", tmp_path / "out")):
        told = refused(*verb, "--config", broken, code=2)
        for fault in ("emulator.speed", "research.horizon", "nothing", "desk.limits"):
            assert fault in told
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_toml_is_named(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "torn.toml").write_text("[emulator\n")
    assert "torn.toml" in refused("emulator", "run", "--config", tmp_path / "torn.toml", code=2)


# ---------------------------------------------------------------- lakes


def verbs_that_read(lake: Path) -> list[tuple[object, ...]]:
    out = lake.parent / "out"
    return [
        ("research", "run", "--lake", lake, "--out", out),
        ("demo", "--short", "--lake", lake, "--out", out),
        ("emulator", "run", *SMALL, "--replay", lake),
        ("lake", "check", "--lake", lake),
    ]


def test_a_damaged_file_is_named_by_every_verb_that_reads_it(lake: Path, refused: Callable[..., str]) -> None:
    victim = spoil(lake)
    for verb in verbs_that_read(lake):
        assert victim.name in refused(*verb, code=3)
    assert not (lake.parent / "out").exists()


@pytest.mark.parametrize("spoilt", ["{", "", '{"commitInfo": {}}'])
def test_a_damaged_log_entry_is_named(lake: Path, refused: Callable[..., str], spoilt: str) -> None:
    entry = max((lake / "daily" / "_delta_log").glob("*.json"))
    entry.write_text(spoilt)
    for verb in verbs_that_read(lake):
        assert entry.name in refused(*verb, code=3)
    assert not (lake.parent / "out").exists()


def test_a_lake_of_the_former_format_is_refused_with_the_verb_that_mends_it(
    lake: Path, refused: Callable[..., str]
) -> None:
    (lake / "daily" / "_delta_log").rename(lake / "daily" / "_log")
    bars = lake.parent / "bars.csv"
    bars.write_text("symbol,date,open,high,low,close,volume\n005930,2026-01-02,100,110,90,105,1000\n")
    writing = ("lake", "import", "--kind", "daily", bars, "--lake", lake)
    for verb in (*verbs_that_read(lake), ("lake", "show", "--lake", lake), writing):
        assert f"haetae lake upgrade --lake {lake}" in refused(*verb, code=3)
    assert not (lake.parent / "out").exists()


GOOD_ROW = "005930,2026-01-02,100,110,90,105,1000"


@pytest.mark.parametrize(
    ("name", "content", "code", "sign"),
    [
        ("bars.parquet", "<!doctype html><title>login</title>", 3, "HTML"),
        ("bars.csv", "  <html>", 3, "HTML"),
        ("bars.parquet", "PAR1 cut", 3, "magic"),
        ("bars.csv", f"symbol,date,open,high,low,close,volume\n{GOOD_ROW}\n005930,2026", 3, "columns"),
        ("bars.csv", "symbol,date,open,high,low,volume\n005930,2026-01-02,100,110,90,1000\n", 2, "--map close="),
        ("bars.csv", f"symbol,date,open,high,low,close,volume\n{GOOD_ROW.replace('2026', '2099')}\n", 3, "2099-01-02"),
        ("bars.csv", "symbol,date,open,high,low,close,volume\n005930,soon,100,110,90,105,1000\n", 3, "soon"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_refused_and_nothing_is_written(
    tmp_path: Path, refused: Callable[..., str], name: str, content: str, code: int, sign: str
) -> None:
    (tmp_path / name).write_text(content)
    told = refused("lake", "import", "--kind", "daily", tmp_path / name, "--lake", tmp_path / "lake", code=code)
    assert sign in told
    assert not (tmp_path / "lake").exists()


def test_an_empty_lake_and_one_without_daily_bars_are_refused_with_the_way_out(
    lake: Path, refused: Callable[..., str]
) -> None:
    for verb in verbs_that_read(lake.parent / "nothing"):
        assert "lake import" in refused(*verb, code=3)
    shutil.copytree(lake / "daily", lake / "aside")
    drop(lake, "daily")
    for verb in verbs_that_read(lake)[:3]:
        assert "lake import" in refused(*verb, code=3)
    assert not (lake.parent / "out").exists()


def test_a_lake_without_minutes_is_replayed_with_bridged_ones(lake: Path) -> None:
    """Minutes are made from daily bars where a lake has none; nothing is refused."""
    import json

    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", *SMALL, "--replay", str(lake)]
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "HAETAE_LANG": "en"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        child.terminate()
        _, faults = child.communicate(timeout=30)
    assert json.loads(line)["rest_real"].startswith("http://127.0.0.1"), faults


# ---------------------------------------------------------------- dates


@pytest.mark.parametrize("day", ["2026-11-22", "2026-12-25", "2090-01-02", "1999-01-04"])
def test_a_first_day_without_a_session_is_refused(day: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulator", "run", *SMALL, "--first-day", day]) in (2, 4)
    told = capsys.readouterr()
    one_message(told.err)
    assert told.out == ""
    assert day in told.err


@pytest.mark.parametrize("day", ["2031-01-01", "1999-01-01"])
def test_a_test_range_without_sessions_is_refused_and_leaves_nothing(
    day: str, lake: Path, refused: Callable[..., str]
) -> None:
    told = refused("research", "run", "--lake", lake, "--out", lake.parent / "out", "--first-test", day, code=3)
    assert day in told
    assert "2026-01-05 … 2026-11-20" in told
    assert not (lake.parent / "out").exists()


def test_a_replay_outside_the_days_of_a_lake_is_refused(lake: Path, refused: Callable[..., str]) -> None:
    told = refused("emulator", "run", *SMALL, "--replay", lake, "--first-day", "2020-01-02", code=3)
    assert "2020-01-02" in told


# ---------------------------------------------------------------- journals


def test_a_folder_or_a_foreign_file_is_no_journal(tmp_path: Path, refused: Callable[..., str]) -> None:
    (tmp_path / "text.db").write_text("not a database")
    told = refused("journal", "verify", tmp_path / "text.db", code=5)
    assert "text.db" in told
    assert main(["journal", "verify", str(tmp_path)]) == 5
