"""Answers of the calls about funds: price beside net asset value, now, by minute, by day.

Values are x 100 with two decimals on the wire. Only exchange traded funds and notes are answered. Not here: how a
value comes about (``funds``), when it may be seen (``library``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from haetae.domain.market import Instrument, Kind
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, Shares, Won, hhmmss_of
from haetae.emulator.answers import (
    UNKNOWN_SYMBOL,
    Answer,
    direction,
    invalid,
    lowered,
    moved,
    percent,
    read_day,
    strange,
    year_sessions,
)
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal

_MINUTES, _DAYS = 30, 100
_BEFORE = dt.timedelta(days=20)
"""Calendar days in which a session before the first one asked for is found."""
_LENGTHS_S = range(60, 7_201, 60)
_ASSETS_UNIT = 100_000_000


def _fund(board: Board, given: Mapping[str, str]) -> Instrument | None:
    item = board.instrument(given["fid_input_iscd"])
    return item if item is not None and board.is_fund(item.symbol) else None


def _beside(nav: int, before: int, price: Won) -> dict[str, Any]:
    """Return a value with its change against the one before, and the price against it."""
    return {
        "nav": nav,
        "nav_prdy_vrss": nav - before if before else 0,
        "nav_prdy_vrss_sign": direction(nav - before if before else 0),
        "nav_prdy_ctrt": percent(nav - before, before),
        "dprt": percent(price * 100 - nav, nav),
    }


def price(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Present price of a fund with its net asset value; before the open the value is that of the close before."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="J")
    item = _fund(board, given)
    if refused is not None or item is None:
        return refused or UNKNOWN_SYMBOL
    symbol, sight = item.symbol, board.sight(item.symbol)
    before = board.library.nav_before(symbol)
    nav = board.library.nav(symbol)[0] or before
    row, column = board.session.row, board.world.column[symbol]
    index = "2001" if item.kind is Kind.ETF else ""
    return Answer(
        {
            "output": {
                **moved(sight),
                "stck_prpr": sight.last,
                "acml_vol": sight.volume,
                "prdy_vol": int(board.world.daily.volume[row - 1, column]) if row else 0,
                "stck_mxpr": sight.upper,
                "stck_llam": sight.lower,
                "stck_prdy_clpr": sight.base,
                "stck_oprc": sight.open,
                "prdy_clpr_vrss_oprc_rate": _against(sight.open, sight.base),
                "stck_hgpr": sight.high,
                "prdy_clpr_vrss_hgpr_rate": _against(sight.high, sight.base),
                "stck_lwpr": sight.low,
                "prdy_clpr_vrss_lwpr_rate": _against(sight.low, sight.base),
                "prdy_last_nav": before,
                **_beside(nav, before, sight.last),
                "stck_sdpr": sight.base,
                "etf_crcl_stcn": item.shares_outstanding,
                "etf_ntas_ttam": nav * item.shares_outstanding // 100 // _ASSETS_UNIT,
                "crcd": "KRW",
                "etf_crcl_ntas_ttam": nav * item.shares_outstanding // 100 // _ASSETS_UNIT,
                "vi_cls_code": "Y" if board.vi_of(symbol) is not None else "N",
                "lstn_stcn": item.shares_outstanding,
                "stck_lstn_date": item.listed_on,
                "mtrt_date": "0",
                "etf_trgt_nmix_bstp_code": index,
                **_year(board, symbol, sight.last),
            }
        }
    )


def _against(price: Won, base: Won) -> float:
    return percent(price - base, base) if price else 0.0


def _year(board: Board, symbol: str, last: Won) -> dict[str, Any]:
    high, high_day, low, low_day = board.extremes(symbol, year_sessions(board))
    return {
        "stck_dryy_hgpr": high,
        "dryy_hgpr_vrss_prpr_rate": percent(last - high, high),
        "dryy_hgpr_date": high_day,
        "stck_dryy_lwpr": low,
        "dryy_lwpr_vrss_prpr_rate": percent(last - low, low),
        "dryy_lwpr_date": low_day,
    }


def by_day(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Value and close of a fund by finished session, newest first, at most 100; walk back by the end date."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="J")
    item = _fund(board, given)
    if refused is not None or item is None:
        return refused or UNKNOWN_SYMBOL
    start, end = read_day(given["fid_input_date_1"]), read_day(given["fid_input_date_2"])
    if start is None or end is None:
        return Refusal("OPSQ2002")
    start = max(start, board.world.days[0])
    navs = board.library.nav_rows(item.symbol, start - _BEFORE, end)
    bases = {day: bar[6] for day, bar in board.daily_rows(item.symbol, start, end)}
    rows = []
    for place, (day, nav, close, volume) in enumerate(navs):
        if day < start:
            continue
        base = bases[day]
        rows.append(
            {
                "stck_bsop_date": day,
                "stck_clpr": close,
                "prdy_vrss": close - base,
                "prdy_vrss_sign": direction(close - base),
                "prdy_ctrt": percent(close - base, base),
                "acml_vol": volume,
                "cntg_vol": "",
                "nav_vrss_prpr": close * 100 - nav,
                **_beside(nav, navs[place - 1][1] if place else 0, close),
            }
        )
    return Answer({"output": rows[: -_DAYS - 1 : -1]})


class _Minute(NamedTuple):
    """One minute of a fund; ``stamp`` is its start, of the closing auction its end."""

    stamp: Instant
    nav: int
    price: Won
    volume: Shares
    fresh: bool = True


def _minutes(board: Board, symbol: str) -> list[_Minute]:
    """Return today's minutes, ascending; those of the closing auction repeat the last one, as documented."""
    session = board.session
    traded = {start: bar[4] for start, _, bar in board.minute_rows(symbol, session.day)}
    starts = board.world.times(session.row)[0].tolist()
    found: list[_Minute] = []
    for start, (end, nav, price) in zip(starts, board.library.nav_minutes(symbol), strict=False):
        alone = end - start > NS_PER_MINUTE
        if alone:
            found += _repeated(found, start, end)
        found.append(_Minute(end if alone else start, nav, price, traded.get(start, 0)))
    in_auction = session.rules.session.auction_from <= board.now < session.rules.session.close_at
    return found + _repeated(found, starts[len(found)], board.now) if in_auction and found else found


