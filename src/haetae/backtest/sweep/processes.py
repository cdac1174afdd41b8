"""All cores of this machine: a worker process each, the bars shared as memory-mapped files.

The pool is our own because the library's (``concurrent.futures``) gives up all that is pending when one worker dies,
and cannot tell which point killed it; here the worker is replaced and the point tried once more. Workers start from a
fork server, or anew where there is none, never as a copy of this process with its threads. When this process is
killed, their pipes end and they end too.
"""

from __future__ import annotations

import multiprocessing as mp
import shutil
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numba
import numpy as np
from threadpoolctl import threadpool_limits

from haetae.backtest.sweep.executors import Tell
from haetae.backtest.sweep.points import Job, Outcome, Status
from haetae.backtest.sweep.work import Arrays, Recipe, Work
from haetae.domain.errors import HaetaeError

AHEAD = 2
"""Jobs a worker has: one it runs and one that waits, so that it never idles while this process writes."""
LIVES = 2
"""A point is tried so often before its worker's death is laid at its door."""


class Cores:
    """``workers`` processes on this machine."""

    name = "cores"

    def __init__(self, workers: int, scratch: Path, tell: Tell) -> None:
        """Start nothing yet; ``scratch`` is a folder of ours for the shared arrays, gone at the end."""
        self._count = workers
        self._scratch = scratch
        self._tell = tell
        self._work: Work | None = None
        self._workers: list[_Worker] = []

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes at work, for those who measure them."""
        return tuple(worker.pid for worker in self._workers)

    def map(self, work: Work, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """Yield outcomes as workers finish them."""
        waiting: deque[Job] = deque(jobs)
        if not waiting:
            return
        self._open(work)
        deaths: dict[str, int] = {}
        while waiting or any(worker.busy for worker in self._workers):
            for worker in sorted(self._workers, key=lambda each: len(each.busy)):
                while waiting and len(worker.busy) < AHEAD:
                    worker.give(waiting.popleft())
            for worker in self._ready():
                try:
                    outcome = worker.take()
                except EOFError:
                    lost = self._bury(worker, waiting, deaths)
                    if lost is not None:
                        yield lost
                else:
                    yield outcome

    def _open(self, work: Work) -> None:
        if self._work is work:
            return
        self.close()
        share(work.arrays, self._scratch)
        self._work = work
        self._workers = [self._hire() for _ in range(self._count)]

    def _hire(self) -> _Worker:
        assert self._work is not None
        return _Worker(_context(), self._work.recipe, self._scratch)

    def _ready(self) -> list[_Worker]:
        at_work = {worker.pipe: worker for worker in self._workers if worker.busy}
        return [at_work[pipe] for pipe in wait(list(at_work)) if isinstance(pipe, Connection)]

    def _bury(self, worker: _Worker, waiting: deque[Job], deaths: dict[str, int]) -> Outcome | None:
        """Replace a dead worker, give its jobs back, and return the outcome of a job that kills."""
        code = worker.bury()
        suspect, *others = worker.busy
        deaths[suspect.key] = deaths.get(suspect.key, 0) + 1
        self._tell(f"worker ended ({_cause(code)}) over {dict(suspect.parameters)}; a new one takes its place")
        self._workers[self._workers.index(worker)] = self._hire()
        waiting.extendleft(reversed(others))
        if deaths[suspect.key] < LIVES:
            waiting.appendleft(suspect)
            return None
        return Outcome(suspect, Status.DIED, reason=f"its process ended {LIVES} times: {_cause(code)}")

    def close(self) -> None:
        """End the workers, whatever they do, and take the shared arrays away."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.end()
        self._workers, self._work = [], None
        shutil.rmtree(self._scratch, ignore_errors=True)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        """End the workers."""
        self.close()


class _Worker:
    """A process, the pipe to it and the jobs it has, the one it runs first."""

    def __init__(self, context: Any, recipe: Recipe, scratch: Path) -> None:
        self.pipe, theirs = context.Pipe()
        self.busy: deque[Job] = deque()
        self._process = context.Process(target=serve, args=(theirs, recipe, str(scratch)), daemon=True)
        self._process.start()
        self.pid: int = self._process.pid
        theirs.close()  # so that its death is an end of file here

    def give(self, job: Job) -> None:
        """Hand a job over; that a dead worker cannot take it shows when its pipe is read."""
        self.busy.append(job)
        try:
            self.pipe.send(job)
        except (BrokenPipeError, ConnectionResetError):
            return

    def take(self) -> Outcome:
        """Return the outcome that is there; ``EOFError`` if the worker died, its error if it met one."""
        try:
            answer = self.pipe.recv()
        except ConnectionResetError as fault:
            raise EOFError from fault
        if isinstance(answer, BaseException):
            raise answer
        self.busy.popleft()
        found: Outcome = answer
        return found

    def dismiss(self) -> None:
        """Close the pipe: an idle process ends by itself."""
        self.pipe.close()
        if not self.busy:
            self._process.join(1)

    def bury(self) -> int | None:
        """Return the exit code of a process that has ended, or is about to: its pipe is closed."""
        self._process.join(5)
        return self.end()

    def end(self) -> int | None:
        """End the process, if it still runs, and return its exit code."""
        self._process.terminate()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.pipe.close()
        code: int | None = self._process.exitcode
        return code


def serve(pipe: Connection, recipe: Recipe, folder: str) -> None:
    """Run jobs until the pipe ends: the body of a worker process.

    An expected error goes to the driver; any other is a defect, shows its traceback here and ends the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the driver ends us in order
    numba.set_num_threads(1)
    with threadpool_limits(limits=1), suppress(EOFError):
        try:
            run = recipe.open(shared(Path(folder)))
            while True:
                pipe.send(run(pipe.recv()))
        except HaetaeError as fault:
            pipe.send(fault)


def share(arrays: Arrays, folder: Path) -> None:
    """Write arrays as files that processes map into their memory."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def shared(folder: Path) -> Arrays:
    """Return the arrays of ``share``, mapped and read-only."""
    return {path.stem: np.load(path, mmap_mode="r").view(np.ndarray) for path in sorted(folder.glob("*.npy"))}


def _context() -> Any:
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _cause(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
