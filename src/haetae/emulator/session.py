"""One trading day of a world as the emulator lives through it: tape, limits, auctions, interruptions, evening.

Here: ``Session``, made once a day from the course of that day; in which state a name is at an instant; what its
auctions expect. Not here: the instant itself (``board``), how the course came about (``course``).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol

import numpy as np

from haetae.domain.market import BoolArray, Int64Array, Market, Phase
from haetae.domain.units import Instant, Won
from haetae.emulator.auctions import AuctionPath, Expected, draw_path
from haetae.emulator.evening import OffMarket, Scene, open_window
from haetae.emulator.holds import Call, ViEvent
from haetae.emulator.stage import Course, Pause
from haetae.emulator.tape import Tape
from haetae.emulator.world import World
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours, OffHoursWindow
from haetae.krx.interruptions import periodic_min


class Standing(Enum):
    """In which state a name is; orders are taken in all but the first three."""

    CLOSED = "closed"
    HALTED = "halted"
    BREAKER = "breaker"
    OPENING_AUCTION = "opening_auction"
    CONTINUOUS = "continuous"
    VI = "vi"
    CALL = "call"
    """A call auction within the day for another reason: after a halt or a breaker, or periodic."""
    CLOSING_AUCTION = "closing_auction"
    AFTERMARKET = "aftermarket"


AUCTIONS = frozenset({Standing.OPENING_AUCTION, Standing.VI, Standing.CALL, Standing.CLOSING_AUCTION})
"""States in which orders wait for one price."""


class Printed(Protocol):
    """Prints of a market with what stands beside them, as streams and orders meet them.

    ``in_minutes`` tells whether four rows of the tape are a minute.
    """

    day: dt.date
    rules: Rulebook
    base: Int64Array
    tape: Tape
    in_minutes: bool

    def best(self, row: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return best ask, best bid and the size of each after a row."""
        ...


@dataclass(frozen=True, slots=True)
class Quotes:
    """Best ask and bid of all names after a tape row and the size of each; 0 where there is none."""

    ask: Int64Array
    bid: Int64Array
    size: Int64Array


