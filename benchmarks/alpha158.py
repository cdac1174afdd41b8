"""alpha158: the daily set ``alpha`` of 300 symbols over ten years, beside Qlib's Alpha158 handler.

From files to an array on one core, in turns on the same bars, all files in the page cache: ours from one ``.npy`` of
int64 a field, 158 columns; Qlib from its ``.bin`` store with one kernel and without caches, 159 columns with the
label its handler always adds, no processors. From day 60 on, where all windows are full, every value is compared;
disagreement fails the benchmark. A figure is CPU seconds, the median of the rounds. ``step_us`` is one day of fifty
symbols from a saved state, as the live side folds it.

    PYTHONPATH=src python benchmarks/alpha158.py [--symbols N] [--days N] [--rounds N] [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import peers
from factoring import agreement, bins, command, recipe

from haetae.domain.panel import Panel
from haetae.features import alpha
from haetae.features.sets import FloatArray, Inputs

SYMBOLS, DAYS, ROUNDS = 300, 2_440, 2
FULL = 61
GATE = 20.0
DRIVE = Path(__file__).resolve().parent / "factoring" / "drive_qlib.py"


def run_ours(panel: Panel, folder: Path) -> tuple[float, FloatArray]:
    """Return CPU seconds from the arrays on disk to values, and the values."""
    began = process_time()
    values = alpha.SET.batch(Inputs(recipe.read_arrays(panel, folder)))
    return process_time() - began, values


def step_us(panel: Panel, steps: int = 100) -> float:
    """Return microseconds of one day of the first fifty symbols, the median of the last days."""
    few = panel.columns(np.arange(min(50, len(panel.symbols))))
    steps = min(steps, len(few) - 1)
    state, _ = alpha.SET.fold(alpha.SET.start(len(few.symbols)), Inputs(few.rows(0, len(few) - steps)))
    took = []
    for row in range(len(few) - steps, len(few)):
        began = perf_counter()
        state, _ = alpha.SET.step(state, Inputs(few.rows(row, row + 1)))
        took.append(perf_counter() - began)
    return median(took) * 1e6


def measure(panel: Panel, folder: Path, rounds: int) -> dict[str, Any]:
    """Run both sides in turns, compare their values, and return the figures."""
    recipe.write_arrays(panel, folder)
    bins.write_store(panel, folder / "store")
    alpha.SET.batch(Inputs(panel.rows(0, 1)))  # compiled code is loaded
    python, absent = command.qlib_interpreter()
    ours_s, theirs = [], []
    run_ours(panel, folder)
    for _ in range(rounds):
        seconds, values = run_ours(panel, folder)
        ours_s.append(seconds)
        if python is not None:
            theirs.append(peers.run(python, DRIVE, "alpha158", str(folder / "store"), str(folder / "qlib.npy")))
    ours = median(ours_s)
    figures = {
        "features": len(alpha.SET.specs),
        "ours_s": ours,
        "ours_cells_per_s": values.size / ours,
        "ours_step_us": step_us(panel),
        **command.beside_qlib(theirs, absent, ours, GATE, "Alpha158"),
    }
    if theirs:
        beside = agreement.by_symbol(np.load(folder / "qlib.npy"), len(panel.symbols))
        figures["peer_columns"] = len(theirs[0]["columns"])
        figures["agreement"] = agreement.compare(values, beside, alpha.SET.names, FULL)
    return figures


def run(out_json: Path | None = None, symbols: int = SYMBOLS, days: int = DAYS, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure and return the figures; write them to ``out_json`` if given."""
    return command.run("alpha158", measure, out_json, symbols, days, rounds)


if __name__ == "__main__":
    asked = command.asked("The daily set alpha beside Qlib's Alpha158.", SYMBOLS, DAYS, ROUNDS)
    print(json.dumps(run(asked.out, asked.symbols, asked.days, asked.rounds), indent=1))
