"""live-soak: thirty sessions of ``collect live`` on a bad exchange, fifty names over forty-one registrations.

The collector is the command's own, in a process of its own, in step with an emulator that is given random faults every
day: sockets that drop or fall silent, frames lost, late and twice, HTML pages, refusals, dead tokens, maintenance each
night, halts, interruptions, breakers, splits. It is killed (SIGKILL) within some days, comes back up to three quarters
of an hour later and goes on. Afterwards the lake must hold what the emulator's board holds, minute for minute, nothing
twice and nothing provisional; the emulator must have refused no call for its rate but those it was told to, and those
within a second of calls that a dark network held back and delivered at once (they were sent in time); the memory of the
process that lived through the last two thirds must be flat: the median of the last third of the run at most 5 % above
that of the second. The peer is the time the sessions take on the wall.

    PYTHONPATH=src python benchmarks/live_soak.py [--days N] [--seed S] [--budget SECONDS] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from soaking.days import CLEAN_EVERY, death_of, faults_of
from soaking.market import FIRST, largest, sessions
from soaking.serving import Emulator, Market, emulator

from haetae.collector.jobs import PROVISIONAL
from haetae.domain.units import NS_PER_SECOND
from haetae.store.lake import Lake

DAYS, SEED, BUDGET_S = 30, 20261127, 900.0
NAMES = 50
STREAMED = 41
INDICES = ("0001", "1001")
FLAT = 1.05
"""Most growth of the median memory from the second third of the run to the last."""
_AWAY_S = 2_700
"""Longest absence after a death, in market seconds."""
SESSION_S = 23_400
COLLECTING = Path(__file__).resolve().parent / "soaking" / "collecting.py"


@dataclass
class Run:
    """One run: what it is on, and what has come of it so far."""

    server: Emulator
    folder: Path
    days: list[dt.date]
    symbols: list[str]
    seed: int
    budget_s: float
    calm: bool = False
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    deaths: list[str] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        """Start a collector."""
        asked = {
            "ready": self.server.ready,
            "folder": str(self.folder),
            "symbols": self.symbols,
            "last": str(self.days[-1]),
            "seed": self.seed,
        }
        with (self.folder / "collector.err").open("ab") as told:
            return subprocess.Popen(
                [sys.executable, str(COLLECTING), json.dumps(asked)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                bufsize=1,
            )

    def go(self) -> float:
        """Collect all days; returns the seconds it took."""
        began = time.monotonic()
        while not self._until_end_or_death(began):
            away = int(np.random.default_rng([self.seed, len(self.deaths), 7]).integers(5, _AWAY_S))
            now = int(self.server.control("GET", "/state")["now"])
            self.server.control("POST", "/clock", {"advance_to": now + away * NS_PER_SECOND})
        return time.monotonic() - began

    def _until_end_or_death(self, began: float) -> bool:
        """Run one process; returns whether it came to the end."""
        process = self.start()
        assert process.stdout is not None
        try:
            for line in process.stdout:
                told = json.loads(line)
                match told["what"]:
                    case "morning":
                        self._greet(process, dt.date.fromisoformat(told["day"]), time.monotonic() - began)
                    case "session":
                        self.told[told["day"]] = told
                        print(json.dumps({k: told[k] for k in ("day", "rows", "breaks", "rss_mb")}), file=sys.stderr)
                    case "here":
                        time.sleep(float(np.random.default_rng([self.seed, len(self.deaths)]).uniform(0, 0.1)))
                        process.send_signal(signal.SIGKILL)
                        process.wait(30)
                        self.deaths.append(str(told["at"]))
                        return False
                    case "done":
                        process.wait(60)
                        return True
            errors = (self.folder / "collector.err").read_text(errors="replace")
            raise RuntimeError(f"the collector ended with {process.wait(30)}: {errors[-3000:]}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(30)

    def _greet(self, process: subprocess.Popen[str], day: dt.date, passed_s: float) -> None:
        """Arm the day's faults and let the collector go on; raises where the budget is spent."""
        if passed_s > self.budget_s:
            raise TimeoutError(f"{passed_s:.0f} s of {self.budget_s:.0f} s are spent on {day}")
        number = self.days.index(day)
        self.take_faults_back()
        faults = () if self.calm else faults_of(day, number, self.symbols, self.seed)
        for fault in faults:
            self.server.control("POST", "/faults", dict(fault))
            self.faults[str(fault["id"])] += 1
        death = None if self.calm else death_of(day, number, len(self.days), self.seed)
        assert process.stdin is not None
        process.stdin.write("go\n" if death is None else f"go {death}\n")

    def take_faults_back(self) -> None:
        """Count how often each fault has struck, and end them all."""
        for one in self.server.control("GET", "/faults"):
            self.fired[one["id"]] += int(one["fired"])
        self.server.control("DELETE", "/faults")


