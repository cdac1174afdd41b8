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
    BrokerOrderId,
    Denied,
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
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol, Won
from haetae.execution import Blotter, Remark, advance, cancel_requested, enter, record
from haetae.guards import Sent, Situation, cleared, inputs_of, inputs_of_all, review
from haetae.krx import Rulebook
from haetae.ledger import apply_fill

_LOOK_AGAIN = frozenset(
    {Remark.FOREIGN, Remark.CONTRADICTION, Remark.EARLY_FILL, Remark.LATE_FILL, Remark.FILLS_MISSING}
)
_STRICTNESS = (OperatorState.ACTIVE, OperatorState.REDUCE_ONLY, OperatorState.HALT)


def situation(turn: Turn, intent: OrderIntent | None = None, decision: Decision | None = None) -> Situation:
    """Return what the guards look at now; for an escape, unknown escape sales a reading disproved do not count."""
    state = turn.state
    session, tape, day, account = state.session, state.tape, state.day, state.account
    if session is None:
        raise MarketRuleError("no session has started", next_step="send SessionStart first")
    sells = intent is not None and intent.side is Side.SELL
    exiting = state.escape.exiting.tolist() if state.escape.fallen and not sells else ()  # it bars purchases alone
    leaving_since: dict[Symbol, Instant] = {}
    if intent is not None and intent.escape:  # no guard of an escape looks at other names
        of_name = state.blotter.open_of(intent.symbol)
        open_orders = tuple(order for order in of_name if not disproved(turn, order))
        known = state.exits.get(intent.symbol)
        if known is not None and known.began_at:
            leaving_since = {intent.symbol: known.began_at}
    else:
        open_orders = state.blotter.open_orders()
    return Situation(
        at=turn.at,
        rules=turn.rules,
        session=session,
        operator=allowed(turn),
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
        leaving_since=leaving_since,
        decision=decision if decision is not None and decision.status != "UNREVIEWED" else None,
    )


def allowed(turn: Turn) -> OperatorState:
    """Return what may be done now: the strictest word of the operator, the comparison with the broker, the losses."""
    state = turn.state
    words = [state.operator]
    if state.settings.limits.require_reconciled:
        words.append(state.account.gate)
    if state.day.closed:
        words.append(OperatorState.REDUCE_ONLY)
    return max(words, key=_STRICTNESS.index)


def disproved(turn: Turn, order: Order) -> bool:
    """Whether an unknown escape sale may be sent again: time passed, and a reading shows the shares and not the sale.

    The broker sells no more than it holds, so a second full exit is harmless where the first one did arrive.
    """
    wait = turn.state.settings.escape_resend_s * NS_PER_SECOND
    last = turn.state.account.last
    unknown = order.status is OrderStatus.UNKNOWN and order.intent.escape
    return unknown and last is not None and last.at >= order.updated_at + wait and order.intent.symbol in last.positions


def doubted(blotter: Blotter, session_at: Instant = 0) -> frozenset[Symbol]:
    """Return the names of orders whose fate is in question: unknown, back from their end, or of a day before."""
    return frozenset(
        order.intent.symbol
        for order in blotter.working.values()
        if order.status.doubtful or order.status is OrderStatus.LATE_FILL or order.intent.at < session_at
    )


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
    known = _shown(turn, intent)
    guarded = Order(intent, order_cleared.quantity, OrderStatus.GUARDED, known=known)
    order = advance(guarded, Submitted(intent.intent_id, turn.at))
    turn.change(blotter=enter(turn.state.blotter, order))
    sent = Sent(turn.at, intent.intent_id, intent.symbol, intent.side, intent.escape)
    turn.count(sent=turn.state.day.sent.and_then(sent))
    turn.say(Submit(order_cleared, known))
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


def _shown(turn: Turn, intent: OrderIntent) -> tuple[BrokerOrderId, ...]:
    """Return the numbers of this name and side that the newest reading showed: what is sent now is none of them."""
    last = turn.state.account.last
    rows = last.orders if last is not None else ()
    return tuple(row.order_id for row in rows if (row.symbol, row.side) == (intent.symbol, intent.side))


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
    """Ask to cancel what rests of an order of today, or again where the first request got no answer."""
    session = turn.state.session
    again = order.status is OrderStatus.CANCEL_PENDING
    can = again or order.status.resting or order.status is OrderStatus.LATE_FILL
    if not can or session is None or order.intent.at < session.at or not turn.spend_command():
        return
    after = cancel_requested(order, turn.at)
    if again:
        after = replace(order, updated_at=turn.at)
    turn.change(blotter=enter(turn.state.blotter, after))
    if not order.intent.escape:
        turn.count(sent=turn.state.day.sent.and_changed(order.intent.symbol))
    turn.say(Cancel(order.intent.intent_id, turn.at, why))


def cancel_open(turn: Turn, *, why: str, side: Side | None = None) -> None:
    """Cancel every resting order, or those of one side; escapes of a sale stay when only buys are meant."""
    for order in turn.state.blotter.open_orders():
        if order.status.resting and (side is None or order.intent.side is side):
            cancel(turn, order, why)


