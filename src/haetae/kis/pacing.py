"""The pace of REST calls: one budget per app key, three lanes, on the injected clock.

Calls are spaced evenly (generic cell rate): KIS rejects bursts at a second's boundary. Orders and exits may go
ahead of the even pace by ``burst - 1`` calls, data may not, so any window of one second holds at most
``burst + calls_per_second`` calls. Waiters go in order of lane, then of arrival.
"""

from __future__ import annotations

import asyncio
import heapq
from enum import IntEnum

from haetae.ports import Clock


class Lane(IntEnum):
    """Who goes first: what lowers risk or tells the truth, then new orders, then data."""

    URGENT = 0
    ORDER = 1
    DATA = 2


class Pacer:
    """Grants turns. Waiting is always ``clock.sleep``; nothing spins."""

    def __init__(self, clock: Clock, *, calls_per_second: float, burst: int) -> None:
        """Start with a full budget."""
        self._clock = clock
        self._interval = 1.0 / calls_per_second
        self._ahead = (burst - 1) * self._interval
        self._next = clock.monotonic()
        self._waiting: list[tuple[Lane, int, asyncio.Future[None]]] = []
        self._arrivals = 0
        self._granter: asyncio.Task[None] | None = None

    async def turn(self, lane: Lane) -> None:
        """Wait for a turn of this lane and take it."""
        if not self._waiting and self._wait_of(lane) <= 0:
            self._take()
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heapq.heappush(self._waiting, (lane, self._arrivals, future))
        if self._granter is None or self._granter.done():
            self._granter = asyncio.create_task(self._grant())
        await future

    def hold(self, seconds: float) -> None:
        """Let nobody go for a while: the broker said that the pace was too high."""
        self._next = max(self._next, self._clock.monotonic() + self._ahead + seconds)

    def _wait_of(self, lane: Lane) -> float:
        ahead = 0.0 if lane is Lane.DATA else self._ahead
        return self._next - ahead - self._clock.monotonic()

    def _take(self) -> None:
        self._next = max(self._next, self._clock.monotonic()) + self._interval

    async def _grant(self) -> None:
        while self._waiting:
            lane, _, future = self._waiting[0]
            if future.done():
                heapq.heappop(self._waiting)
                continue
            wait = self._wait_of(lane)
            if wait > 1e-9:
                await self._clock.sleep(wait)
                continue
            heapq.heappop(self._waiting)
            self._take()
            future.set_result(None)
