"""Recorded minutes of a lake as prints of a session.

Here: ``RecordedMinutes``, which puts a name's minute rows over its bridged prints where they add up to the daily
bar exactly. A bar becomes four prints: open, the two extremes in the order its direction suggests, close. A
recorded day has whatever interruptions it had: none is put in. Not here: bridging (``bridge``).
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict

import numpy as np

from haetae.domain.market import Int64Array
from haetae.emulator.bridge import STEPS
from haetae.emulator.tables import PRICES, DailyTable
from haetae.krx import Rulebook
from haetae.ports import BarLake

_DAYS_KEPT, _MONTHS_KEPT = 2, 64
"""Reads kept: whole days (4 MB for 240 names), months of one name (0.3 MB)."""

Part = dict[str, Int64Array]
"""``start``, the four prices and ``volume`` of one name's traded minutes, ascending."""


class RecordedMinutes:
    """Minute rows of a lake by session and name."""

    def __init__(self, lake: BarLake, symbols: tuple[str, ...], daily: DailyTable, days: tuple[dt.date, ...]) -> None:
        """Read along with the daily bars of the same lake."""
        self._lake = lake
        self._symbols = symbols
        self._daily = daily
        self._days = days
        self._by_day: OrderedDict[dt.date, dict[str, Part]] = OrderedDict()
        self._by_month: OrderedDict[tuple[str, int, int], dict[dt.date, Part]] = OrderedDict()
        self.present = "minute" in lake.versions()

    def __call__(self, row: int, price: Int64Array, volume: Int64Array, columns: Int64Array) -> Int64Array:
        """Fill prints ``(n_rows, len(columns))`` of a session in place; returns the columns that were filled."""
        start, _ = Rulebook.on(self._days[row]).session.minute_edges()
        filled = []
        for place, column in enumerate(columns.tolist()):
            part = self._part(row, column, whole=len(columns) == len(self._symbols))
            if part is None or not self._adds_up(row, column, part, start):
                continue
            bars = np.searchsorted(start, part["start"])
            price[:, place], volume[:, place] = cut(part, bars, len(start))
            filled.append(column)
        return np.array(filled, dtype=np.int64)

    def _part(self, row: int, column: int, *, whole: bool) -> Part | None:
        day, symbol = self._days[row], self._symbols[column]
        if whole:
            if day not in self._by_day:
                self._by_day[day] = {
                    one: parts[day] for one, parts in self._read(list(self._symbols), day, day).items()
                }
                while len(self._by_day) > _DAYS_KEPT:
                    self._by_day.popitem(last=False)
            return self._by_day[day].get(symbol)
        key = (symbol, day.year, day.month)
        if key not in self._by_month:
            first = day.replace(day=1)
            last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
            self._by_month[key] = self._read([symbol], first, last).get(symbol, {})
            while len(self._by_month) > _MONTHS_KEPT:
                self._by_month.popitem(last=False)
        return self._by_month[key].get(day)

    def _read(self, symbols: list[str], start: dt.date, end: dt.date) -> dict[str, dict[dt.date, Part]]:
        rows = self._lake.read("minute", symbols=symbols, start=start, end=end)
        names = np.array(rows.column("symbol").to_pylist())
        days = np.array(rows.column("day").to_numpy(), dtype="datetime64[D]")
        values = {name: rows.column(name).to_numpy() for name in ("start", *PRICES, "volume")}
        found: dict[str, dict[dt.date, Part]] = {}
        for symbol in sorted(set(names.tolist())):
            for day in np.unique(days[names == symbol]).tolist():
                mine = (names == symbol) & (days == np.datetime64(day)) & (values["volume"] > 0)
                order = np.argsort(values["start"][mine], kind="stable")
                found.setdefault(symbol, {})[day] = {name: part[mine][order] for name, part in values.items()}
        return found

    def _adds_up(self, row: int, column: int, part: Part, start: Int64Array) -> bool:
        place = np.searchsorted(start, part["start"])
        if not len(place) or place[-1] >= len(start) or not np.array_equal(start[place], part["start"]):
            return False
        day = self._daily.day(row)
        told = (part["open"][0], part["high"].max(), part["low"].min(), part["close"][-1], part["volume"].sum())
        wanted = (day.open, day.high, day.low, day.close, day.volume)
        return all(int(a) == int(b[column]) for a, b in zip(told, wanted, strict=True))


def cut(part: Part, bars: Int64Array, count: int) -> tuple[Int64Array, Int64Array]:
    """Return prices and volumes ``(count * STEPS,)`` of the prints of some bars of a session."""
    price, volume = np.zeros((count, STEPS), dtype=np.int64), np.zeros((count, STEPS), dtype=np.int64)
    rising = part["close"] >= part["open"]
    low_first = (np.where(rising, part["low"], part["high"]), np.where(rising, part["high"], part["low"]))
    for step, column in enumerate((part["open"], *low_first, part["close"])):
        price[bars, step] = column
        volume[bars, step] = part["volume"] // STEPS
    volume[bars, 0] += part["volume"] % STEPS
    for place, bar in enumerate(bars.tolist()):
        if part["volume"][place] < STEPS:
            volume[bar] = _few(int(part["volume"][place]), price[bar].tolist())
        if bar == count - 1 and part["high"][place] == part["low"][place]:
            volume[bar] = (0, 0, 0, int(part["volume"][place]))
    return price.ravel(), volume.ravel()


def _few(shares: int, prices: list[int]) -> tuple[int, ...]:
    """Give one to three shares to the prints that the bar's prices need: open, close, then extremes of their own."""
    opened, close = prices[0], prices[-1]
    extremes = [step for step in (1, 2) if not min(opened, close) <= prices[step] <= max(opened, close)]
    wanted = [0] + ([3] if close != opened or extremes else []) + extremes
    given = [0] * STEPS
    for step in (wanted * STEPS)[:shares]:
        given[step] += 1
    return tuple(given)
