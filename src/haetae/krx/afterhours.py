"""Trading outside the regular session of the KRX, by date: at a close, at single prices, the aftermarket.

Here: dated rows with their source and the windows they give on a day. Not here: the regular session
(`sessions`), which order types a broker takes. Windows are half-open, instants UTC nanoseconds; offsets are
minutes from the open or the close, so a late session moves them along (an assumption save for the end of the
aftermarket, which is fixed).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from haetae.domain.market import Kind
from haetae.domain.units import NS_PER_MINUTE, BasisPoints, Instant, instant_at

_FUNDS = frozenset({Kind.ETF, Kind.ETN})


class OffHours(Enum):
    """A market of its own outside the regular session; orders do not pass from one to another."""

    BEFORE_OPEN = "before_open"
    """장전 시간외: at the previous close."""
    AFTER_CLOSE = "after_close"
    """장후 시간외: at today's close."""
    SINGLE_PRICE = "single_price"
    """시간외 단일가: every ten minutes within 10 % of the close."""
    AFTERMARKET = "aftermarket"
    """애프터마켓: continuous within the day's limits."""


class Anchor(Enum):
    """What an offset is counted from."""

    OPEN = "open"
    CLOSE = "close"


class OffHoursRow(NamedTuple):
    """One such market in force on days from ``first_day`` to ``last_day``; ``until`` is its end as hhmmss, if fixed."""

    hours: OffHours
    first_day: dt.date
    last_day: dt.date
    anchor: Anchor
    from_min: int
    to_min: int
    until: int
    limit_bp: BasisPoints
    every_min: int
    without: frozenset[Kind]
    source: str


_EVER = dt.date.max
_LAST_SINGLE = dt.date(2026, 9, 11)
AFTERMARKET_FROM = dt.date(2026, 9, 14)
_NOTICE = "KIS notices 2026-09: 애프터마켓 16:00-20:00 from 2026-09-14, no ETF, ETN, ELW"
_PRESS = "KRX trading hours 2016-08-01 (press)"
_NONE: frozenset[Kind] = frozenset()
# fmt: off
OFF_HOURS_ROWS: tuple[OffHoursRow, ...] = (
    OffHoursRow(OffHours.BEFORE_OPEN, dt.date(2010, 1, 1), dt.date(2019, 4, 26), Anchor.OPEN, -90, -30, 0, 0, 0, _NONE,
             "장전 시간외 07:30-08:30 until 2019-04-26 (press)"),
    OffHoursRow(OffHours.BEFORE_OPEN, dt.date(2019, 4, 29), _EVER, Anchor.OPEN, -30, -20, 0, 0, 0, _NONE,
             "장전 시간외 08:30-08:40 since 2019-04-29 (press); KIS workbook 2026-06: ORD_DVSN 05"),
    OffHoursRow(OffHours.AFTER_CLOSE, dt.date(2010, 1, 1), _EVER, Anchor.CLOSE, 10, 30, 0, 0, 0, _NONE,
             f"장후 시간외 15:40-16:00; {_PRESS}; before 2016-08-01 half an hour earlier, with the close"),
    OffHoursRow(OffHours.SINGLE_PRICE, dt.date(2014, 9, 1), _LAST_SINGLE, Anchor.CLOSE, 30, 150, 0, 1_000, 10, _NONE,
             f"시간외 단일가 16:00-18:00 every ten minutes; {_PRESS}; abolished 2026-09-14"),
    OffHoursRow(OffHours.AFTERMARKET, AFTERMARKET_FROM, _EVER, Anchor.CLOSE, 30, 0, 200_000, 3_000, 0, _FUNDS, _NOTICE),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class OffHoursWindow:
    """When such a market is open on a day: ``start <= t < end``; which kinds it does not take."""

    hours: OffHours
    start: Instant
    end: Instant
    limit_bp: BasisPoints
    every_min: int
    without: frozenset[Kind]

    def holds(self, at: Instant) -> bool:
        """Return whether it is open at an instant."""
        return self.start <= at < self.end


def windows_on(day: dt.date, open_at: Instant, close_at: Instant) -> tuple[OffHoursWindow, ...]:
    """Return the windows of a day whose regular session opens and closes at these instants, ascending."""
    found = []
    for row in OFF_HOURS_ROWS:
        if not row.first_day <= day <= row.last_day:
            continue
        base = open_at if row.anchor is Anchor.OPEN else close_at
        end = instant_at(day, row.until) if row.until else base + row.to_min * NS_PER_MINUTE
        start = base + row.from_min * NS_PER_MINUTE
        found.append(OffHoursWindow(row.hours, start, end, row.limit_bp, row.every_min, row.without))
    return tuple(sorted(found, key=lambda window: window.start))
