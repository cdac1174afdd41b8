"""A day of the chronicle as plain values: figures, holdings, orders, executions, decisions, safety."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from haetae.agent import DECIDER
from haetae.domain.events import Note
from haetae.domain.learning import TradeReview
from haetae.domain.orders import ClearedOrder
from haetae.domain.units import Instant, Symbol, kst_text
from haetae.guards import GUARDS, Limits
from haetae.wiring.views.chronicle import DayStory, Execution, SentOrder

Row = dict[str, Any]
Name = Callable[[Symbol], str]
_NOT_AI = frozenset({"none", DECIDER})


def moment(at: Instant) -> str:
    """Return an instant as text with Korea's offset."""
    return kst_text(at)


def ratio(part: float, whole: float) -> float:
    """Return a part of a whole, 0 where there is no whole."""
    return part / whole if whole else 0.0


def session_row(day: DayStory) -> Row:
    """Return a day in a line."""
    return {
        "day": day.day.isoformat(),
        "opening_equity": day.opening_equity,
        "closing_equity": day.equity,
        "profit": day.equity - day.opening_equity,
        "profit_rate": ratio(day.equity - day.opening_equity, day.opening_equity),
        "orders": len(day.orders),
        "fills": len(day.executions),
        "escaped": any(note.kind == "escape.raised" for note in day.escapes),
        "closed": day.closed,
    }


def today_row(day: DayStory, days: Iterable[dt.date]) -> Row:
    """Return a day's figures."""
    made = [note.data for note in day.decisions.values()]
    return {
        "day": day.day.isoformat(),
        "days": [each.isoformat() for each in sorted(days)],
        "as_of": moment(day.as_of) if day.as_of else None,
        "phase": day.phase,
        "closed": day.closed,
        "opening_equity": day.opening_equity,
        "equity": day.equity,
        "profit": day.equity - day.opening_equity,
        "profit_rate": ratio(day.equity - day.opening_equity, day.opening_equity),
        "cash": day.book.cash,
        "market_value": day.market_value,
        "realized": day.book.realized - day.opening.realized,
        "fees": day.book.fees - day.opening.fees,
        "taxes": day.book.taxes - day.opening.taxes,
        "positions": sum(1 for p in day.book.positions.values() if p.quantity),
        "orders": len(day.orders),
        "open_orders": sum(1 for order in day.orders.values() if not order.status.terminal),
        "fills": len(day.executions),
        "decisions": dict(sorted(Counter(str(data["status"]) for data in made).items())),
        "denied": dict(sorted(day.denied.items())),
        "deciders": dict(sorted(Counter(str(data["decider"]) for data in made).items())),
        "policy_id": day.policy_id,
        "escape_level": day.escape_level,
        "operator": day.operator,
        "differences": len(day.differing),
    }


def positions_row(day: DayStory, name: Name) -> Row:
    """Return what is held."""
    rows = []
    equity = day.equity
    for symbol, held in sorted(day.book.positions.items()):
        if not held.quantity:
            continue
        last = day.price(symbol)
        value = last * held.quantity
        rows.append(
            {
                "symbol": symbol,
                "name": name(symbol),
                "quantity": held.quantity,
                "cost": held.cost,
                "average_price": held.average_price,
                "last": last,
                "value": value,
                "profit": value - held.cost,
                "profit_rate": ratio(value - held.cost, held.cost),
                "weight": ratio(value, equity),
            }
        )
    return {
        "day": day.day.isoformat(),
        "cash": day.book.cash,
        "market_value": day.market_value,
        "equity": equity,
        "rows": rows,
    }


def order_row(order: SentOrder, name: Name) -> Row:
    """Return one order."""
    cleared: ClearedOrder = order.cleared
    intent = cleared.intent
    return {
        "intent_id": intent.intent_id,
        "decision_id": intent.decision_id,
        "symbol": intent.symbol,
        "name": name(intent.symbol),
        "side": intent.side.value,
        "quantity": cleared.quantity,
        "filled": order.filled,
        "open_quantity": 0 if order.status.terminal else cleared.quantity - order.filled,
        "limit_price": order.limit_price,
        "average_price": order.amount // order.filled if order.filled else 0,
        "status": order.status.value,
        "escape": intent.escape,
        "order_number": order.order_number,
        "submitted_at": moment(order.at),
        "updated_at": moment(order.updated_at),
    }


