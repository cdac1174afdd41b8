"""Reference data from the broker: flows, statements, status, interruptions, boards, headlines, events of shares.

Amounts leave this room in won and shares, whatever unit the broker sends. Not here: bars (`bars`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from haetae.domain.market import Market
from haetae.domain.units import Instant, Symbol, instant_at, yyyymmdd
from haetae.kis.walking import Work, table_of, walk_days
from haetae.kis.wire.calls import events, prices, studies
from haetae.kis.wire.table.companies import AMOUNT_UNIT, UNKNOWN_AMOUNT
from haetae.kis.wire.table.investors import MARKET_SHARE_UNIT, WON_UNIT
from haetae.kis.wire.typed import Ask, Reading
from haetae.krx import settlement
from haetae.krx.closures import FIRST_YEAR, LAST_YEAR
from haetae.ports.tables import (
    CORPORATE_ACTIONS,
    FLAGS,
    FLOWS,
    FUNDAMENTALS,
    HOLIDAYS,
    MARKET_FLOWS,
    NEWS,
    RANKINGS,
    VI_EVENTS,
)

SOURCE = "kis"
_NET = tuple(f"{who}_ntby_{what}" for who in ("frgn", "orgn", "prsn") for what in ("qty", "tr_pbmn"))
_INDEX_OF = {Market.KOSPI: ("0001", "KSP"), Market.KOSDAQ: ("1001", "KSQ")}
_VI_KINDS = {"1": "static", "2": "dynamic", "3": "static+dynamic"}
_CAP_UNIT = 100_000_000
_DAY = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_NEWS_PAGES = 50
"""No day has more pages of headlines; a walk that does not end is cut and said so by its oldest row."""


async def flows(work: Work, symbol: Symbol, start: dt.date, end: dt.date) -> pa.Table:
    """Return net purchases of a name by day, oldest first (``FLOWS``)."""
    if work.rest.settings.is_mock:
        reply = await work.ask(studies.RecentFlows(fid_input_iscd=symbol), about=symbol)
        rows = sorted(reply.raw(studies.RecentFlow), key=lambda row: row["stck_bsop_date"])
        days = (f"{start:%Y%m%d}", f"{end:%Y%m%d}")
        rows = [row for row in rows if days[0] <= row["stck_bsop_date"] <= days[1]]
        found = studies.RecentFlow.columns(rows, tr=reply.tr, about=symbol)
    else:

        def ask(until: dt.date) -> studies.FlowsOfName:
            return studies.FlowsOfName(fid_input_iscd=symbol, fid_input_date_1=str(yyyymmdd(until)))

        rows = await walk_days(work, ask, start, end, output="output2", about=symbol)
        found = studies.Flow.columns(rows, tr="FHPTJ04160001", about=symbol)
    return table_of([[symbol] * len(rows), found["stck_bsop_date"], *_net(found, shares=1)], FLOWS)


def _net(found: dict[str, list[Any]], *, shares: int) -> list[list[int]]:
    return [[value * (shares if name.endswith("qty") else WON_UNIT) for value in found[name]] for name in _NET]


async def market_flows(work: Work, market: Market, day: dt.date) -> pa.Table:
    """Return net purchases of a market on a day (``MARKET_FLOWS``); empty where the source shows another day."""
    index, code = _INDEX_OF[market]
    text = str(yyyymmdd(day))
    asked = studies.FlowsOfMarket(
        fid_input_iscd=index,
        fid_input_date_1=text,
        fid_input_date_2=text,
        fid_input_iscd_1=code,
        fid_input_iscd_2=index,
    )
    reply = await work.ask(asked, about=f"{market.value} {day}")
    rows = [row for row in reply.raw(studies.MarketFlow) if row.get("stck_bsop_date") == text]
    found = studies.MarketFlow.columns(rows, tr=reply.tr, about=market.value)
    columns = [[market.value] * len(rows), found["stck_bsop_date"], *_net(found, shares=MARKET_SHARE_UNIT)]
    return table_of(columns, MARKET_FLOWS)


_RATIOS = {
    "grs": "sales_growth_pct",
    "bsop_prfi_inrt": "operating_profit_growth_pct",
    "ntin_inrt": "net_income_growth_pct",
    "roe_val": "roe_pct",
    "eps": "eps_won",
    "sps": "sps_won",
    "bps": "bps_won",
    "rsrv_rate": "reserve_pct",
    "lblt_rate": "debt_to_equity_pct",
    "cptl_ntin_rate": "return_on_assets_pct",
    "self_cptl_ntin_inrt": "return_on_equity_pct",
    "sale_ntin_rate": "net_margin_pct",
    "sale_totl_rate": "gross_margin_pct",
    "bram_depn": "borrowing_pct",
    "crnt_rate": "current_ratio_pct",
    "quck_rate": "quick_ratio_pct",
    "equt_inrt": "equity_growth_pct",
    "totl_aset_inrt": "assets_growth_pct",
    "ev_ebitda": "ev_to_ebitda",
}
_AMOUNTS = {
    "ebitda": "ebitda_won",
    "sale_account": "sales_won",
    "sale_totl_prfi": "gross_profit_won",
    "bsop_prti": "operating_profit_won",
    "op_prfi": "ordinary_profit_won",
    "thtr_ntin": "net_income_won",
    "cras": "current_assets_won",
    "total_aset": "assets_won",
    "flow_lblt": "current_liabilities_won",
    "total_lblt": "liabilities_won",
    "total_cptl": "equity_won",
}
_STATEMENTS: tuple[tuple[type[Ask], type[Reading]], ...] = (
    (studies.Ratios, studies.Ratio),
    (studies.ProfitRatios, studies.ProfitRatio),
    (studies.StabilityRatios, studies.StabilityRatio),
    (studies.GrowthRatios, studies.GrowthRatio),
    (studies.OtherRatios, studies.OtherRatio),
    (studies.IncomeStatement, studies.Income),
    (studies.BalanceSheet, studies.Sheet),
)
ITEMS = (*_RATIOS.values(), *_AMOUNTS.values())
"""Every item of ``FUNDAMENTALS`` this source gives."""


async def fundamentals(work: Work, symbol: Symbol, today: dt.date) -> pa.Table:
    """Return all figures of the statements of a name (``FUNDAMENTALS``), known today; figures nobody filed are absent.

    Seven calls for years and seven for quarters.
    """
    rows: list[tuple[object, ...]] = []
    for code, basis in (("0", "year"), ("1", "quarter")):
        for request, reading in _STATEMENTS:
            asked: Any = request
            reply = await work.ask(asked(fid_input_iscd=symbol, fid_div_cls_code=code), about=symbol)
            for row in reply.raw(reading):
                record = reading.of(row, tr=reply.tr, about=symbol)
                rows += _figures(record, symbol, basis, today)
    unique = {row[:4]: row for row in rows}
    return table_of(
        list(zip(*(unique[key] for key in sorted(unique)), strict=True)) or _none(FUNDAMENTALS), FUNDAMENTALS
    )


def _figures(record: Any, symbol: Symbol, basis: str, today: dt.date) -> Iterable[tuple[object, ...]]:
    period = int(record.stac_yymm)
    for field, item in (_RATIOS | _AMOUNTS).items():
        value = getattr(record, field, None)
        if value is None or (field in _AMOUNTS and value == UNKNOWN_AMOUNT):
            continue
        scaled = value * AMOUNT_UNIT if field in _AMOUNTS else value
        yield symbol, period, basis, item, float(scaled), today


def _none(schema: pa.Schema) -> list[list[object]]:
    return [[] for _ in schema]


async def status(work: Work, symbol: Symbol, today: dt.date) -> pa.Table:
    """Return the status flags of a name today (``FLAGS``); a name without trouble has the one flag ``listed``."""
    reply = await work.ask(prices.PriceNow(fid_input_iscd=symbol), about=symbol)
    seen = reply.one(prices.Price, about=symbol)
    told = {
        "halted": seen.temp_stop_yn or seen.iscd_stat_cls_code == "58",
        "administrative": seen.mang_issu_cls_code == "Y" or seen.iscd_stat_cls_code == "51",
        "liquidation": seen.sltr_yn,
        "short_overheated": seen.short_over_yn or seen.iscd_stat_cls_code == "59",
        "caution": seen.mrkt_warn_cls_code == "01" or seen.invt_caful_yn,
        "warning": seen.mrkt_warn_cls_code == "02",
        "danger": seen.mrkt_warn_cls_code == "03",
        "vi": seen.vi_cls_code == "Y",
    }
    if not work.rest.settings.is_mock:
        facts = (await work.ask(studies.StockInfo(pdno=symbol), about=symbol)).one(studies.Stock, about=symbol)
        told["halted"] = told["halted"] or facts.tr_stop_yn
        told["administrative"] = told["administrative"] or facts.admn_item_yn
        told["nxt"] = facts.cptt_trad_tr_psbl_yn and not facts.nxt_tr_stop_yn
    flags = [name for name, is_so in told.items() if is_so]
    if not set(flags) - {"nxt", "vi"}:
        flags.append("listed")
    return table_of([[symbol] * len(flags), [today] * len(flags), sorted(flags)], FLAGS)


async def interruptions(work: Work, day: dt.date) -> pa.Table:
    """Return the volatility interruptions of a day (``VI_EVENTS``): the newest thirty, which is all one call shows."""
    reply = await work.ask(events.Interruptions(fid_input_date_1=str(yyyymmdd(day))), about=str(day))
    rows = []
    for event in reply.many(events.Interruption, about=str(day)):
        at = instant_at(event.bsop_date or day, event.cntg_vi_hour)
        released = instant_at(event.bsop_date or day, event.vi_cncl_hour) if event.vi_cncl_hour else 0
        reference = event.vi_stnd_prc or event.vi_dmc_stnd_prc
        kind = _VI_KINDS.get(event.vi_kind_code, event.vi_kind_code)
        rows.append((event.mksc_shrn_iscd, event.bsop_date or day, at, released, kind, reference, event.vi_prc))
    return table_of(list(zip(*rows, strict=True)) or _none(VI_EVENTS), VI_EVENTS)


async def rankings(work: Work, day: dt.date, at: Instant) -> pa.Table:
    """Return the leader boards as they stand now (``RANKINGS``).

    ``turnover`` and ``market_cap`` in won, ``volume`` in shares, ``rise`` and ``fall`` in percent.
    """
    rows: list[tuple[object, ...]] = []
    volume = (await work.ask(studies.VolumeBoard(), about="turnover")).many(studies.VolumeRank)
    rows += [("turnover", day, at, each.data_rank, each.mksc_shrn_iscd, float(each.acml_tr_pbmn)) for each in volume]
    traded = (await work.ask(studies.VolumeBoard(fid_blng_cls_code="0"), about="volume")).many(studies.VolumeRank)
    rows += [("volume", day, at, each.data_rank, each.mksc_shrn_iscd, float(each.acml_vol)) for each in traded]
    for board, code in (("rise", "0"), ("fall", "1")):
        asked = studies.FluctuationBoard(fid_rank_sort_cls_code=code)
        moved = (await work.ask(asked, about=board)).many(studies.FluctuationRank)
        rows += [(board, day, at, each.data_rank, each.stck_shrn_iscd, each.prdy_ctrt) for each in moved]
    caps = (await work.ask(studies.CapBoard(), about="market_cap")).many(studies.CapRank)
    size = [
        ("market_cap", day, at, each.data_rank, each.mksc_shrn_iscd, float(each.stck_avls * _CAP_UNIT)) for each in caps
    ]
    return table_of(list(zip(*(rows + size), strict=True)) or _none(RANKINGS), RANKINGS)


async def headlines(work: Work, day: dt.date) -> pa.Table:
    """Return the headlines of a day (``NEWS``), walking back from its end by the oldest time of each page."""
    found: dict[str, tuple[object, ...]] = {}
    clock, text = 235_959, str(yyyymmdd(day))
    for _ in range(_NEWS_PAGES):
        asked = events.Headlines(fid_input_date_1=f"00{text}", fid_input_hour_1=f"0000{clock:06d}")
        page = (await work.ask(asked, about=f"{day} {clock:06d}", least=0)).many(events.Headline, about=str(day))
        today = [each for each in page if each.data_dt == day]
        fresh = [each for each in today if each.cntt_usiq_srno not in found]
        for each in fresh:
            codes = [code for code in (each.iscd1, each.iscd2, each.iscd3, each.iscd4, each.iscd5) if code]
            at = instant_at(day, each.data_tm)
            title = each.hts_pbnt_titl_cntt
            found[each.cntt_usiq_srno] = (each.cntt_usiq_srno, day, at, ",".join(codes), each.dorg, title)
        if not fresh or len(today) < len(page):
            break
        clock = min(each.data_tm for each in fresh)
    work.needed(len(found), events.Headlines.operation.page_rows)
    return table_of(list(zip(*(found[key] for key in sorted(found)), strict=True)) or _none(NEWS), NEWS)


async def corporate_actions(work: Work, start: dt.date, end: dt.date, today: dt.date) -> pa.Table:
    """Return splits, issues, mergers and dividends of all names (``CORPORATE_ACTIONS``)."""
    span = {"f_dt": str(yyyymmdd(start)), "t_dt": str(yyyymmdd(end))}
    rows: list[tuple[object, ...]] = []

    def add(day: dt.date | None, symbol: str, kind: str, ratio: float, detail: str) -> None:
        if day is not None and symbol:
            rows.append((symbol, day, kind, ratio, detail, today))

    for split in (await work.ask(events.Splits(**span), about="splits")).many(events.Split):
        faces = (split.inter_bf_face_amt, split.inter_af_face_amt)
        ratio = faces[0] / faces[1] if faces[1] else 0.0
        add(_listed(split.list_dt) or split.record_date, split.sht_cd, "split", ratio, f"par {faces[0]} to {faces[1]}")
    for bonus in (await work.ask(events.BonusIssues(**span), about="bonus issues")).many(events.Bonus):
        add(
            bonus.right_dt or bonus.record_date,
            bonus.sht_cd,
            "bonus",
            bonus.fix_rate / 100,
            f"{bonus.fix_rate} per 100",
        )
    for rights in (await work.ask(events.RightsIssues(**span), about="rights issues")).many(events.Rights):
        detail = f"{rights.fix_rate} per 100 at {rights.fix_price}"
        add(rights.right_dt or rights.record_date, rights.sht_cd, "rights", rights.fix_rate / 100, detail)
    for merger in (await work.ask(events.Mergers(**span), about="mergers")).many(events.Merger):
        add(merger.record_date, merger.sht_cd, "merger", merger.merge_rate, merger.merge_type)
    for paid in (await work.ask(events.Dividends(**span), about="dividends")).many(events.Dividend):
        ex = _ex_day(paid.record_date) if paid.record_date else None
        add(ex, paid.sht_cd, "dividend", float(paid.per_sto_divi_amt), paid.divi_kind)
    unique = {(row[0], row[1], row[2]): row for row in rows}
    ordered = [unique[key] for key in sorted(unique)]  # type: ignore[type-var]
    return table_of(list(zip(*ordered, strict=True)) or _none(CORPORATE_ACTIONS), CORPORATE_ACTIONS)


def _listed(text: str) -> dt.date | None:
    """Return the day of ``YYYY/MM/DD``, none where it is not known yet."""
    digits = text.replace("/", "").strip()
    return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])) if _DAY.fullmatch(digits) else None


def _ex_day(record: dt.date) -> dt.date:
    """Return the first session whose buyers are not on the list of a record date; outside our calendar that date."""
    if not FIRST_YEAR < record.year <= LAST_YEAR:
        return record
    return settlement.ex_day(record)


async def holidays(work: Work, start: dt.date, end: dt.date, today: dt.date) -> pa.Table:
    """Return what the broker says of each calendar day (``HOLIDAYS``); it asks for this call once a day."""
    found: dict[dt.date, tuple[bool, bool]] = {}
    first = start
    while first <= end:
        reply = await work.ask(events.Holidays(bass_dt=str(yyyymmdd(first))), about=str(first))
        page = [day for day in reply.many(events.CalendarDay, about=str(first)) if day.bass_dt is not None]
        found |= {day.bass_dt: (day.opnd_yn, day.sttl_day_yn) for day in page if day.bass_dt}
        newest = max((day.bass_dt for day in page if day.bass_dt), default=first)
        first = max(newest, first) + dt.timedelta(days=1)
    days = [day for day in sorted(found) if start <= day <= end]
    columns: list[list[Any]] = [[SOURCE] * len(days), days]
    columns += [[found[day][0] for day in days], [found[day][1] for day in days]]
    return table_of([*columns, [today] * len(days)], HOLIDAYS)
