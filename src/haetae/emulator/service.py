"""One running emulator: core, clock, doors and open sockets.

Here: HTTP requests to ``core.handle``, WebSocket sessions to ``core.hub``, time to ``core.advance`` with all frames
written in order, and the commands of scripted faults carried out on ports and sockets. Not here: what is answered
(``core``), how a reply is written (``delivery``), the control calls (``control``).
"""

from __future__ import annotations

import asyncio
import re
import weakref
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, assert_never

from aiohttp import WSMsgType, web

from haetae.domain.units import Instant, day_of, hhmmss_of, yyyymmdd
from haetae.emulator.calls import Call, Delivery, Manner, Reply
from haetae.emulator.clock import EmulatorClock
from haetae.emulator.core import Core
from haetae.emulator.delivery import deliver, reset
from haetae.emulator.doors import Door, Handler, Shutting
from haetae.emulator.faults.entries import Timebase
from haetae.emulator.faults.stage import Command, HangUp, Moment, Show, Shut, StopReading
from haetae.emulator.hub import Line
from haetae.emulator.tls import Authority, Certificate
from haetae.kis.wire.control import build_ping
from haetae.kis.wire.operations import Mode

BODY_LIMIT = 1 << 20
"""Most bytes of a request: the largest order body is far below."""
_PUMP_S = 0.02
"""Real seconds between two looks at a running clock: a hundredth of the shortest client timeout."""
_HOLD_S = 0.05
"""Real seconds between two looks whether a request that was held up may go on."""
_BACKLOG_BYTES = 8 << 20
"""Bytes a session may leave unread before frames wait for it."""
_SLASHES = re.compile("/{2,}")
_WITHOUT_A_WORD = 1006
_SATURDAY = 5

_SILENCE = Reply(b"", delivery=Delivery(Manner.SILENT))


