"""All bars of a market, past and to come, and what a script does to it.

Here: ``World``: daily bars, the course of any session on demand, minutes of a name, indices, the list of a day.
A clock decides how much of it may be seen (``board``). Everything is a function of the bars, the seed and the
interventions. Not here: where the bars come from (``market``, ``replay``).

What is kept in memory is bounded: the course of a few sessions, the minutes of some, single columns of more.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind, Market
from haetae.emulator.bridge import MinuteBars
from haetae.emulator.course import run_course
from haetae.emulator.grid import Grid
from haetae.emulator.indices import (
    BASE_POINTS,
    IndexTable,
    index_levels,
    index_minutes,
    index_path,
    index_table,
    make_exact,
)
from haetae.emulator.interventions import Intervention, Notice, Shock, check, first_day
from haetae.emulator.register import Register
from haetae.emulator.retelling import Retelling, Script, drop_gone, file_script
from haetae.emulator.stage import Course, Stage
from haetae.emulator.tables import DailyTable
from haetae.krx import Rulebook
from haetae.krx.interruptions import narrow_by_kind
from haetae.krx.limits import UNBOUNDED

_COURSES, _MINUTES, _COLUMNS = 3, 12, 2_000
"""Kept: whole courses (10 MB each for 240 names), minutes of all names (4 MB), minutes of one (16 kB)."""
_INDEXED = frozenset({Kind.COMMON, Kind.PREFERRED, Kind.REIT})
_MARKET_OF = {"0001": Market.KOSPI, "1001": Market.KOSDAQ}

Recorded = Callable[[int, Int64Array, Int64Array, Int64Array], Int64Array]
"""Puts recorded prints of a row's session into prices and volumes; returns the columns it filled."""
Minute = tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int64Array]
"""Open, high, low, close and volume of one name's bars."""

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class World:
    """One market; ``script`` is the only change it knows."""

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        days: tuple[dt.date, ...],
        daily: DailyTable,
        *,
        key: int,
        first_live: dt.date | None = None,
        recorded: Recorded | None = None,
        notices: Iterable[Notice] = (),
    ) -> None:
        """Take bars as they are.

        ``recorded`` may put known prints over the bridged ones of a day; flags of the instruments hold from
        ``first_live`` on (from the first day by default); ``notices`` belong to the market itself.
        """
        self.instruments = instruments
        self.symbols = tuple(item.symbol for item in instruments)
        self.by_symbol = {item.symbol: item for item in instruments}
        self.column = {symbol: place for place, symbol in enumerate(self.symbols)}
        self.days = days
        self.row = {day: place for place, day in enumerate(days)}
        self.daily = daily.copy()
        self.key = key
        self.first_live = first_live or days[0]
        self.listed_row: Int64Array = (daily.base > 0).argmax(axis=0)
        self.script = Script()
        self._natural = tuple(notices)
        self.register = Register(instruments, self.first_live, self._natural)
        self._first = daily
        self._recorded = recorded
        self._places = tuple((item.kind, item.market) for item in instruments)
        self._classes = tuple(dict.fromkeys(self._places))
        self._grids: dict[tuple[int, tuple[int, ...]], Grid] = {}
        self._courses: OrderedDict[int, Course] = OrderedDict()
        self._minutes: OrderedDict[int, MinuteBars] = OrderedDict()
        self._single: OrderedDict[tuple[int, int], Minute] = OrderedDict()
        self.members = self._index_members()
        self.narrow = self._narrow_names()
        for row, day in enumerate(days):
            drop_gone(self.daily, row, day, self._gone())
        self._factors: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        self._fallen: BoolArray = np.zeros(len(days), dtype=bool)
        self.indices: Mapping[str, IndexTable] = self._index_tables()

    def grid(self, day: dt.date) -> Grid:
        """Return the tick grid of a day over this market's names."""
        rules = Rulebook.on(day)
        tables = tuple(id(rules.tick_table(*place)[0]) for place in self._classes)
        found = self._grids.get((rules.limit_bp, tables))
        if found is None:
            found = self._grids[rules.limit_bp, tables] = Grid(rules, self._places)
        return found

    def instruments_on(self, row: int) -> tuple[Instrument, ...]:
        """Return all names as they stand on a session, in the order of the columns."""
        return self.register.on(self.days[row])

    def limits(self, row: int) -> tuple[Int64Array, Int64Array]:
        """Return the lowest and highest valid prices of a session; 0 where a name is not listed."""
        day, base = self.days[row], self.daily.base[row]
        lower, upper = self.grid(day).limits(base)
        for column in np.flatnonzero(self._fresh(row)).tolist():
            edges = Rulebook.on(day).listing_day_limits(int(base[column]), *self._places[column])
            lower[column], upper[column] = edges
        for column, item in enumerate(self.instruments_on(row)):
            if item.flags and "liquidation" in item.flags and base[column] > 0:
                lower[column], upper[column] = 1, UNBOUNDED
        return lower, upper

    def _fresh(self, row: int) -> BoolArray:
        """Names whose first day this is."""
        return (self.listed_row == row) & (row > 0) & (self.daily.base[row] > 0)

    def _stage(self, row: int, *, whole: bool = True) -> Stage:
        rules, recorded = Rulebook.on(self.days[row]), self._recorded
        lower, upper = self.limits(row)
        without = rules.vi is not None and not rules.vi.on_listing_day
        return Stage(
            day=self.days[row],
            seed=self.key,
            rules=rules,
            grid=self.grid(self.days[row]),
            instruments=self.instruments_on(row),
            bars=self.script.planned.get(row) or self.daily.day(row),
            lower=lower,
            upper=upper,
            narrow=self.narrow,
            free=self._fresh(row) if without else np.zeros(len(self.symbols), dtype=bool),
            weights={market: self.weights(code, row) for code, market in _MARKET_OF.items()} if whole else {},
            moves=self.script.moves.get(row, ()),
            stops=self.script.stops.get(row, ()),
            recorded=None if recorded is None else lambda price, volume, places: recorded(row, price, volume, places),
        )

    def course(self, row: int) -> Course:
        """Return the course of a session; the same one at every call."""
        return _kept(self._courses, row, _COURSES, lambda: run_course(self._stage(row)))

    def minutes(self, row: int) -> MinuteBars:
        """Return the minute bars of a session; the same ones at every call."""
        return _kept(self._minutes, row, _MINUTES, lambda: self.course(row).bars)

    def minutes_of(self, row: int, column: int) -> Minute:
        """Return one name's minutes of a session, without making those of all others where that can be."""
        if row in self._minutes or row in self._courses or self.script.acts(row) or self._fallen[row]:
            bars = self.minutes(row)
            parts = (bars.open, bars.high, bars.low, bars.close, bars.volume)
            return (
                parts[0][:, column],
                parts[1][:, column],
                parts[2][:, column],
                parts[3][:, column],
                parts[4][:, column],
            )
        return _kept(self._single, (row, column), _COLUMNS, lambda: self._alone(row, column))

    def _alone(self, row: int, column: int) -> Minute:
        bars = run_course(self._stage(row, whole=False), np.array([column])).bars
        return bars.open[:, 0], bars.high[:, 0], bars.low[:, 0], bars.close[:, 0], bars.volume[:, 0]

    def times(self, row: int) -> tuple[Int64Array, Int64Array]:
        """Return the edges of a session's minute bars."""
        return Rulebook.on(self.days[row]).session.minute_edges()

    def weights(self, code: str, row: int) -> NDArray[np.float64]:
        """Return base price x shares of an index's members on a session, 0 for other names."""
        found = np.zeros(len(self.symbols))
        listed = self.instruments_on(row)
        for column in self.members[code].tolist():
            found[column] = float(self.daily.base[row, column]) * listed[column].shares_outstanding
        return found

    def index_path(self, code: str, row: int) -> NDArray[np.float64]:
        """Return an index's move from its level before a session, at each row of the tape."""
        return index_path(self.course(row).price, self.daily.base[row], self.weights(code, row))

    def index_minutes(self, code: str, row: int) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
        """Return open, high, low and close of an index's minutes, points x 100."""
        return index_minutes(self.index_levels(code, row))

    def index_levels(self, code: str, row: int) -> Int64Array:
        """Return the level of an index at each step of each minute, ``(n_minutes, STEPS)``, points x 100."""
        exact, table, course = self._settle_index(row), self.indices[code], self.course(row)
        known = self._levels.get(code)
        if known is not None and known[0] is course:  # a script that changes a day gives it another course
            return known[1]
        levels = index_levels(self.index_path(code, row), len(self.times(row)[0]), table, row, exact=exact)
        levels.flags.writeable = False
        self._levels[code] = (course, levels)
        return levels

    def index_bar(self, code: str, row: int) -> tuple[int, int, int, int, int]:
        """Return open, high, low, close (points x 100) and volume of an index on a session."""
        self._settle_index(row)
        table = self.indices[code]
        parts = (table.open, table.high, table.low, table.close, table.volume)
        return int(parts[0][row]), int(parts[1][row]), int(parts[2][row]), int(parts[3][row]), int(parts[4][row])

    def _settle_index(self, row: int) -> bool:
        """Make a session's index bars exact if the clock may run through it, and say so."""
        if row < self.row.get(self.first_live, 0) and not self._fallen[row]:
            return False
        if row not in self._exact:
            self._exact.add(row)
            for code, table in self.indices.items():
                make_exact(table, row, self.index_path(code, row))
        return True

    def intervene(self, event: Intervention) -> None:
        """Let something happen; its day and all later days follow from it.

        Raises
        ------
        MarketRuleError
            If no market could do it, or the day is no session of this one.
        """
        check(event, frozenset(self.symbols))
        if first_day(event) not in self.row:
            raise _no_session(first_day(event), self.days)
        planned = self.script.planned
        self.script = file_script((*self.script.lines, event), self.days)
        self.register = Register(self.instruments, self.first_live, [*self._natural, *self.script.notices()])
        first = self.row[first_day(event)]
        self.script.planned.update({row: bars for row, bars in planned.items() if row < first})
        self._forget(first)
        for name, part in self.daily.columns().items():
            part[first:] = self._first.columns()[name][first:]
        Retelling(
            days=self.days,
            first=self._first,
            daily=self.daily,
            script=self.script,
            actions=self.script.actions,
            column=self.column,
            grid=self.grid,
            limits=self.limits,
            gone=self._gone(),
            act=lambda row: self.course(row).bars,
            factors=self._factors,
        ).tell(first)
        self.indices = self._index_tables()

    def add_shock(self, shock: Shock) -> None:
        """Script a move; the day and all later days follow from it."""
        self.intervene(shock)

    def _forget(self, first: int) -> None:
        for cache in (self._courses, self._minutes):
            for row in [row for row in cache if row >= first]:
                del cache[row]
        for key in [key for key in self._single if key[0] >= first]:
            del self._single[key]

    def _gone(self) -> dict[int, dt.date]:
        leaving = self.register.leaving()
        return {self.column[symbol]: day for symbol, day in leaving.items() if symbol in self.column}

    def _index_members(self) -> Mapping[str, Int64Array]:
        found: dict[str, Int64Array] = {}
        for code, market in _MARKET_OF.items():
            mine = [p for p, item in enumerate(self.instruments) if item.market is market and item.kind in _INDEXED]
            found[code] = np.array(mine, dtype=np.int64)
        commons = [p for p in found["0001"].tolist() if self.instruments[p].kind is Kind.COMMON]
        base = self.daily.base[self.row.get(self.first_live, 0)]
        value = {p: int(base[p]) * self.instruments[p].shares_outstanding for p in commons}
        most = min(200, (len(commons) + 1) // 2)
        largest = sorted(commons, key=lambda p: (-value[p], self.symbols[p]))[:most]
        found["2001"] = np.array(sorted(largest), dtype=np.int64)
        return found

    def _narrow_names(self) -> BoolArray:
        found = np.array([narrow_by_kind(item.kind, item.name) for item in self.instruments], dtype=bool)
        found[self.members["2001"]] = True
        return found

    def _index_tables(self) -> Mapping[str, IndexTable]:
        columns = self.daily.columns()
        shares = self.register.share_table(self.days)
        tables = {
            code: index_table(columns, self.members[code], shares[:, self.members[code]], points)
            for code, points in BASE_POINTS.items()
        }
        self._fallen = self._may_have_tripped(shares)
        self._exact: set[int] = set()
        self._levels: dict[str, tuple[Course, Int64Array]] = {}
        return tables

    def _may_have_tripped(self, shares: NDArray[np.float64]) -> BoolArray:
        """Sessions on which an index might have fallen as far as its breaker, were all lows at one time."""
        falls = np.array([_first_fall(day) for day in self.days])
        found = np.zeros(len(self.days), dtype=bool)
        for code in _MARKET_OF:
            members = self.members[code]
            base = self.daily.base[:, members]
            weight = np.where(base > 0, base * shares[:, members], 0.0)
            total = weight.sum(axis=1)
            low = np.divide(self.daily.low[:, members], base, out=np.ones(base.shape), where=base > 0)
            lowest = np.divide((weight * low).sum(axis=1), total, out=np.ones(len(base)), where=total > 0)
            found |= lowest <= 1.0 - falls
        return found


def _first_fall(day: dt.date) -> float:
    rules = Rulebook.on(day).breaker
    return rules.levels[0].fall_bp / 10_000 if rules else 2.0


def _kept(cache: OrderedDict[_Key, _Value], key: _Key, most: int, make: Callable[[], _Value]) -> _Value:
    """Return a value of a cache, made if it is not there; the least used goes when there are too many."""
    found = cache.get(key)
    if found is None:
        found = cache[key] = make()
        while len(cache) > most:
            cache.popitem(last=False)
    else:
        cache.move_to_end(key)
    return found


def _no_session(day: dt.date, days: tuple[dt.date, ...]) -> MarketRuleError:
    return MarketRuleError(
        Text(ko=f"{day} 은(는) 이 시장의 거래일이 아닙니다", en=f"{day} is no session of this market"),
        expected=f"a session from {days[0]} to {days[-1]}",
        found=str(day),
        next_step=Text(ko="시장 기간 안의 거래일을 고르세요", en="choose a session of the market"),
    )
