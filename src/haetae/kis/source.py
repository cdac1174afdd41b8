"""KIS as ``ports.MarketSource``: master files, daily and minute history, index history, calendar.

Here: walking back through paged charts and turning rows into tables of ``ports.tables``. Not here: calls (`rest`),
files (``store``), which symbols to collect (``collector``). Daily bars are raw prices (never adjusted by KIS, whose
adjusted series are rewritten after every corporate action). Charts come newest first, 100 days, 120 minutes or 50
index days a call; the walk goes back by the oldest row. A page that fails fails the whole: history is never cut
short silently.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from haetae.domain.market import Instrument, Market
from haetae.domain.units import Symbol, day_of, hhmmss_of, instant_at, yyyymmdd
from haetae.kis.rest import KisRest
from haetae.kis.wire import rows
from haetae.kis.wire.fields import Row
from haetae.kis.wire.masters import FILES, parse_master
from haetae.krx import Rulebook, trading_days
from haetae.krx.closures import FIRST_YEAR, LAST_YEAR
from haetae.ports import Clock
from haetae.ports.tables import DAILY, INDEX_DAILY, MINUTE

SOURCE = "kis"
_FOLDER = "/common/master/"
Rows = list[Mapping[str, str]]


class KisSource:
    """History and reference data over one REST connection; calls may run concurrently."""

    def __init__(self, rest: KisRest, clock: Clock) -> None:
        """Ask nothing yet."""
        self._rest = rest
        self._clock = clock

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return every listed name of KOSPI and KOSDAQ with its status flags of today, sorted by symbol."""
        as_of = day_of(self._clock.now())
        markets = (Market.KOSPI, Market.KOSDAQ)
        files = await asyncio.gather(*(self._rest.download(f"{_FOLDER}{FILES[market]}.zip") for market in markets))
        listed = [one for market, file in zip(markets, files, strict=True) for one in parse_master(market, file, as_of)]
        return tuple(sorted(listed, key=lambda one: one.symbol))

    async def daily_bars(self, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
        """Return raw daily bars of ``start <= day <= end``, oldest first (``ports.tables.DAILY``).

        A halted day has no open, high and low on the wire; its four prices are the carried close, volume 0.
        """
        asked = {"FID_INPUT_ISCD": symbol, "FID_PERIOD_DIV_CODE": "D", "FID_ORG_ADJ_PRC": "1"}
        name = "inquire-daily-itemchartprice"
        found = await self._walk_days(name, asked, rows.DAILY_BAR, start, end, about=symbol)
        wire = ("stck_bsop_date", "stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr", "acml_vol", "acml_tr_pbmn")
        days, *prices, volume, turnover = (
            rows.DAILY_BAR.column(found, column, tr=name, about=symbol) for column in wire
        )
        opened, high, low, close = prices
        halted = [not price and not shares for price, shares in zip(opened, volume, strict=True)]
        if any(halted):
            for column in (opened, high, low):
                column[:] = [
                    carried if is_halted else price
                    for price, carried, is_halted in zip(column, close, halted, strict=True)
                ]
        size = len(days)
        rest = [volume, turnover, halted, [False] * size, [SOURCE] * size]
        return _table([[symbol] * size, days, opened, high, low, close, *rest], DAILY)

    async def minute_bars(self, symbol: Symbol, day: dt.date) -> pa.Table:
        """Return one session's minute bars, oldest first (``ports.tables.MINUTE``); minutes without trade are absent.

        Only minutes of the regular session are kept; the row of the closing auction starts at 15:20.
        """
        session = Rulebook.on(day).session
        close_clock = hhmmss_of(session.close_at)
        auction_clock = hhmmss_of(session.auction_from)
        open_clock = hhmmss_of(session.open_at)
        name = "inquire-time-dailychartprice"
        asked = {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": symbol,
            "FID_INPUT_DATE_1": str(yyyymmdd(day)),
            "FID_PW_DATA_INCU_YN": "Y",
            "FID_FAKE_TICK_INCU_YN": "",
        }
        found: dict[int, Mapping[str, str]] = {}
        clock = close_clock
        wanted_day = str(yyyymmdd(day))
        while True:
            reply = await self._rest.call(name, asked | {"FID_INPUT_HOUR_1": f"{clock:06d}"}, about=symbol)
            page = reply.rows("output2")
            clocks = rows.MINUTE_BAR.column(page, "stck_cntg_hour", tr=name, about=symbol)
            fresh = {at: row for at, row in zip(clocks, page, strict=True) if row.get("stck_bsop_date") == wanted_day}
            oldest = min(fresh, default=0)
            if not fresh or (found and oldest >= clock):
                break
            found |= fresh
            if oldest <= open_clock or len(fresh) < len(page):
                break
            clock = _minute_before(oldest)
        return self._minutes(symbol, day, found, (open_clock, auction_clock, close_clock))

    async def index_bars(self, index: str, start: dt.date, end: dt.date) -> pa.Table:
        """Return daily bars of an index, oldest first (``ports.tables.INDEX_DAILY``); points x 100."""
        name = "inquire-daily-indexchartprice"
        asked = {"FID_COND_MRKT_DIV_CODE": "U", "FID_INPUT_ISCD": index, "FID_PERIOD_DIV_CODE": "D"}
        found = await self._walk_days(name, asked, rows.INDEX_BAR, start, end, about=index)
        wire = ("stck_bsop_date", "bstp_nmix_oprc", "bstp_nmix_hgpr", "bstp_nmix_lwpr", "bstp_nmix_prpr", "acml_vol")
        columns = [rows.INDEX_BAR.column(found, column, tr=name, about=index) for column in wire]
        return _table([[index] * len(found), *columns], INDEX_DAILY)

    async def open_days(self, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
        """Return the trading days of a range (``opnd_yn``). KIS asks for this call once a day; real domain only."""
        found: dict[dt.date, bool] = {}
        first = start
        while first <= end:
            reply = await self._rest.call("chk-holiday", {"BASS_DT": str(yyyymmdd(first))}, about=str(first))
            page = reply.rows("output")
            days = rows.CALENDAR_DAY.column(page, "bass_dt", tr=reply.tr, about=str(first))
            opens = rows.CALENDAR_DAY.column(page, "opnd_yn", tr=reply.tr, about=str(first))
            found |= dict(zip(days, opens, strict=True))
            newest = max(days, default=first)
            first = max(newest, first) + dt.timedelta(days=1)
        return tuple(day for day in sorted(found) if found[day] and start <= day <= end)

    async def _walk_days(
        self, name: str, asked: Mapping[str, str], table: Row, start: dt.date, end: dt.date, *, about: str
    ) -> Rows:
        """Return rows oldest first, walking back from ``end`` by the oldest day of each page."""
        found: dict[str, Mapping[str, str]] = {}
        last = end
        base = {"FID_COND_MRKT_DIV_CODE": "J", **asked, "FID_INPUT_DATE_1": str(yyyymmdd(start))}
        first_wanted = str(yyyymmdd(start))
        while last >= start and _may_trade(start, last):
            reply = await self._rest.call(name, base | {"FID_INPUT_DATE_2": str(yyyymmdd(last))}, about=about)
            page = [row for row in reply.rows("output2") if row.get("stck_bsop_date")]
            fresh = {row["stck_bsop_date"]: row for row in page if row["stck_bsop_date"] not in found}
            if not fresh:
                break
            found |= fresh
            oldest = min(fresh)
            if oldest <= first_wanted:
                break
            day = table.value(fresh[oldest], "stck_bsop_date", tr=name, about=about)
            last = day - dt.timedelta(days=1)
        final = str(yyyymmdd(end))
        return [found[day] for day in sorted(found) if first_wanted <= day <= final]

    def _minutes(
        self, symbol: Symbol, day: dt.date, found: Mapping[int, Mapping[str, str]], clocks: tuple[int, int, int]
    ) -> pa.Table:
        open_clock, auction_clock, close_clock = clocks
        kept: dict[int, Mapping[str, str]] = {}
        for clock in sorted(found):
            if open_clock <= clock < auction_clock:
                kept[clock] = found[clock]
            elif auction_clock <= clock <= close_clock:
                kept[auction_clock] = found[clock]
        page = list(kept.values())
        name = "inquire-time-dailychartprice"
        wire = ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol")
        columns = [rows.MINUTE_BAR.column(page, column, tr=name, about=symbol) for column in wire]
        starts = [instant_at(day, clock) for clock in kept]
        return _table([[symbol] * len(page), [day] * len(page), starts, *columns], MINUTE)


def _may_trade(start: dt.date, last: dt.date) -> bool:
    """Whether a range may hold a session; true before the calendar's first year."""
    return start.year < FIRST_YEAR or last.year > LAST_YEAR or bool(trading_days(start, last))


def _minute_before(clock: int) -> int:
    hours, minutes = divmod(clock // 100, 100)
    total = hours * 60 + minutes - 1
    return (total // 60) * 10_000 + (total % 60) * 100


def _table(columns: Sequence[list[Any]], schema: pa.Schema) -> pa.Table:
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
