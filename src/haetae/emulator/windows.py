"""How often something happened: a sliding window on the emulator's clock, and what was seen of it.

Here: ``Window``, the calls of one key in the last second, and ``Intervals``, the distances of rare calls.
Instants never step back. Not here: what is refused (``gate``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from haetae.domain.units import NS_PER_SECOND, Instant


@dataclass(slots=True)
class Window:
    """Events of the last second; ``peak`` is the most that any sliding second held.

    An event at *t* is in the window of *now* while ``now - t`` is less than a second.
    """

    peak: int = 0
    longest_idle_ns: int = 0
    count: int = 0
    _recent: deque[Instant] = field(default_factory=deque)
    _last: Instant = 0

    def inside(self, now: Instant, width_ns: int = NS_PER_SECOND) -> int:
        """Return how many events the window that ends now holds."""
        recent = self._recent
        while recent and now - recent[0] >= width_ns:
            recent.popleft()
        return len(recent)

    def add(self, now: Instant, width_ns: int = NS_PER_SECOND, *, times: int = 1) -> None:
        """Take an event that happens now."""
        held = self.inside(now, width_ns) + times
        for _ in range(times):
            self._recent.append(now)
        if self.count:
            self.longest_idle_ns = max(self.longest_idle_ns, now - self._last)
        self.count += times
        self._last = now
        self.peak = max(self.peak, held)


@dataclass(slots=True)
class Intervals:
    """Distances of events that should be rare; ``shortest_ns`` is none before the second."""

    count: int = 0
    shortest_ns: int | None = None
    _last: Instant = 0

    def add(self, now: Instant) -> None:
        """Take an event that happens now."""
        if self.count:
            gap = now - self._last
            self.shortest_ns = gap if self.shortest_ns is None else min(self.shortest_ns, gap)
        self.count += 1
        self._last = now
