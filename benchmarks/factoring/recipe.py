"""Seeded daily bars in won: random walks whose days all trade, and the files each side reads them from."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd

FIELDS = ("open", "high", "low", "close", "volume")


def make_panel(symbols: int, rows: int, seed: int = 158) -> Panel:
    """Return so many names and weekdays from 2010; nothing imitates a market but its scales."""
    rng = np.random.default_rng(seed)
    shape = (rows, symbols)
    level = np.exp(rng.normal(10.5, 0.5, symbols) + np.cumsum(rng.normal(0.0, 0.012, shape), axis=0))
    close = np.maximum(np.round(level), 500).astype(np.int64)
    opened = np.maximum(np.round(close * np.exp(rng.normal(0.0, 0.01, shape))), 500).astype(np.int64)
    reach = np.round(close * np.abs(rng.normal(0.0, 0.01, shape))).astype(np.int64)
    high, low = np.maximum(opened, close) + reach, np.minimum(opened, close) - reach // 2
    volume = np.exp(rng.normal(12.0, 0.8, shape)).astype(np.int64)
    days = [
        dt.date(2010, 1, 4) + dt.timedelta(days=week * 7 + day) for week in range(rows // 5 + 1) for day in range(5)
    ]
    days = days[:rows]
    return Panel(
        tuple(f"{10 * k:06d}" for k in range(symbols)),
        np.array([yyyymmdd(day) for day in days], np.int32),
        np.array([instant_at(day, 90_000) for day in days], np.int64),
        np.array([instant_at(day, 153_000) for day in days], np.int64),
        opened,
        high,
        low,
        close,
        volume,
        np.ones(shape, np.bool_),
    )


def write_arrays(panel: Panel, folder: Path) -> None:
    """Write each field as ``(n_rows, n_symbols)`` int64: the form in which a panel lies in memory."""
    for name in FIELDS:
        np.save(folder / f"{name}.npy", getattr(panel, name))


def read_arrays(panel: Panel, folder: Path) -> Panel:
    """Return the panel with its bars read from the files; names and days are not read again."""
    blocks = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in FIELDS]
    return Panel(panel.symbols, panel.days, panel.start, panel.end, *blocks, panel.traded)
