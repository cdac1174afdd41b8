"""Minutes inside a day and prints inside a minute, met exactly on the tick grid.

Here: ``bridge_day`` draws a minute path whose first open, highest high, lowest low, last close and
summed volume are those of the daily bar; ``Tape`` cuts each minute into four prints (open, the two
extremes, close) and accumulates what a quote call shows. Law: prints aggregate to minutes and
minutes to the day, to the won and the share.
Not here: where daily bars come from (``market``, ``replay``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.units import Instant
from haetae.emulator.grid import Grid

STEPS = 4
"""Prints in a minute; also the micro-slices an order can meet."""
_COMMON = 0.45
"""Share of a minute's path that all names have in common (market and sector noise)."""


@dataclass(frozen=True, slots=True, eq=False)
class MinuteBars:
    """One session: arrays ``(n_bars, n_symbols)``; untraded bars repeat the last close."""

    day: dt.date
    start: Int64Array
    end: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array

    @property
    def traded(self) -> BoolArray:
        """Which bars traded."""
        return self.volume > 0


@dataclass(frozen=True, slots=True, eq=False)
class DayBars:
    """Daily bars of one session, ``(n_symbols,)`` each; ``before`` is the last close before it."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    before: Int64Array


def bridge_day(
    day: dt.date, bars: DayBars, times: tuple[Int64Array, Int64Array], grid: Grid, generator: np.random.Generator
) -> MinuteBars:
    """Return minutes that aggregate exactly to ``bars``.

    Names without volume stay flat at ``before``. Prices between the daily extremes are on the
    grid; the extremes are taken as they are (adjusted bars of a lake may be off it).
    """
    start, end = times
    rows, width = len(start), len(bars.open)
    path = _path(bars, rows, generator)
    nodes = np.clip(grid.nearest(path), bars.low, bars.high).reshape(rows - 1, STEPS, width)
    volume = _volumes(bars.volume, rows, np.abs(np.diff(path[::STEPS], axis=0)), generator)
    opened, high = np.empty((rows, width), dtype=np.int64), np.empty((rows, width), dtype=np.int64)
    low, close = np.empty_like(opened), np.empty_like(opened)
    opened[:-1], close[:-1] = nodes[:, 0], nodes[:, -1]
    high[:-1], low[:-1] = nodes.max(axis=1), nodes.min(axis=1)
    for column in (opened, high, low, close):
        column[-1] = bars.close
    _plant(bars, volume, (opened, high, low, close))
    _flatten(bars.before, volume, (opened, high, low, close))
    return MinuteBars(day, start, end, opened, high, low, close, volume)


def _path(bars: DayBars, rows: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Latent price at each step, ``((rows - 1) * STEPS, n_symbols)``, from open to near the close."""
    size, width = (rows - 1) * STEPS, len(bars.open)
    clock = np.arange(size)
    pace = 1.0 + 1.6 * np.exp(-clock / (25 * STEPS)) + 0.6 * np.exp((clock - size) / (20 * STEPS))
    steps = generator.standard_normal((size, width)) * np.sqrt(1 - _COMMON**2)
    steps += _COMMON * generator.standard_normal((size, 1))
    steps *= pace[:, None] * np.exp(0.35 * generator.standard_normal((size, 1)))
    steps[0] = 0.0
    walk = np.cumsum(steps, axis=0)
    tau = (np.cumsum(pace**2) / np.sum(pace**2))[:, None]
    walk -= tau * walk[-1]
    first, last = bars.open.astype(float), bars.close.astype(float)
    top, bottom = np.maximum(first, last), np.minimum(first, last)
    reach = np.maximum(walk.max(axis=0) - walk.min(axis=0), 1e-9)
    walk *= (bars.high - bars.low) / reach
    walk += first + tau * (last - first)
    for edge, extreme, sign in ((top, bars.high, 1.0), (bottom, bars.low, -1.0)):
        over = np.maximum(sign * (walk - edge), 0.0)
        most = over.max(axis=0)
        room = np.abs(extreme - edge)
        scale = np.where(most > 0, room / np.maximum(most, 1e-9), 0.0)
        walk += sign * over * (scale - 1.0)
    return walk


def _volumes(total: Int64Array, rows: int, moves: NDArray[np.float64], generator: np.random.Generator) -> Int64Array:
    """Split daily volumes over the bars: U-shaped, bursty, both auctions heavy; sums are exact."""
    clock = np.arange(rows)
    shape = 0.55 + 1.9 * np.exp(-clock / 18) + 0.9 * np.exp((clock - rows) / 22)
    weights = shape[:, None] * generator.lognormal(0.0, 0.75, (rows, len(total)))
    scale = np.maximum(moves.mean(axis=0), 1e-9)
    weights[: len(moves)] *= 1.0 + 0.6 * np.minimum(moves / scale, 6.0)
    plain = weights[:-1].sum(axis=0)
    weights[0] += 0.02 * plain
    weights[-1] = 0.05 * plain
    lots = total // STEPS
    shares = np.cumsum(weights, axis=0)
    shares /= shares[-1]
    steps = np.floor(shares * lots).astype(np.int64)
    steps[-1] = lots
    volume = np.diff(steps, axis=0, prepend=0) * STEPS
    heaviest = volume.argmax(axis=0)
    volume[heaviest, np.arange(len(total))] += total - volume.sum(axis=0)
    return volume


