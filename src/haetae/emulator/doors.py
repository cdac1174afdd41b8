"""The listening ports of an emulator, each a door that can be shut and opened again.

Here: ``Door``: one loopback port with its HTTP server. A shut door either refuses connections (the port is closed)
or leaves them in the kernel's queue, where nobody takes them. Not here: what is said behind a door (``service``).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from enum import Enum

from aiohttp import web

from haetae.domain.errors import ConfigError, Text

HOST = "127.0.0.1"
_WAITING = 128
"""Connections the kernel keeps for a door until they are taken."""
_FAREWELL_S = 0.5
"""Longest that an answer under way may hold up the end, in real seconds."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Shutting(Enum):
    """How a door is shut.

    ``REFUSED``: the port is closed, and kept connections end with their answer. ``LOST``: connections are accepted by
    the kernel and nobody takes them; they are gone once the door opens. ``LATE``: they are taken when it opens.
    """

    REFUSED = "refused"
    LOST = "lost"
    LATE = "late"


class Door:
    """One port of loopback: ``http``, ``https`` or ``ws``."""

    def __init__(
        self, name: str, port: int, handler: Handler, scheme: str, *, context: ssl.SSLContext | None = None
    ) -> None:
        """Take a port (0: a free one) when opened; nothing is bound yet."""
        self.name = name
        self.scheme = scheme
        self._port = port
        self._handler = handler
        self._context = context
        self._socket: socket.socket | None = None
        self._http: web.Server | None = None
        self._server: asyncio.Server | None = None
        self._busy: set[asyncio.BaseTransport | None] = set()
        self._losing = False

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"{self.scheme}://{HOST}:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    async def open(self) -> None:
        """Listen and take connections; raises ``ConfigError`` where the port cannot be had."""
        if self._server is not None:
            return
        if self._losing and self._socket is not None:
            self._socket.close()
            self._socket = None
        self._losing = False
        if self._http is None:
            self._http = web.Server(self._serve, access_log=None)
        if self._socket is None:
            self._socket = self._bound()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._http, sock=self._socket.dup(), ssl=self._context)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        self._busy.add(transport)
        try:
            return await self._handler(request)
        finally:
            self._busy.discard(transport)

    def _bound(self) -> socket.socket:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((HOST, self._port))
            listening.listen(_WAITING)
            listening.settimeout(0.0)
        except OSError as fault:
            listening.close()
            raise _taken(self.name, self._port, fault) from fault
        self._port = listening.getsockname()[1]
        return listening

    def shut(self, how: Shutting) -> None:
        """Take no more connections until the door is opened."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._losing = how is Shutting.LOST
        if how is not Shutting.REFUSED:
            return
        if self._http is not None:
            for connection in self._http.connections:
                connection.close()
                if connection.transport is not None and connection.transport not in self._busy:
                    connection.transport.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def close(self) -> None:
        """Shut for good and end what is under way."""
        self.shut(Shutting.REFUSED)
        if self._http is not None:
            await self._http.shutdown(_FAREWELL_S)
            self._http = None


def _taken(name: str, port: int, fault: OSError) -> ConfigError:
    return ConfigError(
        Text(
            ko=f"포트 {port}({name})를 열 수 없습니다: {fault.strerror}",
            en=f"port {port} ({name}) cannot be opened: {fault.strerror}",
        ),
        expected=f"a free port on {HOST}",
        found=f"{port}: {fault.strerror}",
        next_step=Text(ko="다른 포트를 주거나 0(빈 포트)을 쓰세요", en="give another port, or 0 for a free one"),
    )
