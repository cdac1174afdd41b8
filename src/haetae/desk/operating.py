"""What a person tells the desk: the kill switch, a cancel, an order of their own.

A person's order passes the same guards as any other. What became of a request is a note under its
``request_id``: ``request.taken`` or ``request.refused``.
"""

from __future__ import annotations

from haetae.desk.ordering import cancel, cancel_open, send
from haetae.desk.turn import Turn
from haetae.domain.events import CancelRequest, ManualOrder, OperatorCommand, OperatorState
from haetae.domain.orders import OrderIntent, OrderKind, OrderStatus, Side
from haetae.execution import intent_name

_MANUAL = "M-"
"""How the decision of a person's order is named."""


def on_operator(turn: Turn, event: OperatorCommand) -> None:
    """Move the kill switch and cancel what it forbids."""
    turn.change(operator=event.state, latched=True)
    turn.note("operator.changed", state=event.state.value, who=event.who, why=event.why)
    keep_stopped(turn)


def keep_stopped(turn: Turn) -> None:
    """Cancel every working order the kill switch forbids; one that was on the wire is accepted after the halt."""
    if turn.state.operator is OperatorState.HALT:
        cancel_open(turn, why="halted by the operator")
    elif turn.state.operator is OperatorState.REDUCE_ONLY:
        cancel_open(turn, why="reduce only", side=Side.BUY)


def on_cancel_request(turn: Turn, event: CancelRequest) -> None:
    """Cancel a working order; an order that is not working is left as it is."""
    order = turn.state.blotter.orders.get(event.intent_id)
    if order is None or not order.status.resting:
        turn.refuse(event, "no such order" if order is None else f"the order is {order.status.value}")
        return
    before = len(turn.commands)
    cancel(turn, order, f"{event.who}: {event.why}")
    if len(turn.commands) > before and turn.state.blotter.orders[event.intent_id].status is OrderStatus.CANCEL_PENDING:
        turn.note("request.taken", request_id=event.request_id, who=event.who, intent_id=event.intent_id)
    else:
        turn.refuse(event, "the day's commands are used up")


def on_manual_order(turn: Turn, event: ManualOrder) -> None:
    """Let the guards review a person's order and send what they leave of it."""
    if turn.state.session is None:
        turn.refuse(event, "no session has started")
        return
    decision_id = _MANUAL + event.request_id
    intent = OrderIntent(
        intent_id=intent_name(
            turn.account_name, turn.rules.day, decision_id, event.symbol, event.side, event.request_id
        ),
        decision_id=decision_id,
        symbol=event.symbol,
        side=event.side,
        quantity=event.quantity,
        kind=OrderKind.LIMIT,
        limit_price=event.limit_price,
        at=turn.at,
    )
    if send(turn, intent):
        turn.note("request.taken", request_id=event.request_id, who=event.who, intent_id=intent.intent_id)
    else:
        turn.refuse(event, "the guards refused it")
