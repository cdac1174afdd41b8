"""Tables that are not series of bars: the list of names, status, holidays, statements, boards, headlines, events.

Each of these is asked for as it stands now, or for a short range of days. Not here: bars (`series`, `minutes`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from haetae.collector.jobs import Failure, JobReport, Shop, Want, finding, findings, run
from haetae.domain.errors import BrokerError, DataError, Fatal
from haetae.domain.market import Instrument, Market
from haetae.domain.units import Symbol, day_of
from haetae.krx.refresh import compare
from haetae.ports.tables import DELISTED, FLAGS, TABLES, instrument_rows

_log = structlog.get_logger(__name__)
CALENDAR_DAYS = 24
"""Days of one answer about holidays."""

_UNKNOWN_DAY = dt.date(1970, 1, 1)
_ANNUAL_FILING = dt.timedelta(days=90)
_QUARTER_FILING = dt.timedelta(days=45)
_SAME = 1e-9


async def master(shop: Shop) -> tuple[tuple[Instrument, ...], tuple[JobReport, JobReport]]:
    """Collect today's list with its flags; names that left it get a last row flagged ``delisted``."""
    finished = shop.measure()
    today = day_of(shop.clock.now())
    given = await shop.source.instruments()
    listing = tuple(replace(each, as_of=today) if each.as_of == _UNKNOWN_DAY else each for each in given)
    rows = pa.concat_tables([instrument_rows(listing), _departed(shop, listing, today)])
    await shop.write("instruments", rows)
    flags = [
        {"symbol": each.symbol, "day": each.as_of, "flag": flag} for each in listing for flag in sorted(each.flags)
    ]
    await shop.write("flags", pa.Table.from_pylist(flags, schema=FLAGS))
    shop.progress("instruments", 1, 1)
    return listing, (finished(JobReport("instruments", 1, 0, len(rows))), JobReport("flags", 0, 0, len(flags)))


def _departed(shop: Shop, listing: Sequence[Instrument], today: dt.date) -> pa.Table:
    known = shop.lake.read("instruments", end=today)
    newest = {row["symbol"]: row for row in known.to_pylist()}
    here = {each.symbol for each in listing}
    gone = [
        {**row, "flags": DELISTED, "as_of": today}
        for symbol, row in sorted(newest.items())
        if symbol not in here and row["flags"] != DELISTED and row["as_of"] < today
    ]
    return pa.Table.from_pylist(gone, schema=TABLES["instruments"].schema)


async def status(shop: Shop, symbols: Sequence[Symbol]) -> JobReport:
    """Collect the status flags of names today; those the lake has of today already are left out."""
    finished = shop.measure()
    today = day_of(shop.clock.now())
    had = shop.lake.read("flags", symbols=list(symbols), start=today, end=today)
    # The master file gives flags of troubled names only, so a row of today tells nothing about the call for one name.
    done = {row["symbol"] for row in had.to_pylist() if row["flag"] in {"listed", "nxt"}}
    wants = [Want(symbol, (today,)) for symbol in symbols if symbol not in done]

    async def fetch(want: Want) -> pa.Table:
        return await shop.source.status(want.name)

    written, failures = await run(shop, "flags", wants, fetch, _nothing, batch=shop.settings.batch_symbols)
    report = JobReport("flags", len(wants), len(symbols) - len(wants), written, failures, gaps=len(failures))
    return finished(report)


def _nothing(want: Want, rows: pa.Table) -> pa.Table:
    return findings(())


def coming(shop: Shop) -> tuple[dt.date, dt.date]:
    """Return the days that one call tells of: what came before is history, and the calendar has it."""
    today = day_of(shop.clock.now())
    return today, today + dt.timedelta(days=CALENDAR_DAYS - 1)


async def holidays(shop: Shop, start: dt.date, end: dt.date) -> JobReport:
    """Collect what the source says of each day and compare it with the calendar; differences become findings.

    A difference is logged as an error too: a person must look before that day trades.
    The broker asks for this call once a day, so days that today's run of an earlier hour brought are not asked again.
    """
    finished = shop.measure()
    today = day_of(shop.clock.now())
    had = shop.lake.read("holidays", start=start, end=end)
    if had.filter(pc.equal(had["as_of"], today)).num_rows > (end - start).days:
        return finished(JobReport("holidays", 0, 1, 0))
    rows = await shop.source.holidays(start, end)
    written = await shop.write("holidays", rows)
    found = compare(zip(rows.column("day").to_pylist(), rows.column("open").to_pylist(), strict=True))
    told = [(day, "the source trades, our calendar is closed") for day in found.source_open]
    told += [(day, "our calendar trades, the source is closed") for day in found.source_closed]
    for day, why in sorted(told):
        _log.error("calendar.differed", day=str(day), why=why)
    await shop.write(
        "quality", findings(finding("daily", "", day, "CALENDAR_DIFFERS", why) for day, why in sorted(told))
    )
    shop.progress("holidays", 1, 1)
    return finished(JobReport("holidays", 1, 0, written, gaps=len(told)))


