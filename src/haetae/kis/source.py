"""KIS as ``ports.MarketSource``: one face over the master files, the charts and the reference calls.

Here: master files and the delegation. Not here: bars (`bars`), reference data (`studies`), walks (`walking`), calls
(`rest`), files (``store``), which symbols to collect (``collector``).
"""

from __future__ import annotations

import asyncio
import datetime as dt

import pyarrow as pa

from haetae.domain.market import Instrument, Market
from haetae.domain.units import Symbol, day_of
from haetae.kis import bars, studies
from haetae.kis.rest import KisRest
from haetae.kis.walking import Work
from haetae.kis.wire.masters import FILES, parse_master
from haetae.ports import Clock, Effort

_FOLDER = "/common/master/"


class KisSource:
    """History and reference data over one REST connection; calls may run concurrently."""

    def __init__(self, rest: KisRest, clock: Clock) -> None:
        """Ask nothing yet."""
        self._rest = rest
        self._clock = clock
        self._work = Work(rest)

    @property
    def effort(self) -> Effort:
        """Return the calls of all methods so far; master files are no calls, they are not counted by the broker."""
        return self._work.effort

    @property
    def _today(self) -> dt.date:
        return day_of(self._clock.now())

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every listed name of KOSPI and KOSDAQ with its status flags of today, sorted by symbol."""
        markets = (Market.KOSPI, Market.KOSDAQ)
        files = await asyncio.gather(*(self._rest.download(f"{_FOLDER}{FILES[market]}.zip") for market in markets))
        day = self._today
        listed = [one for market, file in zip(markets, files, strict=True) for one in parse_master(market, file, day)]
        return tuple(sorted(listed, key=lambda one: one.symbol))

    async def holidays(self, start: dt.date, end: dt.date) -> pa.Table:
        """See ``studies.holidays``; real domain only."""
        return await studies.holidays(self._work, start, end, self._today)

    async def daily_bars(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """See ``bars.daily_bars``."""
        return await bars.daily_bars(self._work, symbol, start, end)

    async def period_bars(self, symbol: Symbol, table: str, start: dt.date, end: dt.date) -> pa.Table:
        """See ``bars.period_bars``."""
        return await bars.period_bars(self._work, symbol, table, start, end)

    async def minute_bars(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """See ``bars.minute_bars``."""
        return await bars.minute_bars(self._work, self._clock, symbol, start, end)

    async def index_bars(self, index: str, start: dt.date, end: dt.date) -> pa.Table:
        """See ``bars.index_bars``."""
        return await bars.index_bars(self._work, index, start, end)

    async def index_minutes(self, index: str) -> pa.Table:
        """See ``bars.index_minutes``; real domain only."""
        return await bars.index_minutes(self._work, index)

    async def navs(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """See ``bars.navs``; real domain only."""
        return await bars.navs(self._work, symbol, start, end)

    async def flows(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """See ``studies.flows``."""
        return await studies.flows(self._work, symbol, start, end)

    async def market_flows(self, market: Market, day: dt.date) -> pa.Table:
        """See ``studies.market_flows``; real domain only."""
        return await studies.market_flows(self._work, market, day)

    async def fundamentals(self, symbol: Symbol) -> pa.Table:
        """See ``studies.fundamentals``; real domain only."""
        return await studies.fundamentals(self._work, symbol, self._today)

    async def status(self, symbol: Symbol) -> pa.Table:
        """See ``studies.status``."""
        return await studies.status(self._work, symbol, self._today)

    async def interruptions(self, day: dt.date) -> pa.Table:
        """See ``studies.interruptions``; real domain only."""
        return await studies.interruptions(self._work, day)

    async def rankings(self) -> pa.Table:
        """See ``studies.rankings``; real domain only."""
        return await studies.rankings(self._work, self._today, self._clock.now())

    async def headlines(self, day: dt.date) -> pa.Table:
        """See ``studies.headlines``; real domain only."""
        return await studies.headlines(self._work, day)

    async def corporate_actions(self, start: dt.date, end: dt.date) -> pa.Table:
        """See ``studies.corporate_actions``; real domain only."""
        return await studies.corporate_actions(self._work, start, end, self._today)
