"""Days around the desk on the simulated exchange: the reference run, slow and complete.

The same ``desk.step`` as the live day, with its plan of legs, agent's review, guards and escape; only
who performs the commands differs. ``episode`` is a generator that pauses where the policy is asked,
so a backtest and a learning environment are the same lines. For thousands of accounts or long
panels use ``engine`` (target weights on ``sim.batch``), which has no desk.

Time is the slice's end; the broker answers at once. Each session: ``SessionStart`` with a snapshot
of the account, phases and slices in order, expiry at the close, a last snapshot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from haetae import desk as desks
from haetae import sim
from haetae.backtest.result import Result
from haetae.desk import DeskState
from haetae.desk.step import event_at
from haetae.domain.decisions import AgentReply, Brief, Proposal, View
from haetae.domain.events import (
    AccountSnapshot,
    AskAgent,
    AskPolicy,
    Cancel,
    Command,
    DeskEvent,
    Note,
    Replace,
    SessionStart,
    SetTimer,
    Submit,
)
from haetae.domain.market import PhaseChange, Slice
from haetae.domain.orders import Filled
from haetae.domain.units import Instant, Shares, Won, yyyymmdd
from haetae.krx import Rulebook
from haetae.policies.strategy import check as check_proposal
from haetae.ports import Policy
from haetae.sim import Venue

Decide: TypeAlias = Callable[[Brief, Instant], AgentReply | None]
"""The agent in simulation: rules or recorded replies; None means no answer came."""
Check: TypeAlias = Callable[[Proposal, View], None]
Record: TypeAlias = Callable[[DeskEvent, tuple[Command, ...]], None]


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: its morning, its rules, its slices in order."""

    start: SessionStart
    rules: Rulebook
    slices: Iterable[Slice]


@dataclass(slots=True)
class Track:
    """State and path of the account while the days go by; one row per slice, known at its end."""

    desk: DeskState
    venue: Venue
    days: list[int] = field(default_factory=list)
    rows: list[tuple[Won, Won, Won, Won, Won, Won]] = field(default_factory=list)
    orders: int = 0
    ordered: Shares = 0
    filled: Shares = 0

    def note(self, day: int) -> None:
        """Write down equity, cash and the cumulative figures of the book."""
        book = self.desk.book
        self.days.append(day)
        self.rows.append((self.desk.equity, book.cash, book.fees, book.taxes, book.bought, book.sold))

    def result(self, name: str) -> Result:
        """Return the path as a ``Result``; raises ``ValueError`` before the first slice."""
        if not self.rows:
            raise ValueError("an episode without slices has no result")
        columns = np.array(self.rows, dtype=np.int64).T.copy()
        symbols = self.desk.tape.symbols
        return Result(
            name=name,
            symbols=symbols,
            days=np.array(self.days, np.int32),
            initial_cash=self.desk.book.deposits,
            equity=columns[0],
            cash=columns[1],
            fees=columns[2],
            taxes=columns[3],
            bought=columns[4],
            sold=columns[5],
            shares=np.array([self.desk.book.quantity(s) for s in symbols], np.int64),
            stale_value=0,
            orders=self.orders,
            ordered=self.ordered,
            filled=self.filled,
            assumptions={f"체결 규칙 {n}": text.ko for n, text in enumerate(self.venue.model.assumptions(), start=1)},
        )


def episode(
    desk: DeskState, venue: Venue, sessions: Iterable[Session], decide: Decide, record: Record | None = None
) -> Generator[View, Proposal, Track]:
    """Live through sessions; yields each view, takes the proposal, returns the track.

    Parameters
    ----------
    desk : DeskState
        From ``open_desk``, possibly warmed.
    venue : Venue
        On any earlier day or the first one; its account must be the desk's.
    record : callable, optional
        Called with every event and the commands it caused, in order.
    """
    track = Track(desk, venue)
    for session in sessions:
        rules = session.rules
        track.venue = sim.open_day(track.venue, rules, session.start.base_prices)
        timers: list[Instant] = []
        yield from _feed(
            track, rules, (session.start, _snapshot(track.venue, session.start.at)), decide, record, timers
        )
        changes = deque(rules.session.changes())
        for piece in session.slices:
            while changes and changes[0][0] <= piece.start:
                yield from _feed(track, rules, (PhaseChange(*changes.popleft()),), decide, record, timers)
            track.venue, fills = sim.step(track.venue, piece)
            yield from _feed(track, rules, (*fills, piece), decide, record, timers)
            due = [at for at in timers if at <= piece.end]
            if due:
                timers[:] = [at for at in timers if at > piece.end]
                yield from _feed(track, rules, (_snapshot(track.venue, piece.end),), decide, record, timers)
            track.note(yyyymmdd(rules.day))
        closing = rules.session.close_at
        track.venue, expired = sim.close_day(track.venue, closing)
        yield from _feed(track, rules, (*expired, _snapshot(track.venue, closing)), decide, record, timers)
    return track


def run_episode(
    desk: DeskState,
    venue: Venue,
    sessions: Iterable[Session],
    policy: Policy,
    decide: Decide,
    record: Record | None = None,
    check: Check = check_proposal,
) -> Track:
    """Live through sessions with a policy that answers by itself; see ``episode``.

    Parameters
    ----------
    check : callable
        Called with each proposal and the view it answers before the desk sees it; raises what ends the run. A
        simulation does not go on with a proposal that cannot be meant, where the live desk refuses it and notes so.
    """
    life = episode(desk, venue, sessions, decide, record)
    try:
        view = next(life)
        while True:
            proposal = policy.propose(view)
            check(proposal, view)
            view = life.send(proposal)
    except StopIteration as end:
        track: Track = end.value
        return track


def _feed(
    track: Track,
    rules: Rulebook,
    events: Iterable[DeskEvent],
    decide: Decide,
    record: Record | None,
    timers: list[Instant],
) -> Generator[View, Proposal, None]:
    queue = deque(events)
    while queue:
        event = queue.popleft()
        track.desk, commands = desks.step(track.desk, event, rules)
        if record is not None:
            record(event, commands)
        if isinstance(event, Filled):
            track.filled += event.fill.quantity
        for command in commands:
            match command:
                case Note():
                    pass
                case AskPolicy(view=view):
                    queue.append((yield view))
                case AskAgent(brief=brief):
                    reply = decide(brief, event_at(event))
                    if reply is not None:
                        queue.append(reply)
                case Submit() | Cancel() | Replace():
                    if isinstance(command, Submit):
                        track.orders += 1
                        track.ordered += command.order.quantity
                    track.venue, replies = sim.accept(track.venue, command, event_at(event))
                    queue.extend(replies)
                case SetTimer(at=due):
                    timers.append(due)


def _snapshot(venue: Venue, at: Instant) -> AccountSnapshot:
    orders = tuple(order.report() for order in venue.orders.values())
    held = {symbol: shares for symbol, shares in venue.holdings.items() if shares}
    return AccountSnapshot(at, venue.cash, venue.orderable_cash, held, orders)
