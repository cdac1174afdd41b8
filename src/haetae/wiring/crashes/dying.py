"""Passing that kills: a process ends by SIGKILL at a chosen visit of a chosen point, like a pulled plug.

Here: the killer, and the count of points a run passed. Not here: which points there are (``points``).
"""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Death:
    """Where a process dies: the ``visit``-th time (from 1) that it passes ``point``."""

    point: str
    visit: int = 1


@dataclass(slots=True)
class Dying:
    """A ``ports.Passing`` that counts, and dies at its death; without one it only counts."""

    death: Death | None = None
    passed: Counter[str] = field(default_factory=Counter)

    def __call__(self, point: str) -> None:
        """Pass a point, or end there: nothing of this process runs after SIGKILL, no ``finally`` and no flush."""
        self.passed[point] += 1
        death = self.death
        if death is not None and point == death.point and self.passed[point] == death.visit:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path) -> None:
        """Leave the counts behind, for who asks which points a run passes."""
        path.write_text(json.dumps(dict(sorted(self.passed.items()))), encoding="utf-8")
