"""The three ports on the emulator: what the wire brings is what the market holds."""

import asyncio
import datetime as dt
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pyarrow as pa
import pytest

from haetae.domain.market import Phase, PhaseChange, Slice
from haetae.domain.orders import (
    Accepted,
    Canceled,
    ClearedOrder,
    Filled,
    OrderIntent,
    OrderKind,
    Rejected,
    Side,
    TimeInForce,
)
from haetae.domain.units import Instant, instant_at
from haetae.emulator.market import World
from haetae.emulator.server import build_world, serve
from haetae.emulator.settings import EmulatorSettings, LimitSettings, MarketSettings
from haetae.kis.broker import KisBroker
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.source import KisSource
from haetae.kis.stream import KisStream
from haetae.kis.wire.operations import Mode
from haetae.krx import trading_days
from haetae.ports.tables import DAILY, INDEX_DAILY, MINUTE
from haetae.wiring.clocks import DrivenClock

DAY = dt.date(2026, 11, 23)
KEY = "k" * 36
MARKET = MarketSettings(seed=7, listed=120, history_sessions=130, live_sessions=2)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(MARKET)


@dataclass
class Desk:
    """Connection and clock of one test, moved in step with the emulator's."""

    clock: DrivenClock
    rest: KisRest
    stream: KisStream
    control: str
    http: aiohttp.ClientSession
    told: list = field(default_factory=list)
    _sent: int = 0

    async def settle(self) -> None:
        quiet = 0
        while quiet < 30:
            busy = self.rest.busy or self.stream.busy or self.stream.received < self._sent
            quiet = 0 if busy else quiet + 1
            await asyncio.sleep(0)

    async def run_until(self, end: Instant) -> None:
        await self.settle()
        while self.clock.now() < end:
            wake = self.clock.next_wake()
            to = min(end, max(wake, self.clock.now() + 1) if wake is not None else end)
            async with self.http.post(self.control + "/clock", json={"advance_to": to}) as answer:
                self._sent = (await answer.json())["ws_sent"].get(KEY, 0)
            self.clock.advance(to)
            await self.settle()

    async def take(self, events) -> None:
        async for event in events:
            self.told.append(event)


@asynccontextmanager
async def desk(world: World, clock_time: int, mode: Mode = Mode.REAL):
    start = instant_at(DAY, clock_time)
    limits = LimitSettings(real_calls_per_second=10**9, mock_calls_per_second=10**9)
    settings = EmulatorSettings(MARKET, limits, 0, 0, 0, 0, 0, start, speed=0.0, ping_interval_s=1e6)
    name = mode.value
    async with serve(settings, world) as ready, aiohttp.ClientSession() as http:
        clock = DrivenClock(start)
        kis = KisSettings(
            rest_url=str(ready[f"rest_{name}"]),
            ws_url=str(ready[f"ws_{name}"]),
            app_key=KEY,
            app_secret=Secret("s" * 180),
            account="50123456",
            mode=mode,
            hts_id="tester",
            calls_per_second=float("inf"),
            notice_delay_s=0.0001,
            minute_grace_s=0.0002,
            poll_s=60.0,
            silence_s=None,
        )
        async with KisRest(kis, clock) as rest:
            stream = KisStream(kis, clock, rest.approval_key)
            yield Desk(clock, rest, stream, str(ready["control"]), http)
            await stream.close()


