"""The input of M60 and M250: seeded minute bars on the tick grid, and the signal both sides trade.

The recipe, so that the same arrays can be handed to any other engine: ``numpy.random.default_rng(SEED)``; 50 log levels
from ``normal(10.6, 0.5)``; then for each session of 381 bars, in this order, ``normal(0, 0.0008, (381, 50))`` whose
cumulative sum moves the levels on, ``integers(0, 2, (381, 50))`` and ``integers(200, 20_000, (381, 50))``. A close is
the level rounded to 100 won, at least 1,000; an open is the close before (the first is its own close); high and low lie
0 or 100 won (the second draw) beyond the two; the third draw is the volume in shares. Sessions are the first trading
days of the KRX from 2026-01-05. The signal is +1 where the mean of 20 closes crosses above that of 60, -1 where below.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days
from haetae.policies.crossing import sma_cross

SEED = 60
SYMBOLS = 50
FAST, SLOW = 20, 60
CASH = 1_000_000_000
FRACTION_PPM = 20_000
FEE_PPB = 140_527
TAX_PPB = 2_000_000


def make_panel(sessions: int) -> Panel:
    """Return the bars of so many sessions; session by session, so that making them takes no more than they do."""
    rng = np.random.default_rng(SEED)
    days = trading_days(dt.date(2026, 1, 5), dt.date(2027, 12, 30))[:sessions]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    counts = [len(starts) for starts, _ in edges]
    shape = (sum(counts), SYMBOLS)
    opened, high, low, close, volume = (np.empty(shape, np.int64) for _ in range(5))
    level, before, row = rng.normal(10.6, 0.5, SYMBOLS), None, 0
    for count in counts:
        span = slice(row, row + count)
        path = level + np.cumsum(rng.normal(0.0, 0.0008, (count, SYMBOLS)), axis=0)
        close[span] = np.maximum(np.round(np.exp(path) / 100).astype(np.int64) * 100, 1_000)
        opened[span] = np.vstack([close[row : row + 1] if before is None else before, close[row : row + count - 1]])
        spread = rng.integers(0, 2, (count, SYMBOLS)) * 100
        high[span] = np.maximum(opened[span], close[span]) + spread
        low[span] = np.maximum(np.minimum(opened[span], close[span]) - spread, 100)
        volume[span] = rng.integers(200, 20_000, (count, SYMBOLS))
        level, before, row = path[-1], close[row + count - 1 : row + count], row + count
    stamp = np.repeat(np.array([yyyymmdd(day) for day in days], np.int32), counts)
    start, end = (np.concatenate(column) for column in zip(*edges, strict=True))
    symbols = tuple(f"{index:05d}0" for index in range(SYMBOLS))
    return Panel(symbols, stamp, start, end, opened, high, low, close, volume, np.ones(shape, np.bool_))


def signal_of(panel: Panel) -> np.ndarray:
    """Return the signal of the workload."""
    return sma_cross(panel.close, FAST, SLOW)
