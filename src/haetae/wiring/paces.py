"""How time passes on a trading day: a stepped market in lockstep with the desk, or a clock that runs.

Here: bringing the day to an instant, driving it to its end, a clock for the collection after the close.
Not here: the clocks themselves (``clocks``), the stepping (``lockstep``).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from haetae.domain.errors import Text
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant
from haetae.krx import Rulebook
from haetae.live import DayReport
from haetae.ports import Clock
from haetae.wiring.child import Control
from haetae.wiring.clocks import DrivenClock, ScaledClock, SystemClock
from haetae.wiring.lockstep import Lockstep
from haetae.wiring.screen import Screen

COLLECT_SPEED = 120.0
"""Market seconds per second while collecting: 15 calls a second of market time are 1 800 of ours."""
LONGEST_NAP_S = 60.0
"""Real clocks may be set while we wait: look again each minute."""
BEAT_S = 0.5
"""Real seconds between two looks at the operator's file: a kill is followed within a second."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a pace must know of the desk: whether it is at work, and how many frames it has taken."""

    busy: Callable[[], bool]
    received: Callable[[], int]


class Pace(Protocol):
    """How time passes; ``speed`` is market seconds a real second, 0 where the market waits for the desk."""

    @property
    def speed(self) -> float:
        """Market seconds in a real one."""
        ...

    @property
    def clock(self) -> Clock:
        """The market's clock as it is now."""
        ...

    def now(self) -> Instant:
        """Return the market's time."""
        ...

    async def until(self, at: Instant) -> Clock:
        """Return, at an instant or later, the clock of the hours that follow."""
        ...

    async def drive(
        self, task: asyncio.Task[DayReport], line: Line, rules: Rulebook, look: Callable[[Instant], bool]
    ) -> DayReport:
        """Let a day run to its end, calling ``look`` again and again; it says whether it gave the desk work."""
        ...

    def collecting(self, at: Instant) -> AbstractAsyncContextManager[Clock]:
        """Give a running clock for calls to the broker, at an instant or later."""
        ...


class LockstepPace:
    """A market that stands still until the desk is quiet."""

    speed = 0.0

    def __init__(
        self, control: Control, app_key: str, screen: Screen, *, at: Instant = 0, stall_s: float = 120.0
    ) -> None:
        """Drive the market behind ``control``, which stands at ``at``; give up after ``stall_s`` of work."""
        self._control = control
        self._app_key = app_key
        self._screen = screen
        self._stall_s = stall_s
        self._clock = DrivenClock(at)

    @property
    def clock(self) -> Clock:
        """The clock of the hours that are stepped now."""
        return self._clock

    def now(self) -> Instant:
        """Return where the market was last seen."""
        return self._clock.now()

    async def until(self, at: Instant) -> DrivenClock:
        """Step the market to an instant; the clock begins there."""
        answer = await self._control.advance(max(at, self.now()))
        self._clock = DrivenClock(int(answer["now"]))
        return self._clock

    async def drive(
        self, task: asyncio.Task[DayReport], line: Line, rules: Rulebook, look: Callable[[Instant], bool]
    ) -> DayReport:
        """Step market and desk together to the end of the day."""
        first, last = rules.session.open_at, rules.session.close_at
        total = (last - first) // NS_PER_MINUTE
        label = Text(ko=f"{rules.day} 장중", en=f"{rules.day} session")
        lockstep = Lockstep(self._clock, self._control, line.busy, line.received, self._app_key, self._stall_s)

        def each(now: Instant) -> bool:
            gave_work = look(now)
            if now % NS_PER_MINUTE == 0 and first <= now <= last:
                self._screen.progress(label, (now - first) // NS_PER_MINUTE, total)
            return gave_work

        await lockstep.run_until(last + 10 * NS_PER_MINUTE, until=task, each=each)
        return await task

    @asynccontextmanager
    async def collecting(self, at: Instant) -> AsyncIterator[Clock]:
        """Let the market's clock run fast, and stop it at the end."""
        await self._control.advance(max(at, self.now()))
        await self._control.run_at(COLLECT_SPEED)
        try:
            state = await self._control.state()
            yield ScaledClock(start=int(state["now"]), wall_start=SystemClock().now(), speed=COLLECT_SPEED)
        finally:
            state = await self._control.pause()
            self._clock = DrivenClock(int(state["now"]))


class RunningPace:
    """A clock that nobody holds: the machine's, or that of an emulator that runs by itself."""

    def __init__(self, clock: Clock, screen: Screen) -> None:
        """Live by this clock."""
        self._clock = clock
        self.speed = clock.speed if isinstance(clock, ScaledClock) else 1.0
        self._screen = screen

    @property
    def clock(self) -> Clock:
        """The one clock."""
        return self._clock

    def now(self) -> Instant:
        """Return the clock's time."""
        return self._clock.now()

    async def until(self, at: Instant) -> Clock:
        """Wait for an instant."""
        while (left := (at - self._clock.now()) / NS_PER_SECOND) > 0:
            await self._clock.sleep(min(LONGEST_NAP_S, left))
        return self._clock

    async def drive(
        self, task: asyncio.Task[DayReport], line: Line, rules: Rulebook, look: Callable[[Instant], bool]
    ) -> DayReport:
        """Wait for the end of the day and look at the operator's file meanwhile."""
        first, last = rules.session.open_at, rules.session.close_at
        label = Text(ko=f"{rules.day} 장중", en=f"{rules.day} session")
        shown = -1
        while not task.done():
            now = self._clock.now()
            look(now)
            minute = (now - first) // NS_PER_MINUTE
            if minute != shown and first <= now <= last:
                shown = minute
                self._screen.progress(label, minute, (last - first) // NS_PER_MINUTE)
            await asyncio.wait({task}, timeout=BEAT_S)
        return await task

    @asynccontextmanager
    async def collecting(self, at: Instant) -> AsyncIterator[Clock]:
        """Wait for an instant; the clock goes on as it does."""
        yield await self.until(at)
