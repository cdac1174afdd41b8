"""A service that fails is left alone for a while, then tried once.

Time is real time in seconds, given by the caller. Here: consecutive failures, holds asked for by the
service, the single probe. Not here: what counts as a failure (``client``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Closed (calls pass), open (none pass) or half-open (one probe passes)."""

    failures_to_open: int
    cool_down_s: float
    failures: int = 0
    until: float = 0.0
    reason: str = ""
    probing: bool = False

    def gate(self, now: float) -> str:
        """Return why no call may be made now, or nothing; a passed gate after a pause is the one probe."""
        if not self.reason:
            return ""
        if now < self.until or self.probing:
            return self.reason
        self.probing = True
        return ""

    def succeed(self) -> None:
        """The service answered as a service should."""
        self.failures, self.reason, self.probing = 0, "", False

    def fail(self, now: float, reason: str) -> None:
        """The service failed; enough in a row, or a failed probe, open the breaker."""
        self.failures += 1
        if self.failures >= self.failures_to_open or self.probing:
            self.hold(now, self.cool_down_s, reason)

    def hold(self, now: float, seconds: float, reason: str) -> None:
        """Let nothing pass for so many seconds."""
        self.until, self.reason, self.probing = now + seconds, reason, False

    def forget_probe(self) -> None:
        """A probe ended without a word about the service; the next call is the probe."""
        self.probing = False
