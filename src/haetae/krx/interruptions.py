"""What interrupts continuous trading: VI, circuit breakers, sidecar, periodic call auctions, by date.

Here: dated rows with their source, which of them is in force, and whether a price trips a VI. Not here:
when a market is actually interrupted (drivers hold the prices), regular hours (`sessions`). Rates are basis
points (10 % is 1 000), spans are seconds or minutes, prices won. ``unverified`` in a source means that the
row is the plain reading of second-hand pages.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import NamedTuple

from haetae.domain.market import Kind, Market
from haetae.domain.units import BasisPoints, Won
from haetae.krx import scalar
from haetae.krx.dated import in_force, in_force_since, unknown

_KRX_VI = "KRX, Volatility Interruption (global.krx.co.kr GLB0602010204T9)"
_KRX_CB = "KRX, 주식시장의 매매거래중단제도 (regulation.krx.co.kr RGL03010402)"


class DynamicRates(NamedTuple):
    """Dynamic VI rates of one class of names, by phase; 0 where it does not apply."""

    continuous: BasisPoints
    closing: BasisPoints
    evening: BasisPoints


class ViRow(NamedTuple):
    """VI rules: a call auction of ``call_s`` and up to ``random_s`` more.

    ``wide`` holds for all names save those of ``narrow``: members of the KOSPI 200 and funds on broad
    indices, inverse and bond funds. ``static_bp`` is counted from the last single price.
    """

    first_day: dt.date
    last_day: dt.date
    static_bp: BasisPoints
    narrow: DynamicRates
    wide: DynamicRates
    on_listing_day: bool = True
    call_s: int = 120
    random_s: int = 30
    source: str = ""

    def dynamic(self, *, narrow: bool) -> DynamicRates:
        """Return the dynamic rates of a name."""
        return self.narrow if narrow else self.wide


class BreakerLevel(NamedTuple):
    """One level: a fall from the previous close, and ``further_bp`` below the index of the level before.

    ``halt_min`` of 0 ends the day.
    """

    fall_bp: BasisPoints
    further_bp: BasisPoints
    halt_min: int
    auction_min: int


class BreakerRow(NamedTuple):
    """Circuit breaker rules.

    The fall must last ``lasts_s``; each level trips once a day; levels that resume do not trip in the last
    ``guard_min`` before the close. While halted no new order is taken, cancels are.
    """

    first_day: dt.date
    last_day: dt.date
    levels: tuple[BreakerLevel, ...]
    lasts_s: int
    guard_min: int
    source: str


class SidecarRow(NamedTuple):
    """Program orders wait ``wait_min`` when the index future moved so far for ``lasts_s``; once a day.

    ``index_bp`` is how far the index itself must have moved the same way, 0 where that does not matter.
    """

    first_day: dt.date
    last_day: dt.date
    market: Market
    move_bp: BasisPoints
    index_bp: BasisPoints
    lasts_s: int
    wait_min: int
    guard_min: int
    source: str


class PeriodicRow(NamedTuple):
    """Names with a flag trade only at single prices every so many minutes; with no flag named, every name does."""

    first_day: dt.date
    last_day: dt.date
    markets: frozenset[Market]
    flag: str
    every_min: int
    source: str


class ReopeningRow(NamedTuple):
    """After a halt within the day a call auction of so many minutes finds the first price."""

    first_day: dt.date
    last_day: dt.date
    auction_min: int
    source: str


KNOWN_TO = dt.date(2027, 12, 31)
TABLES = "haetae/krx/interruptions.py"
_NARROW, _WIDE = DynamicRates(300, 200, 300), DynamicRates(600, 400, 600)
_ALL = frozenset(Market)
_KONEX = frozenset({Market.KONEX})
# fmt: off
VI_ROWS: tuple[ViRow, ...] = (
    ViRow(dt.date(2014, 9, 1), dt.date(2015, 6, 14), 0, _NARROW, _WIDE,
          source=f"{_KRX_VI}; dynamic from 2014-09-01 (sedaily.com 1HT61S9IE1)"),
    ViRow(dt.date(2015, 6, 15), dt.date(2021, 10, 17), 1_000, _NARROW, _WIDE,
          source=f"{_KRX_VI}; static from 2015-06-15"),
    ViRow(dt.date(2021, 10, 18), KNOWN_TO, 1_000, _NARROW, _WIDE, on_listing_day=False,
          source=f"{_KRX_VI}; none on the day of an IPO; that the evening rate of the single-price session holds in "
          "the aftermarket of 2026-09-14 too is unverified"),
)
BREAKER_ROWS: tuple[BreakerRow, ...] = (
    BreakerRow(dt.date(2001, 10, 15), dt.date(2015, 6, 14), (BreakerLevel(1_000, 0, 20, 10),), 60, 40,
               "one level of 10 %: KOSPI since 1998-12-07, KOSDAQ since 2001-10-15 (etoday.co.kr 1286514, 190662)"),
    BreakerRow(dt.date(2015, 6, 15), KNOWN_TO,
               (BreakerLevel(800, 0, 20, 10), BreakerLevel(1_500, 100, 20, 10), BreakerLevel(2_000, 100, 0, 0)), 60, 40,
               f"{_KRX_CB}; three levels since 2015-06-15, the third also in the last 40 minutes (einfomax 4076112)"),
)
SIDECAR_ROWS: tuple[SidecarRow, ...] = (
    SidecarRow(dt.date(2001, 10, 15), KNOWN_TO, Market.KOSPI, 500, 0, 60, 5, 40,
               "KOSPI 200 future ±5 % for a minute (hankyung.com 2006011866098, etoday.co.kr 2522306)"),
    SidecarRow(dt.date(2001, 10, 15), dt.date(2015, 11, 22), Market.KOSDAQ, 600, 0, 60, 5, 40,
               "future on KOSDAQ 50, later STAR, ±6 % for a minute (hankyung.com 2006011866098); since 2001-03; the "
               "last day is unverified: the future on KOSDAQ 150 opened 2015-11-23"),
    SidecarRow(dt.date(2015, 11, 23), KNOWN_TO, Market.KOSDAQ, 600, 300, 60, 5, 40,
               "KOSDAQ 150 future ±6 % and the index itself ±3 % for a minute (fetv.co.kr 171873)"),
)
PERIODIC_ROWS: tuple[PeriodicRow, ...] = (
    PeriodicRow(dt.date(2001, 10, 15), KNOWN_TO, _ALL, "liquidation", 30,
                "정리매매: single prices every 30 minutes (unverified day)"),
    PeriodicRow(dt.date(2012, 11, 5), KNOWN_TO, _ALL, "short_overheated", 30,
                "단기과열종목 since 2012-11-05 (newstomato.com 298377)"),
    PeriodicRow(dt.date(2013, 7, 1), dt.date(2014, 6, 29), _KONEX, "", 30,
                "KONEX: every name at single prices every 30 minutes until 2014-06-29 (newspim.com 20140730000364)"),
)
REOPENING_ROWS: tuple[ReopeningRow, ...] = (
    ReopeningRow(dt.date(2001, 10, 15), KNOWN_TO, 10,
                 "first price after a halt by a call auction of 10 minutes (unverified)"),
)
# fmt: on


def vi_on(day: dt.date) -> ViRow | None:
    """Return the VI rules of a day; none before 2014-09-01."""
    return in_force_since(VI_ROWS, day, table=f"{TABLES} (VI_ROWS)")


def breaker_on(day: dt.date) -> BreakerRow | None:
    """Return the circuit breaker rules of a day."""
    return in_force_since(BREAKER_ROWS, day, table=f"{TABLES} (BREAKER_ROWS)")


def sidecar_on(day: dt.date, market: Market = Market.KOSPI) -> SidecarRow | None:
    """Return the sidecar rules of a market on a day; KONEX has none."""
    rows = [row for row in SIDECAR_ROWS if row.market is market]
    return in_force_since(rows, day, table=f"{TABLES} (SIDECAR_ROWS)", about=market.value)


def reopening_min(day: dt.date) -> int:
    """Return the minutes of the call auction after a halt within the day."""
    return in_force(REOPENING_ROWS, day, table=f"{TABLES} (REOPENING_ROWS)").auction_min


@cache
def periodic_min(day: dt.date, flags: frozenset[str], market: Market = Market.KOSPI) -> int:
    """Return the minutes between the single prices of a name with these flags; 0 where it trades continuously.

    Such names have no VI.
    """
    if day > KNOWN_TO:
        raise unknown(PERIODIC_ROWS, day, table=f"{TABLES} (PERIODIC_ROWS)")
    spans = [
        row.every_min
        for row in PERIODIC_ROWS
        if (not row.flag or row.flag in flags) and market in row.markets and row.first_day <= day <= row.last_day
    ]
    return min(spans, default=0)


def narrow_by_kind(kind: Kind, name: str) -> bool:
    """Return whether a fund has the narrow dynamic rate by what it follows, judged by its name.

    Broad Korean indices, inverse and bond funds do; leveraged, sector and foreign ones do not. A share has it
    as a member of the KOSPI 200, which its kind does not tell.
    """
    if kind is not Kind.ETF or "레버리지" in name or "2X" in name.upper():
        return False
    return any(word in name for word in ("200", "100", "인버스", "채권", "국고채"))


def trips(price: Won, reference: Won, rate_bp: BasisPoints) -> bool:
    """Return whether a price is at or beyond ``reference ± reference x rate``; a rate of 0 never trips."""
    return bool(scalar.trips(price, reference, rate_bp))
