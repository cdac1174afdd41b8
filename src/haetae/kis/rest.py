"""REST calls to KIS: queries that are repeated until a deadline, orders that are sent exactly once.

Here: `KisRest`, repeats of queries, paging. Not here: the exchange itself (`transport`), orders (`sending`), what
refusals lead to (`standing`), what replies mean (`broker`, `feed`, `source`), the codec (`wire`).

A query is repeated where that can help: no answer, pace, a dead token, errors of the moment (EGW00316, OPSQ0003,
IGW00009 …), which never mean that there is no more data. An answer that is not KIS's although its status says 200 will
not become one: it is given three tries. Nothing else is sent twice by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType

import numpy as np
import structlog

from haetae.domain.errors import BrokerError, Fatal, Retryable, Text, WireError
from haetae.kis import refusals
from haetae.kis.auth import Approvals, Tokens
from haetae.kis.carrier import HttpCarriers, NeverLeft, NoAnswer
from haetae.kis.carrier_aiohttp import AiohttpCarrier
from haetae.kis.deployment import is_trading
from haetae.kis.health import Health
from haetae.kis.issuing import Issuer
from haetae.kis.pacing import Lane
from haetae.kis.sending import Acked as Acked
from haetae.kis.sending import NotSent as NotSent
from haetae.kis.sending import OrderSender, Permit
from haetae.kis.sending import Refused as Refused
from haetae.kis.sending import Sent as Sent
from haetae.kis.sending import Unknown as Unknown
from haetae.kis.settings import KisSettings
from haetae.kis.standing import Counts, Standing
from haetae.kis.transport import NotKis
from haetae.kis.wire import codes
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.envelope import NEXT_PAGE, Reply, next_request
from haetae.kis.wire.operations import OPERATIONS, Operation
from haetae.kis.wire.typed import Ask
from haetae.ports import Clock, Passing, pass_by

_log = structlog.get_logger(__name__)
_BACKOFF_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""The first repeat comes at once: most often a kept-alive connection had been closed by the other side."""
_MAX_PAGES = 200
"""No account or calendar has more; a cursor that never ends is a fault."""
_WRONG_PAGES = 3


