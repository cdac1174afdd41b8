"""Minute inputs for the tests of feature sets: bars with halts, holes and late listings, an index and order books."""

from __future__ import annotations

import dataclasses

import numpy as np

from haetae.domain.panel import Panel
from haetae.features import minute
from haetae.features.sets import Inputs
from random_panels import minute_panel


def without_rows(panel: Panel, keep: np.ndarray) -> Panel:
    """Return the panel without some rows, as a feed with holes leaves it."""
    blocks = (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded)
    return Panel(
        panel.symbols,
        panel.days[keep],
        panel.start[keep],
        panel.end[keep],
        *(np.ascontiguousarray(block[keep]) for block in blocks),
    )


def inputs_of(panel: Panel, minutes: np.ndarray, seed: int) -> Inputs:
    """Return the panel with an index and order books that are missing now and then."""
    rng = np.random.default_rng(seed)
    index = 2_500.0 * np.exp(np.cumsum(rng.normal(0, 1e-3, len(panel))))
    index[rng.random(len(panel)) < 0.004] = np.nan
    imbalance = rng.uniform(-1, 1, panel.close.shape)
    imbalance[rng.random(imbalance.shape) < 0.02] = np.nan
    return Inputs(panel, minutes, index, None, None, imbalance)


def minute_inputs(seed: int, symbols: int = 4, sessions: int = 8, minutes: int = 45, quiet: float = 0.1) -> Inputs:
    """Return inputs of whole sessions: symbol 1 lists late, symbol 2 is halted for a session, some minutes are lost."""
    panel = minute_panel(seed, symbols, sessions, minutes, quiet)
    if symbols > 2:
        panel = _halted(panel, 2, slice(3 * minutes, 4 * minutes))
    keep = np.random.default_rng(seed + 1).random(len(panel)) >= 0.03
    keep[0] = True
    return inputs_of(without_rows(panel, keep), minute.session_minutes(panel)[keep], seed + 2)


def _halted(panel: Panel, symbol: int, rows: slice) -> Panel:
    blocks = [np.array(block) for block in (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.traded)]
    for block in blocks[:4]:
        block[rows, symbol] = panel.close[rows.start - 1, symbol]
    blocks[4][rows, symbol] = 0
    blocks[5][rows, symbol] = False
    names = ("open", "high", "low", "close", "volume", "traded")
    return dataclasses.replace(panel, **dict(zip(names, blocks, strict=True)))
