"""How far a price may move on a day: the daily limits by date, the first day of a listing, no limits.

Here: the dated rows and the edges they give. Not here: the arithmetic of ordinary limits (`scalar`), ticks.
Prices are won, limits basis points of the base price (기준가).
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from haetae.domain.market import Market
from haetae.domain.units import BasisPoints, Won


class LimitRow(NamedTuple):
    """Daily limits around the base price from a day on."""

    first_day: dt.date
    limit_bp: BasisPoints
    konex_bp: BasisPoints
    source: str


class ListingDayRow(NamedTuple):
    """Edges of the first day of a listing, as basis points of the offering price."""

    first_day: dt.date
    lower_bp: BasisPoints
    upper_bp: BasisPoints
    source: str


LIMIT_ROWS: tuple[LimitRow, ...] = (
    LimitRow(dt.date(2010, 1, 1), 1_500, 1_500, "KRX: 15 % until 2015-06-12"),
    LimitRow(dt.date(2015, 6, 15), 3_000, 1_500, "KRX: 30 % since 2015-06-15; KONEX keeps 15 %"),
)
LISTING_DAY_ROWS: tuple[ListingDayRow, ...] = (
    ListingDayRow(dt.date(2010, 1, 1), 7_650, 23_000, "90-200 % by auction, then the daily limit of 15 % around it"),
    ListingDayRow(dt.date(2015, 6, 15), 6_300, 26_000, "90-200 % by auction, then the daily limit of 30 % around it"),
    ListingDayRow(dt.date(2023, 6, 26), 6_000, 40_000, "KRX 업무규정 시행세칙 from 2023-06-26: 60-400 % of the offer"),
)
UNBOUNDED: Won = 10**10
"""Upper edge of a name without limits (정리매매): beyond any price of the exchange."""


def limit_row(day: dt.date) -> LimitRow:
    """Return the daily limits in force on a day."""
    return next(row for row in reversed(LIMIT_ROWS) if row.first_day <= day)


def limit_bp(day: dt.date, market: Market) -> BasisPoints:
    """Return the daily limit of a market on a day."""
    row = limit_row(day)
    return row.konex_bp if market is Market.KONEX else row.limit_bp


def listing_day(day: dt.date) -> ListingDayRow:
    """Return the edges of a first day of trading."""
    return next(row for row in reversed(LISTING_DAY_ROWS) if row.first_day <= day)
