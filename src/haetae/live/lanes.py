"""Conversations with the broker: so many at a time in each lane, urgent ones in a lane of their own.

Within a lane jobs begin in the order they were asked for, and with one at once they also end in it, so that equal days
talk to the broker equally. A job that began is never cancelled: cutting a request in flight leaves its fate unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from haetae.ports import Passing, pass_by

Job = Callable[[], Awaitable[None]]


class Lane:
    """A queue of jobs and the task that works it, ``at_once`` of them at a time."""

    def __init__(self, name: str, done: Callable[[], None], passing: Passing = pass_by, *, at_once: int = 1) -> None:
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        self._done = done
        self._passing = passing
        self._at_once = at_once
        self.task = asyncio.create_task(self._work(), name=f"lane-{name}")

    def put(self, job: Job) -> None:
        """Queue a job; ``done`` is called after it."""
        self._jobs.put_nowait(job)

    async def close(self) -> None:
        """Let the queued jobs finish, then end."""
        self._jobs.put_nowait(None)
        await asyncio.wait([self.task])

    async def _work(self) -> None:
        under_way: set[asyncio.Task[None]] = set()
        while (job := await self._jobs.get()) is not None:
            if self._at_once == 1:
                await self._do(job)
                continue
            under_way.add(asyncio.create_task(self._do(job)))
            if len(under_way) >= self._at_once:
                ended, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                _raise_faults(ended)
        if under_way:
            _raise_faults((await asyncio.wait(under_way))[0])

    async def _do(self, job: Job) -> None:
        try:
            self._passing("lane.job_begins")
            await job()
            self._passing("lane.job_done")
        finally:
            self._done()
        await asyncio.sleep(0)  # what came of it is read, and journalled, before the next one leaves


def _raise_faults(ended: set[asyncio.Task[None]]) -> None:
    """Raise what ended a job, as it would have ended the lane."""
    for task in ended:
        task.result()
