"""An emulator in a process of its own, an account at it that holds fifty names, and a desk that trades for it.

Everything between the desk and the market is the product's own: sockets on loopback, the pace KIS allows, the last look
before an order's bytes, the journal on disk. Wrapped are the broker and what carries its calls, to note when each
began, left and ended. The first minute passes quickly on both sides; what is measured runs at the wall's speed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import numpy as np

from haetae.desk import DeskSettings, open_desk
from haetae.domain.account import Position
from haetae.domain.decisions import Proposal, View
from haetae.domain.events import SessionStart
from haetae.domain.market import Int64Array, Kind
from haetae.domain.orders import ClearedOrder, OrderIntent, OrderKind, Side
from haetae.domain.units import NS_PER_SECOND, Instant, Shares, Symbol, instant_at
from haetae.emulator.settings import MarketSettings
from haetae.journal import JournalDb
from haetae.kis.broker import KisBroker
from haetae.kis.carrier_aiohttp import AiohttpCarrier
from haetae.kis.feed import KisFeed
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.source import KisSource
from haetae.kis.stream import KisStream
from haetae.kis.wire.operations import Mode
from haetae.krx import Rulebook
from haetae.krx.calendar import previous_trading_day
from haetae.ledger import open_book
from haetae.live import OfflineDecider, TradingDayRunner
from haetae.wiring.child import Control, EmulatorProcess
from haetae.wiring.clocks import ScaledClock
from haetae.wiring.dice import process_dice
from haetae.wiring.floor import LastLook

NAMES, LATENCY_MS, SHARES = 50, 100, 20
GEAR, _FIRST_PRICES_S = 6.0, 90.0
_ORDERS, _CHANGES = "/order-cash", "/order-rvsecncl"
DAY = MarketSettings().first_live_day
RULES = Rulebook.on(DAY)
BOUGHT, BEGINS = 84_000, 90_859
"""Shares are ordered before the open; the desk comes up a second before a minute begins, its anchor of the window."""


class Nobody:
    """A policy that wants nothing."""

    policy_id = "nobody"

    def propose(self, view: View) -> Proposal:
        """Leave everything as it is."""
        return Proposal(f"P{view.at}", view.at, self.policy_id, {})


@dataclass(slots=True)
class Times:
    """When things happened, in seconds of one monotonic clock of this process."""

    seen: float = 0.0
    trigger: float = 0.0
    submits: dict[str, tuple[float, float, str]] = field(default_factory=dict)
    left: list[float] = field(default_factory=list)
    """When the bytes of each order went to the wire."""
    taken_back: list[float] = field(default_factory=list)
    """When those of each cancel did."""


class GearedClock:
    """Market time at ``gear`` times the wall's speed, until ``settle`` lets it run as the wall does."""

    def __init__(self, start: Instant, gear: float) -> None:
        """Begin at ``start``."""
        self._start, self._since, self._gear = start, time.monotonic_ns(), gear

    def now(self) -> Instant:
        """Return market time."""
        return self._start + round((time.monotonic_ns() - self._since) * self._gear)

    def monotonic(self) -> float:
        """Return seconds of market time."""
        return self.now() / NS_PER_SECOND

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of market time, whatever its speed becomes meanwhile."""
        until = self.now() + round(seconds * NS_PER_SECOND)
        while True:
            await asyncio.sleep(max(0, until - self.now()) / NS_PER_SECOND / self._gear)
            if self.now() >= until:
                return

    def settle(self) -> None:
        """Go on at the wall's speed."""
        self._start, self._since, self._gear = self.now(), time.monotonic_ns(), 1.0


class TimedBroker(KisBroker):
    """Notes when each order was asked for and answered."""

    times: Times

    async def submit(self, order: ClearedOrder) -> Any:
        """Send one order."""
        began = time.perf_counter()
        self.times.trigger = self.times.trigger or self.times.seen
        answer = await super().submit(order)
        self.times.submits[order.intent.intent_id] = (began, time.perf_counter(), type(answer).__name__)
        return answer


