"""Acting on the volatility escape: cancels, then sales down to what may stay. Never asks anybody.

``leave`` (shares that may stay, by symbol) is set when a level rises: ``keep_share`` of each position for ``reduce``,
nothing for ``exit_all`` and for a name that fell alone. It is worked toward at every minute, at every order event and
reading of the account, and at the escape's own timer, so that a refused, unfilled or lost order only delays it.

A sale is what is to go less what is on sale, an order whose cancel is not confirmed included, and at most what the
broker says may be sold. An order of unknown fate counts as on sale; only where a name is left whole may it be sent
again, after a reading that does not show it (E4.6). A halted name waits and is taken up when it resumes. How price,
size and renewals go is in `exits`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from haetae.desk import exits
from haetae.desk.ordering import cancel, disproved, send
from haetae.desk.turn import Turn
from haetae.domain.events import OperatorState, SetTimer
from haetae.domain.market import Kind
from haetae.domain.notices import Urgency
from haetae.domain.orders import Order, OrderIntent, OrderKind, OrderStatus, Side
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Shares, Symbol, Won
from haetae.execution import intent_name
from haetae.guards import EscapeLevel, EscapeState, blind_for_s

_LIST_S = 4
"""Fifty orders take three seconds at the pace of a real account."""
TIMER = "escape"
"""Name of the timer at which unfilled exits are looked at again."""


def on_level(turn: Turn, before: EscapeState) -> None:
    """Set what may stay after the escape's fold moved on, and tell of changes."""
    state, now = turn.state, turn.state.escape
    if now.level is before.level and not now.fallen and not state.leave:
        return
    held = state.held
    leave = dict(state.leave)
    if now.level is not before.level:
        _tell(turn, before)
    if now.level > before.level and now.level is EscapeLevel.EXIT_ALL:
        leave = dict.fromkeys(held, 0)
    elif now.level > before.level and now.level is EscapeLevel.REDUCE:
        share = state.settings.escape.keep_share
        leave = {symbol: math.floor(quantity * share) for symbol, quantity in held.items()} | leave
    elif now.level < EscapeLevel.REDUCE:
        alone = _alone(turn)
        leave = {symbol: kept for symbol, kept in leave.items() if symbol in alone}
    for symbol in sorted(_alone(turn)):
        if symbol in held and leave.get(symbol, 1) > 0:
            leave[symbol] = 0
            turn.note("escape.left_name", symbol=symbol, quantity=held[symbol], price=state.price(symbol))
    if leave != state.leave:
        _stay(turn, state.leave.keys() - leave.keys())
        turn.change(leave=leave)


def _tell(turn: Turn, before: EscapeState) -> None:
    """Note a level with everything the decision compared."""
    now, settings = turn.state.escape, turn.state.settings.escape
    seen = now.figures
    raised = now.level > before.level
    fear = seen.fear_greed if seen.fear_greed == seen.fear_greed else None
    turn.note(
        "escape.raised" if raised else "escape.lowered",
        level=now.level.name,
        before=before.level.name,
        why=now.why if raised else "calm",
        market_bp=round(seen.market_bp, 2),
        middle_bp=round(seen.middle_bp, 2),
        index_bp=round(seen.index_bp, 2),
        newest_index_bp=round(seen.newest_index_bp, 2),
        vkospi_x100=seen.vkospi_x100,
        vkospi_jump_ppm=seen.vkospi_jump_ppm,
        ratio=round(seen.ratio, 4),
        fear_greed=fear,
        scale=settings.fear_scale if seen.fear_greed < settings.fear_below else 1.0,
        triggers_bp=list(settings.market_bp),
        triggers_index_bp=list(settings.index_bp),
        triggers_ratio=list(settings.volatility_ratio),
        triggers_vkospi_x100=list(settings.vkospi_x100),
        triggers_vkospi_jump_ppm=list(settings.vkospi_jump_ppm),
        falling_bp=settings.falling_bp,
        market=round(now.market, 6),
        trigger=round(now.trigger, 6),
        same_time=now.usual is not None,
        exits=now.exits,
    )


def _stay(turn: Turn, symbols: set[Symbol]) -> None:
    """Take back what is on sale of names that may stay again."""
    for order in turn.state.blotter.open_orders() if symbols else ():
        if order.intent.escape and order.intent.symbol in symbols and order.status is OrderStatus.WORKING:
            _take_back(turn, order, "the escape is over")


def _alone(turn: Turn) -> set[Symbol]:
    if not turn.state.escape.fallen:
        return set()
    flags = turn.state.escape.exiting.tolist()
    return {symbol for symbol, out in zip(turn.state.tape.symbols, flags, strict=True) if out}


