"""What a job of collection reports, and the run that all jobs share.

A run asks a source for what is wanted and writes after each batch of answers, while the next answers are already on
their way; it may be stopped at any instant and loses at most a batch. An item that fails is reported and left for the
next run; only what a person must mend (keys, disk, configuration) ends the run, after what had come was written.
Not here: what is wanted (`series`, `minutes`, `reference`), the broker's pace (the source).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

import pyarrow as pa
import structlog

from haetae.collector.quality import repetitions
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import BrokerError, ConfigError, DataError, Fatal
from haetae.domain.units import NS_PER_MINUTE, day_of, instant_at
from haetae.krx.calendar import closes_at, trading_days
from haetae.ports import BarLake, Clock, Effort, MarketSource
from haetae.ports.tables import QUALITY, TABLES

Progress: TypeAlias = Callable[[str, int, int], None]
_log = structlog.get_logger(__name__)

NO_HISTORY = "NO_HISTORY"
"""Code of a remembered answer: the source has nothing of this name on this day or before."""
NO_BARS = "NO_BARS"
"""Code of a remembered answer: the source has nothing of this name on this day."""
PROVISIONAL = "PROVISIONAL"
"""Code of a session whose minutes came from the stream and have not been compared with the history yet."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One name that could not be collected this time."""

    job: str
    symbol: str
    detail: str


@dataclass(frozen=True, slots=True)
class JobReport:
    """What one job did.

    Attributes
    ----------
    asked, skipped : int
        Items asked for, and items the lake had already.
    rows, repairs : int
        Rows written, and of these the ones that replaced or filled what a stream had left.
    gaps : int
        (name, day) pairs that are still missing although the source may have them.
    absent : int
        (name, day) pairs the source was asked for and does not have.
    calls, least_calls : int
        Calls made, and the fewest that could have brought the rows.
    seconds, least_seconds : float
        Time on the job's clock, and what the fewest calls take at the permitted rate (0 where there is no limit).
    """

    job: str
    asked: int = 0
    skipped: int = 0
    rows: int = 0
    failures: tuple[Failure, ...] = ()
    gaps: int = 0
    absent: int = 0
    repairs: int = 0
    calls: int = 0
    least_calls: int = 0
    seconds: float = 0.0
    least_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second of the job's clock."""
        return self.calls / self.seconds if self.seconds > 0 else 0.0

    def then(self, later: JobReport) -> JobReport:
        """Return both runs of the same job as one; what is missing is what the later one says."""
        return replace(
            later,
            asked=self.asked + later.asked,
            rows=self.rows + later.rows,
            absent=self.absent + later.absent,
            repairs=self.repairs + later.repairs,
            calls=self.calls + later.calls,
            least_calls=self.least_calls + later.least_calls,
            seconds=self.seconds + later.seconds,
            least_seconds=self.least_seconds + later.least_seconds,
        )


@dataclass(frozen=True, slots=True)
class Want:
    """Rows of one name over a run of days, without a gap in what is wanted."""

    name: str
    days: tuple[dt.date, ...]

    @property
    def start(self) -> dt.date:
        """First day."""
        return self.days[0]

    @property
    def end(self) -> dt.date:
        """Last day."""
        return self.days[-1]


class Word(Enum):
    """What workers tell the one who writes: write what you hold, for the last fetch has begun; or that it has ended."""

    WRITE = "write"
    END = "end"


Fetch: TypeAlias = Callable[[Want], Awaitable[pa.Table]]
Judge: TypeAlias = Callable[[Want, pa.Table], pa.Table]
"""What an answer teaches: rows for ``quality``, such as days the source does not have."""


