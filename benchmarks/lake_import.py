"""lake-import: a daily history of 2.36 million rows from one Parquet file into a lake.

Ours reads the file, converts columns, judges every row (symbol, trading day, prices that enclose one
another, repeated keys), sorts by symbol and day, writes a file per year with page checksums and content
hashes, makes all of it durable and commits two tables. The peer is what plain pyarrow needs to copy the
same rows: ``read_table`` and ``write_table``, unsorted, unchecked, nothing synced, no version. So the ratio
is the price of what ours does besides, not a race on equal terms.

The file is the one that ``HAETAE_DAILY_BARS`` or the first argument names; else a seeded one of the same
size is made first. One thread; the figures are CPU seconds, medians of the runs, ours and the peer in turns.

    PYTHONPATH=src python benchmarks/lake_import.py [BARS.parquet [OUT.json]]
"""

# ruff: noqa: E402 - the thread pools are pinned before Arrow is loaded

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from haetae.krx import trading_days
from haetae.store.importer import ImportPlan, ImportReport, Prices, import_files
from haetae.store.lake import Lake

INPUT = "HAETAE_DAILY_BARS"
SYMBOLS, SESSIONS = 2_127, 1_110
REPEATS = 5
GATE_S = 10.0


def make_bars(path: Path, seed: int = 236) -> None:
    """Write a seeded history: random walks in won, a hundredth of the days halted, sorted by symbol and day."""
    rng = np.random.default_rng(seed)
    days = trading_days(dt.date(2019, 1, 2), dt.date(2023, 12, 28))[:SESSIONS]
    shape = (SYMBOLS, len(days))
    level = np.exp(np.cumsum(rng.normal(0.0, 0.02, shape), axis=1) + rng.normal(9.5, 1.0, (SYMBOLS, 1)))
    close = np.maximum(np.round(level), 100).astype(np.int64)
    opened = np.hstack([close[:, :1], close[:, :-1]])
    spread = (close * rng.uniform(0.0, 0.03, shape)).astype(np.int64)
    high, low = np.maximum(opened, close) + spread, np.maximum(np.minimum(opened, close) - spread, 1)
    volume = rng.integers(1, 5_000_000, shape)
    halted = rng.random(shape) < 0.01
    for block in (opened, high, low, volume):
        block[halted] = 0
    names = [f"{10 * number:06d}" for number in range(SYMBOLS)]
    columns = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    rows = pa.table(
        {
            "symbol": pa.array(np.repeat(names, len(days))),
            "date": pa.array(np.tile(np.array(days, dtype="datetime64[D]"), SYMBOLS)),
            **{name: block.ravel() for name, block in columns.items()},
        }
    )
    pq.write_table(rows, path)


def run_ours(path: Path, folder: Path) -> tuple[float, float, ImportReport]:
    """Return CPU and wall seconds and the report of one import into a new lake."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        cpu, wall = process_time(), perf_counter()
        report = import_files(Lake(Path(home) / "lake"), ImportPlan("daily", (path,), "bench", Prices.ADJUSTED))
        return process_time() - cpu, perf_counter() - wall, report


def run_peer(path: Path, folder: Path) -> tuple[float, float]:
    """Return CPU and wall seconds of copying the rows."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        cpu, wall = process_time(), perf_counter()
        pq.write_table(pq.read_table(path, use_threads=False), Path(home) / "copy.parquet")
        return process_time() - cpu, perf_counter() - wall


def run(out_json: Path | None = None, given: Path | None = None) -> dict[str, Any]:
    """Measure both sides and return the figures; write them to ``out_json`` if given."""
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = given or (Path(os.environ[INPUT]) if INPUT in os.environ else None)
        if path is None:
            path = folder / "bars.parquet"
            make_bars(path)
        run_peer(path, folder)
        _, _, report = run_ours(path, folder)
        ours, peers = [], []
        for _ in range(REPEATS):
            cpu, wall, report = run_ours(path, folder)
            ours.append((cpu, wall))
            peers.append(run_peer(path, folder))
    ours_s, peer_s = median(cpu for cpu, _ in ours), median(cpu for cpu, _ in peers)
    figures: dict[str, Any] = {
        "workload": "lake-import",
        "input": "seeded" if given is None and INPUT not in os.environ else "given",
        "rows": report.read,
        "ours_s": ours_s,
        "ours_wall_s": median(wall for _, wall in ours),
        "ours_rows_per_s": report.read / ours_s,
        "ours_kept_out": sum(report.kept_out.values()),
        "ours_mended": sum(report.mended.values()),
        "peer": f"pyarrow {pa.__version__} read_table + write_table",
        "peer_does_not": "convert, judge, sort, part by year, hash, checksum pages, sync, version",
        "peer_s": peer_s,
        "peer_wall_s": median(wall for _, wall in peers),
        "ratio": peer_s / ours_s,
        "gate_s": GATE_S,
        "gate_held": ours_s <= GATE_S,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    words = [Path(word) for word in sys.argv[1:3]]
    print(json.dumps(run(words[1] if len(words) > 1 else None, words[0] if words else None), indent=1))
