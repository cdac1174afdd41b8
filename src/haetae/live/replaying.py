"""Replay is a test: the day's events must give the day's commands again, byte for byte."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from haetae.desk import DeskState, step
from haetae.domain import codec
from haetae.krx import Rulebook
from haetae.live.recovery import COMMAND, EVENT, day_entries, opening_desk
from haetae.ports import Journal


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A command that came out differently; an empty side means it is missing there."""

    seq: int
    journalled: str
    replayed: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay compared; ``mismatches`` keeps the first few."""

    events: int
    commands: int
    mismatches: tuple[Mismatch, ...]
    desk: DeskState

    @property
    def identical(self) -> bool:
        """Whether every command came out the same."""
        return not self.mismatches


def replay(journal: Journal, desk: DeskState, rules: Rulebook, *, keep: int = 10) -> Replay:
    """Fold a day's events again and compare every command.

    Parameters
    ----------
    desk : the initial desk of that day: same settings, lessons and warm-up; the books come from the journal.
    rules : the rulebook of the day.
    keep : mismatches to keep in full.
    """
    state, events, commands = desk, 0, 0
    due: deque[str] = deque()
    wrong: list[Mismatch] = []

    def differ(seq: int, journalled: str, replayed: str) -> None:
        if len(wrong) < keep:
            wrong.append(Mismatch(seq, journalled, replayed))

    for number, (seq, _, kind, record) in enumerate(day_entries(journal, rules.day)):
        if number == 0:
            state = opening_desk(desk, record)
        elif kind == EVENT:
            for text in due:
                differ(seq, "", text)
            state, made = step(state, record, rules)
            due = deque(codec.encode(command) for command in made)
            events += 1
        elif kind == COMMAND:
            commands += 1
            journalled, replayed = codec.encode(record), due.popleft() if due else ""
            if journalled != replayed:
                differ(seq, journalled, replayed)
    for text in due:
        differ(-1, "", text)
    return Replay(events, commands, tuple(wrong), state)
