"""How many shares an order is a multiple of, by date, market and kind (매매수량단위).

Here: the dated rows. Not here: cutting a quantity to whole lots (`scalar.whole_lots`); the lot that the broker's
master file tells of a name today (``domain.market.Instrument.lot``), which wins over this table where both are known.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple

from haetae.domain.market import Kind, Market
from haetae.domain.units import Shares, Won
from haetae.krx.dated import in_force
from haetae.krx.ticks import FUNDS, SHARES

KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/lots.py (LOT_ROWS)"


class LotRow(NamedTuple):
    """Lots of some kinds on some markets: ``lot`` shares, and ``dear_lot`` from a base price of ``dear_from`` won up.

    ``dear_from`` is 0 where the price does not matter.
    """

    first_day: dt.date
    last_day: dt.date
    markets: frozenset[Market]
    kinds: frozenset[Kind]
    lot: Shares
    dear_from: Won
    dear_lot: Shares
    source: str


_KOSPI, _KOSDAQ, _KONEX = (frozenset({market}) for market in (Market.KOSPI, Market.KOSDAQ, Market.KONEX))
_SINGLE = "KRX 2014-05-12: single shares of every KOSPI name from 2014-06-02 (hankyung.com 2014051236431)"
# fmt: off
LOT_ROWS: tuple[LotRow, ...] = (
    LotRow(dt.date(2010, 1, 1), dt.date(2014, 6, 1), _KOSPI, SHARES, 10, 50_000, 1,
           f"{_SINGLE}; before, ten shares below 50,000 won by the base price, one from there up, since 2006-06 "
           "(mediapen.com 32728)"),
    LotRow(dt.date(2014, 6, 2), KNOWN_TO, _KOSPI, SHARES, 1, 0, 1, _SINGLE),
    LotRow(dt.date(2010, 1, 1), KNOWN_TO, _KOSDAQ, SHARES, 1, 0, 1,
           "KOSDAQ has always traded single shares (hankyung 1999-10-08; ajunews.com 20141113104958480)"),
    LotRow(dt.date(2013, 7, 1), dt.date(2014, 11, 16), _KONEX, SHARES, 100, 0, 100,
           "KRX: a hundred shares at the opening of KONEX (ajunews.com 20130613000360)"),
    LotRow(dt.date(2014, 11, 17), KNOWN_TO, _KONEX, SHARES, 1, 0, 1,
           "KRX 2014-11-13: single shares on KONEX from 2014-11-17 (asiae.co.kr 2014111310261065855)"),
    LotRow(dt.date(2010, 1, 1), KNOWN_TO, frozenset(Market), FUNDS, 1, 0, 1,
           "KRX 2014-05-12: ETF one share, as before (etoday.co.kr 913349); ETN since its market opened, unverified"),
)
# fmt: on


@cache
def lot_row(day: dt.date, market: Market, kind: Kind) -> LotRow:
    """Return the row in force on a day; raises ``MarketRuleError`` where the table has none."""
    rows = [row for row in LOT_ROWS if market in row.markets and kind in row.kinds]
    return in_force(rows, day, table=TABLE, about=f"{market.value} {kind.value}")


def lot_of(day: dt.date, market: Market, kind: Kind, base_price: Won) -> Shares:
    """Return the lot of a name on a day, by its base price (기준가) of the day in won."""
    row = lot_row(day, market, kind)
    return row.dear_lot if row.dear_from and base_price >= row.dear_from else row.lot
