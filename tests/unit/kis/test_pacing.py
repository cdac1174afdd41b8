"""The pace of calls on a driven clock."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.units import NS_PER_SECOND
from haetae.kis.pacing import Lane, Pacer
from haetae.wiring.clocks import DrivenClock


async def run_all(clock: DrivenClock, pacer: Pacer, lanes: list[Lane]) -> list[tuple[float, int]]:
    granted: list[tuple[float, int]] = []

    async def one(name: int, lane: Lane) -> None:
        await pacer.turn(lane)
        granted.append((clock.monotonic(), name))

    tasks = [asyncio.create_task(one(name, lane)) for name, lane in enumerate(lanes)]
    while not all(task.done() for task in tasks):
        for _ in range(5):
            await asyncio.sleep(0)
        wake = clock.next_wake()
        if wake is not None:
            clock.advance(wake)
    return granted


@given(
    lanes=st.lists(st.sampled_from(Lane), min_size=1, max_size=60),
    rate=st.sampled_from([0.9, 5.0, 15.0]),
    burst=st.integers(1, 3),
)
def test_no_window_of_a_second_holds_more_calls_than_burst_and_rate(lanes, rate, burst):
    clock = DrivenClock(1_000 * NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=rate, burst=burst)
    times = sorted(at for at, _ in asyncio.run(run_all(clock, pacer, lanes)))
    for i, first in enumerate(times):
        assert sum(first <= at < first + 0.999999 for at in times[i:]) <= burst + rate


async def test_urgent_calls_overtake_waiting_data():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=10, burst=1)
    granted = await run_all(clock, pacer, [Lane.DATA] * 5 + [Lane.ORDER, Lane.URGENT])
    assert [name for _, name in granted] == [0, 6, 5, 1, 2, 3, 4]


async def test_data_never_bursts_but_an_order_may():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=10, burst=3)
    data = await run_all(clock, pacer, [Lane.DATA, Lane.DATA])
    assert data[1][0] - data[0][0] == pytest.approx(0.1)
    clock.advance(clock.now() + 10 * NS_PER_SECOND)
    orders = await run_all(clock, pacer, [Lane.ORDER] * 3)
    assert orders[-1][0] == orders[0][0]


async def test_after_a_hold_nobody_goes_for_a_while():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=10, burst=3)
    pacer.hold(1.0)
    granted = await run_all(clock, pacer, [Lane.URGENT])
    assert granted[0][0] == pytest.approx(2.0)


async def test_an_infinite_rate_never_waits():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=float("inf"), burst=1)
    for _ in range(100):
        await asyncio.wait_for(pacer.turn(Lane.DATA), 1)


async def test_a_waiter_that_gave_up_takes_no_turn():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = Pacer(clock, calls_per_second=1, burst=1)
    await pacer.turn(Lane.DATA)
    gone = asyncio.create_task(pacer.turn(Lane.DATA))
    await asyncio.sleep(0)
    gone.cancel()
    granted = await run_all(clock, pacer, [Lane.DATA])
    assert granted[0][0] == pytest.approx(2.0)
