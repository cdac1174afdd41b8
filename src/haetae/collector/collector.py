"""Market history from a source into the lake: what is missing, no more, again and again.

A run asks for what the lake does not have yet and writes after each batch, so it may be stopped at any instant and
started again. A day is asked for only when its session is finished (``settle_minutes`` after the close by the injected
clock). What a source does not have is remembered in ``quality`` and not asked for again.

Here: the face over the jobs and the inspection after them. Not here: the jobs (`series`, `minutes`, `reference`),
their common run (`jobs`), files (``BarLake``), judgement of series (`quality`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from haetae.collector import minutes, reference, series
from haetae.collector.jobs import JobReport, Progress, Shop, Want
from haetae.collector.quality import QualityReport, inspect_daily, inspect_minutes, report_of, resolved
from haetae.collector.settings import CollectorSettings
from haetae.domain.market import Instrument
from haetae.domain.units import Symbol
from haetae.krx.calendar import trading_days
from haetae.ports import BarLake, Clock, MarketSource
from haetae.ports.tables import RESOLVED


@dataclass(frozen=True, slots=True)
class CollectReport:
    """All jobs of a run and the inspection after them."""

    jobs: tuple[JobReport, ...]
    quality: QualityReport


class Collector:
    """Fills a lake from a source; see the module. Ranges of days are inclusive."""

    def __init__(
        self,
        source: MarketSource,
        lake: BarLake,
        clock: Clock,
        settings: CollectorSettings | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Take the sockets; ``progress`` is called with ``(job, done, total)``."""
        self._shop = Shop(
            source, lake, clock, settings or CollectorSettings(), progress or (lambda job, done, total: None)
        )

    async def collect(self, start: dt.date, end: dt.date, *, minutes_from: dt.date | None = None) -> CollectReport:
        """Run the jobs a research lake needs and inspect the result.

        Minutes are collected from ``minutes_from`` on; None leaves them out.
        """
        listing, named = await reference.master(self._shop)
        symbols = sorted(each.symbol for each in listing)
        listed = {each.symbol: each.listed_on for each in listing}
        jobs = [*named, await self.holidays(*reference.coming(self._shop)), await self.index(start, end)]
        jobs.append(await self.daily(symbols, start, end, listed=listed))
        if minutes_from is not None:
            jobs.append(await self.minute(symbols, minutes_from, end, listed=listed))
        return CollectReport(tuple(jobs), await self.inspect(start, end, listed=symbols))

    def finished_sessions(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Return the sessions of a range that are over by the clock and settled."""
        return self._shop.finished_sessions(start, end)

    async def listing(self) -> tuple[tuple[Instrument, ...], tuple[JobReport, JobReport]]:
        """Collect today's list of names with their flags, and return it."""
        return await reference.master(self._shop)

    async def instruments(self) -> JobReport:
        """Collect today's list of names with their flags."""
        return (await reference.master(self._shop))[1][0]

    async def holidays(self, start: dt.date, end: dt.date) -> JobReport:
        """Collect the source's calendar and compare it with ours."""
        return await reference.holidays(self._shop, start, end)

    async def index(self, start: dt.date, end: dt.date) -> JobReport:
        """Collect daily bars of the indices."""

        async def fetch(want: Want) -> pa.Table:
            return await self._shop.source.index_bars(want.name, want.start, want.end)

        sessions = self._shop.finished_sessions(start, end)
        return await series.collect(self._shop, "index_daily", self._shop.settings.indices, sessions, fetch)

    async def index_minutes(self) -> JobReport:
        """Collect the newest minutes of the indices."""
        return await reference.index_minutes(self._shop)

    async def daily(
        self,
        symbols: Sequence[Symbol],
        start: dt.date,
        end: dt.date,
        *,
        listed: Mapping[Symbol, dt.date] | None = None,
    ) -> JobReport:
        """Collect the daily bars the lake does not have."""

        async def fetch(want: Want) -> pa.Table:
            return await self._shop.source.daily_bars(want.name, want.start, want.end)

        sessions = self._shop.finished_sessions(start, end)
        return await series.collect(self._shop, "daily", symbols, sessions, fetch, listed=listed)

    async def period(
        self,
        table: str,
        symbols: Sequence[Symbol],
        start: dt.date,
        end: dt.date,
        *,
        listed: Mapping[Symbol, dt.date] | None = None,
    ) -> JobReport:
        """Collect ``weekly`` or ``monthly`` bars of the periods that are over."""

        async def fetch(want: Want) -> pa.Table:
            return await self._shop.source.period_bars(want.name, table, want.start, want.end)

        ends = series.period_ends(self._shop, table, start, end)
        return await series.collect(self._shop, table, symbols, ends, fetch, listed=listed)

    async def navs(self, symbols: Sequence[Symbol], start: dt.date, end: dt.date) -> JobReport:
        """Collect the daily NAVs of ETFs."""

        async def fetch(want: Want) -> pa.Table:
            return await self._shop.source.navs(want.name, want.start, want.end)

        sessions = self._shop.finished_sessions(start, end)
        return await series.collect(self._shop, "etf_nav", symbols, sessions, fetch)

    async def flows(self, symbols: Sequence[Symbol], start: dt.date, end: dt.date) -> tuple[JobReport, JobReport]:
        """Collect net purchases of names and of both markets."""

        async def fetch(want: Want) -> pa.Table:
            return await self._shop.source.flows(want.name, want.start, want.end)

        sessions = self._shop.finished_sessions(start, end)
        of_names = await series.collect(self._shop, "flows", symbols, sessions, fetch)
        return of_names, await reference.market_flows(self._shop, start, end)

    async def minute(
        self,
        symbols: Sequence[Symbol],
        start: dt.date,
        end: dt.date,
        *,
        listed: Mapping[Symbol, dt.date] | None = None,
    ) -> JobReport:
        """Collect minute bars of whole sessions; provisional sessions are compared with the history."""
        return await minutes.collect(self._shop, symbols, start, end, listed=listed)

    async def fundamentals(self, symbols: Sequence[Symbol]) -> JobReport:
        """Collect the statements of names."""
        return await reference.fundamentals(self._shop, symbols)

    async def status(self, symbols: Sequence[Symbol], day: dt.date) -> tuple[JobReport, JobReport]:
        """Collect the status flags of names today, and the interruptions of a day."""
        return await reference.status(self._shop, symbols), await reference.interruptions(self._shop, day)

    async def rankings(self) -> JobReport:
        """Collect the leader boards as they stand now."""
        return await reference.rankings(self._shop)

    async def news(self, start: dt.date, end: dt.date) -> JobReport:
        """Collect headlines."""
        return await reference.news(self._shop, start, end)

    async def corporate_actions(self, start: dt.date, end: dt.date) -> JobReport:
        """Collect splits, issues, mergers and dividends."""
        return await reference.corporate_actions(self._shop, start, end)

    async def inspect(self, start: dt.date, end: dt.date, *, listed: Sequence[Symbol] = ()) -> QualityReport:
        """Inspect the collected series, store the findings, and mark earlier ones that are gone."""
        shop = self._shop
        sessions = shop.finished_sessions(start, end)
        daily = shop.lake.read("daily", start=start, end=end)
        until = sessions[-1] if sessions else None
        parts = [inspect_daily(daily, shop.settings, listed=listed, until=until)]
        bars = 0
        for day in trading_days(start, end):
            rows = shop.lake.read("minute", start=day, end=day)
            bars += len(rows)
            if len(rows):
                same_day = daily.filter(pc.equal(daily.column("day"), pa.scalar(day, pa.date32())))
                parts.append(inspect_minutes(rows, same_day))
        found = pa.concat_tables(parts)
        earlier = shop.lake.read("quality", start=start, end=end)
        await shop.write("quality", pa.concat_tables([found, resolved(earlier, found, RESOLVED)]))
        symbols = len(pc.unique(daily.column("symbol")))
        return report_of(found, {"daily": len(daily), "minute": bars}, symbols)
