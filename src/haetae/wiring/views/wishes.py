"""What a person asked of the desk, and what became of it: the operator's file beside the journal's notes."""

from __future__ import annotations

import secrets
from pathlib import Path

from haetae.domain.events import CancelRequest, CostCorrection, ManualAdoption, ManualOrder, OrderClaim
from haetae.domain.units import Instant
from haetae.wiring.operators import Order, Request, Wish, given
from haetae.wiring.views.chronicle import DayStory
from haetae.wiring.views.days import Row, moment

_SHOWN = 50
"""The newest wishes; older ones are in the journal where they were taken."""


def order_name(order: Order) -> str:
    """Return how a move of the kill switch is named."""
    return f"k-{order.at}"


def request_name(at: Instant) -> str:
    """Return a fresh name for a request."""
    return f"r-{at}-{secrets.token_hex(4)}"


def wishes_rows(day: DayStory, folder: Path) -> list[Row]:
    """Return the newest wishes, oldest first; ``waiting`` means no desk has taken it on that day."""
    return [_row(day, wish) for wish in given(folder)[-_SHOWN:]]


def _told(wish: Wish) -> str:
    match wish:
        case CancelRequest():
            return f"cancel {wish.intent_id}"
        case ManualOrder():
            return f"{wish.side.value} {wish.symbol} {wish.quantity} @ {wish.limit_price}"
        case ManualAdoption():
            return f"adopt {wish.symbol} {wish.shares:+d} @ {wish.paid}"
        case OrderClaim(order_id=named):
            said = "absent" if named is None else f"order {named.number} of {named.day}"
            return f"claim {wish.intent_id}: {said}"
        case CostCorrection():
            return f"costs {wish.amount:+d}"


def _row(day: DayStory, wish: Order | Request) -> Row:
    detail = ""
    if isinstance(wish, Order):
        name, what = order_name(wish), f"operator {wish.state.value}"
        told = {(str(n.data["state"]), str(n.data["who"]), str(n.data["why"])) for n in day.operators}
        state = "taken" if (wish.state.value, wish.who, wish.why) in told else "waiting"
        who, why, at = wish.who, wish.why, wish.at
    else:
        request = wish.wish
        name, who, why, at = request.request_id, request.who, request.why, request.at
        what = _told(request)
        note = next((n for n in day.requests if n.data["request_id"] == name), None)
        state = "waiting" if note is None else note.kind.removeprefix("request.")
        detail = "" if note is None else str(note.data.get("intent_id") or note.data.get("why", ""))
    return {
        "command_id": name,
        "at": moment(at),
        "what": what,
        "who": who,
        "why": why,
        "state": state,
        "detail": detail,
    }