def on_timer(turn: Turn) -> None:
    """Look again at exits that did not fill."""
    turn.change(escape_due=0)
    work_escape(turn)


def work_escape(turn: Turn) -> None:
    """Cancel what stands in the way and sell toward ``leave``."""
    state, level = turn.state, turn.state.escape.level
    if level < EscapeLevel.NO_BUYS and not state.leave:
        return
    if level is EscapeLevel.EXIT_ALL and state.held.keys() - state.leave.keys():
        turn.change(leave={**dict.fromkeys(state.held, 0), **state.leave})
    leave = turn.state.leave
    for order in state.blotter.open_orders():
        if order.intent.side is Side.BUY and (level >= EscapeLevel.NO_BUYS or order.intent.symbol in leave):
            _take_back(turn, order, "volatility escape")
    hours = turn.rules.session
    if not leave or state.operator is OperatorState.HALT or not hours.orders_from <= turn.at < hours.close_at:
        return
    sales = _sales(turn)
    queued = _is_queued(turn, sales)
    for symbol in sorted(leave):
        _leave_one(turn, symbol, sales.get(symbol, ()), queued=queued)
    _wake(turn)


def _is_queued(turn: Turn, sales: Mapping[Symbol, Sequence[Order]]) -> bool:
    """Whether sales still wait for their turn at the broker; one that waits longer than a list takes is lost, not late.

    Meanwhile nothing is renewed: fifty cancels would go before the first sale of a name that has none at the broker.
    """
    since = turn.at - _LIST_S * NS_PER_SECOND
    return any(o.status is OrderStatus.SENDING and o.intent.at > since for orders in sales.values() for o in orders)


def _take_back(turn: Turn, order: Order, why: str) -> None:
    """Cancel what stands in the way, and after a refusal not at once again: the broker would say the same."""
    refused = turn.state.refused.get(order.intent.intent_id, 0)
    if turn.at - refused >= turn.state.settings.escape.cancel_again_s * NS_PER_SECOND:
        cancel(turn, order, why)


def _sales(turn: Turn) -> dict[Symbol, list[Order]]:
    """Return the open sales of each name, looked for once."""
    found: dict[Symbol, list[Order]] = {}
    for order in turn.state.blotter.open_orders():
        if order.intent.side is Side.SELL:
            found.setdefault(order.intent.symbol, []).append(order)
    return found


def _leave_one(turn: Turn, symbol: Symbol, sales: Sequence[Order], *, queued: bool) -> None:
    """Bring one name nearer to what may stay of it."""
    state, settings = turn.state, turn.state.settings.escape
    held = state.book.quantity(symbol)
    over = held - state.leave[symbol]
    known = state.exits.get(symbol)
    if over <= 0:
        if known is not None and known.began_at:
            _remember(turn, symbol, exits.Exit(count=known.count))
        return
    if symbol in state.halted:
        return
    now = exits.begun(known, turn.at, held, over)
    _remember(turn, symbol, now)
    lower, price = _prices(turn, symbol, now)
    unseen = _unseen(turn, symbol)
    price = lower if unseen else price
    waiting = sum(_on_sale(turn, order, now, lower, price, queued=queued) for order in sales)
    quantity = min(over, held) - waiting
    if symbol in state.account.sellable:  # counts neither what is on sale there nor what was executed unheard
        quantity = min(quantity, state.account.sellable[symbol])
    if price > lower:
        session, last = state.session, state.price(symbol)
        usual = session.average_turnover.get(symbol, 0) if session is not None else 0
        minutes = max(0, turn.at - turn.rules.session.open_at) // NS_PER_MINUTE
        traded = state.tape.volume.get(symbol, 0)
        volume = exits.minute_volume(traded, minutes, usual, last)
        quantity = min(quantity, exits.stage_room(now, held, waiting, volume, settings))
    if quantity > 0 and turn.at >= now.next_at and _sell(turn, symbol, now, quantity, price) and unseen:
        turn.note("escape.sold_unseen", symbol=symbol, quantity=quantity, why=unseen)


def _unseen(turn: Turn, symbol: Symbol) -> str:
    """Return why nobody can say what a name is worth now; empty where its last price will do."""
    state, session = turn.state, turn.state.session
    if session is None or symbol not in session.base_prices:
        return "not in the session"
    blind_s = blind_for_s(turn.at, state.tape.price_at, session, turn.rules)
    return f"no price for {blind_s} s" if blind_s > state.settings.limits.escape_price_age_s else ""


