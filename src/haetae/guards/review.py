"""``review``: every guard in order, cheap and absolute first; ``clear``: the only maker of cleared orders.

A refusal ends the review, caps add up to the smallest quantity. A guard that lacks an input refuses.
Escape orders pass only the guards marked for them: what protects entries must not bar the way out.
"""

from __future__ import annotations

from haetae.domain.decisions import Allow, Deny, Reason, Reduce, Verdict
from haetae.domain.errors import Text
from haetae.domain.orders import ClearedOrder, OrderIntent
from haetae.guards import order, portfolio, state
from haetae.guards.finding import Guard
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation

GUARDS: tuple[Guard, ...] = (
    Guard("G01", Text(ko="정지 스위치", en="kill switch"), state.kill_switch, escape=True),
    Guard("G04", Text(ko="대사 완료", en="reconciled"), state.reconciled),
    Guard("G05", Text(ko="거래 시간", en="session"), state.session, escape=True),
    Guard("G06", Text(ko="종목 상태", en="symbol state"), state.symbol_state),
    Guard("G07", Text(ko="허용 종목", en="closed list"), state.closed_list),
    Guard("G08", Text(ko="시세 신선도", en="freshness"), state.freshness, escape=True),
    Guard("G22", Text(ko="초과 체결", en="execution excess"), state.execution_excess),
    Guard("G17", Text(ko="중복 주문", en="duplicates"), state.duplicates, escape=True),
    Guard("G18", Text(ko="주문 빈도", en="rates"), state.rates, escape=True),
    Guard("G26", Text(ko="변동성 탈출", en="volatility escape"), state.volatility_escape),
    Guard("G29", Text(ko="자전 거래", en="self trade"), state.self_trade),
    Guard("G30", Text(ko="장부 타당성", en="plausibility"), state.plausibility),
    Guard("G20", Text(ko="손실 한도", en="losses"), portfolio.losses),
    Guard("G21", Text(ko="연속 손실", en="loss streak"), portfolio.loss_streak),
    Guard("G23", Text(ko="신뢰도", en="confidence"), portfolio.confidence),
    Guard("G24", Text(ko="하루 새 종목 수", en="new names"), portfolio.new_names),
    Guard("G25", Text(ko="오염된 근거", en="taint"), portfolio.taint),
    Guard("G09", Text(ko="호가와 상하한", en="tick and limits"), order.tick_and_limits, escape=True),
    Guard("G10", Text(ko="가격 이탈", en="collar"), order.collar, escape=True),
    Guard("G16", Text(ko="매도 가능 수량", en="sellable"), order.sellable, escape=True),
    Guard("G11", Text(ko="과대 수량", en="fat finger"), order.fat_finger),
    Guard("G12", Text(ko="주문 금액", en="order value"), order.order_value),
    Guard("G13", Text(ko="종목 비중", en="position size"), portfolio.position_size),
    Guard("G14", Text(ko="쏠림", en="concentration"), portfolio.concentration),
    Guard("G15", Text(ko="주문 가능 현금", en="orderable cash"), order.orderable_cash),
    Guard("G19", Text(ko="회전율", en="turnover"), portfolio.turnover),
)

_OF_ESCAPES = tuple(guard for guard in GUARDS if guard.escape)
_CODES = tuple(guard.code for guard in GUARDS)
_CODES_OF_ESCAPES = tuple(guard.code for guard in _OF_ESCAPES)


def review(intent: OrderIntent, now: Situation, limits: Limits) -> Verdict:
    """Return what the guards say about an intent."""
    guards, codes = (_OF_ESCAPES, _CODES_OF_ESCAPES) if intent.escape else (GUARDS, _CODES)
    quantity = intent.quantity
    reasons: list[Reason] = []
    for guard in guards:
        try:
            finding = guard.check(intent, quantity, now, limits)
        except (KeyError, ZeroDivisionError) as fault:
            return Deny((*reasons, guard.reason(f"an input is missing ({fault})")))
        if finding is None:
            continue
        if isinstance(finding, str):
            return Deny((*reasons, guard.reason(finding)))
        reasons.append(guard.reason(finding.message))
        if finding.quantity <= 0:
            return Deny(tuple(reasons))
        quantity = min(quantity, finding.quantity)
    if quantity < intent.quantity:
        return Reduce(quantity, tuple(reasons), codes)
    return Allow(codes)


def clear(intent: OrderIntent, now: Situation, limits: Limits) -> ClearedOrder | Deny:
    """Review an intent and return the order that may be sent, or the refusal."""
    verdict = review(intent, now, limits)
    return verdict if isinstance(verdict, Deny) else cleared(intent, verdict, now)


def cleared(intent: OrderIntent, verdict: Allow | Reduce, now: Situation) -> ClearedOrder:
    """Return the order of a verdict that ``review`` gave on this intent in this situation a moment ago."""
    quantity = verdict.quantity if isinstance(verdict, Reduce) else intent.quantity
    return ClearedOrder(intent, quantity, now.at, verdict.codes)
