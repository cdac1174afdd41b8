"""A person's word on an order of unknown fate: this order of the broker is ours, or the broker never had it.

The word decides what the readings leave open and nothing else. A row that is named must be one that a reading could
take (``execution.unknowns.fits``: nobody's, not there before the send, equal in name, side, quantity, price and time);
only that it be the single one is left to the person. An absence is for an order that was given up to a person, and
where rows fit it says that they are other people's. Executions come from the row alone: no trade is invented.

Here: what a claim demands, and what follows. Not here: who may sign (the wiring checks a signature before it becomes
an event), the search without a person (``execution.unknowns``), holdings traded by hand (``corrections``).
"""

from __future__ import annotations

from dataclasses import replace

from haetae.desk.account import end_absent, occasion, spelled, tell_fact
from haetae.desk.ordering import look_again, on_order_event
from haetae.desk.turn import Turn
from haetae.domain.events import AccountSnapshot, OrderClaim
from haetae.domain.orders import Accepted, BrokerOrderId, Order
from haetae.execution import Unclaimable, facts, others_rows, rows_claimed


def on_claim(turn: Turn, event: OrderClaim) -> None:
    """Settle an order of unknown fate by a person's word, or say why not."""
    order, reading = turn.state.blotter.orders.get(event.intent_id), turn.state.account.last
    if order is None:
        turn.refuse(event, "no such order")
    elif not order.status.doubtful or order.order_id is not None:
        turn.refuse(event, f"the order is {order.status.value}")
    elif reading is None:
        turn.refuse(event, "the account has not been read yet")
    elif event.order_id is None:
        _call_absent(turn, event, order, reading)
    else:
        _take_row(turn, event, order, event.order_id, reading)


def _take_row(turn: Turn, event: OrderClaim, order: Order, number: BrokerOrderId, reading: AccountSnapshot) -> None:
    """Give the order its number, and book what the row says of it, as a reading that had found it would."""
    state, name = turn.state, event.intent_id
    orders = tuple(state.blotter.orders.values())
    chain = rows_claimed(order, number, orders, reading, state.account.known, state.settings.reconcile)
    if isinstance(chain, Unclaimable):
        turn.refuse(event, chain.why)
        return
    first = chain[0].order_id
    told, faults = facts(replace(order, order_id=first), chain, turn.at, over=first.day in occasion(turn).over)
    if faults:
        turn.refuse(event, "what the broker's order tells of its executions cannot be")
        return
    for each in (Accepted(name, turn.at, first), *told):
        on_order_event(turn, each)
        tell_fact(turn, each)
    _taken(turn, event, order=spelled(first))


def _call_absent(turn: Turn, event: OrderClaim, order: Order, reading: AccountSnapshot) -> None:
    """End the order; rows that fitted it are remembered as none of it, so that no later reading takes one."""
    state = turn.state
    orders = tuple(state.blotter.orders.values())
    others = others_rows(order, orders, reading, state.account.known, state.settings.reconcile)
    if isinstance(others, Unclaimable):
        turn.refuse(event, others.why)
        return
    end_absent(turn, replace(order, known=(*order.known, *others)))
    _taken(turn, event, order=None)


def _taken(turn: Turn, event: OrderClaim, *, order: list[str] | None) -> None:
    turn.note(
        "request.taken",
        request_id=event.request_id,
        who=event.who,
        why=event.why,
        signature=event.signature,
        intent_id=event.intent_id,
        order=order,
    )
    look_again(turn)  # what is left of the difference can be adopted, once a reading has classed it anew