def fill_row(done: Execution, name: Name) -> Row:
    """Return one execution."""
    fill = done.fill
    return {
        "intent_id": fill.intent_id,
        "order_number": fill.order_id.number,
        "symbol": fill.symbol,
        "name": name(fill.symbol),
        "side": fill.side.value,
        "quantity": fill.quantity,
        "price": fill.price,
        "amount": fill.amount,
        "fee": done.fee,
        "tax": done.tax,
        "realized": done.realized,
        "at": moment(fill.at),
    }


def decision_row(day: DayStory, note: Note, name: Name) -> Row:
    """Return one decision with what the guards and the market made of it."""
    data: Mapping[str, Any] = note.data
    decision_id = str(data["decision_id"])
    order = _order_of(day, decision_id)
    proposal = day.proposals.get(str(data["proposal_id"]))
    denial = day.denials.get(decision_id)
    codes: Any = denial.data["codes"] if denial is not None else []
    return {
        "decision_id": decision_id,
        "at": moment(note.at),
        "symbol": data["symbol"],
        "name": name(str(data["symbol"])),
        "side": data["side"],
        "status": data["status"],
        "decider": data["decider"],
        "ai": data["decider"] not in _NOT_AI,
        "action": data["action"],
        "confidence": data["confidence"],
        "proposed": data["proposed"],
        "quantity": data["quantity"],
        "limit_price": data["limit_price"],
        "score": data["score"],
        "rationale": data["rationale"],
        "proposal_id": data["proposal_id"],
        "policy_id": proposal.policy_id if proposal is not None else "",
        "denied_by": list(codes),
        "intent_id": order.cleared.intent.intent_id if order is not None else "",
        "executed": order.filled if order is not None else 0,
    }


def _order_of(day: DayStory, decision_id: str) -> SentOrder | None:
    return next((o for o in day.orders.values() if o.cleared.intent.decision_id == decision_id), None)


def proposal_row(day: DayStory, proposal_id: str, name: Name) -> Row | None:
    """Return one proposal, strongest score first; None if it is not known."""
    proposal = day.proposals.get(proposal_id)
    if proposal is None:
        return None
    targets = [
        {"symbol": symbol, "name": name(symbol), "weight": weight, "score": proposal.scores.get(symbol)}
        for symbol, weight in proposal.targets.items()
    ]
    return {
        "proposal_id": proposal_id,
        "at": moment(proposal.at),
        "policy_id": proposal.policy_id,
        "legs": day.legs[proposal_id],
        "targets": sorted(targets, key=lambda t: (-(t["score"] or 0.0), t["symbol"])),
    }


def review_row(review: TradeReview, name: Name) -> Row:
    """Return one review."""
    return {
        "decision_id": review.decision_id,
        "symbol": review.symbol,
        "name": name(review.symbol),
        "side": review.side.value,
        "status": review.status,
        "executed": review.executed,
        "label": review.label,
        "outcome_bp": review.outcome_bp,
        "slippage_bp": review.slippage_bp,
        "cost": review.cost,
        "resolved_at": moment(review.resolved_at),
    }


def chain_row(day: DayStory, note: Note, review: TradeReview | None, name: Name) -> Row:
    """Return one decision from the policy's wish to its outcome."""
    data: Mapping[str, Any] = note.data
    decision_id, leg_id = str(data["decision_id"]), str(data["leg_id"])
    order = _order_of(day, decision_id)
    reply = day.replies.get(leg_id)
    intent_id = order.cleared.intent.intent_id if order is not None else ""
    return {
        "decision": decision_row(day, note, name),
        "proposal": proposal_row(day, str(data["proposal_id"]), name),
        "evidence": _evidence(day.briefs.get(leg_id, "")),
        "reply": None
        if reply is None
        else {"at": moment(reply.at), "decider": reply.decider, "text": reply.text, "failure": reply.failure},
        "guards": _verdict(day, decision_id, order),
        "order": order_row(order, name) if order is not None else None,
        "steps": [{"at": moment(at), "what": what, "detail": detail} for at, what, detail in order.steps]
        if order is not None
        else [],
        "fills": [fill_row(done, name) for done in day.executions if done.fill.intent_id == intent_id],
        "review": review_row(review, name) if review is not None else None,
    }