class TimedFeed(KisFeed):
    """Notes when the newest prints, or the newest reading of the index, arrived."""

    times: Times

    def _tell(self, changes: Any) -> None:
        self.times.seen = time.perf_counter()
        super()._tell(changes)

    def on_prints(self, take: Any) -> None:
        """Hand prints on."""

        def timed(symbols: Sequence[Symbol], prices: Int64Array, at: Instant) -> None:
            self.times.seen = time.perf_counter()
            take(symbols, prices, at)

        super().on_prints(timed)


class TimedCarrier(AiohttpCarrier):
    """Notes when the bytes of each order and cancel go to the wire."""

    times: Times

    async def exchange(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        """Make one exchange."""
        if url.endswith(_ORDERS):
            self.times.left.append(time.perf_counter())
        if url.endswith(_CHANGES):
            self.times.taken_back.append(time.perf_counter())
        return await super().exchange(method, url, *rest, **named)


@dataclass(slots=True)
class Floor:
    """A running desk on a running market."""

    control: Control
    runner: TradingDayRunner
    times: Times
    symbols: tuple[Symbol, ...]
    held: Mapping[Symbol, Shares]
    clock: GearedClock
    http: aiohttp.ClientSession
    url: str

    async def arm(self, toml: str) -> None:
        """Arm faults."""
        async with self.http.post(self.url + "/faults", json={"toml": toml}) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())

    async def settle(self) -> None:
        """Wait until every name has traded, then let market and desk run at the wall's speed."""
        until = time.monotonic() + _FIRST_PRICES_S
        while not all(map(self.runner.desk.tape.traded_at.__getitem__, self.symbols)):
            if time.monotonic() > until:
                raise RuntimeError("not every name has traded")
            await asyncio.sleep(0.02)
        await self.control.run_at(1.0)
        self.clock.settle()

    async def fall(self, by_bp: int) -> None:
        """Let the whole market fall, from two seconds from now within a minute."""
        await self.control.shock(self.clock.now() + 2 * NS_PER_SECOND, 1, by_bp)

    async def calls(self) -> dict[str, Any]:
        """Return what the market counted."""
        return await self.control.calls()


LATENCY = f'[[fault]]\nid = "T12"\nwhat = {{ ms = {LATENCY_MS}, jitter_ms = 0 }}\ntimes = 0\n'


