"""A broker, a feed and a clock in one process, for tests of the live driver.

The broker is the simulated exchange behind ``ports.Broker``; faults are set by the test. The feed
hands out what the test pushes, the clock stands still until it is moved.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
from collections.abc import AsyncIterator, Mapping, Sequence

from haetae.domain.account import CashReport
from haetae.domain.events import Cancel, Replace, Submit
from haetae.domain.market import PhaseChange, Quote, Slice
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    ClearedOrder,
    Order,
    OrderEvent,
    OutcomeUnknown,
)
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol, Won
from haetae.sim import Venue, accept, close_day, step


class DrivenClock:
    """Stands still until ``advance``."""

    def __init__(self, at: Instant) -> None:
        self.at = at
        self._sleepers: list[tuple[Instant, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> Instant:
        return self.at

    def monotonic(self) -> float:
        return self.at / NS_PER_SECOND

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self.at + round(seconds * NS_PER_SECOND), self._count, future))
        await future

    def advance(self, to: Instant) -> None:
        self.at = max(self.at, to)
        while self._sleepers and self._sleepers[0][0] <= self.at:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class PaperBroker:
    """The simulated exchange as a broker; ``lose_next`` swallows answers, ``refuse_next`` never sends."""

    def __init__(self, venue: Venue, clock: DrivenClock) -> None:
        self.venue = venue
        self.clock = clock
        self.sent: list[str] = []
        self.resumed: list[str] = []
        self.lose_answers = 0
        self.lose_requests = 0
        self.hold: asyncio.Event | None = None
        self.sending = asyncio.Event()
        self._events: asyncio.Queue[OrderEvent] = asyncio.Queue()

    async def submit(self, order: ClearedOrder) -> OrderEvent:
        self.sent.append(order.intent.intent_id)
        self.sending.set()
        if self.hold is not None:
            await self.hold.wait()
        if self.lose_requests:
            self.lose_requests -= 1
            return OutcomeUnknown(order.intent.intent_id, self.clock.now(), "connection reset")
        self.venue, (answer,) = accept(self.venue, Submit(order), self.clock.now())
        if self.lose_answers:
            self.lose_answers -= 1
            return OutcomeUnknown(order.intent.intent_id, self.clock.now(), "read timeout")
        return answer

    async def cancel(self, intent_id: str, order_id: BrokerOrderId) -> OrderEvent:
        self.venue, (answer,) = accept(self.venue, Cancel(intent_id, self.clock.now(), ""), self.clock.now())
        return answer

    async def replace(self, intent_id: str, order_id: BrokerOrderId, limit_price: Won) -> OrderEvent:
        command = Replace(intent_id, self.clock.now(), limit_price)
        self.venue, (answer,) = accept(self.venue, command, self.clock.now())
        return answer

    async def orders(self, day: dt.date) -> tuple[BrokerOrder, ...]:
        return tuple(order.report() for order in self.venue.orders.values())

    async def positions(self) -> Mapping[Symbol, Shares]:
        return {symbol: n for symbol, n in self.venue.holdings.items() if n}

    async def cash(self) -> CashReport:
        return CashReport(self.venue.cash, self.venue.orderable_cash)

    async def events(self) -> AsyncIterator[OrderEvent]:
        while True:
            yield await self._events.get()

    def resume(self, order: Order) -> None:
        self.resumed.append(order.intent.intent_id)

    def move(self, piece: Slice) -> None:
        """Let the market happen; fills are told, acceptances of unknown orders are not."""
        self.venue, events = step(self.venue, piece)
        for event in events:
            self._events.put_nowait(event)

    def close(self, at: Instant) -> None:
        self.venue, events = close_day(self.venue, at)
        for event in events:
            self._events.put_nowait(event)

    def tell(self, event: OrderEvent) -> None:
        self._events.put_nowait(event)


class PushedFeed:
    """Yields what the test pushes."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[Slice | Quote | PhaseChange] = asyncio.Queue()

    def push(self, item: Slice | Quote | PhaseChange) -> None:
        self._items.put_nowait(item)

    async def stream(self, symbols: Sequence[Symbol]) -> AsyncIterator[Slice | Quote | PhaseChange]:
        while True:
            yield await self._items.get()


__all__ = ["Accepted", "DrivenClock", "PaperBroker", "PushedFeed"]
