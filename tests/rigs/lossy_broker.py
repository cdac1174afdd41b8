"""A broker that loses, delays and repeats what it says, with a ledger of its own that it never lies about to the test.

Here: the truth (orders, executions, holdings, cash to the won), what of it can be seen, and the ends a send can have.
Everything is synchronous and at an instant the caller gives; nothing is random. Not here: the desk (``order_desk``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import Enum

from haetae.domain.events import AccountSnapshot
from haetae.domain.market import Kind, Market
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Fill,
    Filled,
    OrderEvent,
    OutcomeUnknown,
    Rejected,
    Side,
)
from haetae.domain.units import Instant, day_of
from haetae.krx import Rulebook

BRANCH = "06010"


class Send(Enum):
    """How sending an order can end, as the adapter sees it: (reached the order system, told as)."""

    TAKEN = ("taken", "accepted")
    SLOW = ("taken", "accepted")  # T12
    TOKEN_EXPIRED = ("taken", "accepted")  # B16: refused at the gate, got a token, sent once more
    REFUSED_CONNECTION = ("lost", "not_sent")  # T01, after the one more try
    NO_NAME_OR_TLS = ("lost", "not_sent")  # T11
    PACE_TWICE = ("lost", "refused")  # T09, after the one more try
    RESET_WHILE_WRITING = ("lost", "unknown")  # T02
    LOST_ANSWER = ("taken", "unknown")  # T03
    LOST_REQUEST = ("lost", "unknown")  # T04
    LATE_ANSWER = ("taken", "late")  # T05
    TRUNCATED_ANSWER = ("taken", "unknown")  # T06
    PAGE_INSTEAD = ("lost", "unknown")  # T07
    SERVER_ERROR = ("taken", "unknown")  # T08
    CLOSED_WHILE_IDLE = ("lost", "unknown")  # T10

    def __init__(self, reached: str, told: str) -> None:
        self.reached = reached == "taken"
        self.told = told

    def __new__(cls, *_: str) -> Send:
        made = object.__new__(cls)
        made._value_ = len(cls.__members__)
        return made


@dataclass
class Row:
    """One order at the broker; ``intent_id`` is the test's knowledge, the broker has no such field."""

    number: int
    day: dt.date
    symbol: str
    side: Side
    quantity: int
    price: int
    at: Instant
    intent_id: str = ""
    filled: int = 0
    amount: int = 0
    left: int = 0
    canceled: int = 0
    refused: int = 0
    visible: bool = True
    original: int = 0

    @property
    def order_id(self) -> BrokerOrderId:
        return BrokerOrderId(self.day, BRANCH, str(self.number))

    def report(self) -> BrokerOrder:
        original = BrokerOrderId(self.day, BRANCH, str(self.original)) if self.original else None
        return BrokerOrder(
            self.order_id, self.symbol, self.side, self.quantity, self.filled, self.amount, self.left, self.price,
            self.at, original, self.canceled, self.refused,
        )  # fmt: skip


