"""A fault of a script at work: what it has met, how often it struck, and its own dice.

Here: ``Armed``, which decides whether an occasion is one. Not here: what happens then (the effects).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from haetae.domain.units import Instant, hhmmss_of
from haetae.emulator.accounts import Account, OrderRow
from haetae.emulator.faults.occasions import Occasion
from haetae.emulator.faults.script import Fault, State, When, Where
from haetae.emulator.faults.stage import Stage

_REMEMBERED = 20
"""Strikes whose time and object are kept for the counters."""


@dataclass(slots=True)
class Armed:
    """One fault at work.

    ``seen`` counts the occasions that fit ``where`` while time and state fitted, ``fired`` those that were struck.
    ``memory`` is what its effect keeps between two strikes. ``due`` is the next time of a fault that waits for one.
    """

    key: int
    fault: Fault
    dice: np.random.Generator
    seen: int = 0
    fired: int = 0
    due: Instant | None = None
    was_in_state: bool = False
    last: deque[tuple[Instant, str]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether it has struck as often as it should."""
        return 0 < self.fault.times <= self.fired

    def meets(self, occasion: Occasion, stage: Stage) -> bool:
        """Whether this occasion is struck; counts it, and rolls the dice where chance is asked for."""
        fault = self.fault
        if self.spent or not fits(fault, occasion) or not in_time(fault.when, fault.where, stage):
            return False
        self.seen += 1
        if not counted(fault.when, self.seen):
            return False
        if fault.chance < 1.0 and self.dice.random() >= fault.chance:
            return False
        self.strike(stage.exchange.now, occasion.what)
        return True

    def strike(self, now: Instant, what: str) -> None:
        """Count a strike."""
        self.fired += 1
        self.last.append((now, what))

    def report(self) -> dict[str, Any]:
        """Return the counters."""
        fault = self.fault
        return {
            "key": self.key,
            "id": fault.entry.id,
            "line": fault.line,
            "seen": self.seen,
            "fired": self.fired,
            "left": max(0, fault.times - self.fired) if fault.times else None,
            "last": [{"at": at, "clock": f"{hhmmss_of(at):06d}", "what": what} for at, what in self.last],
        }


def counted(when: When, seen: int) -> bool:
    """Whether the n-th matching occasion is one to strike at."""
    first = when.call or when.frame or when.every
    return seen >= first and (seen - first) % when.every == 0


def in_time(when: When, where: Where, stage: Stage) -> bool:
    """Whether time and state fit now."""
    now = stage.exchange.now
    if when.at is not None and not when.at.passed(now):
        return False
    if when.until is not None and when.until.passed(now):
        return False
    return when.state is None or holds(when.state, where, stage)


def fits(fault: Fault, occasion: Occasion) -> bool:
    """Whether an occasion is among those a fault means."""
    where, entry = fault.where, fault.entry
    if occasion.stream:
        streams = where.stream or entry.streams
        if streams and occasion.stream not in streams:
            return False
    else:
        operations = where.operation or (() if where.tr or where.path else entry.operations)
        if operations and occasion.names.isdisjoint(operations):
            return False
        if (where.tr and occasion.tr not in where.tr) or (where.path and occasion.path not in where.path):
            return False
    if where.symbol and occasion.symbols.isdisjoint(where.symbol):
        return False
    return (
        (not where.domain or occasion.mode.value in where.domain)
        and (not where.account or occasion.account in where.account)
        and (not where.app_key or occasion.app_key in where.app_key)
    )


def holds(state: State, where: Where, stage: Stage) -> bool:
    """Whether a state holds now, for the accounts and symbols of ``where``."""
    exchange = stage.exchange
    match state:
        case State.CONTINUOUS:
            return exchange.board.phase.value == "continuous"
        case State.AUCTION:
            return exchange.board.phase.value.endswith("auction")
        case State.CLOSED:
            return exchange.board.phase.value == "closed"
        case State.SUBSCRIBED:
            return any(line.registrations for line in exchange.hub.lines)
        case State.HOLDING:
            held = [symbol for account in _accounts(where, stage) for symbol in account.book.positions]
            return any(not where.symbol or symbol in where.symbol for symbol in held)
    return any(_row_holds(state, row) for account in _accounts(where, stage) for row in _rows(account, where, stage))


def _accounts(where: Where, stage: Stage) -> list[Account]:
    return [
        account
        for (mode, number, _), account in stage.exchange.accounts.items()
        if (not where.account or number in where.account) and (not where.domain or mode.value in where.domain)
    ]


def _rows(account: Account, where: Where, stage: Stage) -> list[OrderRow]:
    today = stage.exchange.board.session.day
    return [row for row in account.rows if row.day == today and (not where.symbol or row.symbol in where.symbol)]


def _row_holds(state: State, row: OrderRow) -> bool:
    match state:
        case State.ORDERED:
            return row.change == "0"
        case State.ORDER_OPEN:
            return row.working
        case State.PARTLY_FILLED:
            return row.working and row.filled > 0
        case State.FILLED:
            return row.filled == row.quantity
        case State.CANCELED:
            return row.change == "2"
    return False
