import asyncio

from haetae.domain.units import NS_PER_SECOND
from haetae.wiring.clocks import DrivenClock, ScaledClock
from haetae.wiring.dice import rng


async def test_driven_clock_wakes_sleepers_in_order_of_their_instants():
    clock = DrivenClock(0)
    woken = []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.now()))

    tasks = [asyncio.create_task(sleeper(s)) for s in (3, 1, 2)]
    await asyncio.sleep(0)
    assert clock.next_wake() == NS_PER_SECOND
    clock.advance(2 * NS_PER_SECOND)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [s for s, _ in woken] == [1, 2]
    assert clock.next_wake() == 3 * NS_PER_SECOND
    clock.advance(3 * NS_PER_SECOND)
    await asyncio.gather(*tasks)
    assert clock.next_wake() is None


async def test_a_reached_instant_is_now_and_wakes_nobody_before_the_advance():
    clock = DrivenClock(0)
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    clock.reach(2 * NS_PER_SECOND)
    late = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    assert clock.now() == 2 * NS_PER_SECOND
    assert not task.done()
    clock.advance(2 * NS_PER_SECOND)
    await task
    assert clock.next_wake() == 3 * NS_PER_SECOND
    late.cancel()


async def test_driven_clock_never_moves_back():
    clock = DrivenClock(10)
    clock.advance(5)
    assert clock.now() == 10


async def test_driven_clock_forgets_cancelled_sleepers():
    clock = DrivenClock(0)
    task = asyncio.create_task(clock.sleep(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_wake() is None


async def test_scaled_clock_sleeps_in_market_seconds():
    clock = ScaledClock(start=0, wall_start=0, speed=1000.0)
    before = clock.monotonic()
    await clock.sleep(20.0)
    assert clock.monotonic() - before >= 20.0


def test_named_generators_do_not_shift_one_another():
    assert rng(7, "market").integers(1 << 60) == rng(7, "market").integers(1 << 60)
    assert rng(7, "market").integers(1 << 60) != rng(7, "policy").integers(1 << 60)
    assert rng(7, "market").integers(1 << 60) != rng(8, "market").integers(1 << 60)
