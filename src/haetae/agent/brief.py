"""``decision_request/1``: the question about one leg, as canonical JSON.

Everything in it is a number, an id or a word from a closed list that was known at ``decision_at``;
no free text of the outside world enters. The nonce is a hash of salt and leg, so an answer to any
other question does not fit.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from haetae.agent.settings import AgentSettings
from haetae.domain.decisions import Brief, Leg
from haetae.domain.learning import Lesson
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Won, kst_text

SCHEMA = "decision_request/1"
TEMPLATE_VERSION = "leg-review-1"
MAX_LESSONS = 5
"""More lessons than that were seen to drown the case itself."""


@dataclass(frozen=True, slots=True)
class BriefContext:
    """What the desk knows about a leg at the moment of asking.

    ``score_rank`` is the share of the policy's scores at or below the leg's, in [0, 1].
    ``regime`` is ``calm``, ``elevated`` or ``stress``; ``volatility_ratio`` is realised volatility
    over its own median. ``features`` are the newest minute features of the symbol by name.
    """

    policy_id: str
    market: str
    sector: str
    last: Won
    base_price: Won
    lower_limit: Won
    upper_limit: Won
    snapshot_at: Instant
    average_turnover: Won
    traded_today_won: Won
    held: Shares
    average_price: Won
    cash: Won
    equity: Won
    day_return: float
    drawdown: float
    regime: str
    volatility_ratio: float
    fear_greed: float
    score_rank: float
    features: Mapping[str, float] = field(default_factory=dict)
    lessons: tuple[Lesson, ...] = ()


def write_brief(leg: Leg, context: BriefContext, *, at: Instant, settings: AgentSettings) -> Brief:
    """Return the question about a leg, valid for ``ttl_s`` seconds from ``at``."""
    nonce = hashlib.sha256(f"{settings.nonce_salt}|{leg.leg_id}|{at}".encode()).hexdigest()[:16]
    valid_until = at + settings.ttl_s * NS_PER_SECOND
    evidence = _evidence(leg, context)
    lessons = context.lessons[:MAX_LESSONS]
    request = {
        "schema": SCHEMA,
        "template_version": TEMPLATE_VERSION,
        "proposal_id": leg.leg_id,
        "nonce": nonce,
        "decision_at": kst_text(at),
        "valid_until": kst_text(valid_until),
        "mode": settings.mode,
        "symbol": leg.symbol,
        "market": context.market,
        "sector": context.sector,
        "proposal": {
            "action": leg.side.value,
            "quantity": leg.quantity,
            "limit_price": leg.limit_price,
            "policy_id": context.policy_id,
            "score": _number(leg.score),
            "score_rank": _number(context.score_rank),
            "target_weight": _number(leg.target_weight),
        },
        "portfolio": {
            "cash_won": context.cash,
            "equity_won": context.equity,
            "held": context.held,
            "average_price_won": context.average_price,
            "weight": _number(context.held * context.last / context.equity if context.equity > 0 else 0.0),
            "day_return": _number(context.day_return),
            "drawdown": _number(context.drawdown),
        },
        "snapshot": {
            "as_of": kst_text(context.snapshot_at),
            "age_s": (at - context.snapshot_at) // NS_PER_SECOND,
            "last_won": context.last,
            "base_won": context.base_price,
            "day_change": _number(context.last / context.base_price - 1.0 if context.base_price > 0 else 0.0),
            "lower_limit_won": context.lower_limit,
            "upper_limit_won": context.upper_limit,
            "average_turnover_won": context.average_turnover,
            "traded_today_won": context.traded_today_won,
            "features": {name: _number(value) for name, value in sorted(context.features.items())},
        },
        "regime": {
            "state": context.regime,
            "volatility_ratio": _number(context.volatility_ratio),
            "fear_greed": _number(context.fear_greed),
        },
        "evidence": evidence,
        "lessons": [{"id": item.lesson_id, "trigger": item.trigger, "effect": item.effect} for item in lessons],
        "limits": {
            "max_fraction": 1.0,
            "actions": ["approve", "reduce", "reject", *(["exit"] if context.held > 0 else []), "abstain"],
            "horizon_sessions": [1, 60],
            "min_confidence": settings.min_confidence,
        },
    }
    text = json.dumps(request, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    ids = tuple(str(item["id"]) for item in evidence)
    return Brief(leg, nonce, at, valid_until, ids, text, context.snapshot_at)


def _evidence(leg: Leg, context: BriefContext) -> list[dict[str, object]]:
    """Return the citable facts; the ids are the closed list a reply may name."""
    as_of = kst_text(context.snapshot_at)
    change = context.last / context.base_price - 1.0 if context.base_price > 0 else 0.0
    rows = [
        ("px:last", "px", f"last {context.last} won, {change:+.4f} from base {context.base_price}"),
        ("px:limits", "px", f"day limits {context.lower_limit} to {context.upper_limit} won"),
        ("px:turnover", "px", f"average turnover {context.average_turnover} won, today {context.traded_today_won}"),
        ("policy:score", "policy", f"score rank {context.score_rank:.3f}, target weight {leg.target_weight:.4f}"),
        ("regime:state", "regime", f"{context.regime}, volatility ratio {context.volatility_ratio:.3f}"),
        ("regime:fear_greed", "regime", f"fear and greed {context.fear_greed:.1f} of 100"),
        ("book:position", "book", f"held {context.held} at {context.average_price} won"),
    ]
    return [{"id": name, "kind": kind, "available_at": as_of, "trust": 3, "text": text} for name, kind, text in rows]


def _number(value: float) -> float | None:
    """Return a rounded finite number; None where a look-back is not filled yet."""
    return round(float(value), 6) if math.isfinite(value) else None
