"""Collection through the broker's client, over the wire, into the lake, with refusals told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haetae.collector.collector import Collector
from haetae.collector.jobs import JobReport
from haetae.collector.quality import QualityReport
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import DataError, Text
from haetae.domain.units import Symbol
from haetae.kis.rest import KisRest
from haetae.kis.settings import KisSettings
from haetae.kis.source import KisSource
from haetae.krx.calendar import trading_days
from haetae.ports import Clock
from haetae.store.lake import Lake
from haetae.wiring.dice import process_dice
from haetae.wiring.screen import Screen

_JOBS = {
    "instruments": Text(ko="종목 마스터", en="master files"),
    "index_daily": Text(ko="지수 일봉", en="index, daily"),
    "daily": Text(ko="종목 일봉", en="stocks, daily"),
    "minute": Text(ko="종목 분봉", en="stocks, minutes"),
}
COLLECT = CollectorSettings(concurrency=8, batch_symbols=60)
"""Eight calls in flight: the emulator answers in a millisecond and its clock runs fast."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Jobs done and what the inspection found."""

    jobs: tuple[JobReport, ...]
    quality: QualityReport


async def collect_daily(
    kis: KisSettings, clock: Clock, lake: Lake, start: dt.date, end: dt.date, screen: Screen
) -> Collected:
    """Collect master files, flags, calendar, indices and daily bars of ``start <= day <= end``."""
    async with KisRest(kis, clock, process_dice("kis.rest")) as rest:
        collector = Collector(KisSource(rest, clock), lake, clock, COLLECT, _teller(screen))
        report = await collector.collect(start, end)
    _refuse_gaps(report.jobs)
    return Collected(report.jobs, report.quality)


async def collect_minutes(
    kis: KisSettings, clock: Clock, lake: Lake, symbols: Sequence[Symbol], sessions: Sequence[dt.date], screen: Screen
) -> JobReport:
    """Collect the minute bars of whole sessions, one bar over all of them."""
    async with KisRest(kis, clock, process_dice("kis.rest")) as rest:
        collector = Collector(KisSource(rest, clock), lake, clock, COLLECT, _teller(screen))
        report = await collector.minute(list(symbols), sessions[0], sessions[-1])
    _refuse_gaps([report])
    return report


def sessions_before(day: dt.date, count: int) -> tuple[dt.date, ...]:
    """Return the last ``count`` sessions up to and including ``day``."""
    return trading_days(day - dt.timedelta(days=2 * count + 20), day)[-count:]


def _teller(screen: Screen) -> Callable[[str, int, int], None]:
    def tell(job: str, done: int, total: int) -> None:
        if job in _JOBS and total:
            screen.progress(_JOBS[job], done, total)

    return tell


def _refuse_gaps(jobs: Sequence[JobReport]) -> None:
    failures = [failure for job in jobs for failure in job.failures]
    if failures:
        first = failures[0]
        raise DataError(
            Text(ko=f"{len(failures)}건을 수집하지 못했습니다", en=f"{len(failures)} items could not be collected"),
            expected="every bar of every listed name",
            found=f"{first.job} {first.symbol}: {first.detail}",
            next_step=Text(
                ko="같은 명령을 다시 실행하면 이어서 수집합니다", en="run again; it continues where it stopped"
            ),
        )
