"""Which (TR, key) pairs a WebSocket session should hold, and what to change to get there. Pure.

Here: `Registrations`: what is wanted, in what rank, what the server has acknowledged, what it refuses for good. Not
here: messages and sockets (`stream`), which symbols matter (`feed`). A session takes so many pairs and no more
(41, fewer for some accounts): the best ranks are held, the others wait. A pair is given back before another takes its
place, so that the limit is never passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

Pair = tuple[str, str]


class Rank(IntEnum):
    """What a registration is for; the lower, the sooner it is held."""

    NEEDED = 0
    HELD_SYMBOL = 1
    SYMBOL = 2
    HELD_STATUS = 3
    STATUS = 4


class Registrations:
    """The pairs of one session and those of the next.

    Attributes
    ----------
    limit : int
        Pairs a session takes; lowered when the server says so.
    held : set of (TR, key)
        Acknowledged in the present session.
    refused : dict of (TR, key) to code
        Refused for good; not asked for again.
    """

    def __init__(self, limit: int) -> None:
        """Want nothing yet."""
        self.limit = limit
        self.held: set[Pair] = set()
        self.refused: dict[Pair, str] = {}
        self._wanted: dict[Pair, Rank] = {}

    @property
    def free(self) -> int:
        """Return the room that what is wanted leaves; below 0 where more is wanted than fits."""
        return self.limit - len(self._wanted)

    def wants(self, pair: Pair) -> bool:
        """Whether a pair is wanted."""
        return pair in self._wanted

    def room_for(self, pairs: Iterable[Pair]) -> bool:
        """Whether so many needed pairs fit, if everything less needed gives way."""
        needed = {pair for pair, rank in self._wanted.items() if rank is Rank.NEEDED}
        return len(needed | set(pairs)) <= self.limit

    def want(self, pairs: Iterable[Pair], rank: Rank) -> None:
        """Want pairs, or rank them anew; of one rank the first that was wanted comes first.

        A pair that was refused is asked for again only where it is needed.
        """
        for pair in pairs:
            self._wanted[pair] = rank
            if rank is Rank.NEEDED:
                self.refused.pop(pair, None)

    def drop(self, pairs: Iterable[Pair]) -> None:
        """Want pairs no more."""
        for pair in pairs:
            self._wanted.pop(pair, None)
            self.refused.pop(pair, None)

    def lost(self) -> None:
        """Hold nothing: the session ended."""
        self.held.clear()

    def full(self) -> None:
        """Learn that the server takes no more than it holds now."""
        self.limit = min(self.limit, len(self.held))

    def target(self) -> list[Pair]:
        """Return the pairs a session should hold, the most needed first."""
        asked = [pair for pair in self._wanted if pair not in self.refused]
        return sorted(asked, key=lambda pair: self._wanted[pair])[: self.limit]

    def surplus(self) -> list[Pair]:
        """Return the pairs to give back."""
        target = set(self.target())
        return sorted(self.held - target)

    def missing(self) -> list[Pair]:
        """Return the pairs to ask for now, as many as there is room beside what is held."""
        asked = [pair for pair in self.target() if pair not in self.held]
        return asked[: max(0, self.limit - len(self.held))]
