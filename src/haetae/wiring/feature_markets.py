"""Markets on which a feature set is proven: a sample of a lake, or random bars that lack nothing.

Random bars have halts, a late listing, an index, flows, sectors and an order book; they imitate no real market, and
nothing but the fold's own behaviour can be learned from them. Not here: the proofs (``features.proofs``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, instant_at, yyyymmdd
from haetae.features.minute import SESSION_MINUTES, session_minutes
from haetae.features.sets import FeatureSet, Flows, Grain, Inputs
from haetae.krx import trading_days
from haetae.store.lake import Lake
from haetae.wiring.feature_rows import rows_of

NAMES = 12
"""Enough for sectors of several names; a proof folds them dozens of times."""
_SPARE_DAYS, _SPARE_SESSIONS = 60, 2
_FIRST = dt.date(2024, 1, 2)
_HALTED = 0.02


def random_market(feature_set: FeatureSet, dice: np.random.Generator) -> Inputs:
    """Return rows that are a little longer than the longest look-back of the set, with every optional input."""
    daily = feature_set.grain is Grain.DAILY
    rows = feature_set.look_back + _SPARE_DAYS
    sessions = rows if daily else feature_set.look_back // SESSION_MINUTES + 1 + _SPARE_SESSIONS
    days = trading_days(_FIRST, _FIRST + dt.timedelta(days=sessions * 2 + 30))[:sessions]
    panel = _bars(days, dice, daily=daily)
    shape = panel.close.shape
    points = 2_500.0 * np.exp(np.cumsum(dice.normal(0.0, 0.01 if daily else 0.001, shape[0])))
    net = [dice.normal(0.0, 1e9, shape) for _ in range(3)]
    return Inputs(
        panel,
        minutes=None if daily else session_minutes(panel),
        index_close=points,
        flows=Flows(*net) if daily else None,
        sectors=np.arange(shape[1]) % 3,
        imbalance=None if daily else dice.uniform(-1.0, 1.0, shape),
    )


def _bars(days: Sequence[dt.date], dice: np.random.Generator, *, daily: bool) -> Panel:
    minutes = 1 if daily else SESSION_MINUTES
    shape = (len(days) * minutes, NAMES)
    opening = np.array([instant_at(day, 90_000) for day in days], dtype=np.int64)
    start = (opening[:, None] + np.arange(minutes) * NS_PER_MINUTE).ravel()
    end = np.array([instant_at(day, 153_000) for day in days], dtype=np.int64) if daily else start + NS_PER_MINUTE
    stamps = np.repeat(np.array([yyyymmdd(day) for day in days], dtype=np.int32), minutes)
    pace = 0.02 if daily else 0.001
    close = 50_000.0 * np.exp(np.cumsum(dice.normal(0.0, pace, shape), axis=0) + dice.normal(0.0, 1.0, shape[1]))
    opens = close * np.exp(dice.normal(0.0, pace / 2, shape))
    high = np.maximum(close, opens) * np.exp(np.abs(dice.normal(0.0, pace / 2, shape)))
    low = np.minimum(close, opens) * np.exp(-np.abs(dice.normal(0.0, pace / 2, shape)))
    volume = np.exp(dice.normal(8.0, 1.0, shape)) + 1.0
    opened, top, bottom, closed, shares = (
        np.maximum(np.round(block), 1.0).astype(np.int64) for block in (opens, high, low, close, volume)
    )
    traded = dice.random(shape) >= _HALTED
    traded[0] = True
    traded[: shape[0] // 3, 0] = False  # lists late
    shares[~traded] = 0
    for row in range(shape[0]):
        last = closed[row - 1] if row else np.zeros(shape[1], np.int64)
        for block in (opened, top, bottom, closed):
            block[row] = np.where(traded[row], block[row], last)
    names = tuple(f"{10 * k:06d}" for k in range(1, NAMES + 1))
    return Panel(names, stamps, start, end, opened, top, bottom, closed, shares, traded)


def sampled(
    lake: Lake, feature_set: FeatureSet, dice: np.random.Generator, *, names: int, until: dt.date | None
) -> Inputs:
    """Return the newest rows of some names of a lake: as many as the longest look-back needs, and some more.

    The names are drawn among all that ever had a bar.
    """
    rows = rows_of(lake, feature_set.grain, until)
    chosen = np.sort(dice.permutation(len(rows.symbols))[:names])
    wanted = feature_set.look_back + (_SPARE_DAYS if feature_set.grain is Grain.DAILY else SESSION_MINUTES)
    sectors = tuple(rows.sector_names[place] for place in chosen) if rows.sector_names else ()
    whole = ((rows.chunks[0][0], rows.chunks[-1][1]),)
    some = replace(rows, symbols=tuple(rows.symbols[place] for place in chosen), sector_names=sectors, chunks=whole)
    inputs = next(some.inputs())
    return inputs.rows(max(len(inputs) - wanted, 0), len(inputs))
