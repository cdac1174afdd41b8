"""``collect live`` in step with an emulator whose clock stands until it is moved; run as a process that may be killed.

The collector is the command's own, `collect_live`, on a driven clock; this process moves that clock and the market's
together. It stops at half past seven of every session's day until a line on its input says go, with the instant
at which it shall say ``here``. Lines on its output: ``morning``, ``here``, ``session``, ``done``, each JSON.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from haetae.collector.live import SessionReport, coming_session
from haetae.collector.settings import CollectorSettings
from haetae.domain.units import Instant, day_of, instant_at
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.source import KisSource
from haetae.kis.stream import KisStream
from haetae.kis.wire.frames import TRADES
from haetae.kis.wire.operations import Mode
from haetae.krx.calendar import next_trading_day, trading_days
from haetae.store.lake import Lake
from haetae.wiring.child import Control
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.collecting import Connection, Names
from haetae.wiring.collecting_live import collect_live
from haetae.wiring.dice import rng
from haetae.wiring.lockstep import Lockstep
from haetae.wiring.logs import logging_to

KEY = hashlib.sha256(b"live-soak").hexdigest()
APP_KEY = ("PSSOAK" + KEY)[:36]
_MORNING, _EVENING = 73_000, 180_000
_NIGHT_STEP_S, _DAY_STEP_S = 1_800, 60
_PATIENT = 300
"""Looks at a socket on which nothing comes any more, before what was sent counts as lost: some ten milliseconds."""
_ALL = 1 << 60
_TRADES = TRADES.tr_id(mock=False)


def connection_to(ready: dict[str, Any], clock: DrivenClock, folder: Path, seed: int) -> Connection:
    """Return the connection of the command, with the machine's seconds of its time-outs as short as a stepped day is.

    Silence of the market is market time, which passes some hundred times as fast as the machine's.
    """
    kis = KisSettings(
        rest_url=ready["rest_real"],
        ws_url=ready["ws_real"],
        app_key=APP_KEY,
        app_secret=Secret((KEY * 3)[:180]),
        account="50099999",
        mode=Mode.REAL,
        read_only=True,
        token_file=folder / "token.json",
        connect_timeout_s=2.0,
        read_timeout_s=1.0,
        ack_timeout_s=1.0,
        silence_s=4.0,
        data_silence_s=1.0,
    )
    rest = KisRest(kis, clock, rng(seed, "kis.rest"))
    stream = KisStream(kis, clock, rest.approval_key, rng(seed, "kis.stream"))
    settings = CollectorSettings(calls_per_second=rest.calls_per_second)
    return Connection(kis, clock, rest, KisSource(rest, clock), stream, settings)


class CountedThreads(ThreadPoolExecutor):
    """Threads of the event loop that know whether writes of the lake wait or run, so that the market waits too."""

    def __init__(self) -> None:
        """Have one thread: writes come one after the other."""
        super().__init__(max_workers=1)
        self.pending: set[Future[Any]] = set()

    def submit(self, work: Callable[..., Any], /, *words: Any, **more: Any) -> Future[Any]:
        """Run in the thread."""
        future = super().submit(work, *words, **more)
        self.pending.add(future)
        future.add_done_callback(self.pending.discard)
        return future


@dataclass(slots=True)
class Taken:
    """How many frames the stream has taken; all of them where it holds nothing, or where no more come.

    A fault may swallow what the market counts as sent.
    """

    stream: KisStream
    clock: DrivenClock
    _seen: tuple[Instant, int] = (0, 0)
    _looks: int = 0

    def __call__(self) -> int:
        """Return the count."""
        if not (self.stream.connected and self.stream.target(_TRADES)):
            return _ALL
        seen = (self.clock.now(), self.stream.received)
        self._looks = self._looks + 1 if seen == self._seen else 0
        self._seen = seen
        return _ALL if self._looks > _PATIENT else self.stream.received


def rss_mb() -> float:
    """Return the memory this process holds now."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def say(**told: Any) -> None:
    """Tell whoever started this process."""
    print(json.dumps(told, default=str), flush=True)


async def drive(lockstep: Lockstep, collecting: asyncio.Future[None]) -> None:
    """Move both clocks until the collector ends, with a stop each morning."""
    clock = lockstep.clock
    while not collecting.done():
        day = coming_session(clock.now())
        if clock.now() >= instant_at(day, _MORNING):
            day = next_trading_day(day)
        morning = instant_at(day, _MORNING)
        evening = min(morning, instant_at(day_of(clock.now()), _EVENING))
        if clock.now() < evening:
            await lockstep.run_until(evening, until=collecting, step_s=_DAY_STEP_S)
        await lockstep.run_until(morning, until=collecting, step_s=_NIGHT_STEP_S)
        if collecting.done():
            return
        say(what="morning", day=day)
        word = sys.stdin.readline().split()
        if len(word) > 1:
            await lockstep.run_until(int(word[1]), until=collecting, step_s=_DAY_STEP_S)
            say(what="here", at=clock.now())


async def collect(ready: dict[str, Any], folder: Path, symbols: Sequence[str], last: dt.date, seed: int) -> None:
    """Collect every session up to the last day."""
    async with aiohttp.ClientSession() as http:
        control = Control(ready["control"], http)
        clock = DrivenClock(int((await control.state())["now"]))
        connection = connection_to(ready, clock, folder, seed)
        rest, stream = connection.rest, connection.stream
        lake = Lake(folder / "lake", by="live-soak")
        threads = CountedThreads()
        asyncio.get_running_loop().set_default_executor(threads)
        sessions = len(trading_days(coming_session(clock.now()), last))
        taken = Taken(stream, clock)

        def busy() -> bool:
            return rest.busy or stream.busy or bool(threads.pending)

        def tell(report: SessionReport) -> None:
            say(what="session", rss_mb=rss_mb(), repeats=rest.counts.repeats, **dataclasses.asdict(report))

        lockstep = Lockstep(clock, control, busy, taken, APP_KEY)
        work = collect_live(connection, lake, Names(tuple(symbols)), sessions, lambda *_: None, tell)
        collecting = asyncio.ensure_future(work)
        try:
            await drive(lockstep, collecting)
            await collecting
        finally:
            collecting.cancel()
            await asyncio.gather(collecting, return_exceptions=True)
            await rest.close()
        say(what="done", calls=rest.counts.calls)


def main(words: Sequence[str]) -> None:
    """Run: JSON of what is wanted."""
    asked = json.loads(words[0])
    folder = Path(asked["folder"])
    last = dt.date.fromisoformat(asked["last"])
    with logging_to(folder / "collect.log"):
        asyncio.run(collect(asked["ready"], folder, asked["symbols"], last, asked["seed"] + os.getpid()))


if __name__ == "__main__":
    main(sys.argv[1:])
