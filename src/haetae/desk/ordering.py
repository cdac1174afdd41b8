"""From an intent to a sent order, from an order event to the books.

Every order passes ``guards.review`` here (a leg's first look in ``deciding``) and nowhere else. A fill is booked
once, by the blotter's new part of it. What is unusual about an event becomes a note, a frozen symbol or a reading of
the account.
"""

from __future__ import annotations

from dataclasses import replace

from haetae.desk.turn import Turn
from haetae.domain.decisions import Allow, Decision, Deny, Reduce
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import Cancel, OperatorState, SetTimer, Submit
from haetae.domain.market import Kind, Market
from haetae.domain.orders import (
    Canceled,
    Denied,
    Expired,
    Fill,
    Order,
    OrderEvent,
    OrderIntent,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Side,
    Submitted,
)
from haetae.domain.units import NS_PER_SECOND, Won
from haetae.execution import Remark, advance, cancel_requested, enter, record
from haetae.guards import Sent, Situation, cleared, inputs_of, inputs_of_all, review
from haetae.ledger import apply_fill

_LOOK_AGAIN = frozenset(
    {Remark.FOREIGN, Remark.CONTRADICTION, Remark.EARLY_FILL, Remark.LATE_FILL, Remark.FILLS_MISSING}
)


def situation(turn: Turn, intent: OrderIntent | None = None, decision: Decision | None = None) -> Situation:
    """Return what the guards look at now; for an escape, unknown escape sales a reading disproved do not count."""
    state = turn.state
    session, tape, day, account = state.session, state.tape, state.day, state.account
    if session is None:
        raise MarketRuleError("no session has started", next_step="send SessionStart first")
    open_orders = state.blotter.open_orders()
    sells = intent is not None and intent.side is Side.SELL
    exiting = state.escape.exiting.tolist() if state.escape.fallen and not sells else ()  # it bars purchases alone
    if intent is not None and intent.escape:  # no guard of an escape looks at other names
        of_name = state.blotter.open_of(intent.symbol)
        open_orders = tuple(order for order in of_name if not disproved(turn, order))
    operator = state.operator
    if day.closed and operator is OperatorState.ACTIVE:
        operator = OperatorState.REDUCE_ONLY
    return Situation(
        at=turn.at,
        rules=turn.rules,
        session=session,
        operator=operator,
        reconciled=account.reconciled,
        price_at=tape.price_at,
        last=tape.prices,
        traded_at=tape.traded_at,
        volume_today=tape.volume,
        halted=state.halted,
        frozen=account.frozen,
        held=state.held,
        open_orders=open_orders,
        known_intents=state.blotter.orders,
        sent=day.sent,
        cash=state.book.cash,
        equity=state.equity,
        opening_equity=day.opening_equity,
        peak_equity=state.peak_equity,
        week_equity=state.week_equity,
        read_at=account.snapshot_at,
        vitals=state.vitals,
        resumed_at=day.resumed,
        short_cash=account.short_cash,
        short_shares=account.short_shares,
        bought_today=state.book.bought - day.opening_bought,
        sold_today=state.book.sold - day.opening_sold,
        losing_exits=len(day.losing_intents),
        lost_symbols=day.lost_symbols,
        new_names=day.new_names,
        tainted=day.tainted,
        excess=state.excess,
        broker_gap_ppm=account.gap_ppm,
        escape_level=state.escape.level,
        cooling=frozenset(s for s, out in zip(tape.symbols, exiting, strict=False) if out),
        decision=decision if decision is not None and decision.status != "UNREVIEWED" else None,
    )


def disproved(turn: Turn, order: Order) -> bool:
    """Whether an unknown escape sale may be sent again: time passed and a reading did not show it."""
    wait = turn.state.settings.escape_resend_s * NS_PER_SECOND
    unknown = order.status is OrderStatus.UNKNOWN and order.intent.escape
    return unknown and turn.state.account.snapshot_at >= order.updated_at + wait


def free_cash(turn: Turn) -> Won:
    """Return the cash that no open buy reserves."""
    cash = turn.state.book.cash
    if not turn.state.blotter.working:
        return cash
    return cash - situation(turn).reserved(turn.state.settings.limits.reserve_ppm)


