"""Tick tables of the KRX by date, market and kind (호가가격단위).

Prices are integers in won. Here: the dated tables and which of them is in force. Not here: rounding
(`scalar`), daily limits (`rulebook`). A table is two int64 arrays: exclusive upper bounds and sizes.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np

from haetae.domain.market import Int64Array, Kind, Market
from haetae.domain.units import Won

TickTable = tuple[Int64Array, Int64Array]

_TOP = int(np.iinfo(np.int64).max)
_UNIFIED_FROM = dt.date(2023, 1, 25)
"""KRX: one table for KOSPI, KOSDAQ and KONEX since 2023-01-25."""
_FUND_ONE_WON_FROM = dt.date(2023, 12, 11)
"""KRX: ETF and ETN below 2,000 won tick by 1 won since December 2023 (the day within it is press-grade)."""

_UNIFIED = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500), (_TOP, 1_000))
_KOSPI_OLD = ((1_000, 1), (5_000, 5), (10_000, 10), (50_000, 50), (100_000, 100), (500_000, 500), (_TOP, 1_000))
_KOSDAQ_OLD = ((1_000, 1), (5_000, 5), (10_000, 10), (50_000, 50), (_TOP, 100))
_FUND_OLD = ((_TOP, 5),)
_FUND = ((2_000, 1), (_TOP, 5))


@cache
def _arrays(rows: tuple[tuple[Won, Won], ...]) -> TickTable:
    bounds = np.array([bound for bound, _ in rows], dtype=np.int64)
    sizes = np.array([size for _, size in rows], dtype=np.int64)
    bounds.flags.writeable = False
    sizes.flags.writeable = False
    return bounds, sizes


def tick_table(day: dt.date, kind: Kind, market: Market) -> TickTable:
    """Return ``(upper bounds exclusive, sizes)`` in force on a day, read-only int64 arrays in won."""
    if kind in (Kind.ETF, Kind.ETN):
        return _arrays(_FUND if day >= _FUND_ONE_WON_FROM else _FUND_OLD)
    if day >= _UNIFIED_FROM:
        return _arrays(_UNIFIED)
    return _arrays(_KOSDAQ_OLD if market is Market.KOSDAQ else _KOSPI_OLD)
