"""How far our clock is from the server's, from the ``Date`` header of its answers. Pure; instants come in.

Here: `ClockWatch`. The header has whole seconds and is stamped somewhere between our send and the answer, so one answer
bounds the difference (ours less theirs) by a second and the latency; many answers together bound it by little more
than the latency. What is told is the least difference that all of them allow: never more than is proven.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from email.utils import parsedate_to_datetime

from haetae.domain.units import NS_PER_SECOND, Instant

WARN_S = 0.5
"""From here on a person is told (design: alarm at 500 ms)."""
STOP_S = 2.0
"""From here on nothing new should be bought: unknown orders are looked for within two seconds of their send."""
REFUSE_S = 5.0
"""From here on the machine's clock is plainly wrong, and a run that begins now ends with one line."""
_KEPT = 64
_KEPT_NS = 600 * NS_PER_SECOND
"""Ten minutes: a clock that drifts 200 ppm has moved an eighth of a second."""


class ClockWatch:
    """Bounds of the difference between two clocks."""

    def __init__(self) -> None:
        """Know nothing."""
        self._bounds: deque[tuple[Instant, Instant, Instant]] = deque(maxlen=_KEPT)
        self._proven: tuple[Instant, Instant] = (0, 0)

    @property
    def skew_s(self) -> float | None:
        """Return the least proven difference in seconds, positive where ours is ahead; None before any answer."""
        if not self._bounds:
            return None
        low, high = self._proven
        return 0.0 if low <= 0 <= high else (low if low > 0 else high) / NS_PER_SECOND

    def see(self, date: str, sent_at: Instant, received_at: Instant) -> None:
        """Learn from one answer; a header that does not parse teaches nothing."""
        try:
            stamped = parsedate_to_datetime(date)
        except (ValueError, TypeError, IndexError):
            return
        if stamped.tzinfo is None:
            stamped = stamped.replace(tzinfo=dt.UTC)
        told = int(stamped.timestamp()) * NS_PER_SECOND
        if received_at < sent_at:
            return  # our clock was set back meanwhile
        while self._bounds and abs(received_at - self._bounds[0][0]) > _KEPT_NS:
            self._bounds.popleft()
        self._bounds.append((received_at, sent_at - told - NS_PER_SECOND, received_at - told))
        # A clock that was set contradicts what was seen before: the newest answers count.
        low, high = self._within()
        while low > high:
            self._bounds.popleft()
            low, high = self._within()
        self._proven = low, high

    def _within(self) -> tuple[Instant, Instant]:
        return max([low for _, low, _ in self._bounds]), min([high for _, _, high in self._bounds])
