"""The only clocks of the product: wall, scaled and driven; each fulfils ``ports.Clock``.

Here: reading the machine's time and turning it into market time. Not here: market sessions
(``krx``). A ``DrivenClock`` moves only when its driver moves it, so a day can be run in lockstep
with a stepped market and twice the same seed gives twice the same day.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from dataclasses import dataclass, field

from haetae.domain.units import NS_PER_SECOND, Instant


class SystemClock:
    """The machine's wall clock; what live trading runs on."""

    def now(self) -> Instant:
        """Return the wall clock's instant."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Market time that started at ``start`` and runs ``speed`` times as fast as the wall.

    Two processes on one host that share ``start``, ``wall_start`` and ``speed`` read the same time.
    """

    start: Instant
    wall_start: Instant
    speed: float

    def now(self) -> Instant:
        """Return market time."""
        return self.start + int((time.time_ns() - self.wall_start) * self.speed)

    def monotonic(self) -> float:
        """Return seconds of market time that never step back."""
        return time.monotonic() * self.speed

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of market time."""
        await asyncio.sleep(max(0.0, seconds / self.speed))


@dataclass(slots=True)
class DrivenClock:
    """Market time that stands still until ``advance``; sleepers wake in order of their instants."""

    at: Instant
    _sleepers: list[tuple[Instant, int, asyncio.Future[None]]] = field(default_factory=list)
    _count: int = 0

    def now(self) -> Instant:
        """Return the instant the driver last set."""
        return self.at

    def monotonic(self) -> float:
        """Return the driven time in seconds."""
        return self.at / NS_PER_SECOND

    async def sleep(self, seconds: float) -> None:
        """Wait until the driver has moved the clock so far."""
        wake = self.at + max(0, round(seconds * NS_PER_SECOND))
        if wake <= self.at:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (wake, self._count, future))
        await future

    def next_wake(self) -> Instant | None:
        """Return the earliest instant somebody sleeps until, or none."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def reach(self, to: Instant) -> None:
        """Move the clock and wake nobody yet: what arrives from now on arrives at ``to``."""
        self.at = max(self.at, to)

    def advance(self, to: Instant) -> None:
        """Move the clock and wake everybody whose instant has come; it never moves back."""
        self.reach(to)
        while self._sleepers and self._sleepers[0][0] <= self.at:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
