"""Minutes as they happen: slices of a feed into the lake, and the history after the close over them.

A session's minutes are provisional from the first slice on, and said to be so before it is written: whatever a stream
lost, a socket dropped or a killed process never wrote is asked for after the close, and the history counts. A feed that
fails is opened again until the close; only what a person must mend ends the day.
Not here: sockets, ticks and tiers (``MarketFeed``), the comparison itself (`minutes`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import structlog

from haetae.collector import minutes
from haetae.collector.jobs import PROVISIONAL, JobReport, Shop, finding, findings
from haetae.domain.errors import BrokerError, ConfigError, DataError, Fatal
from haetae.domain.market import Slice
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, Symbol, day_of
from haetae.krx import Rulebook
from haetae.krx.calendar import is_trading_day, next_trading_day
from haetae.ports import MarketFeed
from haetae.ports.tables import MINUTE

_log = structlog.get_logger(__name__)
_PAUSES_S = (5.0, 15.0, 30.0, 60.0)
"""Between two tries to open a feed that failed; no loop of connects looks like an attack."""
_EARLY = 10 * NS_PER_MINUTE
"""The feed is opened so long before the session, to learn every name's price before the first minute."""
_INDEX_EVERY = 90 * NS_PER_MINUTE
"""The source keeps about a hundred minutes of an index."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """One session: slices taken, rows written from them, times the feed broke, and the repair after the close."""

    day: dt.date
    slices: int
    rows: int
    breaks: int
    repair: JobReport


class LiveCollector:
    """Keeps the minutes of a fixed set of names while a session runs."""

    def __init__(self, shop: Shop, feed: MarketFeed, symbols: Sequence[Symbol]) -> None:
        """Open nothing yet; names early in ``symbols`` are streamed, the others asked for."""
        self._shop = shop
        self._feed = feed
        self._symbols = tuple(dict.fromkeys(symbols))
        self._held: list[Slice] = []
        self._rows = self._slices = self._breaks = 0

    async def repair_pending(self) -> JobReport | None:
        """Compare the sessions an earlier process left provisional; None if there are none."""
        marked = self._shop.noted("minute", PROVISIONAL)[PROVISIONAL]
        days = sorted({day for found in marked.values() for day in found})
        if not days:
            return None
        return await minutes.collect(self._shop, sorted(marked), days[0], days[-1])

    async def session(self) -> SessionReport:
        """Wait for the next session (or join the one that runs), collect it, repair it after the close."""
        clock = self._shop.clock
        day = coming_session(clock.now())
        session = Rulebook.on(day).session
        await self._until(session.open_at - _EARLY)
        self._held, self._rows, self._slices, self._breaks = [], 0, 0, 0
        watching = asyncio.create_task(self._indices(session.open_at, session.close_at))
        try:
            await self._take_until(day, session.close_at)
            await self._until(session.close_at + self._shop.settings.settle_minutes * NS_PER_MINUTE)
            await watching
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self._flush(day)
        await self._mark(day)
        repair = await minutes.collect(self._shop, self._symbols, day, day)
        return SessionReport(day, self._slices, self._rows, self._breaks, repair)

    async def _until(self, at: Instant) -> None:
        clock = self._shop.clock
        while (left := at - clock.now()) > 0:
            await clock.sleep(left / NS_PER_SECOND)

    async def _take_until(self, day: dt.date, close_at: Instant) -> None:
        clock, tries = self._shop.clock, 0
        while clock.now() < close_at:
            before = self._slices
            try:
                async for event in self._feed.stream(self._symbols):
                    if isinstance(event, Slice):
                        await self._take(day, event)
                return
            except (Fatal, ConfigError):
                raise
            except (BrokerError, DataError) as fault:
                self._breaks += 1
                tries = 0 if self._slices > before else tries + 1
                pause = _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
                _log.warning("collector.feed_broke", day=str(day), fault=str(fault), pause_s=pause)
                await clock.sleep(pause)

    async def _take(self, day: dt.date, piece: Slice) -> None:
        if not self._slices:
            await self._mark(day)
        self._slices += 1
        self._held.append(piece)
        if len(self._held) >= self._shop.settings.flush_minutes:
            await self._flush(day)

    async def _mark(self, day: dt.date) -> None:
        """Say that the day is provisional; names whose day was compared already stay compared."""
        rows = [finding("minute", symbol, day, PROVISIONAL, "from the stream") for symbol in self._symbols]
        await self._shop.write("quality", findings(rows))

    async def _flush(self, day: dt.date) -> None:
        held, self._held = self._held, []
        rows = [row for piece in held for row in _rows(day, piece)]
        self._rows += await self._shop.write("minute", pa.Table.from_pylist(rows, schema=MINUTE))

    async def _indices(self, opens: Instant, closes: Instant) -> None:
        """Ask for the minutes of the indices often enough that none is lost."""
        at = opens + _INDEX_EVERY
        while True:
            await self._until(min(at, closes + NS_PER_MINUTE))
            for index in self._shop.settings.indices:
                try:
                    await self._shop.write("index_minute", await self._shop.source.index_minutes(index))
                except (BrokerError, DataError) as fault:
                    _log.warning("collector.index_failed", index=index, fault=str(fault))
            if at > closes:
                return
            at += _INDEX_EVERY


def _rows(day: dt.date, piece: Slice) -> list[dict[str, object]]:
    """Return the bars of the names that traded in a slice."""
    columns = zip(
        piece.symbols, piece.open, piece.high, piece.low, piece.close, piece.volume, piece.traded, strict=True
    )
    return [
        {
            "symbol": symbol, "day": day, "start": piece.start, "open": int(opened), "high": int(high),
            "low": int(low), "close": int(close), "volume": int(volume),
        }
        for symbol, opened, high, low, close, volume, traded in columns
        if traded
    ]  # fmt: skip


def coming_session(now: Instant) -> dt.date:
    """Return the day of the session that runs or comes next."""
    day = day_of(now)
    if is_trading_day(day) and now < Rulebook.on(day).session.close_at:
        return day
    return next_trading_day(day)
