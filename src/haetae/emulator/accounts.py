"""Accounts at the emulated broker: orders with numbers, executions, books, the append-only ledger.

Here: ``Account``, a ``sim.Venue`` for admission and matching, a ``ledger`` book beside it, and the
broker's own view of orders: numbers of the day, modified orders under a new number, exchange
rejects after an acknowledgement. Not here: wire texts (``trading``), sockets.
The list ``executions`` is only ever appended to; it is the oracle of every reconciliation test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from haetae import ledger
from haetae.domain.account import Book
from haetae.domain.events import Cancel, Replace, Submit
from haetae.domain.market import Instrument, Slice
from haetae.domain.orders import (
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Expired,
    Fill,
    Filled,
    OrderEvent,
    OrderIntent,
    OrderKind,
    Rejected,
    Side,
    TimeInForce,
)
from haetae.domain.units import Instant, Shares, Symbol, Won, day_of, hhmmss_of
from haetae.kis.wire.operations import Mode
from haetae.kis.wire.records import NoticeRecord
from haetae.krx import Charge, Rulebook
from haetae.sim import FillModel, RejectCode, Venue, accept, close_day, open_day, open_venue, step

BRANCHES = {Mode.REAL: "06010", Mode.MOCK: "00950"}
KINDS: Mapping[str, tuple[OrderKind, TimeInForce]] = {
    "00": (OrderKind.LIMIT, TimeInForce.DAY),
    "01": (OrderKind.MARKET, TimeInForce.DAY),
    "11": (OrderKind.LIMIT, TimeInForce.IOC),
    "12": (OrderKind.LIMIT, TimeInForce.FOK),
    "13": (OrderKind.MARKET, TimeInForce.IOC),
    "14": (OrderKind.MARKET, TimeInForce.FOK),
}
"""Order types that are served (ORD_DVSN)."""
_EXCHANGE = frozenset({RejectCode.OUTSIDE_LIMITS.value, RejectCode.HALTED.value})
"""Refusals that come from the exchange: the real service acknowledges such orders first."""


@dataclass(slots=True)
class OrderRow:
    """One order number of a day as the broker shows it; figures are shares and won.

    A modified order lives on in a new row (``original`` names the old one) that counts executions
    from 0; a cancel request has a row of its own with ``change`` "2".
    """

    day: dt.date
    number: int
    branch: str
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    kind: str
    at: Instant
    app_key: str
    intent_id: str
    original: int = 0
    change: str = "0"
    filled: Shares = 0
    amount: Won = 0
    charges: Won = 0
    canceled: Shares = 0
    rejected: Shares = 0
    working: bool = True

    @property
    def remaining(self) -> Shares:
        """Shares that may still be executed."""
        return self.quantity - self.filled if self.working else 0


@dataclass(frozen=True, slots=True)
class Execution:
    """One line of the ledger."""

    day: dt.date
    number: int
    branch: str
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    fee: Won
    tax: Won
    at: Instant
    cash_after: Won


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for the WebSocket sessions of the app key that placed the order."""

    app_key: str
    record: NoticeRecord


