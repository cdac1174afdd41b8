"""features-q: fourteen daily factors of 800 symbols over 3 300 days, beside Qlib and beside Polars.

From files to an array on one core, the three in turns on the same bars, all files in the page cache. Ours reads
one ``.npy`` of int64 a field (the form of a panel) and folds the set ``factors``; Qlib reads its ``.bin`` store with
one kernel and without caches (-E -D); Polars evaluates expressions over a Parquet file on one thread, in the
faster of two forms. Qlib stands in an environment of its own; where it cannot be had the record says why. From day
60 on, where all windows are full, every value of ours is compared with both; disagreement fails the benchmark. A
figure is CPU seconds, the median of the rounds. ``ours_from_parquet_s`` is our set from the file that Polars reads.

    PYTHONPATH=src python benchmarks/features_q.py [--symbols N] [--days N] [--rounds N] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import peers
import polars as pl
from factoring import agreement, bins, command, polars_side, recipe

from haetae.domain.panel import Panel
from haetae.features import factors
from haetae.features.sets import FloatArray, Inputs

SYMBOLS, DAYS, ROUNDS = 800, 3_300, 3
FULL = 61
QLIB_GATE, POLARS_GATE = 30.0, 6.0
DRIVE = Path(__file__).resolve().parent / "factoring" / "drive_qlib.py"


def run_ours(panel: Panel, folder: Path) -> tuple[float, FloatArray]:
    """Return CPU seconds from the arrays on disk to values, and the values."""
    began = process_time()
    values = factors.SET.batch(Inputs(recipe.read_arrays(panel, folder)))
    return process_time() - began, values


def run_ours_from_rows(panel: Panel, path: Path) -> float:
    """Return CPU seconds from the rows that Polars reads to our values."""
    began = process_time()
    rows = pl.read_parquet(path, columns=list(recipe.FIELDS))
    shape = panel.close.shape[::-1]
    blocks = [np.ascontiguousarray(rows[name].to_numpy().reshape(shape).T) for name in recipe.FIELDS]
    factors.SET.batch(Inputs(Panel(panel.symbols, panel.days, panel.start, panel.end, *blocks, panel.traded)))
    return process_time() - began


def run_polars(path: Path, form: str) -> tuple[float, FloatArray]:
    """Return CPU seconds from the Parquet file to values, and the values."""
    began = process_time()
    values = polars_side.compute(path, form)
    return process_time() - began, values


def measure(panel: Panel, folder: Path, rounds: int) -> dict[str, Any]:
    """Run the sides in turns, compare their values, and return the figures."""
    symbols, rows = len(panel.symbols), folder / "bars.parquet"
    recipe.write_arrays(panel, folder)
    polars_side.write_rows(panel, rows)
    bins.write_store(panel, folder / "store")
    factors.SET.batch(Inputs(panel.rows(0, 1)))  # compiled code is loaded
    python, absent = command.qlib_interpreter()
    ours_s: list[float] = []
    parquet_s: list[float] = []
    qlib: list[dict[str, Any]] = []
    forms: dict[str, list[float]] = {form: [] for form in polars_side.FORMS}
    agree: dict[str, Any] = {}
    values: FloatArray = np.empty(0, np.float32)
    run_ours(panel, folder)
    for turn in range(rounds):
        seconds, values = run_ours(panel, folder)
        ours_s.append(seconds)
        parquet_s.append(run_ours_from_rows(panel, rows))
        for form in forms:
            seconds, theirs = run_polars(rows, form)
            forms[form].append(seconds)
            if turn == 0:
                there = agreement.by_symbol(theirs, symbols)
                agree[f"polars_{form}"] = agreement.compare(values, there, factors.SET.names, FULL)
        if python is not None:
            out = folder / "qlib.npy"
            qlib.append(peers.run(python, DRIVE, "factors", str(folder / "store"), str(out)))
    if qlib:
        there = agreement.by_symbol(np.load(folder / "qlib.npy"), symbols)
        agree["qlib"] = agreement.compare(values, there, factors.SET.names, FULL)
    ours, polars = median(ours_s), min(median(seconds) for seconds in forms.values())
    return {
        "factors": len(factors.SET.specs),
        "ours_s": ours,
        "ours_from_parquet_s": median(parquet_s),
        "ours_cells_per_s": values.size / ours,
        **command.beside_qlib(qlib, absent, ours, QLIB_GATE, "expressions"),
        "polars": f"polars {pl.__version__}",
        "polars_s": polars,
        "polars_forms_s": {form: median(seconds) for form, seconds in forms.items()},
        "ratio_polars": polars / ours,
        "gate_polars": POLARS_GATE,
        "gate_polars_held": polars >= POLARS_GATE * ours,
        "agreement": agree,
    }


def run(out_json: Path | None = None, symbols: int = SYMBOLS, days: int = DAYS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    return command.run("Q", measure, out_json, symbols, days, rounds)


if __name__ == "__main__":
    asked = command.asked("The factors of workload Q beside Qlib and Polars.", SYMBOLS, DAYS, ROUNDS)
    print(json.dumps(run(asked.out, asked.symbols, asked.days, asked.rounds), indent=1))
