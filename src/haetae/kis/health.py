"""How the REST side is doing: what failed of the last minute, and a breaker for data while nothing answers.

Here: `Meter` (failures of the last minute), `Breaker`, `Health` (what guards and people look at). Not here: what
counts as a failure (`rest`). Times are seconds of the injected monotonic clock.

A call fails here when no readable answer came: refused connections, time-outs, resets, pages that are not KIS's.
Refusals are answers. While the breaker is open, data asks one question at a time, at growing distances; exits,
readings of the account and orders are never held by it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN_S = 60.0
OPEN_AFTER = 5
"""Failures in a row, in any lane, after which data stops asking."""
_PROBES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
_PROBE_LIFE_S = 15.0
"""A probe that was cancelled ends nothing; the next one may go after this."""


@dataclass(frozen=True, slots=True)
class Health:
    """The REST side at one moment.

    ``error_ratio`` is the share of the last minute's calls without a readable answer, 0 to 1; ``budget_used`` the share
    of the rate budget under way; ``token_left_s`` the token's remaining life; ``skew_s`` our clock less the server's,
    as far as it is proven (None where it is not watched); ``is_open`` whether data is held back.
    """

    calls: int
    error_ratio: float
    budget_used: float
    token_left_s: float
    skew_s: float | None
    is_open: bool
    stopped: str = ""


class Meter:
    """Calls and failures of the last minute."""

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: deque[tuple[float, bool]] = deque()
        self._failed = 0

    def count(self, now: float, *, failed: bool) -> None:
        """Count a call that ended."""
        self._forget(now)
        self._seen.append((now, failed))
        self._failed += failed

    def calls(self, now: float) -> int:
        """Return the calls of the last minute."""
        self._forget(now)
        return len(self._seen)

    def error_ratio(self, now: float) -> float:
        """Return the share that failed, 0 where nothing was asked."""
        self._forget(now)
        return self._failed / len(self._seen) if self._seen else 0.0

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[0][0] <= now - SPAN_S:
            self._failed -= self._seen.popleft()[1]


class Breaker:
    """Holds data back after failures in a row; one probe at a time finds out when that is over."""

    def __init__(self) -> None:
        """Begin closed."""
        self._failures = 0
        self._probe_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether data is held back."""
        return self._failures >= OPEN_AFTER

    def wait_s(self, now: float) -> float:
        """Return how long a data call has to wait before it may ask again whether it may go; 0 lets it go."""
        if not self.is_open:
            return 0.0
        if now < self._probe_at:
            return min(self._probe_at - now, _PROBES_S[0])
        self._probe_at = now + _PROBE_LIFE_S
        return 0.0

    def count(self, now: float, *, failed: bool) -> bool:
        """Count a call that ended; returns whether that opened or closed the breaker."""
        was_open = self.is_open
        self._failures = self._failures + 1 if failed else 0
        if self.is_open:
            self._probe_at = now + _PROBES_S[min(self._failures - OPEN_AFTER, len(_PROBES_S) - 1)]
        return was_open is not self.is_open
