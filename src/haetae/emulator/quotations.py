"""Answers of the quotation calls, from what the board lets be seen.

Here: one function per call, from the texts asked to the values of the reply's rows (field names are
the wire's), and the one table of all such functions. Not here: charts (``charts``), boards, companies, investors,
funds, indices and events (a file each), the market (``board``), accounts (``trading``), the envelope (``core``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from haetae.domain.market import Kind, Market
from haetae.domain.units import hhmmss_of
from haetae.emulator import companies, depository, events, fundquotes, indexquotes, investors, movers, rankings
from haetae.emulator.answers import UNKNOWN_SYMBOL, Answer, listed, moved, read_day, year_sessions
from haetae.emulator.board import Board
from haetae.emulator.charts import daily_chart, daily_price, index_chart, minute_chart_of_day, minute_chart_today
from haetae.emulator.gate import Refusal
from haetae.emulator.sights import Glance, sign_of
from haetae.kis.wire.operations import MULTPRICE_SLOTS
from haetae.kis.wire.rows import SNAPSHOT
from haetae.krx import is_trading_day
from haetae.krx.closures import LAST_YEAR

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


def inquire_price(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Present price of one name with its limits and status flags."""
    item = listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    sight = board.sight(item.symbol)
    state = next((code for flag, code in _STATES if flag in item.flags), "55")
    halted = board.halted(item.symbol)
    tick = board.session.rules.tick_size(sight.last, item.kind, item.market)
    row = {
        **moved(sight),
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
    names = (
        ("d250_hgpr", "d250_lwpr", "_vrss_prpr_rate", "", 250),
        ("dryy_hgpr", "dryy_lwpr", "_vrss_prpr_rate", "stck_", year_sessions(board)),
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
    item = listed(board, asked)
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
    symbols = [asked.get(f"FID_INPUT_ISCD_{slot}", "").strip() for slot in range(1, MULTPRICE_SLOTS + 1)]
    items = [item for symbol in symbols if symbol and (item := board.instrument(symbol)) is not None]
    glances = board.glances([item.symbol for item in items])
    rows = [_snapshot(item.symbol, item.name, item.market, glance) for item, glance in zip(items, glances, strict=True)]
    return Answer({"output": rows})


@lru_cache(maxsize=1 << 12)
def _snapshot(symbol: str, name: str, market: Market, glance: Glance) -> str:
    """Return one name as the text of its row; between two prints it is the same."""
    last, opened, high, low, volume, turnover, base, lower, upper, ask, bid, size = glance
    row = {
        "kospi_kosdaq_cls_name": "거래소" if market is Market.KOSPI else "코스닥",
        "hour_cls_code": "0",
        "inter_shrn_iscd": symbol,
        "inter_kor_isnm": name,
        "inter2_prpr": last,
        "inter2_prdy_vrss": last - base,
        "prdy_vrss_sign": sign_of(last, base, lower, upper),
        "prdy_ctrt": 100.0 * (last - base) / base,
        "acml_vol": volume,
        "inter2_oprc": opened,
        "inter2_hgpr": high,
        "inter2_lwpr": low,
        "inter2_llam": lower,
        "inter2_mxpr": upper,
        "inter2_askp": ask,
        "inter2_bidp": bid,
        "seln_rsqn": size,
        "shnu_rsqn": size,
        "total_askp_rsqn": 10 * size,
        "total_bidp_rsqn": 10 * size,
        "acml_tr_pbmn": turnover,
        "inter2_prdy_clpr": base,
        "inter2_sdpr": base,
    }
    return SNAPSHOT.json(row)


def recent_trades(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """The 30 newest prints of today, newest first."""
    item = listed(board, asked)
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
    start = read_day(asked.get("CTX_AREA_NK", "")) or read_day(asked["BASS_DT"])
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
    **companies.ANSWERS,
    **depository.ANSWERS,
    **events.ANSWERS,
    **fundquotes.ANSWERS,
    **indexquotes.ANSWERS,
    **investors.ANSWERS,
    **movers.ANSWERS,
    **rankings.ANSWERS,
}
"""The function that answers each quotation call, by the name of its operation."""
