"""Acting on the volatility escape: cancels, then sales down to what may stay. Never asks anybody.

``leave`` (shares that may stay, by symbol) is set when a level rises: half of each position for
``reduce``, nothing for ``exit_all`` and for a name that fell alone. It is worked toward at every
slice and after every cancel, so a refused, unfilled or lost order only delays it.
"""

from __future__ import annotations

import math

from haetae.desk.ordering import cancel, disproved, send
from haetae.desk.turn import Turn
from haetae.domain.market import Kind
from haetae.domain.orders import OrderIntent, OrderKind, Side
from haetae.domain.units import Shares, Symbol, Won
from haetae.execution import intent_name
from haetae.guards import EscapeLevel, EscapeState

_BP = 10_000


def on_level(turn: Turn, before: EscapeState) -> None:
    """Set what may stay after the escape's fold moved on, and tell of changes."""
    state, now = turn.state, turn.state.escape
    if now.level is before.level and not now.fallen and not state.leave:
        return
    held = state.held
    leave = dict(state.leave)
    if now.level is not before.level:
        turn.note(
            "escape.raised" if now.level > before.level else "escape.lowered",
            level=now.level.name,
            before=before.level.name,
            market_bp=round(now.market_bp, 2),
            ratio=round(now.ratio, 4),
        )
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
            turn.note("escape.left_name", symbol=symbol, quantity=held[symbol])
    if leave != state.leave:
        turn.change(leave=leave)


def _alone(turn: Turn) -> set[Symbol]:
    if not turn.state.escape.fallen:
        return set()
    flags = turn.state.escape.exiting.tolist()
    return {symbol for symbol, out in zip(turn.state.tape.symbols, flags, strict=True) if out}


def work_escape(turn: Turn, *, reprice: bool) -> None:
    """Cancel what stands in the way and sell toward ``leave``; with ``reprice`` rested escapes are renewed."""
    level = turn.state.escape.level
    if level is EscapeLevel.EXIT_ALL:
        late = dict.fromkeys(turn.state.held, 0)
        if late.keys() - turn.state.leave.keys():
            turn.change(leave={**late, **turn.state.leave})
    for order in turn.state.blotter.open_orders():
        if order.intent.side is Side.BUY and (level >= EscapeLevel.NO_BUYS or order.intent.symbol in turn.state.leave):
            cancel(turn, order, "volatility escape")
    for symbol in sorted(turn.state.leave):
        over = turn.state.book.quantity(symbol) - turn.state.leave[symbol]
        if over > 0 and symbol not in turn.state.halted:
            _leave_one(turn, symbol, over, reprice=reprice)


def _leave_one(turn: Turn, symbol: Symbol, over: Shares, *, reprice: bool) -> None:
    state = turn.state
    waiting = 0
    for order in state.blotter.open_of(symbol):
        if order.intent.side is not Side.SELL:
            continue
        if order.status.resting and (reprice or not order.intent.escape):
            cancel(turn, order, "volatility escape")
        if not (disproved(turn, order) and state.leave[symbol] == 0):
            waiting += order.open_quantity
    quantity = min(over, state.book.quantity(symbol)) - waiting
    if quantity <= 0:
        return
    tries = state.escape_tries.get(symbol, 0)
    turn.change(escape_tries={**state.escape_tries, symbol: tries + 1})
    decision_id = f"ESC-{turn.rules.day.isoformat()}-{state.escape.level.name}"
    intent = OrderIntent(
        intent_id=intent_name(turn.account_name, turn.rules.day, decision_id, symbol, Side.SELL, f"escape{tries}"),
        decision_id=decision_id,
        symbol=symbol,
        side=Side.SELL,
        quantity=quantity,
        kind=OrderKind.LIMIT,
        limit_price=_price(turn, symbol, tries),
        at=turn.at,
        escape=True,
    )
    send(turn, intent)


def _price(turn: Turn, symbol: Symbol, tries: int) -> Won:
    session = turn.state.session
    kind = Kind(session.kinds.get(symbol, Kind.COMMON.value)) if session is not None else Kind.COMMON
    base = session.base_prices.get(symbol, 0) if session is not None else 0
    last = turn.state.price(symbol)
    lower, _ = turn.rules.price_limits(base or last, kind)
    if tries > 0:
        return lower
    collar = turn.state.settings.escape_collar_bp
    return max(lower, turn.rules.floor_tick(last * (_BP - collar) // _BP, kind))
