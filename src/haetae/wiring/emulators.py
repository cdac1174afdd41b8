"""The emulator as a process: its market, its signals, its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum

from haetae.emulator.server import serve
from haetae.emulator.settings import EmulatorSettings

_LOOK_S = 1.0
"""Real seconds between two looks whether the parent still lives."""


class Ending(Enum):
    """Why an emulator ended."""

    INTERRUPTED = "interrupted"
    TERMINATED = "terminated"
    ORPHANED = "orphaned"


async def run_emulator(
    settings: EmulatorSettings, announce: Callable[[Mapping[str, object]], None], *, with_parent: bool
) -> Ending:
    """Serve until a signal comes, or, ``with_parent``, until the process that started this one is gone.

    ``announce`` is called once, with the addresses, when every port listens.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Ending] = loop.create_future()

    def end(why: Ending) -> None:
        if not ended.done():
            ended.set_result(why)

    loop.add_signal_handler(signal.SIGINT, end, Ending.INTERRUPTED)
    loop.add_signal_handler(signal.SIGTERM, end, Ending.TERMINATED)
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            end(Ending.ORPHANED)
        elif not ended.done():
            loop.call_later(_LOOK_S, look)

    if with_parent:
        look()
    async with serve(settings) as ready:
        announce(ready)
        return await ended
