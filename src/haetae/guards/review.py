"""``review``: every guard in order, cheap and absolute first; ``clear``: the only maker of cleared orders.

A refusal ends the review, caps add up to the smallest quantity. A guard that lacks an input, or stumbles over one,
refuses. Escape orders pass only the guards marked for them: what protects entries must not bar the way out.
"""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.decisions import Allow, Deny, Reason, Reduce, Verdict
from haetae.domain.errors import HaetaeError
from haetae.domain.orders import ClearedOrder, OrderIntent
from haetae.domain.units import Shares
from haetae.guards.compared import Value, compared, looked_at
from haetae.guards.finding import Cap, Finding, Guard
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation
from haetae.guards.table import GUARDS

_OF_ESCAPES = tuple(guard for guard in GUARDS if guard.escape)
_CODES = tuple(guard.code for guard in GUARDS)
_CODES_OF_ESCAPES = tuple(guard.code for guard in _OF_ESCAPES)
_BY_CODE = {guard.code: guard for guard in GUARDS}
_FAULTS = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, HaetaeError)
"""What a guard stumbles with over an input that is missing or makes no sense."""


def guards_of(intent: OrderIntent) -> tuple[Guard, ...]:
    """Return the guards an intent must pass, in order."""
    return _OF_ESCAPES if intent.escape else GUARDS


def check(guard: Guard, intent: OrderIntent, quantity: Shares, now: Situation, limits: Limits) -> Finding:
    """Return what one guard finds; a missing or senseless input is a refusal that names it."""
    try:
        finding = guard.check(intent, quantity, now, limits)
    except _FAULTS as fault:
        return _missing(fault)
    return None if finding is None else _whole(finding)


def _missing(fault: Exception) -> str:
    return f"an input is missing ({type(fault).__name__}: {fault})"


def _whole(finding: Cap | str) -> Cap | str:
    if isinstance(finding, Cap) and type(finding.quantity) is not int:
        return f"an input is no whole number ({finding.message})"
    return finding


def review(intent: OrderIntent, now: Situation, limits: Limits) -> Verdict:
    """Return what the guards say about an intent."""
    guards, codes = (_OF_ESCAPES, _CODES_OF_ESCAPES) if intent.escape else (GUARDS, _CODES)
    quantity = intent.quantity
    reasons: list[Reason] = []
    for guard in guards:
        try:  # written out here: most guards have nothing to say, and calling `check` would cost more than they do
            finding = guard.check(intent, quantity, now, limits)
        except _FAULTS as fault:
            finding = _missing(fault)
        if finding is None:
            continue
        finding = _whole(finding)
        if isinstance(finding, str):
            return Deny((*reasons, guard.reason(finding)))
        reasons.append(guard.reason(finding.message))
        if finding.quantity <= 0:
            return Deny(tuple(reasons))
        quantity = min(quantity, finding.quantity)
    if quantity < intent.quantity:
        return Reduce(quantity, tuple(reasons), codes)
    return Allow(codes)


@dataclass(frozen=True, slots=True)
class Step:
    """One guard of an explanation: what it compared, what it found, how many shares it would leave."""

    guard: Guard
    compared: dict[str, Value]
    finding: Finding
    left: Shares


def explain(intent: OrderIntent, now: Situation, limits: Limits) -> tuple[Step, ...]:
    """Return every guard's own finding, also of those after the one that refused; the verdict is ``review``'s."""
    quantity, steps = intent.quantity, []
    for guard in guards_of(intent):
        finding = check(guard, intent, quantity, now, limits)
        left = quantity
        if isinstance(finding, str):
            left = 0
        elif finding is not None:
            left = max(0, min(quantity, finding.quantity))
        steps.append(Step(guard, compared(guard, intent, now, limits), finding, left))
        quantity = left or quantity  # a refusal ends the order; the rest is told of what was asked
    return tuple(steps)


def inputs_of(reasons: tuple[Reason, ...], intent: OrderIntent, now: Situation, limits: Limits) -> dict[str, object]:
    """Return what the guards that spoke had compared, by code: what a verdict is journalled with."""
    return {reason.code: compared(_BY_CODE[reason.code], intent, now, limits) for reason in reasons}


def inputs_of_all(intent: OrderIntent, now: Situation) -> dict[str, Value]:
    """Return everything that was looked at, by name: what an order that passed is journalled with."""
    return looked_at({name: None for guard in guards_of(intent) for name in guard.inputs}, intent, now)


def clear(intent: OrderIntent, now: Situation, limits: Limits) -> ClearedOrder | Deny:
    """Review an intent and return the order that may be sent, or the refusal."""
    verdict = review(intent, now, limits)
    return verdict if isinstance(verdict, Deny) else cleared(intent, verdict, now)


def cleared(intent: OrderIntent, verdict: Allow | Reduce, now: Situation) -> ClearedOrder:
    """Return the order of a verdict that ``review`` gave on this intent in this situation a moment ago."""
    quantity = verdict.quantity if isinstance(verdict, Reduce) else intent.quantity
    return ClearedOrder(intent, quantity, now.at, verdict.codes)
