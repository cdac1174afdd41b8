"""What no request passes: foreign names and pages, callers from elsewhere, bodies too long.

Plain ASGI in front of the application, so that nothing is parsed before. A page on the web can send
requests to loopback from its reader's browser; it cannot forge Host and Origin, which are checked here.
"""

from __future__ import annotations

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haetae.service.schemas import Problem
from haetae.service.settings import LOOPBACK, ServiceSettings

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)


class Doors:
    """Checks Host, Origin, caller and length, then lets the application answer."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        body = await self._body(receive)
        if body is None:
            await _refuse(send, *_TOO_LONG)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
            await send(message)

        await self._app(scope, _again(body, receive), dressed)

    def _refusal(self, scope: Scope) -> tuple[int, Problem] | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        lengths = [value for name, value in headers if name == b"content-length"]
        client = scope.get("client")
        if client is not None and client[0] not in LOOPBACK:
            return _closed("caller.foreign", "이 컴퓨터 안에서만 쓸 수 있습니다", "loopback callers only")
        if len(hosts) != 1 or _name(hosts[0]) not in self._settings.hosts:
            return _closed("host.foreign", "허용되지 않은 호스트 이름입니다", "the Host header is not allowed")
        if any(origin not in self._settings.origins for origin in origins):
            return _closed("origin.foreign", "허용되지 않은 웹 페이지의 요청입니다", "the Origin is not allowed")
        if any(not v.isdigit() or len(v) > 9 or int(v) > self._settings.max_body_bytes for v in lengths):
            return _TOO_LONG
        return None

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the whole body, None if it is longer than the cap; commands are short, so it is held whole."""
        held = b""
        while True:
            message = await receive()
            held += message.get("body", b"")
            if len(held) > self._settings.max_body_bytes:
                return None
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return held


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a source that gives the held body once, then whatever the connection tells."""
    given = False

    async def told() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return told


_TOO_LONG = (413, Problem(code="body.too_long", ko="요청 본문이 너무 깁니다", en="the body is too long"))


def _name(host: str) -> str:
    head, _, port = host.rpartition(":")
    return head.lower() if head and port.isdigit() else host.lower()


def _closed(code: str, ko: str, en: str) -> tuple[int, Problem]:
    return 403, Problem(code=code, ko=ko, en=en)


async def _refuse(send: Send, status: int, problem: Problem) -> None:
    body = json.dumps(problem.model_dump(mode="json"), ensure_ascii=False).encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