def _repeated(found: list[_Minute], start: Instant, end: Instant) -> list[_Minute]:
    """Return the minutes of an auction that are over: nothing moves in them."""
    over = range(start, end - NS_PER_MINUTE + 1, NS_PER_MINUTE)
    return [found[-1]._replace(stamp=stamp, fresh=False) for stamp in over] if found else []


def _bars(minutes: list[_Minute], length_ns: int) -> list[list[_Minute]]:
    """Return minutes by bar of a length, ascending, counted from the first one."""
    groups: dict[int, list[_Minute]] = {}
    for minute in minutes:
        groups.setdefault((minute.stamp - minutes[0].stamp) // length_ns, []).append(minute)
    return list(groups.values())


def by_minute(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Value and price of a fund by bar of today, the newest thirty, newest first."""
    given = lowered(asked)
    refused = strange(given, fid_cond_mrkt_div_code="E")
    item, length = _fund(board, given), given["fid_hour_cls_code"]
    if refused is not None or item is None:
        return refused or UNKNOWN_SYMBOL
    if not length.isdigit() or int(length) not in _LENGTHS_S:
        return invalid("fid_hour_cls_code")
    base, before = board.sight(item.symbol).base, board.library.nav_before(item.symbol)
    rows, total = [], 0
    for bar in _bars(_minutes(board, item.symbol), int(length) * NS_PER_SECOND):
        last, fresh = bar[-1], sum(minute.volume for minute in bar if minute.fresh)
        total += fresh
        rows.append(
            {
                "bsop_hour": hhmmss_of(bar[0].stamp),
                "nav_vrss_prpr": last.price * 100 - last.nav,
                **_beside(last.nav, before, last.price),
                "stck_prpr": last.price,
                "prdy_vrss": last.price - base,
                "prdy_vrss_sign": direction(last.price - base),
                "prdy_ctrt": percent(last.price - base, base),
                "acml_vol": total,
                "cntg_vol": last.volume if len(bar) == 1 else fresh,
            }
        )
    return Answer({"output": rows[: -_MINUTES - 1 : -1]})


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "etfetn-inquire-price": price,
    "nav-comparison-daily-trend": by_day,
    "nav-comparison-time-trend": by_minute,
}
"""The function that answers each call about funds."""
