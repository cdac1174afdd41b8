"""Nextrade (넥스트레이드), the other stock exchange, by date: its markets on a day, and how much it may trade.

Here: dated rows with their source and the windows they give on a day. Not here: which names it takes. That list changes
every quarter and at short notice when a cap is near, so it is data from outside: the broker tells it for each name
(``cptt_trad_tr_psbl_yn`` and ``nxt_tr_stop_yn`` of search-stock-info, kept as the flag ``nxt``). Ticks, limits, taxes
and settlement are those of the KRX (``Rulebook``). Windows are half-open, instants UTC nanoseconds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from haetae.domain.units import NS_PER_SECOND, Instant, instant_at
from haetae.krx.dated import in_force_since

KNOWN_TO = dt.date(2027, 12, 31)
TABLE = "haetae/krx/nxt.py (NXT_ROWS)"
OPENED = dt.date(2025, 3, 4)


class NxtMarket(Enum):
    """A market of Nextrade."""

    PRE = "pre"
    """프리마켓: continuous, before the KRX opens."""
    MAIN = "main"
    """메인마켓: continuous beside the KRX, without its auctions."""
    AFTER_CALL = "after_call"
    """애프터마켓 시가단일가: orders are taken for the first price of the evening."""
    AFTER = "after"
    """애프터마켓: continuous in the evening."""


class NxtAnchor(Enum):
    """What an edge of a market is counted from: the clock, or the regular session of the KRX that day."""

    CLOCK = "clock"
    OPEN = "open"
    CLOSE = "close"


class NxtRow(NamedTuple):
    """A market of Nextrade on the days from ``first_day`` to ``last_day``.

    An edge on the clock is hhmmss, on the open or the close of the KRX seconds from it. ``on_late_days`` tells whether
    it is held when the KRX opens late (first session of a year, CSAT).
    """

    first_day: dt.date
    last_day: dt.date
    market: NxtMarket
    from_anchor: NxtAnchor
    from_edge: int
    to_anchor: NxtAnchor
    to_edge: int
    on_late_days: bool
    source: str


class NxtCapRow(NamedTuple):
    """How much of the KRX's volume Nextrade may trade, in percent of the average of six months."""

    first_day: dt.date
    last_day: dt.date
    all_names_pct: int
    one_name_pct: int
    source: str


_LATE = "not held on late days (heraldcorp.com 10615007, asiae.co.kr 2025121810433063463)"
_HOURS = "넥스트레이드 2025-03-04 (peoplentools 이데일리 988126)"
_MAIN = "09:00:30 to 15:20, moved with a late KRX (asiae.co.kr 2025121810433063463: 10:00:30; heraldcorp.com 10615007)"
_AFTER = (
    "to 20:00; orders from 15:30, continuous from 15:40 (kkong1003.tistory.com 키움 guide; seoul.co.kr "
    "20250915500304); at the start the press said 15:30"
)
# fmt: off
NXT_ROWS: tuple[NxtRow, ...] = (
    NxtRow(dt.date(2025, 3, 5), KNOWN_TO, NxtMarket.PRE, NxtAnchor.CLOCK, 80_000, NxtAnchor.CLOCK, 85_000,
           on_late_days=False,
           source=f"08:00 to 08:50; {_HOURS}; {_LATE}; not on the first day (jedain.com, unverified)"),
    NxtRow(OPENED, OPENED, NxtMarket.MAIN, NxtAnchor.CLOCK, 100_000, NxtAnchor.CLOSE, -600, on_late_days=True,
           source="the first day began at 10:00 after a ceremony (jedain.com, unverified)"),
    NxtRow(dt.date(2025, 3, 5), KNOWN_TO, NxtMarket.MAIN, NxtAnchor.OPEN, 30, NxtAnchor.CLOSE, -600, on_late_days=True,
           source=f"{_MAIN}; {_HOURS}"),
    NxtRow(OPENED, KNOWN_TO, NxtMarket.AFTER_CALL, NxtAnchor.CLOSE, 0, NxtAnchor.CLOSE, 600, on_late_days=True,
           source=_AFTER),
    NxtRow(OPENED, KNOWN_TO, NxtMarket.AFTER, NxtAnchor.CLOSE, 600, NxtAnchor.CLOCK, 200_000, on_late_days=True,
           source=_AFTER),
)
NXT_CAP_ROWS: tuple[NxtCapRow, ...] = (
    NxtCapRow(OPENED, dt.date(2025, 9, 2), 15, 30,
              "자본시장법 시행령 제7조의3제2항, judged at each month's end (fntimes.com "
              "202508181916369410179ad43907_18)"),
    NxtCapRow(dt.date(2025, 9, 3), dt.date(2026, 9, 2), 15, 100,
              "금융위원회 2025-09-03: the cap of one name is not enforced below 100 % for up to a year, an excess of "
              "the whole may be mended within two months (news.sbs.co.kr N1008242344)"),
    NxtCapRow(dt.date(2026, 9, 3), KNOWN_TO, 15, 30,
              "the decree as it stands; what followed the year of grace is unverified"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class NxtWindow:
    """When a market of Nextrade is open on a day: ``start <= t < end``."""

    market: NxtMarket
    start: Instant
    end: Instant

    def holds(self, at: Instant) -> bool:
        """Return whether it is open at an instant."""
        return self.start <= at < self.end


def windows_on(day: dt.date, open_at: Instant, close_at: Instant, *, late: bool) -> tuple[NxtWindow, ...]:
    """Return the markets of Nextrade on a trading day of the KRX, ascending; none before it opened.

    Parameters
    ----------
    open_at, close_at : Instant
        The regular session of the KRX that day.
    late : bool
        Whether the KRX opens later than on an ordinary day.
    """
    edges = {NxtAnchor.OPEN: open_at, NxtAnchor.CLOSE: close_at}

    def edge(anchor: NxtAnchor, value: int) -> Instant:
        return instant_at(day, value) if anchor is NxtAnchor.CLOCK else edges[anchor] + value * NS_PER_SECOND

    found = []
    for market in NxtMarket:
        rows = [row for row in NXT_ROWS if row.market is market]
        row = in_force_since(rows, day, table=TABLE, about=f"NXT {market.value}")
        if row is not None and (row.on_late_days or not late):
            start, end = edge(row.from_anchor, row.from_edge), edge(row.to_anchor, row.to_edge)
            found.append(NxtWindow(market, start, end))
    return tuple(sorted(found, key=lambda window: window.start))
