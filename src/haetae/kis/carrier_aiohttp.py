"""HTTP and WebSockets over real sockets, by aiohttp.

Here: sessions, time limits, and aiohttp's failures told as ours. Not here: what is sent (`transport`, `stream`). No
redirects, no proxies, no cookies; certificates are always verified. The library repeats nothing: aiohttp would send a
GET again by itself when a kept-alive connection breaks, and a call that is made twice is paid once.

Queries share kept-alive connections. An order takes a fresh connection: a failure to connect then proves that nothing
was sent, and a kept-alive connection that the server has closed cannot make an order's fate unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from haetae.kis.carrier import Answer, NeverLeft, NoAnswer, Patience, Sending, SocketLost
from haetae.kis.settings import KisSettings

_CONNECTIONS = 64
"""More than the pace can fill: a turn that was taken never waits for a connection."""
_LARGEST_MESSAGE = 4 * 2**20
_CLOSE_S = 1.0
"""Real seconds to wait for the other side of a closing hand-shake: a dead one never answers."""


class _BrokenConnection(Exception):
    """A connection broke; of a kind that aiohttp does not repeat a request for."""


class AiohttpCarrier:
    """``carrier.HttpCarrier`` of one deployment."""

    def __init__(self, settings: KisSettings) -> None:
        """Open nothing yet; sessions begin with the first exchange."""
        self._settings = settings
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

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
        more: dict[str, Any] = {}
        if patience is Patience.FILE:
            more["timeout"] = aiohttp.ClientTimeout(total=None, sock_read=self._settings.read_timeout_s)
        try:
            async with self._session(for_order=patience is Patience.ORDER).request(
                method,
                URL(url, encoded=True),
                data=data,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=sending,
                **more,
            ) as response:
                payload = await response.read()
                told = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, told, payload)
        except (aiohttp.ClientError, _BrokenConnection, TimeoutError, OSError, ValueError) as fault:
            raise _failed(fault, sending) from None

    def _session(self, *, for_order: bool) -> aiohttp.ClientSession:
        found = self._sessions.get(for_order)
        if found is None:
            settings = self._settings
            connector = aiohttp.TCPConnector(limit=_CONNECTIONS, force_close=for_order)
            # An order's time is watched by the one who sends it, who still wants an answer that comes too late.
            limits = (
                aiohttp.ClientTimeout(total=settings.late_answer_s, connect=settings.connect_timeout_s)
                if for_order
                else aiohttp.ClientTimeout(
                    total=3 * settings.read_timeout_s,
                    connect=settings.read_timeout_s,
                    sock_read=settings.read_timeout_s,
                )
            )
            found = self._sessions[for_order] = aiohttp.ClientSession(
                connector=connector,
                timeout=limits,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                middlewares=(_once,),
                trace_configs=[_tracing()],
            )
        return found


def _failed(fault: Exception, sending: Sending) -> NeverLeft | NoAnswer:
    """Return what a failure proves."""
    why = str(fault) if isinstance(fault, _BrokenConnection) else f"{type(fault).__name__}: {fault}"[:200]
    if sending.left.is_set():
        return NoAnswer(why)
    is_final = isinstance(fault, (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL))
    return NeverLeft(why, is_final=is_final)


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Turn a broken connection into a failure that aiohttp does not repeat the request for."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as fault:
        raise _BrokenConnection(f"{type(fault).__name__}: {fault}") from fault


def _tracing() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()

    async def leaving(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        if isinstance(context.trace_request_ctx, Sending):
            context.trace_request_ctx.left.set()

    tracing.on_request_headers_sent.append(leaving)
    return tracing


class AiohttpSocket:
    """``carrier.Socket`` over aiohttp."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take an open socket."""
        self._socket = socket

    async def receive(self) -> str:
        """Return the next text; raises ``SocketLost`` when none can come any more."""
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise SocketLost(f"{message.type.name} {self._socket.close_code or ''}".strip())
        text: str = message.data
        return text

    async def send(self, text: str) -> None:
        """Send a text; raises ``SocketLost``."""
        try:
            await self._socket.send_str(text)
        except (aiohttp.ClientError, ConnectionError) as fault:
            raise SocketLost(type(fault).__name__) from None

    async def close(self) -> None:
        """End the session."""
        await self._socket.close()


class AiohttpSockets:
    """``carrier.SocketCarrier`` over aiohttp."""

    def __init__(self, settings: KisSettings) -> None:
        """Open nothing yet."""
        self._connect_s = settings.connect_timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def connect(self, url: str) -> AiohttpSocket:
        """Open a socket; raises ``SocketLost``."""
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s)
            self._session = aiohttp.ClientSession(timeout=limits, trust_env=False)
        try:
            socket = await self._session.ws_connect(
                url,
                max_msg_size=_LARGEST_MESSAGE,
                compress=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
            )
        except (aiohttp.ClientError, OSError) as fault:
            raise SocketLost(f"{type(fault).__name__}: {fault}"[:200]) from None
        return AiohttpSocket(socket)

    async def close(self) -> None:
        """Close what is kept for connecting."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
