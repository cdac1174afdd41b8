"""Answers of the depository's calls: splits, free and paid issues, mergers and divisions, dividends.

A range of days is one of record dates (기준일). Trades settle two sessions later, so the last buyer on the list bought
two sessions before the record date, and the right falls away on the session before it; the record date of a dividend
at the end of a month is its last calendar day. A split takes effect on its listing day (상장일), its record date lies
before. Figures are padded with zeros or blanks, as documented examples are. Not here: what an action does to prices
and accounts (``interventions``, ``entitlements``), when it is announced (``library``).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from haetae.domain.market import Instrument, Kind
from haetae.emulator.answers import UNKNOWN_SYMBOL, Answer, lowered, read_day, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.statements import PAR
from haetae.krx.calendar import next_trading_day, previous_trading_day, trading_days

_AROUND = dt.timedelta(days=20)
"""Calendar days that lie between an action's day and its record date at most."""
_FACE = 100
_YEAR_END = 12
_Make = Callable[[Board, Instrument, Action], dict[str, Any]]


def record_date(action: Action) -> dt.date:
    """Return the day whose holders get what an action gives."""
    match action.kind:
        case ActionKind.SPLIT:
            return previous_trading_day(action.day)
        case ActionKind.MERGER:
            return action.day
        case ActionKind.BONUS | ActionKind.RIGHTS:
            return next_trading_day(action.day)
        case ActionKind.DIVIDEND:
            day = next_trading_day(action.day)
            last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
            return day if trading_days(day + dt.timedelta(days=1), last) else last


def _answering(kind: ActionKind, make: _Make, **known: str) -> Callable[[Board, Mapping[str, str]], Answer | Refusal]:
    """Return the answer of a call about actions of a kind."""

    def answer(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
        given = lowered(asked)
        refused = strange(given, cts="-", **known)
        start, end = read_day(given["f_dt"]), read_day(given["t_dt"])
        if refused is not None or start is None or end is None:
            return refused or Refusal("OPSQ2002")
        symbol = given["sht_cd"]
        if symbol and symbol not in board.world.column:
            return UNKNOWN_SYMBOL
        start = max(start, board.world.days[0])
        found = []
        for action in board.library.corporate_actions(start - _AROUND, _later(end), symbol):
            item = board.world.by_symbol[action.symbol]
            if action.kind is kind and start <= record_date(action) <= end and _is_asked(given, item, action):
                found.append((record_date(action), action.symbol, make(board, item, action)))
        return Answer({"output1": [row for _, _, row in sorted(found, key=lambda each: each[:2])]})

    return answer


def _later(day: dt.date) -> dt.date:
    return day + _AROUND if day < dt.date.max - _AROUND else day


def _is_asked(given: Mapping[str, str], item: Instrument, action: Action) -> bool:
    market = {"1": "KOSPI", "2": "KOSDAQ"}.get(given.get("market_gb", ""))
    if market is not None and item.market.value != market:
        return False
    wanted = given.get("gb1", "") if action.kind is ActionKind.DIVIDEND else ""
    return wanted not in ("1", "2") or _is_final(action) is (wanted == "1")


def _is_final(action: Action) -> bool:
    """Whether a dividend is that of a business year."""
    return record_date(action).month == _YEAR_END


def _named(item: Instrument, action: Action) -> dict[str, Any]:
    return {"record_date": record_date(action), "sht_cd": action.symbol, "isin_name": item.name}


def _stock(item: Instrument) -> str:
    return "우선" if item.kind is Kind.PREFERRED else "보통"


def _slashed(day: dt.date) -> str:
    return f"{day:%Y/%m/%d}"


def _issued(board: Board, action: Action) -> dict[str, str]:
    """Return shares there were before an issue and those that come, padded with blanks."""
    row = board.world.row.get(action.day, 0)
    before = board.world.instruments_on(max(row - 1, 0))[board.world.column[action.symbol]].shares_outstanding
    return {"tot_issue_stk_qty": f"{before:12d}", "issue_stk_qty": f"{round(before * action.ratio):12d}"}


def _split(board: Board, item: Instrument, action: Action) -> dict[str, Any]:
    ratio = Fraction(action.ratio).limit_denominator(1_000)
    return _named(item, action) | {
        "inter_bf_face_amt": f"{_FACE * ratio.numerator:09d}",
        "inter_af_face_amt": f"{_FACE * ratio.denominator:09d}",
        "list_dt": _slashed(action.day),
    }


def _bonus(board: Board, item: Instrument, action: Action) -> dict[str, Any]:
    return _named(item, action) | {
        "fix_rate": 100.0 * action.ratio,
        "right_dt": action.day,
        "odd_pay_dt": _slashed(action.arrival),
        "list_date": f"{action.arrival:%Y%m%d}",
        **_issued(board, action),
        "stk_kind": _stock(item),
    }


def _rights(board: Board, item: Instrument, action: Action) -> dict[str, Any]:
    return _named(item, action) | {
        **_issued(board, action),
        "fix_rate": 100.0 * action.ratio,
        "fix_price": f"{action.price:8d}",
        "right_dt": action.day,
        "list_date": _slashed(action.arrival),
        "stk_kind": _stock(item),
    }


def _merger(board: Board, item: Instrument, action: Action) -> dict[str, Any]:
    """The name that is taken over stands under its own code, the one that takes it over beside it (unverified)."""
    partner = board.world.by_symbol[action.partner]
    return {
        "record_date": record_date(action),
        "sht_cd": action.symbol,
        "opp_cust_cd": action.symbol[:5],
        "opp_cust_nm": item.name,
        "cust_cd": partner.symbol[:5],
        "cust_nm": partner.name,
        "merge_type": "흡수합병",
        "merge_rate": action.ratio,
        "list_dt": f"{action.arrival:%Y%m%d}",
        "odd_amt_pay_dt": _slashed(action.arrival),
        **_issued(board, action),
        "seq": "1",
    }


def _dividend(board: Board, item: Instrument, action: Action) -> dict[str, Any]:
    return _named(item, action) | {
        "divi_kind": "결산" if _is_final(action) else "중간",
        "face_val": f"{PAR:09d}",
        "per_sto_divi_amt": f"{action.price:012d}",
        "divi_rate": f"{100.0 * action.price / PAR:6.2f}",
        "stk_divi_rate": f"{0.0:6.2f}",
        "divi_pay_dt": _slashed(action.arrival),
        "stk_kind": _stock(item),
    }


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "ksdinfo-rev-split": _answering(ActionKind.SPLIT, _split, market_gb="- 0 1 2"),
    "ksdinfo-bonus-issue": _answering(ActionKind.BONUS, _bonus),
    "ksdinfo-paidin-capin": _answering(ActionKind.RIGHTS, _rights, gb1="2"),
    "ksdinfo-merger-split": _answering(ActionKind.MERGER, _merger),
    "ksdinfo-dividend": _answering(ActionKind.DIVIDEND, _dividend, gb1="0 1 2", high_gb="-"),
}
"""The function that answers each call of the depository; paid issues by day of subscription have none: the market
has no such days."""