@dataclass(frozen=True, slots=True)
class Session:
    """The socket of a line; frames are written by one task at a time."""

    socket: web.WebSocketResponse
    request: web.BaseRequest
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Service:
    """Core, clock, doors and open sockets of one emulator."""

    def __init__(self, core: Core, clock: EmulatorClock, authority: Authority | None = None) -> None:
        """Join a core and a clock; nothing is bound yet."""
        self.core = core
        self.clock = clock
        self.authority = authority
        self.doors: dict[str, Door] = {}
        self.addresses: dict[str, str] = {}
        """Where each door listens, once it does."""
        self.pumping: asyncio.Task[None] | None = None
        """What keeps the market moving; it ends early only by a defect."""
        self._sessions: dict[Line, Session] = {}
        self._shut: dict[str, Moment] = {}
        self._shown_until: Moment | None = None
        self._changed = True
        """Whether a door may be other than open."""
        self._used: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()
        self._errands: set[asyncio.Task[None]] = set()

    def set_speed(self, speed: float) -> None:
        """Let the clock run so many times as fast as the machine's, 0 stops it."""
        self.clock.set_speed(speed)

    def catch_up(self) -> None:
        """Bring the market to the clock."""
        self.core.advance(self.clock.now())

    async def advance(self, to: Instant) -> None:
        """Step the clock; returns when every frame up to the instant has been written."""
        self.clock.advance(to)
        while self.core.now < to:
            self.core.advance(self.core.next_stop(to))
            await self.deliver()
        await self.deliver()

    async def deliver(self) -> None:
        """Write the outboxes to their sockets, each in order, and carry out what faults ask for."""
        for line, session in list(self._sessions.items()):
            if line.outbox:
                async with session.writing:
                    await self._write(line, session)
        await self.obey()

    async def _write(self, line: Line, session: Session) -> None:
        frames, line.outbox = line.outbox, []
        with suppress(ConnectionError):
            for frame in frames:
                if _unread(session.request) > _BACKLOG_BYTES:
                    await self._wait_for(session.request)
                await session.socket.send_str(frame)

    async def _wait_for(self, request: web.BaseRequest) -> None:
        """Wait until a slow reader has read; one that reads nothing for long is dropped."""
        loop = asyncio.get_running_loop()
        given_up = loop.time() + self.core.settings.reader_patience_s
        while _unread(request) > _BACKLOG_BYTES // 2:
            if loop.time() > given_up:
                reset(request)
                raise ConnectionResetError
            await asyncio.sleep(_PUMP_S)

    async def pump(self) -> None:
        """Keep a running market moving and the lines alive; ends when cancelled."""
        loop = asyncio.get_running_loop()
        pinged = looked = loop.time()
        while True:
            await asyncio.sleep(_PUMP_S)
            if self.clock.speed:
                target = self.clock.now()
                while self.core.now < target:
                    self.core.advance(self.core.next_stop(target))
                    await self.deliver()
            now = loop.time()
            self.core.faults.tick()
            self._ping(self.core.faults.extra_beats(now - looked))
            looked = now
            if now - pinged >= self.core.settings.ping_interval_s:
                pinged = now
                self._ping(1)
            await self.deliver()

    def _ping(self, times: int) -> None:
        if not times:
            return
        now = self.core.now
        text = build_ping(f"{yyyymmdd(day_of(now))}{hhmmss_of(now):06d}")
        for line in self._sessions:
            if self.core.faults.beats(line):
                line.outbox += [text] * times

    # ---------------------------------------------------------------- faults on ports and sockets

    async def obey(self) -> None:
        """Carry out what faults ask of ports and sockets, and open what has been shut long enough."""
        for command in self.core.faults.take_commands():
            self._obey(command)
        if not (self._changed or self._shut or self._shown_until or self.core.faults.stage.dark):
            return
        waits = self.core.faults.stage.waits
        self._shut = {name: until for name, until in self._shut.items() if waits(until)}
        if self._shown_until is not None and not waits(self._shown_until) and self.authority is not None:
            self.authority.shown, self._shown_until = Certificate.GOOD, None
        self._changed = self.core.settings.outages.mock_weekends
        for name, door in self.doors.items():
            wanted = self._state_of(name)
            if wanted is None and not door.is_open:
                await door.open()
            elif wanted is not None:
                self._changed = True
                if door.is_open:
                    door.shut(wanted)

    def _state_of(self, name: str) -> Shutting | None:
        """Return none for a door that should be open, else how it is shut."""
        weekend = name == "rest_mock" and day_of(self.core.now).weekday() >= _SATURDAY
        if name in self._shut or (weekend and self.core.settings.outages.mock_weekends):
            return Shutting.REFUSED
        late = self.core.faults.stage.is_dark(name)
        return None if late is None else Shutting.LATE if late else Shutting.LOST

    def _obey(self, command: Command) -> None:
        match command:
            case Shut(doors, until):
                self._shut |= dict.fromkeys(doors, until)
                for name in sorted(set(doors) & set(self.doors)):
                    self.doors[name].shut(Shutting.REFUSED)
            case Show(certificate, until):
                if self.authority is not None:
                    self.authority.shown, self._shown_until = certificate, until
            case HangUp(line, code):
                self._hang_up(line, code)
            case StopReading(line):
                transport = self._sessions[line].request.transport if line in self._sessions else None
                if transport is not None:
                    transport.pause_reading()
            case _:
                assert_never(command)

    def _hang_up(self, line: Line, code: int) -> None:
        """Close a session; its client's own close frame is waited for on the side."""
        session = self._sessions.get(line)
        self.core.hub.close(line)
        if session is None:
            return
        if code == _WITHOUT_A_WORD:
            reset(session.request)
        else:
            self._send_on_errand(session.socket.close(code=code))

    def _send_on_errand(self, work: Coroutine[Any, Any, object]) -> None:
        async def run() -> None:
            with suppress(ConnectionError):
                await work

        task = asyncio.create_task(run())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    # ---------------------------------------------------------------- requests

    def rest(self, mode: Mode) -> Handler:
        """Return the HTTP handler of a domain."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if self.clock.speed:
                self.catch_up()
            path = _SLASHES.sub("/", request.path)
            headers = {name.lower(): value for name, value in request.headers.items()}
            call = Call(mode, request.method, path, headers, reused=self._is_reused(request))
            while (late := self.core.faults.is_dark(call)) is not None:
                if not late:
                    return await deliver(request, _SILENCE)
                await asyncio.sleep(_HOLD_S)
            ended = self.core.faults.arrival(call)
            if ended is not None:
                return await deliver(request, Reply(b"", delivery=Delivery(ended)))
            body = await request.read() if request.can_read_body else b""
            reply = self.core.handle(Call(mode, request.method, path, headers, request.query, body, call.reused))
            await self.deliver()
            if reply.delivery.wait_s:
                await self._wait(reply.delivery)
            return await deliver(request, reply)

        return handle

    async def _wait(self, delivery: Delivery) -> None:
        """Let the wait of a delivery pass, on the clock it is meant on."""
        if not delivery.market_time:
            await asyncio.sleep(delivery.wait_s)
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end() -> None:
            if not over.done():
                over.set_result(None)

        self.core.faults.stage.later(delivery.wait_s, Timebase.MARKET, end)
        await over

    def _is_reused(self, request: web.BaseRequest) -> bool:
        """Whether this connection has carried a request before."""
        transport = request.transport
        if transport is None or transport in self._used:
            return True
        self._used.add(transport)
        return False

    def socket(self, mode: Mode) -> Handler:
        """Return the WebSocket handler of a domain; every path is a session, as at the service."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=BODY_LIMIT)
            if not socket.can_prepare(request).ok:
                return web.Response(status=400, text="a WebSocket is expected here")
            await socket.prepare(request)
            if request.transport is not None:
                request.transport.set_write_buffer_limits(high=2 * _BACKLOG_BYTES)
            line = self.core.hub.open(mode)
            self._sessions[line] = Session(socket, request)
            try:
                await self._listen(line, socket)
            finally:
                self.core.hub.close(line)
                del self._sessions[line]
            return socket

        return handle

    async def _listen(self, line: Line, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.PING and self.core.faults.beats(line):
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                if self.clock.speed:
                    self.catch_up()
                self.core.hub.take(line, message.data, self.core.board)
                await self.deliver()

    async def hang_up(self) -> None:
        """Close all sockets."""
        for session in list(self._sessions.values()):
            transport = session.request.transport
            if transport is None or transport.is_reading():
                await session.socket.close()
            else:
                reset(session.request)
        for task in list(self._errands):
            task.cancel()


def _unread(request: web.BaseRequest) -> int:
    """Return how many bytes a client has left unread."""
    return request.transport.get_write_buffer_size() if request.transport is not None else 0
