"""The broker in process passes the suite of all brokers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from contract.broker_suite import CASH, BrokerSuite, OpenRig, Rig
from contract.worlds import DAY, small_world
from haetae.domain.units import NS_PER_SECOND, Instant, instant_at
from haetae.emulator.board import Board
from haetae.emulator.broker import SimBroker
from haetae.emulator.core import micro_slice
from haetae.wiring.clocks import DrivenClock


class InProcess:
    """Steps the clock and hands each micro-slice of the tape to the broker."""

    def __init__(self, at: Instant) -> None:
        self.clock = DrivenClock(at)
        self.board = Board(small_world(), at)
        session = self.board.session
        self.broker = SimBroker(
            session.rules,
            self.board.world.by_symbol,
            cash=CASH,
            clock=self.clock,
            base_prices=session.base_prices,
        )

    def now(self) -> Instant:
        return self.clock.now()

    def oracle(self):
        return self.broker.account

    async def run(self, seconds: float) -> None:
        end = self.clock.now() + round(seconds * NS_PER_SECOND)
        for day in self.board.world.days:
            morning = instant_at(day, 0)
            if self.clock.now() < morning <= end:
                self._until(morning - 1)
                self.clock.advance(morning)
                self.board.move(morning)
                session = self.board.session
                self.broker.open_day(session.rules, session.base_prices)
        self._until(end)
        for _ in range(5):
            await asyncio.sleep(0)

    def _until(self, end: Instant) -> None:
        first = self.board.seen
        self.clock.advance(end)
        self.board.move(end)
        for row in range(first, self.board.seen):
            symbols = self.broker.account.working()
            if symbols:
                self.broker.meet(micro_slice(self.board.session, row, self.board.world, symbols))
        close_at = self.board.session.rules.session.close_at
        if end >= close_at:
            self.broker.close_day(close_at)


class TestSimBroker(BrokerSuite):
    @pytest.fixture
    def open_rig(self) -> OpenRig:
        @contextlib.asynccontextmanager
        async def opened(clock: int):
            market = InProcess(instant_at(DAY, clock))
            async with Rig(market.broker, market).listening() as rig:
                yield rig

        return opened
