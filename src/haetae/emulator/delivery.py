"""How a reply is written to its connection, honestly or as a fault's script wants it.

Here: ``deliver``. Header names on the wire are what clients of the field expect: capitalised, save ``tr_id``,
``tr_cont`` and ``gt_uid``. Not here: which reply, and why it is delivered so (``core``, ``faults``).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from http import HTTPStatus

from aiohttp import web

from haetae.emulator.calls import Manner, Reply

FORGOTTEN_S = 600.0
"""Real seconds after which a connection that is never answered is dropped: longer than any client waits."""
_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER of zero: closing sends RST and throws unsent bytes away."""


class Unwritten(web.StreamResponse):
    """A response of which nothing is written: the connection has been dealt with already."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Write no head."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Write no end."""


async def deliver(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Return the response to hand back, after everything out of the ordinary has been done; waiting is the caller's."""
    delivery = reply.delivery
    match delivery.manner:
        case Manner.WHOLE:
            return web.Response(body=reply.body, status=reply.status, headers=_headers(reply))
        case Manner.SILENT:
            await asyncio.sleep(FORGOTTEN_S)
            return reset(request)
        case Manner.CLOSED:
            return _closed(request)
        case Manner.RESET:
            return reset(request)
        case Manner.DRIP:
            await _drip(request, _raw(reply, len(reply.body)), delivery.drip_s)
            return _closed(request)
        case Manner.CUT:
            _write(request, _raw(reply, len(reply.body), reply.body[: len(reply.body) // 2]))
            return _closed(request)
        case Manner.SURPLUS:
            _write(request, _raw(reply, max(0, len(reply.body) - 10)))
            return _closed(request)


def _headers(reply: Reply) -> dict[str, str]:
    return {"Content-Type": reply.media, "tr_id": reply.tr_id, "tr_cont": reply.tr_cont, "gt_uid": ""}


def _raw(reply: Reply, length: int, body: bytes | None = None) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in _headers(reply).items()]
    return "\r\n".join([*lines, "", ""]).encode() + (reply.body if body is None else body)


def _write(request: web.BaseRequest, data: bytes) -> None:
    if request.transport is not None:
        request.transport.write(data)


async def _drip(request: web.BaseRequest, data: bytes, seconds: float) -> None:
    pause = seconds / max(1, len(data))
    with suppress(ConnectionError):
        for place in range(len(data)):
            if request.transport is None or request.transport.is_closing():
                return
            request.transport.write(data[place : place + 1])
            await asyncio.sleep(pause)


def _closed(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return _nothing()


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """End a connection with RST; bytes that were not read or written are lost."""
    if request.transport is not None:
        stream = request.transport.get_extra_info("socket")
        if stream is not None:
            with suppress(OSError):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        request.transport.abort()
    return _nothing()


def _nothing() -> Unwritten:
    response = Unwritten()
    response.force_close()
    return response
