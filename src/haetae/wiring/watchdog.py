"""A thread that notices when the event loop does not move, and pages: the loop itself could not (P07).

The only thread of a trading day beside the loop. It touches nothing but its own clock and the page it was given.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

_LOOK_S = 1.0


class Watchdog:
    """Pages once for each time that the loop stands still longer than ``blocked_s``."""

    def __init__(self, blocked_s: float, page: Callable[[float], None], look_s: float = _LOOK_S) -> None:
        """Begin to watch the running loop; ``page`` is called in the watching thread with the seconds of standstill."""
        self._blocked_s = blocked_s
        self._page = page
        self._look_s = look_s
        self._loop = asyncio.get_running_loop()
        self._moved = time.monotonic()
        self._ended = threading.Event()
        self._touch()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def _touch(self) -> None:
        self._moved = time.monotonic()
        self._next = self._loop.call_later(self._look_s, self._touch)

    def _watch(self) -> None:
        paged_at = -1.0
        while not self._ended.wait(self._look_s):
            moved = self._moved
            still = time.monotonic() - moved
            if still > self._blocked_s and moved != paged_at:
                paged_at = moved
                self._page(still)

    def close(self) -> None:
        """End the watch."""
        self._next.cancel()
        self._ended.set()
        self._thread.join()
