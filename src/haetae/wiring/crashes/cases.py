"""What every stage of the crash test does: run once without a death, then die at a point, start again, be judged.

Here: the shared words and the care of child processes. Not here: the stages (``desk_cases``, ``writing``).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from haetae.domain.errors import Text
from haetae.wiring.clocks import SystemClock
from haetae.wiring.crashes.dying import Death
from haetae.wiring.crashes.ground import fork

PATIENCE_S = 300.0
"""Real seconds a child may take; the longest needs two where nobody else works."""
KILLED = -signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Straight:
    """A stage without a death: the points it passes with their visits, and what it leads to."""

    passed: Mapping[str, int]
    end: Any


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one death; nothing ``broken`` is well."""

    outcome: str
    broken: tuple[str, ...] = ()


class Stage(Protocol):
    """Something that may die at points: a half hour of the desk, or a durable write."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def told(self) -> Text:
        """What happens in it."""
        ...

    def straight(self, folder: Path) -> Straight:
        """Run it to its end in an empty folder."""
        ...

    def die(self, folder: Path, death: Death, straight: Straight) -> Found:
        """Die there in an empty folder, start again, and judge."""
        ...


def run_child(work: Callable[[], None], log: Path) -> int:
    """Run ``work`` in a child and return how it ended: 0, ``KILLED``, or another status; it speaks into ``log``."""

    def quietly() -> None:
        told = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(told, 1)
        os.dup2(told, 2)
        work()

    clock = SystemClock()
    child = fork(quietly)
    deadline = clock.monotonic() + PATIENCE_S
    pause = 0.001
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if clock.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 124
        time.sleep(pause)
        pause = min(0.01, pause * 1.5)


def last_words(log: Path) -> str:
    """Return the end of what a child said."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    return " · ".join(line.strip() for line in lines[-2:])[:300] or "nothing"
