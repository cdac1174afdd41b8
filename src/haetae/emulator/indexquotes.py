"""Answers of the calls about indices as they stand: the present level with its breadth, and the newest minutes.

Levels are those that aggregate to the day's bar. Volumes are thousands of shares, turnover millions of won, of the
members. Not here: bars of days (``charts``), how levels come about (``indices``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, hhmmss_of
from haetae.emulator.answers import Answer, Row, direction, invalid, lowered, percent, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.indices import NAMES

_SHARES, _WON = 1_000, 1_000_000
_PAGE = 102
_LENGTHS = {"30": 60, "60": 60, "600": 600, "3600": 3_600}
"""Seconds of a bar by FID_INPUT_HOUR_1: half a minute is served as a whole one."""


@dataclass(frozen=True, slots=True)
class _Level:
    """An index now and today, points x 100, and the closes of the two sessions around it; 0 before the open."""

    now: int
    open: int
    high: int
    low: int
    before: int


def _level(board: Board, code: str) -> _Level:
    world, row = board.world, board.session.row
    seen = world.index_levels(code, row).ravel()[: board.seen]
    before = world.index_bar(code, row - 1)[3] if row else round(float(world.indices[code].before[0]))
    if not len(seen):
        return _Level(before, 0, 0, 0, before)
    return _Level(int(seen[-1]), int(seen[0]), int(seen.max()), int(seen.min()), before)


def _head(code: str, level: _Level, traded: tuple[int, int], before: int) -> dict[str, Any]:
    return {
        "bstp_nmix_prpr": level.now,
        "bstp_nmix_prdy_vrss": level.now - level.before,
        "prdy_vrss_sign": direction(level.now - level.before),
        "bstp_nmix_prdy_ctrt": percent(level.now - level.before, level.before),
        "acml_vol": traded[0] // _SHARES,
        "acml_tr_pbmn": traded[1] // _WON,
        "prdy_vol": before // _SHARES,
        "bstp_nmix_oprc": level.open,
        "bstp_nmix_hgpr": level.high,
        "bstp_nmix_lwpr": level.low,
    }


def _traded(board: Board, code: str) -> tuple[int, int]:
    """Return shares and won that the members traded today."""
    shown, members = board.table(), board.world.members[code]
    return int(shown.volume[members].sum()), int(shown.turnover[members].sum())


def _traded_before(board: Board, code: str) -> tuple[int, int]:
    """Return shares and won of the session before; won at the typical price of the day, as bars of days give it."""
    daily, row, members = board.world.daily, board.session.row - 1, board.world.members[code]
    if row < 0:
        return 0, 0
    high, low, close, volume = (part[row, members] for part in (daily.high, daily.low, daily.close, daily.volume))
    return int(volume.sum()), int(((high + low + close) // 3 * volume).sum())


def index_price(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """Present level of an index, its day, its year, and how many members rise and fall; limits are counted twice."""
    given = lowered(asked)
    code = given["fid_input_iscd"]
    refused = strange(given, fid_cond_mrkt_div_code="U", fid_input_iscd=" ".join(board.world.indices))
    if refused is not None:
        return refused
    level, before = _level(board, code), _traded_before(board, code)
    row = _head(code, level, _traded(board, code), before[0]) | {
        "prdy_tr_pbmn": before[1] // _WON,
        **_distances(level),
        **_breadth(board, code),
        **_year(board, code, level),
        **_queues(board, code),
    }
    return Answer({"output": row})


def _distances(level: _Level) -> dict[str, Any]:
    """Open, high and low against the close before; all 0 before the open."""
    gaps = [edge - level.before if edge else 0 for edge in (level.open, level.high, level.low)]
    rates = [percent(gap, level.before) for gap in gaps]
    return {
        "prdy_nmix_vrss_nmix_oprc": gaps[0],
        "oprc_vrss_prpr_sign": direction(gaps[0]),
        "bstp_nmix_oprc_prdy_ctrt": rates[0],
        "prdy_nmix_vrss_nmix_hgpr": gaps[1],
        "hgpr_vrss_prpr_sign": direction(gaps[1]),
        "bstp_nmix_hgpr_prdy_ctrt": rates[1],
        "prdy_clpr_vrss_lwpr": gaps[2],
        "lwpr_vrss_prpr_sign": direction(gaps[2]),
        "prdy_clpr_vrss_lwpr_rate": rates[2],
    }


def _breadth(board: Board, code: str) -> dict[str, int]:
    shown, members = board.table(), board.world.members[code]
    last, base, upper, lower = (part[members] for part in (shown.last, shown.base, shown.upper, shown.lower))
    listed = base > 0
    return {
        "ascn_issu_cnt": int((listed & (last > base)).sum()),
        "uplm_issu_cnt": int((listed & (last == upper)).sum()),
        "stnr_issu_cnt": int((listed & (last == base)).sum()),
        "down_issu_cnt": int((listed & (last < base)).sum()),
        "lslm_issu_cnt": int((listed & (last == lower)).sum()),
    }


def _year(board: Board, code: str, level: _Level) -> dict[str, Any]:
    """Highest and lowest level of the year so far, today's among them."""
    today = board.session.day
    bars = [(day, bar[1], bar[2]) for day, bar in board.index_rows(code, dt.date(today.year, 1, 1), today)]
    if level.open and (not bars or bars[-1][0] != today):
        bars.append((today, level.high, level.low))
    if not bars:
        return {}
    high_day, high, _ = max(bars, key=lambda bar: bar[1])
    low_day, _, low = min(bars, key=lambda bar: bar[2])
    return {
        "dryy_bstp_nmix_hgpr": high,
        "dryy_hgpr_vrss_prpr_rate": percent(level.now - high, high),
        "dryy_bstp_nmix_hgpr_date": high_day,
        "dryy_bstp_nmix_lwpr": low,
        "dryy_lwpr_vrss_prpr_rate": percent(level.now - low, low),
        "dryy_bstp_nmix_lwpr_date": low_day,
    }