class Session:
    """The tape, limits and rules of one trading day of a world."""

    def __init__(self, world: World, row: int) -> None:
        """Build the session of a row of the world's days."""
        self.row = row
        self.day = world.days[row]
        self.rules = Rulebook.on(self.day)
        self.base: Int64Array = world.daily.base[row].copy()
        self.base_prices: dict[str, Won] = dict(zip(world.symbols, self.base.tolist(), strict=True))
        self.instruments = world.instruments_on(row)
        self.course: Course = world.course(row)
        self.tape = Tape.of(self.course)
        self.in_minutes = True
        self.grid = world.grid(self.day)
        self.lower, self.upper = world.limits(row)
        self.by_symbol = dict(zip(world.symbols, self.instruments, strict=True))
        self.limits: dict[str, tuple[Won, Won]] = dict(
            zip(world.symbols, zip(self.lower.tolist(), self.upper.tolist(), strict=True), strict=True)
        )
        self.usual: Int64Array = np.maximum(1, world.daily.volume[max(row - 1, 0)] // 2_000)
        planned = world.script.planned.get(row)
        self.halted: BoolArray = ((world.daily.volume[row] if planned is None else planned.volume) == 0) | np.array(
            ["halted" in item.flags for item in self.instruments], dtype=bool
        )
        self._periodic = [periodic_min(self.day, item.flags, item.market) for item in self.instruments]
        self._world = world
        self._best: dict[int, Quotes] = {}
        self._calls: dict[int, list[Call]] = defaultdict(list)
        self._events: dict[int, list[ViEvent]] = defaultdict(list)
        self._pauses: dict[int, list[Pause]] = defaultdict(list)
        for call in self.course.calls:
            self._calls[call.column].append(call)
        for event in self.course.events:
            self._events[event.column].append(event)
        for pause in self.course.pauses:
            for column in [pause.column] if pause.column >= 0 else self._of(pause.market):
                self._pauses[column].append(pause)
        self._paths: dict[tuple[int, Instant], AuctionPath] = {}
        self._opened: dict[OffHours, OffMarket] = {}

    def _of(self, market: Market | None) -> list[int]:
        return [column for column, item in enumerate(self.instruments) if item.market is market]

    @property
    def windows(self) -> tuple[OffHoursWindow, ...]:
        """The markets outside the regular session, ascending by their start."""
        return tuple(w for w in self.rules.off_hours() if w.hours is not OffHours.SINGLE_PRICE)

    def window_at(self, at: Instant) -> OffHoursWindow | None:
        """Return the market outside the regular session that is open at an instant."""
        return next((window for window in self.windows if window.holds(at)), None)

    def off_market(self, hours: OffHours) -> OffMarket | None:
        """Return a market outside the regular session, made when first asked for; none where the day has none."""
        window = next((window for window in self.windows if window.hours is hours), None)
        if window is None:
            return None
        if hours not in self._opened:
            self._opened[hours] = open_window(self._scene(hours), window)
        return self._opened[hours]

    def _scene(self, hours: OffHours) -> Scene:
        early = hours is OffHours.BEFORE_OPEN
        daily, row = self._world.daily, self.row
        usual = daily.volume[max(row - 1, 0)] if early else daily.volume[row]
        stopped = np.array([any(p.until == 0 for p in self._pauses[c]) for c in range(len(self.base))], dtype=bool)
        return Scene(
            seed=self._world.key,
            rules=self.rules,
            grid=self.grid,
            instruments=self.instruments,
            price=self.base if early else self.tape.price[-1],
            usual=np.where(self.halted | ((not early) & stopped) | (self.base == 0), 0, usual),
            lower=self.lower,
            upper=self.upper,
            narrow=self._world.narrow,
        )

    def standing(self, column: int, at: Instant) -> Standing:
        """Return the state of a name at an instant of this day."""
        hours = self.rules.session
        if self.base[column] <= 0:
            return Standing.CLOSED
        phase = hours.phase_at(at)
        late = self.course.released.get(column, 0)
        if phase is Phase.CLOSED:
            return Standing.CLOSING_AUCTION if hours.close_at <= at < late else Standing.CLOSED
        if self.halted[column]:
            return Standing.HALTED
        pause = self.pause_at(column, at)
        if pause is not None and not (pause.call_from and at >= pause.call_from):
            return Standing.BREAKER if pause.level else Standing.HALTED
        if phase is Phase.AFTERMARKET:
            return self._in_the_evening(column, at)
        if phase is Phase.CLOSING_AUCTION:
            return Standing.CLOSING_AUCTION
        if self.vi_at(column, at) is not None:
            return Standing.VI
        if phase is Phase.OPENING_AUCTION:
            return Standing.OPENING_AUCTION
        in_call = pause is not None or bool(self._periodic[column])
        return Standing.CALL if in_call else Standing.CONTINUOUS

    def _in_the_evening(self, column: int, at: Instant) -> Standing:
        window = self.window_at(at)
        if window is None or self.instruments[column].kind in window.without:
            return Standing.CLOSED
        return Standing.VI if self.vi_at(column, at) is not None else Standing.AFTERMARKET

    def pause_at(self, column: int, at: Instant) -> Pause | None:
        """Return the halt or breaker a name is in, its call auction included."""
        found = None
        for pause in self._pauses.get(column, ()):
            if pause.at <= at and (pause.until == 0 or at < pause.until):
                found = pause
        return found

    def vi_at(self, column: int, at: Instant) -> ViEvent | None:
        """Return the VI a name is in."""
        events = self._evening(at).events if self._is_evening(at) else self._events.get(column, ())
        return next((e for e in events if e.column == column and e.at <= at < e.released_at), None)

    def call_at(self, column: int, at: Instant) -> Call | None:
        """Return the call auction within the day that a name is in."""
        calls = self._evening(at).calls if self._is_evening(at) else self._calls.get(column, ())
        return next((call for call in calls if call.column == column and call.since <= at < call.until), None)

    def _is_evening(self, at: Instant) -> bool:
        return self.rules.session.phase_at(at) is Phase.AFTERMARKET

    def _evening(self, at: Instant) -> OffMarket:
        found = self.off_market(OffHours.AFTERMARKET)
        assert found is not None, f"the phase of {at} says there is an aftermarket"
        return found

    @cached_property
    def opening(self) -> AuctionPath:
        """Expected prices of the opening auction, of all names."""
        hours = self.rules.session
        first = self.tape.volume[0]
        traded = self.tape.volume > 0
        row = traded.argmax(axis=0)
        columns = np.arange(len(self.base))
        soon = (row < 40) & traded.any(axis=0)
        volume = np.where(first > 0, first, np.where(soon, self.tape.volume[row, columns], 0))
        ends = (self.base, np.where(soon, self.tape.price[row, columns], self.base), volume)
        return self._path(("opening", self.day), (hours.orders_from, hours.open_at), ends)

    @cached_property
    def closing(self) -> AuctionPath:
        """Expected prices of the closing auction, of all names."""
        hours = self.rules.session
        start = int(np.searchsorted(self.tape.end, hours.auction_from, side="right"))
        ends = (self.tape.price[start - 1], self.tape.price[-1], self.tape.volume[start:].sum(axis=0))
        return self._path(("closing", self.day), (hours.auction_from, hours.close_at), ends)

    def _path(
        self, words: tuple[object, ...], span: tuple[Instant, Instant], ends: tuple[Int64Array, Int64Array, Int64Array]
    ) -> AuctionPath:
        return draw_path(words, self._world.key, span, ends, (self.lower, self.upper), self.grid)

    def call_path(self, call: Call) -> AuctionPath:
        """Return the expected prices of a call auction within the day, one column."""
        key = (call.column, call.since)
        found = self._paths.get(key)
        if found is None:
            column = np.array([call.column])
            ends = (np.array([call.before]), np.array([call.price]), np.array([call.volume]))
            words = ("call", self.day, self.instruments[call.column].symbol, call.since)
            edges, span = (self.lower[column], self.upper[column]), (call.since, call.until)
            found = draw_path(words, self._world.key, span, ends, edges, self.grid.take(column))
            self._paths[key] = found
        return found

    def expected(self, column: int, at: Instant) -> Expected | None:
        """Return what a name's auction expects at an instant; none outside auctions or before its first tick."""
        standing = self.standing(column, at)
        hours = self.rules.session
        if standing is Standing.OPENING_AUCTION:
            return _told(self.opening, column, at, hours.orders_from, hours.open_at)
        if standing is Standing.CLOSING_AUCTION:
            until = self.course.released.get(column, hours.close_at)
            return _told(self.closing, column, at, hours.auction_from, until)
        if standing not in AUCTIONS:
            return None
        call = self.call_at(column, at)
        return _told(self.call_path(call), 0, at, call.since, call.until) if call is not None else None

    def best(self, row: int) -> tuple[Int64Array, Int64Array, Int64Array]:
        """Return best ask, best bid and the size of each after a tape row; 0 beyond a limit or at a lock."""
        found = self._best.get(row)
        if found is None:
            self._best = {row: self._top(row)}
            found = self._best[row]
        return found.ask, found.bid, found.size

    def _top(self, row: int) -> Quotes:
        return self.quotes(self.tape.price[row], row)

    def quotes(self, price: Int64Array, row: int) -> Quotes:
        """Return best ask and bid around prices, by rule; one side is empty at a daily limit."""
        columns = np.arange(len(price))
        above = price + self.grid.tick(price)
        ask = np.where((row + 1 + columns) % 2 == 1, price, above)
        bid = ask - self.grid.tick(np.maximum(ask - 1, 1))
        ask = np.where((ask > self.upper) | (price >= self.upper), 0, ask)
        bid = np.where(price >= self.upper, price, bid)
        ask = np.where(price <= self.lower, price, ask)
        bid = np.where((bid < self.lower) | (price <= self.lower), 0, bid)
        size = 1 + self.usual * (1 + ((row + 1) * 7 + columns * 3) % 9) // 4
        return Quotes(ask, bid, size)


def _told(path: AuctionPath, column: int, at: Instant, since: Instant, until: Instant) -> Expected | None:
    row = path.row(at)
    if row < 0:
        return None
    return Expected(int(path.price[row, column]), int(path.volume[row, column]), since, until)
