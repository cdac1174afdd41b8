"""When a trade settles, by date, and who is on the list of a record date. Not here: which days trade (`calendar`)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from haetae.krx.calendar import previous_trading_day
from haetae.krx.dated import in_force

KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/settlement.py (SETTLEMENT_ROWS)"


class SettlementRow(NamedTuple):
    """Trades of the days from ``first_day`` to ``last_day`` settle ``sessions`` trading days later."""

    first_day: dt.date
    last_day: dt.date
    sessions: int
    source: str


SETTLEMENT_ROWS: tuple[SettlementRow, ...] = (
    SettlementRow(
        dt.date(2010, 1, 1), KNOWN_TO, 2,
        "KRX 업무규정, 보통거래: the third day, the day of the trade counted, closing days not; so the depository on "
        "2019-05-27 (cnbnews.com 411076); the last weekday of a year settles nothing (edaily 2020-12-29)",
    ),
)  # fmt: skip


def settlement_sessions(day: dt.date) -> int:
    """Return after how many sessions the trades of a day settle (T+2 is 2)."""
    return in_force(SETTLEMENT_ROWS, day, table=TABLE).sessions


def ex_day(record: dt.date) -> dt.date:
    """Return the first session whose buyers are not on the list of a record date (권리락일): they settle after it."""
    return previous_trading_day(record + dt.timedelta(days=1), settlement_sessions(record))
