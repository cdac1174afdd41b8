"""``Chronicle``: a journal folded into days, entry by entry, also while a desk is writing it.

The books are the same fold as the desk's own (``ledger``), so figures here and there agree to the won.
Each refresh reads only what is new. Not here: how a day is shown (``days``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haetae.domain import codec
from haetae.domain.account import Book
from haetae.domain.decisions import AgentReply, Proposal
from haetae.domain.events import AskAgent, Cancel, Note, SessionStart, Submit
from haetae.domain.learning import Lesson, TradeReview
from haetae.domain.market import Kind, Market, PhaseChange, Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Denied,
    Expired,
    Fill,
    Filled,
    OrderStatus,
    OutcomeUnknown,
    Rejected,
    Replaced,
)
from haetae.domain.units import Instant, Shares, Symbol, Won, day_of
from haetae.krx import Rulebook
from haetae.ledger import adopt, apply_fill, correct_costs, settle
from haetae.live.handover import CLOSED, OPENED, booked_fill
from haetae.wiring.journal_places import open_journal

_LIFE: dict[type, OrderStatus] = {
    Accepted: OrderStatus.WORKING,
    Rejected: OrderStatus.REJECTED,
    Canceled: OrderStatus.CANCELED,
    Expired: OrderStatus.EXPIRED,
    OutcomeUnknown: OrderStatus.UNKNOWN,
    Denied: OrderStatus.DENIED,
}
_CONCLUDED = {
    "order.became_stuck": OrderStatus.STUCK,
    "order.found_absent": OrderStatus.ABSENT,
    "order.returned": OrderStatus.LATE_FILL,
}


@dataclass(slots=True)
class SentOrder:
    """An order that left, and what became of it; ``steps`` are (instant, what, detail)."""

    cleared: ClearedOrder
    status: OrderStatus
    at: Instant
    updated_at: Instant
    order_number: str = ""
    filled: Shares = 0
    amount: Won = 0
    limit_price: Won = 0
    steps: list[tuple[Instant, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill with its costs and what it realised, in won."""

    fill: Fill
    at: Instant
    fee: Won
    tax: Won
    realized: Won


@dataclass(slots=True)
class DayStory:
    """All that the journal tells of one trading day; ``points`` are (minute end, equity, benchmark)."""

    day: dt.date
    opening: Book
    book: Book
    session: SessionStart | None = None
    phase: str = "closed"
    closed: bool = False
    operator: str = "active"
    escape_level: str = "NORMAL"
    policy_id: str = ""
    as_of: Instant = 0
    opening_equity: Won = 0
    benchmark: float = 1.0
    prices: dict[Symbol, Won] = field(default_factory=dict)
    proposals: dict[str, Proposal] = field(default_factory=dict)
    legs: Counter[str] = field(default_factory=Counter)
    briefs: dict[str, str] = field(default_factory=dict)
    replies: dict[str, AgentReply] = field(default_factory=dict)
    decisions: dict[str, Note] = field(default_factory=dict)
    denials: dict[str, Note] = field(default_factory=dict)
    reductions: dict[str, Note] = field(default_factory=dict)
    orders: dict[str, SentOrder] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    escapes: list[Note] = field(default_factory=list)
    operators: list[Note] = field(default_factory=list)
    requests: list[Note] = field(default_factory=list)
    denied: Counter[str] = field(default_factory=Counter)
    frozen: set[Symbol] = field(default_factory=set)
    differing: dict[tuple[str, Symbol], str] = field(default_factory=dict)
    """Differences to the broker that are open and do not settle themselves, with their class."""
    compared: list[Note] = field(default_factory=list)
    """What was told of differences to the broker as they came and went, those that settle themselves too."""
    points: list[tuple[Instant, Won, float]] = field(default_factory=list)

    @property
    def market_value(self) -> Won:
        """Holdings at last prices, at average cost where a name has none."""
        return sum(p.quantity * self.price(symbol) for symbol, p in self.book.positions.items())

    @property
    def equity(self) -> Won:
        """Trade-date cash plus holdings."""
        return self.book.cash + self.market_value

    def price(self, symbol: Symbol) -> Won:
        """Return the last price of a name."""
        found = self.prices.get(symbol, 0)
        position = self.book.positions.get(symbol)
        return found or (position.average_price if position else 0)


