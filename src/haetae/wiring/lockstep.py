"""Lockstep of two processes: the market's clock steps, the desk works until it is quiet, again.

A free-running fast market would make every wall-clock millisecond of the desk look like a second
of market time, and no two runs would be equal. In lockstep the market waits for the desk: time
moves to the next instant somebody sleeps until, the market writes all frames up to it, the desk
takes them, acts, and falls silent. Latency is then exactly what the fill model declares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.units import NS_PER_SECOND, Instant, kst_text
from haetae.wiring.child import Control
from haetae.wiring.clocks import DrivenClock

_QUIET_PASSES = 24
"""Loop passes without work before the desk counts as quiet. The longest chain of hand-overs seen in days under faults
took ten; most of a stepped day's time goes into these passes."""

_SPIN_PASSES = 200
"""Passes after which waiting for the network yields the processor instead of spinning."""


_STOOD_STILL_S = 1.0
"""A pass that took longer was a process that was stopped, or compiled: nobody was busy without end meanwhile."""


@dataclass(slots=True)
class Lockstep:
    """Moves market and desk together.

    Attributes
    ----------
    busy : callable
        Whether the desk has a request under way, a frame to take or an event to work on.
    received : callable
        Data messages the desk's stream has taken since it connected; the market counts the same way.
    app_key : str
        Whose frames to wait for.
    """

    clock: DrivenClock
    control: Control
    busy: Callable[[], bool]
    received: Callable[[], int]
    app_key: str
    stall_s: float = 120.0
    _sent: int = 0

    async def settle(self) -> None:
        """Return when the desk is quiet; raises if it is not after ``stall_s`` of passing, pauses not counted."""
        loop = asyncio.get_running_loop()
        looked = loop.time()
        deadline = looked + self.stall_s
        quiet = passes = 0
        while quiet < _QUIET_PASSES:
            working = self.busy() or self.received() < self._sent
            quiet = 0 if working else quiet + 1
            passes += 1
            await asyncio.sleep(0.0003 if working and passes > _SPIN_PASSES else 0)
            paused, looked = loop.time() - looked, loop.time()
            deadline += paused if paused > _STOOD_STILL_S else 0.0
            if looked > deadline:
                raise HaetaeError(
                    Text(ko="데스크가 멈추지 않고 바쁩니다", en="the desk never became quiet"),
                    expected=f"quiet within {self.stall_s:.0f} s at {kst_text(self.clock.now())}",
                    found=f"busy={self.busy()}, frames {self.received()} of {self._sent}",
                    next_step=Text(ko="journal 과 emulator.log 를 보세요", en="read the journal and emulator.log"),
                )

    async def run_until(
        self,
        end: Instant,
        *,
        until: asyncio.Future[Any],
        step_s: int = 60,
        each: Callable[[Instant], bool] | None = None,
    ) -> None:
        """Step to ``end`` or to the end of ``until``, to the next sleeper's instant each time.

        ``each`` is called at every instant and says whether it gave the desk work: then time waits for that too.

        No step is longer than ``step_s`` seconds, so that a desk that sleeps too long is still watched.
        """
        await self.settle()
        while self.clock.now() < end and not until.done():
            wake = self.clock.next_wake()
            target = min(end, self.clock.now() + step_s * NS_PER_SECOND)
            if wake is not None:
                target = min(target, max(wake, self.clock.now() + 1))
            self.clock.reach(target)  # a frame belongs to this instant, taken before or after the market's answer
            answer = await self.control.advance(target)
            sent = int(answer.get("ws_sent", {}).get(self.app_key, 0))
            if sent != self._sent:  # what arrives at an instant comes before what was to happen at it, on any machine
                self._sent = sent
                await self.settle()
            self.clock.advance(target)
            await self.settle()
            if each is not None and each(target):
                await self.settle()
