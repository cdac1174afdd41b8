"""A small market in memory, in the place of a broker."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pyarrow as pa

from haetae.domain.errors import Retryable
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.krx.calendar import opens_at, trading_days
from haetae.ports.tables import DAILY, INDEX_DAILY, MINUTE

FIRST = dt.date(2026, 11, 2)
LAST = dt.date(2026, 11, 20)
EVENING = instant_at(LAST, 180_000)


def named(symbol: str, *flags: str) -> Instrument:
    return Instrument(
        symbol, f"name {symbol}", Market.KOSPI, Kind.COMMON, dt.date(2000, 1, 4), 10_000, 1_000_000,
        flags=frozenset(flags),
    )  # fmt: skip


@dataclass
class MemorySource:
    """``ports.MarketSource`` over made-up bars; counts calls and fails where it is told to."""

    listing: tuple[Instrument, ...]
    history_from: dt.date = dt.date(2020, 1, 2)
    silent: set[tuple[str, dt.date]] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    fatal: Exception | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    closed_too: set[dt.date] = field(default_factory=set)

    async def _call(self, what: str, name: str) -> None:
        import asyncio

        self.calls.append((what, name))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0)
        self.in_flight -= 1
        if self.fatal is not None and name in self.broken:
            raise self.fatal
        if name in self.broken:
            raise Retryable("too many calls", code="EGW00201")

    async def instruments(self) -> tuple[Instrument, ...]:
        await self._call("instruments", "")
        return self.listing

    async def daily_bars(self, symbol: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("daily", symbol)
        days = [d for d in trading_days(max(start, self.history_from), end) if (symbol, d) not in self.silent]
        rows = [_bar({"symbol": symbol, "day": day}, 381) for day in days]
        return pa.Table.from_pylist(
            [{**row, "turnover": 0, "halted": False, "adjusted": False, "source": "memory"} for row in rows], DAILY
        )

    async def minute_bars(self, symbol: str, day: dt.date) -> pa.Table:
        await self._call("minute", symbol)
        if (symbol, day) in self.silent:
            return MINUTE.empty_table()
        first = instant_at(day, opens_at(day))
        starts = [first + index * NS_PER_MINUTE for index in range(381)]
        return pa.Table.from_pylist([_bar({"symbol": symbol, "day": day, "start": at}, 1) for at in starts], MINUTE)

    async def index_bars(self, index: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("index", index)
        return pa.Table.from_pylist(
            [_bar({"index": index, "day": day}, 9) for day in trading_days(start, end)], INDEX_DAILY
        )

    async def open_days(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        return tuple(day for day in trading_days(start, end) if day not in self.closed_too)


def _bar(key: dict[str, object], volume: int) -> dict[str, object]:
    return {**key, "open": 10_000, "high": 10_100, "low": 9_900, "close": 10_000, "volume": volume}


@dataclass
class StoppedClock:
    """A clock that shows one instant."""

    at: Instant

    def now(self) -> Instant:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("the collector must not wait")
