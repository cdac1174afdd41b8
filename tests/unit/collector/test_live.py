"""A running session: minutes are written as they come, and whatever was lost is repaired after the close."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from haetae.collector.jobs import PROVISIONAL, Shop
from haetae.collector.live import LiveCollector, coming_session
from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import Fatal, Retryable
from haetae.domain.market import Slice
from haetae.domain.units import NS_PER_SECOND, Instant, instant_at
from haetae.krx import Rulebook
from haetae.store.lake import Lake
from haetae.store.merge import sort_rows
from haetae.wiring.clocks import DrivenClock
from unit.collector.world import MemorySource, named

DAY = dt.date(2026, 11, 18)
NAMES = ("000660", "005930")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture
async def driven():
    """A clock that a task moves to the next sleeper.

    It moves at once when session and index watch both sleep; where only one does, the other may be at work in a
    thread, so it is given time.
    """
    clock = DrivenClock(0)

    async def drive() -> None:
        waited = 0
        while True:
            await asyncio.sleep(0.0002)
            wake = clock.next_wake()
            sleeping = sum(not future.done() for _, _, future in clock._sleepers)
            waited += 1
            if wake is not None and (sleeping > 1 or waited > 100):
                waited = 0
                clock.advance(wake)

    task = asyncio.create_task(drive())
    yield clock
    task.cancel()


@dataclass
class ScriptedFeed:
    """Slices of whole minutes from the next one on; ``spoil`` may change a slice, drop it (None) or raise."""

    clock: DrivenClock
    spoil: Callable[[int, Slice], Slice | None] = lambda minute, piece: piece
    opened: list[Instant] = field(default_factory=list)

    async def stream(self, symbols):
        self.opened.append(self.clock.now())
        session = Rulebook.on(DAY).session
        starts, ends = (edges.tolist() for edges in session.minute_edges())
        for minute, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if start < self.clock.now():
                continue
            await self.clock.sleep((end - self.clock.now()) / NS_PER_SECOND)
            piece = self.spoil(minute, _slice(sorted(symbols), start, end))
            if piece is not None:
                yield piece


def _slice(symbols, start: Instant, end: Instant) -> Slice:
    def column(value: int) -> np.ndarray:
        return np.full(len(symbols), value, dtype=np.int64)

    traded = np.ones(len(symbols), dtype=np.bool_)
    prices = (column(10_000), column(10_100), column(9_900), column(10_000))
    return Slice(start, end, tuple(symbols), *prices, column(1), traded)


def live(driven, lake: Lake, spoil=lambda minute, piece: piece, at: int = 70_000, source: MemorySource | None = None):
    clock = driven
    clock.at = max(clock.at, instant_at(DAY, at))
    source = source or MemorySource(tuple(named(name) for name in NAMES))
    shop = Shop(source, lake, clock, CollectorSettings(flush_minutes=7), lambda *_: None)
    feed = ScriptedFeed(clock, spoil)
    return LiveCollector(shop, feed, NAMES), feed, source


async def history(source: MemorySource):
    tables = [await source.minute_bars(name, DAY, DAY) for name in NAMES]
    return sort_rows(pa.concat_tables(tables), ("symbol", "start"))


def provisional(lake: Lake) -> int:
    rows = lake.read("quality", symbols=["minute"]).to_pylist()
    return sum(row["code"] == PROVISIONAL and not row["detail"].startswith("resolved") for row in rows)


async def test_a_whole_session_is_written_and_agrees_with_the_history(driven: DrivenClock, lake: Lake) -> None:
    collector, feed, source = live(driven, lake)
    report = await collector.session()
    assert (report.day, report.slices, report.rows, report.breaks) == (DAY, 381, 762, 0)
    assert (report.repair.repairs, report.repair.gaps, provisional(lake)) == (0, 0, 0)
    assert lake.read("minute").equals(await history(source))
    assert feed.opened == [instant_at(DAY, 85_000)]
    assert len(lake.read("index_minute")) == 2


async def test_minutes_the_stream_lost_or_garbled_are_repaired(driven: DrivenClock, lake: Lake) -> None:
    def spoil(minute: int, piece: Slice) -> Slice | None:
        if 50 <= minute < 60:
            return None
        if minute == 100:
            return replace(piece, close=piece.close + 50)
        return piece

    collector, _, source = live(driven, lake, spoil)
    report = await collector.session()
    assert report.repair.repairs == 2 * 11
    assert lake.read("minute").equals(await history(source))
    assert provisional(lake) == 0


async def test_a_feed_that_breaks_is_opened_again_and_the_hole_is_filled(driven: DrivenClock, lake: Lake) -> None:
    broken: set[int] = {30, 40, 200}

    def spoil(minute: int, piece: Slice) -> Slice:
        if minute in broken:
            broken.discard(minute)
            raise Retryable("the socket is gone", code="LOST")
        return piece

    collector, feed, source = live(driven, lake, spoil)
    report = await collector.session()
    assert (report.breaks, len(feed.opened)) == (3, 4)
    assert report.repair.repairs > 0
    assert lake.read("minute").equals(await history(source))


async def test_a_feed_that_never_opens_costs_no_minute(driven: DrivenClock, lake: Lake) -> None:
    def spoil(minute: int, piece: Slice) -> Slice:
        raise Retryable("no", code="OPSP8996")

    collector, feed, source = live(driven, lake, spoil)
    report = await collector.session()
    assert (report.slices, report.rows) == (0, 0)
    assert report.repair.rows == 762
    assert lake.read("minute").equals(await history(source))
    assert len(feed.opened) < 500


async def test_what_a_person_must_mend_ends_the_day_and_keeps_what_came(driven: DrivenClock, lake: Lake) -> None:
    def spoil(minute: int, piece: Slice) -> Slice:
        if minute == 10:
            raise Fatal("the key is not valid", code="EGW00103")
        return piece

    collector, _, _ = live(driven, lake, spoil)
    with pytest.raises(Fatal):
        await collector.session()
    assert len(lake.read("minute")) == 2 * 10
    assert provisional(lake) == 2


async def test_a_process_that_died_in_the_session_is_repaired_by_the_next(driven: DrivenClock, lake: Lake) -> None:
    class Dead(Exception):
        pass

    def spoil(minute: int, piece: Slice) -> Slice:
        if minute == 33:
            raise Dead
        return piece

    collector, _, source = live(driven, lake, spoil)
    with pytest.raises(Dead):
        await collector.session()
    assert provisional(lake) == 2
    later, _, _ = live(driven, lake, at=180_000, source=source)
    report = await later.repair_pending()
    assert report is not None
    assert report.gaps == 0
    assert lake.read("minute").equals(await history(source))
    assert provisional(lake) == 0
    assert await later.repair_pending() is None


async def test_joining_a_running_session_leaves_no_hole(driven: DrivenClock, lake: Lake) -> None:
    collector, feed, source = live(driven, lake, at=113_011)
    report = await collector.session()
    assert feed.opened == [instant_at(DAY, 113_011)]
    assert report.slices < 381
    assert lake.read("minute").equals(await history(source))


async def test_a_repair_that_fails_says_what_is_missing_and_stays_provisional(driven: DrivenClock, lake: Lake) -> None:
    source = MemorySource(tuple(named(name) for name in NAMES), broken={"000660"})
    collector, _, _ = live(driven, lake, source=source)
    report = await collector.session()
    assert report.repair.gaps == 1
    assert provisional(lake) == 1
    source.broken.clear()
    assert (await collector.repair_pending()).gaps == 0
    assert provisional(lake) == 0


async def test_no_slice_is_written_before_its_day_is_marked_provisional(driven: DrivenClock, lake: Lake) -> None:
    seen: list[tuple[bool, int]] = []
    write = lake.write

    def watched(table, rows, *, keys):
        if table == "minute":
            seen.append((provisional(lake) == 2, len(rows)))
        return write(table, rows, keys=keys)

    lake.write = watched
    collector, _, _ = live(driven, lake)
    await collector.session()
    assert seen
    assert all(marked for marked, _ in seen)


async def test_cancelling_writes_what_was_held(driven: DrivenClock, lake: Lake) -> None:
    reached = asyncio.Event()

    def spoil(minute: int, piece: Slice) -> Slice:
        if minute == 3:
            reached.set()
        return piece

    collector, feed, _ = live(driven, lake, spoil)
    original = feed.stream

    async def slow(symbols):
        async for piece in original(symbols):
            yield piece
            await asyncio.sleep(0.01)

    feed.stream = slow
    task = asyncio.create_task(collector.session())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(lake.read("minute")) in {2 * 3, 2 * 4}


@pytest.mark.parametrize(
    ("at", "day"),
    [("2026-11-18T10:00", DAY), ("2026-11-18T15:29", DAY), ("2026-11-18T15:30", dt.date(2026, 11, 19)),
     ("2026-11-21T09:00", dt.date(2026, 11, 23))],
)  # fmt: skip
def test_the_session_that_runs_or_comes_next(at: str, day: dt.date) -> None:
    moment = dt.datetime.fromisoformat(at)
    assert coming_session(instant_at(moment.date(), moment.hour * 10_000 + moment.minute * 100)) == day


async def test_index_minutes_are_asked_for_within_what_the_source_keeps(driven: DrivenClock, lake: Lake) -> None:
    collector, _, source = live(driven, lake)
    await collector.session()
    asked = [name for what, name in source.calls if what == "index_minutes"]
    assert len(asked) >= 2 * 5
    assert not pc.any(pc.is_null(lake.read("index_minute").column("close"))).as_py()