def _evidence(request: str) -> list[Row]:
    try:
        shown = json.loads(request)["evidence"] if request else []
    except (ValueError, KeyError, TypeError):
        return []
    return [{"id": str(item.get("id", "")), "text": str(item.get("text", ""))} for item in shown]


def _verdict(day: DayStory, decision_id: str, order: SentOrder | None) -> Row:
    denial, reduction = day.denials.get(decision_id), day.reductions.get(decision_id)
    if denial is not None:
        told: Any = denial.data["reasons"]
        return {"verdict": "deny", "quantity": 0, "passed": [], "reasons": list(told)}
    if order is None:
        return {"verdict": "none", "quantity": 0, "passed": [], "reasons": []}
    passed, quantity = list(order.cleared.guard_codes), order.cleared.quantity
    if reduction is not None:
        why = f"{reduction.data['asked']} -> {reduction.data['quantity']}"
        return {"verdict": "reduce", "quantity": quantity, "passed": passed, "reasons": [why]}
    return {"verdict": "allow", "quantity": quantity, "passed": passed, "reasons": []}


def safety_row(day: DayStory, limits: Limits, name: Callable[[Symbol], str]) -> Row:
    """Return guards with the limits they keep, escape, differences to the broker and kill switch of a day."""
    moved = next((note.data for note in reversed(day.escapes) if "ratio" in note.data), {})
    return {
        "day": day.day.isoformat(),
        "operator": day.operator,
        "operator_log": [
            {"at": moment(n.at), "state": n.data["state"], "who": n.data["who"], "why": n.data["why"]}
            for n in day.operators
        ],
        "escape_level": day.escape_level,
        "market_bp": moved.get("market_bp"),
        "volatility_ratio": moved.get("ratio"),
        "escape_log": [
            {
                "at": moment(note.at),
                "kind": note.kind,
                "level": str(note.data.get("level", "")),
                "before": str(note.data.get("before", "")),
                "market_bp": note.data.get("market_bp"),
                "ratio": note.data.get("ratio"),
                "symbol": str(note.data.get("symbol", "")),
                "name": name(str(note.data["symbol"])) if note.data.get("symbol") else "",
                "why": str(note.data.get("why", "")),
            }
            for note in day.escapes
        ],
        "differences": _differences(day, name),
        "guards": [
            {
                "code": g.code,
                "name": g.name.ko,
                "name_en": g.name.en,
                "for_escape": g.escape,
                "denied": day.denied[g.code],
            }
            for g in GUARDS
        ],
        "limits": _figures(limits),
        "frozen": sorted(day.frozen),
    }


def _differences(day: DayStory, name: Callable[[Symbol], str]) -> list[Row]:
    """Return what was told of differences to the broker; one that was told of again or settled is open no more."""
    newest = {(note.data["what"], note.data["symbol"]): note for note in day.compared}
    return [
        {
            "at": moment(note.at),
            "what": note.data["what"],
            "symbol": note.data["symbol"],
            "name": name(str(note.data["symbol"])) if note.data["symbol"] else "",
            "difference": note.data["difference"],
            "ours": note.data["ours"],
            "theirs": note.data["theirs"],
            "state": "settled" if note.kind == "reconcile.agreed" else ("open" if newest[key] is note else "passed"),
        }
        for note in day.compared
        for key in ((note.data["what"], note.data["symbol"]),)
    ]


def _figures(limits: Limits) -> dict[str, float]:
    values = {item.name: getattr(limits, item.name) for item in fields(Limits)}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}
