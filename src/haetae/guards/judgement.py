"""Guards on the decision behind an order: G23 to G25. Sales pass them: nothing but a person stops a way out.

``decision`` is None where no agent reviews: a backtest without one, an order of a person, and the look at a leg
before the agent is asked about it.
"""

from __future__ import annotations

from collections.abc import Sequence

from haetae.domain.decisions import Decision
from haetae.domain.events import TrackRecord
from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import NS_PER_SECOND, Shares
from haetae.guards.finding import Finding
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

STEERED = "injection_suspected"
"""The flag that bars a name for the day: whoever wrote its text wanted us to buy."""
_DOUBTS = frozenset({STEERED, "data_conflict", "halt_risk"})
_APPROVED = frozenset({"MODEL_APPROVE", "MODEL_REDUCE"})
"""What a reply that fits the schema and reached the gate is called; an entry goes out on nothing else."""


def worth_of(confidence: float, record: Sequence[TrackRecord], least: int) -> float:
    """Return what a confidence was worth lately: the share that turned out right, if ``least`` cases tell.

    A record never raises a confidence: a model that is right more often than it says is still only so sure.
    """
    known = [row for row in record if row.confidence <= confidence]
    if not known or known[-1].count < least:
        return confidence
    return min(confidence, known[-1].right / known[-1].count)


def confidence(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G23: the pinned agent approved, was sure enough by its own record, and cited enough that is fresh."""
    made = now.decision
    if intent.side is Side.SELL or made is None:
        return None
    if made.status not in _APPROVED:
        return f"{made.status} is no approval"
    fault = _unpinned(made, now, limits)
    if fault is not None:
        return fault
    if not made.confidence <= 1.0:
        return f"confidence {made.confidence} is none"
    worth = worth_of(made.confidence, now.session.record, limits.record_least)
    if not worth >= limits.min_confidence:
        return f"confidence {made.confidence}, worth {worth:.4f} by its record, is below {limits.min_confidence}"
    cited = len(set(made.evidence_ids))
    if not cited >= limits.min_evidence:
        return f"{cited} facts cited, {limits.min_evidence} needed"
    age_s = (now.at - made.evidence_at) / NS_PER_SECOND
    if not age_s <= limits.evidence_age_s:
        return f"newest fact is {age_s:.0f} s old, allowed {limits.evidence_age_s}"
    return None


def _unpinned(made: Decision, now: Situation, limits: Limits) -> str | None:
    pinned = now.session.decider
    if made.decider == pinned or (not pinned and not limits.require_vitals):
        return None
    return f"decided by {made.decider}, pinned is {pinned or 'nobody'}"


def new_names(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G24: the fixed rules are not sure of the opposite, and only so many names are newly entered in a day."""
    if intent.side is Side.SELL:
        return None
    made = now.decision
    if made is not None and not made.baseline > -limits.baseline_against:
        return f"the fixed rules say no with {-made.baseline}, allowed below {limits.baseline_against}"
    if intent.symbol in now.new_names or now.held.get(intent.symbol, 0) > 0:
        return None
    entered = now.new_names | {o.intent.symbol for o in now.open_orders if o.intent.side is Side.BUY}
    fresh = {symbol for symbol in entered if symbol in now.new_names or not now.held.get(symbol, 0) > 0}
    if not len(fresh - {intent.symbol}) < limits.new_names_per_day:
        return f"{len(fresh)} new names today, allowed {limits.new_names_per_day}"
    return None


def taint(intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """G25: no buy on a decision that doubts its inputs, and none all day in a name whose text tried to steer one."""
    if intent.side is Side.SELL:
        return None
    if intent.symbol in now.tainted:
        return "its texts tried to steer a decision today"
    found = sorted(_DOUBTS.intersection(now.decision.risk_flags)) if now.decision is not None else []
    return f"flagged {', '.join(found)}" if found else None
