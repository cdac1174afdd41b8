"""Both sides in turns on the same bars in one process, then ours alone in fresh ones; the ratio and the gates."""

# ruff: noqa: E402 - the thread pools are pinned before numpy is loaded

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

for _pool in (
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
):
    os.environ.setdefault(_pool, "1")

import numpy as np

from haetae.domain.panel import Panel
from minutes.recipe import make_panel
from minutes.sides import Ours, run_ours, run_peer

RATIO_GATE = 15.0
MEMORY_GATE_MB = 600
FIRST_GATE_S = 2.0


def measure(sessions: int, repeats: int, out_json: Path | None = None) -> dict[str, Any]:
    """Return the figures of a workload of so many sessions; write them to ``out_json`` if given."""
    panel = make_panel(sessions)
    run_ours(panel)
    ours, peer = _in_turns(panel, repeats)
    result = ours[0].result
    ours_s = median(one.total_s for one in ours)
    figures: dict[str, Any] = {
        "workload": f"M{sessions}",
        "bars": panel.close.size,
        "ours_s": ours_s,
        "ours_prepare_s": median(one.prepare_s for one in ours),
        "ours_signal_s": median(one.signal_s for one in ours),
        "ours_walk_s": median(one.walk_s for one in ours),
        "ours_bars_per_s": panel.close.size / ours_s,
        "ours_orders": result.n_orders,
        "ours_rejected": result.n_rejected,
        "ours_fills": len(result.fills),
        "ours_final_equity_won": int(result.equity[-1]),
        "ours_fees_won": result.fees,
        "ours_taxes_won": result.taxes,
        **peer,
        "ratio": peer["peer_s"] / ours_s if peer["peer_s"] is not None else None,
        "ratio_gate": RATIO_GATE,
        **_alone(sessions),
    }
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


def _in_turns(panel: Panel, repeats: int) -> tuple[list[Ours], dict[str, Any]]:
    if not importlib.util.find_spec("vectorbt"):
        ours = [run_ours(panel) for _ in range(repeats)]
        return ours, {"peer": "vectorbt absent", "peer_s": None, "peer_orders": None, "peer_final_equity_won": None}
    import pandas as pd
    import vectorbt as vbt

    close = pd.DataFrame(panel.close.astype(np.float64), columns=list(panel.symbols))
    engines = ["numba", *(["rust"] if importlib.util.find_spec("vectorbt_rust") else [])]
    for engine in engines:
        run_peer(vbt, close, engine)
    ours, spent = [], {engine: [] for engine in engines}
    orders, equity = 0, float("nan")
    for _ in range(repeats):
        ours.append(run_ours(panel))
        for engine in engines:
            seconds, orders, equity = run_peer(vbt, close, engine)
            spent[engine].append(seconds)
    medians = {engine: median(times) for engine, times in spent.items()}
    return ours, {
        "peer": f"vectorbt {vbt.__version__}",
        "peer_s": min(medians.values()),
        "peer_engines_s": medians,
        "peer_orders": orders,
        "peer_final_equity_won": equity,
    }


def _alone(sessions: int) -> dict[str, Any]:
    """Run ours in two fresh processes: with nothing compiled before, and with what the first one left."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "NUMBA_CACHE_DIR": f"{folder}/code", "PYTHONPYCACHEPREFIX": f"{folder}/bytes"}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, str(Path(__file__).with_name("alone.py")), str(sessions)]
        cold, warm = (
            json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout) for _ in range(2)
        )
    return {
        "first_result_cold_cpu_s": cold["first_cpu_s"],
        "first_result_cold_wall_s": cold["first_wall_s"],
        "first_result_cpu_s": warm["first_cpu_s"],
        "first_result_wall_s": warm["first_wall_s"],
        "first_result_gate_s": FIRST_GATE_S,
        "peak_rss_mb": warm["peak_rss_mb"],
        "peak_rss_gate_mb": MEMORY_GATE_MB,
    }