class KisRest:
    """The REST side of one app key; share it between broker, feed and source, for the pace is one budget."""

    def __init__(
        self,
        settings: KisSettings,
        clock: Clock,
        dice: np.random.Generator | None = None,
        permit: Permit | None = None,
        *,
        carry: HttpCarriers = AiohttpCarrier,
        passing: Passing = pass_by,
    ) -> None:
        """Open nothing yet; sessions begin with the first call.

        ``dice`` spread the repeats of queries, so that several processes do not ask in step; none repeats on the dot.
        ``permit`` is asked of every order call right before it leaves; ``carry`` makes what carries the exchanges.
        """
        self.settings = settings
        self._clock = clock
        self._dice = dice
        self._standing = Standing(settings, clock, carry(settings))
        issuer = Issuer(self._standing)
        self._tokens = Tokens(settings, clock, issuer.token, passing)
        self._approvals = Approvals(clock, issuer.approval)
        self._orders = OrderSender(self._standing, self._tokens, self._hash_of, permit, passing)

    async def __aenter__(self) -> KisRest:
        """Return itself."""
        return self

    async def __aexit__(self, kind: type[BaseException] | None, fault: object, trace: TracebackType | None) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Close all connections; orders on their way are awaited, answers that are late already are not."""
        await self._orders.close()
        await self._standing.transport.close()

    @property
    def counts(self) -> Counts:
        """What was asked, repeated and refused since the start."""
        return self._standing.counts

    @property
    def busy(self) -> bool:
        """Whether a request is on the wire now (waiting for a turn or a clock does not count)."""
        return self.counts.in_flight > 0

    @property
    def calls_per_second(self) -> float:
        """Calls a second that the pace permits now; 0 where it is infinite."""
        return self._standing.calls_per_second

    @property
    def skew_s(self) -> float | None:
        """Seconds our clock is ahead of the server's, as far as proven; None where it is not watched or not known."""
        return self._standing.skew_s

    def health(self) -> Health:
        """Return how the REST side is doing now."""
        now, standing = self._clock.monotonic(), self._standing
        return Health(
            calls=standing.meter.calls(now),
            error_ratio=standing.meter.error_ratio(now),
            budget_used=standing.pacer.used(),
            token_left_s=self._tokens.left_s,
            skew_s=standing.skew_s,
            is_open=standing.breaker.is_open,
            stopped=str(standing.stopped) if standing.stopped else "",
        )

    async def prepare(self) -> None:
        """Have a token that lives through the session, before it begins; raises what prevents one."""
        self._standing.refuse_if_stopped()
        await self._tokens.token()

    async def call(
        self,
        name: str,
        values: Mapping[str, str],
        *,
        lane: Lane = Lane.DATA,
        about: str = "",
        tr_cont: str = "",
        within_s: float | None = None,
        in_turn: bool = False,
    ) -> Reply:
        """Make a query, repeating what may be repeated until the deadline (``within_s``, or the settings').

        ``in_turn`` lets the orders of its lane that came before it go before it.
        Raises ``Retryable`` when the deadline passed, ``Fatal`` for keys, permissions and wrong domain,
        ``BrokerError`` for a refusal of the query itself, ``WireError`` where something answers that is not KIS.
        """
        operation = OPERATIONS[name]
        limit_s = self.settings.read_deadline_s if within_s is None else within_s
        deadline = self._clock.monotonic() + limit_s
        attempt, strange = 0, 0
        while True:
            self._standing.refuse_if_stopped()
            if lane is Lane.DATA:
                await self._until_data_may_ask(deadline, limit_s, name)
            code = ""
            try:
                reply = await self._attempt(operation, values, lane, tr_cont, in_turn=in_turn)
                if reply.ok or reply.code == codes.QUERY_EMPTY:
                    return reply
                why, code = self._judge(operation, reply, about), reply.code
            except NotKis as fault:
                why, strange = str(fault), strange + (fault.status == 200)
                if strange == _WRONG_PAGES:
                    raise
            except (NeverLeft, NoAnswer) as fault:
                why = str(fault)
                if isinstance(fault, NeverLeft) and fault.is_final:
                    raise refusals.untrusted(name, why) from None
            pause = self._pause(attempt)
            attempt += 1
            self.counts.repeats += 1
            _log.warning("query.repeated", operation=name, about=about, why=why, pause_s=pause)
            if self._clock.monotonic() + pause > deadline:
                raise Retryable(
                    Text(ko=f"KIS 조회 {name} {about} 실패", en=f"KIS query {name} {about} failed"),
                    code=code,
                    expected=f"an answer within {limit_s:.0f} s",
                    found=f"{attempt} attempts, the last: {why}",
                    next_step=Text(ko="잠시 후 다시 시도하세요", en="try again later"),
                )
            await self._clock.sleep(pause)

    async def ask(
        self,
        asked: Ask,
        *,
        lane: Lane = Lane.DATA,
        about: str = "",
        tr_cont: str = "",
        within_s: float | None = None,
    ) -> Reply:
        """Make one typed query; as ``call``."""
        name, values = asked.operation.name, asked.values()
        return await self.call(name, values, lane=lane, about=about, tr_cont=tr_cont, within_s=within_s)

    async def ask_pages(
        self, asked: Ask, *, lane: Lane = Lane.DATA, about: str = "", in_turn: bool = False
    ) -> list[Reply]:
        """Make one typed paged query and return every page; as ``pages``."""
        return await self.pages(asked.operation.name, asked.values(), lane=lane, about=about, in_turn=in_turn)

    async def pages(
        self, name: str, values: Mapping[str, str], *, lane: Lane, about: str = "", in_turn: bool = False
    ) -> list[Reply]:
        """Make a paged query and return every page; a page that fails fails the whole."""
        operation = OPERATIONS[name]
        replies = [await self.call(name, values, lane=lane, about=about, in_turn=in_turn)]
        while replies[-1].more:
            if len(replies) >= _MAX_PAGES or (len(replies) > 1 and replies[-1].cursor == replies[-2].cursor):
                raise WireError(
                    f"{name}: paging of {about} does not end",
                    expected="a last page",
                    found=f"{len(replies)} pages",
                    next_step="keep the replies; the cursor did not move",
                )
            following = next_request(operation, values, replies[-1].cursor)
            page = self.call(name, following, lane=lane, about=about, tr_cont=NEXT_PAGE, in_turn=in_turn)
            replies.append(await page)
        return replies

    async def send(self, name: str, values: Mapping[str, str], *, lane: Lane = Lane.ORDER) -> Sent:
        """Send one order call once and return its outcome class; never raises for the fate of an order.

        Cancelling the caller never cancels the request: it goes on, and so does the wait for its answer.
        """
        return await self._orders.send(OPERATIONS[name], values, lane)

    async def order(self, asked: Ask, *, lane: Lane = Lane.ORDER) -> Sent:
        """Send one typed order call once; as ``send``."""
        return await self.send(asked.operation.name, asked.values(), lane=lane)

    async def approval_key(self, *, refused: str = "") -> str:
        """Return a key that opens a WebSocket session; never ``refused``, one that KIS did not know any more."""
        return await self._approvals.key(refused=refused)

    async def download(self, path: str) -> bytes:
        """Return a file of the master host."""
        with self._standing.on_the_wire():
            try:
                status, payload = await self._standing.transport.download(path)
            except (NeverLeft, NoAnswer) as fault:
                raise Retryable(f"download of {path} failed: {fault}", next_step="try again later") from None
        if status != 200:
            raise BrokerError(f"download of {path} failed", expected="HTTP 200", found=f"HTTP {status}")
        return payload

    async def _hash_of(self, values: Mapping[str, str]) -> str:
        reply = await self.call("hashkey", values, lane=Lane.URGENT)
        return str(reply.body.get("HASH") or "")

    async def _attempt(
        self, operation: Operation, values: Mapping[str, str], lane: Lane, tr_cont: str, *, in_turn: bool
    ) -> Reply:
        standing = self._standing
        standing.transport.checked_tr(operation)
        token = await self._tokens.token() if operation.real else ""
        standing.redact.hide(token)
        ledger = is_trading(operation)
        with await standing.turn(lane, ledger=ledger, asks=not in_turn) as turn, standing.on_the_wire():
            try:
                reply = await standing.transport.exchange(operation, values, token=token, tr_cont=tr_cont)
            except (NeverLeft, NoAnswer, NotKis) as fault:
                standing.count(failed=True)
                if isinstance(fault, NeverLeft):
                    turn.unused()
                raise
            except Fatal as fault:
                standing.stop(fault)
                raise
            turn.answered()
        standing.count(failed=False)
        standing.mind_the_clock()
        if reply.ok:
            self._tokens.worked(token)
        elif standing.heed(reply):
            self._tokens.drop(token)
        return reply

    def _judge(self, operation: Operation, reply: Reply, about: str) -> str:
        """Return why a query is repeated; raises where no repeat can help."""
        self._standing.refuse_if_stopped()
        verdict = codes.reaction(reply.code, status=reply.status, text=reply.text)
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

    async def _until_data_may_ask(self, deadline: float, limit_s: float, name: str) -> None:
        while (wait := self._standing.breaker.wait_s(self._clock.monotonic())) > 0:
            if self._clock.monotonic() + wait > deadline:
                raise Retryable(
                    Text(ko="KIS가 응답하지 않아 조회를 쉬고 있습니다", en="KIS does not answer; queries are resting"),
                    expected=f"an answer within {limit_s:.0f} s",
                    found=f"{name} was not asked",
                    next_step=Text(ko="잠시 후 다시 시도하세요", en="try again later"),
                )
            await self._clock.sleep(wait)

    def _pause(self, attempt: int) -> float:
        pause = _BACKOFF_S[min(attempt, len(_BACKOFF_S) - 1)]
        return pause if self._dice is None else pause * (0.5 + float(self._dice.random()))
