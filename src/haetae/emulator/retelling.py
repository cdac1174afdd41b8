"""Daily bars told anew after a script: each session follows from the one before it and from what happens on it.

Here: ``Script``, which files interventions by session, and ``retell``, the fold over sessions. Not here: what an
intervention does to the prints of a day (``interventions``, ``course``), the list (``register``).

A name whose price was moved goes on from there by the returns it had anyway; a split divides prices and
multiplies volumes from its day on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Int64Array
from haetae.domain.units import day_of
from haetae.emulator.bridge import DayBars, MinuteBars
from haetae.emulator.grid import Grid
from haetae.emulator.interventions import (
    Action,
    ActionKind,
    Break,
    Delisting,
    Designation,
    Halt,
    Intervention,
    Lock,
    Move,
    Notice,
    Shock,
    Stop,
    Trip,
)
from haetae.emulator.tables import PRICES, DailyTable
from haetae.krx import Rulebook


@dataclass(slots=True)
class Script:
    """What was scripted, by session row; ``planned`` holds the bars of such a session before it ran."""

    lines: tuple[Intervention, ...] = ()
    moves: dict[int, tuple[Move, ...]] = field(default_factory=dict)
    stops: dict[int, tuple[Stop, ...]] = field(default_factory=dict)
    planned: dict[int, DayBars] = field(default_factory=dict)

    def acts(self, row: int) -> bool:
        """Whether anything was scripted within a session."""
        return row in self.moves or row in self.stops

    def rows(self) -> list[int]:
        """Return the sessions within which something was scripted."""
        return sorted({*self.moves, *self.stops})

    def actions(self, day: dt.date) -> tuple[Action, ...]:
        """Return the scripted corporate actions of a day; those of the market itself are in its bars."""
        return tuple(one for one in self.lines if isinstance(one, Action) and one.day == day)

    def notices(self) -> tuple[Notice, ...]:
        """Return what happens between sessions."""
        return tuple(one for one in self.lines if isinstance(one, Designation | Delisting | Action))


def file_script(lines: tuple[Intervention, ...], days: Sequence[dt.date]) -> Script:
    """File interventions by session; a halt over several days is one a day."""
    script, row_of = Script(lines), {day: row for row, day in enumerate(days)}
    for event in lines:
        if isinstance(event, Shock | Trip | Lock):
            row = row_of[day_of(event.at)]
            script.moves[row] = (*script.moves.get(row, ()), event)
        elif isinstance(event, Break):
            row = row_of[day_of(event.at)]
            script.stops[row] = (*script.stops.get(row, ()), event)
        elif isinstance(event, Halt):
            for row, part in _by_day(event, days, row_of[day_of(event.at)]):
                script.stops[row] = (*script.stops.get(row, ()), part)
    return script


def _by_day(halt: Halt, days: Sequence[dt.date], first: int) -> list[tuple[int, Halt]]:
    found = []
    for row in range(first, len(days)):
        session = Rulebook.on(days[row]).session
        if halt.until and halt.until <= session.open_at and row > first:
            break
        until = halt.until if halt.until and halt.until < session.close_at else 0
        found.append((row, Halt(max(halt.at, session.orders_from), halt.symbol, until, halt.reason)))
        if until:
            break
    return found


@dataclass(slots=True, eq=False)
class Retelling:
    """One fold: ``first`` are the bars before any script, ``daily`` those being told.

    ``factors`` keeps, for each session, what prices and volumes were multiplied by before it.
    """

    days: Sequence[dt.date]
    first: DailyTable
    daily: DailyTable
    script: Script
    actions: Callable[[dt.date], Sequence[Action]]
    column: Mapping[str, int]
    grid: Callable[[dt.date], Grid]
    limits: Callable[[int], tuple[Int64Array, Int64Array]]
    gone: Mapping[int, dt.date]
    act: Callable[[int], MinuteBars]
    factors: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]

    def tell(self, start: int) -> None:
        """Tell the sessions from a row on; those before it were told, or need not be."""
        width = self.first.base.shape[1]
        prices, volumes = self.factors.get(start, (np.ones(width), np.ones(width)))
        for row in range(start, len(self.days)):
            self.factors[row] = (prices.copy(), volumes.copy())
            self._session(row, prices, volumes)

    def _session(self, row: int, prices: NDArray[np.float64], volumes: NDArray[np.float64]) -> None:
        daily, first, day = self.daily, self.first, self.days[row]
        grid, listed = self.grid(day), self.first.base[row] > 0
        if row:
            daily.base[row] = self._base(row, grid)
        for action in self.actions(day):
            self._adjust(action, row, grid, prices, volumes)
        drop_gone(daily, row, day, self.gone)
        lower, upper = self.limits(row)
        for name in PRICES:
            column = getattr(first, name)[row]
            scaled = np.where(prices == 1.0, column, grid.nearest(column * prices))
            getattr(daily, name)[row] = np.where(listed, np.clip(scaled, lower, upper), 0)
        daily.volume[row] = np.rint(first.volume[row] * volumes).astype(np.int64)
        quiet = listed & (daily.volume[row] == 0)
        for name in PRICES:
            getattr(daily, name)[row, quiet] = daily.base[row, quiet]
        drop_gone(daily, row, day, self.gone)
        if self.script.acts(row):
            self._run(row)
        traded = (first.volume[row] > 0) & (daily.volume[row] > 0)
        aimed = first.close[row] * prices
        off = traded & (np.abs(daily.close[row] - aimed) > 1.5 * grid.tick(np.maximum(daily.close[row], 1)))
        prices[off] = daily.close[row, off] / first.close[row, off]

    def _base(self, row: int, grid: Grid) -> Int64Array:
        """The last close, moved by what moved the base price before any script (an ex-day of a lake)."""
        daily, first = self.daily, self.first
        before, was = daily.close[row - 1], first.close[row - 1]
        known = (was > 0) & (before > 0) & (first.base[row] > 0)
        ratio = np.divide(first.base[row], was, out=np.ones(len(was)), where=known)
        moved = np.where(ratio == 1.0, before, grid.nearest(before * ratio))
        return np.where(known & (before != was), moved, first.base[row])

    def _adjust(
        self, action: Action, row: int, grid: Grid, prices: NDArray[np.float64], volumes: NDArray[np.float64]
    ) -> None:
        column = self.column[action.symbol]
        before = int(self.daily.base[row, column])
        if action.kind in (ActionKind.DIVIDEND, ActionKind.MERGER) or before == 0:
            return
        after = action.base_after(before)
        wanted = np.ones(len(prices))
        wanted[column] = after
        self.daily.base[row, column] = int(grid.nearest(wanted)[column])
        prices[column] *= after / before
        volumes[column] *= before / after

    def _run(self, row: int) -> None:
        """Let a scripted session run and take its bars from what happened."""
        daily = self.daily
        self.script.planned[row] = daily.copy_of(row)
        bars = self.act(row)
        live = bars.volume.sum(axis=0) > 0
        first = bars.traded.argmax(axis=0)
        columns, base = np.arange(len(live)), daily.base[row]
        daily.volume[row] = bars.volume.sum(axis=0)
        daily.open[row] = np.where(live, bars.open[first, columns], base)
        daily.high[row] = np.where(live, np.where(bars.traded, bars.high, 0).max(axis=0), base)
        daily.low[row] = np.where(live, np.where(bars.traded, bars.low, np.iinfo(np.int64).max).min(axis=0), base)
        daily.close[row] = np.where(live, bars.close[-1], base)


def drop_gone(daily: DailyTable, row: int, day: dt.date, gone: Mapping[int, dt.date]) -> None:
    """Take names that have left the list out of a session."""
    for column, last in gone.items():
        if day >= last:
            for part in daily.columns().values():
                part[row, column] = 0
