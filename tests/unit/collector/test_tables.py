"""Every table the collector fills: what is wanted, what is written once, what is compared and repaired."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow.compute as pc
import pytest

from haetae.collector.collector import Collector
from haetae.collector.jobs import NO_BARS, NO_HISTORY, PROVISIONAL, finding, findings
from haetae.collector.reference import filing_deadline
from haetae.collector.series import runs
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import Fatal
from haetae.domain.units import instant_at
from haetae.krx.calendar import trading_days
from haetae.ports.tables import TABLES
from haetae.store.lake import Lake
from unit.collector.world import EVENING, FIRST, LAST, MemorySource, StoppedClock, named

SESSIONS = trading_days(FIRST, LAST)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def collector(source: MemorySource, lake: Lake, at: int = EVENING, **chosen: float) -> Collector:
    return Collector(source, lake, StoppedClock(at), CollectorSettings(**chosen))


def notes(lake: Lake, table: str) -> set[tuple[str, str, dt.date]]:
    return {(row["code"], row["symbol"], row["day"]) for row in lake.read("quality", symbols=[table]).to_pylist()}


def test_missing_days_are_asked_for_in_runs_of_neighbouring_sessions() -> None:
    missing = [SESSIONS[0], SESSIONS[1], SESSIONS[4], SESSIONS[5], SESSIONS[6]]
    assert [want.days for want in runs("A", missing, SESSIONS)] == [tuple(missing[:2]), tuple(missing[2:])]
    assert [len(want.days) for want in runs("A", missing, SESSIONS, longest=2)] == [2, 2, 1]
    assert runs("A", [], SESSIONS) == []


async def test_a_hole_in_the_middle_is_filled_and_only_the_hole(lake: Lake) -> None:
    source = MemorySource((named("005930"),))
    job = collector(source, lake)
    whole = await source.daily_bars("005930", FIRST, LAST)
    holed = whole.filter(pc.invert(pc.equal(whole.column("day"), SESSIONS[5])))
    lake.write("daily", holed, keys=TABLES["daily"].keys)
    report = await job.daily(["005930"], FIRST, LAST)
    assert (report.asked, report.rows, report.gaps, report.absent) == (1, 1, 0, 0)
    assert len(lake.read("daily")) == len(SESSIONS)


async def test_a_day_the_source_lacks_is_remembered_alone_and_a_late_start_as_history(lake: Lake) -> None:
    source = MemorySource((), history_from=SESSIONS[3], silent={("005930", SESSIONS[7])})
    job = collector(source, lake)
    report = await job.daily(["005930"], FIRST, LAST)
    assert report.absent == 4
    assert notes(lake, "daily") == {(NO_HISTORY, "005930", SESSIONS[2]), (NO_BARS, "005930", SESSIONS[7])}
    source.calls.clear()
    assert (await job.daily(["005930"], FIRST, LAST)).asked == 0
    assert source.calls == []


@pytest.mark.parametrize(("table", "ends"), [("weekly", ["06", "13"]), ("monthly", [])])
async def test_a_period_is_collected_when_it_is_over(lake: Lake, table: str, ends: list[str]) -> None:
    midweek = instant_at(dt.date(2026, 11, 18), 180_000)
    report = await collector(MemorySource(()), lake, at=midweek).period(table, ["005930"], FIRST, LAST)
    assert [f"{day:%d}" for day in lake.read(table).column("day").to_pylist()] == ends
    assert report.rows == len(ends)
    assert (await collector(MemorySource(()), lake, at=midweek).period(table, ["005930"], FIRST, LAST)).asked == 0


async def test_a_month_is_over_with_its_last_session(lake: Lake) -> None:
    at = instant_at(dt.date(2026, 11, 30), 180_000)
    await collector(MemorySource(()), lake, at=at).period("monthly", ["005930"], FIRST, dt.date(2026, 11, 30))
    assert lake.read("monthly").column("day").to_pylist() == [dt.date(2026, 11, 30)]


async def test_navs_and_flows_are_series_like_bars(lake: Lake) -> None:
    source = MemorySource(())
    job = collector(source, lake)
    assert (await job.navs(["069500"], FIRST, LAST)).rows == len(SESSIONS)
    names, markets = await job.flows(["005930"], FIRST, LAST)
    assert (names.rows, markets.rows) == (len(SESSIONS), 2 * len(SESSIONS))
    source.calls.clear()
    await job.navs(["069500"], FIRST, LAST)
    await job.flows(["005930"], FIRST, LAST)
    assert source.calls == []


async def test_provisional_minutes_are_compared_with_the_history_and_the_history_counts(lake: Lake) -> None:
    source = MemorySource(())
    history = await source.minute_bars("005930", LAST, LAST)
    rows = history.to_pylist()
    lost, changed, invented = rows[10], {**rows[20], "close": 10_050}, {**rows[30], "start": rows[30]["start"] + 7}
    streamed = [row for row in rows if row not in (lost, rows[20])] + [changed, invented]
    lake.write("minute", history.from_pylist(streamed, schema=history.schema), keys=TABLES["minute"].keys)
    lake.write(
        "quality", findings([finding("minute", "005930", LAST, PROVISIONAL, "stream")]), keys=TABLES["quality"].keys
    )
    job = collector(source, lake)
    report = await job.minute(["005930"], LAST, LAST)
    assert (report.asked, report.repairs) == (1, 3)
    kept = lake.read("minute")
    assert kept.filter(pc.greater(kept.column("volume"), 0)).equals(history)
    assert (await job.minute(["005930"], LAST, LAST)).asked == 0


async def test_minutes_of_many_sessions_are_asked_for_in_runs(lake: Lake) -> None:
    source = MemorySource(())
    start = dt.date(2026, 9, 1)
    sessions = trading_days(start, LAST)
    report = await collector(source, lake).minute(["005930", "000660"], start, LAST)
    assert len(source.calls) == 2 * -(-len(sessions) // 20)
    assert report.rows == 2 * 381 * len(sessions)
    again = await collector(source, lake).minute(["005930", "000660"], start, LAST)
    assert (again.asked, again.skipped) == (0, 2)


async def test_a_run_of_minutes_that_ended_goes_on_where_it_stopped(lake: Lake) -> None:
    source = MemorySource((), broken={"000003"}, fatal=Fatal("the key is not valid", code="EGW00103"))
    names = ["000001", "000002", "000003", "000004"]
    with pytest.raises(Fatal):
        await collector(source, lake, concurrency=1, batch_minutes=1).minute(names, FIRST, LAST)
    had = set(pc.unique(lake.read("minute").column("symbol")).to_pylist())
    assert had == {"000001", "000002"}
    source.broken.clear()
    source.calls.clear()
    await collector(source, lake, batch_minutes=1).minute(names, FIRST, LAST)
    assert {name for _, name in source.calls} == {"000003", "000004"}


async def test_a_figure_is_known_when_first_seen_or_when_it_had_to_be_filed(lake: Lake) -> None:
    source = MemorySource((), figures={("005930", 202606, "quarter", "roe_pct"): 4.0})
    source.figures["005930", 202609, "quarter", "roe_pct"] = 5.0
    early = dt.date(2026, 11, 2)
    await collector(source, lake, at=instant_at(early, 90_000)).fundamentals(["005930"])
    known = {row["period"]: row["known_on"] for row in lake.read("fundamentals").to_pylist()}
    assert known == {202606: dt.date(2026, 8, 14), 202609: early}


async def test_a_restated_figure_is_a_further_row_and_an_equal_one_is_none(lake: Lake) -> None:
    key = ("005930", 202606, "quarter", "roe_pct")
    source = MemorySource((), figures={key: 4.0})
    job = collector(source, lake)
    await job.fundamentals(["005930"])
    version = lake.versions()["fundamentals"]
    await job.fundamentals(["005930"])
    assert lake.versions()["fundamentals"] == version
    source.figures[key] = 3.5
    await job.fundamentals(["005930"])
    rows = sorted((row["known_on"], row["value"]) for row in lake.read("fundamentals").to_pylist())
    assert rows == [(dt.date(2026, 8, 14), 4.0), (LAST, 3.5)]


@pytest.mark.parametrize(
    ("period", "basis", "deadline"),
    [
        (202603, "quarter", "2026-05-15"),
        (202606, "quarter", "2026-08-14"),
        (202512, "quarter", "2026-03-31"),
        (202512, "year", "2026-03-31"),
        (202603, "year", "2026-06-29"),
    ],
)
def test_filing_deadlines(period: int, basis: str, deadline: str) -> None:
    assert filing_deadline(period, basis).isoformat() == deadline


async def test_status_is_asked_for_once_a_day_and_name(lake: Lake) -> None:
    source = MemorySource((named("005930"),))
    job = collector(source, lake)
    flags, interrupted = await job.status(["005930", "000660"], LAST)
    assert (flags.rows, interrupted.rows) == (2, 1)
    source.calls.clear()
    await job.status(["005930", "000660"], LAST)
    assert [what for what, _ in source.calls] == ["vi"]


async def test_boards_headlines_and_events_are_kept_once(lake: Lake) -> None:
    source = MemorySource((), headlines_of={LAST: ["a", "b"], SESSIONS[0]: ["c"]})
    job = collector(source, lake)
    for _ in range(2):
        assert (await job.rankings()).rows == 1
        await job.corporate_actions(FIRST, LAST)
        news = await job.news(FIRST, LAST + dt.timedelta(days=9))
    assert news.asked == (LAST - FIRST).days + 1
    assert len(lake.read("news")) == 3
    assert len(lake.read("rankings")) == len(lake.read("corporate_actions")) == 1


async def test_the_report_tells_calls_beside_the_fewest_and_the_time_they_take(lake: Lake) -> None:
    report = await collector(MemorySource(()), lake, calls_per_second=18.0).daily(["005930", "000660"], FIRST, LAST)
    assert (report.calls, report.least_calls) == (2, 2)
    assert report.least_seconds == pytest.approx(2 / 18)
    assert report.rate == 0.0
