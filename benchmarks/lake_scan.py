"""lake-scan: a year of minutes of 50 symbols (250 sessions x 381 bars x 50 = 4.76 million rows) out of a lake.

The lake is filled as a collector fills it, a session a write, so the months that are over were folded
into one file each. Measured on one thread, CPU seconds, medians, everything warm in the page cache:

* one session of all 50 symbols by ``Lake.read``, sorted: a day of the newest month (a file of its own)
  and a day of a folded month;
* a pass over every row and column by ``Lake.batches``, page checksums verified, beside plain
  ``pyarrow.parquet`` and ``pyarrow.dataset`` on the same files, which verify nothing;
* the same rows through DuckDB and, where it is installed, Polars, for comparison.

    PYTHONPATH=src python benchmarks/lake_scan.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before Arrow is loaded

from __future__ import annotations

import datetime as dt
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_pool, "1")

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from haetae.krx import Rulebook, trading_days
from haetae.store.lake import Lake
from haetae.store.settings import StoreSettings

SYMBOLS = 50
SESSIONS = 250
PASSES, READS = 9, 60
GATE_DAY_MS, GATE_ROWS_PER_S = 10.0, 20e6


def fill(lake: Lake, seed: int = 381) -> list[dt.date]:
    """Write a seeded year of minutes on the tick grid, a session a write; return its days."""
    rng = np.random.default_rng(seed)
    days = trading_days(dt.date(2025, 1, 2), dt.date(2026, 3, 31))[:SESSIONS]
    names = [f"{10 * number:06d}" for number in range(SYMBOLS)]
    level = np.exp(rng.normal(10.6, 0.5, (SYMBOLS, 1)))
    for day in days:
        starts, _ = Rulebook.on(day).session.minute_edges()
        shape = (SYMBOLS, len(starts))
        path = level * np.exp(np.cumsum(rng.normal(0.0, 0.0008, shape), axis=1))
        level = path[:, -1:]
        close = np.maximum(np.round(path / 100), 10).astype(np.int64) * 100
        opened = np.hstack([close[:, :1], close[:, :-1]])
        high = np.maximum(opened, close) + rng.integers(0, 2, shape) * 100
        low = np.minimum(opened, close) - rng.integers(0, 2, shape) * 100
        bars = {"open": opened, "high": high, "low": low, "close": close, "volume": rng.integers(200, 20_000, shape)}
        rows = pa.table(
            {
                "symbol": pa.array(np.repeat(names, len(starts))),
                "day": pa.array(np.full(close.size, np.datetime64(day, "D"))),
                "start": np.tile(np.asarray(starts), SYMBOLS),
                **{name: block.ravel() for name, block in bars.items()},
            }
        )
        lake.write("minute", rows, keys=("symbol", "start"))
    return list(days)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU seconds of a call, after one that warms up."""
    work()
    taken = []
    for _ in range(repeats):
        began = process_time()
        work()
        taken.append(process_time() - began)
    return median(taken)


def a_day(lake: Lake, day: dt.date) -> float:
    """Return the median milliseconds of reading one session."""
    rows = lake.read("minute", start=day, end=day)
    assert len(set(rows.column("symbol").to_pylist())) == SYMBOLS
    return 1_000 * seconds(lambda: lake.read("minute", start=day, end=day), READS)


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure all readers and return the figures; write them to ``out_json`` if given."""
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    with tempfile.TemporaryDirectory() as temporary:
        lake = Lake(Path(temporary) / "lake", StoreSettings(query_threads=1))
        began = process_time()
        days = fill(lake)
        filled_s = process_time() - began
        lake.vacuum("minute", keep=1)
        (info,) = lake.describe()
        files = [str(path) for path in sorted(lake.root.glob("minute/2*/*.parquet"))]
        newest_ms, folded_ms = a_day(lake, days[-1]), a_day(lake, days[SESSIONS // 2])
        ours_s = seconds(lambda: sum(len(rows) for rows in lake.batches("minute")), PASSES)
        peers = {
            "pyarrow.parquet": seconds(
                lambda: sum(len(pq.ParquetFile(file).read(use_threads=False)) for file in files), PASSES
            ),
            "pyarrow.dataset": seconds(
                lambda: sum(len(rows) for rows in ds.dataset(files).to_batches(use_threads=False)), PASSES
            ),
        }
        columns = ", ".join(f"sum({name})" for name in ("open", "high", "low", "close", "volume"))
        query = f"SELECT symbol, max(start), {columns} FROM minute GROUP BY symbol"
        others = {"duckdb": seconds(lambda: lake.sql(query), PASSES)}
        if importlib.util.find_spec("polars"):
            others["polars"] = seconds(lambda: lake.scan("minute").collect(), PASSES)
    peer, peer_s = min(peers.items(), key=lambda pair: pair[1])
    figures: dict[str, Any] = {
        "workload": "lake-scan",
        "rows": info.rows,
        "files": info.files,
        "megabytes": info.bytes / 1e6,
        "fill_s": filled_s,
        "day_ms": newest_ms,
        "day_folded_ms": folded_ms,
        "ours_s": ours_s,
        "ours_rows_per_s": info.rows / ours_s,
        "peer": f"{peer} {pa.__version__}",
        "peer_s": peer_s,
        "peer_rows_per_s": info.rows / peer_s,
        "peers_s": peers,
        "others_rows_per_s": {name: info.rows / taken for name, taken in others.items()},
        "ratio": peer_s / ours_s,
        "gate_day_ms": GATE_DAY_MS,
        "gate_rows_per_s": GATE_ROWS_PER_S,
        "gate_held": max(newest_ms, folded_ms) <= GATE_DAY_MS and info.rows / ours_s >= GATE_ROWS_PER_S,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
