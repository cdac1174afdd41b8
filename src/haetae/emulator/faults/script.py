"""A script of faults: TOML tables to typed records, every mistake told at once.

Here: ``Fault`` with its ``Where`` and ``When``, reading and checking. Not here: which faults there are (``catalogue``),
what they do. A table reads

    [[fault]]
    id = "T03"                                  # what happens
    where = { operation = "order-cash-buy" }    # to which calls, streams, symbols
    when = { call = 3, at = "10:05:00" }        # from the third such call at or after 10:05 KST
    what = { how = "reset" }                    # how exactly
    times = 1                                   # how often, 0 without end
    chance = 0.5                                # with which probability each time
    seed = 7                                    # dice of this fault
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import NS_PER_DAY, Instant, day_of, instant_at
from haetae.emulator.faults.catalogue import BY_ID, CATALOGUE
from haetae.emulator.faults.entries import Entry, Site, Timebase
from haetae.emulator.faults.occasions import GROUPS, OPERATION_NAMES
from haetae.kis.wire.frames import STREAMS
from haetae.kis.wire.operations import Mode


class State(Enum):
    """A state of accounts, market or lines that a fault may wait for; looked at on the account and symbol of ``where``.

    ``ORDERED``, ``CANCELED``: an order, a cancel was taken today. ``ORDER_OPEN``: an order may still fill.
    ``PARTLY_FILLED``: an open order has filled in part. ``FILLED``: an order has filled whole. ``HOLDING``: shares are
    held. ``SUBSCRIBED``: a session has a registration. ``CONTINUOUS``, ``AUCTION``, ``CLOSED``: the market's phase.
    """

    ORDERED = "ordered"
    ORDER_OPEN = "order-open"
    PARTLY_FILLED = "partly-filled"
    FILLED = "filled"
    CANCELED = "canceled"
    HOLDING = "holding"
    SUBSCRIBED = "subscribed"
    CONTINUOUS = "continuous"
    AUCTION = "auction"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment of the market: a time of day, on one day or, without one, on every day."""

    hhmmss: int
    day: dt.date | None = None

    def next_at(self, now: Instant) -> Instant | None:
        """Return the first such moment at or after an instant; none where its day has passed."""
        if self.day is not None:
            at = instant_at(self.day, self.hhmmss)
            return at if at >= now else None
        today = instant_at(day_of(now), self.hhmmss)
        return today if today >= now else today + NS_PER_DAY

    def passed(self, now: Instant) -> bool:
        """Whether the moment lies behind (of today, where it has no day)."""
        return now >= instant_at(self.day or day_of(now), self.hhmmss)


@dataclass(frozen=True, slots=True)
class Where:
    """Which calls, frames and accounts a fault means; an empty part means all."""

    operation: tuple[str, ...] = ()
    tr: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    stream: tuple[str, ...] = ()
    symbol: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    app_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """From when on a fault may strike; all parts that are given must hold.

    ``call`` and ``frame`` count matching calls and data frames from 1; ``every`` takes each n-th of them.
    """

    call: int = 0
    frame: int = 0
    every: int = 1
    at: Clock | None = None
    until: Clock | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One table of a script; ``times`` 0 is without end, ``line`` 0 means that it came without a file."""

    entry: Entry
    where: Where = Where()
    when: When = When()
    what: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    chance: float = 1.0
    seed: int = 0
    timebase: Timebase = Timebase.REAL
    line: int = 0


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with a script."""

    line: int
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"line {self.line}: {self.place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Script:
    """All faults of one file."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


_FAULT_NAMES = ("id", "where", "when", "what", "times", "chance", "seed", "clock")
_WHEN_NAMES = ("call", "frame", "every", "at", "until", "state")
_CLOCK = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[T ])?(\d{1,2}):(\d{2})(?::(\d{2}))?$")


def read_script(path: Path) -> Script:
    """Return the script of a file; raises ``ConfigError`` that lists every mistake."""
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not UTF-8"
        raise _unusable(path, [Mistake(0, "file", "a TOML file", str(reason))]) from fault
    script, mistakes = check_script(content)
    if mistakes:
        raise _unusable(path, mistakes)
    return script


def _unusable(path: Path, mistakes: list[Mistake]) -> ConfigError:
    return ConfigError(
        Text(
            ko=f"장애 스크립트에 잘못이 {len(mistakes)}곳 있습니다: {path}",
            en=f"the fault script has {len(mistakes)} mistake(s): {path}",
        ),
        expected=Text(
            ko="[[fault]] 표; `haetae emulator faults list` 참고", en="[[fault]] tables; see `… faults list`"
        ),
        found="\n    - ".join(["", *map(str, mistakes)]),
        next_step=f"haetae emulator faults check {path}",
    )


def check_script(content: str) -> tuple[Script, list[Mistake]]:
    """Return what a text says and everything that is wrong with it; with a mistake the script is empty."""
    try:
        tree = tomllib.loads(content)
    except tomllib.TOMLDecodeError as fault:
        number = re.search(r"line (\d+)", str(fault))
        return Script(), [Mistake(int(number[1]) if number else 0, "TOML", "valid TOML", str(fault))]
    mistakes = [
        Mistake(_line_of(content, name), name, "seed, [[fault]]", name)
        for name in tree
        if name not in ("seed", "fault")
    ]
    seed, tables = tree.get("seed", 0), tree.get("fault", [])
    if not _whole(seed):
        mistakes.append(Mistake(_line_of(content, "seed"), "seed", "a whole number", repr(seed)))
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.append(Mistake(_line_of(content, "fault"), "fault", "[[fault]] tables", repr(tables)[:60]))
        tables = []
    if not tables and not mistakes:
        mistakes.append(Mistake(0, "file", "at least one [[fault]]", "none"))
    blocks = _blocks(content, len(tables))
    faults: list[Fault] = []
    for place, (table, block) in enumerate(zip(tables, blocks, strict=True), start=1):
        read, found = read_fault(table, f"fault {place}", block)
        mistakes += found
        faults += [read] if read else []
    return (Script(), mistakes) if mistakes else (Script(tuple(faults), seed), [])


class Block:
    """Where the lines of one table stand in its file."""

    def __init__(self, first: int = 0, lines: tuple[str, ...] = ()) -> None:
        """Keep the lines from the table's head on."""
        self.first = first
        self._lines = lines

    def line_of(self, name: str) -> int:
        """Return the line that names a key, else that of the table's head."""
        for offset, line in enumerate(self._lines):
            if re.search(rf"(?<![\w\"-]){re.escape(name)}\"?\s*(=|\])", line.split("#")[0]):
                return self.first + offset
        return self.first


