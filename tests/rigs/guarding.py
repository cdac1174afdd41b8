"""An intent and a situation in which every guard is content; a test changes what it is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from functools import reduce

from haetae.domain.decisions import Action, Decision, Deny, Leg, Reduce
from haetae.domain.events import Mandate, OperatorState, SessionStart, Vitals
from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.guards import Limits, Sent, Situation, Traffic, review
from haetae.krx import Rulebook

DAY = dt.date(2026, 11, 23)
RULES = Rulebook.on(DAY)
AT = instant_at(DAY, 100_000)
SYMBOL, OTHER = "005930", "000660"
E = 100_000_000
SESSION = SessionStart(
    at=instant_at(DAY, 84_500),
    symbols=(OTHER, SYMBOL),
    base_prices={SYMBOL: 50_000, OTHER: 50_000},
    scores={},
    tradable=frozenset({SYMBOL, OTHER}),
    fear_greed=50.0,
    markets={SYMBOL: "KOSPI", OTHER: "KOSDAQ"},
    sectors={SYMBOL: "01", OTHER: "02"},
    average_turnover={SYMBOL: 10**12, OTHER: 10**12},
    universe=frozenset({SYMBOL, OTHER}),
    flags={SYMBOL: frozenset(), OTHER: frozenset()},
    previous_closes={SYMBOL: 50_000, OTHER: 50_000},
    decider="model-1",
)
PLAY = Mandate(live=False, build=False, account="a1", host="https://127.0.0.1:9443", tr_prefix="V")
REAL = Mandate(
    live=True,
    build=True,
    account="a1",
    host="https://openapi.koreainvestment.com:9443",
    tr_prefix="T",
    signed_account="a1",
    signed_host="https://openapi.koreainvestment.com:9443",
    expires_at=AT + 6 * 3_600 * NS_PER_SECOND,
)
VITALS = Vitals(
    at=AT,
    mandate=PLAY,
    skew_ms=20,
    lease_epoch=3,
    journal_ok=True,
    budget_used_ppm=300_000,
    error_ppm=0,
    token_left_s=40_000,
    running="r1",
)
ON_A_DAY = Limits(require_vitals=True)
"""The limits of a trading day: machinery is measured."""
_SESSION_FIELDS = {item.name for item in fields(SessionStart)} - {"at", "peak_equity", "week_equity"}
_VITALS_FIELDS = {item.name for item in fields(Vitals)} - {"at"}


def intent(**changes) -> OrderIntent:
    values = {
        "intent_id": "I1",
        "decision_id": "D1",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "quantity": 10,
        "kind": OrderKind.LIMIT,
        "limit_price": 50_000,
        "at": AT,
    }
    return OrderIntent(**{**values, **changes})


def sell(**changes) -> OrderIntent:
    return intent(**{"side": Side.SELL, **changes})


def escape(**changes) -> OrderIntent:
    return sell(**{"escape": True, "limit_price": 47_500, **changes})


def order(name: str = "O1", status: OrderStatus = OrderStatus.WORKING, quantity: int = 10, **changes) -> Order:
    return Order(intent(intent_id=name, quantity=quantity, **changes), quantity, status)


def decided(**changes) -> Decision:
    """An approval of the pinned model: sure, on two facts of this minute, and the fixed rules agree."""
    values = {
        "decision_id": "D1",
        "leg": Leg("L1", "P1", SYMBOL, Side.BUY, 10, 50_000, 0.02, 1.0),
        "at": AT,
        "decider": "model-1",
        "action": Action.APPROVE,
        "fraction": 1.0,
        "confidence": 0.9,
        "status": "MODEL_APPROVE",
        "quantity": 10,
        "evidence_ids": ("px:last", "policy:score"),
        "evidence_at": AT,
        "baseline": 0.7,
    }
    return Decision(**{**values, **changes})


def now(**changes) -> Situation:
    """The situation; fields of the session and of the vitals may be named directly."""
    values = {
        "at": AT,
        "rules": RULES,
        "session": SESSION,
        "operator": OperatorState.ACTIVE,
        "reconciled": True,
        "price_at": AT,
        "last": {SYMBOL: 50_000, OTHER: 50_000},
        "traded_at": {SYMBOL: AT, OTHER: AT},
        "volume_today": {SYMBOL: 10**7, OTHER: 10**7},
        "halted": frozenset(),
        "frozen": frozenset(),
        "held": {SYMBOL: 10},
        "open_orders": (),
        "known_intents": frozenset(),
        "sent": Traffic(),
        "cash": E,
        "equity": E,
        "opening_equity": E,
        "peak_equity": E,
        "week_equity": E,
        "read_at": AT,
        "vitals": VITALS,
    }
    told = {name: changes.pop(name) for name in _SESSION_FIELDS & changes.keys()}
    measured = {name: changes.pop(name) for name in _VITALS_FIELDS & changes.keys()}
    if measured:
        values["vitals"] = replace(VITALS, **measured)
    if told:
        values["session"] = replace(SESSION, **told)
    return Situation(**{**values, **changes})


def spoke(made: OrderIntent, situation: Situation, limits: Limits = ON_A_DAY) -> str | None:
    """Code of the guard that denied, or None if the intent passed."""
    verdict = review(made, situation, limits)
    return verdict.reasons[-1].code if isinstance(verdict, Deny) else None


def said(made: OrderIntent, situation: Situation, limits: Limits = ON_A_DAY) -> str:
    """What the guard that denied said."""
    verdict = review(made, situation, limits)
    return verdict.reasons[-1].message if isinstance(verdict, Deny) else ""


def left(made: OrderIntent, situation: Situation, limits: Limits = ON_A_DAY) -> tuple[int, str]:
    """Shares the guards leave, and the code of the guard that took the rest."""
    verdict = review(made, situation, limits)
    if isinstance(verdict, Reduce):
        return verdict.quantity, verdict.reasons[-1].code
    if isinstance(verdict, Deny):
        return 0, verdict.reasons[-1].code
    return made.quantity, ""


def seconds(count: float) -> int:
    return int(count * NS_PER_SECOND)


def at(hhmmss: int, extra_ns: int = 0) -> dict:
    """A moment of the day at which everything else is fresh."""
    moment = instant_at(DAY, hhmmss) + extra_ns
    return {
        "at": moment,
        "price_at": moment,
        "traded_at": {SYMBOL: moment, OTHER: moment},
        "read_at": moment,
        "vitals": replace(VITALS, at=moment),
    }


def sents(count: int, *, first: int = 0, apart_s: float = 1.0, symbol: str = OTHER, escape: bool = False) -> Traffic:
    return traffic(*(Sent(AT - seconds(apart_s * n), f"S{n}", symbol, Side.BUY, escape) for n in range(first, count)))


def traffic(*sent: Sent) -> Traffic:
    return reduce(Traffic.and_then, sent, Traffic())


def lost(ppm: int) -> dict:
    return {"equity": E - E * ppm // 1_000_000}
