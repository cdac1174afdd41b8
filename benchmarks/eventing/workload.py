"""Workload M as sessions of slices: fifty seeded random walks, minutes of sixty sessions.

The prices are those of the kernel's benchmark of the same name; the volumes are a hundredfold, so that no order of
either side is cut by a bar's volume (the peer has no such rule).
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook, trading_days

SYMBOLS = 50
FAST, SLOW = 20, 60
CASH = 1_000_000_000
FRACTION = 0.02
FIRST = dt.date(2026, 1, 5)


def make_panel(sessions: int, seed: int = 60) -> Panel:
    """Return a seeded random walk on the tick grid: regular sessions of 381 bars."""
    rng = np.random.default_rng(seed)
    days = trading_days(FIRST, FIRST + dt.timedelta(days=sessions * 2))[:sessions]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    start = np.concatenate([starts for starts, _ in edges])
    end = np.concatenate([ends for _, ends in edges])
    stamp = np.concatenate(
        [np.full(len(starts), yyyymmdd(day), np.int32) for day, (starts, _) in zip(days, edges, strict=True)]
    )
    shape = (len(start), SYMBOLS)
    level = np.exp(np.cumsum(rng.normal(0.0, 0.0008, shape), axis=0))
    raw = level * np.exp(rng.normal(10.6, 0.5, SYMBOLS))
    close = np.maximum(np.round(raw / 100).astype(np.int64) * 100, 1_000)
    opened = np.vstack([close[:1], close[:-1]])
    spread = rng.integers(0, 2, shape) * 100
    high = np.maximum(opened, close) + spread
    low = np.maximum(np.minimum(opened, close) - spread, 100)
    volume = rng.integers(200, 20_000, shape) * 100
    symbols = tuple(f"{index:05d}0" for index in range(SYMBOLS))
    return Panel(symbols, stamp, start, end, opened, high, low, close, volume, np.ones(shape, dtype=np.bool_))
