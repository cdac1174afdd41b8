"""``ports.Critic`` of a language model: a word from a closed list on a decision whose outcome is known."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haetae.domain.learning import CRITIQUE_LABELS, Critique, TradeReview
from haetae.llm.client import Answer, LlmClient, Question
from haetae.llm.prompt import CRITIQUE, correction, fence, is_suspicious
from haetae.ports import Clock

_TEMPLATE = "critique-1"
_MAX_REPLY = 8_192


class _Reply(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    decision_id: str
    nonce: str
    label: Literal[
        "thesis_wrong", "timing", "regime_missed", "evidence_missing", "oversized", "cost", "execution", "luck"
    ]
    remark: str = Field(max_length=300)


class LlmCritic:
    """Asks the model; every failure is a critique without a label."""

    def __init__(self, client: LlmClient, clock: Clock) -> None:
        """Keep the parts."""
        self._client = client
        self._clock = clock

    async def critique(self, review: TradeReview, facts: Mapping[str, object]) -> Critique:
        """Return a critique; see ``ports.Critic``. Texts in ``facts`` that speak to the model are left out."""
        model = self._client.settings.model
        nonce = hashlib.sha256(f"{review.decision_id}|{review.resolved_at}".encode()).hexdigest()[:16]
        try:
            answer = await self._within_deadline(review, facts, nonce)
        except TimeoutError:
            answer = Answer(code="TIMEOUT", detail="no whole reply in time")
        at = self._clock.now()
        if answer.code:
            return Critique(review.decision_id, at, model, "", failure=answer.failure)
        found = _read(answer.text, review.decision_id, nonce)
        if isinstance(found, str):
            return Critique(review.decision_id, at, model, "", failure=found)
        return Critique(review.decision_id, at, model, found.label, remark=found.remark)

    async def _within_deadline(self, review: TradeReview, facts: Mapping[str, object], nonce: str) -> Answer:
        kept = {name: value for name, value in facts.items() if not (is_suspicious(f"{name} {value}"))}
        record: dict[str, Any] = {
            "decision_id": review.decision_id,
            "nonce": nonce,
            "symbol": review.symbol,
            "side": review.side.value,
            "status": review.status,
            "executed": review.executed,
            "quantity": review.quantity,
            "planned_price_won": review.planned_price,
            "average_price_won": review.average_price,
            "slippage_bp": review.slippage_bp,
            "outcome_bp": review.outcome_bp,
            "cost_won": review.cost,
            "outcome": review.label,
            "facts": kept,
        }
        system = CRITIQUE.format(labels=", ".join(CRITIQUE_LABELS))
        question = Question(
            purpose="critique",
            subject=review.decision_id,
            template=_TEMPLATE,
            messages=(("system", system), ("user", fence(record, nonce))),
            schema=_Reply.model_json_schema(),
            dropped=tuple(sorted(set(facts) - set(kept))),
        )
        async with asyncio.timeout(self._client.settings.deadline_s):
            answer = await self._client.ask(question, 1)
            problem = "" if answer.code else _read(answer.text, review.decision_id, nonce)
            if not isinstance(problem, str) or not problem:
                return answer
            messages = (*question.messages, ("user", correction(problem)))
            again = Question("critique", question.subject, _TEMPLATE, messages, question.schema, question.dropped)
            return await self._client.ask(again, 2)


def _read(text: str, decision_id: str, nonce: str) -> _Reply | str:
    """Return the reply, or ``CODE: problem``: one object, no key twice, nothing added, the question's own echo."""
    if len(text) > _MAX_REPLY:
        return "TOO_LARGE: the reply is too long"
    try:
        reply = _Reply.model_validate(json.loads(text, object_pairs_hook=_unique))
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        return f"SCHEMA: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"[:200]
    except (ValueError, RecursionError) as fault:
        return f"PARSE: not one JSON object ({type(fault).__name__})"
    if (reply.decision_id, reply.nonce) != (decision_id, nonce):
        return "REPLAY: the reply echoes another question"
    return reply


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found
