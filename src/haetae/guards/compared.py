"""What a guard looked at, as JSON values small enough to be journalled with every verdict.

Here: the named inputs of guards, each one line from a ``Situation``. Not here: the comparison (the guards), which
input belongs to which guard (``table``). Won, shares, seconds before now; a missing one is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.guards.finding import Guard
from haetae.guards.judgement import worth_of
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation
from haetae.guards.state import blind_for_s

Value: TypeAlias = bool | int | float | str | list[str] | None
Read: TypeAlias = Callable[[OrderIntent, Situation], Value]


def _age(now: Situation, at: Instant | None) -> float | None:
    return round((now.at - at) / NS_PER_SECOND, 3) if at else None


def _vital(name: str) -> Read:
    return lambda intent, now: getattr(now.vitals, name) if now.vitals is not None else None


def _mandate(name: str) -> Read:
    return lambda intent, now: getattr(now.vitals.mandate, name) if now.vitals is not None else None


def _made(name: str) -> Read:
    return lambda intent, now: getattr(now.decision, name) if now.decision is not None else None


def _other(intent: OrderIntent) -> Side:
    return Side.SELL if intent.side is Side.BUY else Side.BUY


def _worth(intent: OrderIntent, now: Situation) -> Value:
    if now.decision is None:
        return None
    return round(worth_of(now.decision.confidence, now.session.record, 1), 6)


INPUTS: Mapping[str, Read] = {
    "operator": lambda intent, now: now.operator.value,
    "live": _mandate("live"),
    "build": _mandate("build"),
    "tr_prefix": _mandate("tr_prefix"),
    "host": _mandate("host"),
    "signed_host": _mandate("signed_host"),
    "signed_here": lambda intent, now: (
        now.vitals is not None and now.vitals.mandate.account == now.vitals.mandate.signed_account
    ),
    "token_of_the_day_left_s": lambda intent, now: (
        None if now.vitals is None else (now.vitals.mandate.expires_at - now.at) // NS_PER_SECOND
    ),
    "running": _vital("running"),
    "promoted": _vital("promoted"),
    "vitals_age_s": lambda intent, now: _age(now, now.vitals.at) if now.vitals is not None else None,
    "lease_epoch": _vital("lease_epoch"),
    "journal_ok": _vital("journal_ok"),
    "skew_ms": _vital("skew_ms"),
    "full_size": _vital("full_size"),
    "budget_used_ppm": _vital("budget_used_ppm"),
    "error_ppm": _vital("error_ppm"),
    "token_left_s": _vital("token_left_s"),
    "reconciled": lambda intent, now: now.reconciled,
    "reading_age_s": lambda intent, now: _age(now, now.read_at),
    "at": lambda intent, now: now.at,
    "phase": lambda intent, now: now.rules.phase_at(now.at).value,
    "halted": lambda intent, now: intent.symbol in now.halted,
    "frozen": lambda intent, now: intent.symbol in now.frozen,
    "unadjusted": lambda intent, now: intent.symbol in now.session.unadjusted,
    "flags": lambda intent, now: sorted(now.session.flags.get(intent.symbol, ())),
    "resumed_age_s": lambda intent, now: _age(now, now.resumed_at.get(intent.symbol)),
    "base_price": lambda intent, now: now.session.base_prices.get(intent.symbol),
    "previous_close": lambda intent, now: now.session.previous_closes.get(intent.symbol),
    "kind": lambda intent, now: now.session.kinds.get(intent.symbol),
    "market": lambda intent, now: now.session.markets.get(intent.symbol),
    "tradable": lambda intent, now: intent.symbol in now.session.tradable,
    "listed": lambda intent, now: intent.symbol in now.session.universe,
    "names": lambda intent, now: len(now.session.universe),
    "last": lambda intent, now: now.last.get(intent.symbol),
    "price_age_s": lambda intent, now: _age(now, now.price_at),
    "unseen_s": lambda intent, now: blind_for_s(now.at, now.price_at, now.session, now.rules),
    "traded_age_s": lambda intent, now: _age(now, now.traded_at.get(intent.symbol)),
    "price_gap_bp": lambda intent, now: now.vitals.price_gaps_bp.get(intent.symbol, 0) if now.vitals else None,
    "volume_today": lambda intent, now: now.volume_today.get(intent.symbol),
    "average_turnover": lambda intent, now: now.session.average_turnover.get(intent.symbol),
    "known_before": lambda intent, now: intent.intent_id in now.known_intents,
    "unknown_open": lambda intent, now: now.has_unknown(intent.symbol),
    "open_same_side": lambda intent, now: now.open_quantity(intent.symbol, intent.side),
    "open_other_side": lambda intent, now: now.open_quantity(intent.symbol, _other(intent)),
    "same_side_age_s": lambda intent, now: _age(now, now.sent.newest_of(intent.symbol, intent.side)),
    "orders_last_second": lambda intent, now: now.sent.since(now.at - NS_PER_SECOND),
    "orders_last_minute": lambda intent, now: now.sent.since(now.at - 60 * NS_PER_SECOND),
    "orders_last_hour": lambda intent, now: now.sent.since(now.at - 3_600 * NS_PER_SECOND),
    "orders_today": lambda intent, now: len(now.sent.times),
    "orders_of_symbol": lambda intent, now: now.sent.of_symbol.get(intent.symbol, 0),
    "changes_of_symbol": lambda intent, now: now.sent.changes.get(intent.symbol, 0),
    "escapes_today": lambda intent, now: now.sent.escapes,
    "fleeing_for_s": lambda intent, now: _age(now, now.fleeing_since(intent.symbol)),
    "held": lambda intent, now: now.held.get(intent.symbol, 0),
    "short_shares": lambda intent, now: now.short_shares.get(intent.symbol, 0),
    "cash": lambda intent, now: now.cash,
    "short_cash": lambda intent, now: now.short_cash,
    "reserved": lambda intent, now: now.reserved(0),
    "exposure": lambda intent, now: now.exposure(intent.symbol) if now.last.get(intent.symbol) else None,
    "exposures": lambda intent, now: sum(now.exposures().values()),
    "sector": lambda intent, now: now.session.sectors.get(intent.symbol, ""),
    "equity": lambda intent, now: now.equity,
    "opening_equity": lambda intent, now: now.opening_equity,
    "week_equity": lambda intent, now: now.week_equity,
    "peak_equity": lambda intent, now: now.peak_equity,
    "bought_today": lambda intent, now: now.bought_today,
    "sold_today": lambda intent, now: now.sold_today,
    "losing_exits": lambda intent, now: now.losing_exits,
    "lost_today": lambda intent, now: intent.symbol in now.lost_symbols,
    "excess": lambda intent, now: now.excess,
    "broker_gap_ppm": lambda intent, now: now.broker_gap_ppm,
    "escape_level": lambda intent, now: now.escape_level.name.lower(),
    "cooling": lambda intent, now: intent.symbol in now.cooling,
    "status": _made("status"),
    "decider": _made("decider"),
    "pinned": lambda intent, now: now.session.decider,
    "confidence": _made("confidence"),
    "worth": _worth,
    "evidence": lambda intent, now: len(set(now.decision.evidence_ids)) if now.decision is not None else None,
    "evidence_age_s": lambda intent, now: _age(now, now.decision.evidence_at) if now.decision is not None else None,
    "baseline": _made("baseline"),
    "new_names": lambda intent, now: len(now.new_names),
    "entered_today": lambda intent, now: intent.symbol in now.new_names,
    "tainted": lambda intent, now: intent.symbol in now.tainted,
    "risk_flags": lambda intent, now: list(now.decision.risk_flags) if now.decision is not None else [],
}
"""Every input by name."""


def looked_at(names: Iterable[str], intent: OrderIntent, now: Situation) -> dict[str, Value]:
    """Return named inputs; null where one could not be had, which is what the guard then refused for."""
    found: dict[str, Value] = {}
    for name in names:
        try:
            found[name] = INPUTS[name](intent, now)
        except (LookupError, TypeError, ValueError, AttributeError):
            found[name] = None
    return found


def compared(guard: Guard, intent: OrderIntent, now: Situation, limits: Limits) -> dict[str, Value]:
    """Return what a guard compared, inputs first and then the limits it holds them against."""
    found = looked_at(guard.inputs, intent, now)
    for name in guard.limits:
        value = getattr(limits, name)
        found[name] = intent.symbol in value if isinstance(value, frozenset) else value
    return found
