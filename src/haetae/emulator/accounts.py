"""Accounts at the emulated broker: orders with numbers, executions, books, the append-only ledger.

Here: ``Account``, a ``sim.Venue`` for admission and matching, a ``ledger`` book beside it, and the
broker's own view of orders: numbers of the day, modified orders under a new number, parts, stops, orders for
markets outside the regular session, exchange rejects after an acknowledgement. Not here: wire texts and which
order a state of the market takes (``trading``), sockets.
The lists ``executions`` and ``corporate`` are only ever appended to; they are the oracle of every reconciliation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from haetae import ledger
from haetae.domain.account import Book
from haetae.domain.events import Cancel, Replace, Submit
from haetae.domain.market import HaltChange, Instrument, Slice
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
from haetae.domain.units import Instant, Shares, Symbol, Won, day_of
from haetae.emulator.entitlements import Entitlement, entitled, fulfil
from haetae.emulator.interventions import Action
from haetae.emulator.orderkinds import ORDER_TYPES
from haetae.emulator.orders import CorporateLine, Execution, Notice, OrderRow, notice_of, parts_of
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook
from haetae.krx.afterhours import OffHours
from haetae.sim import (
    FillModel,
    RejectCode,
    Terms,
    Venue,
    accept,
    cancel_part,
    close_day,
    join_closing,
    open_day,
    open_venue,
    reissue,
    set_halt,
    step,
)

__all__ = ["BRANCHES", "KINDS", "Account", "CorporateLine", "Execution", "Notice", "OrderRow", "open_account"]

BRANCHES = {Mode.REAL: "06010", Mode.MOCK: "00950"}
KINDS: Mapping[str, tuple[OrderKind, TimeInForce]] = {
    code: (ORDER_TYPES[code].kind, ORDER_TYPES[code].force) for code in ("00", "01", "11", "12", "13", "14")
}
"""The types that the domain's orders name, by ORD_DVSN."""
_EXCHANGE = frozenset({RejectCode.OUTSIDE_LIMITS.value, RejectCode.HALTED.value})
"""Refusals that come from the exchange: the real service acknowledges such orders first."""