async def fundamentals(shop: Shop, symbols: Sequence[Symbol]) -> JobReport:
    """Collect the statements of names; figures the lake has with the same value are not written again.

    A figure is known on the day it was first seen, or on the last day on which it had to be filed if that is earlier.
    """
    finished = shop.measure()
    today = day_of(shop.clock.now())
    known = _newest(shop.lake.read("fundamentals", symbols=list(symbols)))

    async def fetch(want: Want) -> pa.Table:
        return _fresh(await shop.source.fundamentals(want.name), known, today)

    wants = [Want(symbol, (today,)) for symbol in symbols]
    written, failures = await run(shop, "fundamentals", wants, fetch, _nothing, batch=shop.settings.batch_symbols)
    return finished(JobReport("fundamentals", len(wants), 0, written, failures, gaps=len(failures)))


def _newest(rows: pa.Table) -> dict[tuple[str, int, str, str], float]:
    ordered = rows.sort_by([("known_on", "ascending")]).to_pylist() if len(rows) else []
    return {(row["symbol"], row["period"], row["basis"], row["item"]): row["value"] for row in ordered}


def _fresh(rows: pa.Table, known: dict[tuple[str, int, str, str], float], today: dt.date) -> pa.Table:
    kept = []
    for row in rows.to_pylist():
        key = (row["symbol"], row["period"], row["basis"], row["item"])
        if key in known:
            if abs(known[key] - row["value"]) <= _SAME * max(1.0, abs(row["value"])):
                continue
            row["known_on"] = today
        else:
            row["known_on"] = min(today, filing_deadline(row["period"], row["basis"]))
        kept.append(row)
    return pa.Table.from_pylist(kept, schema=rows.schema)


def filing_deadline(period: int, basis: str) -> dt.date:
    """Return the last day on which statements of a period had to be filed.

    45 days after the end of a quarter, 90 after the end of a business year (Financial Investment Services and Capital
    Markets Act, articles 159 and 160). The quarter that ends a year is filed with the year.
    """
    year, month = divmod(period, 100)
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    annual = basis == "year" or month == 12
    return following - dt.timedelta(days=1) + (_ANNUAL_FILING if annual else _QUARTER_FILING)


async def index_minutes(shop: Shop) -> JobReport:
    """Collect the newest minutes of the indices, as far back as the source keeps them."""
    finished = shop.measure()
    pieces = [await shop.source.index_minutes(index) for index in shop.settings.indices]
    written = await shop.write("index_minute", *pieces)
    shop.progress("index_minute", 1, 1)
    return finished(JobReport("index_minute", len(pieces), 0, written))


async def market_flows(shop: Shop, start: dt.date, end: dt.date) -> JobReport:
    """Collect net purchases of both markets for the finished sessions of a range."""
    finished = shop.measure()
    sessions = shop.finished_sessions(start, end)
    had = shop.lake.read("market_flows", start=start, end=end)
    have = set(zip(had.column("market").to_pylist(), had.column("day").to_pylist(), strict=True))
    markets = (Market.KOSPI, Market.KOSDAQ)
    wants = [Want(market.value, (day,)) for day in sessions for market in markets if (market.value, day) not in have]

    async def fetch(want: Want) -> pa.Table:
        return await shop.source.market_flows(Market(want.name), want.start)

    written, failures = await run(shop, "market_flows", wants, fetch, _nothing, batch=shop.settings.batch_symbols)
    skipped = len(sessions) * len(markets) - len(wants)
    return finished(JobReport("market_flows", len(wants), skipped, written, failures, gaps=len(wants) - written))


async def rankings(shop: Shop) -> JobReport:
    """Collect the leader boards as they stand now."""
    finished = shop.measure()
    written = await shop.write("rankings", await shop.source.rankings())
    shop.progress("rankings", 1, 1)
    return finished(JobReport("rankings", 1, 0, written))


async def news(shop: Shop, start: dt.date, end: dt.date) -> JobReport:
    """Collect the headlines of the days of a range up to today."""
    finished = shop.measure()
    last = min(end, day_of(shop.clock.now()))
    days = [start + dt.timedelta(days=n) for n in range((last - start).days + 1)]
    had = set(pc.unique(shop.lake.read("news", start=start, end=end).column("key")).to_pylist())
    rows, failures = 0, []
    for place, day in enumerate(days, 1):
        try:
            found = await shop.source.headlines(day)
        except Fatal:
            raise
        except (BrokerError, DataError) as fault:
            failures.append(Failure("news", str(day), str(fault)))
            continue
        fresh = found.filter(pc.invert(pc.is_in(found.column("key"), pa.array(sorted(had), pa.string()))))
        rows += await shop.write("news", fresh)
        shop.progress("news", place, len(days))
    return finished(JobReport("news", len(days), 0, rows, tuple(failures), gaps=len(failures)))


async def corporate_actions(shop: Shop, start: dt.date, end: dt.date) -> JobReport:
    """Collect splits, issues, mergers and dividends of a range of days, which may lie ahead."""
    finished = shop.measure()
    written = await shop.write("corporate_actions", await shop.source.corporate_actions(start, end))
    shop.progress("corporate_actions", 1, 1)
    return finished(JobReport("corporate_actions", 1, 0, written))


async def interruptions(shop: Shop, day: dt.date) -> JobReport:
    """Collect the volatility interruptions of a day."""
    finished = shop.measure()
    written = await shop.write("vi_events", await shop.source.interruptions(day))
    shop.progress("vi_events", 1, 1)
    return finished(JobReport("vi_events", 1, 0, written))
