"""The pace of calls: whatever the latency, no window of the server sees more calls than it allows."""

import asyncio
import itertools
import math
import random
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haetae.domain.units import NS_PER_SECOND
from haetae.kis.budget import ACTIVE_S, LOST_S, WINDOW_S
from haetae.kis.pacing import Lane, Pacer, Rule
from haetae.wiring.clocks import DrivenClock

SERVER_WINDOW_S = 1.0


def pacer_of(clock, calls_per_second=10.0, *, burst=1) -> Pacer:
    return Pacer(clock, lambda: Rule.of(calls_per_second, burst=burst))


async def drive(clock: DrivenClock, tasks: list[asyncio.Task], *, until_s: float | None = None) -> None:
    """Move the clock from sleeper to sleeper until all tasks are done, or the time is over."""
    while not all(task.done() for task in tasks):
        for _ in range(12):
            await asyncio.sleep(0)
        wake = clock.next_wake()
        if wake is None:
            continue
        if until_s is not None and wake > until_s * NS_PER_SECOND:
            clock.advance(int(until_s * NS_PER_SECOND))
            return
        clock.advance(wake)


async def granted(clock: DrivenClock, pacer: Pacer, lanes: list[Lane]) -> list[tuple[float, int]]:
    """Let one caller per lane ask at once and be answered at once; return (instant, caller) of the grants."""
    found: list[tuple[float, int]] = []

    async def one(name: int, lane: Lane) -> None:
        turn = await pacer.turn(lane)
        found.append((clock.monotonic(), name))
        turn.answered()

    await drive(clock, [asyncio.create_task(one(name, lane)) for name, lane in enumerate(lanes)])
    return found


def most_in_a_window(arrivals: list[float], window_s: float = SERVER_WINDOW_S) -> int:
    """Return the most arrivals that a server sees in a window ``(t - window, t]``."""
    ordered = sorted(arrivals)
    return max((i + 1 - bisect_left(ordered, at - window_s + 1e-9) for i, at in enumerate(ordered)), default=0)


class Road:
    """A road to a server: every call arrives somewhere between its send and its answer, some are never answered."""

    def __init__(self, clock: DrivenClock, dice: random.Random, *, slowest_s: float, lost: float, cut: float) -> None:
        self.clock, self.dice = clock, dice
        self.slowest_s, self.lost, self.cut = slowest_s, lost, cut
        self.arrivals: list[float] = []

    async def call(self, pacer: Pacer, lane: Lane, *, ledger: bool = False) -> None:
        with await pacer.turn(lane, ledger=ledger) as turn:
            there, back = self.dice.uniform(0, self.slowest_s), self.dice.uniform(0, self.slowest_s)
            lot = self.dice.random()
            self.arrivals.append(self.clock.monotonic() + there)
            if lot < self.lost:  # given up before it arrives; it arrives all the same
                given_up = max(0.0, there - self.dice.uniform(0, LOST_S))
                await self.clock.sleep(given_up)
                return
            if lot < self.lost + self.cut:
                self.arrivals.pop()
                turn.unused()
                return
            await self.clock.sleep(there + back)
            turn.answered()


