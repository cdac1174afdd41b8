"""Views of small panels, for the tests of strategies."""

from __future__ import annotations

import numpy as np

from haetae.backtest.asking import view_at
from haetae.domain.decisions import View
from haetae.domain.panel import Panel


def view_of(panel: Panel, row: int = -1, *, held: object = None, cash: int = 10_000_000, **parts: object) -> View:
    """Return the view at the end of a row of daily bars, with all bars up to it."""
    row = row % len(panel)
    count = len(panel.symbols)
    given: dict[str, object] = {
        "held": np.zeros(count, np.int64) if held is None else np.asarray(held, np.int64),
        "cash": cash,
        "deposits": cash,
        "tradable": panel.close[row] > 0,
        "features": np.zeros((count, 0), np.float32),
        "feature_names": (),
        "daily": panel.rows(0, row + 1),
    }
    return view_at(panel, row, **(given | parts))  # type: ignore[arg-type]
