"""backfill: ``haetae collect backfill`` of fifty names over twenty sessions of minutes, against what it must cost.

The command itself runs against an emulator in a process of its own, whose clock is several times as fast as the
machine's; the command takes clock and pace from the control port. How fast the clock may run is measured first with a
small backfill: a second of it must be long against the hiccups of the machine, or the figure would be of the machine.
The emulator's board is the oracle: every minute it shows must be in the lake, and the fewest calls are its rows of each
name in pages of 120. The peer is that minimum at the permitted rate. `share` is calls served in permitted calls of the
time they took.

    PYTHONPATH=src python benchmarks/backfill.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import pyarrow.compute as pc
from soaking.serving import Emulator, Market, emulator

from haetae.kis.limits import calls_per_second
from haetae.kis.wire.operations import OPERATIONS, Mode
from haetae.krx.calendar import previous_trading_day
from haetae.store.lake import Lake

LAST = dt.date(2026, 11, 20)
FIRST_LIVE = dt.date(2026, 11, 23)
EVENING = 180_000
NAMES, SESSIONS = 50, 20
TRIAL_NAMES, TRIAL_SESSIONS, TRIAL_SPEED, FASTEST = 8, 10, 3.0, 20.0
LOSS = 0.015
"""Share of an emulated second that the machine's own hiccups may cost."""
GATE = 0.03
"""Most by which calls and rate may miss what is theoretically possible."""
PERMITTED = calls_per_second(Mode.REAL, LAST)
PAGE = OPERATIONS["inquire-time-dailychartprice"].page_rows


def collect(server: Emulator, names: int, days: Sequence[dt.date], folder: Path) -> dict[str, Any]:
    """Run the command and return its closing table."""
    lake, table = folder / f"lake-{names}", folder / f"closing-{names}.json"
    words = ["collect", "backfill", "--kind", "minute", "--top", str(names), "--from", str(days[0]), "--to"]
    words += [str(days[-1]), "--lake", str(lake), "--control", server.ready["control"], "--json", str(table)]
    source = str(Path(__file__).resolve().parents[1] / "src")
    with (folder / "collect.out").open("wb") as told:
        subprocess.run(
            [sys.executable, "-m", "haetae.cli.main", *words],
            check=True,
            stdout=told,
            stderr=told,
            env={**os.environ, "PYTHONPATH": source},
        )
    return dict(json.loads(table.read_text(encoding="utf-8")))


def against(server: Emulator, closing: dict[str, Any], names: int, days: Sequence[dt.date], folder: Path) -> Any:
    """Return a closing table beside what the emulator's board says it had to be."""
    held = Lake(folder / f"lake-{names}").read("minute")
    symbols = sorted(set(pc.unique(held.column("symbol")).to_pylist()))
    truth = server.holds("minutes", symbols, days, folder)
    least = sum(-(-count // PAGE) for count in truth.group_by("symbol").aggregate([("start", "count")])["start_count"]
                .to_pylist())  # fmt: skip
    mine, theirs = (
        set(zip(*(table.column(name).to_pylist() for name in table.schema.names), strict=True))
        for table in (held, truth.select(held.schema.names))
    )
    calls = server.control("GET", "/calls")
    return {
        "names": len(symbols),
        "rows": len(held),
        "missing": len(theirs - mine),
        "wrong": len(mine - theirs),
        "gaps": closing["gaps"],
        "absent": closing["absent"],
        "calls": closing["calls"],
        "least_calls": least,
        "least_calls_told": closing["least_calls"],
        "over_least": closing["calls"] / least - 1.0,
        "seconds": closing["seconds"],
        "least_seconds": least / PERMITTED,
        "rate": closing["rate"],
        "permitted": PERMITTED,
        "share": closing["rate"] / PERMITTED,
        "violations": calls["violations"],
        "peak_per_second": max(row["peak_per_second"] for row in calls["keys"]),
    }


def measure(names: int, sessions: int, speed: float, folder: Path) -> dict[str, Any]:
    """Backfill so many of the largest names over the last sessions on a clock of a speed."""
    days = [LAST]
    while len(days) < sessions:
        days.insert(0, previous_trading_day(days[0]))
    market = Market(str(LAST), EVENING, str(FIRST_LIVE), 2, speed)
    with emulator(market, folder / "emulator.log") as server:
        closing = collect(server, names, days, folder)
        return {"speed": speed, **against(server, closing, names, days, folder)}


def affordable_speed(folder: Path) -> float:
    """Return how fast the emulator's clock may run on this machine as it is now."""
    trial = measure(TRIAL_NAMES, TRIAL_SESSIONS, TRIAL_SPEED, folder)
    lost_s = (1 / trial["share"] - 1) / TRIAL_SPEED  # real seconds of every second's slots that went to hiccups
    return round(min(FASTEST, max(1.0, LOSS / max(lost_s, 1e-6))), 1)


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    with tempfile.TemporaryDirectory(prefix="haetae-backfill-") as folder:
        mine = measure(NAMES, SESSIONS, affordable_speed(Path(folder)), Path(folder))
    figures: dict[str, Any] = {
        "workload": f"backfill: {NAMES} names, {SESSIONS} sessions of minutes, {PERMITTED} calls a second permitted",
        "ours_s": mine["seconds"],
        "peer": f"the fewest pages of {PAGE} rows, at the permitted rate",
        "peer_s": mine["least_seconds"],
        "ratio": mine["least_seconds"] / mine["seconds"],
        "gate": GATE,
        "passed": mine["over_least"] <= GATE
        and mine["share"] >= 1 - GATE
        and not any(mine[name] for name in ("gaps", "missing", "wrong", "violations")),
        **mine,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
