"""Prints inside a day, met exactly on the tick grid.

Here: ``bridge_day`` draws a path of four prints a minute whose first, highest, lowest and last price and
summed volume are those of the daily bar; ``group`` makes the minutes of prints. Law: prints aggregate to
minutes and minutes to the day, to the won and the share. Not here: interruptions (``interrupts``), where daily
bars come from (``market``, ``replay``), what a quote shows of the prints (``tape``).

The closing auction is one bar of ``STEPS`` rows; only its last row prints. A day whose bar no sequence of
prints could have made (one share at two prices) keeps its volume, its last price, and as much of the rest as
there are shares for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.emulator.dice import dice
from haetae.emulator.grid import Grid

STEPS = 4
"""Prints in a minute; also the micro-slices an order can meet."""
_COMMON = 0.45
"""Share of a minute's path that all names have in common (market and sector noise)."""
_STRETCH = 1.5
"""Most that a path's way beyond open and close is stretched to reach the day's extreme."""
_THIN = 24
"""Fewer prints than this in continuous trading are laid out one by one."""


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
    """Daily bars of one session, ``(n_symbols,)`` each; ``before`` is the price limits are counted from."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    before: Int64Array

    def take(self, columns: Int64Array) -> DayBars:
        """Return the bars of some columns."""
        return DayBars(*(getattr(self, name)[columns] for name in DayBars.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What the path of each name is drawn from; ``(n_rows, n_symbols)`` and ``(n_bars, n_symbols)``."""

    shared: NDArray[np.float64]
    restless: NDArray[np.float64]
    own: NDArray[np.float64]
    bursts: NDArray[np.float64]


def draw_noise(seed: int, day: dt.date, symbols: Sequence[str], bars: int) -> Noise:
    """Draw the noise of a day: what names share is the day's, the rest each name's own."""
    rows = (bars - 1) * STEPS
    common = dice(seed, "common", day)
    shared, restless = common.standard_normal(rows), common.standard_normal(rows)
    drawn = np.empty((len(symbols), rows + bars))
    for column, symbol in enumerate(symbols):
        dice(seed, "path", day, symbol).standard_normal(out=drawn[column])
    return Noise(shared, restless, drawn[:, :rows].T, np.exp(0.75 * drawn[:, rows:]).T)


def bridge_day(bars: DayBars, noise: Noise, grid: Grid) -> tuple[Int64Array, Int64Array]:
    """Return prices and volumes of a session's prints, ``(n_bars * STEPS, n_symbols)``.

    Names without volume have none. Prices between the daily extremes are on the grid; the extremes are taken
    as they are (adjusted bars of a lake may be off it).
    """
    path = _path(bars, noise)
    rows, width = len(noise.bursts), len(bars.open)
    volume = _volumes(bars.volume, np.abs(np.diff(path[::STEPS], axis=0)), noise.bursts)
    price = np.empty((rows * STEPS, width), dtype=np.int64)
    price[:-STEPS] = np.clip(grid.nearest(path), bars.low, bars.high)
    price[-STEPS:] = bars.close
    _plant(bars, price, volume)
    return price, volume


def _path(bars: DayBars, noise: Noise) -> NDArray[np.float64]:
    """Latent price at each step of continuous trading, from the open to near the close."""
    size = len(noise.own)
    clock = np.arange(size)
    pace = 1.0 + 1.6 * np.exp(-clock / (25 * STEPS)) + 0.6 * np.exp((clock - size) / (20 * STEPS))
    steps = noise.own * np.sqrt(1 - _COMMON**2)
    steps += _COMMON * noise.shared[:, None]
    steps *= (pace * np.exp(0.35 * noise.restless))[:, None]
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
        room = np.abs(extreme - edge)
        scale = np.minimum(room / np.maximum(over.max(axis=0), 1e-9), _STRETCH)
        walk += sign * over * (scale - 1.0)
        walk += sign * _hump(sign * walk, sign * extreme.astype(float))
    return walk


