"""The emulator without sockets: its core, the time it lives by, ports and sessions that are only states.

Here: ``Shell``, driven by the same fault scripts as the real one, and ``Seen``, what passed it. Not here: the client's
side of the line (``line``), what is answered (``emulator.core``), the real shell (``emulator.service``).
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from haetae.domain.units import Instant, day_of, hhmmss_of, yyyymmdd
from haetae.emulator.calls import Call, Delivery, Manner, Reply
from haetae.emulator.core import Core
from haetae.emulator.faults.stage import HangUp, Moment, Show, Shut, StopReading
from haetae.emulator.hub import Line
from haetae.emulator.orders import OrderRow
from haetae.emulator.tls import Certificate
from haetae.kis.wire.control import build_ping
from haetae.kis.wire.operations import Mode
from haetae.wiring.drills.loop import Draws, LoopClock
from haetae.wiring.drills.trace import Trace

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="")
"""The intent that a call is made for, where it is made for one."""
_HOLD_S = 0.25
"""Seconds between two looks whether a dark network lets a request through."""
_BEATS_AT_ONCE = 50
_OK = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """One order call that reached the broker: when, for which intent, and what it was answered.

    ``number`` is the order number given, 0 where none was; ``change`` is blank for a new order; ``left`` is when it
    left the desk.
    """

    at: Instant
    left: Instant
    intent_id: str
    change: str
    symbol: str
    side: str
    quantity: int
    price: int
    number: int
    epoch: int


@dataclass(slots=True)
class Seen:
    """What passed over the line, for whoever judges it afterwards."""

    calls: list[Instant] = field(default_factory=list)
    tokens: list[Instant] = field(default_factory=list)
    orders: list[Sent] = field(default_factory=list)
    frames: int = 0
    escapes: dict[str, Instant] = field(default_factory=dict)
    answers: dict[str, Instant] = field(default_factory=dict)
    """By intent, by a right clock: when an escape was ordered, when the desk first knew what became of it."""
    secrets: list[str] = field(default_factory=list)
    """Tokens and approval keys that were handed out."""


class Client(Protocol):
    """The client's end of a session."""

    deaf: bool
    """Whether the broker has stopped listening to it."""

    def put(self, texts: list[str], end: str = "") -> None:
        """Put texts on their way, or the end of the session."""
        ...

    def hang_up(self, code: int) -> None:
        """End the session from the broker's side."""
        ...


