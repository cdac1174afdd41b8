"""Waiting for a desk to fall silent: a desk busy without end is told, a process that was stopped is not blamed."""

import time

import pytest

from haetae.domain.errors import HaetaeError
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
