"""What one trading day hands to the next: the books, and the orders whose fate is not settled.

A day that was closed says so in its closing note. A day that was not (the process died and nobody came back to it) is
folded once more from what the journal holds of it: orders sent, what was told of them, what the desk booked and
concluded. A fill counts by its order and cumulative quantity, however often the journal tells of it.

Here: that fold, and the notes around a day. Not here: coming back to the same day (``recovery``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from haetae.desk import DeskState
from haetae.domain import codec
from haetae.domain.account import Book
from haetae.domain.events import Note, SessionStart, Submit
from haetae.domain.market import Kind, Market
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    Expired,
    Fill,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Side,
    Submitted,
)
from haetae.domain.units import Instant, Won, day_of
from haetae.execution import advance, carried, conclude_absent, enter, give_up, record
from haetae.krx import Rulebook
from haetae.ledger import adopt, apply_fill, correct_costs, settle
from haetae.ports import Journal

OPENED, CLOSED = "day.opened", "day.closed"
RUN = "run"


@dataclass(frozen=True, slots=True)
class Handover:
    """The books after everything the journal knows, and what is not settled.

    ``agreed_turnover`` is the turnover of the books up to which the broker's cash agreed, in won.
    """

    book: Book
    unsettled: tuple[Order, ...] = ()
    agreed_turnover: Won = 0

    def to(self, desk: DeskState) -> DeskState:
        """Return a fresh desk that takes over."""
        account = replace(desk.account, agreed_turnover=self.agreed_turnover)
        return replace(desk, book=self.book, blotter=carried(self.unsettled), account=account)


def handover_of(desk: DeskState) -> Handover:
    """Return what a desk would hand over now."""
    return Handover(desk.book, desk.blotter.open_orders(), desk.account.agreed_turnover)


def boundary_note(kind: str, day: dt.date, handed: Handover, at: Instant) -> Note:
    """Return the note a trading day begins or ends with: ``day.opened`` or ``day.closed``."""
    data = {
        "day": day.isoformat(),
        "book": codec.encode(handed.book),
        "unsettled": [codec.encode(order) for order in handed.unsettled],
        "agreed_turnover": handed.agreed_turnover,
    }
    return Note(at, kind, data)


def handed_by(note: Note) -> Handover:
    """Return what a note of the beginning or end of a day holds."""
    orders: Any = note.data["unsettled"]
    turnover: Any = note.data["agreed_turnover"]
    return Handover(codec.decode(str(note.data["book"])), tuple(codec.decode(text) for text in orders), turnover)


def latest_handover(journal: Journal) -> Handover | None:
    """Return what the journal hands to a new day, None for a journal without a day."""
    seq, boundary = 0, None
    for number, _, _, found in journal.entries(kind=RUN):
        if isinstance(found, Note) and found.kind in (OPENED, CLOSED):
            seq, boundary = number, found
    if boundary is None:
        return None
    fold = _Fold(handed_by(boundary))
    for _, at, _, entry in journal.entries(after=seq):
        fold.take(entry, at)
    return fold.handover()


def latest_book(journal: Journal) -> Book | None:
    """Return the books after everything the journal knows, None for a journal without a day."""
    handed = latest_handover(journal)
    return handed.book if handed is not None else None


def booked_fill(data: Mapping[str, Any], at: Instant) -> Filled:
    """Return the fill that a note ``fill.booked`` tells of: one that a reading told has no entry of its own."""
    fill = Fill(
        order_id=_number(data["order"]),
        intent_id=data["intent_id"],
        symbol=data["symbol"],
        side=Side(data["side"]),
        quantity=data["quantity"],
        price=data["price"],
        amount=data["amount"],
        cumulative=data["cumulative"],
        at=at,
        amount_before=data["amount_before"],
    )
    return Filled(fill.intent_id, at, fill)


class _Fold:
    """Books and orders as entries go by."""

    def __init__(self, handed: Handover) -> None:
        self._book = handed.book
        self._blotter = carried(handed.unsettled)
        self._agreed = handed.agreed_turnover
        self._session: SessionStart | None = None

    def handover(self) -> Handover:
        """What was being sent when the process died is of unknown fate."""
        orders = []
        for order in self._blotter.open_orders():
            died = OutcomeUnknown(order.intent.intent_id, order.updated_at, "the process ended and did not come back")
            orders.append(advance(order, died) if order.status is OrderStatus.SENDING else order)
        return Handover(self._book, tuple(orders), self._agreed)

    def take(self, entry: object, at: Instant) -> None:
        match entry:
            case SessionStart():
                self._session = entry
                self._book = settle(self._book, day_of(at))
            case Submit(order=cleared, known=known):
                intent = cleared.intent
                if intent.intent_id not in self._blotter.orders:
                    guarded = Order(intent, cleared.quantity, OrderStatus.GUARDED, known=known)
                    self._blotter = enter(self._blotter, advance(guarded, Submitted(intent.intent_id, at)))
            case Note(kind=kind, data=data) if kind in _NOTES:
                _NOTES[kind](self, data, at)
            case _ if isinstance(entry, _ORDER_EVENTS):
                self._record(entry)

    def _record(self, event: OrderEvent) -> None:
        self._blotter, outcome = record(self._blotter, event)
        for fill in outcome.fills:
            session = self._session
            markets, kinds = (session.markets, session.kinds) if session is not None else ({}, {})
            rules = Rulebook.on(fill.order_id.day)
            market = Market(markets.get(fill.symbol, Market.KOSPI.value))
            charge = rules.charge_fill(fill, market, Kind(kinds.get(fill.symbol, Kind.COMMON.value)))
            self._book = apply_fill(self._book, fill, charge, rules.settle_on())

    def _booked(self, data: Mapping[str, Any], at: Instant) -> None:
        self._record(booked_fill(data, at))

    def _adopted_order(self, data: Mapping[str, Any], at: Instant) -> None:
        self._record(Accepted(data["intent_id"], at, _number(data["order"])))

    def _ended(self, data: Mapping[str, Any], at: Instant) -> None:
        name = data["intent_id"]
        match data["how"]:
            case "Canceled":
                self._record(Canceled(name, at, data["filled"]))
            case "Expired":
                self._record(Expired(name, at, data["filled"]))
            case _:
                self._record(Rejected(name, at, "EXCHANGE", ""))

    def _absent(self, data: Mapping[str, Any], at: Instant) -> None:
        self._move(data, at, conclude_absent)

    def _stuck(self, data: Mapping[str, Any], at: Instant) -> None:
        self._move(data, at, give_up)

    def _move(self, data: Mapping[str, Any], at: Instant, step: Callable[[Order, Instant], Order]) -> None:
        order = self._blotter.orders.get(data["intent_id"])
        if order is not None:
            self._blotter = enter(self._blotter, step(order, at))

    def _adopted(self, data: Mapping[str, Any], at: Instant) -> None:
        self._book = adopt(self._book, data["symbol"], data["shares"], data["paid"])

    def _corrected(self, data: Mapping[str, Any], at: Instant) -> None:
        self._book = correct_costs(self._book, data["amount"])

    def _agreed_to(self, data: Mapping[str, Any], at: Instant) -> None:
        self._agreed = data["turnover"]


_ORDER_EVENTS = get_args(OrderEvent)
_NOTES: Mapping[str, Callable[[_Fold, Mapping[str, Any], Instant], None]] = {
    "fill.booked": _Fold._booked,
    "order.adopted": _Fold._adopted_order,
    "order.found_ended": _Fold._ended,
    "order.found_absent": _Fold._absent,
    "order.became_stuck": _Fold._stuck,
    "position.adopted": _Fold._adopted,
    "costs.corrected": _Fold._corrected,
    "cash.agreed": _Fold._agreed_to,
}


def _number(order: list[str]) -> BrokerOrderId:
    day, branch, number = order
    return BrokerOrderId(dt.date.fromisoformat(day), branch, number)
