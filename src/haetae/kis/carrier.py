"""What carries the connection: one HTTP exchange, one WebSocket; and how each fails.

Here: the protocols that `transport` and `stream` speak through, what an exchange answers, and the failures, told by
what they prove. Not here: the carriers over real sockets (`carrier_aiohttp`), what is asked (`transport`, `stream`).
Another carrier (one without sockets, for a market inside the process) fails with these failures and no others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeAlias

from haetae.kis.settings import KisSettings


class NeverLeft(Exception):
    """No byte left this machine; ``is_final`` where trying again cannot help (a certificate that does not hold)."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        """Say why."""
        super().__init__(why)
        self.is_final = is_final


class NoAnswer(Exception):
    """The request left, or may have, and no whole answer came."""


class SocketLost(Exception):
    """A WebSocket could not be opened, or has ended; says why."""


class Patience(Enum):
    """How an exchange is waited for.

    ``QUERY``: on a kept connection, for so long in silence. ``FILE``: the same, however long the whole takes.
    ``ORDER``: on a connection of its own, until long after its sender has given up: a late answer still counts.
    """

    QUERY = "query"
    FILE = "file"
    ORDER = "order"


@dataclass(slots=True)
class Sending:
    """How far one request has come; ``left`` is set before its first byte leaves."""

    left: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    payload: bytes


class HttpCarrier(Protocol):
    """HTTP exchanges with one server: no redirects, no proxies, no cookies, and never one sent twice."""

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
        """Send one request and return its answer; raises ``NeverLeft`` or ``NoAnswer`` and nothing else.

        ``sending.left`` is set before the first byte can leave; ``NeverLeft`` is raised only while it is not.
        """
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Socket(Protocol):
    """An open WebSocket."""

    async def receive(self) -> str:
        """Return the next text; raises ``SocketLost`` when none can come any more."""
        ...

    async def send(self, text: str) -> None:
        """Send a text; raises ``SocketLost``."""
        ...

    async def close(self) -> None:
        """End the session; a dead other side is not waited for long."""
        ...


class SocketCarrier(Protocol):
    """WebSockets to one server."""

    async def connect(self, url: str) -> Socket:
        """Open a socket; raises ``SocketLost``."""
        ...

    async def close(self) -> None:
        """Give back what was held for connecting."""
        ...


HttpCarriers: TypeAlias = Callable[[KisSettings], HttpCarrier]
SocketCarriers: TypeAlias = Callable[[KisSettings], SocketCarrier]
