"""Readings of the account: one at a time, asked for as often as anybody wants, made once; all of one or nothing.

Orders are read first, then holdings and cash: an execution in between shows in holdings a moment early, and the next
reading explains it. The day before is read too at the start of a run and while one of its orders is not settled.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import structlog

from haetae.desk import DeskState
from haetae.domain.errors import HaetaeError
from haetae.domain.events import AccountSnapshot
from haetae.domain.units import NS_PER_SECOND, Instant, day_of
from haetae.krx import previous_trading_day
from haetae.live.settings import LiveSettings
from haetae.live.work import Balancing, Selling
from haetae.ports import Broker, Clock, Passing, pass_by

_log = structlog.get_logger(__name__)
Job = Callable[[], Awaitable[None]]


def days_to_read(desk: DeskState, day: dt.date, *, first: bool) -> tuple[dt.date, ...]:
    """Return the days whose orders a reading needs, ascending."""
    left = {day_of(order.intent.at) for order in desk.blotter.open_orders()}
    return tuple(sorted({day, *left, *((previous_trading_day(day),) if first else ())}))


async def read_account(
    broker: Broker, clock: Clock, days: tuple[dt.date, ...], *, first: bool = False
) -> AccountSnapshot:
    """Return what the broker says now; raises what any part of it raises, since half a reading proves nothing.

    Parameters
    ----------
    days : from ``days_to_read``.
    first : whether a run starts with this reading.
    """
    rows = []
    for day in days:
        rows += [row for row in await broker.orders(day) if row.order_id.day == day]
    if isinstance(broker, Balancing):
        positions, cash = await broker.balance()
    else:
        positions, cash = await broker.positions(), await broker.cash()
    sellable = broker.sellable() if isinstance(broker, Selling) else {}
    return AccountSnapshot(clock.now(), cash.cash, cash.orderable, positions, tuple(rows), days, first, sellable)


class Readings:
    """Reads orders, positions and cash; ``queue`` puts a reading into a lane, ``told`` takes what it saw."""

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        days: Callable[[bool], tuple[dt.date, ...]],
        settings: LiveSettings,
        *,
        queue: Callable[[Job], None],
        told: Callable[[AccountSnapshot], None],
        again_at: Callable[[Instant], None],
        passing: Passing = pass_by,
    ) -> None:
        """Read nothing yet.

        ``days`` tells whose orders a reading needs, given whether a run starts with it; ``again_at`` asks for another
        reading at an instant, after one that failed.
        """
        self._broker = broker
        self._clock = clock
        self._days = days
        self._settings = settings
        self._queue = queue
        self._told = told
        self._again_at = again_at
        self._passing = passing
        self._waits = False

    async def read(self, *, first: bool = False) -> AccountSnapshot:
        """Return what the broker says now; raises what its calls raise."""
        return await read_account(self._broker, self._clock, self._days(first), first=first)

    async def first(self) -> AccountSnapshot:
        """Return the first reading of a day; a few tries, for without one we do not know what we own."""
        for attempt in range(self._settings.start_reads - 1):
            try:
                return await self.read(first=True)
            except HaetaeError as fault:
                _log.warning("account.reading_failed", fault=str(fault), attempt=attempt)
                await self._clock.sleep(self._settings.read_retry_s)
        return await self.read(first=True)

    def want(self) -> None:
        """Ask for a reading; one that waits already is enough."""
        if not self._waits:
            self._waits = True
            self._queue(self._job)

    async def _job(self) -> None:
        self._waits = False
        try:
            reading = await self.read()
            self._passing("run.account_read")
            self._told(reading)
        except HaetaeError as fault:
            _log.warning("account.reading_failed", fault=str(fault))
            self._again_at(self._clock.now() + self._settings.read_retry_s * NS_PER_SECOND)
