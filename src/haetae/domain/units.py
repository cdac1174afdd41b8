"""Units: integers for money, price, quantity and time; floats for ratios.

``Instant`` is nanoseconds since the epoch, UTC. The KRX trades in KST (UTC+9, no daylight saving
since 1988), so wall-clock time of the market is pure integer arithmetic and needs no zone table.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

Won: TypeAlias = int
Shares: TypeAlias = int
Instant: TypeAlias = int
BasisPoints: TypeAlias = int
Weight: TypeAlias = float
Symbol: TypeAlias = str
"""Short code as text: six characters, digits or capital letters (never a number)."""

NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_DAY = 86_400 * NS_PER_SECOND
KST_OFFSET_NS = 9 * 3_600 * NS_PER_SECOND
_EPOCH = dt.date(1970, 1, 1)


def instant_at(day: dt.date, hhmmss: int) -> Instant:
    """Return the instant of a KST wall-clock time.

    Parameters
    ----------
    day : date
        Calendar day in KST.
    hhmmss : int
        Wall-clock time as digits, ``93000`` is 09:30:00.
    """
    hours, rest = divmod(hhmmss, 10_000)
    minutes, seconds = divmod(rest, 100)
    since_midnight = (hours * 3_600 + minutes * 60 + seconds) * NS_PER_SECOND
    return (day - _EPOCH).days * NS_PER_DAY - KST_OFFSET_NS + since_midnight


def day_of(at: Instant) -> dt.date:
    """Return the KST calendar day of an instant."""
    return _EPOCH + dt.timedelta(days=(at + KST_OFFSET_NS) // NS_PER_DAY)


def hhmmss_of(at: Instant) -> int:
    """Return the KST wall-clock time of an instant as digits, ``93000`` is 09:30:00."""
    seconds = ((at + KST_OFFSET_NS) % NS_PER_DAY) // NS_PER_SECOND
    return (seconds // 3_600) * 10_000 + (seconds // 60 % 60) * 100 + seconds % 60


def minute_of_day(at: Instant) -> int:
    """Return whole minutes since KST midnight."""
    return ((at + KST_OFFSET_NS) % NS_PER_DAY) // NS_PER_MINUTE


def yyyymmdd(day: dt.date) -> int:
    """Return a day as the integer 20260102, the form used in array columns and on the wire."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_from(value: int | str) -> dt.date:
    """Return the day of an integer or text such as 20260102; raises ``ValueError`` if it is none."""
    number = int(value)
    if not 0 < number <= 99_991_231:
        raise ValueError(f"{value} is no day")
    return dt.date(number // 10_000, number // 100 % 100, number % 100)


def kst_text(at: Instant) -> str:
    """Return an instant as ``2026-01-02T09:30:00+09:00``."""
    clock = hhmmss_of(at)
    hours, rest = divmod(clock, 10_000)
    return f"{day_of(at).isoformat()}T{hours:02d}:{rest // 100:02d}:{rest % 100:02d}+09:00"
