"""Small synthetic panels on real trading days, for the tests of policies, backtest and rl."""

import datetime as dt

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook
from haetae.krx.calendar import trading_days


def _grid(price):
    step = np.select([price < 2_000, price < 5_000, price < 20_000, price < 50_000], [1, 5, 10, 50], 100)
    return np.maximum((price // step * step).astype(np.int64), 1)


def _symbols(n):
    return tuple(f"{i * 10:06d}" for i in range(1, n + 1))


def _panel(symbols, days, start, end, path, opens, rng, volume):
    close = _grid(path)
    open_ = _grid(opens)
    spread = 1.0 + 0.002 * rng.random(close.shape)
    high = np.maximum(_grid(np.maximum(open_, close) * spread), np.maximum(open_, close))
    low = np.minimum(_grid(np.minimum(open_, close) / spread), np.minimum(open_, close))
    volumes = rng.integers(volume // 2, volume * 2, close.shape)
    return Panel(symbols, days, start, end, open_, high, low, close, volumes, np.ones(close.shape, bool))


def daily_panel(n_days, n_symbols, seed, shock_from=None, volatility=0.015, drift=0.0, volume=500_000):
    """Daily bars of a random walk from 2024-01-02; with ``shock_from`` the rows from there on differ."""
    rng = np.random.default_rng(seed)
    days = trading_days(dt.date(2024, 1, 2), dt.date(2027, 6, 30))[:n_days]
    steps = rng.normal(drift, volatility, (n_days, n_symbols)).clip(-0.2, 0.2)
    gaps = rng.normal(0, 0.003, (n_days, n_symbols))
    if shock_from is not None:
        steps[shock_from:] = np.random.default_rng(seed + 99).normal(0, 0.05, steps[shock_from:].shape).clip(-0.2, 0.2)
    base = rng.uniform(5_000, 80_000, n_symbols)
    path = base * np.exp(np.cumsum(steps, axis=0))
    before = np.vstack([base, path[:-1]])
    sessions = [Rulebook.on(day).session for day in days]
    return _panel(
        _symbols(n_symbols),
        np.array([yyyymmdd(d) for d in days], np.int32),
        np.array([s.open_at for s in sessions], np.int64),
        np.array([s.close_at for s in sessions], np.int64),
        path,
        before * np.exp(gaps),
        rng,
        volume,
    )


def minute_panel(
    n_days, n_symbols, seed, volatility=0.0008, volume=20_000, start=dt.date(2026, 10, 12), shock_from=None
):
    """Minute bars of whole sessions of a random walk; with ``shock_from`` the rows from there on differ."""
    rng = np.random.default_rng(seed)
    days = trading_days(start, dt.date(2027, 6, 30))[:n_days]
    edges = [Rulebook.on(day).session.minute_edges() for day in days]
    rows = sum(len(e[0]) for e in edges)
    steps = rng.normal(0, volatility, (rows, n_symbols))
    if shock_from is not None:
        steps[shock_from:] = np.random.default_rng(seed + 99).normal(0, volatility, steps[shock_from:].shape)
    base = rng.uniform(5_000, 80_000, n_symbols)
    path = base * np.exp(np.cumsum(steps, axis=0))
    opens = np.vstack([base, path[:-1]])
    return _panel(
        _symbols(n_symbols),
        np.concatenate([np.full(len(e[0]), yyyymmdd(d), np.int32) for d, e in zip(days, edges, strict=True)]),
        np.concatenate([e[0] for e in edges]),
        np.concatenate([e[1] for e in edges]),
        path,
        opens,
        rng,
        volume,
    )
