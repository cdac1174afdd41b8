"""A stretch of the synthetic market, so that a strategy can be tried before there is a lake.

It is the market of the emulator, from one seed: bars, minutes, halts and names are invented, and figures measured on it
say nothing of the real one. Not here: stretches of a lake (``grounds``), how the market is drawn (``emulator.market``).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from haetae import backtest
from haetae.backtest.strategies import Ground
from haetae.domain.market import Kind
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.emulator.market import synthesize
from haetae.emulator.settings import MarketSettings
from haetae.emulator.world import World
from haetae.krx import Rulebook
from haetae.wiring.dice import rng
from haetae.wiring.grounds import LOOK_BACK_DAYS, Bars, Stretch, ground_digest

LISTED, NAMES = 120, 40
"""Names of the market, and the most valuable common shares among them that are traded."""
SESSIONS = 252
"""Traded sessions after the look-back: a year."""
MINUTE_SESSIONS, MINUTE_LOOK_BACK = 8, 2
_COLUMNS = ("open", "high", "low", "close", "volume")
SURVIVORSHIP = "합성 시장: 상장폐지가 거의 없습니다 (a synthetic market; hardly any name ends)"


def synthetic_stretch(seed: int, bars: Bars = Bars.DAILY) -> Stretch:
    """Return a stretch of the synthetic market of a seed: a year of sessions, or some days of minutes.

    The names are chosen by their value before the first traded session, from what was known then.
    """
    settings = MarketSettings(seed=seed, listed=LISTED, history_sessions=LOOK_BACK_DAYS + SESSIONS, live_sessions=1)
    world = synthesize(settings, rng(seed, "market"))
    first = LOOK_BACK_DAYS
    if bars is Bars.MINUTE:
        first = len(world.days) - MINUTE_SESSIONS
    columns = _most_valuable(world, first)
    daily = _daily(world, columns)
    named = [world.instruments[column] for column in columns]
    listing = backtest.Listing(instruments={item.symbol: item for item in named})
    listed = np.array([item.shares_outstanding for item in named], np.int64)
    ground = Ground(daily, first, listing, daily.traded & (daily.close > 0), shares_outstanding=listed)
    if bars is Bars.MINUTE:
        start = first - MINUTE_LOOK_BACK
        panel = _minutes(world, columns, range(start, len(world.days)))
        ground = dataclasses.replace(
            ground,
            panel=panel,
            first=int(np.searchsorted(panel.days, yyyymmdd(world.days[first]))),
            eligible=np.broadcast_to(panel.close > 0, panel.close.shape),
            daily=daily,
        )
    return Stretch(ground, ground_digest(ground), SURVIVORSHIP, None, adjusted=False)


def _most_valuable(world: World, row: int) -> list[int]:
    """Return columns of common shares by their value at the close before a row, in the order of their codes."""
    value = {
        column: int(world.daily.close[row - 1, column]) * item.shares_outstanding
        for column, item in enumerate(world.instruments)
        if item.kind is Kind.COMMON and world.daily.close[row - 1, column] > 0
    }
    return sorted(sorted(value, key=lambda column: -value[column])[:NAMES])


def _daily(world: World, columns: list[int]) -> Panel:
    table = world.daily
    hours = [Rulebook.on(day).session for day in world.days]
    blocks = {name: np.ascontiguousarray(getattr(table, name)[:, columns]) for name in _COLUMNS}
    return Panel(
        symbols=tuple(world.symbols[column] for column in columns),
        days=np.array([yyyymmdd(day) for day in world.days], np.int32),
        start=np.array([each.open_at for each in hours], np.int64),
        end=np.array([each.close_at for each in hours], np.int64),
        **blocks,
        traded=blocks["volume"] > 0,
    )


def _minutes(world: World, columns: list[int], rows: range) -> Panel:
    sessions = [world.minutes(row) for row in rows]
    blocks = {name: np.vstack([getattr(each, name)[:, columns] for each in sessions]) for name in _COLUMNS}
    days = np.concatenate([np.full(len(each.start), yyyymmdd(each.day), np.int32) for each in sessions])
    start, end = (np.concatenate([getattr(each, name) for each in sessions]) for name in ("start", "end"))
    symbols = tuple(world.symbols[column] for column in columns)
    return Panel(symbols=symbols, days=days, start=start, end=end, **blocks, traded=blocks["volume"] > 0)
