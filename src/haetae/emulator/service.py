"""One running emulator: core, clock and open sockets.

Here: HTTP requests to ``core.handle``, WebSocket sessions to ``core.hub``, and time to
``core.advance``, with all frames written in order. Header names on the wire follow what clients
expect: capitalised, save ``tr_id``, ``tr_cont`` and ``gt_uid``. Not here: ports (``server``), the control
calls (``control``), what is answered (``core``).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from haetae.domain.units import Instant, day_of, hhmmss_of, yyyymmdd
from haetae.emulator.clock import EmulatorClock
from haetae.emulator.core import Call, Core, Reply
from haetae.emulator.hub import Line
from haetae.kis.wire.control import build_ping
from haetae.kis.wire.operations import Mode

BODY_LIMIT = 1 << 20
"""Most bytes of a request: the largest order body is far below."""
_PUMP_S = 0.02
"""Real seconds between two looks at a running clock: a hundredth of the shortest client timeout."""
_SLASHES = re.compile("/{2,}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Service:
    """Core, clock and open sockets of one emulator."""

    def __init__(self, core: Core, clock: EmulatorClock) -> None:
        """Join a core and a clock; nothing is bound yet."""
        self.core = core
        self.clock = clock
        core.gate.set_speed(clock.speed)
        self.addresses: dict[str, str] = {}
        """Where each door listens, once it does."""
        self._sockets: dict[Line, web.WebSocketResponse] = {}
        self._writing: dict[Line, asyncio.Lock] = {}

    def set_speed(self, speed: float) -> None:
        """Let the clock run so many times as fast as the machine's, 0 stops it."""
        self.clock.set_speed(speed)
        self.core.gate.set_speed(speed)

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
        """Write the outboxes to their sockets, each in order."""
        for line, socket in list(self._sockets.items()):
            if not line.outbox:
                continue
            async with self._writing[line]:
                frames, line.outbox = line.outbox, []
                with suppress(ConnectionError):
                    for frame in frames:
                        await socket.send_str(frame)

    async def pump(self) -> None:
        """Keep a running market moving and the lines alive; ends when cancelled."""
        loop = asyncio.get_running_loop()
        pinged = loop.time()
        while True:
            await asyncio.sleep(_PUMP_S)
            if self.clock.speed:
                target = self.clock.now()
                while self.core.now < target:
                    self.core.advance(self.core.next_stop(target))
                    await self.deliver()
            if loop.time() - pinged >= self.core.settings.ping_interval_s:
                pinged = loop.time()
                self._ping()
                await self.deliver()

    def _ping(self) -> None:
        now = self.core.now
        text = build_ping(f"{yyyymmdd(day_of(now))}{hhmmss_of(now):06d}")
        for line in self._sockets:
            line.outbox.append(text)

    def rest(self, mode: Mode) -> Handler:
        """Return the HTTP handler of a domain."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if self.clock.speed:
                self.catch_up()
            call = Call(
                mode,
                request.method,
                _SLASHES.sub("/", request.path),
                {name.lower(): value for name, value in request.headers.items()},
                dict(request.query),
                await request.read() if request.can_read_body else b"",
            )
            reply = self.core.handle(call)
            await self.deliver()
            return _response(reply)

        return handle

    def socket(self, mode: Mode) -> Handler:
        """Return the WebSocket handler of a domain."""

        async def handle(request: web.Request) -> web.StreamResponse:
            socket = web.WebSocketResponse(compress=False, max_msg_size=BODY_LIMIT)
            await socket.prepare(request)
            line = self.core.hub.open(mode)
            self._sockets[line] = socket
            self._writing[line] = asyncio.Lock()
            try:
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        self.core.hub.take(line, message.data, self.core.board)
                        await self.deliver()
            finally:
                self.core.hub.close(line)
                del self._sockets[line]
                del self._writing[line]
            return socket

        return handle

    async def hang_up(self) -> None:
        """Close all sockets."""
        for socket in list(self._sockets.values()):
            await socket.close()


def _response(reply: Reply) -> web.Response:
    response = web.Response(body=reply.body, status=reply.status)
    response.headers["Content-Type"] = reply.media
    response.headers["tr_id"] = reply.tr_id
    response.headers["tr_cont"] = reply.tr_cont
    response.headers["gt_uid"] = ""
    return response