def _hump(walk: NDArray[np.float64], extreme: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is added to a path so that its highest inner point is the extreme: a slope up and down again.

    Stretching the path itself that far would turn its noise into jumps.
    """
    size = len(walk)
    edge = size // 12
    inner = walk[edge:-edge]
    centre = inner.argmax(axis=0) + edge
    missing = np.maximum(extreme - inner.max(axis=0), 0.0)
    half = np.minimum(np.minimum(centre, size - 1 - centre), size // 5)
    slope = np.maximum(1.0 - np.abs(np.arange(size)[:, None] - centre) / half, 0.0)
    return np.asarray(missing * slope)


def _volumes(total: Int64Array, moves: NDArray[np.float64], bursts: NDArray[np.float64]) -> Int64Array:
    """Split daily volumes over the prints: U-shaped, bursty, both auctions heavy; sums are exact."""
    rows, width = bursts.shape
    clock = np.arange(rows)
    shape = 0.55 + 1.9 * np.exp(-clock / 18) + 0.9 * np.exp((clock - rows) / 22)
    weights = shape[:, None] * bursts
    scale = np.maximum(moves.mean(axis=0), 1e-9)
    weights[: len(moves)] *= 1.0 + 0.6 * np.minimum(moves / scale, 6.0)
    plain = weights[:-1].sum(axis=0)
    opening = 0.02 * plain
    weights[-1] = 0.05 * plain
    weights[0] += opening
    ends = np.cumsum(weights, axis=0)
    ends *= total / ends[-1]
    ends = np.floor(ends).astype(np.int64)
    ends[-1] = total
    minutes = np.diff(ends, axis=0, prepend=0)
    spread = (minutes[:, None, :] + np.arange(STEPS - 1, -1, -1)[None, :, None]) // STEPS
    uncross = np.minimum((opening * total / np.maximum(weights.sum(axis=0), 1e-9)).astype(np.int64), minutes[0])
    spread[0] = ((minutes[0] - uncross)[None, :] + np.arange(STEPS - 1, -1, -1)[:, None]) // STEPS
    spread[0, 0] += uncross
    spread[-1] = 0
    spread[-1, -1] = minutes[-1]
    return spread.reshape(rows * STEPS, width)


def _plant(bars: DayBars, price: Int64Array, volume: Int64Array) -> None:
    """Make the prints meet the day's four prices exactly."""
    traded = volume > 0
    count = traded[:-STEPS].sum(axis=0)
    for column in np.flatnonzero((count < _THIN) & (bars.volume > 0)):
        _lay_out(bars, int(column), price, volume)
    live = np.flatnonzero(count >= _THIN)
    if not len(live):
        return
    first = traded[:, live].argmax(axis=0)
    last = len(traded) - 1 - traded[::-1, live].argmax(axis=0)
    inner = traded[:, live].copy()
    inner[first, np.arange(len(live))] = inner[last, np.arange(len(live))] = False
    mine = price[:, live]
    mine[first, np.arange(len(live))] = bars.open[live]
    mine[last, np.arange(len(live))] = bars.close[live]
    high, low = bars.high[live], bars.low[live]
    shown = np.where(traded[:, live], mine, -1)
    top = np.where(inner, mine, -1).argmax(axis=0)
    short = np.flatnonzero(shown.max(axis=0) < high)
    mine[top[short], short] = high[short]
    huge = np.iinfo(np.int64).max
    inner[top[short], short] = False
    shown = np.where(traded[:, live], mine, huge)
    bottom = np.where(inner, mine, huge).argmin(axis=0)
    short = np.flatnonzero(shown.min(axis=0) > low)
    mine[bottom[short], short] = low[short]
    price[:, live] = mine


def _lay_out(bars: DayBars, column: int, price: Int64Array, volume: Int64Array) -> None:
    """A thin day: the prints the bar needs, in order, spread over the rows that would have traded."""
    total = int(bars.volume[column])
    opened, high, low, close = (int(part[column]) for part in (bars.open, bars.high, bars.low, bars.close))
    between = [x for x in dict.fromkeys((low, high) if close >= opened else (high, low)) if x not in (opened, close)]
    needed = [opened, *between] + ([close] if close != opened or between or total > 1 else [])
    needed = needed if len(needed) <= total else [close] if total == 1 else [opened, *needed[1:-1], close][-total:]
    rows = len(price)
    found = np.flatnonzero(volume[:, column])
    if len(found) >= len(needed):
        chosen = found[np.linspace(0, len(found) - 1, len(needed)).astype(int)]
    else:
        chosen = np.linspace(int(found[0]) % (rows // 2), rows - 1, len(needed)).astype(int)
        chosen = np.where(chosen >= rows - STEPS, rows - 1, chosen)
    column_volume = volume[:, column]
    kept = np.zeros_like(column_volume)
    kept[chosen] = 1
    rest = total - len(chosen)
    if len(found) >= len(needed) and rest:
        kept[found] += np.floor(column_volume[found] * (rest / total)).astype(np.int64)
    kept[chosen[-1]] += total - int(kept.sum())
    volume[:, column] = kept
    marks = np.searchsorted(chosen, np.arange(rows), side="right") - 1
    price[:, column] = np.array(needed, dtype=np.int64)[np.maximum(marks, 0)]


def group(
    day: dt.date, times: tuple[Int64Array, Int64Array], price: Int64Array, volume: Int64Array, before: Int64Array
) -> MinuteBars:
    """Return the minutes that prints make; rows beyond the last bar belong to the closing auction."""
    start, end = times
    rows, width = len(start), price.shape[1]
    late = len(price) - rows * STEPS
    if late:
        head = rows * STEPS - STEPS
        folded = [price[:head].reshape(rows - 1, STEPS, width), volume[:head].reshape(rows - 1, STEPS, width)]
        tail = (price[head:], volume[head:])
    else:
        folded = [price.reshape(rows, STEPS, width), volume.reshape(rows, STEPS, width)]
        tail = None
    columns = _bars_of(folded[0], folded[1])
    if tail is not None:
        last = _bars_of(tail[0][None], tail[1][None])
        columns = tuple(np.vstack(pair) for pair in zip(columns, last, strict=True))
    opened, high, low, close, total = columns
    quiet = total == 0
    newest = np.maximum.accumulate(np.where(quiet, -1, np.arange(rows)[:, None]), axis=0)
    carried = np.where(newest >= 0, np.take_along_axis(close, np.maximum(newest, 0), axis=0), before)
    for column in (opened, high, low, close):
        column[quiet] = carried[quiet]
    return MinuteBars(day, start, end, opened, high, low, close, total)


def _bars_of(price: Int64Array, volume: Int64Array) -> tuple[Int64Array, ...]:
    """Open, high, low, close, volume along the second axis of ``(n, prints, n_symbols)``."""
    live = volume > 0
    huge = np.iinfo(np.int64).max
    first = live.argmax(axis=1)[:, None]
    last = (live.shape[1] - 1 - live[:, ::-1].argmax(axis=1))[:, None]
    return (
        np.take_along_axis(price, first, axis=1)[:, 0],
        np.where(live, price, -1).max(axis=1),
        np.where(live, price, huge).min(axis=1),
        np.take_along_axis(price, last, axis=1)[:, 0],
        volume.sum(axis=1),
    )
