"""Trading outside the regular session of the KRX, by date: at a close, at single prices, the aftermarket.

Here: dated rows with their source and the windows they give on a day. Not here: the regular session
(`sessions`), the other exchange (`nxt`), which order types a broker takes. Windows are half-open, instants UTC
nanoseconds; offsets are minutes from the open or the close, so a late session moves them along; the evening markets
end at a fixed time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from haetae.domain.market import Kind
from haetae.domain.units import NS_PER_MINUTE, BasisPoints, Instant, instant_at
from haetae.krx.dated import unknown

_FUNDS = frozenset({Kind.ETF, Kind.ETN})


class OffHours(Enum):
    """A market of its own outside the regular session; orders do not pass from one to another."""

    BEFORE_OPEN = "before_open"
    """장전 시간외: at the previous close."""
    AFTER_CLOSE = "after_close"
    """장후 시간외: at today's close."""
    SINGLE_PRICE = "single_price"
    """시간외 단일가: every few minutes at one price near the close."""
    AFTERMARKET = "aftermarket"
    """애프터마켓: continuous within the day's limits."""


class Anchor(Enum):
    """What an offset is counted from."""

    OPEN = "open"
    CLOSE = "close"


class OffHoursRow(NamedTuple):
    """One such market in force on days from ``first_day`` to ``last_day``.

    ``until`` is its end as hhmmss where that is fixed, else 0 and ``to_min`` counts. Prices lie within ``limit_bp`` of
    the close (0: the close itself), trades come every ``every_min`` (0: at once); ``without`` are kinds it takes not.
    """

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


KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/afterhours.py (OFF_HOURS_ROWS)"
AFTERMARKET_FROM = dt.date(2026, 9, 14)
_LAST_SINGLE = dt.date(2026, 9, 13)
_NOTICE = "KIS notices 2026-09: 애프터마켓 16:00-20:00 from 2026-09-14, no ETF, ETN, ELW"
_SHORTER = "KRX 2019-04-03 (biz.newdaily.co.kr 2019040300150)"
_LONGER = "KRX: 15:40-18:00 instead of 15:10-18:00 from 2016-08-01 (wowtv.co.kr X20160728181845)"
_WIDER = (
    "KRX 2014-08-26 (fntimes.com 20140827221742133251_18): ±5 % every 30 minutes until 2014-08-29, then ±10 % every 10"
)
_LATE = "on days that close late it still ends at 18:00 (asiae.co.kr 2012110110170566085)"
_NONE: frozenset[Kind] = frozenset()
# fmt: off
OFF_HOURS_ROWS: tuple[OffHoursRow, ...] = (
    OffHoursRow(OffHours.BEFORE_OPEN, dt.date(2010, 1, 1), dt.date(2019, 4, 28), Anchor.OPEN, -90, -30, 0, 0, 0, _NONE,
             f"07:30-08:30; {_SHORTER}; an hour later with a late open (sedaily.com 1HTI8MMOCL)"),
    OffHoursRow(OffHours.BEFORE_OPEN, dt.date(2019, 4, 29), KNOWN_TO, Anchor.OPEN, -30, -20, 0, 0, 0, _NONE,
             f"08:30-08:40; {_SHORTER}; KIS workbook 2026-06: ORD_DVSN 05"),
    OffHoursRow(OffHours.AFTER_CLOSE, dt.date(2010, 1, 1), KNOWN_TO, Anchor.CLOSE, 10, 30, 0, 0, 0, _NONE,
             f"15:10-15:30, later 15:40-16:00, with the close; {_LONGER}; kept beside the aftermarket (donga.com "
             "133155334)"),
    OffHoursRow(OffHours.SINGLE_PRICE, dt.date(2010, 1, 1), dt.date(2014, 8, 31), Anchor.CLOSE, 30, 0, 180_000, 500, 30,
             _NONE, f"15:30-18:00; {_WIDER}; {_LATE}"),
    OffHoursRow(OffHours.SINGLE_PRICE, dt.date(2014, 9, 1), _LAST_SINGLE, Anchor.CLOSE, 30, 0, 180_000, 1_000, 10,
             _NONE, f"15:30-18:00, since 2016-08-01 16:00-18:00; {_WIDER}; {_LATE}; abolished 2026-09-14 (KIS "
             "notices)"),
    OffHoursRow(OffHours.AFTERMARKET, AFTERMARKET_FROM, KNOWN_TO, Anchor.CLOSE, 30, 0, 200_000, 3_000, 0, _FUNDS,
             _NOTICE),
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
    rows = [row for row in OFF_HOURS_ROWS if row.first_day <= day <= row.last_day]
    if not rows:
        raise unknown(OFF_HOURS_ROWS, day, table=TABLE)
    found = []
    for row in rows:
        base = open_at if row.anchor is Anchor.OPEN else close_at
        end = instant_at(day, row.until) if row.until else base + row.to_min * NS_PER_MINUTE
        start = base + row.from_min * NS_PER_MINUTE
        found.append(OffHoursWindow(row.hours, start, end, row.limit_bp, row.every_min, row.without))
    return tuple(sorted(found, key=lambda window: window.start))
