"""A market of our own making behind the stub, a feed on it, and the truth to compare its minutes with."""

import asyncio
import datetime as dt
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from haetae.domain.market import Slice
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, instant_at
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.stream import KisStream
from haetae.kis.wire.frames import build_frame
from haetae.kis.wire.market_records import StatusRecord
from haetae.kis.wire.records import TradeRecord
from haetae.wiring.clocks import DrivenClock
from unit.kis.stub import Answer, StubKis, ok, serving

DAY = dt.date(2026, 11, 23)
OPEN = instant_at(DAY, 90_000)
SYMBOLS = tuple(f"{number:05d}0" for number in range(50))
TRADES, STATUS = "H0STCNT0", "H0STMKO0"


@dataclass
class Tape:
    """The true prints of one symbol."""

    prints: list[tuple[int, int, int]] = field(default_factory=list)  # instant, price, cumulative

    def add(self, at: int, price: int, volume: int) -> None:
        self.prints.append((at, price, (self.prints[-1][2] if self.prints else 0) + volume))

    def snapshot(self) -> dict[str, int]:
        prices = [price for _, price, _ in self.prints]
        if not prices:
            return {"inter2_prpr": 0, "inter2_prdy_clpr": 1_000, "acml_vol": 0}
        return {
            "inter2_prpr": prices[-1],
            "inter2_oprc": prices[0],
            "inter2_hgpr": max(prices),
            "inter2_lwpr": min(prices),
            "acml_vol": self.prints[-1][2],
            "inter2_bidp": prices[-1],
            "inter2_askp": prices[-1] + 1,
            "inter2_prdy_clpr": 1_000,
        }

    def bar(self, start: int, end: int) -> tuple[int, ...]:
        inside = [(price, total) for at, price, total in self.prints if start <= at < end]
        before = max((total for at, _, total in self.prints if at < start), default=0)
        if not inside:
            last = [price for at, price, _ in self.prints if at < start][-1:] or [1_000]
            return (*(last * 4), 0)
        prices = [price for price, _ in inside]
        return (prices[0], max(prices), min(prices), prices[-1], inside[-1][1] - before)


@dataclass
class Floor:
    """A market of our own making behind the stub, and a feed on it."""

    stub: StubKis
    clock: DrivenClock
    rest: KisRest
    stream: KisStream
    feed: KisFeed
    tapes: dict[str, Tape] = field(default_factory=lambda: {symbol: Tape() for symbol in SYMBOLS})
    told: list = field(default_factory=list)
    is_silent: bool = False

    def many(self, asked: dict[str, str]) -> Answer:
        names = [asked[f"FID_INPUT_ISCD_{n}"] for n in range(1, 31) if asked.get(f"FID_INPUT_ISCD_{n}")]
        rows = [{"inter_shrn_iscd": name, **self.tapes[name].snapshot()} for name in names]
        return ok("intstock-multprice", {"output": rows})

    async def print(self, symbol: str, price: int, volume: int = 10, *, halted: bool = False, day=DAY) -> None:
        """Let a trade happen now; it is sent to the session that has the symbol registered."""
        at, tape = self.clock.now(), self.tapes[symbol]
        tape.add(at, price, volume)
        number = len(self.stub.sockets)
        if self.is_silent or not number or (TRADES, symbol) not in self.stub.held[number]:
            return
        if self.stub.sockets[-1].closed:
            return
        clock = 90_000 + (at - OPEN) // NS_PER_MINUTE * 100 + (at - OPEN) % NS_PER_MINUTE // NS_PER_SECOND
        total = tape.prints[-1][2]
        known = tape.snapshot()
        high, low = known["inter2_hgpr"], known["inter2_lwpr"]
        record = TradeRecord(
            symbol,
            day,
            int(clock),
            price,
            volume,
            total,
            total * price,
            price,
            high,
            low,
            price + 1,
            price,
            5,
            5,
            1_000,
            halted,
        )
        await self.stub.push(build_frame(TRADES, [record.encode()]))
        await self.settle()

    async def status(self, symbol: str, **changed) -> None:
        known = {"halted": False, "reason": "", "phase_code": "112"}
        await self.stub.push(build_frame(STATUS, [StatusRecord(symbol, **{**known, **changed}).encode()]))
        await self.settle()

    async def settle(self) -> None:
        quiet = 0
        while quiet < 25:
            quiet = 0 if self.rest.busy or self.stream.busy else quiet + 1
            await asyncio.sleep(0.0005)

    async def until(self, clock_time: int, nanos: int = 0) -> None:
        end = instant_at(DAY, clock_time) + nanos
        await self.settle()
        while self.clock.now() < end:
            wake = self.clock.next_wake()
            self.clock.advance(min(end, max(wake, self.clock.now() + 1)) if wake is not None else end)
            await self.settle()

    async def take(self, events) -> None:
        async for event in events:
            self.told.append(event)

    @property
    def slices(self) -> list[Slice]:
        return [event for event in self.told if isinstance(event, Slice)]

    def check(self, *, exact: set[str] | None = None) -> None:
        """Compare every slice with the truth: close and volume of all, the whole bar of ``exact`` ones."""
        for slice_ in self.slices:
            for column, symbol in enumerate(slice_.symbols):
                bar = self.tapes[symbol].bar(slice_.start, slice_.end)
                got = [
                    int(part[column]) for part in (slice_.open, slice_.high, slice_.low, slice_.close, slice_.volume)
                ]
                assert got[3:] == list(bar[3:]), (symbol, slice_.start)
                if exact is None or symbol in exact:
                    assert got == list(bar), (symbol, slice_.start)


@asynccontextmanager
async def floor(symbols=SYMBOLS, *, at: int = 85_900, notices: bool = True, **changed):
    async with serving() as stub:
        clock = DrivenClock(instant_at(DAY, at))
        async with KisRest(stub.settings(**{"silence_s": None, "ack_timeout_s": 0.2, **changed}), clock) as rest:
            stream = KisStream(rest.settings, clock, rest.approval_key)
            feed = KisFeed(rest, stream, clock)
            made = Floor(stub, clock, rest, stream, feed)
            stub.answers["intstock-multprice"] = [made.many]
            if notices:
                await stream.register("H0STCNI0", ["tester"])
            taking = asyncio.create_task(made.take(feed.stream(symbols)))
            await made.settle()
            yield made
            if taking.done() and taking.exception() is not None:
                raise taking.exception()
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            await stream.close()