def _queues(board: Board, code: str) -> dict[str, Any]:
    """What waits in the members' books: ten levels of the size at the best price, as the list of many prices tells."""
    if board.seen == 0:
        return {}
    ask, bid, size = (part[board.world.members[code]] for part in board.session.best(board.seen - 1))
    sell, buy = (10 * int(size[side > 0].sum()) for side in (ask, bid))
    return {
        "total_askp_rsqn": sell,
        "total_bidp_rsqn": buy,
        "seln_rsqn_rate": percent(sell, sell + buy),
        "shnu_rsqn_rate": percent(buy, sell + buy),
        "ntby_rsqn": buy - sell,
    }


def index_minutes(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
    """The newest finished bars of an index, at most 102, newest first; ``Y`` goes on into earlier days."""
    given = lowered(asked)
    code = given["fid_input_iscd"]
    refused = strange(
        given,
        fid_cond_mrkt_div_code="U",
        fid_input_iscd=" ".join(board.world.indices),
        fid_etc_cls_code="0 1",
        fid_pw_data_incu_yn="Y N",
    )
    length = _LENGTHS.get(given["fid_input_hour_1"])
    if refused is not None or length is None:
        return refused or invalid("fid_input_hour_1")
    goes_on = given["fid_pw_data_incu_yn"].upper() == "Y"
    rows: list[Row] = []
    for row in range(board.session.row, -1, -1):
        rows += _bars(board, code, row, length)
        if len(rows) >= _PAGE or not goes_on:
            break
    level, before = _level(board, code), _traded_before(board, code)
    head = _head(code, level, _traded(board, code), before[0]) | {
        "prdy_nmix": level.before,
        "hts_kor_isnm": NAMES[code],
        "bstp_cls_code": code,
    }
    return Answer({"output1": head, "output2": rows[:_PAGE]})


def _bars(board: Board, code: str, row: int, length_s: int) -> list[Row]:
    """Return the bars of one session, newest first; the closing auction is one of its own."""
    day = board.world.days[row]
    minutes = board.index_minutes(code, day)
    volume = np.cumsum([bar[4] for _, _, bar in minutes], dtype=np.int64) // _SHARES
    won = _won_so_far(board, code, row, len(minutes)) // _WON
    groups: dict[Instant, list[int]] = {}
    for place, (start, end, _) in enumerate(minutes):
        first = minutes[0][0]
        own = end if end - start > NS_PER_MINUTE else start - (start - first) % (length_s * NS_PER_SECOND)
        groups.setdefault(own, []).append(place)
    rows: list[Row] = []
    for stamp, places in groups.items():
        bars = [minutes[place][2] for place in places]
        last = places[-1]
        rows.append(
            {
                "stck_bsop_date": day,
                "stck_cntg_hour": hhmmss_of(stamp),
                "bstp_nmix_prpr": bars[-1][3],
                "bstp_nmix_oprc": bars[0][0],
                "bstp_nmix_hgpr": max(bar[1] for bar in bars),
                "bstp_nmix_lwpr": min(bar[2] for bar in bars),
                "cntg_vol": int(volume[last] - (volume[places[0] - 1] if places[0] else 0)),
                "acml_tr_pbmn": int(won[last]),
            }
        )
    return rows[::-1]


def _won_so_far(board: Board, code: str, row: int, count: int) -> Int64Array:
    """Return the members' turnover up to the end of each of a session's first minutes."""
    bars, members = board.world.minutes(row), board.world.members[code]
    prices = sum(part[:count, members] for part in (bars.open, bars.high, bars.low, bars.close))
    return np.asarray(np.cumsum((prices // 4 * bars.volume[:count, members]).sum(axis=1)))


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "inquire-index-price": index_price,
    "inquire-time-indexchartprice": index_minutes,
}
"""The function that answers each call about indices as they stand."""
