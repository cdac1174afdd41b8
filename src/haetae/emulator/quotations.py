"""Answers of the quotation calls, from what the board lets be seen.

Here: one function per call, from the texts asked to the values of the reply's rows (field names are
the wire's). Not here: the market (``board``), accounts (``trading``), the envelope (``core``).
"""
# long: one function per call, a list to look things up in.

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import Instant, day_from, day_of, hhmmss_of
from haetae.emulator.board import Board, Sight
from haetae.emulator.gate import Refusal
from haetae.krx import is_trading_day
from haetae.krx.closures import LAST_YEAR

Row = Mapping[str, Any]
UNKNOWN_SYMBOL = Refusal("APBK0656")
_ALARMS = {"caution": "01", "warning": "02", "danger": "03"}
_STATES = (
    ("halted", "58"),
    ("administrative", "51"),
    ("danger", "52"),
    ("warning", "53"),
    ("caution", "54"),
    ("short_overheated", "59"),
)
_GROUPS = {Kind.ETF: "EF", Kind.ETN: "EN", Kind.REIT: "RT"}
_INDEX_NAMES = {"0001": "종합", "1001": "KOSDAQ"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Values of a reply's outputs; ``next_key`` is blank on the last page."""

    outputs: Mapping[str, Row | Sequence[Row]]
    next_key: str = ""
    code: str = ""


def _day(text: str) -> dt.date | None:
    """Return a day asked for; the year 0000, which some clients send for *ever*, is the first day there is."""
    digits = text.strip()
    try:
        return dt.date.min if digits.startswith("0000") else day_from(digits)
    except ValueError:
        return None


def _clock(text: str) -> int:
    digits = text.strip()
    return int(digits) if digits.isdigit() and int(digits) else 235_959


def _moved(sight: Sight) -> dict[str, Any]:
    return {"prdy_vrss": sight.change, "prdy_vrss_sign": sight.sign, "prdy_ctrt": sight.change_rate}


def _listed(board: Board, asked: Mapping[str, str]) -> Instrument | None:
    return board.instrument(asked["FID_INPUT_ISCD"].strip())


def inquire_price(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Present price of one name with its limits and status flags."""
    item = _listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    sight = board.sight(item.symbol)
    state = next((code for flag, code in _STATES if flag in item.flags), "55")
    halted = board.halted(item.symbol)
    tick = board.session.rules.tick_size(sight.last, item.kind, item.market)
    row = {
        **_moved(sight),
        "iscd_stat_cls_code": "58" if halted else state,
        "marg_rate": 20.0,
        "rprs_mrkt_kor_name": item.market.value,
        "bstp_kor_isnm": item.sector,
        "temp_stop_yn": halted,
        "stck_prpr": sight.last,
        "acml_tr_pbmn": sight.turnover,
        "acml_vol": sight.volume,
        "stck_oprc": sight.open,
        "stck_hgpr": sight.high,
        "stck_lwpr": sight.low,
        "stck_mxpr": sight.upper,
        "stck_llam": sight.lower,
        "stck_sdpr": sight.base,
        "wghn_avrg_stck_prc": f"{sight.turnover / sight.volume if sight.volume else sight.last:.2f}",
        "aspr_unit": tick,
        "hts_deal_qty_unit_val": item.lot,
        "lstn_stcn": item.shares_outstanding,
        "hts_avls": board.cap(item.symbol) // 100_000_000,
        "stck_fcam": 500,
        "stck_shrn_iscd": item.symbol,
        "vi_cls_code": "N",
        "ovtm_vi_cls_code": "N",
        "invt_caful_yn": "caution" in item.flags,
        "mrkt_warn_cls_code": next((code for flag, code in _ALARMS.items() if flag in item.flags), "00"),
        "short_over_yn": "short_overheated" in item.flags,
        "sltr_yn": "liquidation" in item.flags,
        "mang_issu_cls_code": "Y" if "administrative" in item.flags else "N",
        **_extremes(board, item.symbol, sight.last),
    }
    return Answer({"output": row})


def _extremes(board: Board, symbol: str, last: int) -> dict[str, Any]:
    """Highs and lows of 250 sessions, of the year, and of 52 weeks, each with its day and distance."""
    year = sum(1 for day in board.world.days if day.year == board.session.day.year and day < board.session.day)
    names = (
        ("d250_hgpr", "d250_lwpr", "_vrss_prpr_rate", "", 250),
        ("dryy_hgpr", "dryy_lwpr", "_vrss_prpr_rate", "stck_", max(1, year)),
        ("w52_hgpr", "w52_lwpr", "_vrss_prpr_ctrt", "", 245),
    )
    row: dict[str, Any] = {}
    for top, bottom, distance, prefix, sessions in names:
        high, high_day, low, low_day = board.extremes(symbol, sessions)
        row |= {f"{prefix}{top}": high, f"{top}_date": high_day, f"{prefix}{bottom}": low, f"{bottom}_date": low_day}
        row[f"{top}{distance}"] = 100.0 * (last - high) / high if high else 0.0
        row[f"{bottom}{distance}"] = 100.0 * (last - low) / low if low else 0.0
    return row


def inquire_book(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Ten levels of the order book and the expected execution."""
    item = _listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    sight, depth = board.sight(item.symbol), board.depth(item.symbol)
    book: dict[str, Any] = {"aspr_acpt_hour": hhmmss_of(board.now), "new_mkop_cls_code": "20"}
    for level in range(len(depth.asks)):
        book[f"askp{level + 1}"], book[f"bidp{level + 1}"] = depth.asks[level], depth.bids[level]
        book[f"askp_rsqn{level + 1}"], book[f"bidp_rsqn{level + 1}"] = depth.ask_sizes[level], depth.bid_sizes[level]
    book["total_askp_rsqn"], book["total_bidp_rsqn"] = sum(depth.ask_sizes), sum(depth.bid_sizes)
    book["ntby_aspr_rsqn"] = book["total_bidp_rsqn"] - book["total_askp_rsqn"]
    expected = {
        "antc_mkop_cls_code": "112",
        "stck_prpr": sight.last,
        "stck_oprc": sight.open,
        "stck_hgpr": sight.high,
        "stck_lwpr": sight.low,
        "stck_sdpr": sight.base,
        "antc_cnpr": sight.last,
        "antc_cntg_vrss_sign": sight.sign,
        "antc_cntg_vrss": sight.change,
        "antc_cntg_prdy_ctrt": sight.change_rate,
        "stck_shrn_iscd": item.symbol,
        "vi_cls_code": "N",
    }
    return Answer({"output1": book, "output2": expected})


def multprice(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Present prices of up to 30 names; unknown codes are left out."""
    rows = []
    for slot in range(1, 31):
        symbol = asked.get(f"FID_INPUT_ISCD_{slot}", "").strip()
        item = board.instrument(symbol) if symbol else None
        if item is None:
            continue
        sight, (ask, bid, size) = board.sight(symbol), board.top(symbol)
        rows.append(
            {
                "kospi_kosdaq_cls_name": "거래소" if item.market is Market.KOSPI else "코스닥",
                "hour_cls_code": "0",
                "inter_shrn_iscd": symbol,
                "inter_kor_isnm": item.name,
                "inter2_prpr": str(sight.last),
                "inter2_prdy_vrss": str(sight.change),
                "prdy_vrss_sign": sight.sign,
                "prdy_ctrt": f"{sight.change_rate:.2f}",
                "acml_vol": str(sight.volume),
                "inter2_oprc": str(sight.open),
                "inter2_hgpr": str(sight.high),
                "inter2_lwpr": str(sight.low),
                "inter2_llam": str(sight.lower),
                "inter2_mxpr": str(sight.upper),
                "inter2_askp": str(ask),
                "inter2_bidp": str(bid),
                "seln_rsqn": str(size),
                "shnu_rsqn": str(size),
                "total_askp_rsqn": str(10 * size),
                "total_bidp_rsqn": str(10 * size),
                "acml_tr_pbmn": str(sight.turnover),
                "inter2_prdy_clpr": str(sight.base),
                "inter2_sdpr": str(sight.base),
            }
        )
    return Answer({"output": rows})


def daily_chart(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Daily bars, at most 100, newest first; walk back by the end date. A halted day has a close only."""
    item = _listed(board, asked)
    start, end = _day(asked["FID_INPUT_DATE_1"]), _day(asked["FID_INPUT_DATE_2"])
    if item is None:
        return UNKNOWN_SYMBOL
    if start is None or end is None:
        return Refusal("OPSQ2002")
    if asked["FID_PERIOD_DIV_CODE"].strip().upper() not in {"D", ""}:
        return Refusal("OPSQ2001", "ERROR INVALID FID_PERIOD_DIV_CODE")
    rows = board.daily_rows(item.symbol, start, end)[-100:]
    sight = board.sight(item.symbol)
    head = {
        **_moved(sight),
        "stck_prdy_clpr": sight.base,
        "acml_vol": sight.volume,
        "acml_tr_pbmn": sight.turnover,
        "hts_kor_isnm": item.name,
        "stck_prpr": sight.last,
        "stck_shrn_iscd": item.symbol,
        "stck_mxpr": sight.upper,
        "stck_llam": sight.lower,
        "stck_oprc": sight.open,
        "stck_hgpr": sight.high,
        "stck_lwpr": sight.low,
        "lstn_stcn": item.shares_outstanding,
        "hts_avls": board.cap(item.symbol) // 100_000_000,
        "stck_fcam": 500,
    }
    return Answer({"output1": head, "output2": [_daily(day, bar) for day, bar in reversed(rows)]})


def _daily(day: dt.date, bar: tuple[int, ...]) -> Row:
    """Values as texts already: a collector asks for many of these rows."""
    opened, high, low, close, volume, turnover, base = bar
    quiet = volume == 0
    return {
        "stck_bsop_date": f"{day:%Y%m%d}",
        "stck_clpr": str(close),
        "stck_oprc": "0" if quiet else str(opened),
        "stck_hgpr": "0" if quiet else str(high),
        "stck_lwpr": "0" if quiet else str(low),
        "acml_vol": str(volume),
        "acml_tr_pbmn": str(turnover),
        "flng_cls_code": "00",
        "prdy_vrss": str(close - base),
        "prdy_vrss_sign": "2" if close > base else "5" if close < base else "3",
    }


def daily_price(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """The last 30 daily bars, newest first."""
    item = _listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    today = day_of(board.now)
    rows = board.daily_rows(item.symbol, today - dt.timedelta(days=60), today)[-30:]
    return Answer({"output": [_priced(day, bar) for day, bar in reversed(rows)]})


def _priced(day: dt.date, bar: tuple[int, ...]) -> Row:
    row = dict(_daily(day, bar))
    del row["acml_tr_pbmn"]
    base = bar[6]
    row["prdy_ctrt"] = 100.0 * (bar[3] - base) / base if base else 0.0
    return row


def _minute_clock(start: Instant, end: Instant) -> int:
    """Stamp of a minute row: its start; the closing auction carries the close."""
    return hhmmss_of(start) if end - start <= 60_000_000_000 else hhmmss_of(end)


def _minutes(board: Board, item: Instrument, day: dt.date, until: int, most: int) -> list[Row]:
    """Newest first; values are texts already, for these rows are most of what a collector asks."""
    rows: list[Row] = []
    date = f"{day:%Y%m%d}"
    for start, end, (opened, high, low, close, volume, turnover) in reversed(board.minute_rows(item.symbol, day)):
        clock = _minute_clock(start, end)
        if clock > until:
            continue
        if len(rows) == most:
            break
        rows.append(
            {
                "stck_bsop_date": date,
                "stck_cntg_hour": f"{clock:06d}",
                "stck_prpr": str(close),
                "stck_oprc": str(opened),
                "stck_hgpr": str(high),
                "stck_lwpr": str(low),
                "cntg_vol": str(volume),
                "acml_tr_pbmn": str(turnover),
            }
        )
    return rows


def _minute_head(board: Board, item: Instrument) -> Row:
    sight = board.sight(item.symbol)
    return {
        **_moved(sight),
        "stck_prdy_clpr": sight.base,
        "acml_vol": sight.volume,
        "acml_tr_pbmn": sight.turnover,
        "hts_kor_isnm": item.name,
        "stck_prpr": sight.last,
    }


def minute_chart_today(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Today's minutes up to an hour, at most 30, newest first."""
    item = _listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    rows = _minutes(board, item, board.session.day, _clock(asked["FID_INPUT_HOUR_1"]), 30)
    return Answer({"output1": _minute_head(board, item), "output2": rows})


def minute_chart_of_day(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Minutes of a past day up to an hour, at most 120, newest first; ``Y`` goes on into earlier days."""
    item, day = _listed(board, asked), _day(asked["FID_INPUT_DATE_1"])
    if item is None:
        return UNKNOWN_SYMBOL
    if day is None:
        return Refusal("OPSQ2002")
    until = _clock(asked["FID_INPUT_HOUR_1"])
    rows = _minutes(board, item, day, until, 120)
    if asked["FID_PW_DATA_INCU_YN"].strip().upper() == "Y":
        earlier = [known for known in board.world.days if known < day]
        while earlier and len(rows) < 120:
            rows += _minutes(board, item, earlier.pop(), 235_959, 120 - len(rows))
    return Answer({"output1": _minute_head(board, item), "output2": rows})


def index_chart(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Daily bars of an index, at most 50, newest first."""
    code = asked["FID_INPUT_ISCD"].strip()
    start, end = _day(asked["FID_INPUT_DATE_1"]), _day(asked["FID_INPUT_DATE_2"])
    if code not in board.world.indices:
        return Refusal("OPSQ2001", "ERROR INVALID FID_INPUT_ISCD")
    if start is None or end is None:
        return Refusal("OPSQ2002")
    rows = board.index_rows(code, start, end)[-50:]
    newest = board.index_rows(code, day_of(board.now) - dt.timedelta(days=20), day_of(board.now))
    last, before = (newest[-1][1][3], newest[-2][1][3]) if len(newest) > 1 else (0, 0)
    head = {
        "bstp_nmix_prdy_vrss": last - before,
        "prdy_vrss_sign": "2" if last > before else "5" if last < before else "3",
        "bstp_nmix_prdy_ctrt": 100.0 * (last - before) / before if before else 0.0,
        "prdy_nmix": before,
        "hts_kor_isnm": _INDEX_NAMES[code],
        "bstp_nmix_prpr": last,
        "bstp_cls_code": code,
    }
    bars = [
        {
            "stck_bsop_date": day,
            "bstp_nmix_prpr": close,
            "bstp_nmix_oprc": opened,
            "bstp_nmix_hgpr": high,
            "bstp_nmix_lwpr": low,
            "acml_vol": volume // 1_000,
        }
        for day, (opened, high, low, close, volume) in reversed(rows)
    ]
    return Answer({"output1": head, "output2": bars})


def recent_trades(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """The 30 newest prints of today, newest first."""
    item = _listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    tape, column = board.session.tape, board.world.column[item.symbol]
    sight = board.sight(item.symbol)
    rows = []
    for row in range(board.seen - 1, -1, -1):
        volume = int(tape.volume[row, column])
        if volume:
            price = int(tape.price[row, column])
            rows.append(
                {
                    "stck_cntg_hour": hhmmss_of(int(tape.end[row]) - 1),
                    "stck_prpr": price,
                    "prdy_vrss": price - sight.base,
                    "prdy_vrss_sign": "2" if price > sight.base else "5" if price < sight.base else "3",
                    "cntg_vol": volume,
                    "prdy_ctrt": 100.0 * (price - sight.base) / sight.base,
                }
            )
        if len(rows) == 30:
            break
    return Answer({"output": rows})


def stock_info(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Basic facts and status flags of one name."""
    item = board.instrument(asked["PDNO"].strip())
    if item is None:
        return Refusal("APBK0656", rt_cd="7")
    kospi = item.market is Market.KOSPI
    row = {
        "pdno": f"00000A{item.symbol}",
        "prdt_type_cd": "300",
        "mket_id_cd": "STK" if kospi else "KSQ",
        "scty_grp_id_cd": _GROUPS.get(item.kind, "ST"),
        "excg_dvsn_cd": "02" if kospi else "03",
        "lstg_stqt": item.shares_outstanding,
        "papr": 500,
        "scts_mket_lstg_dt": item.listed_on if kospi else None,
        "kosdaq_mket_lstg_dt": None if kospi else item.listed_on,
        "idx_bztp_lcls_cd": item.sector,
        "stck_kind_cd": "201" if item.kind is Kind.PREFERRED else "101",
        "prdt_name": item.name,
        "prdt_name120": item.name,
        "prdt_abrv_name": item.name,
        "std_pdno": isin(item.symbol),
        "tr_stop_yn": board.halted(item.symbol),
        "admn_item_yn": "administrative" in item.flags,
        "thdt_clpr": board.sight(item.symbol).last,
        "bfdy_clpr": board.sight(item.symbol).base,
        "cptt_trad_tr_psbl_yn": False,
        "nxt_tr_stop_yn": False,
    }
    return Answer({"output": row})


def product_info(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Basic facts of a product; clients take the code from ``shtn_pdno``."""
    item = board.instrument(asked["PDNO"].strip())
    if item is None:
        return Refusal("APBK0656", rt_cd="7")
    row = {
        "pdno": f"00000A{item.symbol}",
        "prdt_type_cd": "300",
        "prdt_name": item.name,
        "prdt_name120": item.name,
        "prdt_abrv_name": item.name,
        "std_pdno": isin(item.symbol),
        "shtn_pdno": item.symbol,
    }
    return Answer({"output": row})


def isin(symbol: str) -> str:
    """Return the international code of a Korean share (the check digit is not computed)."""
    return f"KR7{symbol}000"[:12]


def holidays(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """One row per calendar day from a date on, 24 a page."""
    start = _day(asked.get("CTX_AREA_NK", "")) or _day(asked["BASS_DT"])
    if start is None:
        return Refusal("OPSQ2002")
    span = [start + dt.timedelta(days=offset) for offset in range(24)]
    days = [day for day in span if day.year <= LAST_YEAR]
    rows = [
        {
            "bass_dt": day,
            "wday_dvsn_cd": f"{day.isoweekday() % 7 + 1:02d}",
            "bzdy_yn": day.weekday() < 5,
            "tr_day_yn": day.weekday() < 5,
            "opnd_yn": is_trading_day(day),
            "sttl_day_yn": is_trading_day(day),
        }
        for day in days
    ]
    following = start + dt.timedelta(days=24)
    return Answer({"output": rows}, next_key=f"{following:%Y%m%d}" if following.year <= LAST_YEAR else "")


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "inquire-price": inquire_price,
    "inquire-asking-price-exp-ccn": inquire_book,
    "intstock-multprice": multprice,
    "inquire-daily-itemchartprice": daily_chart,
    "inquire-daily-price": daily_price,
    "inquire-time-itemchartprice": minute_chart_today,
    "inquire-time-dailychartprice": minute_chart_of_day,
    "inquire-daily-indexchartprice": index_chart,
    "inquire-ccnl": recent_trades,
    "search-stock-info": stock_info,
    "search-info": product_info,
    "chk-holiday": holidays,
}
"""The function that answers each quotation call, by the name of its operation."""