def _on_sale(turn: Turn, order: Order, now: exits.Exit, lower: Won, price: Won, *, queued: bool) -> Shares:
    """Cancel a sale that is in the way or has rested long enough; return what of it may still be sold."""
    settings = turn.state.settings.escape
    intent = order.intent
    resting = order.status.resting and intent.escape
    if order.status.resting and not intent.escape:
        _take_back(turn, order, "volatility escape")
    elif resting and turn.at >= now.next_at and price < intent.limit_price and not queued:
        _take_back(turn, order, "an escape further down")
    elif order.status is OrderStatus.CANCEL_PENDING:
        if turn.at - order.updated_at >= settings.cancel_again_s * NS_PER_SECOND:
            _take_back(turn, order, "no answer to the cancel")
    elif resting and intent.limit_price <= lower and turn.at - intent.at >= settings.widen_s * NS_PER_SECOND:
        _tell_queued(turn, order)
    again = disproved(turn, order) and turn.state.leave[intent.symbol] == 0
    return 0 if again else order.open_quantity


def _tell_queued(turn: Turn, order: Order) -> None:
    """Page once that a name cannot be left: its sale waits at the day's lower limit."""
    symbol = order.intent.symbol
    now = turn.state.exits[symbol]
    if now.queued:
        return
    _remember(turn, symbol, replace(now, queued=True))
    turn.note(
        "escape.queued_at_limit",
        symbol=symbol,
        quantity=order.open_quantity,
        limit_price=order.intent.limit_price,
        last=turn.state.price(symbol),
        urgency=Urgency.PAGE.name.lower(),
    )


def _sell(turn: Turn, symbol: Symbol, now: exits.Exit, quantity: Shares, price: Won) -> bool:
    """Send a sale, at the market where the name has no limits that we know of; return whether it went out."""
    settings, session = turn.state.settings.escape, turn.state.session
    limited = session is not None and symbol in session.base_prices
    decision_id = f"ESC-{turn.rules.day.isoformat()}-{turn.state.escape.level.name}"
    intent = OrderIntent(
        intent_id=intent_name(turn.account_name, turn.rules.day, decision_id, symbol, Side.SELL, f"escape{now.count}"),
        decision_id=decision_id,
        symbol=symbol,
        side=Side.SELL,
        quantity=quantity,
        kind=OrderKind.LIMIT if limited else OrderKind.MARKET,
        limit_price=price if limited else 0,
        at=turn.at,
        escape=True,
    )
    if not send(turn, intent):
        _remember(turn, symbol, exits.refused(now, turn.at, settings))
        return False
    went = turn.state.blotter.orders[intent.intent_id].quantity
    _remember(turn, symbol, exits.sent(now, turn.at, turn.state.book.quantity(symbol), went, settings))
    return True


def _remember(turn: Turn, symbol: Symbol, now: exits.Exit) -> None:
    if turn.state.exits.get(symbol) != now:
        turn.change(exits={**turn.state.exits, symbol: now})


def _wake(turn: Turn) -> None:
    """Set the timer for the next look, unless one is set or nothing would come of it."""
    if turn.state.escape_due > turn.at:
        return
    sales = _sales(turn)
    due = [at for symbol in turn.state.leave for at in _next_look(turn, symbol, sales.get(symbol, ()))]
    if due:
        at = max(min(due), turn.at + NS_PER_SECOND)
        turn.change(escape_due=at)
        turn.say(SetTimer(at, TIMER))


def _next_look(turn: Turn, symbol: Symbol, sales: Sequence[Order]) -> tuple[int, ...]:
    """Return when something may come of looking at a name again; a sale that rests at the lower limit waits alone."""
    state = turn.state
    now = state.exits.get(symbol)
    if now is None or not now.began_at or symbol in state.halted:
        return ()
    if now.queued and sales and all(order.status is OrderStatus.WORKING for order in sales):
        return ()
    if not sales:  # a refusal is waited out; a stage that is used up goes on with the next minute
        return (now.next_at,) if now.next_at > turn.at else ()
    return (max(now.next_at, turn.at + state.settings.escape.widen_s * NS_PER_SECOND),)


def _prices(turn: Turn, symbol: Symbol, now: exits.Exit) -> tuple[Won, Won]:
    """Return the day's lower limit of a name and the limit of a sale now, on the tick grid."""
    state = turn.state
    session = state.session
    kind = Kind(session.kinds.get(symbol, Kind.COMMON.value)) if session is not None else Kind.COMMON
    base = session.base_prices.get(symbol, 0) if session is not None else 0
    last = state.price(symbol)
    lower, _ = turn.rules.price_limits(base or last, kind)
    price = exits.raw_limit(now, turn.at, last, lower, state.settings.escape)
    return lower, max(lower, turn.rules.floor_tick(price, kind))