class Chronicle:
    """A journal's days, reviews and lessons; ``refresh`` folds what was appended since."""

    def __init__(self, path: Path) -> None:
        """Open the journal for reading; raises ``JournalError`` if there is none."""
        self._path = path
        self._journal = open_journal(path, read_only=True)
        self._file = _file_of(path)
        self.seq = 0
        self.last_at: Instant = 0
        self.days: dict[dt.date, DayStory] = {}
        self.reviews: dict[str, TradeReview] = {}
        self.lessons: dict[str, Lesson] = {}
        self._seen: dict[BrokerOrderId, Shares] = {}
        self._now: DayStory | None = None

    @property
    def replaced(self) -> bool:
        """Whether another file lies where the journal was: it was set aside, or made afresh."""
        return _file_of(self._path) != self._file

    def refresh(self) -> None:
        """Fold the new entries."""
        for seq, at, _, record in self._journal.entries(after=self.seq):
            self._fold(at, record)
            self.seq, self.last_at = seq, max(at, self.last_at)

    def close(self) -> None:
        """Close the file."""
        self._journal.close()

    def _fold(self, at: Instant, record: Any) -> None:
        match record:
            case TradeReview():
                self.reviews[record.decision_id] = record
            case Lesson():
                self.lessons[record.lesson_id] = record
            case Note(kind=kind) if kind == OPENED:
                self._open(record)
            case Note(kind=kind) if kind == CLOSED and self._now is not None:
                self._now.closed = True
                self._now.book = codec.decode(str(record.data["book"]))
            case _ if self._now is not None:
                self._event(self._now, at, record)

    def _open(self, note: Note) -> None:
        day = dt.date.fromisoformat(str(note.data["day"]))
        book: Book = codec.decode(str(note.data["book"]))
        before = self._now
        self._now = self.days[day] = DayStory(day, book, book)
        if before is not None:
            self._now.operator = before.operator
            self._now.benchmark = before.benchmark * _gain(before)

    def _event(self, day: DayStory, at: Instant, record: Any) -> None:
        match record:
            case SessionStart():
                day.session = record
                day.book = settle(day.book, day_of(at))
                day.prices = dict(record.base_prices)
                day.opening_equity = day.equity
            case Slice():
                self._slice(day, record)
            case PhaseChange():
                day.phase = record.phase.value
            case Proposal():
                day.proposals[record.proposal_id] = record
                day.policy_id = record.policy_id
            case AskAgent(brief=brief):
                day.briefs[brief.leg.leg_id] = brief.request
            case AgentReply():
                day.replies[record.leg_id] = record
            case Submit(order=order):
                self._submit(day, at, order)
            case Cancel():
                _step(day, record.intent_id, at, "Cancel", record.why, OrderStatus.CANCEL_PENDING)
            case Filled():
                self._fill(day, record)
            case Accepted() | Rejected() | Canceled() | Expired() | OutcomeUnknown() | Replaced():
                self._life(day, at, record)
            case Note(kind="fill.booked", data=data):
                self._fill(day, booked_fill(data, at))
            case Note():
                _note(day, record)

    def _slice(self, day: DayStory, piece: Slice) -> None:
        day.prices.update(
            (symbol, price) for symbol, price in zip(piece.symbols, piece.close.tolist(), strict=True) if price > 0
        )
        day.as_of = piece.end
        day.points.append((piece.end, day.equity, day.benchmark * _gain(day)))

    def _submit(self, day: DayStory, at: Instant, order: ClearedOrder) -> None:
        price = order.intent.limit_price
        sent = SentOrder(order, OrderStatus.SENDING, at, at, limit_price=price)
        sent.steps.append((at, "Submit", f"{order.quantity} @ {price}"))
        day.orders[order.intent.intent_id] = sent

    def _life(self, day: DayStory, at: Instant, event: Any) -> None:
        detail = ""
        match event:
            case Accepted() | Replaced():
                order = day.orders.get(event.intent_id)
                detail = event.order_id.number
                if order is not None:
                    order.order_number = detail
                    if isinstance(event, Replaced):
                        order.limit_price = event.limit_price
            case Rejected():
                detail = f"{event.code} {event.message}"
                if event.change:
                    _step(day, event.intent_id, at, "ChangeRefused", detail, OrderStatus.WORKING)
                    return
            case OutcomeUnknown():
                detail = event.why
            case Canceled() | Expired():
                detail = str(event.filled)
        _step(day, event.intent_id, at, type(event).__name__, detail, _LIFE.get(type(event)))

    def _fill(self, day: DayStory, event: Filled) -> None:
        fill = event.fill
        if fill.cumulative <= self._seen.get(fill.order_id, 0):
            return
        self._seen[fill.order_id] = fill.cumulative
        session = day.session
        market = Market(session.markets.get(fill.symbol, Market.KOSPI.value) if session else Market.KOSPI.value)
        kind = Kind(session.kinds.get(fill.symbol, Kind.COMMON.value) if session else Kind.COMMON.value)
        rules = Rulebook.on(day.day)
        charge = rules.charge_fill(fill, market, kind)
        before = day.book
        day.book = apply_fill(before, fill, charge, rules.settle_on())
        realized = day.book.realized - before.realized
        day.executions.append(Execution(fill, event.at, charge.fee, charge.tax, realized))
        order = day.orders.get(fill.intent_id)
        if order is None:
            return
        order.filled, order.amount = max(order.filled, fill.cumulative), order.amount + fill.amount
        done = order.filled >= order.cleared.quantity
        status = OrderStatus.FILLED if done else OrderStatus.PARTIAL
        _step(day, fill.intent_id, event.at, "Filled", f"{fill.quantity} @ {fill.price}", status)


