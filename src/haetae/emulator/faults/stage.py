"""What the effects of faults act upon: the exchange behind the wire, two clocks, and orders to the shell.

Here: ``Stage`` with its conditions (what is dark, muted, hidden now), what was put off until later, and the commands
that only the shell can carry out on ports and sockets. Pure: the clocks are asked, never read from the machine.
Not here: which fault does what (the effects), who decides when (``engine``).
"""

from __future__ import annotations

import copy
import datetime as dt
import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from haetae.domain.account import Book
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.accounts import Account, OrderRow
from haetae.emulator.board import Board
from haetae.emulator.faults.entries import Timebase
from haetae.emulator.gate import Gate
from haetae.emulator.hub import Hub, Line
from haetae.emulator.market import Shock, World
from haetae.emulator.tls import Certificate
from haetae.kis.wire.operations import Mode


class Exchange(Protocol):
    """The part of the emulator's core that effects use."""

    board: Board
    gate: Gate
    hub: Hub
    world: World
    accounts: dict[tuple[Mode, str, str], Account]

    @property
    def now(self) -> Instant:
        """The instant up to which everything has happened."""

    def flush(self) -> None:
        """Hand notices of accounts over to the sessions."""

    def add_shock(self, shock: Shock) -> None:
        """Script a move of the market that lies ahead."""

    def number_next(self, mode: Mode, number: int) -> None:
        """Let the next order of a domain have a number."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time on one of the two clocks, in seconds."""

    base: Timebase
    at_s: float


@dataclass(frozen=True, slots=True)
class Shut:
    """Close ports until the time of a clock: connections are refused, kept ones end with their answer."""

    doors: tuple[str, ...]
    until: Moment


@dataclass(frozen=True, slots=True)
class Show:
    """Show another certificate, until the time of a clock (none: to the end)."""

    certificate: Certificate
    until: Moment | None


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close a session with a code; 1006 is without a word."""

    line: Line
    code: int


@dataclass(frozen=True, slots=True)
class StopReading:
    """Leave a session's socket open and never look at it again."""

    line: Line


_GRAIN_NS = 128
"""Half the distance of two neighbouring floats of nanoseconds since 1970."""
Command: TypeAlias = Shut | Show | HangUp | StopReading
FOREVER = Moment(Timebase.REAL, float("inf"))


@dataclass(slots=True)
class Flap:
    """Sessions end soon after they begin."""

    until: Moment
    every_s: float
    base: Timebase
    code: int


@dataclass(slots=True)
class Hidden:
    """An order that the lists do not show yet; ``before`` is the book and the count of executions at its ack."""

    until: Moment
    row: OrderRow
    before: tuple[Book, int] | None


class Stage:
    """The emulator as an effect sees it."""

    def __init__(self, exchange: Exchange, beat: Callable[[], float]) -> None:
        """Take the core, and the machine's seconds as a function."""
        self.exchange = exchange
        self._beat = beat
        self.commands: list[Command] = []
        self.dark: dict[str, tuple[Moment, bool]] = {}
        """Doors behind which nothing is answered: until when, and whether what came is served afterwards."""
        self.muted: dict[Line, Moment] = {}
        """Sessions that get nothing at all."""
        self.dataless: dict[Line, Moment] = {}
        """Sessions that get no data, but heart beats."""
        self.held: dict[Line, list[str]] = {}
        """Frames that wait for the next one to go first."""
        self.flaps: list[Flap] = []
        self.born: dict[Line, Mapping[Timebase, float]] = {}
        self.pings: tuple[Moment, int] | None = None
        """Heart beats are withheld (0), or come so many a second, until a moment."""
        self.hidden: list[Hidden] = []
        self.parts: dict[str, list[int]] = {}
        """By intent: quantities in which the next fills of an order come."""
        self.closed_days: dict[dt.date, Instant] = {}
        """Days on which the exchange does not open before an instant, whatever the calendar says."""
        self._later: dict[Timebase, list[tuple[float, int, Callable[[], None]]]] = {base: [] for base in Timebase}
        self._by_market = self._later[Timebase.MARKET]
        self._order = 0

    def clock(self, base: Timebase) -> float:
        """Return the seconds of a clock."""
        return self._beat() if base is Timebase.REAL else self.exchange.now / NS_PER_SECOND

    def after(self, seconds: float, base: Timebase) -> Moment:
        """Return the moment some seconds from now."""
        return Moment(base, self.clock(base) + seconds)

    def waits(self, moment: Moment) -> bool:
        """Whether a moment lies ahead."""
        return self.clock(moment.base) < moment.at_s

    def later(self, seconds: float, base: Timebase, action: Callable[[], None]) -> None:
        """Do something after some seconds of a clock."""
        self._order += 1
        heapq.heappush(self._later[base], (self.clock(base) + seconds, self._order, action))

    def next_due(self) -> Instant | None:
        """Return the market instant of the next thing that was put off."""
        waiting = self._by_market
        if not waiting:
            return None
        at_s = waiting[0][0]
        due = round(at_s * NS_PER_SECOND)
        while due / NS_PER_SECOND < at_s:  # seconds since 1970 are not exact to the nanosecond: never before its time
            due += _GRAIN_NS
        return due

    def do_due(self, base: Timebase) -> None:
        """Do what was put off until now."""
        waiting = self._later[base]
        while waiting and waiting[0][0] <= self.clock(base):
            heapq.heappop(waiting)[2]()

    def is_dark(self, door: str) -> bool | None:
        """Return none where a door is lit, else whether what comes to it is served afterwards."""
        found = self.dark.get(door)
        if found is None:
            return None
        if not self.waits(found[0]):
            del self.dark[door]
            if found[1]:
                self.exchange.gate.flood(self.exchange.now)
            return None
        return found[1]

    def view(self, account: Account) -> Account:
        """Return an account as its lists and its balance show it: without what is hidden still."""
        self.hidden = [item for item in self.hidden if self.waits(item.until)]
        hidden = [item for item in self.hidden if any(row is item.row for row in account.rows)]
        if not hidden:
            return account
        shown = copy.copy(account)
        shown.rows = [row for row in account.rows if not any(row is item.row for item in hidden)]
        before = next((item.before for item in hidden if item.before is not None), None)
        if before is not None:
            shown.book, shown.executions = before[0], account.executions[: before[1]]
        return shown
