"""The collector asks for what is missing, writes whole batches, and can be stopped at any time."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from haetae.collector.collector import Collector
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import Fatal
from haetae.domain.units import NS_PER_SECOND, instant_at
from haetae.krx.calendar import trading_days
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on, quality_lines
from unit.collector.world import EVENING, FIRST, LAST, MemorySource, StoppedClock, named

SESSIONS = trading_days(FIRST, LAST)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def collector(source: MemorySource, lake: Lake, at: int = EVENING, **chosen: int) -> Collector:
    return Collector(source, lake, StoppedClock(at), CollectorSettings(**chosen))


async def test_a_run_fills_every_table_and_finds_nothing_wrong(lake: Lake) -> None:
    source = MemorySource((named("000660"), named("005930", "halted")))
    report = await collector(source, lake).collect(FIRST, LAST, minutes_from=SESSIONS[-2])
    assert {job.job: job.rows for job in report.jobs} == {
        "instruments": 2, "flags": 1, "holidays": 24, "index_daily": 2 * len(SESSIONS),
        "daily": 2 * len(SESSIONS), "minute": 2 * 2 * 381,
    }  # fmt: skip
    assert report.quality.findings == 0
    assert report.quality.tables == {"daily": 2 * len(SESSIONS), "minute": 2 * 2 * 381}
    assert [job.failures for job in report.jobs] == [()] * len(report.jobs)


async def test_a_second_run_asks_for_no_bar_and_writes_no_version(lake: Lake) -> None:
    source = MemorySource((named("000660"), named("005930")))
    await collector(source, lake).collect(FIRST, LAST, minutes_from=SESSIONS[-2])
    source.calls.clear()
    before = lake.versions()
    report = await collector(source, lake).collect(FIRST, LAST, minutes_from=SESSIONS[-2])
    assert source.calls == [("instruments", "")]
    assert lake.versions() == before
    assert {job.job: job.skipped for job in report.jobs}["daily"] == 2


async def test_the_next_day_only_the_new_session_is_asked_for(lake: Lake) -> None:
    source = MemorySource((named("005930"),))
    await collector(source, lake, at=instant_at(SESSIONS[-2], 180_000)).collect(FIRST, LAST)
    rows = await collector(source, lake).daily(["005930"], FIRST, LAST)
    assert (rows.asked, rows.rows) == (1, 1)


async def test_an_older_start_asks_only_for_what_is_before(lake: Lake) -> None:
    source = MemorySource((named("005930"),))
    await collector(source, lake).daily(["005930"], SESSIONS[3], LAST)
    report = await collector(source, lake).daily(["005930"], FIRST, LAST)
    assert (report.asked, report.rows) == (1, 3)


@pytest.mark.parametrize(("hhmmss", "collected"), [(154_959, False), (155_000, True)])
async def test_a_session_is_collected_only_when_it_has_settled(lake: Lake, hhmmss: int, collected: bool) -> None:
    report = await collector(MemorySource(()), lake, at=instant_at(LAST, hhmmss)).daily(["005930"], LAST, LAST)
    assert report.rows == (1 if collected else 0)


async def test_the_late_close_of_the_exam_day_is_respected(lake: Lake) -> None:
    exam = dt.date(2026, 11, 19)
    early = collector(MemorySource(()), lake, at=instant_at(exam, 160_000))
    assert exam not in early.finished_sessions(FIRST, LAST)


async def test_a_name_is_not_asked_for_before_its_listing(lake: Lake) -> None:
    source = MemorySource((named("005930"),), history_from=SESSIONS[4])
    job = collector(source, lake)
    report = await job.daily(["005930"], FIRST, LAST, listed={"005930": SESSIONS[4]})
    assert report.rows == len(SESSIONS) - 4
    assert (await job.daily(["005930"], FIRST, LAST, listed={"005930": SESSIONS[4]})).asked == 0


async def test_what_the_source_does_not_have_is_remembered(lake: Lake) -> None:
    source = MemorySource((named("005930"),), history_from=SESSIONS[4], silent={("005930", LAST)})
    job = collector(source, lake)
    await job.daily(["005930"], FIRST, SESSIONS[-2])
    await job.minute(["005930"], LAST, LAST)
    source.calls.clear()
    await job.daily(["005930"], FIRST, SESSIONS[-2])
    await job.minute(["005930"], LAST, LAST)
    assert source.calls == []


async def test_a_symbol_that_fails_is_reported_and_the_next_run_completes_it(lake: Lake) -> None:
    source = MemorySource((named("000660"), named("005930")), broken={"000660"})
    report = await collector(source, lake).collect(FIRST, LAST)
    (daily,) = [job for job in report.jobs if job.job == "daily"]
    assert [(failure.job, failure.symbol) for failure in daily.failures] == [("daily", "000660")]
    assert daily.gaps == len(SESSIONS)
    assert ("daily", "ENDS_EARLY") in report.quality.counts
    source.broken.clear()
    report = await collector(source, lake).collect(FIRST, LAST)
    assert len(lake.read("daily", symbols=["000660"])) == len(SESSIONS)
    assert report.quality.findings == 0
    assert not [line for line in quality_lines(lake) if line.code == "ENDS_EARLY"]


async def test_what_a_person_must_mend_ends_the_run_and_keeps_finished_batches(lake: Lake) -> None:
    names = [f"{number:06d}" for number in range(6)]
    source = MemorySource((), broken={names[4]}, fatal=Fatal("the key is not valid", code="EGW00103"))
    with pytest.raises(Fatal):
        await collector(source, lake, batch_symbols=2, concurrency=1).daily(names, FIRST, LAST)
    assert pc.unique(lake.read("daily").column("symbol")).to_pylist() == names[:4]
    source.broken.clear()
    source.calls.clear()
    await collector(source, lake, batch_symbols=2).daily(names, FIRST, LAST)
    assert [name for _, name in source.calls] == names[4:]


async def test_no_more_calls_than_allowed_are_in_flight(lake: Lake) -> None:
    source = MemorySource(())
    await collector(source, lake, concurrency=3).daily([f"{n:06d}" for n in range(20)], FIRST, LAST)
    assert source.most_in_flight == 3


async def test_progress_tells_the_job_and_how_far_it_is(lake: Lake) -> None:
    told: list[tuple[str, int, int]] = []
    job = Collector(
        MemorySource(()), lake, StoppedClock(EVENING), CollectorSettings(batch_symbols=2),
        lambda name, done, total: told.append((name, done, total)),
    )  # fmt: skip
    await job.daily(["000001", "000002", "000003"], FIRST, LAST)
    assert told == [("daily", 1, 3), ("daily", 2, 3), ("daily", 3, 3)]


async def test_a_name_that_leaves_the_list_is_listed_until_that_day(lake: Lake) -> None:
    day = SESSIONS[-2]
    await collector(MemorySource((named("000660"), named("005930"))), lake, at=instant_at(day, 80_000)).instruments()
    await collector(MemorySource((named("005930"),)), lake).instruments()
    assert [each.symbol for each in instruments_on(lake, day)] == ["000660", "005930"]
    assert [each.symbol for each in instruments_on(lake, LAST)] == ["005930"]
    assert instruments_on(lake, day - dt.timedelta(days=1)) == ()


async def test_an_instrument_comes_back_as_it_was_given(lake: Lake) -> None:
    from dataclasses import replace

    given = replace(named("005930", "caution", "halted"), as_of=LAST, sector="G25", lot=10)
    await collector(MemorySource((given,)), lake).instruments()
    assert instruments_on(lake, LAST) == (given,)


async def test_a_calendar_that_differs_from_the_source_is_a_finding(lake: Lake) -> None:
    source = MemorySource((), closed_too={SESSIONS[2]})
    with capture_logs() as told:
        report = await collector(source, lake).holidays(FIRST, LAST)
    assert report.gaps == 1
    assert quality_lines(lake)[0].code == "CALENDAR_DIFFERS"
    alarms = [(line["day"], line["log_level"]) for line in told if line["event"] == "calendar.differed"]
    assert alarms == [(str(SESSIONS[2]), "error")]


async def test_the_calendar_is_asked_for_once_a_day(lake: Lake) -> None:
    source = MemorySource(())
    first = await collector(source, lake).holidays(FIRST, LAST)
    again = await collector(source, lake).holidays(FIRST, LAST)
    assert (first.rows, again.rows, again.skipped) == ((LAST - FIRST).days + 1, 0, 1)
    assert source.calls == [("holidays", "")]
    await collector(source, lake, EVENING + 86_400 * NS_PER_SECOND).holidays(FIRST, LAST)
    assert source.calls == [("holidays", "")] * 2


async def test_a_cancelled_run_leaves_whole_batches_and_no_calls_behind(lake: Lake) -> None:
    source = MemorySource(())
    one_batch = asyncio.Event()
    job = Collector(
        source, lake, StoppedClock(EVENING), CollectorSettings(batch_symbols=1), lambda *_: one_batch.set()
    )  # fmt: skip
    run = asyncio.create_task(job.daily([f"{n:06d}" for n in range(50)], FIRST, LAST))
    await one_batch.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    rows = lake.read("daily").group_by("symbol").aggregate([("day", "count")])
    assert set(rows.column("day_count").to_pylist()) == {len(SESSIONS)}
    assert 0 < len(rows) < 50
    assert source.in_flight == 0


@settings(max_examples=25, deadline=None)
@given(
    first=st.sets(st.sampled_from(["A00001", "A00002", "A00003"]), min_size=1),
    cut=st.integers(1, len(SESSIONS)),
    batch=st.integers(1, 4),
)
def test_collecting_in_any_two_parts_gives_the_rows_of_one_run(tmp_path_factory, first, cut, batch) -> None:
    names = ["A00001", "A00002", "A00003"]
    whole, parts = (Lake(tmp_path_factory.mktemp("law") / "lake") for _ in range(2))

    async def run() -> None:
        await collector(MemorySource(()), whole).daily(names, FIRST, LAST)
        await collector(MemorySource(()), parts, batch_symbols=batch).daily(sorted(first), SESSIONS[cut - 1], LAST)
        await collector(MemorySource(()), parts, batch_symbols=batch).daily(names, FIRST, LAST)

    asyncio.run(run())
    assert isinstance(whole.read("daily"), pa.Table)
    assert parts.read("daily").equals(whole.read("daily"))


async def test_the_last_write_waits_for_no_more_than_the_fetches_under_way(lake: Lake) -> None:
    names = tuple(f"{number:06d}" for number in range(27))
    written: list[int] = []
    write = lake.write

    def watched(table, rows, *, keys):
        if table == "minute":
            written.append(len(set(rows.column("symbol").to_pylist())))
        return write(table, rows, keys=keys)

    lake.write = watched
    source = MemorySource(tuple(map(named, names)))
    await collector(source, lake, concurrency=4, batch_minutes=10).minute(names, LAST, LAST)
    assert sum(written) == len(names)
    assert max(written) <= 10
    assert written[-1] <= 4
