"""Minutes as they happen: slices of a feed into the lake, and the history after the close over them.

A session's minutes are provisional from before its feed is opened: whatever a stream lost, a socket dropped or a killed
process never wrote is asked for after the close, and the history counts. What fails then is asked for again, for some
hours and after every later session; a session that passed without a process is made up for. A feed that fails is opened
again until the close; only what a person must mend ends the day.
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
from haetae.domain.errors import BrokerError, ConfigError, DataError, Fatal, Retryable
from haetae.domain.market import Slice
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, Symbol, day_of
from haetae.krx import Rulebook
from haetae.krx.calendar import is_trading_day, next_trading_day
from haetae.ports import MarketFeed
from haetae.ports.tables import MINUTE, RESOLVED

_log = structlog.get_logger(__name__)
_PAUSES_S = (5.0, 15.0, 30.0, 60.0)
"""Between two tries to open a feed that failed; no loop of connects looks like an attack."""
_EARLY = 10 * NS_PER_MINUTE
"""The feed is opened so long before the session, to learn every name's price before the first minute."""
_REPAIR_AGAIN_S = (60.0, 300.0, 900.0, 1_800.0, 3_600.0)
"""Between two repairs of what failed: an outage of the source lasts minutes, its maintenance comes at night."""
_INDEX_EVERY = 30 * NS_PER_MINUTE
"""The source keeps about a hundred minutes of an index: an outage of an hour loses none."""
_INDEX_AGAIN = NS_PER_MINUTE
"""Between two tries of what failed for a moment."""


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
        """Compare the sessions that are provisional still, and make up for those that passed since the last one.

        None if there are none. What fails stays provisional.
        """
        marks = [row for row in self._shop.lake.read("quality", symbols=["minute"]).to_pylist()
                 if row["code"] == PROVISIONAL]  # fmt: skip
        if not marks:
            return None
        left = [row for row in marks if not row["detail"].startswith(RESOLVED)]
        start = next_trading_day(max(row["day"] for row in marks))
        start, end = min([start, *(row["day"] for row in left)]), day_of(self._shop.clock.now())
        if not self._shop.finished_sessions(start, end):
            return None
        return await minutes.collect(self._shop, sorted({*self._symbols, *(row["symbol"] for row in left)}), start, end)

    async def _repair(self) -> JobReport:
        """Compare until nothing is left that the source may have, or until that has been tried for some hours."""
        report = await self.repair_pending() or JobReport("minute")
        for pause in _REPAIR_AGAIN_S:
            if not report.gaps:
                break
            _log.warning("collector.repair_incomplete", gaps=report.gaps, pause_s=pause)
            await self._shop.clock.sleep(pause)
            report = report.then(await self.repair_pending() or JobReport("minute"))
        return report

    async def session(self) -> SessionReport:
        """Wait for the next session (or join the one that runs), collect it, repair it after the close."""
        clock = self._shop.clock
        day = coming_session(clock.now())
        session = Rulebook.on(day).session
        await self._until(session.open_at - _EARLY)
        self._held, self._rows, self._slices, self._breaks = [], 0, 0, 0
        await self._mark(day)
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
        repair = await self._repair()
        await self._ask_indices(clock.now())
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
        self._slices += 1
        self._held.append(piece)
        if len(self._held) >= self._shop.settings.flush_minutes:
            await self._flush(day)

    async def _mark(self, day: dt.date) -> None:
        """Say that the day is provisional."""
        rows = [finding("minute", symbol, day, PROVISIONAL, "from the stream") for symbol in self._symbols]
        await self._shop.write("quality", findings(rows))

    async def _flush(self, day: dt.date) -> None:
        held, self._held = self._held, []
        rows = [row for piece in held for row in _rows(day, piece)]
        self._rows += await self._shop.write("minute", pa.Table.from_pylist(rows, schema=MINUTE))

    async def _indices(self, opens: Instant, closes: Instant) -> None:
        """Ask for the minutes of the indices often enough that none is lost, at first for those of the day before."""
        at, last = self._shop.clock.now(), closes + NS_PER_MINUTE
        while True:
            await self._until(min(at, last))
            at = self._shop.clock.now()
            await self._ask_indices(closes + self._shop.settings.settle_minutes * NS_PER_MINUTE)
            if at >= last:
                return
            at = max(at, opens) + _INDEX_EVERY

    async def _ask_indices(self, until: Instant) -> None:
        """Ask for the newest minutes of the indices, again up to ``until`` for what fails for a moment."""
        clock, wanted = self._shop.clock, list(self._shop.settings.indices)
        while True:
            for index in tuple(wanted):
                try:
                    await self._shop.write("index_minute", await self._shop.source.index_minutes(index))
                    wanted.remove(index)
                except (BrokerError, DataError) as fault:
                    _log.warning("collector.index_failed", index=index, fault=str(fault))
                    if not isinstance(fault, (Retryable, DataError)):
                        wanted.remove(index)
            if not wanted or clock.now() + _INDEX_AGAIN > until:
                return
            await clock.sleep(_INDEX_AGAIN / NS_PER_SECOND)


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
