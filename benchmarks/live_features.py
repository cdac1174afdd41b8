"""live-features: all minute features of 50 symbols at one bar, as the live side folds them; and a year of them at once.

Live: the bars of ``minutes/recipe.py``, one ``Inputs`` of one row a minute with an index level and order books, folded
by ``FeatureSet.step`` of each minute set from the state it returned for the bar before; the garbage collector is on.
The figure is the time on the wall of one bar, all sets together, over several sessions after a warm-up one, three runs
of them; the gate goes by all of it. The least of the three runs of each bar stands beside: what the bar itself takes
when no other program of the machine has its turn.

Batch: 250 sessions of the same bars in a fresh process, month by month with the state carried, every value kept in
memory; its peak is what the process held at most. There is no peer for either: no library computes these features.

    PYTHONPATH=src python benchmarks/live_features.py [OUT.json]
"""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

for _pool in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from minutes.alone import peak_mb
from minutes.recipe import SEED, make_panel

from haetae.domain.panel import Panel
from haetae.features import intraday, minute
from haetae.features.sets import Inputs

SETS = (minute.SET, intraday.SET)
LIVE_SESSIONS, RUNS = 7, 3
YEAR_SESSIONS, CHUNK_SESSIONS = 250, 20
GATE_MS, MEMORY_GATE_MB = 1.0, 2_048


def inputs_of(panel: Panel) -> Inputs:
    """Return the bars with an index and order books beside them."""
    rng = np.random.default_rng(SEED + 1)
    index = 2_500.0 * np.exp(np.cumsum(rng.normal(0.0, 2e-4, len(panel))))
    books = rng.uniform(-1.0, 1.0, panel.close.shape)
    return Inputs(panel, minute.session_minutes(panel), index, None, None, books)


def live(inputs: Inputs, warm: int) -> np.ndarray:
    """Return the seconds of each bar after the warm-up ones."""
    states = [one.start(len(inputs.panel.symbols)) for one in SETS]
    bars = [inputs.rows(row, row + 1) for row in range(len(inputs))]
    seconds = []
    for bar in bars:
        began = perf_counter()
        for place, one in enumerate(SETS):
            states[place], _ = one.step(states[place], bar)
        seconds.append(perf_counter() - began)
    return np.array(seconds[warm:])


def year() -> dict[str, Any]:
    """Return CPU seconds, peak memory and size of a year's values of the wide set, folded month by month."""
    panel = make_panel(YEAR_SESSIONS)
    inputs = inputs_of(panel)
    state = intraday.SET.start(len(panel.symbols))
    intraday.SET.fold(state, inputs.rows(0, 60))
    values = np.empty((*panel.close.shape, len(intraday.SET.specs)), np.float32)
    edges = [*[first for _, first, _ in panel.sessions()][::CHUNK_SESSIONS], len(panel)]
    began = process_time()
    for first, last in pairwise(edges):
        state, values[first:last] = intraday.SET.fold(state, inputs.rows(first, last))
    spent = process_time() - began
    return {
        "year_rows": panel.close.size,
        "year_s": spent,
        "year_rows_per_s": panel.close.size / spent,
        "year_values_mb": values.nbytes / 2**20,
        "year_peak_rss_mb": peak_mb(),
        "year_known_share": float(np.isfinite(values[-1]).mean()),
    }


def run(out_json: Path | None = None) -> dict[str, Any]:
    """Measure a bar and a year and return the figures; write them to ``out_json`` if given."""
    panel = make_panel(LIVE_SESSIONS)
    inputs = inputs_of(panel)
    warm = panel.sessions()[0][2]
    runs = np.array([live(inputs, warm) for _ in range(RUNS)]) * 1e3
    whole, least = runs.ravel(), runs.min(axis=0)
    command = [sys.executable, str(Path(__file__).resolve()), "--year"]
    of_a_year = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    p99 = float(np.percentile(whole, 99))
    figures: dict[str, Any] = {
        "workload": f"live-features: {sum(len(one.specs) for one in SETS)} features of 50 symbols at one bar",
        "bars": runs.shape[1],
        "p50_ms": float(np.percentile(whole, 50)),
        "p99_ms": p99,
        "max_ms": float(whole.max()),
        "least_p99_ms": float(np.percentile(least, 99)),
        "least_max_ms": float(least.max()),
        "live_peak_rss_mb": peak_mb(),
        "ours_s": float(np.median(whole)) / 1e3,
        "peer": "none: no library computes these features bar by bar",
        "peer_s": None,
        "ratio": None,
        **of_a_year,
        "gate_ms": GATE_MS,
        "memory_gate_mb": MEMORY_GATE_MB,
        "passed": p99 <= GATE_MS and of_a_year["year_peak_rss_mb"] <= MEMORY_GATE_MB,
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


if __name__ == "__main__":
    if sys.argv[1:] == ["--year"]:
        print(json.dumps(year()))
    else:
        print(json.dumps(run(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=1))
