"""The pace of REST calls: one budget per app key for all processes of a host, three lanes, on the injected clock.

Here: `Pacer`, which queues who waits and grants `Turn` s. Not here: the law that no window of the server ever sees more
calls than it allows (`budget`), the file that processes share (`pace_file`), what KIS allows (`limits`).
Waiters go in order of lane, those of other processes included. Within a lane questions go before orders, then by
arrival, and every other turn is an order's: a question tells what to do about an order whose answer was lost.
Trading calls take a turn of a second budget too, which KIS limits apart (EGW00215). A turn must be ended: ``answered``,
``lost``, or ``unused`` where nothing left this machine; a turn that is dropped counts as lost.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import TracebackType

from haetae.kis.budget import LOST_S, Lane, Rule
from haetae.kis.pace_file import MemoryPace, Pace, PaceStore
from haetae.ports import Clock

__all__ = ["Lane", "Pacer", "Rule", "Turn"]

_LOCK_RETRY_S = 0.001
_LOCK_TRIES = 500
"""A change takes some microseconds: a lock that is held half a second is held by a process that stands still."""
_BELIEVED_S = 0.05
"""A waiter in another process is believed this much longer than it means to sleep."""
_NUMBERS = itertools.count()


class Turn:
    """One call's place in the budgets, from the grant to the answer."""

    __slots__ = ("_pacer", "_ticket")

    def __init__(self, pacer: Pacer, ticket: str) -> None:
        """Hold the ticket, the same in both budgets; blank where the pace is infinite."""
        self._pacer = pacer
        self._ticket = ticket

    def answered(self) -> None:
        """Say that the whole answer is here: the call was counted before now."""
        self._end(0.0)

    def lost(self) -> None:
        """Say that no answer will come: the call may be counted a little later still."""
        self._end(LOST_S)

    def unused(self) -> None:
        """Say that nothing left this machine: the call will never be counted."""
        self._end(None)

    def _end(self, later_s: float | None) -> None:
        ticket, self._ticket = self._ticket, ""
        if ticket:
            self._pacer._give_back(ticket, later_s)

    def __enter__(self) -> Turn:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        """Count as lost what was not ended."""
        self.lost()


@dataclass(slots=True)
class _Waiter:
    lane: Lane
    ledger: bool
    asked_at: float
    future: asyncio.Future[Turn]


