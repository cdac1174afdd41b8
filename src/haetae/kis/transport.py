"""One exchange with KIS: address, headers, and the last look before anything leaves.

Here: `Transport`. Not here: what carries it (`carrier`), pace, tokens, repeats (`rest`), what a reply means (`wire`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlencode

from haetae.domain.errors import Text, WireError
from haetae.kis import refusals
from haetae.kis.carrier import Answer, HttpCarrier, NeverLeft, NoAnswer, Patience, Sending
from haetae.kis.deployment import address_faults, answers_other_domain, tr_fault
from haetae.kis.secrecy import Redactor
from haetae.kis.settings import KisSettings
from haetae.kis.skew import ClockWatch
from haetae.kis.wire.envelope import Reply, read_reply
from haetae.kis.wire.operations import Operation
from haetae.ports import Clock

_TOLD = 60
_CALLS = "/uapi/"
"""Everything but the calls that give out tokens and approval keys."""
_TOO_MANY_REQUESTS = 429


@lru_cache(maxsize=512)
def _query(asked: tuple[tuple[str, str], ...]) -> str:
    """Return the query of an address; the same few questions are asked all day."""
    return urlencode(asked)


class NotKis(WireError):
    """Something answered that is no KIS envelope; ``status`` is its HTTP status."""

    status = 0


class Transport:
    """Connections to the REST server and the master files of one deployment."""

    def __init__(
        self, settings: KisSettings, clock: Clock, redact: Redactor, watch: ClockWatch, carrier: HttpCarrier
    ) -> None:
        """Open nothing yet."""
        self._settings = settings
        self._carrier = carrier
        self._clock = clock
        self._redact = redact
        self._watch = watch

    async def close(self) -> None:
        """Close all connections."""
        await self._carrier.close()

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
        sent_at = self._clock.now()
        answer = await self._carried(
            operation.method,
            url,
            headers,
            data,
            patience=Patience.ORDER if for_order else Patience.QUERY,
            sending=sending or Sending(),
        )
        answered, more = answer.headers.get("tr_id", ""), answer.headers.get("tr_cont", "")
        if self._settings.watches_clock:
            self._watch.see(answer.headers.get("date", ""), sent_at, self._clock.now())
        if answers_other_domain(tr_id, answered):
            raise refusals.other_domain(tr_id, answered)
        return self._read(operation, tr_id, answer.status, more, answer.payload)

    async def download(self, path: str) -> tuple[int, bytes]:
        """Return status and content of a file of the master host; raises ``NeverLeft`` or ``NoAnswer``."""
        url = self._settings.masters + path
        answer = await self._carried("GET", url, {}, None, patience=Patience.FILE, sending=Sending())
        return answer.status, answer.payload

    async def _carried(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        data: bytes | None,
        *,
        patience: Patience,
        sending: Sending,
    ) -> Answer:
        """Make one exchange; a failure is told without the carrier's own, whose texts may hold what is secret."""
        try:
            return await self._carrier.exchange(method, url, headers, data, patience=patience, sending=sending)
        except NeverLeft as fault:
            raise NeverLeft(self._redact(str(fault)), is_final=fault.is_final) from None
        except NoAnswer as fault:
            raise NoAnswer(self._redact(str(fault))) from None

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

    def _target(self, operation: Operation, body: Mapping[str, str]) -> tuple[str, bytes | None]:
        address = self._settings.rest_url.rstrip("/") + operation.path
        if operation.method == "GET":
            return f"{address}?{_query(tuple(body.items()))}", None
        return address, json.dumps(body, ensure_ascii=False).encode()

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