@dataclass
class LossyBroker:
    """One account. ``hide`` keeps new rows out of the list until ``make_visible``; ``down`` empties the list."""

    cash: int
    holdings: dict[str, int] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    sends: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    late: list[OrderEvent] = field(default_factory=list)
    hide: bool = False
    down: bool = False
    short_of_means: int = 0
    _next: int = 1

    def new_day(self) -> None:
        """Numbers begin again, as they do at KIS."""
        self._next = 1

    def send(self, order: ClearedOrder, at: Instant, how: Send) -> OrderEvent:
        """Take or lose an order and say of it what the adapter would."""
        intent = order.intent
        name = intent.intent_id
        self.sends[name] = self.sends.get(name, 0) + 1
        if how.reached:
            answer = self._take(order, at)
            if isinstance(answer, Rejected) or how.told == "accepted":
                return answer
            if how.told == "late":
                self.late.append(answer)
            return OutcomeUnknown(name, at, how.name)
        if how.told == "not_sent":
            return Rejected(name, at, "NOT_SENT", how.name)
        if how.told == "refused":
            return Rejected(name, at, "EGW00201", how.name)
        return OutcomeUnknown(name, at, how.name)

    def _take(self, order: ClearedOrder, at: Instant) -> OrderEvent:
        intent = order.intent
        if not self._can(intent.symbol, intent.side, order.quantity, intent.limit_price):
            self.short_of_means += 1
            return Rejected(intent.intent_id, at, "APBK0952", "주문가능금액을 초과 했습니다")
        row = self._enter(intent.symbol, intent.side, order.quantity, intent.limit_price, at, intent.intent_id)
        self.taken[intent.intent_id] = self.taken.get(intent.intent_id, 0) + 1
        return Accepted(intent.intent_id, at, row.order_id)

    def _can(self, symbol: str, side: Side, quantity: int, price: int) -> bool:
        if side is Side.BUY:
            return quantity * price <= self.orderable
        return quantity <= self.holdings.get(symbol, 0) - sum(
            r.left for r in self.rows if r.symbol == symbol and r.side is Side.SELL
        )

    def _enter(self, symbol: str, side: Side, quantity: int, price: int, at: Instant, intent_id: str) -> Row:
        row = Row(
            self._next, day_of(at), symbol, side, quantity, price, at, intent_id, left=quantity, visible=not self.hide
        )
        self._next += 1
        self.rows.append(row)
        return row

    @property
    def orderable(self) -> int:
        """Cash that no open buy reserves."""
        return self.cash - sum(r.left * r.price for r in self.rows if r.side is Side.BUY)

    def open_rows(self) -> list[Row]:
        """Rows that may still trade, oldest first."""
        return [row for row in self.rows if row.left]

    def fill(self, row: Row, quantity: int) -> None:
        """Execute some of an order at its price."""
        quantity = min(quantity, row.left)
        amount, before = quantity * row.price, row.amount
        row.filled, row.amount, row.left = row.filled + quantity, row.amount + amount, row.left - quantity
        signed = quantity if row.side is Side.BUY else -quantity
        self.holdings[row.symbol] = self.holdings.get(row.symbol, 0) + signed
        told = Fill(
            row.order_id, "", row.symbol, row.side, quantity, row.price, amount, row.filled, row.at,
            self._before(row) + before,
        )  # fmt: skip
        charge = Rulebook.on(row.day).charge_fill(told, Market.KOSPI, Kind.COMMON)
        self.cash -= (amount if row.side is Side.BUY else -amount) + charge.total

    def _before(self, row: Row) -> int:
        """What the same order executed under its earlier numbers: fees are floored on the whole order."""
        chain = self.chain(row)
        return sum(each.amount for each in chain if each is not row)

    def chain(self, row: Row) -> list[Row]:
        """All numbers of one order, oldest first, up to this one."""
        found = [row]
        while found[0].original:
            found.insert(0, self.row(found[0].day, found[0].original))
        return found

    def row(self, day: dt.date, number: int) -> Row:
        (found,) = [row for row in self.rows if (row.day, row.number) == (day, number)]
        return found

    def told_of(self, row: Row, intent_id: str, at: Instant, part: int) -> Filled:
        """The notice of the newest execution of a row, ``part`` shares of it, cumulative over its chain."""
        chain = self.chain(row)
        total, amount = sum(each.filled for each in chain), sum(each.amount for each in chain)
        fill = Fill(
            row.order_id, intent_id, row.symbol, row.side, part, row.price, part * row.price, total, at,
            amount - part * row.price,
        )  # fmt: skip
        return Filled(intent_id, at, fill)

    def cancel(self, row: Row) -> None:
        """What is open of an order is cancelled, whoever wished it."""
        row.canceled, row.left = row.left, 0

    def reject(self, row: Row) -> None:
        """The exchange refuses an order that the broker had taken (B02)."""
        row.refused, row.left = row.left, 0

    def change_price(self, row: Row, price: int, at: Instant) -> Row:
        """Somebody changes the price in the broker's own app: the rest goes on under a new number (B06)."""
        rest, row.left = row.left, 0
        fresh = self._enter(row.symbol, row.side, rest, price, at, row.intent_id)
        fresh.original = row.number
        return fresh

    def answer_cancel(self, intent_id: str, order_id: BrokerOrderId, at: Instant) -> OrderEvent:
        """Cancel on request; an order that has ended cannot be."""
        row = self.row(order_id.day, int(order_id.number))
        if not row.left:
            return Rejected(intent_id, at, "NOT_OPEN", "취소할 수량이 없습니다", change=True)
        self.cancel(row)
        return Canceled(intent_id, at, sum(each.filled for each in self.chain(row)))

    def user_trades(self, symbol: str, side: Side, quantity: int, price: int, at: Instant) -> Row | None:
        """The owner trades in the broker's own app (B14)."""
        if not self._can(symbol, side, quantity, price):
            return None
        return self._enter(symbol, side, quantity, price, at, "")

    def make_visible(self) -> None:
        """The list catches up with what was accepted (B01)."""
        for row in self.rows:
            row.visible = True

    def end_of_day(self) -> None:
        """All open orders expire (B21); the list says no more than that nothing is open."""
        for row in self.rows:
            row.left = 0

    def reading(self, at: Instant, days: tuple[dt.date, ...], *, first: bool = False) -> AccountSnapshot:
        """What an honest reading of all pages shows now."""
        shown = [] if self.down else [r.report() for r in self.rows if r.visible and r.day in days]
        held = {symbol: n for symbol, n in sorted(self.holdings.items()) if n}
        return AccountSnapshot(at, self.cash, self.orderable, held, tuple(shown), days, first)