class Pacer:
    """Grants turns. Waiting is always ``clock.sleep``; nothing spins."""

    def __init__(
        self, clock: Clock, rule: Callable[[], Rule | None], *, store: PaceStore | None = None, lease_s: float = 20.0
    ) -> None:
        """Begin with nothing under way in this process.

        Parameters
        ----------
        rule : callable
            What is allowed now; None is an infinite pace (a server without limit, a driven clock nobody moves).
        store : PaceStore, optional
            Where the budgets are kept; this process alone by default.
        lease_s : float
            Longest time a call may be on the wire: the slot of a process that died is free after it.
        """
        self._clock = clock
        self._rule = rule
        self._store = store or MemoryPace()
        self._lease_s = lease_s
        self._name = f"{os.getpid()}.{next(_NUMBERS)}"
        self._tickets = itertools.count()
        self._waiting: list[tuple[Lane, bool, int, _Waiter]] = []
        self._arrivals = 0
        self._asked = False
        self._granter: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._owed: list[Callable[[Pace], None]] = []

    async def turn(self, lane: Lane, *, ledger: bool = False, asks: bool = False) -> Turn:
        """Wait for a turn of this lane and take it.

        ``ledger`` takes one of the trading calls' budget too; who ``asks`` goes before who orders in the same lane.
        """
        if self._rule() is None:
            return Turn(self, "")
        waiter = _Waiter(lane, ledger, self._clock.monotonic(), asyncio.get_running_loop().create_future())
        if not self._waiting:
            granted = await self._attempt(waiter)
            if isinstance(granted, Turn):
                return granted
        self._arrivals += 1
        heapq.heappush(self._waiting, (lane, not asks, self._arrivals, waiter))
        self._news.set()
        if self._granter is None or self._granter.done():
            self._granter = asyncio.create_task(self._grant())
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled():
                waiter.future.result().unused()
            raise

    def refused(self, *, ledger: bool, pause_s: float = 1.0) -> None:
        """Learn that KIS found the pace too high (EGW00201, or EGW00215 for trading calls)."""
        now, rule = self._clock.monotonic(), self._rule()
        if rule is not None:
            self._change(lambda pace: (pace.ledger if ledger else pace.calls).refused(rule, now, pause_s))

    def used(self) -> float:
        """Return the share of the budget that is under way now, 0 to 1; 0 for an infinite pace."""
        rule, now = self._rule(), self._clock.monotonic()
        if rule is None:
            return 0.0
        _, share = self._store.change(lambda pace: pace.calls.busy(now) / pace.calls.limit(rule, now), now)
        return share or 0.0

    async def _attempt(self, waiter: _Waiter) -> Turn | float:
        """Return a turn, or the seconds to wait for one."""
        for attempt in range(_LOCK_TRIES):
            rule, now = self._rule(), self._clock.monotonic()
            if rule is None:
                return Turn(self, "")
            work = partial(self._try, rule=rule, waiter=waiter, now=now)
            done, found = self._store.change(work, now)
            if not done and attempt == _LOCK_TRIES - 1:
                found = self._store.change_alone(work, now)
            if found is not None:
                return found
            await asyncio.sleep(_LOCK_RETRY_S)
        raise AssertionError("the last attempt needs no lock")

    def _try(self, pace: Pace, *, rule: Rule, waiter: _Waiter, now: float) -> Turn | float:
        self._settle(pace)
        lane = waiter.lane
        ahead = pace.ahead(self._name, lane, now)
        wait = pace.calls.wait_s(rule, lane, now, ahead=ahead)
        apart = Rule(rule.calls, rule.window_s, rule.calls, is_even=False)
        if waiter.ledger:
            wait = max(wait, pace.ledger.wait_s(apart, lane, now, ahead=0))
        if wait > 1e-9:
            count = sum(1 for other, *_, one in self._waiting if other is lane and not one.future.done())
            pace.waiting[self._name] = (lane, max(1, count), now + wait + _BELIEVED_S)
            return wait
        pace.waiting.pop(self._name, None)
        asked_at, lease_s = waiter.asked_at, self._lease_s
        ticket = f"{self._name}.{next(self._tickets)}"
        pace.calls.take(rule, lane, now, ticket, asked_at=asked_at, lease_s=lease_s)
        if waiter.ledger:
            pace.ledger.take(apart, lane, now, ticket, asked_at=asked_at, lease_s=lease_s)
        return Turn(self, ticket)

    async def _grant(self) -> None:
        while self._waiting:
            if self._waiting[0][-1].future.done():
                heapq.heappop(self._waiting)
                continue
            _, orders, _, waiter = self._next()
            self._news.clear()
            found = await self._attempt(waiter)
            if not isinstance(found, Turn):
                await self._nap(found)
            elif waiter.future.done():
                found.unused()
            else:
                self._asked = not orders
                waiter.future.set_result(found)

    def _next(self) -> tuple[Lane, bool, int, _Waiter]:
        """Return who goes next: never two questions in a row while an order of their lane waits."""
        first = self._waiting[0]
        if first[1] or not self._asked:
            return first
        waiting = (each for each in self._waiting if each[0] is first[0] and each[1] and not each[-1].future.done())
        return min(waiting, default=first)

    async def _nap(self, seconds: float) -> None:
        """Sleep, or until somebody comes or a slot is given back unused."""
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait({sleep, news}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            news.cancel()

    def _give_back(self, ticket: str, later_s: float | None) -> None:
        now, rule = self._clock.monotonic(), self._rule()
        window = rule.window_s if rule is not None else 0.0
        until = now if later_s is None else now + window + later_s

        def change(pace: Pace) -> None:
            pace.calls.give_back(ticket, until)
            pace.ledger.give_back(ticket, until)

        self._change(change)
        if later_s is None:
            self._news.set()

    def _change(self, change: Callable[[Pace], None]) -> None:
        """Make a change now, or in a moment where another process holds the file."""
        self._owed.append(change)
        self._pay()

    def _pay(self) -> None:
        if self._owed:
            done, _ = self._store.change(self._settle, self._clock.monotonic())
            if not done:
                asyncio.get_running_loop().call_later(_LOCK_RETRY_S, self._pay)

    def _settle(self, pace: Pace) -> None:
        owed, self._owed = self._owed, []
        for change in owed:
            change(pace)
