"""The gate before every call and the books after it.

Order: key and account state, breaker, drift of the model's name, the purse; then the wire; then the books
(what it cost, what came, under which name). A refusal is a value. Real time (``wall``) rules here, not
the market's: a provider does not run faster because a market is replayed.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import structlog

from haetae.domain.errors import DataError
from haetae.domain.units import Instant, day_of
from haetae.llm.breaker import Breaker
from haetae.llm.ledger import Ask, Ledger, Outcome
from haetae.llm.names import is_snapshot_of
from haetae.llm.prices import Price, PriceTable
from haetae.llm.settings import LlmSettings
from haetae.ports import Clock

if TYPE_CHECKING:
    from haetae.llm.wire import Role, Spoken, Usage

_log = structlog.get_logger(__name__)
_TOKENS_MARGIN_PCT = 115
_FIXED_TOKENS = 300
"""What a service adds around messages and schema."""
_PLAUSIBLE_FACTOR = 10
"""Usage beyond ten times the estimate is no count but a fault."""


class Names(Enum):
    """What a strange name of the answering model means: trading stops asking, a test asks again, a person accepts."""

    HOLD = "hold"
    CHECK = "check"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Question:
    """Messages with the schema of the reply, and what they are for."""

    purpose: str
    subject: str
    template: str
    messages: tuple[tuple[Role, str], ...]
    schema: dict[str, Any]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Text of the model, or ``code`` and ``detail`` of why there is none."""

    text: str = ""
    code: str = ""
    detail: str = ""
    retry_after_s: float | None = None

    @property
    def failure(self) -> str:
        """Return the failure as an ``AgentReply`` carries it."""
        return f"{self.code}: {self.detail}" if self.code else ""


