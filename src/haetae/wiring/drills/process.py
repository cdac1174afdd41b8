"""One process of the desk inside the simulation: it holds the seams to the world, and it can die.

Here: ``Process``, with the clock, the journal and the connections of one run of the desk. When it dies, nothing that
its code still does reaches the world: every seam is cut first, then its tasks end. Death comes from outside at any
moment, or at a chosen write of the journal, before it or after it. Not here: who starts the next one (``rig``).
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from haetae.domain.events import Submit
from haetae.domain.orders import Accepted, Canceled, Expired, Filled, OutcomeUnknown, Rejected
from haetae.domain.units import Instant
from haetae.journal.memory import MemoryJournal
from haetae.kis.settings import KisSettings
from haetae.wiring.drills.line import Leaving, LineHttp, LineSockets
from haetae.wiring.drills.loop import LoopClock
from haetae.wiring.drills.shell import Shell
from haetae.wiring.drills.trace import Trace

_ROUNDS = 50
"""Turns that cancelled tasks are given to end."""
_PRUNE = 4_096
_OUTCOMES = (Accepted, Canceled, Expired, Filled, OutcomeUnknown, Rejected)
PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)


class Died(BaseException):
    """The process is dead: its code may run on for a moment, but nothing comes of it."""


class Process:
    """The seams of one run."""

    def __init__(
        self,
        shell: Shell,
        settings: KisSettings,
        journal: MemoryJournal,
        trace: Trace,
        epoch: int,
    ) -> None:
        """Begin alive."""
        self.epoch = epoch
        self.died = asyncio.Event()
        self.clock = ProcessClock(shell.clock, self)
        self.journal = ProcessJournal(journal, self, trace)
        self.http: list[LineHttp] = []
        self.sockets: list[LineSockets] = []
        self.is_dead = False
        self._shell = shell
        self._settings = settings
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._orders_left = 0
        self._dies = Leaving.GONE

    def carry_http(self, settings: KisSettings) -> LineHttp:
        """Make the carrier of REST calls."""
        carrier = LineHttp(self._shell, settings, self.epoch)
        carrier.at_order = self._at_order
        self.http.append(carrier)
        return carrier

    def carry_sockets(self, settings: KisSettings) -> LineSockets:
        """Make the carrier of WebSockets."""
        carrier = LineSockets(self._shell, settings)
        self.sockets.append(carrier)
        return carrier

    def note(self, records: list[tuple[Instant, object]]) -> None:
        """Keep when an escape was ordered and when it was first answered, though the journal may lose it."""
        seen, now = self._shell.seen, self._shell.now
        for _, record in records:
            if isinstance(record, Submit) and record.order.intent.escape:
                seen.escapes.setdefault(record.order.intent.intent_id, now)
            elif isinstance(record, _OUTCOMES) and record.intent_id in seen.escapes:
                seen.answers.setdefault(record.intent_id, now)

    def own(self, task: asyncio.Task[Any]) -> None:
        """Count a task among this process's."""
        self._tasks[task] = None
        if len(self._tasks) > _PRUNE:
            self._tasks = {task: None for task in self._tasks if not task.done()}

    def die_at_send(self, orders: int, *, after: bool) -> None:
        """Let the process die at the so-many-th order from now: as it is about to leave, or when it has left."""
        self._orders_left, self._dies = orders, Leaving.GONE if after else Leaving.SOON

    def _at_order(self, leaving: Leaving) -> None:
        if not self._orders_left:
            return
        if leaving is self._dies:
            self._orders_left -= 1
            if not self._orders_left:
                self.cut()
                raise Died

    def cut(self) -> None:
        """Die: from here on nothing reaches the world."""
        if self.is_dead:
            return
        self.is_dead = True
        for carrier in self.http:
            carrier.dead = True
        for sockets in self.sockets:
            sockets.dead = True
            for socket in sockets.opened:
                socket.abort()
        self.died.set()

    async def end(self) -> None:
        """End all tasks of a dead process; none of them belongs to anybody else."""
        for _ in range(_ROUNDS):
            left = [task for task in self._tasks if not task.done()]
            if not left:
                return
            for task in left:
                task.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)


class ProcessClock:
    """The clock of a process; a dead one sleeps for ever."""

    def __init__(self, clock: LoopClock, process: Process) -> None:
        """Read the machine's clock."""
        self._clock = clock
        self._process = process

    def now(self) -> Instant:
        """Return what the wall shows."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await self._clock.sleep(seconds)
        if self._process.is_dead:
            raise Died


class ProcessJournal:
    """The journal of a process; what a dead one writes is not written."""

    def __init__(self, journal: MemoryJournal, process: Process, trace: Trace) -> None:
        """Write into a journal."""
        self.inner = journal
        self._process = process
        self._trace = trace
        self._die_at, self._keeps = 0, True
        self._count = self._slow = 0
        self._wait: Callable[[], None] = lambda: None

    def slow_down(self, writes: int, wait: Callable[[], None]) -> None:
        """Let the next durable writes take so long that the process stands still."""
        self._slow, self._wait = writes, wait

    def die_in(self, writes: int, *, keeps: bool) -> None:
        """Let the process die at the so-many-th write from now, before it is kept or after."""
        self._die_at, self._keeps = self._count + writes, keeps

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> int:
        """Append, and perhaps die of it."""
        if self._process.is_dead:
            raise Died
        records = list(records)
        self._process.note(records)
        self._count += 1
        dies = self._count == self._die_at
        if dies and not self._keeps:
            self._process.cut()
            raise Died
        if durable and self._slow:
            self._slow -= 1
            self._wait()
        seq = self.inner.append(kind, records, durable=durable)
        self._trace.tell(self._process.clock.now(), "journal", f"{seq} {self.inner.head[1][:16]}")
        if dies:
            self._process.cut()
            raise Died
        return seq

    def flush(self) -> None:
        """Put what waits on the disk."""
        if self._process.is_dead:
            raise Died
        self.inner.flush()

    @property
    def head(self) -> tuple[int, str]:
        """Return the last sequence number and its hash."""
        return self.inner.head

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        """Yield ``(seq, at, kind, record)`` in order."""
        return self.inner.entries(kind=kind, after=after)

    def verify(self) -> int:
        """Check the chain."""
        return self.inner.verify()


def count_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let every task of a loop be counted among those of the process that made it."""

    def make(
        loop: asyncio.AbstractEventLoop, coro: Any, *, context: contextvars.Context | None = None, **more: Any
    ) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context, **more)
        process = PROCESS.get() if context is None else context.get(PROCESS)
        if process is not None:
            process.own(task)
        return task

    loop.set_task_factory(make)  # type: ignore[arg-type]
