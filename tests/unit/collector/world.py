"""A small market in memory, in the place of a broker."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import pyarrow as pa

from haetae.domain.errors import Retryable
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.krx.calendar import opens_at, trading_days
from haetae.ports import Effort
from haetae.ports.tables import (
    CORPORATE_ACTIONS,
    DAILY,
    ETF_NAV,
    FLAGS,
    FLOWS,
    FUNDAMENTALS,
    HOLIDAYS,
    INDEX_DAILY,
    INDEX_MINUTE,
    MARKET_FLOWS,
    MINUTE,
    NEWS,
    PERIOD,
    RANKINGS,
    VI_EVENTS,
)

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
    figures: dict[tuple[str, int, str, str], float] = field(default_factory=dict)
    minute_volume: int = 1
    headlines_of: dict[dt.date, list[str]] = field(default_factory=dict)

    @property
    def effort(self) -> Effort:
        """One call is all that each answer needs."""
        return Effort(len(self.calls), len(self.calls))

    async def _call(self, what: str, name: str) -> None:
        import asyncio

        self.calls.append((what, name))
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
        finally:
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

    async def minute_bars(self, symbol: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("minute", symbol)
        rows = []
        for day in trading_days(start, end):
            if (symbol, day) not in self.silent:
                first = instant_at(day, opens_at(day))
                starts = [first + index * NS_PER_MINUTE for index in range(381)]
                rows += [_bar({"symbol": symbol, "day": day, "start": at}, self.minute_volume) for at in starts]
        return pa.Table.from_pylist(rows, MINUTE)

    async def index_bars(self, index: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("index", index)
        return pa.Table.from_pylist(
            [_bar({"index": index, "day": day}, 9) for day in trading_days(start, end)], INDEX_DAILY
        )

    async def holidays(self, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("holidays", "")
        opened = set(trading_days(start, end)) - self.closed_too
        days = [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]
        return pa.Table.from_pylist(
            [
                {"source": "memory", "day": day, "open": day in opened, "settles": day in opened, "as_of": LAST}
                for day in days
            ],
            HOLIDAYS,
        )

    async def period_bars(self, symbol: str, table: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call(table, symbol)
        later = trading_days(start, end + dt.timedelta(days=40))

        def period(day: dt.date) -> tuple[int, int]:
            return day.isocalendar()[:2] if table == "weekly" else (day.year, day.month)

        ends = [a for a, b in itertools.pairwise(later) if period(a) != period(b) and start <= a <= end]
        return pa.Table.from_pylist([{**_bar({"symbol": symbol, "day": d}, 5), "turnover": 0} for d in ends], PERIOD)

    async def index_minutes(self, index: str) -> pa.Table:
        await self._call("index_minutes", index)
        at = instant_at(LAST, 100_000)
        return pa.Table.from_pylist([_bar({"index": index, "day": LAST, "start": at}, 3)], INDEX_MINUTE)

    async def navs(self, symbol: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("nav", symbol)
        days = trading_days(start, end)
        rows = [{"symbol": symbol, "day": d, "nav": 1_000_000, "close": 10_000, "volume": 1} for d in days]
        return pa.Table.from_pylist(rows, ETF_NAV)

    async def flows(self, symbol: str, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("flows", symbol)
        return pa.Table.from_pylist([_net({"symbol": symbol, "day": d}) for d in trading_days(start, end)], FLOWS)

    async def market_flows(self, market: Market, day: dt.date) -> pa.Table:
        await self._call("market_flows", market.value)
        return pa.Table.from_pylist([_net({"market": market.value, "day": day})], MARKET_FLOWS)

    async def fundamentals(self, symbol: str) -> pa.Table:
        await self._call("fundamentals", symbol)
        rows = [
            {"symbol": name, "period": period, "basis": basis, "item": item, "value": value, "known_on": LAST}
            for (name, period, basis, item), value in self.figures.items()
            if name == symbol
        ]
        return pa.Table.from_pylist(rows, FUNDAMENTALS)

    async def status(self, symbol: str) -> pa.Table:
        await self._call("status", symbol)
        return pa.Table.from_pylist([{"symbol": symbol, "day": LAST, "flag": "listed"}], FLAGS)

    async def interruptions(self, day: dt.date) -> pa.Table:
        await self._call("vi", "")
        at = instant_at(day, 100_000)
        row = {"symbol": "005930", "day": day, "at": at, "released_at": 0, "kind": "static"}
        return pa.Table.from_pylist([{**row, "reference": 10_000, "price": 11_000}], VI_EVENTS)

    async def rankings(self) -> pa.Table:
        await self._call("rankings", "")
        row = {"board": "rise", "day": LAST, "at": EVENING, "rank": 1, "symbol": "005930", "value": 3.5}
        return pa.Table.from_pylist([row], RANKINGS)

    async def headlines(self, day: dt.date) -> pa.Table:
        await self._call("news", str(day))
        rows = [
            {"key": key, "day": day, "at": instant_at(day, 90_000), "symbols": "", "source": "memory", "title": key}
            for key in self.headlines_of.get(day, [])
        ]
        return pa.Table.from_pylist(rows, NEWS)

    async def corporate_actions(self, start: dt.date, end: dt.date) -> pa.Table:
        await self._call("actions", "")
        row = {"symbol": "005930", "day": end, "kind": "split", "ratio": 50.0, "detail": "", "as_of": LAST}
        return pa.Table.from_pylist([row], CORPORATE_ACTIONS)


def _net(key: dict[str, object]) -> dict[str, object]:
    nets = {f"{who}_{unit}": 1 for who in ("foreign", "institution", "individual") for unit in ("sh", "won")}
    return {**key, **nets}


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
