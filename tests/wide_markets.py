"""Wide random markets, drawn all symbols at once: halts, locked limits, lots, corporate base prices, many days.

Here: what large walks need in seconds. Small markets that can shrink are in ``exchange_cases``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np

from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import yyyymmdd
from haetae.krx import Rulebook
from markets import CLASSES


@dataclass(frozen=True)
class WideMarket:
    """A panel with what is known of its names; ``halted`` (n_bars, n_symbols), ``bases`` (n_sessions, n_symbols)."""

    panel: Panel
    listed: dict[str, Instrument]
    bases: np.ndarray
    halted: np.ndarray
    lots: np.ndarray
    classes: dict[tuple[Market, Kind], np.ndarray]
    rules: tuple[Rulebook, ...]
    session_of: np.ndarray

    def on_grid(self, bar: int, prices: np.ndarray) -> np.ndarray:
        """Return prices rounded down to the tick of the bar's day."""
        return floored(self.rules[self.session_of[bar]], self.classes, prices)


def floored(rules: Rulebook, classes: dict[tuple[Market, Kind], np.ndarray], prices: np.ndarray) -> np.ndarray:
    """Return prices (n_symbols,) rounded down to their ticks; nothing below one tick."""
    result = prices.copy()
    for (market, kind), mine in classes.items():
        bounds, sizes = rules.tick_table(kind, market)
        ticks = sizes[np.searchsorted(bounds, prices[mine], side="right")]
        result[mine] = np.maximum(prices[mine] // ticks * ticks, ticks)
    return result


def wide_market(rng: np.random.Generator, days: list[dt.date], width: int, bars: int) -> WideMarket:
    """Return bars of many names; the last bar of a session is its closing auction."""
    classes = {pair: np.arange(first, width, len(CLASSES)) for first, pair in enumerate(CLASSES)}
    lots = np.where(rng.random(width) < 0.2, 10, 1)
    names = tuple(f"{s:05d}0" for s in range(width))
    price = np.exp(rng.uniform(np.log(700), np.log(600_000), width)).astype(np.int64)
    listed = {
        name: Instrument(name, name, market, kind, days[0], 0, 10**6, lot=int(lot))
        for name, (market, kind), lot in zip(names, islice(cycle(CLASSES), width), lots, strict=True)
    }
    rows: list[list[np.ndarray]] = []
    bases, starts, ends, books = [], [], [], []
    for day in days:
        rules = Rulebook.on(day)
        books.append(rules)
        first, last = rules.session.minute_edges()
        chosen = np.r_[0 : bars - 1, len(first) - 1]
        starts.append(first[chosen])
        ends.append(last[chosen])
        split = rng.random(width) < 0.05
        base = floored(rules, classes, np.where(split, price // 5 + 100, price))
        edges = np.array(
            [rules.price_limits(int(b), item.kind, item.market) for b, item in zip(base, listed.values(), strict=True)]
        )
        bases.append(base)
        price = base
        for _ in range(bars):
            path = [floored(rules, classes, np.maximum(price * np.exp(rng.normal(0, 0.006, width)), 1).astype(np.int64))
                    for _ in range(4)]  # fmt: skip
            four = np.clip(np.array(path), edges[:, 0], edges[:, 1])
            locked = rng.random(width) < 0.02
            four = np.where(locked, np.where(rng.random(width) < 0.5, edges[:, 0], edges[:, 1]), four)
            traded = rng.random(width) > 0.06
            four = np.where(traded, four, price)
            volume = np.where(traded, np.exp(rng.normal(5.5, 1.2, width)).astype(np.int64), 0)
            rows.append([four[0], four.max(0), four.min(0), four[3], volume, traded])
            price = np.where(locked, price, four[3])
            rows[-1][3] = np.where(locked & traded, four[3], price)
    blocks = [np.array([row[place] for row in rows]) for place in range(6)]
    stamp = np.repeat(np.array([yyyymmdd(day) for day in days], np.int32), bars)
    panel = Panel(names, stamp, np.concatenate(starts), np.concatenate(ends), *blocks[:5], traded=blocks[5])
    halted = np.zeros(panel.close.shape, np.bool_)
    for _ in range(panel.close.size // 400):
        row, column, length = rng.integers(len(panel)), rng.integers(width), rng.integers(1, 12)
        halted[row : row + length, column] = True
    session_of = np.repeat(np.arange(len(days)), bars)
    return WideMarket(panel, listed, np.array(bases), halted, lots, classes, tuple(books), session_of)
