"""Seeded random bars for tests: gaps, halts, late listings; nothing here imitates a real market."""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, instant_at, yyyymmdd


def _prices(rng: np.random.Generator, shape: tuple[int, int], volatility: float) -> list[np.ndarray]:
    moves = rng.standard_t(4, shape) * volatility
    start = np.exp(rng.uniform(np.log(2_000), np.log(200_000), shape[1]))
    close = np.maximum(np.round(start * np.exp(np.cumsum(moves, axis=0))), 10).astype(np.int64)
    before = np.vstack([close[:1], close[:-1]])
    opens = np.maximum(np.round(before * np.exp(rng.normal(0, volatility / 3, shape))), 10).astype(np.int64)
    reach = np.round(close * np.abs(rng.normal(0, volatility, shape))).astype(np.int64)
    high = np.maximum(opens, close) + reach
    low = np.maximum(np.minimum(opens, close) - reach, 1)
    volume = np.exp(rng.normal(8, 1.5, shape)).astype(np.int64) + 1
    return [opens, high, low, close, volume]


def _silence(columns: list[np.ndarray], traded: np.ndarray) -> None:
    opens, high, low, close, volume = columns
    for t in range(len(close)):
        still = ~traded[t]
        last = close[t - 1] if t else np.zeros(close.shape[1], dtype=np.int64)
        for column in (opens, high, low, close):
            column[t] = np.where(still, last, column[t])
        volume[t] = np.where(still, 0, volume[t])


def business_days(first: dt.date, count: int) -> list[dt.date]:
    days: list[dt.date] = []
    day = first
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += dt.timedelta(days=1)
    return days


def minute_panel(seed: int, symbols: int = 5, sessions: int = 3, minutes: int = 120, quiet: float = 0.1) -> Panel:
    """Return minute bars in which about ``quiet`` of the bars saw no trade; symbol 1 lists late."""
    rng = np.random.default_rng(seed)
    days = business_days(dt.date(2026, 3, 2), sessions)
    start = np.array([instant_at(d, 90_000) + m * NS_PER_MINUTE for d in days for m in range(minutes)], dtype=np.int64)
    shape = (len(start), symbols)
    columns = _prices(rng, shape, 0.001)
    traded = rng.random(shape) >= quiet
    if symbols > 1:
        traded[: minutes // 2, 1] = False
    _silence(columns, traded)
    stamped = np.repeat(np.array([yyyymmdd(d) for d in days], dtype=np.int32), minutes)
    names = tuple(f"{100 + k:05d}0" for k in range(symbols))
    return Panel(names, stamped, start, start + NS_PER_MINUTE, *columns, traded)


def daily_panel(seed: int, symbols: int = 30, sessions: int = 320, halted: float = 0.01) -> Panel:
    """Return daily bars; symbol 1 lists half-way, a few days are halted."""
    rng = np.random.default_rng(seed)
    days = business_days(dt.date(2020, 1, 2), sessions)
    shape = (sessions, symbols)
    columns = _prices(rng, shape, 0.02)
    traded = rng.random(shape) >= halted
    traded[0] = True
    if symbols > 1:
        traded[: sessions // 2, 1] = False
    _silence(columns, traded)
    start = np.array([instant_at(d, 90_000) for d in days], dtype=np.int64)
    end = np.array([instant_at(d, 153_000) for d in days], dtype=np.int64)
    stamped = np.array([yyyymmdd(d) for d in days], dtype=np.int32)
    names = tuple(f"{100 + k:05d}0" for k in range(symbols))
    return Panel(names, stamped, start, end, *columns, traded)


def perturbed_after(panel: Panel, row: int, seed: int) -> Panel:
    """Return the same panel with every bar after ``row`` replaced by other bars."""
    rng = np.random.default_rng(seed)
    shape = panel.close[row + 1 :].shape
    columns = _prices(rng, shape, 0.05) if shape[0] else [np.empty(shape, dtype=np.int64)] * 5
    blocks = [
        np.vstack([old[: row + 1], new])
        for old, new in zip((panel.open, panel.high, panel.low, panel.close, panel.volume), columns, strict=True)
    ]
    traded = np.vstack([panel.traded[: row + 1], np.ones(shape, dtype=np.bool_)])
    return Panel(panel.symbols, panel.days, panel.start, panel.end, *blocks, traded)
