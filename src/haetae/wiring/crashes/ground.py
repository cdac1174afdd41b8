"""What survives a crash: the market behind sockets of its own, and the desk's folder.

The market is a forked process, so that it needs no start of an interpreter, and stands still between steps. Here:
that process, its control port for a caller without an event loop, a folder with a lake the desk can be warmed by.
Not here: the desk (``acting``).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from haetae.domain.market import Instrument
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.emulator.market import World
from haetae.emulator.server import build_world, open_service
from haetae.emulator.settings import EmulatorSettings, MarketSettings
from haetae.kis.settings import KisSettings, Secret
from haetae.kis.wire.operations import Mode
from haetae.krx.calendar import previous_trading_day
from haetae.store.lake import Lake

MARKET = MarketSettings(seed=11, listed=20, history_sessions=5, live_sessions=2)
DAY = MARKET.first_live_day
CASH = 100_000_000
ACCOUNT = "50012345"
NAMES = 4
"""Symbols of a crash test: enough for two orders at once and names that stay untouched."""
_PATIENCE_S = 120.0


@cache
def world() -> World:
    """Return the market of every case; it is never changed, and a fork has it for nothing."""
    return build_world(MARKET)


def listed() -> tuple[Instrument, ...]:
    """Return the names that are traded: ordinary, without trouble, in order of their codes."""
    plain = [item for item in world().instruments if not item.flags]
    return tuple(sorted(plain, key=lambda item: item.symbol)[:NAMES])


@dataclass(frozen=True, slots=True)
class Market:
    """A running market: where its ports are."""

    ready: dict[str, Any]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control port and return its JSON."""
        data = json.dumps(body).encode() if body is not None else None
        url = str(self.ready["control"]) + path
        request = urllib.request.Request(url, data=data, method=method)  # noqa: S310 - our own loopback port
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return json.load(answer)

    def settings(self, folder: Path) -> KisSettings:
        """Return a client's settings; its token lies in the folder, as on a real desk."""
        return KisSettings(
            rest_url=str(self.ready["rest_real"]),
            ws_url=str(self.ready["ws_real"]),
            app_key="PSCRASH" + "0" * 29,
            app_secret=Secret("s" * 180),
            account=ACCOUNT,
            mode=Mode.REAL,
            hts_id="haetae",
            token_file=folder / "token.json",
            silence_s=None,
            poll_s=30.0,
            index_poll_s=20.0,  # each reading is a step of market and desk, and most of a case's time
        )


@contextmanager
def market(start: Instant) -> Iterator[Market]:
    """Run a market in a process of its own that stands at ``start``; it is gone at the end."""
    settings = EmulatorSettings(
        market=MARKET, rest_real_port=0, rest_mock_port=0, ws_real_port=0, ws_mock_port=0, start=start, speed=0.0,
        initial_cash=CASH,
    )  # fmt: skip
    reading, writing = os.pipe()

    def serve() -> None:
        os.close(reading)
        asyncio.run(_serve(settings, writing))

    child = fork(serve)
    os.close(writing)
    try:
        with open(reading, encoding="utf-8") as told:
            yield Market(json.loads(told.readline()))
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


async def _serve(settings: EmulatorSettings, writing: int) -> None:
    async with open_service(settings, world()) as (service, ready):
        os.write(writing, (json.dumps(ready, default=str) + "\n").encode())
        os.close(writing)
        assert service.pumping is not None
        await service.pumping


def fork(work: Callable[[], None]) -> int:
    """Run ``work`` in a copy of this process and return its id; the copy ends with 0, or with 70 by an exception.

    A copy shares what is loaded and compiled, so a case costs no start of an interpreter.
    """
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        with contextlib.suppress(BrokenPipeError):
            work()
        code = 0
    finally:
        os._exit(code)


def lay_out(folder: Path) -> Lake:
    """Return a lake in a fresh folder with three minutes of the session before."""
    lake = Lake(folder / "lake", by="haetae crashtest")
    day = previous_trading_day(DAY)
    start = instant_at(day, 152_700)
    symbols = [item.symbol for item in listed()]
    rows = [(symbol, start + minute * NS_PER_MINUTE, item.base_price)
            for item, symbol in zip(listed(), symbols, strict=True) for minute in range(3)]  # fmt: skip
    prices = pa.array([price for _, _, price in rows], pa.int64())
    table = pa.table(
        {
            "symbol": pa.array([symbol for symbol, _, _ in rows], pa.string()),
            "day": pa.array([day] * len(rows), pa.date32()),
            "start": pa.array([at for _, at, _ in rows], pa.int64()),
            **dict.fromkeys(("open", "high", "low", "close"), prices),
            "volume": pa.array([1_000] * len(rows), pa.int64()),
        }
    )
    lake.write("minute", table, keys=("symbol", "start"))
    return lake


__all__ = ["ACCOUNT", "CASH", "DAY", "Market", "fork", "lay_out", "listed", "market", "replace", "world"]
