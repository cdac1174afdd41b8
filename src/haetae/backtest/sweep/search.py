"""The order in which the points of a space are tried.

A search proposes batches and is told what came of each before the next one. Batches do not depend on how many
workers there are nor on which of them was faster, so every executor walks the same points. Not here: the search
that learns (`adaptive`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from haetae.backtest.sweep.points import key_of
from haetae.backtest.sweep.space import Parameters, Space

_PATIENCE = 50
"""A small space is drawn empty before this many repeats of points per point wanted."""

Score: TypeAlias = float | None
"""What is made large; None where a point was refused or its figure is undefined."""


class Search(Protocol):
    """Proposes points, batch after batch."""

    @property
    def most(self) -> int:
        """At most so many points are proposed."""
        ...

    def propose(self) -> Sequence[Parameters]:
        """Return the next batch; empty when the search is over."""
        ...

    def learn(self, scores: Sequence[Score]) -> None:
        """Take the scores of the batch, in its order."""
        ...


SearchMaker: TypeAlias = Callable[[], Search]
"""Makes a fresh search; every window of a walk-forward has one of its own."""


class Listed:
    """Points that are known from the beginning, in one batch."""

    def __init__(self, points: Sequence[Parameters]) -> None:
        """Keep the points."""
        self._points: Sequence[Parameters] = points
        self.most = len(points)

    def propose(self) -> Sequence[Parameters]:
        """Return all of them once."""
        points, self._points = self._points, ()
        return points

    def learn(self, scores: Sequence[Score]) -> None:
        """Learn nothing."""


def grid_search(space: Space) -> Listed:
    """Return the whole grid."""
    return Listed(list(space.grid()))


def random_search(space: Space, n: int, dice: np.random.Generator) -> Listed:
    """Return ``n`` different points, fewer where the space has no more of them."""
    found: dict[str, Parameters] = {}
    for _ in range(_PATIENCE * n):
        drawn = space.draw(dice)
        found.setdefault(key_of(drawn), drawn)
        if len(found) == n:
            break
    return Listed(list(found.values()))
