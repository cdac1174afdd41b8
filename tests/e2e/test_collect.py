"""``haetae collect`` as a user runs it: against an emulator in a process of its own, killed, refused, resumed."""

from __future__ import annotations

import datetime as dt
import json
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from haetae.cli.main import main
from haetae.cloud.aws import client
from haetae.krx.calendar import trading_days
from haetae.store.lake import Lake
from haetae.wiring.lakes import LakeAt, open_lake
from local_aws import aws, aws_server
from rigs.running import ENVIRONMENT, haetae

__all__ = ["aws", "aws_server"]

END = dt.date(2026, 11, 20)
SPEED = 40
SESSIONS = trading_days(dt.date(2026, 11, 16), END)


@pytest.fixture(scope="module")
def market() -> Iterator[dict[str, Any]]:
    """An emulator whose evening of the last day runs forty times as fast as ours."""
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", "--free-ports", "--seed", "7"]
    command += ["--history", "60", "--sessions", "2", "--clock", f"{END}T18:00", "--speed", str(SPEED)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())
        child.terminate()
        assert child.wait(10) == 0


def collect(market: dict[str, Any], lake: Path, *words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    return haetae("collect", *words, "--lake", lake, "--control", market["control"], **more)


@contextmanager
def at_speed(market: dict[str, Any], speed: float) -> Iterator[None]:
    """Let the market, and with it the pace of whoever collects from it, run at another speed for a while."""
    _tell(market, {"speed": speed})
    try:
        yield
    finally:
        _tell(market, {"speed": SPEED})


def _tell(market: dict[str, Any], clock: dict[str, float]) -> None:
    body = json.dumps(clock).encode()
    asked = urllib.request.Request(f"{market['control']}/clock", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 200


def await_start(lake: Path) -> None:
    deadline = time.monotonic() + 90
    while not (lake / "instruments").exists():
        assert time.monotonic() < deadline, "the run has not begun"
        time.sleep(0.02)


def minutes(market: dict[str, Any], lake: Path, *words: object, **more: Any) -> subprocess.CompletedProcess[str]:
    days = ("--from", SESSIONS[0], "--to", SESSIONS[-1])
    return collect(market, lake, "backfill", "--kind", "minute", *days, *words, **more)


@pytest.fixture(scope="module")
def whole(market: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = tmp_path_factory.mktemp("whole") / "lake"
    minutes(market, lake, "--top", 8)
    return Lake(lake)


def test_a_backfill_is_complete_and_the_same_command_again_asks_for_nothing(market, tmp_path) -> None:
    lake, facts = tmp_path / "lake", tmp_path / "facts.json"
    told = minutes(market, lake, "--top", 5, "--json", facts)
    first = json.loads(facts.read_text())
    assert (first["gaps"], first["rows"]) == (0, len(Lake(lake).read("minute")))
    days = Lake(lake).read("minute").group_by(["symbol", "day"]).aggregate([])
    assert len(days) == 5 * len(SESSIONS)
    assert first["calls"] <= 1.03 * first["least_calls"]
    assert first["least_seconds"] > 0
    for word in ("결측", "복구", "호출", "최소", "초당", "minute"):
        assert word in told.stdout
    versions = Lake(lake).versions()
    minutes(market, lake, "--top", 5, "--json", facts)
    assert json.loads(facts.read_text())["calls"] == 0
    assert Lake(lake).versions() == versions


@pytest.mark.parametrize("after_s", [0.6, 1.5])
def test_a_killed_run_is_completed_by_the_next(market, whole, tmp_path, after_s) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "haetae.cli.main", "collect", "backfill", "--kind", "minute", "--top", "8"]
    command += ["--from", str(SESSIONS[0]), "--to", str(SESSIONS[-1]), "--lake", str(lake)]
    command += ["--control", market["control"]]
    with (
        at_speed(market, 2),  # a run of four seconds
        subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child,
    ):
        await_start(lake)
        time.sleep(after_s)
        child.kill()
    assert child.returncode == -signal.SIGKILL, "the run was over before it was killed"
    assert minutes(market, lake, "--top", 8).returncode == 0
    haetae("lake", "check", "--lake", lake)
    assert Lake(lake).read("minute").equals(whole.read("minute"))


def test_an_interrupt_ends_with_130_and_keeps_what_came(market, whole, tmp_path) -> None:
    lake = tmp_path / "lake"
    command = [sys.executable, "-m", "haetae.cli.main", "collect", "daily", "--lake", str(lake)]
    command += ["--from", "2026-09-01", "--control", market["control"]]
    with (
        at_speed(market, 2),  # a run of seven seconds
        subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child,
    ):
        await_start(lake)
        time.sleep(0.8)
        child.send_signal(signal.SIGINT)
        _, faults = child.communicate(timeout=30)
    assert child.returncode == 130, faults.decode()
    assert b"Traceback" not in faults
    collect(market, lake, "daily", "--from", "2026-09-01")
    counted = Lake(lake).read("daily").group_by("symbol").aggregate([("day", "count")])
    assert len(counted) > 100


TWO = ("--symbols", "005930,000660")
KINDS = [
    ("master", ["instruments"], ()),
    ("daily", ["daily"], TWO),
    ("weekly", ["weekly"], TWO),
    ("monthly", ["monthly"], TWO),
    ("minute", ["minute"], (*TWO, "--from", END)),
    ("index", ["index_daily", "index_minute"], ()),
    ("etf-nav", ["etf_nav"], ("--symbols", "069500")),
    ("flows", ["flows", "market_flows"], (*TWO, "--from", SESSIONS[0])),
    ("fundamentals", ["fundamentals"], TWO),
    ("status", ["flags", "vi_events"], TWO),
    ("holidays", ["holidays"], ()),
    ("rankings", ["rankings"], ()),
    ("news", ["news"], ("--from", SESSIONS[0])),
    ("actions", ["corporate_actions"], ("--from", "2026-09-01")),
]


@pytest.mark.parametrize(("kind", "tables", "chosen"), KINDS, ids=[kind for kind, _, _ in KINDS])
def test_every_kind_fills_its_tables_and_its_closing_table_tells_them(market, tmp_path, kind, tables, chosen) -> None:
    facts = tmp_path / "facts.json"
    told = collect(market, tmp_path / "lake", kind, *chosen, "--json", facts)
    lake, record = Lake(tmp_path / "lake"), json.loads(facts.read_text())
    for table in tables:
        assert table in told.stdout
        assert len(lake.read(table)) > 0, table
    assert record["gaps"] == 0
    assert record["calls"] >= record["least_calls"]


@pytest.mark.parametrize("kind", ["flows", "fundamentals"])
def test_what_the_lake_has_is_not_written_again(market, tmp_path, kind) -> None:
    chosen = (kind, *TWO, "--from", SESSIONS[0])
    collect(market, tmp_path / "lake", *chosen)
    versions = Lake(tmp_path / "lake").versions()
    collect(market, tmp_path / "lake", *chosen)
    assert Lake(tmp_path / "lake").versions() == versions


def test_a_clock_that_stands_still_is_refused_in_one_message(tmp_path) -> None:
    command = [sys.executable, "-m", "haetae.cli.main", "emulator", "run", "--free-ports", "--history", "60"]
    with subprocess.Popen([*command, "--speed", "0"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        still = json.loads(child.stdout.readline())
        done = collect(still, tmp_path / "lake", "rankings", check=False)
        child.terminate()
        assert child.wait(10) == 0
    assert done.returncode == 2
    assert "--speed" in done.stderr
    assert "Traceback" not in done.stderr


UNIVERSE = [f"{number:06d}" for number in range(50)]
BAD = [
    (("minute", "--universe", UNIVERSE[:49]), "49", 2),
    (("minute", "--universe", [*UNIVERSE, "999999"]), "51", 2),
    (("minute", "--universe", [*UNIVERSE[:49], UNIVERSE[0]]), "twice: 000000", 2),
    (("minute", "--universe", [*UNIVERSE[:49], "삼성전자"]), "no codes: 삼성전자", 2),
    (("minute", "--universe", UNIVERSE), "상장되지 않은", 2),
    (("minute",), "--top", 2),
    (("minute", "--symbols", "005930", "--top", "5"), "--symbols, --top", 2),
    (("daily", "--to", "2027-03-02"), "2027-03-02", 2),
    (("daily", "--from", "2026-11-20", "--to", "2026-11-02"), "2026-11-20 … 2026-11-02", 2),
    (("daily", "--from", "yesterday"), "yesterday", 2),
    (("backfill", "--kind", "news", "--from", "2026-11-02"), "news", 2),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sign", "code"), BAD, ids=[sign for _, sign, _ in BAD])
def test_bad_input_is_one_message_and_nothing_is_written(market, tmp_path, words, sign, code) -> None:
    given: list[object] = []
    for word in words:
        if isinstance(word, list):
            (tmp_path / "universe.txt").write_text("\n".join(word), encoding="utf-8")
            given.append(tmp_path / "universe.txt")
        else:
            given.append(word)
    done = collect(market, tmp_path / "lake", *given, check=False)
    assert done.returncode == code
    assert sign in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 4
    lake = Lake(tmp_path / "lake")
    assert {table for table in lake.versions() if table not in {"instruments", "flags"}} == set()


@pytest.mark.parametrize(
    ("words", "sign"),
    [
        (("--control", "http://10.0.0.1:9"), "127.0.0.1"),
        (("--control", "http://127.0.0.1:9"), "haetae emulator run"),
        (("--account", "/nowhere/account"), "haetae init"),
    ],
)
def test_a_market_that_cannot_be_reached_is_one_message(tmp_path, words, sign) -> None:
    done = haetae("collect", "master", "--lake", tmp_path / "lake", *words, check=False)
    assert done.returncode != 0
    assert sign in done.stderr
    assert "Traceback" not in done.stderr


def test_a_disk_that_fills_leaves_a_lake_that_reads_and_the_next_run_completes(market, whole, tmp_path) -> None:
    lake = tmp_path / "lake"
    minutes(market, lake, "--symbols", "005930")
    before = Lake(lake).read("minute")
    command = [sys.executable, "-m", "haetae.cli.main", "collect", "backfill", "--kind", "minute", "--top", "8"]
    command += ["--from", str(SESSIONS[0]), "--to", str(SESSIONS[-1]), "--lake", str(lake)]
    command += ["--control", market["control"]]
    full = subprocess.run(
        command,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000)),
    )
    assert full.returncode == 3, full.stderr
    assert "디스크" in full.stderr
    assert "Traceback" not in full.stderr
    kept = Lake(lake).read("minute", symbols=["005930"])
    assert kept.equals(before)
    minutes(market, lake, "--top", 8)
    assert (
        Lake(lake)
        .read("minute", symbols=sorted(set(pc.unique(whole.read("minute").column("symbol")).to_pylist())))
        .equals(whole.read("minute"))
    )


def test_a_lake_in_a_bucket_is_collected_into_as_one_in_a_folder(market, tmp_path, aws: str, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    where = {"LocationConstraint": "ap-northeast-2"}
    client("s3", endpoint_url=aws).create_bucket(Bucket="haetae-lake", CreateBucketConfiguration=where)
    at = ["--lake", "s3://haetae-lake/deep", "--endpoint-url", aws, "--control", market["control"]]
    asked = ["--kind", "minute", "--symbols", "005930", "--from", str(SESSIONS[0]), "--to", str(END)]
    assert main(["collect", "backfill", *asked, *at]) == 0
    there, here = open_lake(LakeAt("s3://haetae-lake/deep", endpoint_url=aws)), tmp_path / "lake"
    minutes(market, here, "--symbols", "005930")
    assert there.read("minute").equals(Lake(here).read("minute"))
    assert len(there.read("minute")) > 0
    assert {each.by for each in there.history("minute")} == {"haetae collect minute"}