def _blocks(content: str, wanted: int) -> list[Block]:
    lines = content.splitlines()
    heads = [place for place, line in enumerate(lines) if re.match(r"\s*\[\[\s*fault\s*\]\]", line)]
    if len(heads) != wanted or not heads:
        return [Block() for _ in range(wanted)]
    ends = [*heads[1:], len(lines)]
    return [Block(head + 1, tuple(lines[head:end])) for head, end in zip(heads, ends, strict=True)]


def _line_of(content: str, name: str) -> int:
    return Block(1, tuple(content.splitlines())).line_of(name)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def read_fault(
    table: Mapping[str, Any], label: str = "fault", block: Block | None = None
) -> tuple[Fault | None, list[Mistake]]:
    """Return the fault of one table, or none and everything that is wrong with it."""
    notes = _Notes(label, block or Block())
    name = str(table.get("id", ""))
    entry = BY_ID.get(name)
    if entry is None:
        notes.add("id", f"{CATALOGUE[0].id} … {CATALOGUE[-1].id}", repr(table.get("id", "")), near=(name, BY_ID))
    for name in table:
        if name not in _FAULT_NAMES:
            notes.add(name, ", ".join(_FAULT_NAMES), name, near=(name, _FAULT_NAMES))
    where, when = _where(table.get("where", {}), notes), _when(table.get("when", {}), notes)
    times, chance, seed = (
        table.get("times", entry.times if entry else 1),
        table.get("chance", 1.0),
        table.get("seed", 0),
    )
    if not _whole(times) or times < 0:
        notes.add("times", "a whole number from 0 (0: without end)", repr(times))
    if isinstance(chance, bool) or not isinstance(chance, int | float) or not 0.0 < chance <= 1.0:
        notes.add("chance", "a number above 0, at most 1", repr(chance))
    if not _whole(seed):
        notes.add("seed", "a whole number", repr(seed))
    clock = table.get("clock", (entry.timebase if entry else Timebase.REAL).value)
    if clock not in {base.value for base in Timebase}:
        notes.add("clock", " | ".join(base.value for base in Timebase), repr(clock))
    what = _what(table.get("what", {}), entry, notes) if entry else {}
    if entry is None or notes.mistakes:
        return None, sorted(notes.mistakes, key=lambda mistake: mistake.line)
    _agree(entry, where, when, notes)
    if notes.mistakes:
        return None, notes.mistakes
    return Fault(entry, where, when, what, times, float(chance), seed, Timebase(clock), notes.block.first), []