def _plant(bars: DayBars, volume: Int64Array, columns: tuple[Int64Array, Int64Array, Int64Array, Int64Array]) -> None:
    """Make the traded bars meet the day's four prices exactly."""
    opened, high, low, close = columns
    traded = volume > 0
    live = np.flatnonzero(traded.any(axis=0))
    first = traded.argmax(axis=0)[live]
    last = (len(traded) - 1 - traded[::-1].argmax(axis=0))[live]
    opened[first, live] = bars.open[live]
    close[last, live] = bars.close[live]
    single = live[last == len(traded) - 1]
    opened[-1, single] = np.where(
        first[last == len(traded) - 1] == len(traded) - 1, bars.open[single], close[-1, single]
    )
    np.maximum(high, np.maximum(opened, close), out=high)
    np.minimum(low, np.minimum(opened, close), out=low)
    inner = traded.copy()
    inner[-1] &= ~traded[:-1].any(axis=0)
    top = np.where(inner, high, -1)
    bottom = np.where(inner, low, np.iinfo(np.int64).max)
    for column, extreme, place in ((high, bars.high, top.argmax(axis=0)), (low, bars.low, bottom.argmin(axis=0))):
        reached = np.where(traded, column, bars.close)
        met = (reached == extreme).any(axis=0)
        short = live[~met[live]]
        column[place[short], short] = extreme[short]


def _flatten(
    before: Int64Array, volume: Int64Array, columns: tuple[Int64Array, Int64Array, Int64Array, Int64Array]
) -> None:
    """Carry the last close through bars that did not trade."""
    opened, high, low, close = columns
    rows = np.where(volume > 0, np.arange(len(volume))[:, None], -1)
    newest = np.maximum.accumulate(rows, axis=0)
    carried = np.where(newest >= 0, np.take_along_axis(close, np.maximum(newest, 0), axis=0), before)
    quiet = volume == 0
    for column in (opened, high, low, close):
        column[quiet] = carried[quiet]


class Tape:
    """Prints of one session and what has been seen after each of them.

    Row ``r`` of every array covers ``[start[r], end[r])`` and is seen at ``end[r]``; shape
    ``(n_rows, n_symbols)``. ``price`` repeats the last print where ``volume`` is 0. ``low`` and
    ``opened`` are 0 before the first print.
    """

    def __init__(self, bars: MinuteBars, before: Int64Array) -> None:
        """Cut the minutes of a session into prints."""
        rows, width = bars.open.shape
        length = (bars.end - bars.start) // STEPS
        edges = bars.start[:, None] + length[:, None] * np.arange(STEPS)
        self.day = bars.day
        self.start: Int64Array = edges.ravel()
        self.end: Int64Array = np.append(self.start[1:], bars.end[-1])
        rising = bars.close >= bars.open
        prices = np.empty((rows, STEPS, width), dtype=np.int64)
        prices[:, 0], prices[:, 3] = bars.open, bars.close
        prices[:, 1] = np.where(rising, bars.low, bars.high)
        prices[:, 2] = np.where(rising, bars.high, bars.low)
        volume = np.empty_like(prices)
        volume[:] = (bars.volume // STEPS)[:, None, :]
        volume[:, 0] += bars.volume - volume.sum(axis=1)
        _thin(bars, volume)
        one = bars.high[-1] == bars.low[-1]
        volume[-1, :3, one] = 0
        volume[-1, 3, one] = bars.volume[-1, one]
        self.volume: Int64Array = volume.reshape(rows * STEPS, width)
        raw = prices.reshape(rows * STEPS, width)
        order = np.where(self.volume > 0, np.arange(rows * STEPS)[:, None], -1)
        newest = np.maximum.accumulate(order, axis=0)
        begun = newest >= 0
        self.price: Int64Array = np.where(begun, np.take_along_axis(raw, np.maximum(newest, 0), axis=0), before)
        self.cumulative: Int64Array = np.cumsum(self.volume, axis=0)
        self.turnover: Int64Array = np.cumsum(self.price * self.volume, axis=0)
        self.high: Int64Array = np.maximum.accumulate(np.where(begun, self.price, 0), axis=0)
        huge = np.iinfo(np.int64).max
        self.low: Int64Array = np.minimum.accumulate(np.where(begun, self.price, huge), axis=0)
        self.low[~begun] = 0
        first = np.argmax(begun, axis=0)
        self.opened: Int64Array = np.where(begun, self.price[first, np.arange(width)], 0)

    def seen(self, now: Instant) -> int:
        """Return how many rows have ended at ``now``; 0 before the first."""
        return int(np.searchsorted(self.end, now, side="right"))


def _thin(bars: MinuteBars, volume: Int64Array) -> None:
    """Bars of one to three shares: give the shares to the prints that the bar's prices need."""
    for row, column in zip(*np.nonzero((bars.volume > 0) & (bars.volume < STEPS)), strict=True):
        left = int(bars.volume[row, column])
        opened, close = bars.open[row, column], bars.close[row, column]
        wanted = [0]
        wanted += [3] if close != opened else []
        rising = close >= opened
        wanted += [1 if rising else 2] if bars.low[row, column] < min(opened, close) else []
        wanted += [2 if rising else 1] if bars.high[row, column] > max(opened, close) else []
        volume[row, :, column] = 0
        for place in (wanted * STEPS)[:left]:
            volume[row, place, column] += 1
