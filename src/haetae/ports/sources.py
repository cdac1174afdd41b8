"""What a source of market history and reference data must give the collector.

Here: ``MarketSource`` and the measure of its work, ``Effort``. All tables have the columns of ``ports.tables``.
Not here: any implementation.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from haetae.domain.market import Instrument, Market
from haetae.domain.units import Symbol

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Effort:
    """Calls made so far, and the fewest that could have brought the same rows at the page sizes of the source."""

    calls: int = 0
    least: int = 0

    def since(self, earlier: Effort) -> Effort:
        """Return what was spent after an earlier reading."""
        return Effort(self.calls - earlier.calls, self.least - earlier.least)


class MarketSource(Protocol):
    """History and reference data of a market, as the collector asks for it.

    Every call either brings all rows it was asked for or raises; rows a source does not have are absent, never
    invented. Ranges of days are inclusive.
    """

    @property
    def effort(self) -> Effort:
        """Return the calls of all methods so far."""
        ...

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every listed name with its status flags of today."""
        ...

    async def holidays(self, start: dt.date, end: dt.date) -> pa.Table:
        """Return what the source says of each calendar day (``HOLIDAYS``)."""
        ...

    async def daily_bars(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """Return raw daily bars (``DAILY``)."""
        ...

    async def period_bars(self, symbol: Symbol, table: str, start: dt.date, end: dt.date) -> pa.Table:
        """Return raw bars of ``weekly`` or ``monthly`` (``PERIOD``)."""
        ...

    async def minute_bars(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """Return minute bars of all sessions of a range (``MINUTE``); minutes without a trade are absent."""
        ...

    async def index_bars(self, index: str, start: dt.date, end: dt.date) -> pa.Table:
        """Return daily bars of an index (``INDEX_DAILY``)."""
        ...

    async def index_minutes(self, index: str) -> pa.Table:
        """Return the newest minutes of an index, as many as the source keeps (``INDEX_MINUTE``)."""
        ...

    async def navs(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """Return the daily NAVs of an ETF (``ETF_NAV``)."""
        ...

    async def flows(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """Return net purchases of a name by day (``FLOWS``)."""
        ...

    async def market_flows(self, market: Market, day: dt.date) -> pa.Table:
        """Return net purchases of a market on a day (``MARKET_FLOWS``)."""
        ...

    async def fundamentals(self, symbol: Symbol) -> pa.Table:
        """Return all figures of statements the source has (``FUNDAMENTALS``); ``known_on`` is today."""
        ...

    async def status(self, symbol: Symbol) -> pa.Table:
        """Return the status flags of a name today (``FLAGS``)."""
        ...

    async def interruptions(self, day: dt.date) -> pa.Table:
        """Return the volatility interruptions of a day (``VI_EVENTS``)."""
        ...

    async def rankings(self) -> pa.Table:
        """Return the leader boards as they stand now (``RANKINGS``)."""
        ...

    async def headlines(self, day: dt.date) -> pa.Table:
        """Return the headlines of a day, newest first, as far back as the source goes (``NEWS``)."""
        ...

    async def corporate_actions(self, start: dt.date, end: dt.date) -> pa.Table:
        """Return splits, issues, mergers and dividends of all names (``CORPORATE_ACTIONS``)."""
        ...