def _file_of(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)


def _gain(day: DayStory) -> float:
    """Return what equal parts of every name of the session became since its base prices."""
    if day.session is None:
        return 1.0
    base = day.session.base_prices
    ratios = [day.prices.get(symbol, price) / price for symbol, price in base.items() if price > 0]
    return sum(ratios) / len(ratios) if ratios else 1.0


def _step(day: DayStory, intent_id: str, at: Instant, what: str, detail: str, status: OrderStatus | None) -> None:
    order = day.orders.get(intent_id)
    if order is None:
        return
    order.steps.append((at, what, detail))
    order.updated_at = at
    if status is not None and not order.status.terminal:
        order.status = status


def _conclude(day: DayStory, at: Instant, kind: str, intent_id: str, why: str) -> None:
    """Show what the desk concluded of an order; one that came back is open again though it had ended."""
    order = day.orders.get(intent_id)
    if order is not None:
        order.status = _CONCLUDED[kind]
        _step(day, intent_id, at, kind, why, None)


def _adopted(day: DayStory, at: Instant, intent_id: str, number: str) -> None:
    """Show that a reading, or a person, found the broker's order that is ours."""
    order = day.orders.get(intent_id)
    if order is not None:
        order.order_number = number
        _step(day, intent_id, at, "Accepted", number, OrderStatus.WORKING if order.status.doubtful else None)


def _ended(data: Mapping[str, Any]) -> tuple[str, str, OrderStatus]:
    how = str(data["how"])
    return how, str(data["filled"]), OrderStatus(how.lower())


def _compare(day: DayStory, note: Note) -> None:
    """Keep what was told of a difference, and which of those that need a person are open."""
    data = note.data
    day.compared.append(note)
    key = str(data["what"]), str(data["symbol"])
    if note.kind == "reconcile.differed":
        day.differing[key] = str(data["difference"])
    elif note.kind == "reconcile.agreed":
        day.differing.pop(key, None)


def _note(day: DayStory, note: Note) -> None:
    data = note.data
    match note.kind:
        case "decision.made":
            day.decisions[str(data["decision_id"])] = note
        case "proposal.planned":
            day.legs[str(data["proposal_id"])] = int(str(data["legs"]))
        case "intent.denied":
            day.denials[str(data["decision_id"])] = note
            codes: Any = data["codes"]
            day.denied.update(codes)
        case "intent.reduced":
            day.reductions[str(data["decision_id"])] = note
        case "escape.raised" | "escape.lowered":
            day.escapes.append(note)
            day.escape_level = str(data["level"])
        case "escape.left_name" | "escape.queued_at_limit" | "escape.sold_unseen":
            day.escapes.append(note)
        case "operator.changed":
            day.operators.append(note)
            day.operator = str(data["state"])
        case "symbol.frozen":
            day.frozen.add(str(data["symbol"]))
        case "reconcile.differed" | "reconcile.lagged" | "reconcile.agreed":
            _compare(day, note)
        case "order.became_stuck" | "order.found_absent" | "order.returned" as kind:
            _conclude(day, note.at, kind, str(data["intent_id"]), str(data.get("why", "")))
        case "order.adopted":
            number: Any = data["order"]
            _adopted(day, note.at, str(data["intent_id"]), number[-1])
        case "order.found_ended":
            _step(day, str(data["intent_id"]), note.at, *_ended(data))
        case "position.adopted":
            whole: Any = data
            day.book = adopt(day.book, whole["symbol"], whole["shares"], whole["paid"])
        case "costs.corrected":
            amount: Any = data["amount"]
            day.book = correct_costs(day.book, amount)
        case "budget.exhausted":
            day.operator = "halt"
        case kind if kind.startswith("request."):
            day.requests.append(note)
        case _:
            pass
