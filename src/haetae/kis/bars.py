"""Bars of names, indices and funds from the broker's charts, as tables of ``ports.tables``.

Daily, weekly and monthly bars are raw prices, never adjusted by the broker, whose adjusted series are rewritten after
every corporate action. Not here: the walks (`walking`), reference data (`studies`).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pyarrow as pa

from haetae.domain.errors import Fatal, Text
from haetae.domain.units import Symbol, day_of, hhmmss_of, instant_at, yyyymmdd
from haetae.kis.walking import Line, Work, table_of, walk_days, walk_minutes
from haetae.kis.wire.calls.charts import (
    DayBar,
    DayChart,
    FundDays,
    IndexBar,
    IndexDays,
    IndexMinute,
    IndexMinutes,
    MinuteBar,
    MinutesToday,
    NavDay,
)
from haetae.krx import Rulebook
from haetae.ports import Clock
from haetae.ports.tables import DAILY, ETF_NAV, INDEX_DAILY, INDEX_MINUTE, MINUTE, PERIOD

SOURCE = "kis"
_PERIODS = {"weekly": "W", "monthly": "M"}
_INDEX_SHARES = 1_000
"""Shares per unit of an index's volume."""


def _text(day: dt.date) -> str:
    return str(yyyymmdd(day))


async def daily_bars(work: Work, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
    """Return raw daily bars, oldest first (``DAILY``).

    A halted day has no open, high and low on the wire; its four prices are the carried close, volume 0.
    """
    bars = await _day_chart(work, symbol, "D", start, end)
    opened, high, low, close, volume = (bars[name] for name in _BAR)
    halted = [not price and not shares for price, shares in zip(opened, volume, strict=True)]
    for column in (opened, high, low):
        column[:] = [last if idle else price for price, last, idle in zip(column, close, halted, strict=True)]
    size = len(close)
    columns: list[list[Any]] = [[symbol] * size, bars["stck_bsop_date"], opened, high, low, close, volume]
    return table_of([*columns, bars["acml_tr_pbmn"], halted, [False] * size, [SOURCE] * size], DAILY)


_BAR = ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr", "acml_vol")


async def _day_chart(work: Work, symbol: Symbol, period: str, start: dt.date, end: dt.date) -> dict[str, list[int]]:
    def ask(until: dt.date) -> DayChart:
        return DayChart(
            fid_input_iscd=symbol,
            fid_input_date_1=_text(start),
            fid_input_date_2=_text(until),
            fid_period_div_code=period,
        )

    rows = await walk_days(work, ask, start, end, output="output2", about=symbol)
    return DayBar.columns(rows, tr="FHKST03010100", about=symbol)


async def period_bars(work: Work, symbol: Symbol, table: str, start: dt.date, end: dt.date) -> pa.Table:
    """Return raw bars of weeks or months, oldest first (``PERIOD``); periods without a trade are left out."""
    bars = await _day_chart(work, symbol, _PERIODS[table], start, end)
    traded = [bool(price) for price in bars["stck_oprc"]]
    kept = {name: [value for value, use in zip(column, traded, strict=True) if use] for name, column in bars.items()}
    size = len(kept["stck_oprc"])
    columns: list[list[Any]] = [[symbol] * size, kept["stck_bsop_date"], *(kept[name] for name in _BAR)]
    return table_of([*columns, kept["acml_tr_pbmn"]], PERIOD)


async def minute_bars(work: Work, clock: Clock, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
    """Return the minutes of all sessions of a range, oldest first (``MINUTE``).

    Only minutes of the regular session are kept; the row of the closing auction starts ten minutes before the close.
    The mock domain has the minutes of today alone.
    """
    if work.rest.settings.is_mock:
        today = day_of(clock.now())
        if not start == end == today:
            raise Fatal(
                Text(ko="모의투자는 지난 분봉을 주지 않습니다", en="the mock domain has no minutes of past days"),
                expected=_text(today),
                found=f"{start} … {end}",
                next_step=Text(ko="실전 키로 수집하세요", en="collect with a key of the real domain"),
            )
        found = await _minutes_today(work, symbol, today, hhmmss_of(clock.now()))
    else:
        found = await walk_minutes(work, symbol, start, end)
    days: dict[str, dict[tuple[str, int], Line]] = {}
    for key, line in found.items():
        days.setdefault(key[0], {})[key] = line
    tables = [minutes_of({}, symbol)]
    for day in sorted(days):
        tables.append(minutes_of(days[day], symbol))
        await asyncio.sleep(0)  # twenty sessions at once are a tenth of a second in which no call would leave
    return pa.concat_tables(tables)


async def _minutes_today(work: Work, symbol: Symbol, day: dt.date, now: int) -> dict[tuple[str, int], Line]:
    """Walk back through today from now: a clock ahead of now would bring bars that nobody traded."""
    session = Rulebook.on(day).session
    first, at = hhmmss_of(session.open_at), min(now, hhmmss_of(session.close_at))
    found: dict[tuple[str, int], Line] = {}
    wanted, page = _text(day), 30
    while at >= first:
        reply = await work.ask(MinutesToday(fid_input_iscd=symbol, fid_input_hour_1=f"{at:06d}"), about=symbol, least=0)
        rows = reply.raw(MinuteBar)
        clocks = MinuteBar.table.column(rows, "stck_cntg_hour", tr=reply.tr, about=symbol)
        fresh = {
            (wanted, stamp): row
            for stamp, row in zip(clocks, rows, strict=True)
            if row["stck_bsop_date"].strip() == wanted and (wanted, stamp) not in found
        }
        if not fresh:
            break
        found |= fresh
        oldest = min(fresh)[1]
        at = oldest - 100 if oldest % 10_000 else oldest - 4_100
    work.needed(len(found), page)
    return found


def minutes_of(found: dict[tuple[str, int], Line], symbol: Symbol) -> pa.Table:
    """Return minute rows by (day, clock) as a table; several rows of a closing auction are one, the last."""
    kept: dict[tuple[str, int], tuple[dt.date, int, Line]] = {}
    for day_text in sorted({day for day, _ in found}):
        day = dt.date(int(day_text[:4]), int(day_text[4:6]), int(day_text[6:8]))
        session = Rulebook.on(day).session
        opens, auction, closes = (hhmmss_of(at) for at in (session.open_at, session.auction_from, session.close_at))
        for clock in sorted(clock for each, clock in found if each == day_text):
            if opens <= clock < auction:
                kept[day_text, clock] = (day, instant_at(day, clock), found[day_text, clock])
            elif auction <= clock <= closes:
                kept[day_text, auction] = (day, session.auction_from, found[day_text, clock])
    rows = [kept[key] for key in sorted(kept)]
    bars = MinuteBar.columns([line for _, _, line in rows], tr="FHKST03010230", about=symbol)
    columns = [bars[name] for name in ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_prpr", "cntg_vol")]
    days, starts = [day for day, _, _ in rows], [start for _, start, _ in rows]
    return table_of([[symbol] * len(rows), days, starts, *columns], MINUTE)


async def index_bars(work: Work, index: str, start: dt.date, end: dt.date) -> pa.Table:
    """Return daily bars of an index, oldest first (``INDEX_DAILY``); points x 100."""

    def ask(until: dt.date) -> IndexDays:
        return IndexDays(fid_input_iscd=index, fid_input_date_1=_text(start), fid_input_date_2=_text(until))

    rows = await walk_days(work, ask, start, end, output="output2", about=index)
    bars = IndexBar.columns(rows, tr="FHKUP03500100", about=index)
    bars["acml_vol"] = [shares * _INDEX_SHARES for shares in bars["acml_vol"]]
    return table_of([[index] * len(rows), *bars.values()], INDEX_DAILY)


async def index_minutes(work: Work, index: str) -> pa.Table:
    """Return the newest minutes of an index, oldest first (``INDEX_MINUTE``); the source keeps about a hundred."""
    reply = await work.ask(IndexMinutes(fid_input_iscd=index), about=index)
    bars = IndexMinute.columns(reply.raw(IndexMinute), tr=reply.tr, about=index)
    rows = []
    columns = (bars[name] for name in ("stck_bsop_date", "stck_cntg_hour"))
    prices = ("bstp_nmix_oprc", "bstp_nmix_hgpr", "bstp_nmix_lwpr", "bstp_nmix_prpr")
    for place, (day, clock) in enumerate(zip(*columns, strict=True)):
        if day is not None:
            shares = bars["cntg_vol"][place] * _INDEX_SHARES
            rows.append((index, day, instant_at(day, clock), *(bars[name][place] for name in prices), shares))
    rows.sort(key=lambda row: row[2])
    return table_of(list(zip(*rows, strict=True)) or [[]] * len(INDEX_MINUTE), INDEX_MINUTE)


async def navs(work: Work, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
    """Return NAV (x 100) and close of an ETF by day, oldest first (``ETF_NAV``)."""

    def ask(until: dt.date) -> FundDays:
        return FundDays(fid_input_iscd=symbol, fid_input_date_1=_text(start), fid_input_date_2=_text(until))

    rows = await walk_days(work, ask, start, end, output="output", about=symbol)
    values = NavDay.columns(rows, tr="FHPST02440200", about=symbol)
    return table_of([[symbol] * len(rows), *values.values()], ETF_NAV)
