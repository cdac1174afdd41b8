"""Markets for the tests of fear & greed: every input there is, with gaps, and an index older than the bars."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, instant_at, yyyymmdd
from haetae.features.feargreed import MoodInputs
from random_panels import business_days, daily_panel

BEFORE = 60
"""Days of the index before the first bar."""
SERIES = ("index_close", "implied", "foreign_won", "bond_close", "dollar_close")


def walk(rng: np.random.Generator, count: int, start: float, spread: float, holes: float = 0.02) -> np.ndarray:
    """Return a positive random walk with missing days."""
    path = start * np.exp(np.cumsum(rng.normal(0, spread, count)))
    path[rng.random(count) < holes] = np.nan
    return path


def mood_inputs(seed: int, symbols: int = 24, sessions: int = 320, **without: None) -> MoodInputs:
    """Return a market; name a series to leave it out (``implied=None``)."""
    rng = np.random.default_rng(seed)
    panel = daily_panel(seed, symbols=symbols, sessions=sessions)
    first = dt.date(2020, 1, 2) - dt.timedelta(days=BEFORE * 7 // 5 + 7)
    older = [day for day in business_days(first, BEFORE + 10) if day < dt.date(2020, 1, 2)][-BEFORE:]
    days = np.concatenate([np.array([yyyymmdd(day) for day in older], np.int32), panel.days])
    count = len(days)
    series = {
        "index_close": walk(rng, count, 2_500.0, 0.012),
        "implied": np.where(np.arange(count) > count // 4, walk(rng, count, 18.0, 0.05), np.nan),
        "foreign_won": np.where(rng.random(count) < 0.05, np.nan, rng.normal(0, 1e9, count)),
        "bond_close": walk(rng, count, 60_000.0, 0.004),
        "dollar_close": walk(rng, count, 1_200.0, 0.006),
    }
    counted = np.ones(symbols, np.bool_)
    counted[3] = False
    return MoodInputs(days, panel, **{**series, **without}, counted=counted)


def with_future(inputs: MoodInputs, row: int, panel: Panel, seed: int) -> MoodInputs:
    """Return the market with every number after ``row`` replaced; ``panel`` holds the bars so replaced."""
    rng = np.random.default_rng(seed)

    def changed(series: np.ndarray | None) -> np.ndarray | None:
        if series is None:
            return None
        after = series.copy()
        after[row + 1 :] = rng.uniform(0.5, 1.5, len(after) - row - 1) * np.nanmean(np.abs(series))
        return after

    return dataclasses.replace(inputs, panel=panel, **{name: changed(getattr(inputs, name)) for name in SERIES})


def minutes_of(daily: Panel, seed: int, minutes: int = 60) -> Panel:
    """Return minute bars of every day of a daily panel that end at its closes and sum to its volumes."""
    rng = np.random.default_rng(seed)
    days, symbols = daily.close.shape
    close = np.empty((days, minutes, symbols), np.int64)
    volume = np.zeros((days, minutes, symbols), np.int64)
    before = daily.close[0]
    for t in range(days):
        share = np.linspace(0.0, 1.0, minutes + 1)[1:, None]
        path = np.log(np.maximum(before, 1)) * (1 - share) + np.log(np.maximum(daily.close[t], 1)) * share
        noise = np.cumsum(rng.normal(0, 0.0005, (minutes, symbols)), axis=0)
        close[t] = np.where(daily.traded[t], np.maximum(np.round(np.exp(path + noise - noise[-1] * share)), 1), before)
        close[t, -1] = daily.close[t]
        volume[t] = daily.volume[t] // minutes
        volume[t, -1] += daily.volume[t] % minutes
        before = daily.close[t]
    start = np.array(
        [instant_at(day, 90_000) + m * NS_PER_MINUTE for day, _, _ in daily.sessions() for m in range(minutes)],
        dtype=np.int64,
    )
    bars = close.reshape(-1, symbols)
    shares = volume.reshape(-1, symbols)
    stamped = np.repeat(daily.days, minutes)
    blocks = [bars.copy() for _ in range(4)]
    return Panel(daily.symbols, stamped, start, start + NS_PER_MINUTE, *blocks, shares, shares > 0)
