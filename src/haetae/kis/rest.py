"""REST calls to KIS: queries that are repeated until a deadline, orders that are sent exactly once.

Here: sessions, headers, pace, token, retry of queries, outcome classes of an order send. Not here: what replies
mean (`broker`, `feed`, `source`), the codec (`wire`). No redirects, no proxies, no library retries.

An order send ends in one of four ways: `Acked`, `Refused` (proven not taken), `NotSent` (nothing left this
machine), `Unknown` (everything else: timeout, reset, 5xx, unreadable body, unknown code). Nothing is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urlencode

import aiohttp
import structlog
from yarl import URL

from haetae.domain.errors import BrokerError, Fatal, Retryable, Text, WireError
from haetae.domain.units import NS_PER_SECOND, Instant, day_from, instant_at
from haetae.kis.auth import Tokens
from haetae.kis.pacing import Lane, Pacer
from haetae.kis.settings import KisSettings
from haetae.kis.wire import codes
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.envelope import NEXT_PAGE, Reply, next_request, read_reply
from haetae.kis.wire.operations import OPERATIONS, Operation
from haetae.kis.wire.typed import Ask
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_BACKOFF_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""The first repeat comes at once: most often a kept-alive connection had been closed by the other side."""
_MAX_PAGES = 200
"""No account or calendar has more; a cursor that never ends is a fault."""
_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Acked:
    """The broker took the order."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Refused:
    """Proven not taken; ``again`` says that the refusal was about pace or token, not about the order."""

    code: str
    text: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class NotSent:
    """Failed before the first byte could leave."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """May or may not have been taken."""

    why: str


Sent: TypeAlias = Acked | Refused | NotSent | Unknown


@dataclass(slots=True)
class _Counts:
    calls: int = 0
    repeats: int = 0
    in_flight: int = 0
    by_code: dict[str, int] = field(default_factory=dict)


class KisRest:
    """The REST side of one app key; share it between broker, feed and source, for the pace is one budget."""

    def __init__(self, settings: KisSettings, clock: Clock) -> None:
        """Open nothing yet; sessions begin with the first call."""
        self.settings = settings
        self.counts = _Counts()
        self._clock = clock
        self._pacer = Pacer(clock, calls_per_second=settings.calls_per_second, burst=settings.burst)
        self._tokens = Tokens(settings, clock, self._issue_token)
        self._data: aiohttp.ClientSession | None = None
        self._orders: aiohttp.ClientSession | None = None
        self._urls: dict[str, str] = {}

    async def __aenter__(self) -> KisRest:
        """Return itself."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        for session in (self._data, self._orders):
            if session is not None:
                await session.close()
        self._data = self._orders = None

    @property
    def busy(self) -> bool:
        """Whether a request is on the wire now (waiting for a turn or a clock does not count)."""
        return self.counts.in_flight > 0

    async def call(
        self,
        name: str,
        values: Mapping[str, str],
        *,
        lane: Lane = Lane.DATA,
        about: str = "",
        tr_cont: str = "",
    ) -> Reply:
        """Make a query, repeating what may be repeated until the deadline.

        Raises ``Retryable`` when the deadline passed, ``Fatal`` for keys, permissions and wrong domain,
        ``BrokerError`` for a refusal of the query itself.
        """
        operation = OPERATIONS[name]
        deadline = self._clock.monotonic() + self.settings.read_deadline_s
        attempt = 0
        while True:
            reply, why = await self._attempt(operation, values, lane, tr_cont)
            if reply is not None:
                if reply.ok or reply.code == codes.QUERY_EMPTY:
                    return reply
                why = await self._judge(operation, reply, about)
            pause = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
            attempt += 1
            self.counts.repeats += 1
            _log.warning("query.repeated", operation=name, about=about, why=why, pause_s=pause)
            if self._clock.monotonic() + pause > deadline:
                raise Retryable(
                    Text(ko=f"KIS 조회 {name} {about} 실패", en=f"KIS query {name} {about} failed"),
                    code=reply.code if reply else "",
                    expected=f"an answer within {self.settings.read_deadline_s:.0f} s",
                    found=f"{attempt} attempts, the last: {why}",
                    next_step=Text(ko="잠시 후 다시 시도하세요", en="try again later"),
                )
            await self._clock.sleep(pause)

    async def ask(self, asked: Ask, *, lane: Lane = Lane.DATA, about: str = "", tr_cont: str = "") -> Reply:
        """Make one typed query; as ``call``."""
        return await self.call(asked.operation.name, asked.values(), lane=lane, about=about, tr_cont=tr_cont)

    async def ask_pages(self, asked: Ask, *, lane: Lane = Lane.DATA, about: str = "") -> list[Reply]:
        """Make one typed paged query and return every page; as ``pages``."""
        return await self.pages(asked.operation.name, asked.values(), lane=lane, about=about)

    async def pages(self, name: str, values: Mapping[str, str], *, lane: Lane, about: str = "") -> list[Reply]:
        """Make a paged query and return every page; a page that fails fails the whole."""
        operation = OPERATIONS[name]
        replies = [await self.call(name, values, lane=lane, about=about)]
        while replies[-1].more:
            if len(replies) >= _MAX_PAGES or (len(replies) > 1 and replies[-1].cursor == replies[-2].cursor):
                raise WireError(
                    f"{name}: paging of {about} does not end",
                    expected="a last page",
                    found=f"{len(replies)} pages",
                    next_step="keep the replies; the cursor did not move",
                )
            following = next_request(operation, values, replies[-1].cursor)
            replies.append(await self.call(name, following, lane=lane, about=about, tr_cont=NEXT_PAGE))
        return replies

    async def send(self, name: str, values: Mapping[str, str], *, lane: Lane = Lane.ORDER) -> Sent:
        """Send one order call once and return its outcome class; never raises for the fate of an order."""
        operation = OPERATIONS[name]
        if self.settings.read_only:
            return NotSent("this connection is for reading only")
        try:
            token = await self._tokens.token()
        except (BrokerError, WireError) as fault:
            return NotSent(f"no token: {fault}")
        await self._pacer.turn(lane)
        try:
            reply = await self._exchange(operation, values, token, "", orders=True)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as fault:
            return NotSent(f"{type(fault).__name__}: {fault}")
        except (aiohttp.ClientError, TimeoutError, OSError, WireError) as fault:
            _log.error("order.outcome_unknown", operation=name, fault=type(fault).__name__)
            return Unknown(f"{type(fault).__name__}: {fault}")
        return self._classify(operation, reply, token)

    async def approval_key(self) -> str:
        """Ask for the key that opens a WebSocket session."""
        secret = self.settings.app_secret.reveal()
        values = {"grant_type": "client_credentials", "appkey": self.settings.app_key, "secretkey": secret}
        reply = await self.call("Approval", values, lane=Lane.URGENT)
        key = str(reply.body.get("approval_key") or "")
        if not key:
            raise Retryable("KIS sent no approval key", expected="approval_key", found=reply.text[:60])
        return key

    async def download(self, path: str) -> bytes:
        """Return a file of the master host."""
        url = URL(self.settings.masters + path)
        self.counts.in_flight += 1
        try:
            async with self._session(orders=False).get(url, allow_redirects=False) as response:
                payload = await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise Retryable(f"download of {path} failed: {fault}", next_step="try again later") from fault
        finally:
            self.counts.in_flight -= 1
        if status != 200:
            raise BrokerError(f"download of {path} failed", expected="HTTP 200", found=f"HTTP {status}")
        return payload

    async def _issue_token(self) -> tuple[str, Instant]:
        settings = self.settings
        values = {
            "grant_type": "client_credentials",
            "appkey": settings.app_key,
            "appsecret": settings.app_secret.reveal(),
        }
        operation = OPERATIONS["tokenP"]
        try:
            reply = await self._exchange(operation, values, "", "", orders=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise Retryable(f"no token: {type(fault).__name__}", next_step="try again in a minute") from fault
        token = str(reply.body.get("access_token") or "")
        if not token:
            stop = codes.reaction(reply.code, status=reply.status) is Reaction.STOP
            raise (Fatal if stop else Retryable)(
                Text(ko=f"KIS 토큰 발급 거절: {reply.text}", en=f"KIS refused a token: {reply.text}"),
                code=reply.code,
                expected="an access token",
                found=f"{reply.code} (HTTP {reply.status})",
                next_step=Text(ko="앱키와 도메인을 확인하세요", en="check app key, secret and domain"),
            )
        return token, _expiry(reply, self._clock.now())

    async def _attempt(
        self, operation: Operation, values: Mapping[str, str], lane: Lane, tr_cont: str
    ) -> tuple[Reply | None, str]:
        token = await self._tokens.token() if operation.real else ""
        await self._pacer.turn(lane)
        try:
            reply = await self._exchange(operation, values, token, tr_cont, orders=False)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            return None, f"{type(fault).__name__}: {fault}"
        except WireError as fault:
            return None, str(fault)
        if not reply.ok and codes.reaction(reply.code, status=reply.status) is Reaction.NEW_TOKEN:
            self._tokens.drop(token)
        return reply, reply.text

    async def _judge(self, operation: Operation, reply: Reply, about: str) -> str:
        self.counts.by_code[reply.code] = self.counts.by_code.get(reply.code, 0) + 1
        verdict = codes.reaction(reply.code, status=reply.status)
        if verdict is Reaction.LATER:
            self._pacer.hold(1.0)
        if verdict in (Reaction.STOP, Reaction.REFUSED):
            raise (Fatal if verdict is Reaction.STOP else BrokerError)(
                Text(
                    ko=f"KIS가 {operation.korean} 조회를 거절했습니다: {reply.text}",
                    en=f"KIS refused {operation.name} {about}: {reply.text}",
                ),
                code=reply.code,
                expected="rt_cd 0",
                found=f"{reply.code} (HTTP {reply.status})",
                next_step=Text(ko="코드 표에서 원인을 확인하세요", en="look the code up in the table of codes"),
            )
        return f"{reply.code} {reply.text}"

    def _classify(self, operation: Operation, reply: Reply, token: str) -> Sent:
        if reply.ok:
            output = reply.body.get("output")
            number = output.get("ODNO") if isinstance(output, dict) else None
            return Acked(reply) if str(number or "").strip() else Unknown("accepted without an order number")
        self.counts.by_code[reply.code] = self.counts.by_code.get(reply.code, 0) + 1
        verdict = codes.reaction(reply.code, status=reply.status)
        if verdict is Reaction.NEW_TOKEN:
            self._tokens.drop(token)
        if verdict is Reaction.LATER:
            self._pacer.hold(1.0)
        if verdict is Reaction.AMBIGUOUS:
            _log.error("order.outcome_unknown", operation=operation.name, code=reply.code, status=reply.status)
            return Unknown(f"HTTP {reply.status} {reply.code} {reply.text}")
        return Refused(reply.code, reply.text, again=verdict in (Reaction.LATER, Reaction.NEW_TOKEN))

    def _session(self, *, orders: bool) -> aiohttp.ClientSession:
        found = self._orders if orders else self._data
        if found is None:
            settings = self.settings
            # Orders take a fresh connection each: a failure to connect proves that nothing was sent, and a
            # kept-alive connection that the server has closed cannot make an order's fate unknown.
            connector = aiohttp.TCPConnector(limit=1 if orders else _CONNECTIONS, force_close=orders)
            connect_s = settings.connect_timeout_s if orders else settings.read_timeout_s
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s, sock_read=settings.read_timeout_s)
            found = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )
            if orders:
                self._orders = found
            else:
                self._data = found
        return found

    async def _exchange(
        self, operation: Operation, values: Mapping[str, str], token: str, tr_cont: str, *, orders: bool
    ) -> Reply:
        settings = self.settings
        tr = operation.tr_id(settings.mode)
        if operation.real and not tr:
            raise Fatal(
                Text(
                    ko=f"모의투자에는 {operation.korean} 조회가 없습니다",
                    en=f"the mock domain does not serve {operation.name}",
                ),
                expected="a call of this domain",
                found=settings.mode.value,
            )
        headers = {"content-type": "application/json; charset=utf-8"}
        if tr:
            headers |= {
                "authorization": f"Bearer {token}",
                "appkey": settings.app_key,
                "appsecret": settings.app_secret.reveal(),
                "tr_id": tr,
                "tr_cont": tr_cont,
                "custtype": "P",
            }
        body = operation.body(values)
        address = settings.rest_url + operation.path
        self.counts.calls += 1
        self.counts.in_flight += 1
        try:
            if operation.method == "GET":
                url, data = URL(f"{address}?{urlencode(body)}", encoded=True), None
            else:
                url, data = URL(address, encoded=True), json.dumps(body, ensure_ascii=False).encode()
            session = self._session(orders=orders)
            async with session.request(
                operation.method, url, data=data, headers=headers, allow_redirects=False
            ) as response:
                payload = await response.read()
                return read_reply(operation, tr, response.status, response.headers.get("tr_cont", ""), payload)
        finally:
            self.counts.in_flight -= 1


def _expiry(reply: Reply, now: Instant) -> Instant:
    """Return when a token dies: the KST text of the reply, else its seconds counted from now."""
    text = str(reply.body.get("access_token_token_expired") or "")
    digits = "".join(character for character in text if character.isdigit())
    if len(digits) == 14:
        return instant_at(day_from(digits[:8]), int(digits[8:]))
    try:
        return now + int(float(str(reply.body.get("expires_in", 0)))) * NS_PER_SECOND
    except ValueError:
        return now
