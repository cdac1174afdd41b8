"""A journal of a million entries with the mix of a real day.

One day of fifty symbols is traded by the desk itself (every guard, the offline rules reviewing every leg, the simulated
exchange) and every event and command is written down as the live driver does. The day is then repeated under other
names: decisions, orders and the broker's numbers carry the number of their copy, so that every copy has rows of its
own. The last day is the recorded one as it is, so that the desk can fold it again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eventing import ours
from eventing.workload import CASH, make_panel

from haetae import agent
from haetae.backtest.episode import run_episode
from haetae.desk import DeskState, ReviewMode, event_at, open_desk
from haetae.domain import codec
from haetae.domain.decisions import AgentReply, Brief
from haetae.domain.events import Command, DeskEvent
from haetae.domain.units import Instant
from haetae.journal.chain import GENESIS, Entry, link
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.live.handover import RUN, handover_of
from haetae.live.recovery import COMMAND, EVENT, closing_note, opening_note

_NAMED = re.compile(r'("(?:decision_id|intent_id|leg_id|proposal_id|number|order_id|request_id)":")(?=[^"{])')
"""Where a text names something that belongs to its own day."""
_EVERY = 60
"""Minutes between decisions: with it a third of the entries are slices, as on a demo's days."""


@dataclass(frozen=True, slots=True)
class Day:
    """A recorded day: ``(kind, instant, text)`` in order, the desk it began with and its rules."""

    entries: tuple[tuple[str, Instant, str], ...]
    desk: DeskState
    rules: Rulebook

    def mix(self) -> dict[str, int]:
        """Return how many entries of each type a day has."""
        kinds = (text[6 : text.find('"', 6)] for _, _, text in self.entries)
        return dict(Counter(kinds).most_common())


def record_day() -> Day:
    """Trade one day and write it down."""
    panel = make_panel(1)
    (session,) = ours.sessions(panel)
    settings = replace(ours.settings(ReviewMode.ASK), decision_minutes=_EVERY)
    desk = open_desk(settings, open_book(CASH))
    day = session.rules.day
    kept: list[tuple[str, Instant, str]] = []

    def keep(kind: str, at: Instant, record: object) -> None:
        kept.append((kind, at, codec.encode(record)))

    def record(event: DeskEvent, commands: tuple[Command, ...]) -> None:
        at = event_at(event)
        keep(EVENT, at, event)
        for command in commands:
            keep(COMMAND, at, command)

    def rules_of_the_house(brief: Brief, at: Instant) -> AgentReply:
        return AgentReply(brief.leg.leg_id, at, agent.DECIDER, agent.answer(brief))

    keep(RUN, session.start.at, opening_note(day, handover_of(desk), session.start.at))
    track = run_episode(desk, ours.venue(panel), [session], ours.Cross(), rules_of_the_house, record)
    closed = session.rules.session.close_at
    keep(RUN, closed, closing_note(day, handover_of(track.desk), closed))
    return Day(tuple(kept), desk, session.rules)


def repeated(day: Day, entries: int) -> Iterator[Entry]:
    """Yield at least so many entries, chained: copies under other names, the day as it was at the end."""
    pieces = [(kind, at, _NAMED.split(text)) for kind, at, text in day.entries]
    copies = -(-entries // len(pieces))
    previous, seq = GENESIS, 0
    for copy in range(copies, 0, -1):
        tag = f"{copy:05d}-" if copy > 1 else ""
        for kind, at, parts in pieces:
            seq += 1
            text = _tagged(parts, tag)
            previous = link(previous, seq, at, kind, text)
            yield Entry(seq, at, kind, text, previous)


def _tagged(parts: list[str], tag: str) -> str:
    if len(parts) == 1 or not tag:
        return "".join(parts)
    return "".join(part + tag if place % 2 else part for place, part in enumerate(parts))
