"""The two calls that give out keys: the access token and the approval key of a WebSocket session.

Here: `Issuer`. Not here: when they are made (`auth`). The owner of the account gets a message for every token of the
real domain, so nothing here repeats.
"""

from __future__ import annotations

from haetae.domain.errors import Fatal, Retryable, Text
from haetae.domain.units import NS_PER_SECOND, Instant, day_from, instant_at
from haetae.kis import refusals
from haetae.kis.carrier import NeverLeft, NoAnswer
from haetae.kis.standing import Standing
from haetae.kis.wire import codes
from haetae.kis.wire.codes import Reaction
from haetae.kis.wire.envelope import Reply
from haetae.kis.wire.operations import OPERATIONS

_NEXT = Text(ko="1분 뒤 다시 시도하세요", en="try again in a minute")


class Issuer:
    """Asks KIS for keys, once a call."""

    def __init__(self, standing: Standing) -> None:
        """Ask nothing yet."""
        self._standing = standing

    async def token(self) -> tuple[str, Instant]:
        """Return a token and its expiry; raises ``Fatal`` for keys KIS does not take, ``Retryable`` otherwise."""
        reply = await self._ask("tokenP", "appsecret")
        token = str(reply.body.get("access_token") or "")
        if not token:
            raise self._refused(reply, "an access token")
        self._standing.redact.hide(token)
        return token, _expiry(reply, self._standing.clock.now())

    async def approval(self) -> str:
        """Return an approval key; raises as ``token`` does."""
        reply = await self._ask("Approval", "secretkey")
        key = str(reply.body.get("approval_key") or "")
        if not key:
            raise self._refused(reply, "an approval key")
        self._standing.redact.hide(key)
        return key

    async def _ask(self, name: str, secret_name: str) -> Reply:
        standing = self._standing
        standing.refuse_if_stopped()
        settings = standing.settings
        values = {
            "grant_type": "client_credentials",
            "appkey": settings.app_key,
            secret_name: settings.app_secret.reveal(),
        }
        try:
            with standing.on_the_wire():
                reply = await standing.transport.exchange(OPERATIONS[name], values)
        except (NeverLeft, NoAnswer) as fault:
            standing.count(failed=True)
            if isinstance(fault, NeverLeft) and fault.is_final:
                raise refusals.untrusted(name, str(fault)) from None
            raise Retryable(
                Text(ko=f"KIS가 {name} 에 답하지 않습니다", en=f"KIS does not answer {name}"),
                expected="a key",
                found=str(fault),
                next_step=_NEXT,
            ) from None
        standing.count(failed=False)
        standing.mind_the_clock()
        return reply

    def _refused(self, reply: Reply, expected: str) -> Fatal | Retryable:
        self._standing.heed(reply)
        if self._standing.stopped is not None:
            return self._standing.stopped
        stop = codes.reaction(reply.code, status=reply.status) is Reaction.STOP
        return (Fatal if stop else Retryable)(
            Text(ko=f"KIS가 키를 주지 않습니다: {reply.text}", en=f"KIS gave no key: {reply.text}"),
            code=reply.code,
            expected=expected,
            found=f"{reply.code} (HTTP {reply.status})",
            next_step=Text(ko="앱키와 도메인을 확인하세요", en="check app key, secret and domain") if stop else _NEXT,
        )


def _expiry(reply: Reply, now: Instant) -> Instant:
    """Return when a token dies: the KST text of the reply, else its seconds counted from now."""
    text = str(reply.body.get("access_token_token_expired") or "")
    digits = "".join(character for character in text if character.isdecimal())
    try:
        if len(digits) == 14:
            return instant_at(day_from(digits[:8]), int(digits[8:]))
        return now + int(float(str(reply.body.get("expires_in", 0)))) * NS_PER_SECOND
    except (ValueError, OverflowError):
        return now