def send(turn: Turn, intent: OrderIntent, decision: Decision | None = None) -> bool:
    """Let the guards review an intent and submit what they clear; return whether an order went out."""
    now = situation(turn, intent, decision)
    verdict = review(intent, now, turn.state.settings.limits)
    turn.reviewed.append((intent, now))
    if isinstance(verdict, Deny):
        deny(turn, intent, verdict, now)
        return False
    return submit(turn, intent, verdict, now)


def submit(turn: Turn, intent: OrderIntent, verdict: Allow | Reduce, now: Situation) -> bool:
    """Submit what the guards let through in this very turn; False when the day's commands are used up."""
    if not turn.spend_command():
        return False
    order_cleared = cleared(intent, verdict, now)
    tell_verdict(turn, intent, verdict, now)
    order = advance(Order(intent, order_cleared.quantity, OrderStatus.NEW), Submitted(intent.intent_id, turn.at))
    turn.change(blotter=enter(turn.state.blotter, order))
    sent = Sent(turn.at, intent.intent_id, intent.symbol, intent.side, intent.escape)
    turn.count(sent=turn.state.day.sent.and_then(sent))
    turn.say(Submit(order_cleared))
    return True


def tell_verdict(turn: Turn, intent: OrderIntent, verdict: Allow | Reduce, now: Situation) -> None:
    """Journal what the guards compared: where they took shares, and on a trading day for every order."""
    limits = turn.state.settings.limits
    if isinstance(verdict, Reduce):
        turn.note(
            "intent.reduced",
            intent_id=intent.intent_id,
            decision_id=intent.decision_id,
            symbol=intent.symbol,
            asked=intent.quantity,
            quantity=verdict.quantity,
            reasons=[f"{reason.code} {reason.message}" for reason in verdict.reasons],
            inputs=inputs_of(verdict.reasons, intent, now, limits),
        )
    if limits.require_vitals:
        turn.note("intent.cleared", intent_id=intent.intent_id, inputs=inputs_of_all(intent, now))


def deny(turn: Turn, intent: OrderIntent, refusal: Deny, now: Situation) -> None:
    """Record that the guards refused an intent; it stays known, so it is not tried twice."""
    codes = tuple(reason.code for reason in refusal.reasons[-1:])
    if intent.intent_id not in turn.state.blotter.orders:
        new = Order(intent, intent.quantity, OrderStatus.NEW)
        turn.change(blotter=enter(turn.state.blotter, advance(new, Denied(intent.intent_id, turn.at, codes))))
    turn.note(
        "intent.denied",
        intent_id=intent.intent_id,
        decision_id=intent.decision_id,
        symbol=intent.symbol,
        side=intent.side.value,
        quantity=intent.quantity,
        escape=intent.escape,
        codes=list(codes),
        reasons=[f"{reason.code} {reason.message}" for reason in refusal.reasons],
        inputs=inputs_of(refusal.reasons, intent, now, turn.state.settings.limits),
    )


def cancel(turn: Turn, order: Order, why: str) -> None:
    """Ask to cancel what is open of a working order, or again where the first request got no answer."""
    again = order.status is OrderStatus.CANCEL_PENDING
    if (order.status is not OrderStatus.WORKING and not again) or not turn.spend_command():
        return
    after = cancel_requested(order, turn.at)
    if again:
        after = replace(order, updated_at=turn.at)
    turn.change(blotter=enter(turn.state.blotter, after))
    if not order.intent.escape:
        turn.count(sent=turn.state.day.sent.and_changed(order.intent.symbol))
    turn.say(Cancel(order.intent.intent_id, turn.at, why))


def cancel_open(turn: Turn, *, why: str, side: Side | None = None) -> None:
    """Cancel every working order, or those of one side; escapes of a sale stay when only buys are meant."""
    for order in turn.state.blotter.open_orders():
        if order.status is OrderStatus.WORKING and (side is None or order.intent.side is side):
            cancel(turn, order, why)


