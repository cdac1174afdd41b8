"""Tick sizes of the KRX by date, market and kind (호가가격단위).

Prices are integers in won. Here: the dated rows and which of them is in force. Not here: rounding
(`scalar`), daily limits (`limits`). A table is two int64 arrays: exclusive upper bounds and sizes.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple

import numpy as np

from haetae.domain.market import Int64Array, Kind, Market
from haetae.domain.units import Won
from haetae.krx.dated import in_force

TickTable = tuple[Int64Array, Int64Array]
Bands = tuple[tuple[Won, Won], ...]
"""Exclusive upper bound and tick of each band, ascending; the last bound is the largest int64."""

TOP = int(np.iinfo(np.int64).max)
KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/ticks.py (TICK_ROWS)"


class TickRow(NamedTuple):
    """Ticks of some kinds on some markets, on the days from ``first_day`` to ``last_day``."""

    first_day: dt.date
    last_day: dt.date
    markets: frozenset[Market]
    kinds: frozenset[Kind]
    bands: Bands
    source: str


FUNDS = frozenset({Kind.ETF, Kind.ETN})
SHARES = frozenset(Kind) - FUNDS
_KOSPI, _KOSDAQ, _KONEX = (frozenset({market}) for market in (Market.KOSPI, Market.KOSDAQ, Market.KONEX))
_ALL = frozenset(Market)

_KOSPI_2009: Bands = ((5_000, 5), (10_000, 10), (50_000, 50), (100_000, 100), (500_000, 500), (TOP, 1_000))
_KOSDAQ_2003: Bands = ((5_000, 5), (10_000, 10), (50_000, 50), (TOP, 100))
_KOSPI_2010: Bands = ((1_000, 1), *_KOSPI_2009)
_KOSDAQ_2010: Bands = ((1_000, 1), *_KOSDAQ_2003)
_UNIFIED: Bands = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500), (TOP, 1_000))
_FUND_2010: Bands = ((TOP, 5),)
_FUND_2023: Bands = ((2_000, 1), (TOP, 5))

_BEFORE_PENNIES = (
    "KRX 2010-07-30 (hankyung.com 2010073099481, sedaily.com 1HSODG5DW4): 5 won below 5,000 won until 2010-10-01"
)
_PENNIES = f"{_BEFORE_PENNIES}, 1 won below 1,000 won from 2010-10-04"
_OF_KOSDAQ = "코스닥위원회 2003-05-29: 100 won from 50,000 won up (hankyung.com 2003052902901)"
_OF_UNIFIED = (
    "KRX 2022-11-01 (daum 20221101161150796), in force 2023-01-25 (investing.com article-871878): one table for "
    "KOSPI, KOSDAQ and KONEX"
)
_OF_FUNDS = "KRX 2022-11-01: ETF, ETN and ELW tick by 5 won whatever the price (daum 20221101161150796)"
_OF_FUNDS_2023 = (
    "KRX 2023-10-05: ETF and ETN below 2,000 won tick by 1 won from December 2023; the day within it is unverified "
    "(the draft was reported for 12-08 by etoday.co.kr 2289674 and for 12-18 by mediapen.com 860330)"
)
_OF_KONEX = (
    "unverified text; the exchange's own KONEX prices of January and February 2021 to 2023 lie on multiples of 100, "
    "not of 500, from 100,000 won up, as on KOSDAQ"
)
# fmt: off
TICK_ROWS: tuple[TickRow, ...] = (
    TickRow(dt.date(2010, 1, 1), dt.date(2010, 10, 3), _KOSPI, SHARES, _KOSPI_2009, _BEFORE_PENNIES),
    TickRow(dt.date(2010, 10, 4), dt.date(2023, 1, 24), _KOSPI, SHARES, _KOSPI_2010, _PENNIES),
    TickRow(dt.date(2010, 1, 1), dt.date(2010, 10, 3), _KOSDAQ, SHARES, _KOSDAQ_2003,
            f"{_OF_KOSDAQ}; {_BEFORE_PENNIES}"),
    TickRow(dt.date(2010, 10, 4), dt.date(2023, 1, 24), _KOSDAQ, SHARES, _KOSDAQ_2010, f"{_OF_KOSDAQ}; {_PENNIES}"),
    TickRow(dt.date(2013, 7, 1), dt.date(2023, 1, 24), _KONEX, SHARES, _KOSDAQ_2010, _OF_KONEX),
    TickRow(dt.date(2023, 1, 25), KNOWN_TO, _ALL, SHARES, _UNIFIED, _OF_UNIFIED),
    TickRow(dt.date(2010, 1, 1), dt.date(2023, 12, 10), _ALL, FUNDS, _FUND_2010, _OF_FUNDS),
    TickRow(dt.date(2023, 12, 11), KNOWN_TO, _ALL, FUNDS, _FUND_2023, _OF_FUNDS_2023),
)
# fmt: on


def tick_row(day: dt.date, kind: Kind, market: Market) -> TickRow:
    """Return the row in force on a day; raises ``MarketRuleError`` where the table has none."""
    rows = [row for row in TICK_ROWS if market in row.markets and kind in row.kinds]
    return in_force(rows, day, table=TABLE, about=f"{market.value} {kind.value}")


@cache
def tick_table(day: dt.date, kind: Kind, market: Market) -> TickTable:
    """Return ``(upper bounds exclusive, sizes)`` in force on a day, read-only int64 arrays in won."""
    return _arrays(tick_row(day, kind, market).bands)


@cache
def _arrays(bands: Bands) -> TickTable:
    bounds = np.array([bound for bound, _ in bands], dtype=np.int64)
    sizes = np.array([size for _, size in bands], dtype=np.int64)
    bounds.flags.writeable = False
    sizes.flags.writeable = False
    return bounds, sizes
