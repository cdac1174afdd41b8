"""From the agent's reply to a ``Decision``: outcome statuses and the confidence gate.

The gate is code: an entry below ``min_confidence`` is not executed however it is worded. Sales of a
long-only account lower risk, so no reply that is missing, late, unusable or unsure stops one: only a
valid ``reject`` or ``reduce`` at or above the gate does. Orders of the volatility escape never come here.
"""

from __future__ import annotations

import math

from haetae.agent.offline import DECIDER, stance
from haetae.agent.reply import Refusal, Reply, parse_reply
from haetae.agent.settings import AgentSettings
from haetae.domain.decisions import Action, AgentReply, Brief, Decision, Leg
from haetae.domain.orders import Side
from haetae.domain.units import Instant, Shares, Won

_FAILURES = frozenset(
    {"EMPTY", "PROTOCOL", "TIMEOUT", "REFUSED", "RATE", "BUDGET", "KEY", "DRIFT", "UNSTABLE", "STALE", "LOST"}
    | {"TRUNCATED", "TOO_LARGE", "UNAVAILABLE"}
)
_AGAINST = ("avoid", "do not buy", "don't buy", "should not buy", "매수하지", "사지 마", "사지 말", "피하", "회피")
"""Words in a rationale that contradict an approved buy; such a reply is not acted upon."""


def read_reply(
    brief: Brief, reply: AgentReply, *, at: Instant, last: Won, held: Shares, settings: AgentSettings
) -> Decision:
    """Return the decision about one leg; ``quantity`` is what may go on to the guards.

    Parameters
    ----------
    at : instant of the decision; a reply after ``brief.valid_until`` is stale.
    last : won, last price now.
    held : shares held now; an ``exit`` sells them all.
    """
    if reply.failure:
        known = reply.failure.partition(":")[0].upper()
        return _without(brief, reply, at, f"ABSTAIN_{known if known in _FAILURES else 'PROTOCOL'}", reply.failure)
    if reply.leg_id != brief.leg.leg_id:
        return _without(brief, reply, at, "ABSTAIN_REPLAY", "the reply belongs to another leg")
    if at > brief.valid_until:
        return _without(brief, reply, at, "ABSTAIN_STALE", "the reply came too late")
    found = parse_reply(reply.text, brief, last=last, held=held, settings=settings)
    if isinstance(found, Refusal):
        return _without(brief, reply, at, found.status, found.detail)
    return _gated(brief, found, reply.decider, at, held, settings)


def unreviewed(leg: Leg, at: Instant, status: str, rationale: str = "") -> Decision:
    """Return the decision on a leg that no agent is asked about: the quantity of ``leg`` stands.

    ``status`` is ``UNREVIEWED`` where the review is off; any other status refuses the leg.
    """
    passes = status == "UNREVIEWED"
    return Decision(
        decision_id=f"D-{leg.leg_id}",
        leg=leg,
        at=at,
        decider="none",
        action=Action.APPROVE if passes else Action.ABSTAIN,
        fraction=1.0 if passes else 0.0,
        confidence=0.0,
        status=status,
        quantity=leg.quantity if passes else 0,
        rationale=rationale,
    )


def _without(brief: Brief, reply: AgentReply, at: Instant, status: str, detail: str) -> Decision:
    leg = brief.leg
    return Decision(
        decision_id=f"D-{leg.leg_id}",
        leg=leg,
        at=at,
        decider=reply.decider,
        action=Action.ABSTAIN,
        fraction=0.0,
        confidence=0.0,
        status=status,
        quantity=leg.quantity if leg.side is Side.SELL else 0,
        rationale=detail,
    )


def _gated(brief: Brief, reply: Reply, decider: str, at: Instant, held: Shares, settings: AgentSettings) -> Decision:
    leg = brief.leg
    action = Action(reply.action)
    selling = leg.side is Side.SELL
    sure = reply.confidence >= settings.min_confidence
    status = f"MODEL_{action.name}"
    flags = tuple(reply.risk_flags)
    quantity = math.floor(leg.quantity * reply.target_fraction)
    if action is Action.EXIT:
        quantity = held
        if not sure:
            status, quantity = "BELOW_THRESHOLD", 0
    if selling:
        if action is Action.ABSTAIN or not sure:
            quantity = leg.quantity
            status = status if action is Action.ABSTAIN or action is Action.APPROVE else "BELOW_THRESHOLD"
    elif action in (Action.APPROVE, Action.REDUCE):
        lowered = reply.rationale.casefold()
        if not sure:
            status, quantity = "BELOW_THRESHOLD", 0
        elif any(word in lowered for word in _AGAINST):
            status, quantity = "ABSTAIN_CONTRADICTION", 0
    return Decision(
        decision_id=f"D-{leg.leg_id}",
        leg=leg,
        at=at,
        decider=decider,
        action=action,
        fraction=reply.target_fraction,
        confidence=reply.confidence,
        status=status,
        quantity=quantity,
        rationale=reply.rationale,
        evidence_ids=tuple(reply.evidence_ids),
        risk_flags=flags,
        evidence_at=brief.known_at if reply.evidence_ids else 0,
        baseline=0.0 if selling or decider == DECIDER else stance(brief),
    )
