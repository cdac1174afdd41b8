"""Market history from a source into the lake: what is missing, no more, again and again.

A run asks for what the lake does not have yet and writes after each batch of symbols, so it may be
stopped at any instant and started again. A day is asked for only when its session is finished
(``settle_minutes`` after the close by the injected clock). What a source does not have is remembered
in ``quality`` (``NO_BARS``) and not asked for again. A symbol that fails is reported and left for
the next run; only what a person must mend (keys, disk, configuration) ends the run.

Here: the jobs and their order. Not here: the broker's calls and their pacing (``MarketSource``),
files (``BarLake``), judgement of series (``quality``).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from haetae.collector.quality import QualityReport, inspect_daily, inspect_minutes, repetitions, report_of, resolved
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import BrokerError, ConfigError, DataError, Fatal
from haetae.domain.market import Instrument
from haetae.domain.units import NS_PER_MINUTE, Symbol, day_of, instant_at
from haetae.krx.calendar import closes_at, trading_days
from haetae.ports import BarLake, Clock, MarketSource
from haetae.ports.tables import DELISTED, FLAGS, QUALITY, RESOLVED, TABLES, instrument_rows

Progress: TypeAlias = Callable[[str, int, int], None]
_Answer = TypeVar("_Answer")
_log = structlog.get_logger(__name__)
_UNKNOWN_DAY = dt.date(1970, 1, 1)
NO_BARS = "NO_BARS"
"""Code of a remembered answer: the source has no bars of this symbol before (daily) or on (minute) a day."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One symbol that could not be collected this time."""

    job: str
    symbol: Symbol
    detail: str


