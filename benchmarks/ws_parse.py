"""ws-parse: trade frames of one to twenty records, parsed and checked, beside a plain `str.split` loop.

Ours goes the way a frame goes in the feed: head, count and width checked, every record's symbol, day, clock and numbers
checked, fifteen columns of integers, symbols as text; the second figure of ours hands the rows out as Python integers
too. The peer splits the same texts at `|` and `^`, cuts them by values / count and makes integers of seven fields; it
checks nothing. Both run in turns on one thread; the figure is CPU time, the median of the runs.

    PYTHONPATH=src python benchmarks/ws_parse.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

import numpy as np

from haetae.kis.wire.frames import TRADES, Revision, build_frame, parse_frame
from haetae.kis.wire.prints import read_prints
from haetae.kis.wire.records import TradeRecord

RECORDS = 200_000
MOST = 20
SYMBOLS = 50
REPEATS = 9
GATE = 300_000


def make_frames(seed: int = 20261127) -> tuple[list[str], int]:
    """Return seeded frames of one to twenty records of the schema of 2026-09, and how many records they hold."""
    rng = np.random.default_rng(seed)
    names = [f"{number:05d}0" for number in rng.choice(100_000, SYMBOLS, replace=False)]
    day, frames, made = dt.date(2026, 11, 27), [], 0
    while made < RECORDS:
        rows = []
        for _ in range(int(rng.integers(1, MOST + 1))):
            price = int(rng.integers(1_000, 800_000))
            low, high, size, total = (
                price - 300,
                price + 300,
                int(rng.integers(1, 900)),
                int(rng.integers(10**5, 10**8)),
            )
            clock = 90_000 + int(rng.integers(0, 60)) * 100 + int(rng.integers(0, 60))
            sizes = rng.integers(0, 10**6, 2).tolist()
            name = names[int(rng.integers(0, SYMBOLS))]
            trade = TradeRecord(
                name,
                day,
                clock,
                price,
                size,
                total,
                total * price,
                price,
                high,
                low,
                price + 10,
                price,
                *sizes,
                price - 50,
            )
            rows.append(trade.encode(Revision.SEPTEMBER_2026))
        frames.append(build_frame(TRADES.real, rows))
        made += len(rows)
    return frames, made


def run_ours(frames: list[str]) -> None:
    """Parse every frame into columns."""
    for text in frames:
        read_prints(parse_frame(text))


def run_ours_rows(frames: list[str]) -> None:
    """Parse every frame and hand out its rows."""
    for text in frames:
        found = read_prints(parse_frame(text))
        for _ in zip(found.symbols, found.values.tolist(), strict=True):
            pass


def run_peer(frames: list[str]) -> None:
    """Split every frame and make integers of seven fields."""
    for text in frames:
        _, _, number, payload = text.split("|", 3)
        count = int(number)
        values = payload.split("^")
        width = len(values) // count
        for at in range(0, count * width, width):
            row = values[at : at + width]
            (row[0], int(row[1]), int(row[2]), int(row[10]), int(row[11]), int(row[12]), int(row[13]))


def run_split(frames: list[str]) -> None:
    """Split every frame and nothing else."""
    for text in frames:
        text.split("^")


def timed(work: Callable[[list[str]], None], frames: list[str]) -> float:
    """Return the CPU seconds of one run."""
    began = process_time()
    work(frames)
    return process_time() - began


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    frames, made = make_frames()
    seconds: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for work in (run_ours, run_ours_rows, run_peer, run_split):
            seconds.setdefault(work.__name__, []).append(timed(work, frames))
    ours_s, rows_s, peer_s, split_s = (median(times) for times in seconds.values())
    figures: dict[str, Any] = {
        "workload": f"ws-parse: {made} trade records in {len(frames)} frames of 1 to {MOST}",
        "bytes": sum(map(len, frames)),
        "ours_s": ours_s,
        "ours_records_per_s": made / ours_s,
        "ours_rows_s": rows_s,
        "ours_rows_records_per_s": made / rows_s,
        "peer": "str.split and int() of seven fields, nothing checked",
        "peer_s": peer_s,
        "peer_records_per_s": made / peer_s,
        "bare_split_records_per_s": made / split_s,
        "ratio": peer_s / ours_s,
        "gate": GATE,
        "passed": made / rows_s >= GATE,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
