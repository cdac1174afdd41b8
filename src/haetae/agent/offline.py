"""``offline_rules_v1``: the default decider without any key. Fixed rules; this is not AI.

A pure function of the brief's request: hard refusals first, then a confidence from a logistic on
five facts. Its coefficients were set by hand so that a leg of middling rank in a calm market passes
the default gate with little room; they are not fitted to any data and claim no forecast. It is the
baseline any model must beat, and every decision of it says so (``decider`` below).
"""

from __future__ import annotations

import json
import math
from typing import Any

from haetae.domain.decisions import Brief

DECIDER = "offline_rules_v1"

MIN_TURNOVER_WON = 300_000_000
"""Below 0.3 bn won a day a position cannot be left in minutes."""
LIMIT_MARGIN = 0.02
"""Within 2 % of a daily limit the price is not one at which we can surely trade."""
MAX_AGE_S = 90
"""A snapshot older than a minute and a half missed at least one bar."""
FALL_LIMIT = -0.08
"""A name that fell 8 % today has news that these rules do not read."""

_FLAGS = {"상·하한가 근접": ["limit_near"], "거래대금 부족": ["illiquid"]}

_INTERCEPT, _RANK, _CHANGE, _VOLATILITY, _FEAR, _TURNOVER = 0.78, 0.70, 2.0, -0.35, 0.15, 0.08


def answer(brief: Brief) -> str:
    """Return the reply to a brief as ``decision_reply/1`` text; equal briefs give equal text."""
    request = json.loads(brief.request)
    action, fraction, confidence, why = _judge(request)
    confidence = round(confidence, 4)
    entering = request["proposal"]["action"] == "buy" and action in ("approve", "reduce")
    p_up = confidence if entering else round(1.0 - confidence, 4)
    reply = {
        "proposal_id": request["proposal_id"],
        "nonce": request["nonce"],
        "action": action,
        "target_fraction": fraction,
        "confidence": confidence,
        "p_up": p_up,
        "p_down": round(1.0 - p_up, 4),
        "horizon_sessions": 1,
        "expected_return_bp": max(1, round((confidence - 0.5) * 200)) if entering else 0,
        "stop_bp": -150 if entering else 0,
        "invalidation": None,
        "evidence_ids": ["px:last", "policy:score", "regime:state"],
        "counter_evidence_ids": ["px:limits"] if not entering else [],
        "risk_flags": _FLAGS.get(why, []),
        "rationale": f"오프라인 규칙 판단 (AI 아님): {why}",
    }
    return json.dumps(reply, ensure_ascii=False, sort_keys=True)


def stance(brief: Brief) -> float:
    """Return how sure the rules are of a leg: negative where they refuse it, 0 where they would not say."""
    action, _, confidence, _ = _judge(json.loads(brief.request))
    return {"approve": confidence, "reduce": confidence, "reject": -confidence}.get(action, 0.0)


def _judge(request: dict[str, Any]) -> tuple[str, float, float, str]:
    snapshot, proposal, regime = request["snapshot"], request["proposal"], request["regime"]
    if proposal["action"] == "sell":
        return "approve", 1.0, 0.9, "위험 축소 매도"
    last, base = snapshot["last_won"], snapshot["base_won"]
    if last <= 0 or base <= 0 or snapshot["age_s"] > MAX_AGE_S:
        return "abstain", 0.0, 0.5, "시세 없음 또는 지연"
    upper, lower = snapshot["upper_limit_won"], snapshot["lower_limit_won"]
    if last >= upper * (1.0 - LIMIT_MARGIN) or last <= lower * (1.0 + LIMIT_MARGIN):
        return "reject", 0.0, 0.9, "상·하한가 근접"
    turnover = snapshot["average_turnover_won"]
    if 0 < turnover < MIN_TURNOVER_WON:
        return "reject", 0.0, 0.9, "거래대금 부족"
    change = snapshot["day_change"] or 0.0
    if change <= FALL_LIMIT:
        return "reject", 0.0, 0.8, "당일 급락"
    if regime["state"] != "calm" and change < 0.0:
        return "reject", 0.0, 0.75, "변동성 확대 구간의 하락 종목"
    confidence = _confidence(request, change, turnover)
    if confidence < 0.5:
        return "abstain", 0.0, confidence, "규칙의 확신 부족"
    if regime["state"] != "calm":
        return "reduce", 0.5, confidence, "변동성 확대: 절반만"
    return "approve", 1.0, confidence, "규칙 통과"


def _confidence(request: dict[str, Any], change: float, turnover: int) -> float:
    rank = request["proposal"]["score_rank"]
    ratio = request["regime"]["volatility_ratio"]
    fear = request["regime"]["fear_greed"]
    total = _INTERCEPT
    total += _RANK * ((0.5 if rank is None else rank) - 0.5)
    total += _CHANGE * max(-0.05, min(0.05, change))
    total += _VOLATILITY * max(0.0, min(3.0, (1.0 if ratio is None else ratio) - 1.0))
    total += _FEAR * max(-1.0, min(1.0, ((50.0 if fear is None else fear) - 50.0) / 50.0))
    total += _TURNOVER * math.log10(turnover / 1e10) if turnover > 0 else 0.0
    return 1.0 / (1.0 + math.exp(-total))