class Shell:
    """One emulator in this process: its core, the time it lives by, the states of its ports and sockets."""

    def __init__(
        self, core: Core, clock: LoopClock, draws: Draws, trace: Trace, latency_s: tuple[float, float]
    ) -> None:
        """Join a core to virtual time; ``latency_s`` is the least way there or back, and how much more it may take."""
        self.core = core
        self.clock = clock
        self.trace = trace
        self.seen = Seen()
        self._draws = draws
        self._latency = latency_s
        self._shut: dict[str, Moment] = {}
        self._shown: tuple[Certificate, Moment | None] = (Certificate.GOOD, None)
        self._sockets: dict[Line, Client] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._context = contextvars.copy_context()
        self._pinged = self._looked = 0.0

    @property
    def now(self) -> Instant:
        """The time by a right clock."""
        return self.clock.true()

    def way(self) -> float:
        """Return how long one way takes now."""
        least, more = self._latency
        return least + more * self._draws.share() ** 3

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let work go on that nobody's death ends: the broker's side."""
        task = asyncio.get_running_loop().create_task(work, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # ---------------------------------------------------------------- time

    async def pump(self, step_s: float) -> None:
        """Keep the market moving and the lines alive; ends when cancelled."""
        while True:
            await asyncio.sleep(step_s)
            self.beat()

    def beat(self) -> None:
        """Bring the market to the clock, and do what is due on the machine's."""
        self.core.advance(self.now)
        faults, now = self.core.faults, self.clock.monotonic()
        faults.tick()
        self._ping(min(_BEATS_AT_ONCE, faults.extra_beats(now - self._looked)))
        self._looked = now
        if now - self._pinged >= self.core.settings.ping_interval_s:
            self._pinged = now
            self._ping(1)
        self.deliver()

    def _ping(self, times: int) -> None:
        if not times:
            return
        now = self.core.now
        text = build_ping(f"{yyyymmdd(day_of(now))}{hhmmss_of(now):06d}")
        for line in self._sockets:
            if self.core.faults.beats(line):
                line.outbox += [text] * times

    def deliver(self) -> None:
        """Put what is in the outboxes on its way, each in order, and carry out what faults ask for."""
        for line, socket in self._sockets.items():
            if line.outbox:
                texts, line.outbox = line.outbox, []
                self.seen.frames += len(texts)
                digest = hashlib.blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()
                self.trace.tell(self.now, "frames", f"{len(texts)} {digest}")
                socket.put(texts)
        for command in self.core.faults.take_commands():
            self._obey(command)

    def _obey(self, command: Shut | Show | HangUp | StopReading) -> None:
        self.trace.tell(self.now, "fault", type(command).__name__)
        match command:
            case Shut(doors, until):
                self._shut |= dict.fromkeys(doors, until)
            case Show(certificate, until):
                self._shown = (certificate, until)
            case HangUp(line, code):
                socket = self._sockets.pop(line, None)
                self.core.hub.close(line)
                if socket is not None:
                    socket.hang_up(code)
            case StopReading(line):
                if line in self._sockets:
                    self._sockets[line].deaf = True

    # ---------------------------------------------------------------- ports

    def is_shut(self, door: str) -> bool:
        """Whether connections to a port are refused now."""
        until = self._shut.get(door)
        if until is not None and not self.core.faults.stage.waits(until):
            del self._shut[door]
            until = None
        return until is not None

    @property
    def certificate(self) -> Certificate:
        """What a hand-shake shows now."""
        until = self._shown[1]
        if until is not None and not self.core.faults.stage.waits(until):
            self._shown = (Certificate.GOOD, None)
        return self._shown[0]

    async def answer(self, call: Call, intent_id: str, epoch: int, left: Instant) -> Reply:
        """Serve a request that has arrived, however long that takes."""
        core = self.core
        core.advance(self.now)
        if call.path.startswith("/uapi/"):
            self.seen.calls.append(self.now)
        while (late := core.faults.is_dark(call)) is not None:
            if not late:
                return Reply(b"", delivery=Delivery(Manner.SILENT))
            await asyncio.sleep(_HOLD_S)
        core.advance(self.now)
        ended = core.faults.arrival(call)
        if ended is not None:
            self.trace.tell(self.now, "call", f"{call.path} {ended.value}")
            self.deliver()
            return Reply(b"", delivery=Delivery(ended))
        known = len(self._rows())
        reply = core.handle(call)
        self._note(call, reply, left)
        if call.path.endswith(("/order-cash", "/order-rvsecncl")):
            self.seen.orders.append(self._sent(call, self._rows()[known:], intent_id, epoch, left))
        self.deliver()
        if reply.delivery.wait_s:
            await asyncio.sleep(reply.delivery.wait_s)
        return reply

    def _note(self, call: Call, reply: Reply, left: Instant) -> None:
        now, seen = self.now, self.seen
        if call.path.endswith("/tokenP"):
            seen.tokens.append(left)
        if call.path.startswith("/oauth2/") and reply.status == _OK:
            told = json.loads(reply.body)
            seen.secrets += [told[name] for name in ("access_token", "approval_key") if name in told]
        digest = hashlib.blake2b(reply.body, digest_size=8).hexdigest()
        self.trace.tell(now, "call", f"{call.path} {reply.status} {digest} {reply.delivery.manner.value}")

    def _rows(self) -> list[OrderRow]:
        return [row for account in self.core.accounts.values() for row in account.rows]

    def _sent(self, call: Call, rows: list[OrderRow], intent_id: str, epoch: int, left: Instant) -> Sent:
        """Return the order call just served; its number is that of the first row it made, told to the client or not.

        What a fault let somebody else order right after it comes in later rows.
        """
        asked = call.sent() or {}
        change = asked.get("RVSE_CNCL_DVSN_CD", "")
        side = "" if change else "sell" if call.headers.get("tr_id", "").endswith(("0801U", "0011U")) else "buy"
        return Sent(
            self.now,
            left,
            intent_id,
            change,
            asked.get("PDNO", ""),
            side,
            int(asked.get("ORD_QTY") or 0),
            int(asked.get("ORD_UNPR") or 0),
            rows[0].number if rows else 0,
            epoch,
        )

    # ---------------------------------------------------------------- sockets

    def open(self, mode: Mode, socket: Client) -> Line:
        """Begin a session."""
        line = self.core.hub.open(mode)
        self._sockets[line] = socket
        return line

    def listen(self, line: Line, text: str) -> None:
        """Take a message of a client."""
        if line in self._sockets and not self._sockets[line].deaf:
            self.core.advance(self.now)
            self.core.hub.take(line, text, self.core.board)
            self.deliver()

    def close(self, line: Line) -> None:
        """Learn that a client has gone; one that is not listened to is not noticed."""
        socket = self._sockets.pop(line, None)
        if socket is not None and not socket.deaf:
            self.core.hub.close(line)

    async def end(self) -> None:
        """Stop serving."""
        tasks = sorted(self._tasks, key=_age)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _age(task: asyncio.Task[Any]) -> int:
    return int(task.get_name().rpartition("-")[2])
