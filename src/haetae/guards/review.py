"""``review``: every guard in order, cheap and absolute first; ``clear``: the only maker of cleared orders.

A refusal ends the review, caps add up to the smallest quantity. A guard that lacks an input refuses.
Escape orders pass only the guards marked for them: what protects entries must not bar the way out.
"""

from __future__ import annotations

from dataclasses import replace

from haetae.domain.decisions import Allow, Deny, Reason, Reduce, Verdict
from haetae.domain.orders import ClearedOrder, OrderIntent
from haetae.guards import order, portfolio, state
from haetae.guards.finding import Cap, Guard
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

GUARDS: tuple[Guard, ...] = (
    Guard("G01", "kill switch", state.kill_switch, escape=True),
    Guard("G04", "reconciled", state.reconciled),
    Guard("G05", "session", state.session, escape=True),
    Guard("G06", "symbol state", state.symbol_state),
    Guard("G07", "closed list", state.closed_list),
    Guard("G08", "freshness", state.freshness, escape=True),
    Guard("G22", "execution excess", state.execution_excess),
    Guard("G17", "duplicates", state.duplicates, escape=True),
    Guard("G18", "rates", state.rates, escape=True),
    Guard("G26", "volatility escape", state.volatility_escape),
    Guard("G29", "self trade", state.self_trade),
    Guard("G30", "plausibility", state.plausibility),
    Guard("G20", "losses", portfolio.losses),
    Guard("G21", "loss streak", portfolio.loss_streak),
    Guard("G23", "confidence", portfolio.confidence),
    Guard("G24", "new names", portfolio.new_names),
    Guard("G25", "taint", portfolio.taint),
    Guard("G09", "tick and limits", order.tick_and_limits, escape=True),
    Guard("G10", "collar", order.collar, escape=True),
    Guard("G16", "sellable", order.sellable, escape=True),
    Guard("G11", "fat finger", order.fat_finger),
    Guard("G12", "order value", order.order_value),
    Guard("G13", "position size", portfolio.position_size),
    Guard("G14", "concentration", portfolio.concentration),
    Guard("G15", "orderable cash", order.orderable_cash),
    Guard("G19", "turnover", portfolio.turnover),
)


def review(intent: OrderIntent, now: Situation, limits: Limits) -> Verdict:
    """Return what the guards say about an intent."""
    quantity = intent.quantity
    reasons: list[Reason] = []
    passed: list[str] = []
    for guard in GUARDS:
        if intent.escape and not guard.escape:
            continue
        try:
            finding = guard.check(intent, quantity, now, limits)
        except (KeyError, ZeroDivisionError) as fault:
            return Deny((*reasons, guard.reason(f"an input is missing ({fault})")))
        if isinstance(finding, str):
            return Deny((*reasons, guard.reason(finding)))
        if isinstance(finding, Cap):
            reasons.append(guard.reason(finding.message))
            if finding.quantity <= 0:
                return Deny(tuple(reasons))
            quantity = min(quantity, finding.quantity)
        passed.append(guard.code)
    if quantity < intent.quantity:
        return Reduce(quantity, tuple(reasons), tuple(passed))
    return Allow(tuple(passed))


def clear(intent: OrderIntent, now: Situation, limits: Limits) -> ClearedOrder | Deny:
    """Review an intent and return the order that may be sent, or the refusal."""
    verdict = review(intent, now, limits)
    if isinstance(verdict, Deny):
        return verdict
    quantity = verdict.quantity if isinstance(verdict, Reduce) else intent.quantity
    return ClearedOrder(replace(intent), quantity, now.at, verdict.codes)