@dataclass(frozen=True, slots=True)
class JobReport:
    """What one job did: items asked for, items the lake had already, rows written, failures."""

    job: str
    asked: int
    skipped: int
    rows: int
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectReport:
    """All jobs of a run and the inspection after them."""

    jobs: tuple[JobReport, ...]
    quality: QualityReport

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Failures of all jobs."""
        return tuple(failure for job in self.jobs for failure in job.failures)


@dataclass(frozen=True, slots=True)
class _Ask:
    """One call to make: bars of a symbol in a range of days.

    ``oldest_known``: the range reaches back before everything the lake has, so an answer that
    begins later tells where the source's history begins.
    """

    symbol: Symbol
    start: dt.date
    end: dt.date
    oldest_known: bool = True


class Collector:
    """Fills a lake from a source; see the module."""

    def __init__(
        self,
        source: MarketSource,
        lake: BarLake,
        clock: Clock,
        settings: CollectorSettings | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Take the sockets; ``progress`` is called with ``(job, done, total)``."""
        self._source = source
        self._lake = lake
        self._clock = clock
        self._settings = settings or CollectorSettings()
        self._progress = progress or (lambda job, done, total: None)

    async def collect(self, start: dt.date, end: dt.date, *, minutes_from: dt.date | None = None) -> CollectReport:
        """Run every job for ``start <= day <= end`` and inspect the result.

        Minutes are collected from ``minutes_from`` on; None leaves them out.
        """
        listing, flags = await self._instruments()
        symbols = sorted(each.symbol for each in listing)
        listed = {each.symbol: each.listed_on for each in listing}
        jobs = [flags[0], flags[1], await self.calendar(start, end), await self.index(start, end)]
        jobs.append(await self.daily(symbols, start, end, listed=listed))
        if minutes_from is not None:
            jobs.append(await self.minute(symbols, minutes_from, end))
        return CollectReport(tuple(jobs), await self.inspect(start, end, listed=symbols))

    def finished_sessions(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Return the sessions of a range that are over by the clock and settled."""
        now = self._clock.now() - self._settings.settle_minutes * NS_PER_MINUTE
        end = min(end, day_of(now))
        if end < start:
            return ()
        return tuple(day for day in trading_days(start, end) if instant_at(day, closes_at(day)) <= now)

    # -- jobs --------------------------------------------------------------------------------

    async def instruments(self) -> JobReport:
        """Collect today's list; names that left it get a last row flagged ``delisted``."""
        return (await self._instruments())[1][0]

    async def _instruments(self) -> tuple[tuple[Instrument, ...], tuple[JobReport, JobReport]]:
        today = day_of(self._clock.now())
        given = await self._source.instruments()
        listing = tuple(replace(each, as_of=today) if each.as_of == _UNKNOWN_DAY else each for each in given)
        rows = pa.concat_tables([instrument_rows(listing), self._departed(listing, today)])
        await self._write("instruments", rows)
        flags = [
            {"symbol": each.symbol, "day": each.as_of, "flag": flag} for each in listing for flag in sorted(each.flags)
        ]
        await self._write("flags", pa.Table.from_pylist(flags, schema=FLAGS))
        self._progress("instruments", 1, 1)
        done = (JobReport("instruments", 1, 0, len(rows)), JobReport("flags", 0, 0, len(flags)))
        for report in done:
            self._finished(report)
        return listing, done

    def _departed(self, listing: Sequence[Instrument], today: dt.date) -> pa.Table:
        known = self._lake.read("instruments", end=today)
        newest = {row["symbol"]: row for row in known.to_pylist()}
        here = {each.symbol for each in listing}
        gone = [
            {**row, "flags": DELISTED, "as_of": today}
            for symbol, row in sorted(newest.items())
            if symbol not in here and row["flags"] != DELISTED and row["as_of"] < today
        ]
        return pa.Table.from_pylist(gone, schema=TABLES["instruments"].schema)

    async def calendar(self, start: dt.date, end: dt.date) -> JobReport:
        """Compare the source's trading days with the calendar; differences become findings."""
        theirs = set(await self._source.open_days(start, end))
        ours = set(trading_days(start, end))
        rows = [
            {"day": day, "table": "daily", "symbol": "", "code": "CALENDAR_DIFFERS", "detail": detail}
            for day, detail in sorted(
                [(day, "the source trades, our calendar is closed") for day in theirs - ours]
                + [(day, "our calendar trades, the source is closed") for day in ours - theirs]
            )
        ]
        await self._write("quality", pa.Table.from_pylist(rows, schema=QUALITY))
        return self._finished(JobReport("calendar", 1, 0, len(rows)))

    async def index(self, start: dt.date, end: dt.date) -> JobReport:
        """Collect daily bars of the indices."""
        return await self._series("index_daily", list(self._settings.indices), start, end, {})

    async def daily(
        self,
        symbols: Sequence[Symbol],
        start: dt.date,
        end: dt.date,
        *,
        listed: dict[Symbol, dt.date] | None = None,
    ) -> JobReport:
        """Collect daily bars: before the oldest and after the newest the lake has of each symbol."""
        return await self._series("daily", symbols, start, end, listed or {})

    async def _series(
        self, table: str, names: Sequence[str], start: dt.date, end: dt.date, listed: dict[Symbol, dt.date]
    ) -> JobReport:
        sessions = self.finished_sessions(start, end)
        if not sessions:
            return self._finished(JobReport(table, 0, len(names), 0))
        key = TABLES[table].keys[0]
        have = self._lake.read(table, symbols=names, start=sessions[0], end=sessions[-1])
        spans = have.group_by(key).aggregate([("day", "min"), ("day", "max")]).to_pylist()
        span = {row[key]: (row["day_min"], row["day_max"]) for row in spans}
        barren = self._barren(table)
        asks: list[_Ask] = []
        for name in names:
            wanted = [day for day in sessions if day >= listed.get(name, _UNKNOWN_DAY)]
            asks.extend(_missing(name, wanted, span.get(name), barren.get(name)))
        call = self._source.index_bars if table == "index_daily" else self._source.daily_bars

        async def fetch(ask: _Ask) -> pa.Table:
            return await call(ask.symbol, ask.start, ask.end)

        def remember(ask: _Ask, rows: pa.Table) -> dt.date | None:
            if not ask.oldest_known:
                return None
            oldest = pc.min(rows.column("day")).as_py() if len(rows) else ask.end
            return oldest if oldest > ask.start or not len(rows) else None

        return await self._run(table, asks, len(names), fetch, remember)

    async def minute(self, symbols: Sequence[Symbol], start: dt.date, end: dt.date) -> JobReport:
        """Collect minute bars of whole sessions; a symbol with bars on a day has the day."""
        total = JobReport("minute", 0, 0, 0)
        barren = self._lake.read("quality", symbols=["minute"]).to_pylist()
        empty = {(row["symbol"], row["day"]) for row in barren if row["code"] == NO_BARS}
        for day in self.finished_sessions(start, end):
            have = set(pc.unique(self._lake.read("minute", start=day, end=day).column("symbol")).to_pylist())
            asks = [_Ask(name, day, day) for name in symbols if name not in have and (name, day) not in empty]

            async def fetch(ask: _Ask) -> pa.Table:
                return await self._source.minute_bars(ask.symbol, ask.start)

            def remember(ask: _Ask, rows: pa.Table) -> dt.date | None:
                return None if len(rows) else ask.start

            part = await self._run("minute", asks, len(symbols), fetch, remember)
            total = JobReport(
                "minute",
                total.asked + part.asked,
                total.skipped + part.skipped,
                total.rows + part.rows,
                (*total.failures, *part.failures),
            )
        return total

    async def inspect(self, start: dt.date, end: dt.date, *, listed: Sequence[Symbol] = ()) -> QualityReport:
        """Inspect the collected series, store the findings, and mark earlier ones that are gone."""
        sessions = self.finished_sessions(start, end)
        daily = self._lake.read("daily", start=start, end=end)
        until = sessions[-1] if sessions else None
        parts = [inspect_daily(daily, self._settings, listed=listed, until=until)]
        bars = 0
        for day in trading_days(start, end):
            minutes = self._lake.read("minute", start=day, end=day)
            bars += len(minutes)
            if len(minutes):
                same_day = daily.filter(pc.equal(daily.column("day"), pa.scalar(day, pa.date32())))
                parts.append(inspect_minutes(minutes, same_day))
        found = pa.concat_tables(parts)
        earlier = self._lake.read("quality", start=start, end=end)
        await self._write("quality", pa.concat_tables([found, resolved(earlier, found, RESOLVED)]))
        symbols = len(pc.unique(daily.column("symbol")))
        return report_of(found, {"daily": len(daily), "minute": bars}, symbols)

    # -- the common run ----------------------------------------------------------------------

    async def _run(
        self,
        job: str,
        asks: Sequence[_Ask],
        items: int,
        fetch: Callable[[_Ask], Awaitable[pa.Table]],
        remember: Callable[[_Ask, pa.Table], dt.date | None],
    ) -> JobReport:
        gate = asyncio.Semaphore(self._settings.concurrency)
        failures: list[Failure] = []
        written = 0

        async def one(ask: _Ask) -> tuple[_Ask, pa.Table] | None:
            async with gate:
                try:
                    return ask, await fetch(ask)
                except (Fatal, ConfigError):
                    raise
                except (BrokerError, DataError) as fault:
                    _log.warning("collector.symbol_failed", job=job, symbol=ask.symbol, error=str(fault))
                    failures.append(Failure(job, ask.symbol, str(fault)))
                    return None

        size = self._settings.batch_symbols
        for first in range(0, len(asks), size):
            batch = asks[first : first + size]
            answers = [answer for answer in await _together([one(ask) for ask in batch]) if answer is not None]
            keys = TABLES[job].keys
            doubled = [repetitions(job, keys, ask.symbol, ask.end, rows) for ask, rows in answers]
            await self._write("quality", *doubled)
            written += await self._write(job, *(rows for _, rows in answers))
            await self._remember(job, [(ask, remember(ask, rows)) for ask, rows in answers])
            self._progress(job, first + len(batch), len(asks))
        asked = len({ask.symbol for ask in asks})
        return self._finished(JobReport(job, len(asks), items - asked, written, tuple(failures)))

    async def _write(self, table: str, *pieces: pa.Table) -> int:
        full = [piece for piece in pieces if len(piece)]
        if not full:
            return 0
        rows = pa.concat_tables(full, promote_options="permissive")
        await asyncio.to_thread(self._lake.write, table, rows, keys=TABLES[table].keys)
        return len(rows)

    async def _remember(self, table: str, answers: Iterable[tuple[_Ask, dt.date | None]]) -> None:
        rows = [
            {"day": day, "table": table, "symbol": ask.symbol, "code": NO_BARS, "detail": f"asked from {ask.start}"}
            for ask, day in answers
            if day is not None
        ]
        await self._write("quality", pa.Table.from_pylist(rows, schema=QUALITY))

    def _barren(self, table: str) -> dict[Symbol, dt.date]:
        """Return per symbol the newest day before which the source was found to have nothing."""
        rows = self._lake.read("quality", symbols=[table]).to_pylist()
        return {row["symbol"]: row["day"] for row in rows if row["code"] == NO_BARS}

    def _finished(self, report: JobReport) -> JobReport:
        _log.info(
            "collector.job_finished",
            job=report.job,
            asked=report.asked,
            skipped=report.skipped,
            rows=report.rows,
            failures=len(report.failures),
        )
        return report


async def _together(calls: Sequence[Coroutine[Any, Any, _Answer]]) -> list[_Answer]:
    """Return all answers; if one call ends the run, the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _missing(
    name: Symbol, wanted: Sequence[dt.date], span: tuple[dt.date, dt.date] | None, barren: dt.date | None
) -> list[_Ask]:
    """Return the ranges before and after what the lake has, without what is known to be empty."""
    if span is None:
        days = [day for day in wanted if barren is None or day > barren]
        return [_Ask(name, days[0], days[-1])] if days else []
    oldest, newest = span
    before = [day for day in wanted if day < oldest] if barren is None else []
    after = [day for day in wanted if day > newest]
    return [_Ask(name, days[0], days[-1], days is before) for days in (before, after) if days]