class _Notes:
    """Mistakes of one table, each with its line."""

    def __init__(self, label: str, block: Block) -> None:
        self.label = label
        self.block = block
        self.mistakes: list[Mistake] = []

    def add(
        self,
        place: str,
        expected: str,
        found: str,
        *,
        near: tuple[str, Iterable[str]] | None = None,
    ) -> None:
        guess = difflib.get_close_matches(near[0], list(near[1]), n=1) if near else []
        hint = f" (did you mean {guess[0]}?)" if guess else ""
        line = self.block.line_of(place.rpartition(".")[2])
        self.mistakes.append(Mistake(line, f"{self.label}: {place}", expected, f"{found}{hint}"))


def _where(given: Any, notes: _Notes) -> Where:
    if not isinstance(given, Mapping):
        notes.add("where", "a table", repr(given)[:60])
        return Where()
    parts: dict[str, tuple[str, ...]] = {}
    for name, value in given.items():
        if name not in Where.__slots__:
            notes.add(f"where.{name}", ", ".join(Where.__slots__), name, near=(name, tuple(Where.__slots__)))
            continue
        items = value if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) and item for item in items):
            notes.add(f"where.{name}", "a text, or a list of texts", repr(value)[:60])
            continue
        parts[name] = tuple(items)
        known = _KNOWN.get(name, ())
        for item in items if known else ():
            if item not in known:
                notes.add(f"where.{name}", ", ".join(known), repr(item), near=(item, known))
    for symbol in parts.get("symbol", ()):
        if len(symbol) != 6 or not symbol.isalnum():
            notes.add("where.symbol", "a code of 6 characters", repr(symbol))
    return Where(**parts)


_KNOWN: Mapping[str, tuple[str, ...]] = {
    "operation": (*GROUPS, *OPERATION_NAMES),
    "domain": tuple(mode.value for mode in Mode),
    "stream": tuple(STREAMS),
}


def _when(given: Any, notes: _Notes) -> When:
    if not isinstance(given, Mapping):
        notes.add("when", "a table", repr(given)[:60])
        return When()
    parts: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _WHEN_NAMES:
            notes.add(f"when.{name}", ", ".join(_WHEN_NAMES), name, near=(name, _WHEN_NAMES))
        elif name in ("call", "frame", "every"):
            parts[name] = value
            if not _whole(value) or value < 1:
                notes.add(f"when.{name}", "a whole number from 1", repr(value))
        elif name == "state":
            try:
                parts[name] = State(value)
            except ValueError:
                states = tuple(state.value for state in State)
                notes.add("when.state", ", ".join(states), repr(value), near=(str(value), states))
        else:
            parts[name] = _clock(value)
            if parts[name] is None:
                notes.add(f"when.{name}", '"10:05:00" or "2026-11-23T10:05:00" (KST)', repr(value))
    if "call" in parts and "frame" in parts:
        notes.add("when.frame", "either call or frame", "both")
    return When(**parts) if not notes.mistakes else When()


def _clock(value: Any) -> Clock | None:
    """Return the moment of a text or of a TOML time."""
    match = _CLOCK.match(value.isoformat().split(".")[0] if isinstance(value, dt.time | dt.datetime) else str(value))
    if match is None:
        return None
    try:
        day = dt.date.fromisoformat(match[1]) if match[1] else None
        moment = dt.time(int(match[2]), int(match[3]), int(match[4] or 0))
    except ValueError:
        return None
    return Clock(moment.hour * 10_000 + moment.minute * 100 + moment.second, day)


def _what(given: Any, entry: Entry, notes: _Notes) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        notes.add("what", "a table", repr(given)[:60])
        return entry.defaults()
    names = tuple(param.name for param in entry.params)
    for name, value in given.items():
        param = entry.param(name)
        if param is None:
            notes.add(f"what.{name}", ", ".join(names) or f"{entry.id} takes nothing", name, near=(name, names))
        elif param.fault_of(value):
            notes.add(f"what.{name}", param.accepts, repr(value)[:60])
    return {**entry.defaults(), **given}


def _agree(entry: Entry, where: Where, when: When, notes: _Notes) -> None:
    """Refuse what is well formed and can never happen."""
    if when.frame and entry.site not in (Site.FRAME, Site.STRIKE):
        notes.add("when.frame", f"call, at or state ({entry.id} does not strike at frames)", "frame")
    if when.call and entry.site in (Site.FRAME, Site.ACK):
        notes.add("when.call", f"frame, at or state ({entry.id} does not strike at calls)", "call")
    if where.stream and entry.site in (Site.ARRIVAL, Site.AHEAD, Site.BEHIND) and not entry.streams:
        notes.add("where.stream", f"operation, tr or path ({entry.id} strikes at calls)", "stream")
    if entry.needs == "calendar":
        notes.add("id", f"no script: {entry.example}", entry.id)
    if entry.needs == "symbol" and not where.symbol:
        notes.add("where.symbol", f"a symbol ({entry.id} needs one)", "none")
