"""After the close: failures are asked for again, what was cut short is not believed, what was missed is made up for."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from haetae.domain.errors import BrokerError, Retryable, WireError
from haetae.domain.units import instant_at
from haetae.krx.calendar import next_trading_day
from haetae.store.lake import Lake
from haetae.wiring.clocks import DrivenClock
from unit.collector.test_live import DAY, NAMES, driven, history, lake, live, provisional
from unit.collector.world import MemorySource, named

__all__ = ["driven", "lake"]

NEXT = next_trading_day(DAY)


@dataclass
class PassingTrouble(MemorySource):
    """A source that fails so many times; ``cut`` takes the first minutes of so many answers away."""

    failures: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    index_faults: list[Exception] = field(default_factory=list)
    index_asked: list[int] = field(default_factory=list)
    clock: DrivenClock | None = None

    async def minute_bars(self, symbol: str, start: dt.date, end: dt.date) -> pa.Table:
        rows = await super().minute_bars(symbol, start, end)
        if self.failures.get(symbol, 0):
            self.failures[symbol] -= 1
            raise Retryable("the service is being maintained", code="LOST")
        if self.cut and symbol == NAMES[0]:
            self.cut -= 1
            return rows.filter(pc.greater_equal(rows.column("start"), instant_at(start, 133_000)))
        return rows

    async def index_minutes(self, index: str) -> pa.Table:
        assert self.clock is not None
        self.index_asked.append(self.clock.now())
        if self.index_faults:
            raise self.index_faults.pop(0)
        return await super().index_minutes(index)


def troubled(clock: DrivenClock, **trouble) -> PassingTrouble:
    return PassingTrouble(tuple(named(name) for name in NAMES), clock=clock, **trouble)


async def test_a_repair_that_fails_for_an_hour_is_done_the_same_evening(driven: DrivenClock, lake: Lake) -> None:
    source = troubled(driven, failures={"000660": 3})
    collector, _, _ = live(driven, lake, source=source)
    report = await collector.session()
    assert (report.repair.gaps, report.repair.failures, provisional(lake)) == (0, (), 0)
    assert instant_at(DAY, 160_500) < driven.now() < instant_at(DAY, 173_000)
    assert lake.read("minute").equals(await history(source))


async def test_what_failed_all_evening_is_compared_after_the_next_session(driven: DrivenClock, lake: Lake) -> None:
    source = troubled(driven, failures={"000660": 6})
    collector, _, _ = live(driven, lake, source=source)
    assert (await collector.session()).repair.gaps == 1
    assert provisional(lake) == 1
    later, _, _ = live(driven, lake, lambda *_: None, source=source)
    driven.at = instant_at(NEXT, 70_000)
    report = await later.session()
    assert (report.day, report.repair.gaps, provisional(lake)) == (NEXT, 0, 0)
    assert set(lake.read("minute", symbols=["000660"]).column("day").to_pylist()) == {DAY, NEXT}


async def test_a_history_cut_short_takes_no_streamed_minute_away(driven: DrivenClock, lake: Lake) -> None:
    source = troubled(driven, cut=1 << 30)
    collector, _, _ = live(driven, lake, source=source)
    report = await collector.session()
    assert (report.repair.gaps, provisional(lake)) == (1, 1)
    assert lake.read("minute").equals(await whole(source))
    source.cut = 0
    assert (await collector.repair_pending()).gaps == 0
    assert provisional(lake) == 0


async def whole(source: PassingTrouble) -> pa.Table:
    cut, source.cut = source.cut, 0
    try:
        return await history(source)
    finally:
        source.cut = cut


async def test_a_session_without_any_process_is_made_up_for(driven: DrivenClock, lake: Lake) -> None:
    collector, _, source = live(driven, lake)
    await collector.session()
    driven.at = instant_at(NEXT, 180_000)
    later, _, _ = live(driven, lake, source=source)
    report = await later.repair_pending()
    assert (report.rows, report.gaps) == (2 * 381, 0)
    assert set(lake.read("minute").column("day").to_pylist()) == {DAY, NEXT}


async def test_a_death_before_the_first_minute_leaves_the_session_marked(driven: DrivenClock, lake: Lake) -> None:
    class Dead(Exception):
        pass

    def spoil(minute, piece):
        raise Dead

    collector, _, source = live(driven, lake, spoil)
    with pytest.raises(Dead):
        await collector.session()
    assert provisional(lake) == 2
    driven.at = instant_at(DAY, 180_000)
    later, _, _ = live(driven, lake, source=source)
    assert (await later.repair_pending()).rows == 2 * 381


@pytest.mark.parametrize("fault", [Retryable("no", code="LOST"), WireError("a page for people")])
async def test_minutes_of_an_index_are_asked_for_again_within_a_minute(driven: DrivenClock, lake: Lake, fault) -> None:
    source = troubled(driven)
    collector, _, _ = live(driven, lake, at=100_000, source=source)
    source.index_faults = [fault] * 4
    await collector.session()
    first = source.index_asked[0]
    asked_s = [(at - first) // 1_000_000_000 for at in source.index_asked[:6]]
    assert asked_s == [0, 0, 60, 60, 120, 120]
    assert driven.now() < instant_at(DAY, 160_000)


async def test_an_index_that_is_refused_is_not_asked_for_again_at_once(driven: DrivenClock, lake: Lake) -> None:
    source = troubled(driven)
    collector, _, _ = live(driven, lake, at=100_000, source=source)
    source.index_faults = [BrokerError("no such service", code="MCA00124")] * 2
    await collector.session()
    assert source.index_asked[2] - source.index_asked[0] >= 1_500 * 1_000_000_000


async def test_minutes_of_an_index_are_caught_up_with_before_the_session(driven: DrivenClock, lake: Lake) -> None:
    source = troubled(driven)
    collector, _, _ = live(driven, lake, at=70_000, source=source)
    await collector.session()
    assert instant_at(DAY, 84_900) < source.index_asked[0] < instant_at(DAY, 90_000)


async def test_an_outage_of_an_hour_loses_no_minute_of_an_index(driven: DrivenClock, lake: Lake) -> None:
    came: list[int] = []

    class Away(PassingTrouble):
        async def index_minutes(self, index: str) -> pa.Table:
            if instant_at(DAY, 102_500) < driven.now() < instant_at(DAY, 112_500):
                raise Retryable("no", code="LOST")
            came.append(driven.now())
            return await super().index_minutes(index)

    source = Away(tuple(named(name) for name in NAMES), clock=driven)
    collector, _, _ = live(driven, lake, at=70_000, source=source)
    await collector.session()
    asked = sorted({*came, instant_at(DAY, 90_000), instant_at(DAY, 153_000)})
    assert max(later - sooner for sooner, later in itertools.pairwise(asked)) < 100 * 60 * 1_000_000_000
    assert came[-1] > instant_at(DAY, 153_000)
