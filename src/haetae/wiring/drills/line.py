"""The way between desk and broker without sockets: HTTP and WebSocket in one process, on virtual time.

Here: ``LineHttp`` and ``LineSockets``, which fulfil ``kis.carrier`` against a ``Shell``, and ``Named``, which tells
them whose order is on its way. Latency is drawn; within a connection nothing overtakes. What has left goes on being
served when its sender gives up, or dies. Not here: the broker's side (``shell``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from email.utils import formatdate
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from haetae.domain.orders import ClearedOrder, OrderEvent
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.emulator.calls import Call, Manner, Reply
from haetae.emulator.tls import Certificate
from haetae.kis.broker import KisBroker
from haetae.kis.carrier import Answer, NeverLeft, NoAnswer, Patience, Sending, SocketLost
from haetae.kis.settings import KisSettings
from haetae.kis.wire.operations import Mode
from haetae.wiring.drills.shell import WHO, Shell

_NEVER_S = 600.0
"""A connection that is never answered is dropped after this."""


class Leaving(Enum):
    """Where a new order stands: about to leave, or gone."""

    SOON = "soon"
    GONE = "gone"


@lru_cache(maxsize=512)
def _target(url: str) -> tuple[str, Mapping[str, str]]:
    """Return the path of an address and what it asks for."""
    parts = urlsplit(url)
    return parts.path, MappingProxyType(dict(parse_qsl(parts.query, keep_blank_values=True)))


class LineHttp:
    """``carrier.HttpCarrier`` to a shell: one process's connections, gone when it dies."""

    def __init__(self, shell: Shell, settings: KisSettings, epoch: int) -> None:
        """Connect nothing yet; ``epoch`` numbers the process."""
        self._shell = shell
        self._settings = settings
        self._epoch = epoch
        self._kept = 0
        self.dead = False
        self.at_order: Callable[[Leaving], None] | None = None
        """Told of every new order as it is about to leave, and when it has left."""

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
        is_order = for_order and url.endswith("/order-cash")
        if is_order and self.at_order is not None:
            self.at_order(Leaving.SOON)
        sending.left.set()
        path, asked = _target(url)
        told = {name.lower(): value for name, value in headers.items()}
        call = Call(mode, method, path, told, asked, data or b"", reused)
        served = shell.spawn(self._served(call, WHO.get(), shell.now))
        if is_order and self.at_order is not None:
            self.at_order(Leaving.GONE)
        silence = None if for_order else self._settings.read_timeout_s
        async with asyncio.timeout(silence):
            reply: Reply = await asyncio.shield(served)
        if self.dead:
            await asyncio.Event().wait()
        answer = await self._read(reply)
        self._kept += not for_order
        return answer

    async def _served(self, call: Call, intent_id: str, left: Instant) -> Reply:
        """The broker's side: the request travels, is served, and its answer travels back."""
        await asyncio.sleep(self._shell.way())
        reply = await self._shell.answer(call, intent_id, self._epoch, left)
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
        date = formatdate(self._shell.now / NS_PER_SECOND, usegmt=True)
        return Answer(reply.status, {"tr_id": reply.tr_id, "tr_cont": reply.tr_cont, "date": date}, body)


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


class Named:
    """A broker that tells the line which intent each order is for; everything else is the broker's own."""

    def __init__(self, broker: KisBroker) -> None:
        """Stand before a broker."""
        self._broker = broker

    async def submit(self, order: ClearedOrder) -> OrderEvent:
        """Send one order, under its name."""
        token = WHO.set(order.intent.intent_id)
        try:
            return await self._broker.submit(order)
        finally:
            WHO.reset(token)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)
