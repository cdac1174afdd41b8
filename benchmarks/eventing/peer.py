"""NautilusTrader on the workload, in an environment of its own (``peers``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import peers

from haetae.domain.panel import Panel

DRIVE = Path(__file__).resolve().parent / "drive_nautilus.py"
_COLUMNS = ("end", "open", "high", "low", "close", "volume")


def hand_over(panel: Panel, folder: Path, facts: dict[str, Any]) -> None:
    """Write the arrays and the facts of the workload where the peer reads them."""
    for name in _COLUMNS:
        (folder / f"{name}.i64").write_bytes(np.ascontiguousarray(getattr(panel, name), np.int64).tobytes())
    record = {"symbols": list(panel.symbols), "bars": len(panel), **facts}
    (folder / "bars.json").write_text(json.dumps(record), encoding="utf-8")


def run(python: Path, folder: Path) -> dict[str, Any]:
    """Run the peer once and return what it measured."""
    return peers.run(python, DRIVE, str(folder))
