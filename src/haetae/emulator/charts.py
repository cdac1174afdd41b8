"""Answers of the chart calls: daily bars, minutes, indices, newest first as the service sends them.

Not here: present prices (``quotations``), what may be seen (``board``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache

from haetae.domain.market import Instrument
from haetae.domain.units import NS_PER_MINUTE, Instant, day_of, hhmmss_of
from haetae.emulator.answers import UNKNOWN_SYMBOL, Answer, Row, listed, moved, read_clock, read_day
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.indices import NAMES
from haetae.emulator.periods import Period, gather
from haetae.kis.wire.rows import MINUTE_BAR

_PERIODS = {period.value: period for period in Period}
_ADJUSTED = "1"
"""The same parameter of the call of the last bars: prices corrected for corporate actions."""
_RAW = "1"
"""FID_ORG_ADJ_PRC of prices as they were traded; any other word asks for adjusted ones, as the service gives."""
_NO_PERIOD = Refusal("OPSQ2001", "ERROR INVALID FID_PERIOD_DIV_CODE")
_SHORT = 30
"""Rows of the short chart, of every length (KIS portal, FHKST01010400)."""
_REACH = {"D": dt.timedelta(days=60), "": dt.timedelta(days=60)} | {
    Period.WEEK.value: dt.timedelta(weeks=_SHORT),
    Period.MONTH.value: dt.timedelta(days=31 * _SHORT),
}
"""How far the short chart looks back for its rows, by length."""


def daily_chart(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Bars of days, weeks, months or years, at most 100, newest first; walk back by the end date.

    A halted day has a close only. A longer period stands under its last session (unverified).
    """
    item = listed(board, asked)
    start, end = read_day(asked["FID_INPUT_DATE_1"]), read_day(asked["FID_INPUT_DATE_2"])
    if item is None:
        return UNKNOWN_SYMBOL
    if start is None or end is None:
        return Refusal("OPSQ2002")
    length = asked["FID_PERIOD_DIV_CODE"].strip().upper()
    if length not in {"D", "", *_PERIODS}:
        return _NO_PERIOD
    adjusted = asked.get("FID_ORG_ADJ_PRC", "").strip() != _RAW
    rows = board.daily_rows(item.symbol, start, end, adjusted=adjusted)
    rows = (gather(rows, _PERIODS[length]) if length in _PERIODS else rows)[-100:]
    sight = board.sight(item.symbol)
    head = {
        **moved(sight),
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
    """The last 30 bars of days, weeks or months, newest first.

    FID_ORG_ADJ_PRC reads the other way round from the charts': 1 asks for adjusted prices (workbook).
    """
    item = listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    length = asked["FID_PERIOD_DIV_CODE"].strip().upper()
    if length not in _REACH:
        return _NO_PERIOD
    today = day_of(board.now)
    adjusted = asked["FID_ORG_ADJ_PRC"].strip() == _ADJUSTED
    rows = board.daily_rows(item.symbol, today - _REACH[length], today, adjusted=adjusted)
    rows = (gather(rows, _PERIODS[length]) if length in _PERIODS else rows)[-_SHORT:]
    return Answer({"output": [_priced(day, bar) for day, bar in reversed(rows)]})


def _priced(day: dt.date, bar: tuple[int, ...]) -> Row:
    row = dict(_daily(day, bar))
    del row["acml_tr_pbmn"]
    base = bar[6]
    row["prdy_ctrt"] = 100.0 * (bar[3] - base) / base if base else 0.0
    return row


def _minute_clock(start: Instant, end: Instant) -> int:
    """Stamp of a minute row: its start; the closing auction carries the close."""
    return hhmmss_of(start) if end - start <= NS_PER_MINUTE else hhmmss_of(end)


@lru_cache(maxsize=1 << 15)
def _minute(date: str, clock: int, bar: tuple[int, ...]) -> str:
    """Return one minute as the text of its row; the same minutes are asked for over and over."""
    opened, high, low, close, volume, turnover = bar
    return MINUTE_BAR.json(
        {
            "stck_bsop_date": date,
            "stck_cntg_hour": clock,
            "stck_prpr": close,
            "stck_oprc": opened,
            "stck_hgpr": high,
            "stck_lwpr": low,
            "cntg_vol": volume,
            "acml_tr_pbmn": turnover,
        }
    )


def _minutes(board: Board, item: Instrument, day: dt.date, until: int, most: int) -> list[str]:
    """Newest first, as texts: these rows are most of what a collector asks."""
    rows: list[str] = []
    date = f"{day:%Y%m%d}"
    for start, end, bar in reversed(board.minute_rows(item.symbol, day)):
        clock = _minute_clock(start, end)
        if clock > until:
            continue
        if len(rows) == most:
            break
        rows.append(_minute(date, clock, bar))
    return rows


def _minute_head(board: Board, item: Instrument) -> Row:
    sight = board.sight(item.symbol)
    return {
        **moved(sight),
        "stck_prdy_clpr": sight.base,
        "acml_vol": sight.volume,
        "acml_tr_pbmn": sight.turnover,
        "hts_kor_isnm": item.name,
        "stck_prpr": sight.last,
    }


def minute_chart_today(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Today's minutes up to an hour, at most 30, newest first."""
    item = listed(board, asked)
    if item is None:
        return UNKNOWN_SYMBOL
    rows = _minutes(board, item, board.session.day, read_clock(asked["FID_INPUT_HOUR_1"]), 30)
    return Answer({"output1": _minute_head(board, item), "output2": rows})


def minute_chart_of_day(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Minutes of a past day up to an hour, at most 120, newest first; ``Y`` goes on into earlier days."""
    item, day = listed(board, asked), read_day(asked["FID_INPUT_DATE_1"])
    if item is None:
        return UNKNOWN_SYMBOL
    if day is None:
        return Refusal("OPSQ2002")
    until = read_clock(asked["FID_INPUT_HOUR_1"])
    rows = _minutes(board, item, day, until, 120)
    if asked["FID_PW_DATA_INCU_YN"].strip().upper() == "Y":
        earlier = [known for known in board.world.days if known < day]
        while earlier and len(rows) < 120:
            rows += _minutes(board, item, earlier.pop(), 235_959, 120 - len(rows))
    return Answer({"output1": _minute_head(board, item), "output2": rows})


def index_chart(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Bars of days, weeks, months or years of an index, at most 50, newest first."""
    code = asked["FID_INPUT_ISCD"].strip()
    start, end = read_day(asked["FID_INPUT_DATE_1"]), read_day(asked["FID_INPUT_DATE_2"])
    if code not in board.world.indices:
        return Refusal("OPSQ2001", "ERROR INVALID FID_INPUT_ISCD")
    if start is None or end is None:
        return Refusal("OPSQ2002")
    length = asked.get("FID_PERIOD_DIV_CODE", "").strip().upper()
    if length not in {"D", "", *_PERIODS}:
        return _NO_PERIOD
    rows = board.index_rows(code, start, end)
    rows = (gather(rows, _PERIODS[length]) if length in _PERIODS else rows)[-50:]
    newest = board.index_rows(code, day_of(board.now) - dt.timedelta(days=20), day_of(board.now))
    last, before = (newest[-1][1][3], newest[-2][1][3]) if len(newest) > 1 else (0, 0)
    head = {
        "bstp_nmix_prdy_vrss": last - before,
        "prdy_vrss_sign": "2" if last > before else "5" if last < before else "3",
        "bstp_nmix_prdy_ctrt": 100.0 * (last - before) / before if before else 0.0,
        "prdy_nmix": before,
        "hts_kor_isnm": NAMES[code],
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
