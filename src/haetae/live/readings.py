"""Readings of the account: one at a time, asked for as often as anybody wants, made once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from haetae.domain.errors import HaetaeError
from haetae.domain.events import AccountSnapshot
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.live.settings import LiveSettings
from haetae.ports import Broker, Clock

_log = structlog.get_logger(__name__)
Job = Callable[[], Awaitable[None]]


class Readings:
    """Reads orders, positions and cash of a day; ``queue`` puts a reading into a lane, ``told`` takes what it saw."""

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        day: dt.date,
        settings: LiveSettings,
        *,
        queue: Callable[[Job], None],
        told: Callable[[AccountSnapshot], None],
        again_at: Callable[[Instant], None],
    ) -> None:
        """Read nothing yet; ``again_at`` asks for another reading at an instant, after one that failed."""
        self._broker = broker
        self._clock = clock
        self._day = day
        self._settings = settings
        self._queue = queue
        self._told = told
        self._again_at = again_at
        self._waits = False

    async def read(self) -> AccountSnapshot:
        """Return what the broker says now; raises what its calls raise."""
        orders = await self._broker.orders(self._day)
        positions = await self._broker.positions()
        cash = await self._broker.cash()
        return AccountSnapshot(self._clock.now(), cash.cash, cash.orderable, positions, orders)

    async def first(self) -> AccountSnapshot:
        """Return the first reading of a day; a few tries, for without one we do not know what we own."""
        for attempt in range(self._settings.start_reads - 1):
            try:
                return await self.read()
            except HaetaeError as fault:
                _log.warning("account.reading_failed", fault=str(fault), attempt=attempt)
                await self._clock.sleep(self._settings.read_retry_s)
        return await self.read()

    def want(self) -> None:
        """Ask for a reading; one that waits already is enough."""
        if not self._waits:
            self._waits = True
            self._queue(self._job)

    async def _job(self) -> None:
        self._waits = False
        try:
            self._told(await self.read())
        except HaetaeError as fault:
            _log.warning("account.reading_failed", fault=str(fault))
            self._again_at(self._clock.now() + self._settings.read_retry_s * NS_PER_SECOND)