@asynccontextmanager
async def floor(settings: DeskSettings) -> AsyncIterator[Floor]:
    """Yield a desk that holds fifty names."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        arguments = ["--free-ports", "--with-parent", "--seed", "7", "--speed", "0", "--listed", "120"]
        arguments += ["--history", "30", "--clock", f"{previous_trading_day(DAY)}T18:00:00", "--cash", "1000000000"]
        process = EmulatorProcess([*arguments, "--token-clock", "market"], folder / "emulator.log")
        ready = await process.start()
        async with aiohttp.ClientSession() as http:
            control = Control(str(ready["control"]), http)
            kis = KisSettings(
                rest_url=str(ready["rest_real"]), ws_url=str(ready["ws_real"]), app_key="b" * 36,
                app_secret=Secret("s" * 180), account="50012345", mode=Mode.REAL, hts_id="bench",
                data_silence_s=None,  # all names of the emulator print together, every fifteen seconds
            )  # fmt: skip
            try:
                await control.advance(instant_at(DAY, BOUGHT))
                async with _desk(kis, control, settings, folder) as (runner, times, symbols, held, clock):
                    yield Floor(control, runner, times, symbols, held, clock, http, str(ready["control"]).rstrip("/"))
            finally:
                await process.stop()


@asynccontextmanager
async def _desk(kis: KisSettings, control: Control, settings: DeskSettings, folder: Path) -> AsyncIterator[Any]:
    start = instant_at(DAY, BOUGHT)
    clock = ScaledClock(start=start, wall_start=time.time_ns(), speed=1.0)
    await control.run_at(1.0)
    async with KisRest(kis, clock, process_dice("bench")) as rest:
        symbols, bases = await _names(rest, clock)
        await _buy(rest, clock, symbols, bases)
        await control.pause()
        await control.advance(instant_at(DAY, BEGINS))
    times, look, geared = Times(), LastLook(), GearedClock(instant_at(DAY, BEGINS), GEAR)

    def carry(told: KisSettings) -> TimedCarrier:
        carrier = TimedCarrier(told)
        carrier.times = times
        return carrier

    async with KisRest(kis, geared, process_dice("bench"), look, carry=carry) as rest:
        await control.run_at(GEAR)
        clock = geared
        stream = KisStream(kis, clock, rest.approval_key, process_dice("bench.stream"))
        broker, feed = TimedBroker(rest, stream, clock), TimedFeed(rest, stream, clock, with_index=True)
        broker.times = feed.times = times
        held = dict(await broker.positions())
        cash = (await broker.cash()).cash
        book = open_book(cash)
        book = replace(book, positions={s: Position(s, n, n * bases[s]) for s, n in held.items()})
        feed.prefer(sorted(held))
        journal = JournalDb(folder / "journal.db")
        runner = TradingDayRunner(
            desk=open_desk(settings, book), session=_session(symbols, bases), broker=broker, feed=feed, journal=journal,
            policy=Nobody(), decider=OfflineDecider(clock), clock=clock, rules=RULES,
        )  # fmt: skip
        look.runner = runner
        await broker.start()
        task = asyncio.create_task(runner.run())
        try:
            await runner.started()
            yield runner, times, symbols, held, clock
        finally:
            runner.stop()
            await asyncio.wait({task}, timeout=30.0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await broker.close()
            await stream.close()
            journal.close()


async def _names(rest: KisRest, clock: ScaledClock) -> tuple[tuple[Symbol, ...], dict[Symbol, int]]:
    """Return fifty common shares without a flag, and their base prices."""
    found = await KisSource(rest, clock).instruments()
    plain = [one for one in found if one.kind is Kind.COMMON and not one.flags and one.base_price < 400_000]
    chosen = sorted(plain, key=lambda one: one.symbol)[:NAMES]
    return tuple(one.symbol for one in chosen), {one.symbol: one.base_price for one in chosen}


async def _buy(rest: KisRest, clock: ScaledClock, symbols: Sequence[Symbol], bases: Mapping[Symbol, int]) -> None:
    """Order some shares of each name at its upper limit, for the opening auction."""
    broker = KisBroker(rest, None, clock)
    for symbol in symbols:
        upper = RULES.price_limits(bases[symbol])[1]
        intent = OrderIntent(
            f"B{symbol}", "setup", symbol, Side.BUY, SHARES, OrderKind.LIMIT, RULES.floor_tick(upper), clock.now()
        )
        await broker.submit(ClearedOrder(intent, SHARES, clock.now(), ("setup",)))
    await broker.close()


def _session(symbols: Sequence[Symbol], bases: Mapping[Symbol, int]) -> SessionStart:
    return SessionStart(
        at=instant_at(DAY, 85_000), symbols=tuple(symbols), base_prices=dict(bases), scores={},
        tradable=frozenset(symbols), fear_greed=50.0, markets=dict.fromkeys(symbols, "KOSPI"),
        sectors={symbol: f"{n % 20:02d}" for n, symbol in enumerate(symbols)},
        average_turnover=dict.fromkeys(symbols, 50_000_000_000),
    )  # fmt: skip


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return middle, 99th and largest of some seconds."""
    made = np.array(values)
    return {"p50_s": float(np.median(made)), "p99_s": float(np.percentile(made, 99)), "most_s": float(made.max())}
