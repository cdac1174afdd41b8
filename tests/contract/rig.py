"""A broker, the market behind it, and what a test does with both; the same for every broker.

The market is the emulator's synthetic one, so prices are known; the broker is reached only through ``ports.Broker``.
Where the real service acknowledges an order and the exchange refuses it later, both ways of being refused are right.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from haetae.domain.market import Instrument, Kind
from haetae.domain.orders import (
    Accepted,
    BrokerOrder,
    BrokerOrderId,
    Canceled,
    ClearedOrder,
    Expired,
    Filled,
    OrderEvent,
    OrderIntent,
    OrderKind,
    Rejected,
    Side,
    TimeInForce,
)
from haetae.domain.units import Instant, Shares, Symbol, Won, day_of
from haetae.emulator.accounts import Account
from haetae.emulator.board import Board
from haetae.krx import Rulebook
from haetae.ports import Broker

CASH = 100_000_000
LIQUID = "005930"


class Market(Protocol):
    """The market behind a rig, in the test's hands."""

    board: Board

    def now(self) -> Instant: ...

    async def run(self, seconds: float) -> None:
        """Let market and client live so long, quiet at the end."""
        ...

    def oracle(self) -> Account:
        """The broker's own account, for comparison."""
        ...


OpenRig = Callable[[int], AbstractAsyncContextManager["Rig"]]


@dataclass
class Rig:
    """A broker, its market, and what the broker told so far."""

    broker: Broker
    market: Market
    told: list[OrderEvent] = field(default_factory=list)
    count: int = 0

    @contextlib.asynccontextmanager
    async def listening(self):
        async def listen() -> None:
            async for event in self.broker.events():
                self.told.append(event)

        task = asyncio.create_task(listen())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def rules(self) -> Rulebook:
        return self.market.board.session.rules

    def instrument(self, symbol: Symbol) -> Instrument:
        return self.market.board.world.by_symbol[symbol]

    def last(self, symbol: Symbol = LIQUID) -> Won:
        return self.market.board.sight(symbol).last

    def price(self, ratio: float, symbol: Symbol = LIQUID) -> Won:
        """A valid price near a ratio of the last one."""
        return self.rules.floor_tick(int(self.last(symbol) * ratio), self.instrument(symbol).kind)

    def order(
        self,
        side: Side,
        quantity: Shares,
        limit: Won = 0,
        symbol: Symbol = LIQUID,
        force: TimeInForce = TimeInForce.DAY,
    ) -> ClearedOrder:
        self.count += 1
        kind = OrderKind.LIMIT if limit else OrderKind.MARKET
        intent = OrderIntent(f"i{self.count}", "d", symbol, side, quantity, kind, limit, self.market.now(), force)
        return ClearedOrder(intent, quantity, self.market.now(), ())

    async def send(self, order: ClearedOrder) -> OrderEvent:
        """Submit while the market stands still, and let the answer arrive."""
        sending = asyncio.create_task(self.broker.submit(order))
        await self.settle(sending)
        return await sending

    async def settle(self, task: asyncio.Task) -> None:
        while not task.done():
            await self.market.run(0.2)

    async def ask(self, call):
        """Await a call of the broker while the market goes on as it must."""
        task = asyncio.ensure_future(call)
        await self.settle(task)
        return await task

    def of(self, order: ClearedOrder, kind: type) -> list:
        return [event for event in self.told if event.intent_id == order.intent.intent_id and isinstance(event, kind)]

    def fills(self, order: ClearedOrder) -> list[Filled]:
        return self.of(order, Filled)

    async def reported(self, accepted: OrderEvent) -> BrokerOrder:
        orders = await self.ask(self.broker.orders(day_of(self.market.now())))
        number = int(accepted.order_id.number)
        return next(order for order in orders if int(order.order_id.number) == number)

    async def refused(self, order: ClearedOrder) -> bool:
        """Whether an order ends rejected, at once or after an acknowledgement, and moves nothing."""
        before = await self.ask(self.broker.cash())
        answer = await self.send(order)
        if isinstance(answer, Accepted):
            await self.market.run(30)
            ended = bool(self.of(order, Rejected))
        else:
            ended = isinstance(answer, Rejected) and bool(answer.code)
        after = await self.ask(self.broker.cash())
        return ended and before == after and not self.fills(order)

    async def bought(self, quantity: Shares, symbol: Symbol = LIQUID) -> None:
        """Hold shares, bought at the market a moment ago."""
        order = self.order(Side.BUY, quantity, symbol=symbol)
        assert isinstance(await self.send(order), Accepted)
        await self.market.run(60)
        assert sum(event.fill.quantity for event in self.fills(order)) == quantity

    def ended(self, order: ClearedOrder) -> bool:
        """Whether the order was told to be over without being filled whole."""
        return any(self.of(order, kind) for kind in (Canceled, Expired, Rejected))

    def tradable(self, kind: Kind | None = None) -> list[Instrument]:
        """Names that trade today, the busiest first; those without trouble only."""
        board = self.market.board
        found = [
            item
            for item in board.world.instruments
            if (kind is None or item.kind is kind) and not item.flags and board.instrument(item.symbol) is not None
        ]
        found = [item for item in found if not board.halted(item.symbol)]
        return sorted(found, key=lambda item: (-board.sight(item.symbol).turnover, item.symbol))

    def thinnest(self) -> Symbol:
        """The name of least turnover that still trades often enough."""
        board = self.market.board
        busy = [item for item in self.tradable() if board.sight(item.symbol).volume > 400]
        return busy[-1].symbol

    def strange(self, order_id: BrokerOrderId) -> BrokerOrderId:
        """An order number nobody was given today."""
        return BrokerOrderId(order_id.day, order_id.branch, f"{int(order_id.number) + 777:010d}")