@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([0.9, 1.0, 3.0, 7.0, 18.0]),
    burst=st.integers(1, 4),
    callers=st.integers(1, 25),
    slowest_s=st.sampled_from([0.0, 0.001, 0.05, 0.4, 1.5, 4.0]),
    lost=st.sampled_from([0.0, 0.2]),
    cut=st.sampled_from([0.0, 0.2]),
)
def test_no_window_of_the_server_ever_sees_more_than_it_allows(seed, rate, burst, callers, slowest_s, lost, cut):
    async def scene() -> None:
        dice = random.Random(seed)
        clock = DrivenClock(1_000 * NS_PER_SECOND)
        pacer = pacer_of(clock, rate, burst=burst)
        road = Road(clock, dice, slowest_s=slowest_s, lost=lost, cut=cut)

        async def caller() -> None:
            for _ in range(8):
                if dice.random() < 0.3:
                    await clock.sleep(dice.uniform(0, 3))
                await road.call(pacer, dice.choice(list(Lane)), ledger=dice.random() < 0.3)

        tasks = [asyncio.create_task(caller()) for _ in range(callers)]
        victim = dice.choice(tasks)
        asyncio.get_running_loop().call_soon(victim.cancel)
        await drive(clock, tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most_in_a_window(road.arrivals) <= max(1, int(rate))

    asyncio.run(scene())


@pytest.mark.parametrize(("latency_s", "share"), [(0.0, 0.995), (0.02, 0.975), (0.1, 0.90)])
def test_steady_calls_use_the_whole_budget_but_for_the_latency(latency_s, share):
    async def scene() -> int:
        clock = DrivenClock(1_000 * NS_PER_SECOND)
        pacer = pacer_of(clock, 18.0)
        made = 0

        async def caller() -> None:
            nonlocal made
            while True:
                with await pacer.turn(Lane.DATA) as turn:
                    made += 1
                    await clock.sleep(latency_s)
                    turn.answered()

        tasks = [asyncio.create_task(caller()) for _ in range(24)]
        await drive(clock, tasks, until_s=1_060)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return made

    made = asyncio.run(scene())
    assert 18 * 60 * share <= made <= 18 * 61


@given(lanes=st.integers(2, 60), rate=st.sampled_from([5.0, 18.0]))
def test_calls_of_data_are_spaced_evenly(lanes, rate):
    clock = DrivenClock(1_000 * NS_PER_SECOND)
    times = [at for at, _ in asyncio.run(granted(clock, pacer_of(clock, rate, burst=3), [Lane.DATA] * lanes))]
    distances = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(distances) >= WINDOW_S / rate - 1e-6


async def test_urgent_calls_overtake_waiting_data():
    clock = DrivenClock(NS_PER_SECOND)
    found = await granted(clock, pacer_of(clock), [Lane.DATA] * 5 + [Lane.ORDER, Lane.URGENT])
    assert [name for _, name in found] == [0, 6, 5, 1, 2, 3, 4]


async def test_an_urgent_call_that_comes_while_data_waits_does_not_wait_for_the_data_s_turn():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=3)
    (await pacer.turn(Lane.DATA)).answered()
    data = asyncio.create_task(pacer.turn(Lane.DATA))
    await asyncio.sleep(0)
    urgent = asyncio.create_task(pacer.turn(Lane.URGENT))
    for _ in range(12):
        await asyncio.sleep(0)
    assert urgent.done()
    assert not data.done()
    await drive(clock, [data])


async def test_data_never_bursts_but_an_order_may():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=3)
    data = await granted(clock, pacer, [Lane.DATA, Lane.DATA])
    assert data[1][0] - data[0][0] == pytest.approx(WINDOW_S / 10)
    clock.advance(clock.now() + 10 * NS_PER_SECOND)
    orders = await granted(clock, pacer, [Lane.ORDER] * 3)
    assert orders[-1][0] == orders[0][0]


async def test_hanging_data_calls_leave_room_for_exits_and_orders():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 18.0, burst=3)
    for lane in (Lane.URGENT, Lane.ORDER):
        (await pacer.turn(lane)).answered()
    hanging = [asyncio.create_task(pacer.turn(Lane.DATA)) for _ in range(30)]
    await drive(clock, hanging, until_s=5)
    assert sum(task.done() for task in hanging) == 18 - 4
    late = [asyncio.create_task(pacer.turn(lane)) for lane in (Lane.ORDER, Lane.ORDER, Lane.URGENT, Lane.URGENT)]
    await drive(clock, late, until_s=6)
    assert all(task.done() for task in late)
    for task in hanging:
        task.cancel()


async def test_a_lane_that_nobody_uses_keeps_no_room():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 18.0)
    (await pacer.turn(Lane.URGENT)).answered()
    clock.advance(clock.now() + int((ACTIVE_S + 1) * NS_PER_SECOND))
    hanging = [asyncio.create_task(pacer.turn(Lane.DATA)) for _ in range(30)]
    await drive(clock, hanging, until_s=clock.monotonic() + 3)
    assert sum(task.done() for task in hanging) == 18
    for task in hanging:
        task.cancel()


async def test_after_a_refusal_nobody_goes_for_a_while_and_after_a_second_one_fewer():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=3)
    for _ in range(5):  # answers to one burst are one refusal
        pacer.refused(ledger=False)
    found = await granted(clock, pacer, [Lane.URGENT] * 12)
    assert found[0][0] == pytest.approx(2.0)
    assert sum(at < 3.0 for at, _ in found) == 10
    clock.advance(clock.now() + 2 * NS_PER_SECOND)
    start = clock.monotonic()
    pacer.refused(ledger=False)
    found = await granted(clock, pacer, [Lane.URGENT] * 12)
    assert found[0][0] == pytest.approx(start + 1.0)
    assert sum(at < start + 2.0 for at, _ in found) == 7
    clock.advance(clock.now() + 200 * NS_PER_SECOND)
    start = clock.monotonic()
    again = await granted(clock, pacer, [Lane.URGENT] * 12)
    assert sum(at < start + 1.0 for at, _ in again) == 10


