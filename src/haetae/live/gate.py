"""The last look before an order leaves: kill switch, lease, age, as they are at that very moment.

Between the guards' clearance and the wire an order waits: for the order before it, for a turn of the pace. What a
person said meanwhile counts from the moment it was said, not from the moment the desk has read it: ``tighten`` is
called as a command arrives, and only a release waits until the desk has taken it.

Here: whether an order may go now. Not here: the guards, who cleared it with everything they know (``guards``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from haetae.domain.events import OperatorState
from haetae.domain.orders import OrderIntent, Side
from haetae.domain.units import NS_PER_SECOND
from haetae.live.settings import LiveSettings
from haetae.ports import Clock, Lease

WITHHELD = "WITHHELD"
"""Code of our own refusal: cleared, journalled, and provably never sent."""
_STRICTNESS = {OperatorState.ACTIVE: 0, OperatorState.REDUCE_ONLY: 1, OperatorState.HALT: 2}


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is about to leave: an order, or the price of one moved."""

    side: Side
    escape: bool
    decided_at: int

    @staticmethod
    def of(intent: OrderIntent) -> Leaving:
        """Return the order of an intent."""
        return Leaving(intent.side, intent.escape, intent.at)


class Gate:
    """Says why something must not leave now, or nothing."""

    def __init__(
        self, clock: Clock, settings: LiveSettings, operator: Callable[[], OperatorState], lease: Lease | None = None
    ) -> None:
        """Watch the desk's kill switch through ``operator``; without a lease there is one writer by construction."""
        self._clock = clock
        self._settings = settings
        self._operator = operator
        self._lease = lease
        self._said: deque[OperatorState] = deque()
        self._asked_at = clock.monotonic()
        self._lost = False
        self.closed = ""
        """Why nothing may leave any more: the day has ended, and what still waits was never sent."""
        self.only_exits = ""
        """Why nothing but sales of the escape may leave; empty where everything may."""

    @property
    def state(self) -> OperatorState:
        """The strictest of what the desk follows and what it was told since."""
        return max((self._operator(), *self._said), key=_STRICTNESS.__getitem__)

    @property
    def lost(self) -> bool:
        """Whether another process has taken over."""
        return self._lost

    def tighten(self, state: OperatorState) -> None:
        """A person said something that the desk has not read yet."""
        self._said.append(state)

    def taken(self) -> None:
        """The desk has read the oldest of what was said."""
        if self._said:
            self._said.popleft()

    def holds(self) -> bool:
        """Whether this process still is the one that trades; after a pause the lease is asked anew."""
        now = self._clock.monotonic()
        if self._lease is None or self._lost or self.only_exits:  # the lease lies on the disk that failed
            return not self._lost
        if now - self._asked_at > self._settings.lease_pause_s:
            self._lost = not self._lease.holds()
            self._asked_at = now
        return not self._lost

    def refusal(self, leaving: Leaving) -> str:
        """Return why it must not leave now, empty where it may."""
        state = self.state
        if self.closed:
            return self.closed
        if not self.holds():
            return "another process holds the lease"
        if state is OperatorState.HALT:
            return "halted"
        if state is OperatorState.REDUCE_ONLY and leaving.side is Side.BUY:
            return "reduce only"
        if self.only_exits and not (leaving.escape and leaving.side is Side.SELL):
            return self.only_exits
        age = self._clock.now() - leaving.decided_at
        if not leaving.escape and age > self._settings.send_within_s * NS_PER_SECOND:
            return f"decided {age // NS_PER_SECOND} s ago"
        return ""
