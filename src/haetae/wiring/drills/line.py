"""The way between desk and broker without sockets: HTTP and WebSocket in one process, on virtual time.

Here: ``Shell``, the emulator's core with ports and sockets that are only states, driven by the same fault scripts as
the real ones; ``LineHttp`` and ``LineSockets``, which fulfil ``kis.carrier``. Latency is drawn; within a connection
nothing overtakes. What has left goes on being served when its sender gives up, or dies. Not here: what is answered
(``emulator.core``), the real shell (``emulator.service``).
"""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from haetae.domain.units import NS_PER_SECOND, Instant, day_of, hhmmss_of, yyyymmdd
from haetae.emulator.calls import Call, Manner, Reply
from haetae.emulator.core import Core
from haetae.emulator.faults.entries import Timebase
from haetae.emulator.faults.stage import HangUp, Moment, Show, Shut, StopReading
from haetae.emulator.hub import Line
from haetae.emulator.tls import Certificate
from haetae.kis.carrier import Answer, NeverLeft, NoAnswer, Patience, Sending, SocketLost
from haetae.kis.settings import KisSettings
from haetae.kis.wire.control import build_ping
from haetae.kis.wire.operations import Mode
from haetae.wiring.drills.loop import Draws, LoopClock
from haetae.wiring.drills.trace import Trace

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="")
"""The intent that a call is made for, where it is made for one."""
_NEVER_S = 600.0
"""A connection that is never answered is dropped after this."""
_HOLD_S = 0.25
"""Seconds between two looks whether a dark network lets a request through."""
_BEATS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One order call that reached the broker: when, for which intent, and what it was answered.

    ``number`` is the order number given, 0 where none was; ``change`` is blank for a new order.
    """

    at: Instant
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


class Shell:
    """One emulator in this process: its core, the time it lives by, the states of its ports and sockets."""

    def __init__(self, core: Core, clock: LoopClock, draws: Draws, trace: Trace, latency_s: tuple[float, float]) -> None:
        """Join a core to virtual time; ``latency_s`` is the least way there or back, and how much more it may take."""
        self.core = core
        self.clock = clock
        self.trace = trace
        self.seen = Seen()
        self._draws = draws
        self._latency = latency_s
        self._shut: dict[str, Moment] = {}
        self._shown: tuple[Certificate, Moment | None] = (Certificate.GOOD, None)
        self._sockets: dict[Line, LineSocket] = {}
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
        shown, until = self._shown
        if until is not None and not self.core.faults.stage.waits(until):
            self._shown = (Certificate.GOOD, None)
        return self._shown[0]

    async def answer(self, call: Call, intent_id: str, epoch: int) -> Reply:
        """Serve a request that has arrived, however long that takes."""
        core = self.core
        core.advance(self.now)
        while (late := core.faults.is_dark(call)) is not None:
            if not late:
                return Reply(b"", delivery=_silent())
            await asyncio.sleep(_HOLD_S)
        core.advance(self.now)
        ended = core.faults.arrival(call)
        if ended is not None:
            self.trace.tell(self.now, "call", f"{call.path} {ended.value}")
            self.deliver()
            return Reply(b"", delivery=_manner(ended))
        reply = core.handle(call)
        self._note(call, reply, intent_id, epoch)
        self.deliver()
        if reply.delivery.wait_s:
            await asyncio.sleep(reply.delivery.wait_s)
        return reply

    def _note(self, call: Call, reply: Reply, intent_id: str, epoch: int) -> None:
        now, seen = self.now, self.seen
        if call.path.endswith("/tokenP"):
            seen.tokens.append(now)
        elif call.path.startswith("/uapi/"):
            seen.calls.append(now)
        digest = hashlib.blake2b(reply.body, digest_size=8).hexdigest()
        self.trace.tell(now, "call", f"{call.path} {reply.status} {digest} {reply.delivery.manner.value}")
        asked = call.sent() or {}
        if call.path.endswith(("/order-cash", "/order-rvsecncl")):
            seen.orders.append(self._sent(call, asked, intent_id, epoch))

    def _sent(self, call: Call, asked: Mapping[str, str], intent_id: str, epoch: int) -> Sent:
        """Return the order call just served; its number is that of the row it made, told to the client or not."""
        rows = [row for account in self.core.accounts.values() for row in account.rows[-1:]]
        change = asked.get("RVSE_CNCL_DVSN_CD", "")
        quantity = int(asked.get("ORD_QTY") or 0)
        row = rows[-1] if rows and rows[-1].at == self.core.now else None
        made = row is not None and (bool(change) or (row.symbol == asked.get("PDNO") and row.quantity == quantity))
        side = "" if change else "sell" if call.headers.get("tr_id", "").endswith(("0801U", "0011U")) else "buy"
        return Sent(
            self.now,
            intent_id,
            change,
            asked.get("PDNO", ""),
            side,
            quantity,
            int(asked.get("ORD_UNPR") or 0),
            row.number if made and row is not None else 0,
            epoch,
        )

    # ---------------------------------------------------------------- sockets

    def open(self, mode: Mode, socket: LineSocket) -> Line:
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


def _silent() -> Any:
    return _manner(Manner.SILENT)


def _manner(manner: Manner) -> Any:
    from haetae.emulator.calls import Delivery

    return Delivery(manner)


class LineHttp:
    """``carrier.HttpCarrier`` to a shell: one process's connections, gone when it dies."""

    def __init__(self, shell: Shell, settings: KisSettings, epoch: int) -> None:
        """Connect nothing yet; ``epoch`` numbers the process."""
        self._shell = shell
        self._settings = settings
        self._epoch = epoch
        self._kept = 0
        self.dead = False

    async def close(self) -> None:
        """Close all connections."""
        self._kept = 0

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | None,
        *,
        patience: Patience,
        sending: Sending,
    ) -> Answer:
        """Send one request and return its answer; see the protocol."""
        settings, for_order = self._settings, patience is Patience.ORDER
        total = settings.late_answer_s if for_order else 3 * settings.read_timeout_s
        try:
            async with asyncio.timeout(total):
                return await self._through(method, url, headers, data, for_order=for_order, sending=sending)
        except TimeoutError:
            if sending.left.is_set():
                raise NoAnswer("TimeoutError") from None
            raise NeverLeft("TimeoutError") from None

    async def _through(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | None,
        *,
        for_order: bool,
        sending: Sending,
    ) -> Answer:
        shell, mode = self._shell, self._settings.mode
        reused = not for_order and self._kept > 0
        if reused:
            self._kept -= 1
        else:
            await asyncio.sleep(shell.way())
        if self.dead:
            await asyncio.Event().wait()
        if shell.is_shut(f"rest_{mode.value}"):
            self._kept = 0
            raise NeverLeft("ClientConnectorError: refused")
        if not reused and shell.certificate is not Certificate.GOOD:
            raise NeverLeft("ClientConnectorCertificateError", is_final=True)
        sending.left.set()
        parts = urlsplit(url)
        told = {name.lower(): value for name, value in headers.items()}
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        call = Call(mode, method, parts.path, told, asked, data or b"", reused)
        served = shell.spawn(self._served(call, WHO.get()))
        silence = None if for_order else self._settings.read_timeout_s
        async with asyncio.timeout(silence):
            reply: Reply = await asyncio.shield(served)
        if self.dead:
            await asyncio.Event().wait()
        answer = await self._read(reply)
        self._kept += not for_order
        return answer

    async def _served(self, call: Call, intent_id: str) -> Reply:
        """The broker's side: the request travels, is served, and its answer travels back."""
        await asyncio.sleep(self._shell.way())
        reply = await self._shell.answer(call, intent_id, self._epoch)
        await asyncio.sleep(_NEVER_S if reply.delivery.manner is Manner.SILENT else self._shell.way())
        return reply

    async def _read(self, reply: Reply) -> Answer:
        """Return the answer as a client reads it off the connection."""
        body = reply.body
        match reply.delivery.manner:
            case Manner.CLOSED | Manner.SILENT:
                raise NoAnswer("ServerDisconnectedError")
            case Manner.RESET:
                raise NoAnswer("ClientOSError: reset")
            case Manner.CUT:
                raise NoAnswer("ClientPayloadError: not enough data")
            case Manner.SURPLUS:
                body = body[: max(0, len(body) - 10)]
            case Manner.DRIP:
                await asyncio.sleep(reply.delivery.drip_s)
            case Manner.WHOLE:
                pass
        return Answer(reply.status, {"tr_id": reply.tr_id, "tr_cont": reply.tr_cont}, body)