def cancel_rested(turn: Turn) -> None:
    """Cancel entries and exits that rested too long, and repeat cancels that got no answer."""
    settings = turn.state.settings
    rest, again = settings.rest_minutes * 60 * NS_PER_SECOND, settings.cancel_again_s * NS_PER_SECOND
    for order in turn.state.blotter.open_orders():
        if order.intent.escape:
            continue
        if order.status.resting and turn.at - order.intent.at >= rest:
            cancel(turn, order, "rested too long")
        elif order.status is OrderStatus.CANCEL_PENDING and turn.at - order.updated_at >= again:
            cancel(turn, order, "no answer to the cancel")


def on_order_event(turn: Turn, event: OrderEvent) -> None:
    """Advance the order, book new fills, and look again where something is odd."""
    blotter, outcome = record(turn.state.blotter, event)
    turn.change(blotter=blotter)
    for fill in outcome.fills:
        _book(turn, fill)
    order, remark = outcome.order, outcome.remark
    _outdate(turn, order)
    if isinstance(event, Rejected) and order is not None and remark is Remark.NONE:
        turn.note(
            "order.change_refused" if event.change else "order.rejected",
            intent_id=event.intent_id,
            symbol=order.intent.symbol,
            code=event.code,
            message=event.message,
        )
        if event.change:
            turn.change(refused={**turn.state.refused, event.intent_id: turn.at})
    if isinstance(event, OutcomeUnknown) and remark is Remark.NONE:
        turn.note("order.became_unknown", intent_id=event.intent_id, why=event.why)
        turn.account(retries=0)  # this one is looked for quickly at first too, however long others have been lost
        look_again(turn)
    if remark in _LOOK_AGAIN:
        turn.note("order.surprised", intent_id=event.intent_id, event=type(event).__name__, remark=remark.value)
        look_again(turn)
    if order is not None:
        _heed(turn, order, remark)


def _heed(turn: Turn, order: Order, remark: Remark) -> None:
    """Freeze the name of an order that did what it cannot, and take back what lives after its end."""
    if remark is Remark.CONTRADICTION:
        turn.account(frozen=turn.state.account.frozen | {order.intent.symbol})
    elif remark is Remark.OVERFILL:
        _stop_for_excess(turn, order.intent.intent_id, order.filled, order.quantity)
    elif remark is Remark.LATE_FILL:
        account, symbol = turn.state.account, order.intent.symbol
        turn.account(frozen=account.frozen | {symbol}, shut=account.shut | {symbol})
        turn.note("order.returned", intent_id=order.intent.intent_id, symbol=symbol, filled=order.filled)
        cancel(turn, order, "it had ended, and lives or was executed after all")


def _outdate(turn: Turn, order: Order | None) -> None:
    """Believe the broker's sellable shares of a name no more once an order of it moved after the reading."""
    sellable = turn.state.account.sellable
    if order is not None and order.intent.symbol in sellable:
        turn.account(sellable={name: count for name, count in sellable.items() if name != order.intent.symbol})


def reading_every_s(turn: Turn) -> int:
    """Return how far apart readings lie: where guard G04 asks their age, twice within what it allows."""
    settings = turn.state.settings
    if settings.limits.require_vitals:
        return min(settings.reconcile_every_s, settings.limits.reconcile_age_s // 2)
    return settings.reconcile_every_s


def look_again(turn: Turn, after_s: int | None = None) -> None:
    """Ask for a reading of the account after a pause (the shortest one by default), unless one is due sooner."""
    look_again_ms(turn, turn.state.settings.retry_reads_ms[0] if after_s is None else after_s * 1_000)


def look_again_ms(turn: Turn, pause_ms: int) -> None:
    """Ask for a reading after so many milliseconds, unless one is due sooner.

    Whatever asks goes through here: an asker that set its own timer would add a chain of readings to those there are.
    """
    at, account = turn.at + pause_ms * NS_PER_SECOND // 1_000, turn.state.account
    if turn.at < account.due_at <= at:
        return
    turn.account(due_at=at, asked_at=turn.at)
    turn.say(SetTimer(at, "reconcile"))


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
    day = fill.order_id.day
    rules = turn.rules if day == turn.rules.day else Rulebook.on(day)  # told late: charged as on its own day
    charge = rules.charge_fill(fill, market, kind)
    before = state.book
    try:
        book = apply_fill(before, fill, charge, rules.settle_on())
    except MarketRuleError:
        _stop_for_excess(turn, fill.intent_id, fill.quantity, before.quantity(fill.symbol))
        return
    turn.change(book=book)
    if state.settings.limits.require_reconciled:
        look_again(turn, state.settings.reconcile_after_fill_s)
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
        order=[day.isoformat(), fill.order_id.branch, fill.order_id.number],
        quantity=fill.quantity,
        cumulative=fill.cumulative,
        price=fill.price,
        amount=fill.amount,
        amount_before=fill.amount_before,
        fee=charge.fee,
        tax=charge.tax,
        cash=book.cash,
        realized=book.realized - before.realized,
    )
