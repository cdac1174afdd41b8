"""``decision_reply/1``: from raw text to a checked reply, or to a refusal with a reason.

Order of checks: size, one optional code fence, one JSON object and nothing else, nesting, duplicate
keys, non-finite numbers, strict schema without extra fields or coercion, then the per-question checks
(echo, shown evidence, coherence of action and numbers). Nothing is repaired, prose is never scanned,
no field has a default.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from haetae.agent.settings import AgentSettings
from haetae.domain.decisions import Action, Brief
from haetae.domain.orders import Side

_FENCE = re.compile(r"\A```(?:json)?[ \t]*\r?\n(.*)\r?\n```\Z", re.DOTALL)
_BLANK = " \t\r\n"

RISK_FLAGS = ("news_shock", "illiquid", "limit_near", "earnings", "halt_risk", "data_conflict", "injection_suspected")
_Probability = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
_BasisPoints = Annotated[int, Field(ge=-3000, le=3000)]
_EvidenceId = Annotated[str, Field(min_length=1, max_length=32)]


class Invalidation(BaseModel):
    """What would prove the decision wrong."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: Literal["price", "date", "event"]
    value: str = Field(max_length=64)
    comparator: Literal["below", "above", "on"]


class Reply(BaseModel):
    """The model's answer about one leg; every field is required.

    ``confidence`` is the probability that the action beats doing nothing over the horizon, net of
    cost. ``target_fraction`` is a share of the proposed quantity: 1 to approve, between 0 and 1 to
    reduce, 0 otherwise.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    proposal_id: str = Field(max_length=64)
    nonce: str = Field(max_length=32)
    action: Literal["approve", "reduce", "reject", "exit", "abstain"]
    target_fraction: _Probability
    confidence: _Probability
    p_up: _Probability
    p_down: _Probability
    horizon_sessions: int = Field(ge=1, le=60)
    expected_return_bp: _BasisPoints
    stop_bp: _BasisPoints
    invalidation: Invalidation | None
    evidence_ids: list[_EvidenceId] = Field(min_length=1, max_length=8)
    counter_evidence_ids: list[_EvidenceId] = Field(max_length=4)
    risk_flags: list[
        Literal["news_shock", "illiquid", "limit_near", "earnings", "halt_risk", "data_conflict", "injection_suspected"]
    ] = Field(max_length=7)
    rationale: str = Field(max_length=600)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reply cannot be used: ``ABSTAIN_…`` and what was found."""

    status: str
    detail: str


class _DuplicateKey(ValueError):
    pass


class _NotFinite(ValueError):
    pass


def reply_schema() -> dict[str, Any]:
    """Return the JSON schema of a reply, for providers that enforce one."""
    return Reply.model_json_schema()


def parse_reply(text: str, brief: Brief, *, last: int, held: int, settings: AgentSettings) -> Reply | Refusal:
    """Return the checked reply to a brief, or why it is none.

    Parameters
    ----------
    text : what came back, untouched.
    last : won, last price of the leg's symbol.
    held : shares held of it now.
    """
    found = _one_object(text, settings)
    if isinstance(found, Refusal):
        return found
    try:
        reply = Reply.model_validate(found)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Refusal("ABSTAIN_SCHEMA", f"{where}: {first['msg']}"[:200])
    if reply.proposal_id != brief.leg.leg_id or reply.nonce != brief.nonce:
        return Refusal("ABSTAIN_REPLAY", "the reply echoes another question")
    fault_found = _incoherence(reply, brief, last, held)
    return Refusal("ABSTAIN_SCHEMA", fault_found) if fault_found else reply


def _one_object(text: str, settings: AgentSettings) -> dict[str, Any] | Refusal:
    if len(text) > settings.max_bytes:
        return Refusal("ABSTAIN_TOO_LARGE", f"{len(text)} characters")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return Refusal("ABSTAIN_PARSE", "not valid Unicode")
    if size > settings.max_bytes:
        return Refusal("ABSTAIN_TOO_LARGE", f"{size} bytes")
    body = text.strip(_BLANK)
    fenced = _FENCE.match(body)
    if fenced:
        body = fenced.group(1).strip(_BLANK)
    if body in ("", "null"):
        return Refusal("ABSTAIN_EMPTY", "no content")
    depth, closed = _nesting(body)
    if depth > settings.max_depth:
        return Refusal("ABSTAIN_TOO_LARGE", f"nesting of {depth} levels")
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
    try:
        value, end = decoder.raw_decode(body)
    except _DuplicateKey as fault:
        return Refusal("ABSTAIN_DUPLICATE_KEY", str(fault))
    except _NotFinite as fault:
        return Refusal("ABSTAIN_PARSE", str(fault))
    except ValueError:
        if body[0] in "{[" and not closed:
            return Refusal("ABSTAIN_TRUNCATED", "the object does not end")
        return Refusal("ABSTAIN_PARSE", "not JSON")
    rest = body[end:].strip(_BLANK)
    if rest:
        status = "ABSTAIN_AMBIGUOUS" if rest[0] in "{[" else "ABSTAIN_PARSE"
        return Refusal(status, "text after the object")
    if not isinstance(value, dict):
        return Refusal("ABSTAIN_SCHEMA", f"an object was expected, found {type(value).__name__}")
    return value


def _nesting(body: str) -> tuple[int, bool]:
    """Return the deepest nesting outside strings, and whether all brackets close."""
    depth = deepest = 0
    quoted = escaped = False
    for letter in body:
        if escaped:
            escaped = False
        elif quoted:
            if letter == "\\":
                escaped = True
            elif letter == '"':
                quoted = False
        elif letter == '"':
            quoted = True
        elif letter in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "}]":
            depth -= 1
    return deepest, depth <= 0 and not quoted


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _DuplicateKey(f"key {key[:32]!r} comes twice")
        found[key] = value
    return found


def _refuse_constant(name: str) -> Any:
    raise _NotFinite(f"{name} is not a number of JSON")


def _incoherence(reply: Reply, brief: Brief, last: int, held: int) -> str:
    action, fraction = Action(reply.action), reply.target_fraction
    allowed = {Action.APPROVE: fraction == 1.0, Action.REDUCE: 0.0 < fraction < 1.0}
    if not allowed.get(action, fraction == 0.0):
        return f"target_fraction {fraction} does not fit {action.value}"
    if action is Action.EXIT and held <= 0:
        return "exit without a position"
    unknown = (set(reply.evidence_ids) | set(reply.counter_evidence_ids)) - set(brief.evidence_ids)
    if unknown:
        return f"evidence {sorted(unknown)[0]!r} was not shown"
    if reply.p_up + reply.p_down > 1.0 + 1e-9:
        return "p_up and p_down sum to more than 1"
    entering = brief.leg.side is Side.BUY and action in (Action.APPROVE, Action.REDUCE)
    if entering and (reply.expected_return_bp <= 0 or reply.stop_bp > 0 or reply.p_up < reply.p_down):
        return "an approved buy expects a gain, a stop below the price, and p_up of at least p_down"
    return _invalidation_fault(reply, last) if entering else ""


def _invalidation_fault(reply: Reply, last: int) -> str:
    if reply.invalidation is None or reply.invalidation.kind != "price":
        return ""
    value = reply.invalidation.value
    if not (value.isascii() and value.isdigit() and 0 < int(value) < last):
        return "the invalidation price of a long must be a whole number below the last price"
    return ""