class LineSocket:
    """``carrier.Socket`` to a shell; both ways keep their order."""

    def __init__(self, shell: Shell, mode: Mode) -> None:
        """Open the session."""
        self._shell = shell
        self._inbox: deque[str] = deque()
        self._coming: deque[tuple[list[str], str]] = deque()
        self._going: deque[str] = deque()
        self._due_in = self._due_out = 0.0
        self._ended = ""
        self._news = asyncio.Event()
        self.deaf = False
        self.line = shell.open(mode, self)

    def put(self, texts: list[str], end: str = "") -> None:
        """Put texts of the broker on their way, or the end of the session."""
        loop = asyncio.get_running_loop()
        self._due_in = max(self._due_in, loop.time() + self._shell.way())
        self._coming.append((texts, end))
        loop.call_at(self._due_in, self._arrive)

    def _arrive(self) -> None:
        texts, end = self._coming.popleft()
        self._inbox.extend(texts)
        self._ended = self._ended or end
        self._news.set()

    def hang_up(self, code: int) -> None:
        """End the session from the broker's side; without a word, what is on its way is lost."""
        if code == 1006:
            for texts, _ in self._coming:
                texts.clear()
            self._ended = "CLOSED 1006"
            self._news.set()
        else:
            self.put([], f"CLOSE {code}")

    async def receive(self) -> str:
        """Return the next text; raises ``SocketLost`` when none can come any more."""
        while not self._inbox:
            if self._ended:
                raise SocketLost(self._ended)
            self._news.clear()
            await self._news.wait()
        return self._inbox.popleft()

    async def send(self, text: str) -> None:
        """Send a text; raises ``SocketLost``."""
        if self._ended:
            raise SocketLost("ClientConnectionResetError")
        loop = asyncio.get_running_loop()
        self._due_out = max(self._due_out, loop.time() + self._shell.way())
        self._going.append(text)
        loop.call_at(self._due_out, self._depart)

    def _depart(self) -> None:
        self._shell.listen(self.line, self._going.popleft())

    async def close(self) -> None:
        """End the session from our side."""
        self.abort()

    def abort(self) -> None:
        """End it at once, as the machine does for a process that died."""
        self._ended = self._ended or "CLOSED"
        loop = asyncio.get_running_loop()
        self._due_out = max(self._due_out, loop.time() + self._shell.way())
        loop.call_at(self._due_out, self._shell.close, self.line)


class LineSockets:
    """``carrier.SocketCarrier`` to a shell."""

    def __init__(self, shell: Shell, settings: KisSettings) -> None:
        """Open nothing yet."""
        self._shell = shell
        self._mode = settings.mode
        self.opened: list[LineSocket] = []
        self.dead = False

    async def connect(self, url: str) -> LineSocket:
        """Open a socket; raises ``SocketLost``."""
        await asyncio.sleep(2 * self._shell.way())
        door = f"ws_{self._mode.value}"
        if self.dead:
            await asyncio.Event().wait()
        if self._shell.is_shut(door):
            raise SocketLost("ClientConnectorError: refused")
        if self._shell.core.faults.stage.is_dark(door) is not None:
            await asyncio.sleep(_NEVER_S)
        socket = LineSocket(self._shell, self._mode)
        self.opened.append(socket)
        return socket

    async def close(self) -> None:
        """Nothing is held for connecting."""
