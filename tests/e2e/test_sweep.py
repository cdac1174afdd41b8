"""``haetae backtest sweep`` as a user runs it: killed in the middle, on all cores, on a cluster of two nodes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rigs.sweeping import fill_lake

ROOT = Path(__file__).resolve().parents[2]
RIG = ROOT / "tests" / "rigs" / "two_nodes.py"
MINE = '''
import os, time
import numpy as np
from haetae.policies import SignalStrategy, crossing

class Patient(SignalStrategy):
    """Crosses, and leaves a mark of every run."""
    fast: int = 5
    slow: int = 20

    def signals(self, panel):
        found = crossing.sma_cross(panel.close, self.fast, self.slow)
        time.sleep(float(os.environ.get("PATIENT_S", "0")))
        if "PATIENT_LOG" in os.environ:  # workers of a cluster have the environment of their node
            with open(os.environ["PATIENT_LOG"], "a") as file:
                file.write(f"{self.fast} {self.slow}\\n")
        return found
'''


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("sweep") / "lake"
    return folder, fill_lake(folder, days=200, symbols=5)


def command(lake: tuple[Path, str], out: Path, *more: str, strategy: str = "sma_cross") -> list[str]:
    where = ["--lake", str(lake[0]), "--symbols", lake[1], "--out", str(out), "--trials", str(out) + ".trials"]
    haetae = [sys.executable, "-m", "haetae.cli.main", "backtest", "sweep", strategy]
    return [*haetae, *where, "--no-baselines", "--json", f"{out}.json", *more]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HAETAE_LANG": "en", **more}


def swept(line: list[str], **more: str) -> dict[str, Any]:
    ran = subprocess.run(line, env=environment(**more), capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found: dict[str, Any] = json.loads(Path(line[line.index("--json") + 1]).read_text())
    return found


def points(out: Path) -> dict[str, Any]:
    lines = [json.loads(line)["point"] for line in (out / "points.jsonl").read_text().splitlines()]
    assert len({line["key"] for line in lines}) == len(lines)
    return {line["key"]: line for line in lines}


def family(root: int) -> set[int]:
    """Return a process and all it started."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(text.rpartition(")")[2].split()[1])
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)  # Ray and three command lines start; on a machine others use, that is minutes
@pytest.mark.parametrize("executor", ["here", "cores"])
def test_a_killed_sweep_resumes_without_losing_or_repeating_a_finished_point(
    lake: tuple[Path, str], tmp_path: Path, executor: str
) -> None:
    strategy, log = tmp_path / "patient.py", tmp_path / "runs.log"
    strategy.write_text(MINE)
    grid = ["--grid", "fast=2:8", "--grid", "slow=10,20,25", "--executor", executor, "--workers", "2"]
    line = command(lake, tmp_path / "out", *grid, strategy=f"{strategy}:Patient")
    kept = tmp_path / "out" / "points.jsonl"
    with subprocess.Popen(line, env=environment(PATIENT_S="0.25", PATIENT_LOG=str(log))) as killed:
        while not kept.exists() or kept.read_bytes().count(b"\n") < 4:
            assert killed.poll() is None, "ended before it could be killed"
            time.sleep(0.02)
        started = family(killed.pid) - {killed.pid}
        killed.send_signal(signal.SIGKILL)
    finished = kept.read_bytes()
    finished = finished[: finished.rfind(b"\n") + 1]
    before = {json.loads(each)["point"]["key"] for each in finished.splitlines()}
    assert 4 <= len(before) < 21
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in started):
        assert time.monotonic() < deadline, "workers outlived their driver"
        time.sleep(0.1)
    log.write_text("")

    facts = swept(line, PATIENT_LOG=str(log))
    assert (facts["points"], facts["resumed"]) == (21, len(before))
    assert kept.read_bytes().startswith(finished)
    ran = [text for text in log.read_text().splitlines() if text]
    parameters = {key: point["parameters"] for key, point in points(tmp_path / "out").items()}
    again = [f"{each['fast']} {each['slow']}" for key, each in parameters.items() if key in before]
    assert len(ran) == 21 - len(before) + 1, "the rest, and the best once more for its report"
    assert set(ran[:-1]).isdisjoint(again)

    whole = command(lake, tmp_path / "whole", *grid, strategy=f"{strategy}:Patient")
    assert swept(whole, PATIENT_LOG=str(log))["resumed"] == 0
    assert (tmp_path / "whole" / "returns.npy").read_bytes() == (tmp_path / "out" / "returns.npy").read_bytes()
    assert points(tmp_path / "whole") == points(tmp_path / "out")
    book = [json.loads(text)["trial"] for text in Path(f"{tmp_path / 'out'}.trials").read_text().splitlines()]
    assert len(book) == 21, "every finished point is a trial once, those before the kill included"


@pytest.fixture
def two_nodes() -> Iterator[tuple[str, dict[str, str]]]:
    """Give the address of a cluster of two nodes on the loopback, and what its drivers need in the environment."""
    folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets lie below it
    told = environment(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_TMPDIR=folder)
    rig = subprocess.Popen(
        [sys.executable, str(RIG)], env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert rig.stdin is not None
    assert rig.stdout is not None
    try:
        address = ""
        while not address:
            line = rig.stdout.readline()
            assert line, "the cluster did not start"
            address = line.removeprefix("address ").strip() if line.startswith("address ") else ""
        started = family(rig.pid)
        yield address, told
    finally:
        rig.stdin.close()
        rig.wait(90)
        shutil.rmtree(folder, ignore_errors=True)
    time.sleep(0.5)
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()], "the cluster left processes behind"


@pytest.mark.slow
@pytest.mark.timeout(900)  # Ray and three command lines start; on a machine others use, that is minutes
def test_here_cores_and_two_ray_nodes_give_the_same_bits(
    lake: tuple[Path, str], tmp_path: Path, two_nodes: tuple[str, dict[str, str]]
) -> None:
    pytest.importorskip("optuna")
    address, told = two_nodes
    strategy = tmp_path / "patient.py"
    strategy.write_text(MINE)
    found = {}
    for executor in ("here", "cores", f"ray:{address}"):
        out = tmp_path / executor.partition(":")[0]
        search = ["--optuna", "--random", "fast=2:30", "--grid", "slow=20,25", "--n", "16", "--seed", "11"]
        line = command(lake, out, *search, "--executor", executor, "--workers", "2", strategy=f"{strategy}:Patient")
        facts = swept(line, **told)
        del facts["executor"], facts["folder"], facts["files"]
        found[out.name] = (facts, points(out), (out / "returns.npy").read_bytes())
    here = found["here"]
    for other in (found["cores"], found["ray"]):
        assert {
            key: (here[0].get(key), other[0].get(key))
            for key in here[0] | other[0]
            if here[0].get(key) != other[0].get(key)
        } == {}
        assert here[1] == other[1]
        assert here[2] == other[2]
    facts = found["here"][0]
    assert facts["refused"] > 0
    assert facts["done"] > 5
    returns = np.load(tmp_path / "ray" / "returns.npy")
    assert np.isfinite(returns[: facts["points"]]).all(axis=1).sum() == facts["done"]
