"""The real desk, journal entries and recovery around a lossy broker, without tasks: one call, one thing that happens.

The order of things for an event is the driver's: write the event, step, write the commands (on the disk before an
order leaves), perform. A crash may come between any two of them, and takes what was not on the disk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from haetae.desk import DeskSettings, DeskState, event_at, open_desk, step
from haetae.domain import codec
from haetae.domain.events import (
    AccountSnapshot,
    Cancel,
    DeskEvent,
    ManualOrder,
    Note,
    OperatorCommand,
    OperatorState,
    SessionStart,
    SetTimer,
    Submit,
)
from haetae.domain.market import Slice
from haetae.domain.orders import ClearedOrder, Filled, Side
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant
from haetae.krx import Rulebook, next_trading_day
from haetae.ledger import open_book
from haetae.live import Handover, handover_of, latest_handover
from haetae.live.handover import RUN
from haetae.live.readings import days_to_read
from haetae.live.recovery import COMMAND, EVENT, closing_note, in_flight, opening_note, recover
from rigs.desk_day import DAY, loose, session_start
from rigs.lossy_broker import LossyBroker, Row, Send

CASH = 100_000_000
SYMBOLS = ("000100", "000110", "000120", "000130")
PRICE = 10_000


class Crash(Enum):
    """Where the process may die in one turn of its loop."""

    BEFORE_EVENT = 0
    AFTER_EVENT = 1
    AFTER_COMMANDS = 2
    AFTER_SEND = 3


class Died(Exception):
    """The process is gone; ``OrderDesk.restart`` comes back."""


class ListJournal:
    """Entries as canonical text; ``crash`` takes what was not durable."""

    def __init__(self) -> None:
        self._entries: list[tuple[Instant, str, str]] = []
        self._safe = 0

    def append(self, kind: str, records: Any, *, durable: bool) -> int:
        self._entries += [(at, kind, codec.encode(record)) for at, record in records]
        if durable:
            self.flush()
        return len(self._entries)

    def flush(self) -> None:
        self._safe = len(self._entries)

    @property
    def head(self) -> tuple[int, str]:
        return len(self._entries), ""

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        for seq, (at, found, text) in enumerate(self._entries[after:], start=after + 1):
            if kind is None or kind == found:
                yield seq, at, found, codec.decode(text)

    def verify(self) -> int:
        return len(self._entries)

    def crash(self) -> None:
        del self._entries[self._safe :]


def start_of(day: dt.date) -> SessionStart:
    """A morning of the names."""
    return session_start(SYMBOLS, day, base=PRICE)


@dataclass
class OrderDesk:
    """A desk on a lossy broker. ``at`` is the only clock; ``how`` is the end of the next sends."""

    settings: DeskSettings = field(default_factory=lambda: loose(max_order_ppm=50_000))
    broker: LossyBroker = field(default_factory=lambda: LossyBroker(CASH))
    day: dt.date = DAY
    journal: ListJournal = field(default_factory=ListJournal)
    how: Send = Send.TAKEN
    lose_cancels: bool = False
    crash_at: Crash | None = None
    notes: list[Note] = field(default_factory=list)
    submits: list[tuple[OperatorState, Submit]] = field(default_factory=list)
    timers: list[Instant] = field(default_factory=list)
    asked: int = 0
    turns: int = 0

    def __post_init__(self) -> None:
        self.rules = Rulebook.on(self.day)
        self.at = self.rules.session.open_at + 10 * NS_PER_MINUTE
        self.desk = self._fresh()
        self.begin()

    def _fresh(self) -> DeskState:
        handed = latest_handover(self.journal) or Handover(open_book(CASH))
        return handed.to(open_desk(self.settings, handed.book))

    def begin(self) -> None:
        """Start is recovery: fold the day, settle what was on its way, read the account."""
        recovered = recover(self.journal, self.desk, self.rules)
        if recovered is None:
            self.journal.append(RUN, [(self.at, opening_note(self.day, handover_of(self.desk), self.at))], durable=True)
        else:
            self.desk = recovered.desk
            self.journal.append(COMMAND, [(recovered.last_at, c) for c in recovered.unwritten], durable=True)
            self.notes += [command for command in recovered.unwritten if isinstance(command, Note)]
        if recovered is None or not recovered.session_started:
            self.handle(start_of(self.day))
        for event in in_flight(self.desk, self.at):
            self.handle(event)
        self.read(first=True)
        self.minute()

    def handle(self, event: DeskEvent) -> None:
        """One turn of the driver's loop."""
        self._die(Crash.BEFORE_EVENT)
        at = event_at(event)
        before = self.desk.operator
        self.turns += 1
        self.journal.append(EVENT, [(at, event)], durable=False)
        after, commands = step(self.desk, event, self.rules)
        leaves = any(isinstance(command, Submit | Cancel) for command in commands)
        if leaves and self.crash_at is Crash.AFTER_EVENT:
            self.journal.flush()
            self._die(Crash.AFTER_EVENT)
        self.desk = after
        self.journal.append(COMMAND, [(at, command) for command in commands], durable=leaves)
        if leaves:
            self._die(Crash.AFTER_COMMANDS)
        for command in commands:
            match command:
                case Note():
                    self.notes.append(command)
                case Submit(order=order):
                    self.submits.append((before, command))
                    self._send(order)
                case Cancel(intent_id=intent_id):
                    self._cancel(intent_id)
                case SetTimer(at=due, name="reconcile"):
                    self.timers.append(due)
                case _:
                    pass

    def _die(self, point: Crash) -> None:
        if self.crash_at is point:
            self.crash_at = None
            raise Died(point.name)

    def _send(self, order: ClearedOrder) -> None:
        answer = self.broker.send(order, self.at, self.how)
        self._die(Crash.AFTER_SEND)
        self.handle(answer)

    def _cancel(self, intent_id: str) -> None:
        order = self.desk.blotter.orders[intent_id]
        if order.order_id is None or order.status.terminal:
            return
        answer = self.broker.answer_cancel(intent_id, order.order_id, self.at)
        self._die(Crash.AFTER_SEND)
        if not self.lose_cancels:
            self.handle(answer)

    def crash(self) -> None:
        """The process dies between two turns and comes back."""
        self.restart()

    def restart(self) -> None:
        """Come back after a death: what was not on the disk is gone."""
        self.journal.crash()
        self.timers.clear()
        self.broker.late.clear()
        self.crash_at = None
        self.desk = open_desk(self.settings, open_book(CASH))
        self.begin()

    def wish(self, symbol: str, side: Side, quantity: int = 10, price: int = PRICE) -> str:
        """A decided order (by hand, which passes the same guards); returns its intent id, empty if it was refused."""
        self.asked += 1
        before = set(self.desk.blotter.orders)
        self.handle(ManualOrder(self.at, f"R{self.asked}", symbol, side, quantity, price, "owner", "test"))
        made = [name for name in self.desk.blotter.orders if name not in before]
        return made[0] if made else ""

    def operate(self, state: OperatorState) -> None:
        self.handle(OperatorCommand(self.at, state, "owner", "drill"))

    def read(self, *, first: bool = False) -> None:
        """A complete reading of the account."""
        days = days_to_read(self.desk, self.day, first=first)
        self.handle(self.broker.reading(self.at, days, first=first))

    def wait(self, seconds: float) -> None:
        """Let time pass: timers make readings when they are due, and a minute that ended is told."""
        end = self.at + round(seconds * NS_PER_SECOND)
        while due := [at for at in self.timers if at <= end]:
            self.at = max(self.at, min(due))
            self.timers = [at for at in self.timers if at > self.at]
            self.read()
        self.at = end
        self.minute()

    def minute(self) -> None:
        """Tell the newest closed minute, if it is inside the session and new."""
        hours = self.rules.session
        end = self.at // NS_PER_MINUTE * NS_PER_MINUTE
        if not hours.open_at < end <= hours.close_at or end <= self.desk.tape.price_at:
            return
        flat = np.full(len(SYMBOLS), PRICE, np.int64)
        volume, traded = np.full(len(SYMBOLS), 100_000, np.int64), np.ones(len(SYMBOLS), np.bool_)
        self.handle(Slice(end - NS_PER_MINUTE, end, SYMBOLS, flat, flat, flat, flat, volume, traded))

    def claimed(self, row: Row) -> str:
        """Return the intent whose number a row has, empty for a row nobody claims."""
        for name, order in self.desk.blotter.orders.items():
            if order.order_id == row.order_id:
                return name
        return ""

    def notice(self, row: Row, part: int, *, times: int = 1) -> None:
        """Tell an execution as the adapter would of an order it follows; ``times`` 0 loses it, 2 repeats it."""
        name = self.claimed(row)
        if name and part:
            event: Filled = self.broker.told_of(row, name, self.at, part)
            for _ in range(times):
                self.handle(event)

    def late_answers(self) -> None:
        """Answers that come after their time-out (T05)."""
        while self.broker.late:
            self.handle(self.broker.late.pop(0))

    def next_day(self, *, closed: bool = True) -> None:
        """End the day, in order or by a death nobody came back from, and begin the next in a new process."""
        if closed:
            self.at = max(self.at, self.rules.session.close_at + 180 * NS_PER_SECOND)
            self.broker.end_of_day()
            self.read()
            self.journal.append(RUN, [(self.at, closing_note(self.day, handover_of(self.desk), self.at))], durable=True)
        else:
            self.journal.crash()
            self.broker.end_of_day()
        self.day = next_trading_day(self.day)
        self.rules = Rulebook.on(self.day)
        self.at = self.rules.session.open_at + 10 * NS_PER_MINUTE
        self.broker.new_day()
        self.broker.late.clear()
        self.timers.clear()
        self.desk = self._fresh()
        self.begin()

    def told(self, kind: str) -> list[Note]:
        """Notes of one kind so far."""
        return [note for note in self.notes if note.kind == kind]

    def status(self, intent_id: str) -> str:
        return self.desk.blotter.orders[intent_id].status.value


__all__ = ["CASH", "PRICE", "SYMBOLS", "AccountSnapshot", "Crash", "Died", "OrderDesk", "Row", "Send"]
