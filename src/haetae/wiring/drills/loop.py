"""An event loop whose time is a number: it jumps to the next timer when nothing is ready, and never waits.

Here: `VirtualLoop` and its order of work, `LoopClock`. Nothing ready and no timer means that somebody waits for what
cannot come: that is a deadlock, and raises. What is ready at one instant runs in an order drawn from a seed, so that a
program that is right only in the usual order is found out. Not here: who runs on it (`rig`).
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from haetae.domain.errors import HaetaeError, Text
from haetae.domain.units import NS_PER_SECOND, Instant

_DRAWN = 4_096
"""Numbers drawn at once: one call of a generator costs as much as a turn of the loop."""
_SCALE = 2**32


class Deadlock(HaetaeError):
    """Nothing is ready, nothing is due, and somebody still waits."""


class Draws:
    """Whole numbers from a generator, drawn in blocks."""

    def __init__(self, generator: np.random.Generator) -> None:
        """Draw nothing yet."""
        self._generator = generator
        self._left: list[int] = []

    def below(self, bound: int) -> int:
        """Return a number from 0 to below ``bound``."""
        if not self._left:
            self._left = self._generator.integers(0, _SCALE, _DRAWN).tolist()
        return self._left.pop() * bound // _SCALE

    def share(self) -> float:
        """Return a number from 0 to below 1."""
        return self.below(_SCALE) / _SCALE


class _Instant(selectors.BaseSelector):
    """A selector without files: it lets the loop's time jump in place of waiting."""

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Take the loop's own wake-up pipe, which nobody writes to."""
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget a file."""
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let the time pass that nobody uses."""
        assert self.loop is not None
        if timeout is None:
            self.loop.stuck()
        elif timeout > 0:
            self.loop.jump()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return nothing: there are no files."""
        return {}

    def close(self) -> None:
        """Nothing is held."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """See the module.

    Attributes
    ----------
    turns : int
        Callbacks run so far.
    """

    def __init__(self, draws: Draws | None = None) -> None:
        """Start at 0 s; ``draws`` order what is ready together, none keeps the usual order."""
        selector = _Instant()
        self._now = 0.0
        self._draws = draws
        self.turns = 0
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now

    def jump(self) -> None:
        """Go to the next timer."""
        self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]

    def skip(self, seconds: float) -> None:
        """Let time pass in which nothing runs: the process stands still, the world does not."""
        self._now += seconds

    def stuck(self) -> None:
        """Say who waits for what cannot come."""
        waiting = sorted(str(task.get_coro()) for task in asyncio.all_tasks(self))
        raise Deadlock(
            Text(ko="모두가 오지 않을 것을 기다립니다", en="everybody waits for what cannot come"),
            expected="something ready, or a timer",
            found=f"{len(waiting)} tasks at {self._now:.3f} s: " + "; ".join(waiting)[:600],
            next_step=Text(ko="같은 씨앗으로 다시 돌려 보세요", en="run the same seed again"),
        )

    def _run_once(self) -> None:
        """Run what is ready, in a drawn order, after time has passed if nothing was."""
        ready: deque[asyncio.Handle] = self._ready  # type: ignore[attr-defined]
        if self._draws is not None and len(ready) > 1:
            self._mix(ready)
        self.turns += len(ready)
        super()._run_once()  # type: ignore[misc]

    def _mix(self, ready: deque[asyncio.Handle]) -> None:
        assert self._draws is not None
        below = self._draws.below
        mixed = list(ready)
        for place in range(len(mixed) - 1, 0, -1):
            other = below(place + 1)
            mixed[place], mixed[other] = mixed[other], mixed[place]
        ready.clear()
        ready.extend(mixed)


class LoopClock:
    """``ports.Clock`` on a virtual loop; its wall may be set, and run too fast or too slow.

    Waiting is on the loop's own time, as on a machine: who sleeps a minute sleeps a minute, whatever the wall shows.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, start: Instant) -> None:
        """Show ``start`` when the loop is at 0 s."""
        self._time: Callable[[], float] = loop.time
        self._start = start
        self._off_ns = 0
        self._ppm = 0
        self._since = 0

    def passed(self) -> int:
        """Return the nanoseconds since the loop began."""
        return round(self._time() * NS_PER_SECOND)

    def true(self) -> Instant:
        """Return the time a right clock would show."""
        return self._start + self.passed()

    def now(self) -> Instant:
        """Return what the wall shows."""
        passed = self.passed()
        return self._start + passed + self._off_ns + (passed - self._since) * self._ppm // 1_000_000

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return self._time()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""
        await asyncio.sleep(max(0.0, seconds))

    def step(self, seconds: float) -> None:
        """Set the wall: forward, or back."""
        self._off_ns += round(seconds * NS_PER_SECOND)

    def drift(self, ppm: int) -> None:
        """Let the wall run too fast from now on, or too slow."""
        passed = self.passed()
        self._off_ns += (passed - self._since) * self._ppm // 1_000_000
        self._since, self._ppm = passed, ppm


def run_virtual(loop: VirtualLoop, work: Any) -> Any:
    """Run a coroutine to its end on a virtual loop and close the loop; raises what it raised, or ``Deadlock``."""
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(work)
    finally:
        try:
            _end_tasks(loop)
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _end_tasks(loop: VirtualLoop) -> None:
    """End what still waits, as ``asyncio.run`` does."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
