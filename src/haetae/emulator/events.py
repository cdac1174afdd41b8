"""Answers of the calls about what happened: volatility interruptions of a day, headlines.

Newest first, one page: interruptions 30, headlines 40. Not here: corporate actions (``depository``), how they come
about (``interrupts``, ``headlines``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from haetae.domain.market import Market
from haetae.domain.units import NS_PER_SECOND, Symbol, day_of, hhmmss_of, instant_at
from haetae.emulator.answers import UNKNOWN_SYMBOL, Answer, invalid, lowered, percent, read_day, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.headlines import SOURCES
from haetae.emulator.holds import ViEvent, ViKind

_VI_PAGE, _NEWS_PAGE = 30, 40
_KINDS = {ViKind.STATIC: "1", ViKind.DYNAMIC: "2", ViKind.BOTH: "3"}
_MARKETS = {"K": Market.KOSPI, "Q": Market.KOSDAQ}
_GENERAL = "02"
"""Class of every headline; the service's list of classes is not known."""


def interruptions(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Interruptions of a day by direction, market, name and kind, the newest thirty; there is no further page."""
    given = lowered(asked)
    refused = strange(
        given,
        fid_div_cls_code="0 1 2",
        fid_cond_scr_div_code="20139",
        fid_mrkt_cls_code="0 K Q",
        fid_rank_sort_cls_code="0 1 2 3",
    )
    day, symbol = read_day(given["fid_input_date_1"]), given["fid_input_iscd"]
    if refused is not None or day is None:
        return refused or Refusal("OPSQ2002")
    if symbol and symbol not in board.world.column:
        return UNKNOWN_SYMBOL
    wanted = [pair for pair in _numbered(board.vi_events(day)) if _is_wanted(board, given, *pair[:2])]
    rows = [_interruption(board, *each) for each in wanted[:_VI_PAGE]]
    return Answer({"output": rows})


def _numbered(events: list[tuple[Symbol, ViEvent]]) -> list[tuple[Symbol, ViEvent, int]]:
    """Return events, newest first, each with how many its name had until then."""
    count: Counter[Symbol] = Counter()
    found = []
    for symbol, event in reversed(events):
        count[symbol] += 1
        found.append((symbol, event, count[symbol]))
    return found[::-1]


def _is_wanted(board: Board, given: Mapping[str, str], symbol: Symbol, event: ViEvent) -> bool:
    market, kind, way = given["fid_mrkt_cls_code"].upper(), given["fid_rank_sort_cls_code"], given["fid_div_cls_code"]
    if given["fid_input_iscd"] not in ("", symbol):
        return False
    if market != "0" and board.world.by_symbol[symbol].market is not _MARKETS[market]:
        return False
    if kind != "0" and _KINDS[event.kind] != kind:
        return False
    return way == "0" or (event.price > _reference(event)) is (way == "1")


def _reference(event: ViEvent) -> int:
    return event.dynamic_reference if event.kind is ViKind.DYNAMIC else event.static_reference


def _interruption(board: Board, symbol: Symbol, event: ViEvent, count: int) -> dict[str, Any]:
    """Return one row; the reference of the kind that did not trip is 0, as users see."""
    static = event.static_reference if event.kind is not ViKind.DYNAMIC else 0
    dynamic = event.dynamic_reference if event.kind is not ViKind.STATIC else 0
    lasts = event.released_at > board.now
    return {
        "hts_kor_isnm": board.world.by_symbol[symbol].name,
        "mksc_shrn_iscd": symbol,
        "vi_cls_code": "Y" if lasts else "N",
        "bsop_date": day_of(event.at),
        "cntg_vi_hour": hhmmss_of(event.at),
        "vi_cncl_hour": "000000" if lasts else f"{hhmmss_of(event.released_at):06d}",
        "vi_kind_code": _KINDS[event.kind],
        "vi_prc": event.price,
        "vi_stnd_prc": static,
        "vi_dprt": percent(event.price - static, static),
        "vi_dmc_stnd_prc": dynamic,
        "vi_dmc_dprt": percent(event.price - dynamic, dynamic),
        "vi_count": count,
    }


def headlines(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """The newest forty headlines up to a day and time (now by default), of all names or of one.

    A number (FID_INPUT_SRNO) leaves out itself and what came after it. Days come as ``00YYYYMMDD``, times as
    ``0000HHMMSS``; shorter ones are taken too.
    """
    given = lowered(asked)
    refused = strange(given, fid_titl_cntt="-")
    date, clock = given["fid_input_date_1"][-8:], given["fid_input_hour_1"][-6:]
    day = read_day(date) if date else day_of(board.now)
    if refused is not None or day is None or day < board.world.days[0]:
        return refused or (Refusal("OPSQ2002") if day is None else Answer({"output": []}))
    if clock and not _is_clock(clock):
        return invalid("fid_input_hour_1")
    until = instant_at(day, int(clock or "235959")) + NS_PER_SECOND - 1
    symbol, before = given["fid_input_iscd"], given["fid_input_srno"]
    if symbol and symbol not in board.world.column:
        return Answer({"output": []})
    found = board.library.headlines(_NEWS_PAGE, symbol=symbol, until=until, before=before)
    rows = []
    for one in found:
        codes = {f"iscd{place}": code for place, code in enumerate(one.symbols[:5], 1)}
        rows.append(
            {
                "cntt_usiq_srno": one.key,
                "news_ofer_entp_code": str(SOURCES.index(one.source) + 1),
                "data_dt": day_of(one.at),
                "data_tm": hhmmss_of(one.at),
                "hts_pbnt_titl_cntt": one.title,
                "news_lrdv_code": _GENERAL,
                "dorg": one.source,
                **codes,
            }
        )
    return Answer({"output": rows})


def _is_clock(text: str) -> bool:
    return text.isdigit() and int(text) <= 235_959 and int(text) % 100 < 60 and int(text) // 100 % 100 < 60


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "inquire-vi-status": interruptions,
    "news-title": headlines,
}
"""The function that answers each call about what happened."""
