"""Where the points of a sweep run: one small protocol, and the executor that needs nothing.

An executor yields outcomes as they are ready, in no promised order; every outcome bears its job. What a job computes
does not depend on where it runs: the arrays, the code and the number of threads (one) are the same. Not here: many
processes (`processes`), many machines (`cluster`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from threadpoolctl import ThreadpoolController

from haetae.backtest.sweep.points import Job, Outcome
from haetae.backtest.sweep.work import Work

Tell: TypeAlias = Callable[[str], None]
"""Takes one line for the person who waits: a worker died and was replaced."""


class Executor(Protocol):
    """Runs jobs; opened once for many calls of ``map`` on the same work, and closed by ``with``."""

    name: str

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield the outcome of every job as soon as it is there."""
        ...

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """End every worker."""
        ...


class Here:
    """Runs in this process, one job after another."""

    name = "here"

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes in the order of the jobs."""
        threads = ThreadpoolController()
        run = work.recipe.open(work.arrays)
        for job in jobs:
            with threads.limit(limits=1):
                outcome = run(job)
            yield outcome

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """Nothing was started."""
