"""Who watches the event loop of a trading day: a thread that pages through the same channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from haetae.domain.events import Note
from haetae.live import LiveSettings
from haetae.live.notices import notice_of
from haetae.wiring.clocks import SystemClock
from haetae.wiring.notifying import Channels
from haetae.wiring.paces import Pace
from haetae.wiring.watchdog import Watchdog

_log = structlog.get_logger(__name__)


@contextmanager
def watching(live: LiveSettings, pace: Pace, channels: Channels | None) -> Iterator[None]:
    """Watch the running loop while the context is open; a market in lockstep waits for it, so nobody needs to."""
    if pace.speed == 0:
        yield
        return

    def page(seconds: float) -> None:
        _log.error("loop.blocked", seconds=round(seconds, 1))
        notice = notice_of(Note(SystemClock().now(), "loop.blocked", {"seconds": round(seconds, 1)}))
        if channels is not None and notice is not None:
            channels.send_now(notice)

    watchdog = Watchdog(live.blocked_s, page)
    try:
        yield
    finally:
        watchdog.close()