@dataclass(slots=True)
class Account:
    """One account of one domain."""

    number: str
    product: str
    mode: Mode
    venue: Venue
    book: Book
    next_number: Callable[[], int]
    rows: list[OrderRow] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    _current: dict[str, OrderRow] = field(default_factory=dict)
    _known: dict[tuple[dt.date, int], OrderRow] = field(default_factory=dict)
    _latest: dict[str, OrderRow] = field(default_factory=dict)
    _closed: dt.date | None = None

    def place(
        self, *, symbol: Symbol, side: Side, quantity: Shares, price: Won, kind: str, at: Instant, app_key: str,
        intent_id: str = "",
    ) -> OrderRow | Rejected:  # fmt: skip
        """Take an order or say why not; an exchange reject of the real service is a row that ended."""
        order_kind, force = KINDS[kind]
        number = self.next_number()
        row = OrderRow(
            day_of(at), number, BRANCHES[self.mode], symbol, side, quantity,
            price if order_kind is OrderKind.LIMIT else 0, kind, at, app_key,
            intent_id or f"{self.mode.value}-{self.number}-{day_of(at):%Y%m%d}-{number}",
        )  # fmt: skip
        intent = OrderIntent(row.intent_id, "", symbol, side, quantity, order_kind, row.price, at, force)
        order = ClearedOrder(intent, quantity, at, ())
        self.venue, (answer,) = accept(self.venue, Submit(order), at)
        if isinstance(answer, Rejected):
            if self.mode is Mode.MOCK or answer.code not in _EXCHANGE:
                return answer
            self._file(row)
            row.working, row.rejected = False, quantity
            self._notify(row, at, quantity=quantity, refused=True)
            self.events.append(answer)
            return row
        self._file(row)
        self._current[row.intent_id] = row
        self._notify(row, at, quantity=quantity)
        return row

    def modify(self, original: OrderRow, price: Won, at: Instant, app_key: str) -> OrderRow | Rejected:
        """Move the limit price of what is open; the rest goes on under a new number."""
        left = original.remaining
        self.venue, (answer,) = accept(self.venue, Replace(original.intent_id, at, price), at)
        if isinstance(answer, Rejected):
            return answer
        row = OrderRow(
            day_of(at), self.next_number(), original.branch, original.symbol, original.side, left, price,
            original.kind, at, app_key, original.intent_id, original=original.number, change="1",
        )  # fmt: skip
        original.working = False
        self._file(row)
        self._current[row.intent_id] = row
        self._notify(row, at, quantity=left)
        return row

    def cancel(self, original: OrderRow, at: Instant, app_key: str, why: str = "client") -> OrderRow | Rejected:
        """Cancel what is open; the request has a number of its own."""
        left = original.remaining
        self.venue, (answer,) = accept(self.venue, Cancel(original.intent_id, at, why), at)
        if isinstance(answer, Rejected):
            return answer
        row = OrderRow(
            day_of(at), self.next_number(), original.branch, original.symbol, original.side, left, 0,
            original.kind, at, app_key, original.intent_id, original=original.number, change="2", working=False,
        )  # fmt: skip
        original.working, original.canceled = False, left
        self._file(row)
        self._current.pop(original.intent_id, None)
        self._notify(row, at, quantity=left)
        return row

    def row_of(self, day: dt.date, number: int) -> OrderRow | None:
        """Return the order row of a day's number."""
        return self._known.get((day, number))

    def row_for(self, intent_id: str) -> OrderRow | None:
        """Return the newest row of an intent."""
        return self._latest.get(intent_id)

    def working(self) -> list[Symbol]:
        """Return the symbols with open orders, sorted."""
        return sorted({row.symbol for row in self._current.values()})

    def meet(self, piece: Slice) -> None:
        """Let open orders meet a slice of the market."""
        self.venue, events = step(self.venue, piece)
        for event in events:
            self._apply(event)

    def close_day(self, at: Instant) -> None:
        """Let day orders expire."""
        day = day_of(at)
        if self._closed == day:
            return
        self._closed = day
        self.venue, events = close_day(self.venue, at)
        for event in events:
            self._apply(event)

    def open_day(self, rules: Rulebook, base_prices: Mapping[Symbol, Won]) -> None:
        """Begin a trading day: limits and settlement; what is still open of the day before expires."""
        self.close_day(self.venue.rules.session.close_at)
        self.venue = open_day(self.venue, rules, base_prices)
        self.book = ledger.settle(self.book, rules.day)
        self._current.clear()

    def _file(self, row: OrderRow) -> None:
        self.rows.append(row)
        self._known[row.day, row.number] = row
        self._latest[row.intent_id] = row

    def _apply(self, event: OrderEvent) -> None:
        row = self._current[event.intent_id]
        self.events.append(event)
        match event:
            case Filled(fill=fill, at=at):
                self._fill(row, fill, at)
            case Canceled(at=at):
                left = row.remaining
                row.working, row.canceled = False, left
                self._notify(row, at, quantity=left, acceptance="3")
            case Expired():
                row.working = False
        if not row.working:
            self._current.pop(event.intent_id, None)

    def _fill(self, row: OrderRow, fill: Fill, at: Instant) -> None:
        item = self.venue.instruments[row.symbol]
        charge = self.venue.rules.charge_fill(fill, item.market, item.kind)
        self.book = ledger.apply_fill(self.book, fill, charge, self.venue.rules.settle_on())
        row.filled += fill.quantity
        row.amount += fill.amount
        row.charges += charge.total
        row.working = row.filled < row.quantity
        self._record(row, fill, charge, at)
        self._notify(row, at, quantity=fill.quantity, price=fill.price, executed=True)

    def _record(self, row: OrderRow, fill: Fill, charge: Charge, at: Instant) -> None:
        line = Execution(
            row.day, row.number, row.branch, row.symbol, row.side, fill.quantity, fill.price,
            charge.fee, charge.tax, at, self.book.cash,
        )  # fmt: skip
        self.executions.append(line)

    def _notify(
        self, row: OrderRow, at: Instant, *, quantity: Shares, price: Won = 0, executed: bool = False,
        refused: bool = False, acceptance: str = "",
    ) -> None:  # fmt: skip
        record = NoticeRecord(
            customer=row.app_key[:8],
            account=f"{self.number}{self.product}",
            number=row.number,
            original=row.original,
            side=row.side,
            symbol=row.symbol,
            quantity=quantity,
            price=price,
            clock=hhmmss_of(at),
            executed=executed,
            order_quantity=row.quantity,
            order_price=row.price,
            change=row.change,
            kind=row.kind,
            refused=refused,
            acceptance=acceptance or ("2" if executed or row.change != "0" else "1"),
            branch=row.branch,
            name=self.venue.instruments[row.symbol].name,
        )
        self.notices.append(Notice(row.app_key, record))

    def broker_id(self, row: OrderRow) -> BrokerOrderId:
        """Return the name of an order as clients know it."""
        return BrokerOrderId(row.day, row.branch, f"{row.number:010d}")


def open_account(
    number: str,
    product: str,
    mode: Mode,
    *,
    rules: Rulebook,
    instruments: Mapping[Symbol, Instrument],
    base_prices: Mapping[Symbol, Won],
    cash: Won,
    model: FillModel,
    next_number: Callable[[], int],
) -> Account:
    """Return a new account with a first deposit, ready for a trading day."""
    venue = open_day(open_venue(rules, instruments, cash, {}, model), rules, base_prices)
    return Account(number, product, mode, venue, ledger.open_book(cash), next_number)
