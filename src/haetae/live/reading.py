"""One reading of the account: orders first, then holdings and cash, all pages of each; all of it or nothing.

Orders are read first: an execution in between shows in holdings a moment early, and the next reading explains it.
The day before is read too at the start of a run and while one of its orders is not settled.
"""

from __future__ import annotations

import datetime as dt

from haetae.desk import DeskState
from haetae.domain.events import AccountSnapshot
from haetae.domain.units import day_of
from haetae.krx import previous_trading_day
from haetae.ports import Broker, Clock


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
    positions = await broker.positions()
    cash = await broker.cash()
    return AccountSnapshot(clock.now(), cash.cash, cash.orderable, positions, tuple(rows), days, first)
