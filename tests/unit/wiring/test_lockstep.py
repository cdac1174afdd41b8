"""Waiting for a desk to fall silent: a desk busy without end is told, a process that was stopped is not blamed."""

import asyncio
import time

import pytest

from haetae.domain.errors import HaetaeError
from haetae.domain.units import NS_PER_SECOND
from haetae.wiring.clocks import DrivenClock
from haetae.wiring.lockstep import Lockstep


def lockstep(busy, stall_s: float) -> Lockstep:
    return Lockstep(DrivenClock(0), None, busy, lambda: 0, "key", stall_s)  # type: ignore[arg-type]


async def test_a_desk_that_never_falls_silent_is_told() -> None:
    with pytest.raises(HaetaeError, match="never became quiet"):
        await lockstep(lambda: True, 0.05).settle()


async def test_a_process_that_was_stopped_meanwhile_goes_on() -> None:
    passes = []

    def busy() -> bool:
        passes.append(len(passes))
        if len(passes) == 5:
            time.sleep(1.1)  # as SIGSTOP does to it
        return len(passes) < 20

    await lockstep(busy, 0.5).settle()
    assert len(passes) > 20


class LateMarket:
    """A market whose frames of an instant come some passes after its answer."""

    def __init__(self, frames: list[str]) -> None:
        self.frames = frames
        self.sent = 0

    async def advance(self, to: int) -> dict[str, dict[str, int]]:
        self.sent += 1
        asyncio.get_running_loop().call_later(0.02, self.frames.append, f"frame {to}")
        return {"ws_sent": {"key": self.sent}}


async def test_what_arrives_at_an_instant_comes_before_what_was_to_happen_at_it() -> None:
    clock, seen = DrivenClock(0), []
    market = LateMarket(seen)

    async def sleeper() -> None:
        for _ in range(3):
            await clock.sleep(1)
            seen.append(f"timer {clock.now()}")

    task = asyncio.create_task(sleeper())
    await asyncio.sleep(0)
    stepped = Lockstep(clock, market, lambda: False, lambda: sum("frame" in one for one in seen), "key")  # type: ignore[arg-type]
    await stepped.run_until(3 * NS_PER_SECOND, until=task)
    await task
    assert seen == [f"{what} {second * NS_PER_SECOND}" for second in (1, 2, 3) for what in ("frame", "timer")]