async def test_refusals_half_a_minute_apart_teach_nothing_unless_the_pace_was_lowered_already():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=3)
    pace = pacer._store.change(lambda pace: pace, 0.0)[1]
    for _ in range(2):
        pacer.refused(ledger=False)
        assert pace.calls.learnt == math.inf
        clock.advance(clock.now() + 31 * NS_PER_SECOND)
    pacer.refused(ledger=False)
    clock.advance(clock.now() + 30 * NS_PER_SECOND)
    pacer.refused(ledger=False)
    assert pace.calls.learnt == 7.5
    clock.advance(clock.now() + 45 * NS_PER_SECOND)
    pacer.refused(ledger=False)
    assert pace.calls.learnt == 6.0


async def test_within_a_lane_a_question_goes_before_the_orders_that_wait():
    """Fifty exits wait their turns; whether the first of them arrived is asked between two of them."""
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=1)
    found: list[str] = []

    async def one(name: str, lane: Lane, *, asks: bool) -> None:
        turn = await pacer.turn(lane, asks=asks)
        found.append(name)
        turn.answered()

    waiting = [asyncio.create_task(one(f"exit {n}", Lane.URGENT, asks=False)) for n in range(5)]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(one(name, Lane.URGENT, asks=True)) for name in ("first", "second")]
    waiting.append(asyncio.create_task(one("data", Lane.DATA, asks=True)))
    await drive(clock, waiting)
    assert found == ["exit 0", "first", "exit 1", "second", "exit 2", "exit 3", "exit 4", "data"]


async def test_a_refusal_of_trading_calls_holds_only_trading_calls():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 10.0, burst=3)
    pacer.refused(ledger=True, pause_s=2.0)
    trading = asyncio.create_task(pacer.turn(Lane.URGENT, ledger=True))
    await asyncio.sleep(0)
    trading.cancel()
    assert (await granted(clock, pacer, [Lane.DATA]))[0][0] == pytest.approx(1.0)
    trading = asyncio.create_task(pacer.turn(Lane.URGENT, ledger=True))
    await drive(clock, [trading])
    assert clock.monotonic() == pytest.approx(3.0)


async def test_an_infinite_rate_never_waits():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, float("inf"))
    for _ in range(100):
        (await asyncio.wait_for(pacer.turn(Lane.DATA), 1)).answered()
    assert pacer.used() == 0.0


async def test_a_waiter_that_gave_up_takes_no_turn():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 1.0)
    (await pacer.turn(Lane.DATA)).answered()
    gone = asyncio.create_task(pacer.turn(Lane.DATA))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await granted(clock, pacer, [Lane.DATA]))[0][0] == pytest.approx(1.0 + WINDOW_S)


async def test_a_turn_that_was_not_used_is_free_at_once_and_a_lost_one_later_than_an_answered_one():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 1.0, burst=5)
    (await pacer.turn(Lane.URGENT)).unused()
    (await pacer.turn(Lane.URGENT)).lost()
    assert pacer.used() == 1.0
    assert (await granted(clock, pacer, [Lane.URGENT]))[0][0] == pytest.approx(1.0 + WINDOW_S + LOST_S)


async def test_a_turn_that_is_dropped_counts_as_lost():
    clock = DrivenClock(NS_PER_SECOND)
    pacer = pacer_of(clock, 1.0)
    with pytest.raises(RuntimeError), await pacer.turn(Lane.DATA):
        raise RuntimeError
    assert (await granted(clock, pacer, [Lane.DATA]))[0][0] == pytest.approx(1.0 + WINDOW_S + LOST_S)


def test_callers_that_wake_late_keep_the_rate():
    async def scene() -> int:
        clock = DrivenClock(1_000 * NS_PER_SECOND)
        pacer = pacer_of(clock, 18.0)
        made = 0

        async def caller() -> None:
            nonlocal made
            while True:
                with await pacer.turn(Lane.DATA) as turn:
                    made += 1
                    turn.answered()

        tasks = [asyncio.create_task(caller()) for _ in range(24)]
        while clock.monotonic() < 1_060:
            for _ in range(12):
                await asyncio.sleep(0)
            wake = clock.next_wake()
            assert wake is not None
            clock.advance(wake + 8_000_000)  # eight milliseconds late, every time
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return made

    assert asyncio.run(scene()) >= 18 * 60 * 0.97
