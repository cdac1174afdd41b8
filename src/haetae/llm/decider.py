"""``ports.Decider`` of a language model: one question a leg, one corrective retry, one deadline over all.

The text goes on untouched to the desk, which reads it strictly. ``check`` is that same reading, passed in
by the wiring, and is used here only to know whether a second try is worth its price.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import structlog

from haetae.domain.decisions import AgentReply, Brief
from haetae.llm.client import Answer, LlmClient, Question
from haetae.llm.prompt import REVIEW, TEMPLATE_VERSION, correction, seal
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_CORRECTABLE = frozenset({"EMPTY", "PARSE", "SCHEMA", "AMBIGUOUS", "DUPLICATE_KEY", "TRUNCATED"})
"""Faults of form; another question's echo or a flood of text gets no second word."""
_RETRY_PAUSE_S = 5.0
"""A service that asks for a longer pause is not waited for."""

Check = Callable[[Brief, str], str]
"""From a reply to ``CODE: problem``, or nothing if it can be used."""


class LlmDecider:
    """Asks the model; every failure is a reply with ``failure`` set and no text."""

    def __init__(self, client: LlmClient, clock: Clock, check: Check, schema: dict[str, Any]) -> None:
        """Keep the parts; ``clock`` stamps replies in market time, deadlines run in real time."""
        self._client = client
        self._clock = clock
        self._check = check
        self._schema = schema
        self._slots = asyncio.Semaphore(client.settings.concurrent)
        self._under_way = 0

    @property
    def name(self) -> str:
        """Return the label of every decision: the model's id."""
        return self._client.settings.model

    @property
    def busy(self) -> bool:
        """Whether a question is under way; a market driven in lockstep waits for it."""
        return self._under_way > 0

    async def decide(self, brief: Brief) -> AgentReply:
        """Return the raw reply, or why there is none; see ``ports.Decider``."""
        self._under_way += 1
        try:
            async with self._slots:
                answer = await self._within_deadline(brief)
            return AgentReply(brief.leg.leg_id, self._clock.now(), self.name, answer.text, answer.failure)
        finally:
            self._under_way -= 1

    async def _within_deadline(self, brief: Brief) -> Answer:
        if self._clock.now() > brief.valid_until:
            return Answer(code="STALE", detail="the question waited too long")
        try:
            sealed = seal(brief.request, brief.nonce)
        except (ValueError, TypeError, AttributeError) as fault:
            return Answer(code="PROTOCOL", detail=f"the question cannot be sealed: {type(fault).__name__}")
        if sealed.dropped:
            _log.warning("evidence.dropped", leg_id=brief.leg.leg_id, dropped=list(sealed.dropped))
        schema = json.dumps(self._schema, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        question = Question(
            purpose="review",
            subject=brief.leg.leg_id,
            template=TEMPLATE_VERSION,
            messages=(("system", REVIEW + schema), ("user", sealed.text)),
            schema=self._schema,
            dropped=sealed.dropped,
        )
        deadline_s = self._client.settings.deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                return await self._asked(brief, question)
        except TimeoutError:
            return Answer(code="TIMEOUT", detail=f"no whole reply within {deadline_s:g} s")

    async def _asked(self, brief: Brief, question: Question) -> Answer:
        """Ask, and ask once more after a fault of form or a short pause the service asked for."""
        answer = await self._client.ask(question, 1)
        if answer.code == "RATE" and answer.retry_after_s is not None and answer.retry_after_s <= _RETRY_PAUSE_S:
            await asyncio.sleep(answer.retry_after_s)
            return await self._client.ask(question, 2)
        problem = f"{answer.code}: {answer.detail}" if answer.code else self._check(brief, answer.text)
        if not problem or problem.partition(":")[0].removeprefix("ABSTAIN_") not in _CORRECTABLE:
            return answer
        _log.info("llm.corrected", leg_id=brief.leg.leg_id, problem=problem)
        again = Question(
            question.purpose,
            question.subject,
            question.template,
            (*question.messages, ("user", correction(problem))),
            question.schema,
            question.dropped,
        )
        return await self._client.ask(again, 2)
