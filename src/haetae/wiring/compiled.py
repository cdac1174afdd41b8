"""The compiled loops made ready after an install, so that a first backtest is as fast as any later one.

Runs each kind of backtest once over a handful of bars; numba keeps what it compiles in ``NUMBA_CACHE_DIR``. Not here:
where that folder is and when this runs (``run.py``).
"""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from haetae.backtest import Ground, Listing, run_strategy
from haetae.domain.panel import Panel
from haetae.domain.units import instant_at, yyyymmdd
from haetae.features import daily, feargreed, minute
from haetae.krx import Rulebook, trading_days
from haetae.policies import LIBRARY

_SYMBOLS = ("000660", "005930")


def few_bars(*, minutes: bool) -> Panel:
    """Return some sessions of two names whose prices go up and down; minutes or whole days."""
    days = trading_days(dt.date(2026, 1, 5), dt.date(2026, 1, 13 if minutes else 30))
    if minutes:
        edges = [Rulebook.on(day).session.minute_edges() for day in days]
        start, end = (np.concatenate(side) for side in zip(*edges, strict=True))
        stamps = np.repeat([yyyymmdd(day) for day in days], [len(starts) for starts, _ in edges])
    else:
        start = np.array([instant_at(day, 90_000) for day in days], np.int64)
        end = np.array([instant_at(day, 153_000) for day in days], np.int64)
        stamps = np.array([yyyymmdd(day) for day in days])
    turn = 80 if minutes else 4
    steps = np.arange(len(start))[:, None] + np.array([0, turn // 2])
    close = 50_000 + 100 * np.abs(steps % (2 * turn) - turn).astype(np.int64)
    volume, traded = np.full(close.shape, 10_000, np.int64), np.ones(close.shape, np.bool_)
    return Panel(_SYMBOLS, stamps.astype(np.int32), start, end, close, close, close, close, volume, traded)


def run_strategies() -> None:
    """Run signals and targets once on minutes and on days."""
    for minutes in (True, False):
        panel = few_bars(minutes=minutes)
        ground = Ground(panel, 2, Listing(), panel.traded)
        for strategy in (LIBRARY["sma_cross"](fast=2, slow=4), LIBRARY["reversal_5"](look_back=1, top=1)):
            run_strategy(strategy, ground)


def fold_features() -> None:
    """Fold the minute and daily features and fear & greed."""
    feargreed.build(feargreed.of_panel(few_bars(minutes=False)))
    panel = few_bars(minutes=True)
    minute.fold(minute.init_state(len(_SYMBOLS)), panel, minute.session_minutes(panel))
    daily.build(few_bars(minutes=False))


def compile_loops() -> None:
    """Do both at once: they share few loops, and an install waits for nothing else."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for part in [pool.submit(run_strategies), pool.submit(fold_features)]:
            part.result()


if __name__ == "__main__":
    compile_loops()
