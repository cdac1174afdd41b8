"""The send of an order: once, in time, whatever becomes of the caller; and what its end proves.

Here: the four ends of a send, the proof each needs, `OrderSender`. Not here: what a second send may follow (`broker`),
queries (`rest`). Refused by pace or token means refused by the gateway, ahead of the order system, so the same
order may be sent once more; that KIS always checks in this order is its documentation's word, not proven by us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import structlog

from haetae.domain.errors import BrokerError, ConfigError, Fatal, WireError
from haetae.kis.auth import Tokens
from haetae.kis.carrier import NeverLeft, NoAnswer, Sending
from haetae.kis.pacing import Lane
from haetae.kis.standing import Standing
from haetae.kis.wire import codes
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.envelope import Reply
from haetae.kis.wire.operations import Operation
from haetae.ports import Passing, pass_by

_log = structlog.get_logger(__name__)


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
    """Failed before the first byte could leave; ``again`` says that trying once more can help."""

    why: str
    again: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """May or may not have been taken; ``late`` ends with the answer where one still comes."""

    why: str
    late: asyncio.Task[Sent] | None = field(default=None, repr=False, compare=False)


Sent: TypeAlias = Acked | Refused | NotSent | Unknown
Permit: TypeAlias = Callable[[Operation, Mapping[str, str]], str]
"""Asked when an order's turn has come, right before its first byte: why it must not leave now, empty where it may."""


def classify(reply: Reply) -> Sent:
    """Return what a readable reply to an order proves."""
    if reply.ok:
        output = reply.body.get("output")
        number = str(output.get("ODNO") or "").strip() if isinstance(output, dict) else ""
        if number.isascii() and number.isdecimal():
            return Acked(reply)
        return Unknown("accepted without an order number")
    verdict = codes.reaction(reply.code, status=reply.status, text=reply.text)
    if verdict is Reaction.AMBIGUOUS:
        return Unknown(f"HTTP {reply.status} {reply.code} {reply.text}")
    return Refused(reply.code, reply.text, again=verdict in (Reaction.LATER, Reaction.NEW_TOKEN))


class OrderSender:
    """Sends orders over one connection; never raises for the fate of one."""

    def __init__(
        self,
        standing: Standing,
        tokens: Tokens,
        hash_of: Callable[[Mapping[str, str]], Awaitable[str]],
        permit: Permit | None = None,
        passing: Passing = pass_by,
    ) -> None:
        """Send nothing yet; ``hash_of`` asks for the hashkey of an order's values, where they are wanted."""
        self._standing = standing
        self._tokens = tokens
        self._hash_of = hash_of
        self._permit = permit
        self._passing = passing
        self._under_way: set[asyncio.Task[Sent]] = set()
        self._late: set[asyncio.Task[Sent]] = set()

    async def send(self, operation: Operation, values: Mapping[str, str], lane: Lane) -> Sent:
        """Send one order; cancelling the caller cancels neither the request nor the wait for its answer."""
        task = asyncio.create_task(self._send(operation, values, lane))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Await orders on their way; answers that are late already are not awaited."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        late = list(self._late)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _send(self, operation: Operation, values: Mapping[str, str], lane: Lane) -> Sent:
        standing, settings = self._standing, self._standing.settings
        if settings.read_only:
            return NotSent("this connection is for reading only", again=False)
        try:
            standing.refuse_if_stopped()
            standing.transport.checked_tr(operation)
            self._passing("order.before_token")
            token = await self._tokens.token(within_s=settings.order_again_s, for_order=True)
            hashkey = await self._hash_of(values) if settings.hashkey else ""
            self._passing("order.token_held")
            waited = await standing.turn(lane, ledger=True)
        except (BrokerError, WireError, ConfigError) as fault:
            return NotSent(str(fault), again=False)
        standing.redact.hide(token)
        self._passing("order.turn_taken")
        with waited as turn:
            if self._permit is not None and (why := self._permit(operation, values)):
                turn.unused()
                return NotSent(why, again=False)
            sending = Sending()
            exchange = asyncio.create_task(
                standing.transport.exchange(
                    operation, values, token=token, for_order=True, sending=sending, hashkey=hashkey
                )
            )
            with standing.on_the_wire():
                await self._in_time(exchange, sending)
            if not exchange.done():
                _log.error("order.outcome_unknown", operation=operation.name, fault="no answer in time")
                standing.count(failed=True)
                late = asyncio.create_task(self._end(exchange, operation, token))
                self._late.add(late)
                late.add_done_callback(self._late.discard)
                return Unknown(f"no answer within {settings.read_timeout_s:.0f} s", late)
            self._passing("order.answered")
            sent = await self._end(exchange, operation, token)
            self._passing("order.classified")
            if isinstance(sent, NotSent):
                turn.unused()
            elif not isinstance(sent, Unknown):
                turn.answered()
            return sent

    async def _in_time(self, exchange: asyncio.Task[Reply], sending: Sending) -> None:
        """Wait for the connection, which has its own limit, and then ``read_timeout_s`` for writing and the answer."""
        left = asyncio.ensure_future(sending.left.wait())
        try:
            await asyncio.wait({exchange, left}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            left.cancel()
        self._passing("order.bytes_leave")
        await asyncio.wait({exchange}, timeout=self._standing.settings.read_timeout_s)

    async def _end(self, exchange: asyncio.Task[Reply], operation: Operation, token: str) -> Sent:
        """Return what became of an exchange."""
        standing = self._standing
        try:
            reply = await exchange
        except NeverLeft as fault:
            standing.count(failed=True)
            return NotSent(str(fault), again=not fault.is_final)
        except Fatal as fault:
            standing.stop(fault)
            return Unknown(f"{fault}: {fault.found}")
        except (NoAnswer, WireError) as fault:
            standing.count(failed=True)
            _log.error("order.outcome_unknown", operation=operation.name, fault=str(fault))
            return Unknown(str(fault))
        except asyncio.CancelledError:
            exchange.cancel()
            raise
        standing.count(failed=False)
        sent = classify(reply)
        if not reply.ok and standing.heed(reply):
            self._tokens.drop(token)
        if isinstance(sent, Unknown):
            _log.error("order.outcome_unknown", operation=operation.name, code=reply.code, status=reply.status)
        return sent
