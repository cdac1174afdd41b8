"""Hours of the regular session by date: the rows, data only.

Times are hhmmss in KST, spans minutes. Here: what holds on an ordinary day. Not here: single days with other hours
(`closures`), the instants of a day (`sessions`), markets outside the session (`afterhours`), Nextrade (`nxt`).
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from haetae.krx.dated import in_force

KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/hours.py (HOURS_ROWS)"


class HoursRow(NamedTuple):
    """The regular session: orders are taken ``entry_min`` before it opens, its last ``call_min`` are one auction."""

    first_day: dt.date
    last_day: dt.date
    opens: int
    closes: int
    entry_min: int
    call_min: int
    source: str


_LONGER = "KRX: half an hour longer from 2016-08-01 (wowtv.co.kr X20160728181845)"
_SHORTER_ENTRY = (
    "KRX 2019-04-03: orders for the opening from 08:30 instead of 08:00 from 2019-04-29 (etoday.co.kr 1750105)"
)
_CALL = "closing auction of ten minutes (KRX 업무규정)"
HOURS_ROWS: tuple[HoursRow, ...] = (
    HoursRow(dt.date(2010, 1, 1), dt.date(2016, 7, 31), 90_000, 150_000, 60, 10, f"{_LONGER}; {_CALL}"),
    HoursRow(dt.date(2016, 8, 1), dt.date(2019, 4, 28), 90_000, 153_000, 60, 10, f"{_LONGER}; {_CALL}"),
    HoursRow(dt.date(2019, 4, 29), KNOWN_TO, 90_000, 153_000, 30, 10, f"{_SHORTER_ENTRY}; {_CALL}"),
)


def hours_on(day: dt.date) -> HoursRow:
    """Return the ordinary hours of a day; raises ``MarketRuleError`` where the table has none."""
    return in_force(HOURS_ROWS, day, table=TABLE)
