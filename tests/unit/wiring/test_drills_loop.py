"""The virtual loop: time jumps, order is drawn, nothing waits for ever unseen."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from haetae.domain.units import NS_PER_SECOND
from haetae.wiring.drills.loop import Deadlock, Draws, LoopClock, VirtualLoop, run_virtual


def draws(seed: int = 1) -> Draws:
    return Draws(np.random.default_rng(seed))


def test_a_day_of_waiting_takes_no_time() -> None:
    loop = VirtualLoop()
    clock = LoopClock(loop, 0)
    began = time.monotonic()

    async def wait() -> int:
        await clock.sleep(86_400)
        return clock.now()

    assert run_virtual(loop, wait()) == 86_400 * NS_PER_SECOND
    assert time.monotonic() - began < 5


def test_whoever_waits_for_what_cannot_come_is_found() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock) as caught:
        run_virtual(VirtualLoop(), wait())
    assert "wait" in str(caught.value.found)


def _order(seed: int | None) -> list[int]:
    told: list[int] = []

    async def tell(number: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        told.append(number)

    async def work() -> None:
        await asyncio.gather(*(tell(number) for number in range(12)))

    run_virtual(VirtualLoop(None if seed is None else draws(seed)), work())
    return told


def test_what_is_ready_together_runs_in_an_order_of_the_seed() -> None:
    usual = _order(None)
    assert usual == list(range(12))
    assert _order(1) == _order(1)
    assert len({tuple(_order(seed)) for seed in range(4)}) == 4


def test_an_order_that_only_chance_brings_about_is_found() -> None:
    """Two tasks read, wait a turn, and write: the usual order hides that one update is lost."""

    async def work() -> int:
        store = {"value": 0}
        gate = asyncio.Event()

        async def first() -> None:
            await gate.wait()
            store["value"] += 1

        async def second() -> None:
            await gate.wait()
            store["value"] *= 10

        tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        return store["value"]

    assert {run_virtual(VirtualLoop(), work()) for _ in range(5)} == {10}
    assert {run_virtual(VirtualLoop(draws(seed)), work()) for seed in range(8)} == {1, 10}


def test_the_wall_may_be_set_and_drift_and_nobody_sleeps_longer_for_it() -> None:
    loop = VirtualLoop()
    clock = LoopClock(loop, 1_000 * NS_PER_SECOND)

    async def work() -> list[int]:
        clock.step(-10)
        seen = [clock.now()]
        await clock.sleep(5)
        seen.append(clock.now())
        clock.drift(200)
        await clock.sleep(1_000)
        seen.append(clock.now())
        return seen

    first, second, third = run_virtual(loop, work())
    assert first == 990 * NS_PER_SECOND
    assert second - first == 5 * NS_PER_SECOND
    assert third - second == 1_000 * NS_PER_SECOND + NS_PER_SECOND // 5
    assert clock.true() == 2_005 * NS_PER_SECOND


def test_draws_are_even_and_in_bounds() -> None:
    source = draws(3)
    seen = [source.below(6) for _ in range(12_000)]
    assert set(seen) == set(range(6))
    assert min(seen.count(face) for face in range(6)) > 1_700
    assert all(0.0 <= source.share() < 1.0 for _ in range(5_000))
