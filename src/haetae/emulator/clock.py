"""Clocks of the emulator: free-running at a multiple of real time, or stepped from outside.

Here: ``EmulatorClock``, which turns a monotonic beat (seconds of the machine, injected) into market
instants, and can be paused, set to another speed, or stepped. Not here: what happens at an instant
(``core``).
"""

from __future__ import annotations

from collections.abc import Callable

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.units import NS_PER_SECOND, Instant, kst_text


class EmulatorClock:
    """Market time; never runs backwards. Speed 0 is a clock that moves by ``advance`` only."""

    def __init__(self, start: Instant, *, speed: float, beat: Callable[[], float]) -> None:
        """Start at an instant; ``beat`` returns real seconds that never step back."""
        self._beat = beat
        self._from = start
        self._since = beat()
        self.speed = speed

    def now(self) -> Instant:
        """Return the market instant."""
        return self._from + int((self._beat() - self._since) * self.speed * NS_PER_SECOND)

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on; 0 pauses."""
        self._from, self._since = self.now(), self._beat()
        self.speed = max(0.0, speed)

    def advance(self, to: Instant) -> None:
        """Jump forward to an instant; raises ``MarketRuleError`` for one that has passed."""
        now = self.now()
        if to < now:
            raise MarketRuleError(
                Text(
                    ko=f"시계는 뒤로 갈 수 없습니다: 지금 {kst_text(now)}, 요청 {kst_text(to)}",
                    en=f"the clock cannot go back: it is {kst_text(now)}, asked for {kst_text(to)}",
                ),
                expected=f"an instant at or after {now}",
                found=str(to),
                next_step=Text(ko="GET /state로 현재 시각을 확인하세요", en="read the present time with GET /state"),
            )
        self._from, self._since = to, self._beat()
