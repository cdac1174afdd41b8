"""The arithmetic of a rate budget: which call may go now, or how long it has to wait. Pure; the time comes in.

Here: `Rule` (what is allowed), `Budget` (what is under way). Not here: waiting (`pacing`), sharing (`pace_file`).

The law. A server that allows ``calls`` in a sliding window counts a call when it *arrives*, some time between our send
and its answer. So a call holds its slot from the send until one window after its *answer*, and no more than ``calls``
slots are ever held. Suppose a window of the server held one call too many, and look at the one of them that was sent
last: each of the others arrived less than a window before it arrived, so was answered less than a window before
it was sent, and still held its slot then. They and the new one were then more than ``calls`` slots: a contradiction.
Neither latency nor jitter nor the speed of the clock enters. Steady throughput is ``calls / (window + latency)``.

Calls whose answer never came hold their slot `LOST_S` longer than that; a call that provably never left frees its slot
at once. Beside the law, calls are spaced evenly, for bursts at a second's boundary have been refused in practice.
Times are seconds of one monotonic clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum

WINDOW_S = 1.002
"""The server's second and two milliseconds: for servers that count whole milliseconds and clocks 200 ppm apart."""
LOST_S = 2.0
"""A request that was given up may still arrive; after its time-out and two more seconds it no longer does."""
ACTIVE_S = 900.0
"""A lane that was used in the last quarter of an hour keeps its reserve: a desk reads its account more often."""
_RESERVE_PART = 9
"""Of every nine slots one is kept for each lane above: two of 18 for exits, two for orders."""
_AGAIN_S = 30.0
"""One refusal may be a hiccup of the server's count; a second within half a minute says that our idea is wrong."""
_RECOVER_S = 30.0
"""A limit that was lowered after refusals is raised again by one call every half minute."""


class Lane(IntEnum):
    """Who goes first: what lowers risk or tells the truth, then new orders, then data."""

    URGENT = 0
    ORDER = 1
    DATA = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """What is allowed: ``calls`` in any window of ``window_s``; orders and exits may go ``burst - 1`` calls early."""

    calls: int
    window_s: float = WINDOW_S
    burst: int = 1
    is_even: bool = True

    @classmethod
    def of(cls, calls_per_second: float, *, burst: int) -> Rule | None:
        """Return the rule of a rate, None for an infinite one; 0.9 a second is one call in 1.1 seconds."""
        if math.isinf(calls_per_second):
            return None
        if calls_per_second >= 1:
            return cls(int(calls_per_second), WINDOW_S, burst)
        return cls(1, WINDOW_S / calls_per_second, 1)

    @property
    def interval_s(self) -> float:
        """Return the even distance of two calls."""
        return self.window_s / self.calls

    @property
    def reserve(self) -> int:
        """Return the slots each lane above is kept."""
        return self.calls // _RESERVE_PART


@dataclass(slots=True)
class Slot:
    """A call that counts: on the wire with a lease, or answered and free again at ``until``."""

    ticket: str
    lane: Lane
    until: float
    flying: bool


@dataclass(slots=True)
class Budget:
    """Calls of one kind under way, the even schedule, and what refusals have taught."""

    slots: list[Slot] = field(default_factory=list)
    due: float = 0.0
    held_until: float = 0.0
    learnt: float = math.inf
    learnt_at: float = 0.0
    refused_at: float = -math.inf
    used: dict[Lane, float] = field(default_factory=dict)

    def limit(self, rule: Rule, now: float) -> int:
        """Return how many slots there are: the rule's, or fewer after refusals."""
        if self.learnt == math.inf:
            return rule.calls
        known = self.learnt + (now - self.learnt_at) / _RECOVER_S
        if known >= rule.calls:
            self.learnt = math.inf
            return rule.calls
        return max(1, int(known))

    def busy(self, now: float) -> int:
        """Return how many slots are held."""
        return sum(slot.until > now for slot in self.slots)

    def wait_s(self, rule: Rule, lane: Lane, now: float, *, ahead: int = 0) -> float:
        """Return how long a call of a lane has to wait, 0 or less if it may go.

        Parameters
        ----------
        ahead : int
            Calls of higher lanes that wait elsewhere (in another process) and go first.
        """
        early = 0.0 if lane is Lane.DATA else (rule.burst - 1) * rule.interval_s
        wait = self.held_until - now
        if rule.is_even:
            wait = max(wait, self.due + ahead * rule.interval_s - early - now)
        return max(wait, self._slot_wait_s(rule, lane, now, ahead))

    def _slot_wait_s(self, rule: Rule, lane: Lane, now: float, ahead: int) -> float:
        mine = self.limit(rule, now) - self._reserved(rule, lane, now) - ahead
        # A call on the wire is answered now at the earliest, so its slot is free a window from now at the earliest.
        ends = sorted(now + rule.window_s if slot.flying else slot.until for slot in self.slots if slot.until > now)
        if len(ends) < mine:
            return 0.0
        if mine <= 0:
            return rule.interval_s
        return ends[len(ends) - mine] - now

    def _reserved(self, rule: Rule, lane: Lane, now: float) -> int:
        kept = 0
        for other, used in self.used.items():
            if other < lane and now - used < ACTIVE_S:
                held = sum(slot.lane is other and slot.until > now for slot in self.slots)
                kept += max(0, rule.reserve - held)
        return kept

    def take(self, rule: Rule, lane: Lane, now: float, ticket: str, *, asked_at: float, lease_s: float) -> None:
        """Take a slot under a ticket no other call of the host has.

        The even schedule forgives a waiter that woke late one interval.
        """
        self.slots = [slot for slot in self.slots if slot.until > now]
        self.slots.append(Slot(ticket, lane, now + lease_s, flying=True))
        meant = max(asked_at, self.due, now - rule.interval_s) if lane is Lane.DATA else max(self.due, now)
        self.due = meant + rule.interval_s
        self.used[lane] = now

    def give_back(self, ticket: str, until: float) -> None:
        """Say when a slot is free again; a ticket whose lease is over is not known any more."""
        for slot in self.slots:
            if slot.ticket == ticket:
                slot.until, slot.flying = until, False

    def refused(self, rule: Rule, now: float, pause_s: float) -> None:
        """Learn from a refusal: nobody goes for a while, and after a second one soon after it a quarter fewer calls."""
        if now >= self.held_until:  # answers to calls of the same moment are one refusal
            if now - self.refused_at <= _AGAIN_S or self.learnt < math.inf:
                self.learnt, self.learnt_at = max(1.0, 0.75 * self.limit(rule, now)), now + pause_s
            self.refused_at = now
        self.held_until = max(self.held_until, now + pause_s)
