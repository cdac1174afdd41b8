"""The emulated broker in process: ``ports.Broker`` over one account, for paper trading and tests.

Here: ``SimBroker``; whoever feeds it slices makes its orders meet the market. Not here: the wire
(``server``), matching (``sim``). Its events are those that ``KisBroker`` tells of the same orders.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping

from haetae.domain.account import CashReport
from haetae.domain.market import Instrument, Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    OrderEvent,
    Rejected,
    Replaced,
)
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.emulator.accounts import KINDS, Account, OrderRow, open_account
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook
from haetae.ports import Clock
from haetae.sim import FillModel, RejectCode

_CODES = {kind: code for code, kind in KINDS.items()}


class SimBroker:
    """One paper account; every call answers at the clock's instant."""

    def __init__(
        self,
        rules: Rulebook,
        instruments: Mapping[Symbol, Instrument],
        *,
        cash: Won,
        clock: Clock,
        model: FillModel | None = None,
        base_prices: Mapping[Symbol, Won] | None = None,
    ) -> None:
        """Open the account on the morning of a day; base prices are the instruments' unless given."""
        self._clock = clock
        self._numbers = 0
        self._events: asyncio.Queue[OrderEvent] = asyncio.Queue()
        self.account: Account = open_account(
            "00000000",
            "01",
            Mode.MOCK,
            rules=rules,
            instruments=instruments,
            base_prices=base_prices if base_prices is not None else {},
            cash=cash,
            model=model if model is not None else FillModel(),
            next_number=self._next,
        )

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def meet(self, piece: Slice) -> None:
        """Let open orders meet a slice of the market; fills come through ``events``."""
        self.account.meet(piece)
        self._tell()

    def close_day(self, at: Instant) -> None:
        """End a session: day orders expire."""
        self.account.close_day(at)
        self._tell()

    def open_day(self, rules: Rulebook, base_prices: Mapping[Symbol, Won]) -> None:
        """Begin the next session; order numbers begin again."""
        self.account.open_day(rules, base_prices)
        self._numbers = 0
        self._tell()

    def _tell(self) -> None:
        for event in self.account.events:
            self._events.put_nowait(event)
        self.account.events.clear()
        self.account.notices.clear()

    async def submit(self, order: ClearedOrder) -> OrderEvent:
        """Send one order; the same intent again is answered with the first answer."""
        intent, now = order.intent, self._clock.now()
        known = self.account.row_for(intent.intent_id)
        if known is not None:
            return Accepted(intent.intent_id, known.at, self.account.broker_id(known))
        row = self.account.place(
            symbol=intent.symbol,
            side=intent.side,
            quantity=order.quantity,
            price=intent.limit_price,
            kind=_CODES[intent.kind, intent.time_in_force],
            at=now,
            app_key="",
            intent_id=intent.intent_id,
        )
        self._tell()
        return row if isinstance(row, Rejected) else Accepted(intent.intent_id, now, self.account.broker_id(row))

    async def cancel(self, intent_id: str, order_id: BrokerOrderId) -> OrderEvent:
        """Cancel what is open of an order."""
        now = self._clock.now()
        row = self._row(order_id)
        if row is None:
            return _unknown(intent_id, now)
        if not row.working:
            return _ended(intent_id, now)
        filled = self.account.venue.orders[row.intent_id].filled
        answer = self.account.cancel(row, now, "")
        self._tell()
        return answer if isinstance(answer, Rejected) else Canceled(intent_id, now, filled)

    async def replace(self, intent_id: str, order_id: BrokerOrderId, limit_price: Won) -> OrderEvent:
        """Move the limit price; the order goes on under a new number."""
        now = self._clock.now()
        row = self._row(order_id)
        if row is None:
            return _unknown(intent_id, now)
        answer = self.account.modify(row, limit_price, now, "") if row.working else _ended(intent_id, now)
        self._tell()
        if isinstance(answer, Rejected):
            return answer
        return Replaced(intent_id, now, self.account.broker_id(answer), limit_price)

    def _original(self, row: OrderRow) -> BrokerOrderId | None:
        """Return the number a modified order had before; what it executed under that one counts beside."""
        before = self.account.row_of(row.day, row.original) if row.original else None
        return self.account.broker_id(before) if before is not None else None

    def _row(self, order_id: BrokerOrderId) -> OrderRow | None:
        row = self.account.row_of(order_id.day, int(order_id.number))
        return row if row is not None and row.change != "2" else None

    async def orders(self, day: dt.date) -> tuple[BrokerOrder, ...]:
        """Return every order of a day; the number that a modified order left behind is closed."""
        return tuple(
            BrokerOrder(
                self.account.broker_id(row),
                row.symbol,
                row.side,
                row.quantity,
                row.filled,
                row.amount,
                row.remaining,
                row.price,
                row.at,
                self._original(row),
                row.canceled,
                row.rejected,
            )
            for row in self.account.rows
            if row.day == day and row.change != "2"
        )

    async def positions(self) -> Mapping[Symbol, Shares]:
        """Return shares held per symbol."""
        return {symbol: position.quantity for symbol, position in self.account.book.positions.items()}

    async def cash(self) -> CashReport:
        """Return trade-date cash and what no open order has reserved."""
        return CashReport(self.account.book.cash, max(0, self.account.venue.orderable_cash))

    async def events(self) -> AsyncIterator[OrderEvent]:
        """Yield fills, cancels by condition and expiry as the market causes them."""
        while True:
            yield await self._events.get()


def _unknown(intent_id: str, at: Instant) -> Rejected:
    return Rejected(intent_id, at, RejectCode.UNKNOWN_ORDER.value, "no such order today", change=True)


def _ended(intent_id: str, at: Instant) -> Rejected:
    return Rejected(intent_id, at, RejectCode.NOT_OPEN.value, "the order has ended", change=True)