def compare(held: pa.Table, truth: pa.Table, key: str) -> dict[str, int]:
    """Return how many minutes the lake lacks, has beyond the truth, has otherwise, and has twice."""
    traded = held.filter(pc.greater(held.column("volume"), 0)) if key == "symbol" else held
    columns = [key, "start", "open", "high", "low", "close"]
    columns += ["volume"] if key == "symbol" else []  # that of an index is told in thousands
    mine, theirs = (
        {row[:2]: row[2:] for row in zip(*(table.column(name).to_pylist() for name in columns), strict=True)}
        for table in (traded, truth)
    )
    keys = held.group_by([key, "start"]).aggregate([])
    return {
        "minutes": len(theirs),
        "missing": len(theirs.keys() - mine.keys()),
        "invented": len(mine.keys() - theirs.keys()),
        "different": sum(mine[one] != theirs[one] for one in mine.keys() & theirs.keys()),
        "twice": len(held) - len(keys),
    }


def judge(run: Run) -> dict[str, Any]:
    """Return what is left after the last day."""
    lake, server, days = Lake(run.folder / "lake"), run.server, run.days
    minutes = compare(lake.read("minute"), server.holds("minutes", run.symbols, days, run.folder), "symbol")
    index_rows = lake.read("index_minute", start=days[0], end=days[-1])
    indices = compare(index_rows, server.holds("indices", INDICES, days, run.folder), "index")
    marks = lake.read("quality", symbols=["minute"]).to_pylist()
    open_marks = [row for row in marks if row["code"] == PROVISIONAL and not row["detail"].startswith("resolved")]
    calls, rates = server.control("GET", "/calls"), server.control("GET", "/rates")
    rss = [run.told[str(day)]["rss_mb"] for day in days if str(day) in run.told]
    third = max(1, len(days) // 3)
    second, last = statistics.median(rss[-2 * third : -third] or rss), statistics.median(rss[-third:])
    streamed = [
        run.told[str(day)] for number, day in enumerate(days) if number % CLEAN_EVERY == CLEAN_EVERY - 1
        and str(day) in run.told
    ]  # fmt: skip
    return {
        "minute": minutes,
        "index_minute": indices,
        "provisional": len(open_marks),
        "violations": calls["violations"] - calls["violations_in_flood"],
        "refused_when_held_back": calls["violations_in_flood"],
        "peak_per_second": max(row["peak_admitted"] for row in rates["keys"]),
        "token_refusals": calls["token_refusals"],
        "rss_mb": {"second_third": second, "last_third": last, "growth": last / second, "days": rss},
        "clean_days_breaks": sum(one["breaks"] for one in streamed),
    }


def passed(left: dict[str, Any]) -> bool:
    """Return whether nothing is left that REST could repair, no rate was broken and memory is flat."""
    wrong = sum(left[table][name] for table in ("minute", "index_minute")
                for name in ("missing", "invented", "different", "twice"))  # fmt: skip
    return not (wrong or left["provisional"] or left["violations"]) and left["rss_mb"]["growth"] <= FLAT


def soak(days: int, seed: int, budget_s: float, count: int, folder: Path, *, calm: bool = False) -> dict[str, Any]:
    """Run so many days in a folder and return the figures; calm ones have no faults and no deaths."""
    market = Market(str(FIRST), 70_000, str(FIRST), days + 1, 0.0, seed=seed, maintenance=True)
    symbols = largest(market, count)
    with emulator(market, folder / "emulator.log") as server:
        run = Run(server, folder, sessions(days), symbols, seed, budget_s, calm)
        took = run.go()
        run.take_faults_back()
        left = judge(run)
    told = list(run.told.values())
    wall_s = float(SESSION_S * days)
    return {
        "workload": f"live-soak: {days} sessions, {count} names, {STREAMED} registrations, random faults",
        "ours_s": took,
        "peer": "the same sessions on the wall",
        "peer_s": wall_s,
        "ratio": wall_s / took,
        "passed": passed(left),
        **left,
        "deaths": len(run.deaths),
        "faults": dict(sorted(run.faults.items())),
        "fired": dict(sorted(run.fired.items())),
        "breaks": sum(one["breaks"] for one in told),
        "streamed_rows": sum(one["rows"] for one in told),
        "repairs": sum(one["repair"]["repairs"] for one in told),
        "repeats": told[-1]["repeats"],
    }


def run(
    out_json: Path | None = None,
    *,
    days: int = DAYS,
    seed: int = SEED,
    budget_s: float = BUDGET_S,
    count: int = NAMES,
    calm: bool = False,
    keep: Path | None = None,
) -> dict[str, Any]:
    """Soak and return the figures; write them to ``out_json`` if given. The folder goes unless it is to be kept."""
    with tempfile.TemporaryDirectory(prefix="haetae-soak-") as own:
        folder = keep or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        figures = soak(days, seed, budget_s, count, folder, calm=calm)
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    words = argparse.ArgumentParser(description="sessions of collect live on a bad exchange")
    words.add_argument("--days", type=int, default=DAYS)
    words.add_argument("--seed", type=int, default=SEED)
    words.add_argument("--budget", type=float, default=BUDGET_S, dest="budget_s", help="seconds, at most")
    words.add_argument("--names", type=int, default=NAMES, dest="count")
    words.add_argument("--calm", action="store_true", help="no faults and no deaths")
    words.add_argument("--keep", type=Path, help="a folder to soak in, and to look at afterwards")
    words.add_argument("out_json", type=Path, nargs="?")
    print(json.dumps(run(**vars(words.parse_args())), indent=1))
