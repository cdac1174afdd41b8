"""How far a price may move on a day: the daily limits by date and market, the first day of a listing, no limits.

Here: the dated rows and the edges they give. Not here: the arithmetic of ordinary limits (`scalar`), ticks.
Prices are won, limits basis points of the base price (기준가).
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple

from haetae.domain.market import Market
from haetae.domain.units import BasisPoints, Won
from haetae.krx.dated import in_force

KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/limits.py (LIMIT_ROWS)"
LISTING_TABLE = "haetae/krx/limits.py (LISTING_DAY_ROWS)"


class LimitRow(NamedTuple):
    """Daily limits of some markets around the base price, on the days from ``first_day`` to ``last_day``."""

    first_day: dt.date
    last_day: dt.date
    markets: frozenset[Market]
    limit_bp: BasisPoints
    source: str


class ListingDayRow(NamedTuple):
    """Edges of the first day of a listing, as basis points of the offering price."""

    first_day: dt.date
    last_day: dt.date
    lower_bp: BasisPoints
    upper_bp: BasisPoints
    source: str


_MAIN = frozenset({Market.KOSPI, Market.KOSDAQ})
_KONEX = frozenset({Market.KONEX})
_FIRST_DAY_BEFORE = "90 to 200 % of the offer by auction, then the daily limit around what it found"
# fmt: off
LIMIT_ROWS: tuple[LimitRow, ...] = (
    LimitRow(dt.date(2010, 1, 1), dt.date(2015, 6, 14), _MAIN, 1_500,
             "KRX: 15 % until 2015-06-12; seen in the market (tests/golden/krx_limits.csv)"),
    LimitRow(dt.date(2015, 6, 15), KNOWN_TO, _MAIN, 3_000,
             "KRX: 30 % since 2015-06-15; seen in the market (tests/golden/krx_limits.csv)"),
    LimitRow(dt.date(2013, 7, 1), KNOWN_TO, _KONEX, 1_500,
             "KONEX opened 2013-07-01 with 15 % and kept it (BNK investment securities, 코넥스 이용안내)"),
)
LISTING_DAY_ROWS: tuple[ListingDayRow, ...] = (
    ListingDayRow(dt.date(2010, 1, 1), dt.date(2015, 6, 14), 7_650, 23_000, f"KRX: {_FIRST_DAY_BEFORE} (15 %)"),
    ListingDayRow(dt.date(2015, 6, 15), dt.date(2023, 6, 25), 6_300, 26_000,
                  f"KRX: {_FIRST_DAY_BEFORE} (30 %); newspim.com 20230413000815"),
    ListingDayRow(dt.date(2023, 6, 26), KNOWN_TO, 6_000, 40_000,
                  "KRX 업무규정 시행세칙 from 2023-06-26: 60 to 400 % of the offer, KOSPI and KOSDAQ "
                  "(newspim.com 20230413000815)"),
)
# fmt: on
UNBOUNDED: Won = 10**10
"""Upper edge of a name without limits (정리매매): beyond any price of the exchange."""


@cache
def limit_bp(day: dt.date, market: Market) -> BasisPoints:
    """Return the daily limit of a market on a day; raises ``MarketRuleError`` where the table has none."""
    rows = [row for row in LIMIT_ROWS if market in row.markets]
    return in_force(rows, day, table=TABLE, about=market.value).limit_bp


def listing_day(day: dt.date) -> ListingDayRow:
    """Return the edges of a first day of trading."""
    return in_force(LISTING_DAY_ROWS, day, table=LISTING_TABLE)