@dataclass(slots=True)
class Shop:
    """What every job works with."""

    source: MarketSource
    lake: BarLake
    clock: Clock
    settings: CollectorSettings
    progress: Progress

    def finished_sessions(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Return the sessions of a range that are over by the clock and settled."""
        now = self.clock.now() - self.settings.settle_minutes * NS_PER_MINUTE
        end = min(end, day_of(now))
        if end < start:
            return ()
        return tuple(day for day in trading_days(start, end) if instant_at(day, closes_at(day)) <= now)

    def noted(self, table: str, *codes: str) -> dict[str, dict[str, set[dt.date]]]:
        """Return the remembered days of a table by code and name."""
        found: dict[str, dict[str, set[dt.date]]] = {code: {} for code in codes}
        for row in self.lake.read("quality", symbols=[table]).to_pylist():
            if row["code"] in found and not row["detail"].startswith("resolved"):
                found[row["code"]].setdefault(row["symbol"], set()).add(row["day"])
        return found

    async def write(self, table: str, *pieces: pa.Table) -> int:
        """Write rows in a thread; nothing is no version."""
        full = [piece for piece in pieces if len(piece)]
        if not full:
            return 0
        rows = pa.concat_tables(full, promote_options="permissive")
        await asyncio.to_thread(self.lake.write, table, rows, keys=TABLES[table].keys)
        return len(rows)

    def measure(self) -> Callable[[JobReport], JobReport]:
        """Begin to measure a job; the result completes its report with calls and time, and tells it."""
        effort, began = self.source.effort, self.clock.monotonic()

        def finished(report: JobReport) -> JobReport:
            spent: Effort = self.source.effort.since(effort)
            pace = self.settings.calls_per_second
            told = replace(
                report,
                calls=spent.calls,
                least_calls=spent.least,
                seconds=self.clock.monotonic() - began,
                least_seconds=spent.least / pace if pace else 0.0,
            )
            _log.info("collector.job_finished", job=told.job, asked=told.asked, rows=told.rows, gaps=told.gaps)
            return told

        return finished


def finding(table: str, name: str, day: dt.date, code: str, detail: str) -> dict[str, object]:
    """Return one row of ``quality``."""
    return {"day": day, "table": table, "symbol": name, "code": code, "detail": detail}


def findings(rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Return rows of ``quality`` as its table."""
    return pa.Table.from_pylist([dict(row) for row in rows], schema=QUALITY)


async def run(
    shop: Shop, table: str, wants: Sequence[Want], fetch: Fetch, judge: Judge, *, batch: int
) -> tuple[int, tuple[Failure, ...]]:
    """Fetch everything wanted and write it in batches; return rows written and failures.

    ``judge`` gives what an answer teaches for ``quality``, written with the answer. Raises what a person must mend.
    """
    failures: list[Failure] = []
    answers: asyncio.Queue[tuple[Want, pa.Table] | Word] = asyncio.Queue(maxsize=2 * batch)
    todo = iter(wants)
    begun = done = 0

    def count() -> None:
        nonlocal done
        done += 1
        shop.progress(table, done, len(wants))

    async def work() -> None:
        nonlocal begun
        for want in todo:
            begun += 1
            if begun == len(wants):
                await answers.put(Word.WRITE)
            try:
                rows = await fetch(want)
            except (Fatal, ConfigError):
                raise
            except (BrokerError, DataError) as fault:
                _log.warning("collector.item_failed", job=table, name=want.name, error=str(fault))
                failures.append(Failure(table, want.name, str(fault)))
                count()
                continue
            await answers.put((want, rows))

    async def store() -> int:
        written, held = 0, []
        keys = TABLES[table].keys
        ended = False
        while not ended:
            answer = await answers.get()
            ended = answer is Word.END
            if not isinstance(answer, Word):
                held.append(answer)
            if held and (isinstance(answer, Word) or len(held) >= batch):
                doubled = [repetitions(table, keys, want.name, want.end, rows) for want, rows in held]
                written += await shop.write(table, *(rows for _, rows in held))
                await shop.write("quality", *doubled, *(judge(want, rows) for want, rows in held))
                for _ in held:
                    count()
                held = []
        return written

    storing = asyncio.create_task(store())
    try:
        await _together([work() for _ in range(min(shop.settings.concurrency, max(1, len(wants))))], storing)
    finally:
        if not storing.done():
            await answers.put(Word.END)
        written = await storing
    return written, tuple(failures)


async def _together(workers: Sequence[Coroutine[Any, Any, None]], storing: asyncio.Task[int]) -> None:
    """Let all workers run to their end; if one fails or nothing can be stored, the others end too."""
    tasks = [asyncio.ensure_future(worker) for worker in workers]
    try:
        waiting: set[asyncio.Future[Any]] = set(tasks)
        while waiting and not storing.done():
            ended, _ = await asyncio.wait({*waiting, storing}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task in ended:
                    task.result()
            waiting -= ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
