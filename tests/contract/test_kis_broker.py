"""The KIS client against the emulator, over real sockets on loopback, passes the suite of all brokers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from contract.broker_suite import CASH, BrokerSuite, OpenRig, Rig
from contract.worlds import DAY, SMALL, small_world
from haetae.domain.units import NS_PER_SECOND, Instant, instant_at
from haetae.emulator.server import open_service
from haetae.emulator.service import Service
from haetae.emulator.settings import EmulatorSettings
from haetae.kis.broker import KisBroker
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.stream import KisStream
from haetae.kis.wire.operations import Mode
from haetae.wiring.clocks import DrivenClock

APP_KEY = "PSkey" + "0" * 31
ACCOUNT = "12345678"
QUIET_PASSES = 30


class OnTheWire:
    """Steps emulator and client together: to the next instant somebody sleeps until, then until both are quiet."""

    def __init__(self, service: Service, clock: DrivenClock, rest: KisRest, stream: KisStream, mode: Mode) -> None:
        self.service, self.clock, self.rest, self.stream, self.mode = service, clock, rest, stream, mode

    @property
    def board(self):
        return self.service.core.board

    def now(self) -> Instant:
        return self.clock.now()

    def oracle(self):
        return self.service.core.accounts[self.mode, ACCOUNT, "01"]

    async def run(self, seconds: float) -> None:
        end = self.clock.now() + round(seconds * NS_PER_SECOND)
        await self.quiet()
        while self.clock.now() < end:
            wake = self.clock.next_wake()
            target = end if wake is None else min(end, max(wake, self.clock.now() + 1))
            await self.service.advance(target)
            self.clock.advance(target)
            await self.quiet()

    async def quiet(self) -> None:
        loop = asyncio.get_running_loop()
        deadline, passes = loop.time() + 10, 0
        while passes < QUIET_PASSES:
            sent = self.service.core.hub.sent.get(APP_KEY, 0)
            busy = self.rest.busy or self.stream.busy or self.stream.received < sent
            passes = 0 if busy else passes + 1
            assert loop.time() < deadline, "the client never became quiet"
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def opened(clock: int, mode: Mode):
    start = instant_at(DAY, clock)
    settings = EmulatorSettings(
        market=SMALL,
        rest_real_port=0,
        rest_mock_port=0,
        ws_real_port=0,
        ws_mock_port=0,
        start=start,
        speed=0.0,
        initial_cash=CASH,
    )
    async with open_service(settings, small_world()) as (service, ready):
        driven = DrivenClock(start)
        client = KisSettings(
            rest_url=str(ready[f"rest_{mode.value}"]),
            ws_url=str(ready[f"ws_{mode.value}"]),
            app_key=APP_KEY,
            app_secret=Secret("s" * 180),
            account=ACCOUNT,
            mode=mode,
            hts_id="haetae",
            calls_per_second=15.0 if mode is Mode.REAL else 0.9,
            burst=3 if mode is Mode.REAL else 1,
            silence_s=None,
        )
        async with KisRest(client, driven) as rest:
            stream = KisStream(client, driven, rest.approval_key)
            broker = KisBroker(rest, stream, driven)
            market = OnTheWire(service, driven, rest, stream, mode)
            async with Rig(broker, market).listening() as rig:
                await rig.ask(broker.start())
                try:
                    yield rig
                finally:
                    await broker.close()
                    await stream.close()
            assert service.core.gate.report()["violations"] == 0


class TestKisBrokerOnTheEmulator(BrokerSuite):
    @pytest.fixture
    def open_rig(self) -> OpenRig:
        return lambda clock: opened(clock, Mode.REAL)


async def test_mock_domain_takes_an_order_and_fills_it() -> None:
    from haetae.domain.orders import Accepted, Side

    async with opened(100_000, Mode.MOCK) as rig:
        order = rig.order(Side.BUY, 4)
        assert isinstance(await rig.send(order), Accepted)
        await rig.market.run(60)
        assert sum(event.fill.quantity for event in rig.fills(order)) == 4
        assert await rig.ask(rig.broker.positions()) == {order.intent.symbol: 4}