def cancel_rested(turn: Turn) -> None:
    """Cancel entries and exits that rested too long, and repeat cancels that got no answer."""
    settings = turn.state.settings
    rest, again = settings.rest_minutes * 60 * NS_PER_SECOND, settings.cancel_again_s * NS_PER_SECOND
    for order in turn.state.blotter.open_orders():
        if order.intent.escape:
            continue
        if order.status is OrderStatus.WORKING and turn.at - order.intent.at >= rest:
            cancel(turn, order, "rested too long")
        elif order.status is OrderStatus.CANCEL_PENDING and turn.at - order.updated_at >= again:
            cancel(turn, order, "no answer to the cancel")


def on_order_event(turn: Turn, event: OrderEvent) -> None:
    """Advance the order, book new fills, and look again where something is odd."""
    blotter, outcome = record(turn.state.blotter, event)
    turn.change(blotter=blotter)
    for fill in outcome.fills:
        _book(turn, fill)
    order = outcome.order
    _outdate(turn, order)
    if isinstance(event, Rejected) and order is not None and outcome.remark is Remark.NONE:
        turn.note(
            "order.rejected",
            intent_id=event.intent_id,
            symbol=order.intent.symbol,
            code=event.code,
            message=event.message,
        )
    if isinstance(event, OutcomeUnknown) and outcome.remark is Remark.NONE:
        turn.note("order.became_unknown", intent_id=event.intent_id, why=event.why)
        look_again(turn)
    if outcome.remark is Remark.FILLS_MISSING and order is not None and isinstance(event, Canceled | Expired):
        missing, symbol = turn.state.account.missing, order.intent.symbol
        turn.account(missing={**missing, symbol: missing.get(symbol, 0) + event.filled - order.filled})
    if outcome.remark in _LOOK_AGAIN:
        turn.note("order.surprised", intent_id=event.intent_id, event=type(event).__name__, remark=outcome.remark.value)
        look_again(turn)
    if outcome.remark is Remark.CONTRADICTION and order is not None:
        turn.account(frozen=turn.state.account.frozen | {order.intent.symbol})
    if outcome.remark is Remark.OVERFILL and order is not None:
        _stop_for_excess(turn, order.intent.intent_id, order.filled, order.quantity)


def _outdate(turn: Turn, order: Order | None) -> None:
    """Believe the broker's sellable shares of a name no more once an order of it moved after the reading."""
    sellable = turn.state.account.sellable
    if order is not None and order.intent.symbol in sellable:
        turn.account(sellable={name: count for name, count in sellable.items() if name != order.intent.symbol})


def look_again(turn: Turn) -> None:
    """Ask for a reading of the account after a short pause."""
    pause = turn.state.settings.retry_reads_s[0] * NS_PER_SECOND
    turn.say(SetTimer(turn.at + pause, "reconcile"))


def _stop_for_excess(turn: Turn, intent_id: str, filled: int, quantity: int) -> None:
    if turn.state.excess:
        return
    turn.change(excess=True)
    turn.note("execution.exceeded", intent_id=intent_id, filled=filled, quantity=quantity)
    cancel_open(turn, why="more was executed than intended")


def _book(turn: Turn, fill: Fill) -> None:
    state, session = turn.state, turn.state.session
    markets = session.markets if session is not None else {}
    kinds = session.kinds if session is not None else {}
    market = Market(markets.get(fill.symbol, Market.KOSPI.value))
    kind = Kind(kinds.get(fill.symbol, Kind.COMMON.value))
    charge = turn.rules.charge_fill(fill, market, kind)
    before = state.book
    try:
        book = apply_fill(before, fill, charge, turn.rules.settle_on())
    except MarketRuleError:
        _stop_for_excess(turn, fill.intent_id, fill.quantity, before.quantity(fill.symbol))
        return
    turn.change(book=book)
    if fill.side is Side.BUY and before.quantity(fill.symbol) == 0:
        turn.count(new_names=state.day.new_names | {fill.symbol})
    if fill.side is Side.SELL and book.realized < before.realized:
        turn.count(
            losing_intents=state.day.losing_intents | {fill.intent_id},
            lost_symbols=state.day.lost_symbols | {fill.symbol},
        )
    turn.note(
        "fill.booked",
        intent_id=fill.intent_id,
        symbol=fill.symbol,
        side=fill.side.value,
        quantity=fill.quantity,
        price=fill.price,
        amount=fill.amount,
        fee=charge.fee,
        tax=charge.tax,
        cash=book.cash,
        realized=book.realized - before.realized,
    )
