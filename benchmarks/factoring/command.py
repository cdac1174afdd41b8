"""What both factor benchmarks share: bars of a size, a folder for files, Qlib if it can be had, the record."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import peers

from factoring import recipe
from haetae.domain.panel import Panel

Measure = Callable[[Panel, Path, int], dict[str, Any]]
"""Bars, a folder for files, rounds to figures."""


def qlib_interpreter() -> tuple[Path | None, str]:
    """Return Qlib's Python, or None and why it cannot be had here."""
    try:
        return peers.QLIB.interpreter(), ""
    except peers.Absent as why:
        return None, str(why)


def beside_qlib(runs: Sequence[dict[str, Any]], absent: str, ours_s: float, gate: float, what: str) -> dict[str, Any]:
    """Return the peer's name, seconds and ratio from its runs, or that it was absent."""
    if not runs:
        return {"peer": f"absent ({absent})", "peer_s": None, "ratio": None, "gate": gate, "gate_held": None}
    seconds = median(run["seconds"] for run in runs)
    return {
        "peer": f"pyqlib {runs[0]['version']} {what}, no caches, one kernel",
        "peer_s": seconds,
        "ratio": seconds / ours_s,
        "gate": gate,
        "gate_held": seconds >= gate * ours_s,
    }


def run(workload: str, measure: Measure, out_json: Path | None, symbols: int, days: int, rounds: int) -> dict[str, Any]:
    """Measure on bars of a size and return the figures; write them to ``out_json`` if given."""
    panel = recipe.make_panel(symbols, days)
    with tempfile.TemporaryDirectory() as place:
        found = measure(panel, Path(place), rounds)
    figures = {"workload": workload, "rows": panel.close.size, **found}
    if out_json is not None:
        out_json.write_text(json.dumps(figures, indent=2), encoding="utf-8")
    return figures


def asked(about: str, symbols: int, days: int, rounds: int) -> argparse.Namespace:
    """Return the words of the command line: sizes, rounds, and where the record goes."""
    words = argparse.ArgumentParser(description=about)
    words.add_argument("--symbols", type=int, default=symbols)
    words.add_argument("--days", type=int, default=days)
    words.add_argument("--rounds", type=int, default=rounds)
    words.add_argument("out", nargs="?", type=Path)
    return words.parse_args()
