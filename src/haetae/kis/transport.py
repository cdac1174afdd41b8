"""One HTTP exchange with KIS: headers, sessions, time limits, and the last look before anything leaves.

Here: `Transport` and the three ways an exchange fails. Not here: pace, tokens, repeats (`rest`), what a reply means
(`wire`). No redirects, no proxies, no cookies; certificates are always verified. The library repeats nothing: aiohttp
would send a GET again by itself when a kept-alive connection breaks, and a call that is made twice is paid once.

Queries share kept-alive connections. An order takes a fresh connection: a failure to connect then proves that nothing
was sent, and a kept-alive connection that the server has closed cannot make an order's fate unknown.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from haetae.domain.errors import Text, WireError
from haetae.kis import refusals
from haetae.kis.deployment import address_faults, answers_other_domain, tr_fault
from haetae.kis.secrecy import Redactor
from haetae.kis.settings import KisSettings
from haetae.kis.skew import ClockWatch
from haetae.kis.wire.envelope import Reply, read_reply
from haetae.kis.wire.operations import Operation
from haetae.ports import Clock

_CONNECTIONS = 64
"""More than the pace can fill: a turn that was taken never waits for a connection."""
_TOLD = 60
_CALLS = "/uapi/"
"""Everything but the calls that give out tokens and approval keys."""
_TOO_MANY_REQUESTS = 429


class NeverLeft(Exception):
    """No byte left this machine; ``is_final`` where trying again cannot help (a certificate that does not hold)."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        """Say why."""
        super().__init__(why)
        self.is_final = is_final


class NoAnswer(Exception):
    """The request left, or may have, and no whole answer came."""


class NotKis(WireError):
    """Something answered that is no KIS envelope; ``status`` is its HTTP status."""

    status = 0


class _BrokenConnection(Exception):
    """A connection broke; of a kind that aiohttp does not repeat a request for."""


@dataclass(slots=True)
class Sending:
    """How far one request has come; ``left`` is set before its first byte leaves."""

    left: asyncio.Event = field(default_factory=asyncio.Event)


class Transport:
    """Connections to the REST server and the master files of one deployment."""

    def __init__(self, settings: KisSettings, clock: Clock, redact: Redactor, watch: ClockWatch) -> None:
        """Open nothing yet; sessions begin with the first exchange."""
        self._settings = settings
        self._clock = clock
        self._redact = redact
        self._watch = watch
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    async def exchange(
        self,
        operation: Operation,
        values: Mapping[str, str],
        *,
        token: str = "",
        tr_cont: str = "",
        for_order: bool = False,
        sending: Sending | None = None,
        hashkey: str = "",
    ) -> Reply:
        """Send one request and return its reply.

        Raises ``NeverLeft`` or ``NoAnswer``, ``WireError`` where the answer is no KIS envelope, ``Fatal`` where the
        deployment contradicts itself: then nothing was sent, or an answer came from the other domain.
        """
        tr_id = self.checked_tr(operation)
        body = operation.body(values) if operation.request else dict(values)
        headers = self._headers(operation, tr_id, token, tr_cont, hashkey)
        url, data = self._target(operation, body)
        sending = sending or Sending()
        sent_at = self._clock.now()
        try:
            async with self._session(for_order=for_order).request(
                operation.method, url, data=data, headers=headers, allow_redirects=False, trace_request_ctx=sending
            ) as response:
                payload = await response.read()
                status, answered = response.status, response.headers.get("tr_id", "")
                more, date = response.headers.get("tr_cont", ""), response.headers.get("Date", "")
        except (aiohttp.ClientError, _BrokenConnection, TimeoutError, OSError, ValueError) as fault:
            raise self._failed(fault, sending) from None
        if self._settings.watches_clock:
            self._watch.see(date, sent_at, self._clock.now())
        if answers_other_domain(tr_id, answered):
            raise refusals.other_domain(tr_id, answered)
        return self._read(operation, tr_id, status, more, payload)

    async def download(self, path: str) -> tuple[int, bytes]:
        """Return status and content of a file of the master host; raises ``NeverLeft`` or ``NoAnswer``."""
        sending = Sending()
        url = URL(self._settings.masters + path)
        limit = aiohttp.ClientTimeout(total=None, sock_read=self._settings.read_timeout_s)
        try:
            async with self._session(for_order=False).get(
                url, allow_redirects=False, trace_request_ctx=sending, timeout=limit
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, _BrokenConnection, TimeoutError, OSError, ValueError) as fault:
            raise self._failed(fault, sending) from None

    def checked_tr(self, operation: Operation) -> str:
        """Return the TR id to send; raises ``Fatal`` where deployment, mode and id do not agree."""
        settings = self._settings
        tr_id = operation.tr_id(settings.mode)
        if operation.real and not tr_id:
            raise refusals.not_served(operation, settings.mode)
        faults = address_faults(
            settings.mode, settings.rest_url, settings.ws_url, settings.master_url, live_allowed=settings.live_allowed
        )
        fault = tr_fault(settings.mode, operation, tr_id)
        if faults or fault:
            raise refusals.contradiction(settings.mode, [*faults, fault] if fault else faults)
        return tr_id

    def _headers(self, operation: Operation, tr_id: str, token: str, tr_cont: str, hashkey: str) -> dict[str, str]:
        settings = self._settings
        headers = {"content-type": "application/json; charset=utf-8"}
        if operation.path.startswith(_CALLS):
            headers |= {"appkey": settings.app_key, "appsecret": settings.app_secret.reveal()}
        if tr_id:
            headers |= {"authorization": f"Bearer {token}", "tr_id": tr_id, "tr_cont": tr_cont, "custtype": "P"}
        if hashkey:
            headers["hashkey"] = hashkey
        return headers

    def _target(self, operation: Operation, body: Mapping[str, str]) -> tuple[URL, bytes | None]:
        address = self._settings.rest_url.rstrip("/") + operation.path
        if operation.method == "GET":
            return URL(f"{address}?{urlencode(body)}", encoded=True), None
        return URL(address, encoded=True), json.dumps(body, ensure_ascii=False).encode()

    def _read(self, operation: Operation, tr_id: str, status: int, more: str, payload: bytes) -> Reply:
        try:
            reply = read_reply(operation, tr_id, status, more, payload)
            return replace(reply, code=self._redact(reply.code), text=self._redact(reply.text))
        except (WireError, RecursionError) as fault:
            if status == _TOO_MANY_REQUESTS:  # the gateway's own page: it says enough
                return Reply(operation.name, tr_id, status, "1", "HTTP429", "too many requests", {})
            raise self._unreadable(operation, tr_id, status, payload, fault) from None

    def _unreadable(
        self, operation: Operation, tr_id: str, status: int, payload: bytes, fault: WireError | RecursionError
    ) -> NotKis:
        is_page = payload.lstrip()[:1] == b"<"
        name = tr_id or operation.name
        # What belongs to keys and tokens is never shown: a secret that is new is not known to the redactor.
        shown = f"{len(payload)} bytes" if not operation.real else self._redact(repr(payload[:_TOLD]))
        strange = NotKis(
            Text(
                ko=f"{name}: KIS 응답이 아닙니다 (HTTP {status}{', HTML 문서' if is_page else ''})",
                en=f"{name}: the answer is not KIS's (HTTP {status}{', an HTML page' if is_page else ''})",
            ),
            expected="JSON object",
            found=shown if isinstance(fault, WireError) else "nested too deeply",
            next_step=Text(ko="REST 주소와 점검 시간을 확인하세요", en="check the REST address and maintenance hours"),
        )
        strange.status = status
        return strange

    def _failed(self, fault: Exception, sending: Sending) -> NeverLeft | NoAnswer:
        """Return the failure without the library's own, whose texts hold addresses, queries and headers."""
        why = self._redact(f"{type(fault).__name__}: {fault}"[:200])
        if isinstance(fault, _BrokenConnection):
            why = self._redact(str(fault))
        if sending.left.is_set():
            return NoAnswer(why)
        is_final = isinstance(fault, (aiohttp.ClientConnectorCertificateError, aiohttp.InvalidURL))
        return NeverLeft(why, is_final=is_final)

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
