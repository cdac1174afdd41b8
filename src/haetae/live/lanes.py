"""Conversations with the broker: one at a time in each lane, urgent ones in a lane of their own.

Within a lane jobs run in the order they were asked for, so equal days talk to the broker equally. A
job that began is never cancelled: cutting a request in flight would leave its fate unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from haetae.ports import Passing, pass_by

Job = Callable[[], Awaitable[None]]


class Lane:
    """A queue of jobs and the task that works it."""

    def __init__(self, name: str, done: Callable[[], None], passing: Passing = pass_by) -> None:
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        self._done = done
        self._passing = passing
        self.task = asyncio.create_task(self._work(), name=f"lane-{name}")

    def put(self, job: Job) -> None:
        """Queue a job; ``done`` is called after it."""
        self._jobs.put_nowait(job)

    async def close(self) -> None:
        """Let the queued jobs finish, then end."""
        self._jobs.put_nowait(None)
        await asyncio.wait([self.task])

    async def _work(self) -> None:
        while (job := await self._jobs.get()) is not None:
            try:
                self._passing("lane.job_begins")
                await job()
                self._passing("lane.job_done")
            finally:
                self._done()
            await asyncio.sleep(0)  # what came of it is read, and journalled, before the next one leaves