@dataclass(slots=True)
class Account:
    """One account of one domain.

    ``fill_parts`` lets the next fills come in so many parts (the rest last), at one price in one second.
    """

    number: str
    product: str
    mode: Mode
    venue: Venue
    book: Book
    next_number: Callable[[], int]
    rows: list[OrderRow] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    corporate: list[CorporateLine] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    fill_parts: tuple[Shares, ...] = ()
    _current: dict[str, OrderRow] = field(default_factory=dict)
    _known: dict[tuple[dt.date, int], OrderRow] = field(default_factory=dict)
    _latest: dict[str, OrderRow] = field(default_factory=dict)
    _due: list[Entitlement] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        """Whether exchange and books agree on cash and shares, and the books on what was paid for them."""
        held = {symbol: item.quantity for symbol, item in self.book.positions.items()}
        cost = sum(item.cost for item in self.book.positions.values())
        return (
            self.venue.cash == self.book.cash
            and held == dict(self.venue.holdings)
            and self.book.cash + cost == self.book.deposits + self.book.realized
        )

    def place(
        self, *, symbol: Symbol, side: Side, quantity: Shares, price: Won, kind: str, at: Instant, app_key: str,
        intent_id: str = "", trigger: Won = 0,
    ) -> OrderRow | Rejected:  # fmt: skip
        """Take an order or say why not; an exchange reject of the real service is a row that ended.

        ``price`` is what the order may cost: of types without a price of their own, the one found for them.
        """
        number = self.next_number()
        market = ORDER_TYPES[kind].kind is OrderKind.MARKET
        row = OrderRow(
            day_of(at), number, BRANCHES[self.mode], symbol, side, quantity, 0 if market else price, kind, at, app_key,
            intent_id or f"{self.mode.value}-{self.number}-{day_of(at):%Y%m%d}-{number}", trigger=trigger,
        )  # fmt: skip
        terms = ORDER_TYPES[kind].terms(trigger)
        self.venue, (answer,) = accept(self.venue, _submit(row, terms, at), at, terms=terms)
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

    def modify(
        self, original: OrderRow, price: Won, at: Instant, app_key: str, *, quantity: Shares = 0, kind: str = ""
    ) -> OrderRow | Rejected:
        """Move price (and type) of what is open, or of a part of it, which goes on under a new number."""
        left = original.remaining
        part, kind = quantity or left, kind or original.kind
        if part < left or kind != original.kind:
            return self._reissue(original, part, price, kind, at, app_key)
        self.venue, (answer,) = accept(self.venue, Replace(original.intent_id, at, price), at)
        if isinstance(answer, Rejected):
            return answer
        row = self._changed(original, left, price, kind, at, app_key, original.intent_id)
        original.working = False
        self._current[row.intent_id] = row
        return row

    def _reissue(
        self, original: OrderRow, part: Shares, price: Won, kind: str, at: Instant, app_key: str
    ) -> OrderRow | Rejected:
        """Take shares out of an order and enter them anew; nothing changes where that is refused."""
        number, held = self.next_number(), self.venue.orders[original.intent_id].terms
        terms = held if kind == original.kind else ORDER_TYPES[kind].terms()
        market = ORDER_TYPES[kind].kind is OrderKind.MARKET
        row = OrderRow(
            day_of(at), number, original.branch, original.symbol, original.side, part, 0 if market else price, kind,
            at, app_key, f"{original.intent_id}/{number}", original=original.number, change="1",
            trigger=original.trigger if kind == original.kind else 0,
        )  # fmt: skip
        self.venue, (answer,) = reissue(self.venue, original.intent_id, _submit(row, terms, at), at, terms)
        if isinstance(answer, Rejected):
            return answer
        original.moved += part
        if not original.remaining:
            original.working = False
            self._current.pop(original.intent_id, None)
        self._file(row)
        self._current[row.intent_id] = row
        self._notify(row, at, quantity=part)
        return row

    def cancel(
        self, original: OrderRow, at: Instant, app_key: str, why: str = "client", *, quantity: Shares = 0
    ) -> OrderRow | Rejected:
        """Cancel what is open, or a part of it; the request has a number of its own."""
        left = original.remaining
        part = quantity or left
        if part < left:
            self.venue, answers = cancel_part(self.venue, original.intent_id, part, at)
            for refused in answers:
                if isinstance(refused, Rejected):
                    return refused
        else:
            self.venue, (answer,) = accept(self.venue, Cancel(original.intent_id, at, why), at)
            if isinstance(answer, Rejected):
                return answer
            original.working = False
            self._current.pop(original.intent_id, None)
        original.canceled += part
        row = OrderRow(
            day_of(at), self.next_number(), original.branch, original.symbol, original.side, part, 0,
            original.kind, at, app_key, original.intent_id, original=original.number, change="2", working=False,
        )  # fmt: skip
        self._file(row)
        self._notify(row, at, quantity=part)
        return row

    def _changed(
        self, original: OrderRow, part: Shares, price: Won, kind: str, at: Instant, app_key: str, intent_id: str
    ) -> OrderRow:
        row = OrderRow(
            day_of(at), self.next_number(), original.branch, original.symbol, original.side, part, price,
            kind, at, app_key, intent_id, original=original.number, change="1", trigger=original.trigger,
        )  # fmt: skip
        self._file(row)
        self._notify(row, at, quantity=part)
        return row

    def refuse(self, row: OrderRow, at: Instant) -> None:
        """Let the exchange refuse what is open of an acknowledged order."""
        left = row.remaining
        self.venue, (answer,) = accept(self.venue, Cancel(row.intent_id, at, "exchange"), at)
        if isinstance(answer, Rejected):
            return
        row.working, row.rejected = False, left
        self._current.pop(row.intent_id, None)
        self._notify(row, at, quantity=left, refused=True)
        self.events.append(Rejected(row.intent_id, at, RejectCode.HALTED.value, "refused by the exchange"))

    def transfer(self, amount: Won, at: Instant) -> None:
        """Let money come in (positive) or go out; told by a line of its own."""
        self.book = ledger.deposit(self.book, amount)
        self.venue = replace(self.venue, cash=self.venue.cash + amount)
        self.corporate.append(CorporateLine(day_of(at), "", "transfer", 0, amount, 0, self.book.cash))

    def row_of(self, day: dt.date, number: int) -> OrderRow | None:
        """Return the order row of a day's number."""
        return self._known.get((day, number))

    def row_for(self, intent_id: str) -> OrderRow | None:
        """Return the newest row of an intent."""
        return self._latest.get(intent_id)

    def working(self, hours: OffHours | None = None) -> list[Symbol]:
        """Return the symbols with open orders for the regular session or a market outside it, sorted."""
        return sorted({row.symbol for row in self._current.values() if ORDER_TYPES[row.kind].hours is hours})

    @property
    def busy(self) -> bool:
        """Whether any order is open."""
        return bool(self._current)

    def see_halt(self, symbol: Symbol, at: Instant, *, halted: bool) -> None:
        """Learn whether trading in a name has stopped: nothing new is taken then, nothing fills."""
        if halted != (symbol in self.venue.halted):
            self.venue = set_halt(self.venue, HaltChange(at, symbol, halted, ""))

    def meet_alone(self, row: OrderRow, piece: Slice) -> None:
        """Let one open order alone meet a slice that is not of the tape; the tape goes on where it was."""
        known = self.venue.known_until
        self.venue, events = step(self.venue, piece, among={row.intent_id})
        self.venue = replace(self.venue, known_until=known)
        for event in events:
            self._apply(event)

    def meet(self, piece: Slice, single: Collection[Symbol] = frozenset(), hours: OffHours | None = None) -> None:
        """Let open orders for a market meet a slice of it; ``single`` names those that end an auction with it."""
        self.venue, events = step(self.venue, piece, single=single, hours=hours, printed=True)
        for event in events:
            self._apply(event)

    def join_closing(self, at: Instant) -> None:
        """Turn conditional orders into market orders of the closing auction."""
        self.venue = join_closing(self.venue, at)

    def expire(self, at: Instant, hours: OffHours | None = None, keep: Collection[Symbol] = ()) -> None:
        """Let the orders for a market expire with it, save those of names that are still in their auction."""
        among = [
            key for key, row in self._current.items() if ORDER_TYPES[row.kind].hours is hours and row.symbol not in keep
        ]
        self.venue, events = close_day(self.venue, at, among)
        for event in events:
            self._apply(event)

    def close_day(self, at: Instant) -> None:
        """Let the orders of the regular session expire."""
        self.expire(at)

    def open_day(
        self,
        rules: Rulebook,
        base_prices: Mapping[Symbol, Won],
        *,
        instruments: Mapping[Symbol, Instrument] | None = None,
        limits: Mapping[Symbol, tuple[Won, Won]] | None = None,
        actions: tuple[Action, ...] = (),
    ) -> None:
        """Begin a trading day: limits, settlement, corporate actions; what is open of the day before expires.

        ``limits`` are the day's own where they are not those of every name (listing days, names without limits).
        """
        close_at = self.venue.rules.session.close_at
        for hours in (None, *OffHours):
            self.expire(close_at, hours)
        if instruments is not None:
            halted = frozenset(symbol for symbol, item in instruments.items() if "halted" in item.flags)
            self.venue = replace(self.venue, instruments=instruments, halted=halted)
        self.venue = open_day(self.venue, rules, base_prices)
        if limits is not None:
            self.venue = replace(self.venue, limits=limits)
        self.book = ledger.settle(self.book, rules.day)
        self._current.clear()
        self._due += entitled(self.book, actions)
        self._fulfil(rules.day, base_prices)

    def _fulfil(self, day: dt.date, base_prices: Mapping[Symbol, Won]) -> None:
        for right in [right for right in self._due if right.action.arrival <= day]:
            self._due.remove(right)
            self.book, lines = fulfil(self.book, right, day, base_prices)
            self.corporate += lines
        holdings = {symbol: item.quantity for symbol, item in self.book.positions.items()}
        self.venue = replace(self.venue, cash=self.book.cash, holdings=holdings, taxes=self.book.taxes)

    def _file(self, row: OrderRow) -> None:
        self.rows.append(row)
        self._known[row.day, row.number] = row
        self._latest[row.intent_id] = row

    def _apply(self, event: OrderEvent) -> None:
        row = self._current[event.intent_id]
        match event:
            case Filled(fill=fill, at=at):
                for part in parts_of(fill, self.fill_parts):
                    self.events.append(Filled(event.intent_id, at, part))
                    self._fill(row, part, at)
            case Canceled(at=at):
                self.events.append(event)
                left = row.remaining
                row.canceled += left
                row.working = False
                self._notify(row, at, quantity=left, acceptance="3")
            case _:
                self.events.append(event)
                row.working = row.working and not isinstance(event, Expired)
        if not row.working:
            self._current.pop(event.intent_id, None)

    def _fill(self, row: OrderRow, fill: Fill, at: Instant) -> None:
        item = self.venue.instruments[row.symbol]
        charge = self.venue.rules.charge_fill(fill, item.market, item.kind)
        before = self.book.realized
        self.book = ledger.apply_fill(self.book, fill, charge, self.venue.rules.settle_on())
        row.filled += fill.quantity
        row.amount += fill.amount
        row.charges += charge.total
        row.working = row.remaining > 0
        realized = self.book.realized - before
        held = self.book.positions[row.symbol].quantity if row.symbol in self.book.positions else 0
        line = Execution(
            row.day, row.number, row.branch, row.symbol, row.side, fill.quantity, fill.price,
            charge.fee, charge.tax, at, self.book.cash, realized, held,
        )  # fmt: skip
        self.executions.append(line)
        self._notify(row, at, quantity=fill.quantity, price=fill.price, executed=True)

    def _notify(
        self, row: OrderRow, at: Instant, *, quantity: Shares, price: Won = 0, executed: bool = False,
        refused: bool = False, acceptance: str = "",
    ) -> None:  # fmt: skip
        record = notice_of(
            row, f"{self.number}{self.product}", self.venue.instruments[row.symbol].name, at,
            quantity=quantity, price=price, executed=executed, refused=refused, acceptance=acceptance,
        )  # fmt: skip
        self.notices.append(Notice(row.app_key, record))

    def broker_id(self, row: OrderRow) -> BrokerOrderId:
        """Return the name of an order as clients know it."""
        return BrokerOrderId(row.day, row.branch, f"{row.number:010d}")


def _submit(row: OrderRow, terms: Terms, at: Instant) -> Submit:
    """Return a row's order as the exchange takes it."""
    kind, force = terms.pricing.kind, ORDER_TYPES[row.kind].force
    intent = OrderIntent(row.intent_id, "", row.symbol, row.side, row.quantity, kind, row.price, at, force)
    return Submit(ClearedOrder(intent, row.quantity, at, ()))


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
    limits: Mapping[Symbol, tuple[Won, Won]] | None = None,
) -> Account:
    """Return a new account with a first deposit, ready for a trading day."""
    venue = open_day(open_venue(rules, instruments, cash, {}, model), rules, base_prices)
    if limits is not None:
        venue = replace(venue, limits=limits)
    return Account(number, product, mode, venue, ledger.open_book(cash), next_number)