class LlmClient:
    """One model at one address with one purse; shared by decider and critic of a process."""

    def __init__(
        self, settings: LlmSettings, prices: PriceTable, ledger: Ledger, wall: Clock, *, names: Names = Names.HOLD
    ) -> None:
        """Call nothing yet."""
        self.settings = settings
        self.ledger = ledger
        self._prices = prices
        self._wall = wall
        self._names = names
        self._breaker = Breaker(settings.failures_to_open, settings.cool_down_s)

    async def ask(self, question: Question, attempt: int) -> Answer:
        """Make one call through gate and books. Cancelling it leaves its reservation spent."""
        now = self._wall.now()
        try:
            shut = self._drifted() or self._breaker.gate(self._wall.monotonic())
            if shut:
                return _refused(shut)
            price = self._prices.price(self.settings.model, day_of(now))
            entry = self._entry(question, attempt, price)
            call_id, cap = self.ledger.reserve(
                entry, now, daily_krw=self.settings.daily_krw, calls_per_minute=self.settings.calls_per_minute
            )
        except DataError as fault:
            _log.error("llm.ledger_failed", fault=str(fault), found=fault.found)
            self._breaker.forget_probe()
            return Answer(code="BUDGET", detail="the spend ledger cannot be written")
        if not call_id:
            self._breaker.forget_probe()
            _log.warning("llm.capped", why=cap)
            return _refused(cap)
        return await self._call(question, call_id, price, now)

    async def _call(self, question: Question, call_id: int, price: Price, asked_at: Instant) -> Answer:
        from haetae.llm.wire import speak

        began = asyncio.get_running_loop().time()

        def elapsed_ms() -> int:
            return int((asyncio.get_running_loop().time() - began) * 1000)

        try:
            spoken = await speak(self.settings, question.messages, question.schema)
        except asyncio.CancelledError:
            self._breaker.fail(self._wall.monotonic(), "UNAVAILABLE: the service does not answer in time")
            self._book(call_id, Outcome("LATE", "ended by the deadline", latency_ms=elapsed_ms()))
            raise
        spoken_code, detail = self._name_fault(spoken, asked_at)
        settled, flag = self._cost(question, spoken, price)
        booked = self._book(
            call_id,
            Outcome(
                spoken_code or "OK",
                detail,
                flag=flag,
                settled=settled,
                returned_model=spoken.model,
                tokens_in=spoken.usage.tokens_in,
                tokens_out=spoken.usage.tokens_out,
                tokens_cached=spoken.usage.tokens_cached,
                latency_ms=elapsed_ms(),
                reply=spoken.body,
                reply_sha256=hashlib.sha256(spoken.body).hexdigest() if spoken.body else "",
            ),
        )
        self._learn(spoken_code, detail, spoken.retry_after_s)
        if not booked:
            return Answer(code="BUDGET", detail="the spend ledger cannot be written")
        if spoken_code:
            _log.warning("llm.failed", code=spoken_code, detail=detail, subject=question.subject)
            return Answer(code=spoken_code, detail=detail, retry_after_s=spoken.retry_after_s)
        return Answer(text=spoken.text)

    def _book(self, call_id: int, outcome: Outcome) -> bool:
        try:
            self.ledger.settle(call_id, outcome)
        except DataError as fault:
            _log.error("llm.ledger_failed", fault=str(fault), found=fault.found)
            return False
        return True

    def _entry(self, question: Question, attempt: int, price: Price) -> Ask:
        settings = self.settings
        prompt = json.dumps([list(item) for item in question.messages], ensure_ascii=False)
        tokens_in = _estimate(question.messages)
        return Ask(
            purpose=question.purpose,
            subject=question.subject,
            attempt=attempt,
            host=settings.host,
            model=settings.model,
            behaviour=behaviour_key(settings, question),
            prompt=prompt,
            prompt_sha256=hashlib.sha256(prompt.encode()).hexdigest(),
            dropped=question.dropped,
            price_version=self._prices.version,
            krw_per_usd=settings.krw_per_usd,
            reserve=price.milliwon(tokens_in, settings.max_output_tokens, settings.krw_per_usd),
        )

    def _cost(self, question: Question, spoken: Spoken, price: Price) -> tuple[int | None, str]:
        """Return what to book (None: the reservation) and a mark where the usage was not believed."""
        if not spoken.answered:
            return 0, ""  # refused or never reached: nothing was generated
        usage: Usage = spoken.usage
        expected = _estimate(question.messages)
        words_in, words_out = usage.tokens_in, usage.tokens_out
        if words_in is None or words_out is None:
            return None, "usage_missing"
        least_in, least_out = expected // _PLAUSIBLE_FACTOR, len(spoken.text) // 12
        most_in, most_out = expected * _PLAUSIBLE_FACTOR, self.settings.max_output_tokens * _PLAUSIBLE_FACTOR
        if not (least_in <= words_in <= most_in and least_out <= words_out <= most_out):
            return None, "usage_implausible"
        return price.milliwon(words_in, words_out, self.settings.krw_per_usd), ""

    def _drifted(self) -> str:
        if self._names is not Names.HOLD:
            return ""
        names = self.ledger.names(self.settings.model, self.settings.host)
        strange = sorted(name for name, accepted in names.items() if not accepted)
        return f"DRIFT: the service answered as {strange[0]!r}; `haetae llm test` decides" if strange else ""

    def _name_fault(self, spoken: Spoken, at: Instant) -> tuple[str, str]:
        """Return the verdict with the model's name taken into account; a new dated snapshot is a change too."""
        if spoken.code or not spoken.answered:
            return spoken.code, spoken.detail
        settings, returned = self.settings, spoken.model
        try:
            names = self.ledger.names(settings.model, settings.host)
            accepted = {name for name, good in names.items() if good}
            if returned in accepted:
                if self._names is Names.CHECK:
                    self.ledger.forget_strange_names(settings.model, settings.host)
                return "", ""
            if self._names is Names.ACCEPT or (not accepted and is_snapshot_of(returned, settings.model)):
                self.ledger.note_name(settings.model, settings.host, returned, at, accepted=True)
                return "", ""
            self.ledger.note_name(settings.model, settings.host, returned, at, accepted=False)
        except DataError as fault:
            _log.error("llm.ledger_failed", fault=str(fault), found=fault.found)
        return "DRIFT", f"asked for {settings.model}, answered as {returned[:64]!r}"

    def _learn(self, code: str, detail: str, retry_after_s: float | None) -> None:
        """Tell the breaker what a call said about the service."""
        now, settings = self._wall.monotonic(), self.settings
        if code in ("KEY", "BUDGET"):
            _log.error("llm.account_refused", code=code, detail=detail, host=settings.host)
            self._breaker.hold(now, settings.refused_hold_s, f"{code}: {detail}")
        elif code == "RATE":
            pause = settings.cool_down_s if retry_after_s is None else retry_after_s
            self._breaker.hold(now, min(pause, settings.refused_hold_s), f"RATE: {detail}")
        elif code in ("UNAVAILABLE", "PROTOCOL", "TOO_LARGE"):
            self._breaker.fail(now, f"UNAVAILABLE: {detail}")
        else:
            self._breaker.succeed()


def behaviour_key(settings: LlmSettings, question: Question) -> str:
    """Return the hash of all that shapes answers except the question: calibration belongs to one such key."""
    fixed = [text for role, text in question.messages if role == "system"]
    shape = [
        question.template,
        fixed,
        question.schema,
        settings.model,
        settings.reply_format,
        settings.max_output_tokens,
    ]
    return hashlib.sha256(json.dumps(shape, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _estimate(messages: Sequence[tuple[Role, str]]) -> int:
    """Return a generous count of tokens: a third of the ASCII letters, one and a half for each other letter."""
    text = "".join(words for _, words in messages)
    plain = sum(1 for letter in text if letter.isascii())
    tokens = plain // 3 + (len(text) - plain) * 3 // 2 + _FIXED_TOKENS
    return tokens * _TOKENS_MARGIN_PCT // 100


def _refused(text: str) -> Answer:
    code, _, detail = text.partition(": ")
    return Answer(code=code, detail=detail)