async def test_history_comes_whole_and_in_the_columns_of_the_lake(world):
    async with desk(world, 83_000) as at:
        source = KisSource(at.rest, at.clock)
        listed = await source.instruments()
        assert {one.symbol for one in listed} == set(world.symbols)
        first, last = dt.date(2026, 6, 1), dt.date(2026, 11, 20)
        told = await source.holidays(first, last)
        assert told["day"].to_pylist() == [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        days = tuple(row["day"] for row in told.to_pylist() if row["open"])
        assert days == trading_days(first, last)
        bars = await source.daily_bars("005930", first, last)
        assert bars.schema == DAILY
        assert bars["day"].to_pylist() == list(days)
        index = await source.index_bars("0001", first, last)
        assert index.schema == INDEX_DAILY
        assert index["day"].to_pylist() == list(days)
        minutes = await source.minute_bars("005930", last, last)
        assert minutes.schema == MINUTE
        assert minutes.num_rows == 381
        assert minutes["start"].to_pylist()[-1] == instant_at(last, 152_000)
        (daily,) = bars.slice(bars.num_rows - 1).to_pylist()
        assert sum(minutes["volume"].to_pylist()) == daily["volume"]
        assert minutes["close"].to_pylist()[-1] == daily["close"]
        assert (max(minutes["high"].to_pylist()), min(minutes["low"].to_pylist())) == (daily["high"], daily["low"])


async def test_minutes_of_many_sessions_are_walked_in_the_fewest_calls(world):
    async with desk(world, 83_000) as at:
        source = KisSource(at.rest, at.clock)
        start, end = dt.date(2026, 11, 2), dt.date(2026, 11, 20)
        minutes = await source.minute_bars("005930", start, end)
        sessions = trading_days(start, end)
        assert sorted(set(minutes["day"].to_pylist())) == list(sessions)
        spent = source.effort
        assert spent.least == -(-len(minutes) // 120)
        assert spent.calls <= spent.least + 1
        one_by_one = [await source.minute_bars("005930", day, day) for day in sessions]
        assert pa.concat_tables(one_by_one).equals(minutes)


async def test_an_unlisted_name_and_a_range_without_sessions_give_no_rows(world):
    async with desk(world, 83_000) as at:
        source = KisSource(at.rest, at.clock)
        assert (await source.daily_bars("005930", dt.date(2026, 11, 21), dt.date(2026, 11, 22))).num_rows == 0
        calls = at.rest.counts.calls
        assert (await source.index_bars("0001", dt.date(2026, 11, 21), dt.date(2026, 11, 22))).num_rows == 0
        assert at.rest.counts.calls == calls


async def test_streamed_slices_are_the_bars_that_history_will_hold(world):
    symbols = ["005930", *[one for one in world.symbols if one != "005930"]][:44]
    async with desk(world, 85_500) as at:
        feed = KisFeed(at.rest, at.stream, at.clock)
        taking = asyncio.create_task(at.take(feed.stream(symbols)))
        await at.run_until(instant_at(DAY, 90_601))
        slices = [event for event in at.told if isinstance(event, Slice)]
        assert [slice_.end for slice_ in slices] == [instant_at(DAY, 90_000 + 100 * n) for n in range(1, 7)]
        phases = [event.phase for event in at.told if isinstance(event, PhaseChange)]
        assert phases == [Phase.OPENING_AUCTION, Phase.CONTINUOUS]
        assert slices[0].symbols == tuple(sorted(symbols))
        source = KisSource(at.rest, at.clock)
        streamed = set(symbols[:41])
        exact = 0
        for column, symbol in enumerate(slices[0].symbols):
            history = {row["start"]: row for row in (await source.minute_bars(symbol, DAY, DAY)).to_pylist()}
            for slice_ in slices:
                row = history.get(slice_.start)
                assert bool(slice_.traded[column]) == (row is not None)
                if row is None:
                    continue
                assert (slice_.close[column], slice_.volume[column]) == (row["close"], row["volume"])
                if symbol in streamed:
                    bar = (slice_.open[column], slice_.high[column], slice_.low[column])
                    assert bar == (row["open"], row["high"], row["low"])
                    exact += 1
        assert exact > 100
        assert (feed.late, at.stream.malformed) == (0, 0)
        assert feed.quote("005930").bid < feed.quote("005930").ask
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def test_the_last_slice_is_the_closing_auction_and_the_feed_ends(world):
    async with desk(world, 151_830) as at:
        feed = KisFeed(at.rest, at.stream, at.clock)
        taking = asyncio.create_task(at.take(feed.stream(["005930"])))
        await at.run_until(instant_at(DAY, 153_100))
        assert taking.done()
        slices = [event for event in at.told if isinstance(event, Slice)]
        assert (slices[-1].start, slices[-1].end) == (instant_at(DAY, 152_000), instant_at(DAY, 153_000))
        assert slices[-1].traded[0]
        assert isinstance(at.told[-1], PhaseChange)
        assert at.told[-1].phase is Phase.CLOSED


def cleared(intent_id, clock, *, side=Side.BUY, quantity=10, price=0, tif=TimeInForce.DAY) -> ClearedOrder:
    kind = OrderKind.LIMIT if price else OrderKind.MARKET
    intent = OrderIntent(intent_id, "decision", "005930", side, quantity, kind, price, clock.now(), tif)
    return ClearedOrder(intent, quantity, clock.now(), ())


@pytest.mark.parametrize("mode", Mode)
async def test_the_life_of_orders_ends_with_the_same_figures_on_both_sides(world, mode):
    async with desk(world, 90_030, mode) as at:
        broker = KisBroker(at.rest, at.stream, at.clock)
        await broker.start()
        listening = asyncio.create_task(at.take(broker.events()))
        base = next(one for one in await KisSource(at.rest, at.clock).instruments() if one.symbol == "005930")
        low = base.base_price * 80 // 100 // 500 * 500
        assert isinstance(await broker.submit(cleared("buy", at.clock)), Accepted)
        resting = await broker.submit(cleared("rest", at.clock, price=low))
        ioc = await broker.submit(cleared("ioc", at.clock, price=low, tif=TimeInForce.IOC))
        assert isinstance(ioc, Accepted)
        assert isinstance(await broker.submit(cleared("dear", at.clock, quantity=10**7)), Rejected)
        assert isinstance(await broker.submit(cleared("none", at.clock, side=Side.SELL, quantity=99)), Rejected)
        await at.run_until(instant_at(DAY, 90_401))
        moved = await broker.replace("rest", resting.order_id, low - 500)
        assert isinstance(await broker.cancel("rest", moved.order_id), Canceled)
        left = await broker.submit(cleared("left", at.clock, price=low))
        assert isinstance(left, Accepted)
        assert isinstance(await broker.submit(cleared("sell", at.clock, side=Side.SELL, quantity=4)), Accepted)
        await at.run_until(instant_at(DAY, 91_001))
        fills = {event.intent_id: event.fill for event in at.told if isinstance(event, Filled)}
        assert {name: fill.cumulative for name, fill in fills.items()} == {"buy": 10, "sell": 4}
        assert [type(event) for event in at.told if event.intent_id == "ioc"] == [Canceled]
        assert await broker.positions() == {"005930": 6}
        async with at.http.get(at.control + "/ledger?account=50123456") as answer:
            ledger = await answer.json()
        assert (await broker.cash()).cash == ledger["cash"]
        assert [line["amount"] for line in ledger["fills"]] == [fills["buy"].amount, fills["sell"].amount]
        orders = {order.order_id.number: order for order in await broker.orders(DAY)}
        assert orders[fills["buy"].order_id.number].amount == fills["buy"].amount
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await broker.close()


async def told_in_a_quarter_of_an_hour(world: World) -> list[str]:
    """Trade beside the feed and return everything that was told, in order."""
    async with desk(world, 85_900) as at:
        broker, feed = KisBroker(at.rest, at.stream, at.clock), KisFeed(at.rest, at.stream, at.clock)
        await broker.start()
        symbols = ["005930", *world.symbols[:48]]
        tasks = [asyncio.create_task(at.take(feed.stream(symbols))), asyncio.create_task(at.take(broker.events()))]
        for minute in range(1, 9):
            await at.run_until(instant_at(DAY, 90_000 + 100 * minute + 1))
            at.told.append(await broker.submit(cleared(f"order-{minute}", at.clock, quantity=3 * minute)))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await broker.close()
        return [
            f"{event.end} {event.close.tolist()} {event.volume.tolist()}" if isinstance(event, Slice) else repr(event)
            for event in at.told
        ]


async def test_on_a_driven_clock_everything_is_told_in_the_same_order_every_time(world):
    first = await told_in_a_quarter_of_an_hour(world)
    assert sum(text.startswith("Filled") for text in first) >= 6
    assert await told_in_a_quarter_of_an_hour(world) == first
