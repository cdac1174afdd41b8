"""Start is recovery: the journal's entries of the day are folded before anything is asked or sent.

A day begins with a ``day.opened`` note that holds the opening books and the orders left of the day before. After a
crash the same day's events are folded onto the same initial desk; commands are recomputed, never performed again. What
was on its way when the process died is ``OutcomeUnknown``, to be settled by comparison with the broker.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from haetae.desk import DeskState, step
from haetae.domain import codec
from haetae.domain.errors import JournalError, Text
from haetae.domain.events import Command, Note, SessionStart
from haetae.domain.orders import OrderStatus, OutcomeUnknown
from haetae.domain.units import Instant
from haetae.krx import Rulebook
from haetae.live.handover import CLOSED, OPENED, RUN, Handover, boundary_note, handed_by
from haetae.ports import Journal, Passing, pass_by

EVENT, COMMAND = "event", "command"
"""Kinds of entries beside ``RUN``: what the desk was told, what it asked."""

RESUMED, FAILED = "run.resumed", "run.failed"


def opening_note(day: dt.date, handed: Handover, at: Instant) -> Note:
    """Return the note a trading day begins with."""
    return boundary_note(OPENED, day, handed, at)


def closing_note(day: dt.date, handed: Handover, at: Instant) -> Note:
    """Return the note a trading day ends with."""
    return boundary_note(CLOSED, day, handed, at)


def opened_at(journal: Journal, day: dt.date) -> tuple[int, Note] | None:
    """Return the sequence number and note with which a day was opened, None if it was not."""
    found = None
    for seq, _, _, record in journal.entries(kind=RUN):
        if isinstance(record, Note) and record.kind == OPENED and record.data["day"] == day.isoformat():
            found = (seq, record)
    return found


def day_entries(journal: Journal, day: dt.date) -> Iterator[tuple[int, Instant, str, Any]]:
    """Yield the entries of a day, its opening note first; nothing if the day was not opened."""
    start = opened_at(journal, day)
    if start is None:
        return
    for entry in journal.entries(after=start[0] - 1):
        record = entry[3]
        if entry[0] > start[0] and isinstance(record, Note) and record.kind == OPENED:
            return
        yield entry


def opening_desk(desk: DeskState, note: Note) -> DeskState:
    """Return the initial desk of a day with the books and orders its opening note holds."""
    return handed_by(note).to(desk)


@dataclass(frozen=True, slots=True)
class Recovered:
    """The desk after the fold, and what the journal lacks of the last event's commands."""

    desk: DeskState
    folded: int
    session_started: bool
    unwritten: tuple[Command, ...]
    last_at: Instant


def recover(journal: Journal, desk: DeskState, rules: Rulebook, passing: Passing = pass_by) -> Recovered | None:
    """Fold a day's entries; None if the day was not opened yet."""
    entries = day_entries(journal, rules.day)
    first = next(entries, None)
    if first is None:
        return None
    passing("recovery.day_found")
    state = opening_desk(desk, first[3])
    due: tuple[Command, ...] = ()
    folded, last_at, started = 0, first[1], False
    for seq, at, kind, record in entries:
        if kind == EVENT:
            if due:
                raise _diverged(seq, f"{len(due)} commands of the event before were not written")
            state, due = step(state, record, rules)
            folded, last_at = folded + 1, at
            started = started or isinstance(record, SessionStart)
        elif kind == COMMAND:
            if not due or codec.encode(due[0]) != codec.encode(record):
                raise _diverged(seq, f"{type(record).__name__} is not what the desk would ask now")
            due = due[1:]
    passing("recovery.folded")
    return Recovered(state, folded, started, due, last_at)


def in_flight(desk: DeskState, at: Instant) -> tuple[OutcomeUnknown, ...]:
    """Return an unknown outcome for every order that was being sent when the process ended."""
    sending = [o for o in desk.blotter.open_orders() if o.status is OrderStatus.SENDING]
    return tuple(OutcomeUnknown(order.intent.intent_id, at, "the process was restarted") for order in sending)


def _diverged(seq: int, found: str) -> JournalError:
    return JournalError(
        Text(
            ko="일지를 같은 명령으로 되살릴 수 없습니다",
            en="the journal does not fold to the same commands",
        ),
        expected=Text(ko="처음과 같은 설정·버전·워밍업", en="settings, version and warm-up as at the start of the day"),
        found=f"entry {seq}: {found}",
        next_step=Text(
            ko="설정과 버전을 확인하고, 필요하면 수동으로 정리하세요",
            en="check settings and version; else settle the account by hand",
        ),
    )
