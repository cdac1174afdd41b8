"""Trading days and hours of the KRX from 2010 to 2027.

Here: which days trade, the neighbours of a day, when the regular session opens and closes.
Not here: the dated tables themselves (`closures`, `hours`), what a broker says of days (`refresh`), phases
within a day (`sessions`). Days are KST
calendar days, times are hhmmss in KST. A day outside the table raises ``MarketRuleError``: an
unknown year is not guessed.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from functools import cache

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.units import day_from, yyyymmdd
from haetae.krx.closures import CLOSURES, FIRST_YEAR, LAST_YEAR, OTHER_HOURS
from haetae.krx.hours import hours_on

_FIRST = dt.date(FIRST_YEAR, 1, 1)
_LAST = dt.date(LAST_YEAR, 12, 31)
_CLOSED = frozenset(row.day for row in CLOSURES)
_HOURS = {row.day: (row.opens, row.closes) for row in OTHER_HOURS}


@cache
def _all_days() -> tuple[dt.date, ...]:
    count = (_LAST - _FIRST).days + 1
    days = (_FIRST + dt.timedelta(days=offset) for offset in range(count))
    return tuple(day for day in days if day.weekday() < 5 and yyyymmdd(day) not in _CLOSED)


def _within(day: dt.date) -> None:
    if not _FIRST <= day <= _LAST:
        raise _outside(str(day))


def _outside(found: str) -> MarketRuleError:
    return MarketRuleError(
        Text(
            ko=f"거래일 달력({FIRST_YEAR}-{LAST_YEAR})에 없는 날입니다: {found}",
            en=f"outside the trading calendar ({FIRST_YEAR}-{LAST_YEAR}): {found}",
        ),
        expected=f"a day from {_FIRST} to {_LAST}",
        found=found,
        next_step="extend haetae/krx/closures.py with sourced rows",
    )


def is_trading_day(day: dt.date) -> bool:
    """Return whether the KRX trades on a day."""
    _within(day)
    return day.weekday() < 5 and yyyymmdd(day) not in _CLOSED


def trading_days(start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
    """Return the trading days of ``[start, end]``, ascending; empty if there is none."""
    _within(start)
    _within(end)
    days = _all_days()
    return days[bisect_left(days, start) : bisect_right(days, end)]


def next_trading_day(day: dt.date, n: int = 1) -> dt.date:
    """Return the n-th trading day after a day (which itself need not trade); ``n >= 1``."""
    _within(day)
    days = _all_days()
    index = bisect_right(days, day) + n - 1
    if n < 1 or index >= len(days):
        raise _outside(f"{n} trading days after {day}")
    return days[index]


def previous_trading_day(day: dt.date, n: int = 1) -> dt.date:
    """Return the n-th trading day before a day (which itself need not trade); ``n >= 1``."""
    _within(day)
    days = _all_days()
    index = bisect_left(days, day) - n
    if n < 1 or index < 0:
        raise _outside(f"{n} trading days before {day}")
    return days[index]


def opens_at(day: dt.date) -> int:
    """Return when the regular session of a trading day opens, ``90000`` on an ordinary day."""
    return _hours(day)[0]


def closes_at(day: dt.date) -> int:
    """Return when the regular session of a trading day closes, ``153000`` on an ordinary day since 2016-08-01."""
    return _hours(day)[1]


def opens_late(day: dt.date) -> bool:
    """Return whether a trading day opens later than an ordinary one (first session of a year, CSAT)."""
    return opens_at(day) > hours_on(day).opens


def _hours(day: dt.date) -> tuple[int, int]:
    if not is_trading_day(day):
        raise MarketRuleError(
            Text(ko=f"{day}은(는) 휴장일입니다", en=f"the KRX is closed on {day}"),
            expected="a trading day",
            found=f"{day:%A}" if day.weekday() >= 5 else reason_closed(day),
            next_step=f"the next trading day is {next_trading_day(day)}",
        )
    ordinary = hours_on(day)
    return _HOURS.get(yyyymmdd(day), (ordinary.opens, ordinary.closes))


def reason_closed(day: dt.date) -> str:
    """Return why a weekday is closed, in Korean; empty for days without a row."""
    return next((row.reason for row in CLOSURES if day_from(row.day) == day), "")
