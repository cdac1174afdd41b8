"""Answers of the calls about companies: statements and the ratios made of them.

Here: seven calls from one list of periods. Only what had to be filed by now is shown, newest first; quarters carry
what flowed in their year so far, as the service's do. Amounts are in 100 million won; what the service has no figure
for it sends as 99.99, and so is it here. Not here: the figures (``statements``), when they are known (``library``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from haetae.domain.units import Won
from haetae.emulator.answers import UNKNOWN_SYMBOL, Answer, lowered, strange
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.interventions import ActionKind
from haetae.emulator.statements import Statement, year_to_date
from haetae.kis.wire.table.companies import AMOUNT_UNIT, UNKNOWN_AMOUNT

_QUARTERS_A_YEAR = 4
Made = dict[str, Any]
_Make = Callable[[Board, str, Statement, Statement | None], Made]
"""Values of one row: of a name's period, and of the same period a year before where it is known."""


def _amount(won: Won) -> float:
    return won / AMOUNT_UNIT


def _growth(now: Won, before: Won | None) -> float | None:
    """Growth in percent; none where there is nothing positive to grow from."""
    return 100.0 * (now - before) / before if before is not None and before > 0 else None


def _of(statement: Statement | None, name: str) -> Won | None:
    return None if statement is None else int(getattr(statement, name))


def _periods(board: Board, symbol: str, *, annual: bool) -> list[tuple[Statement, Statement | None]]:
    """Return the periods of a name that are filed, newest first, each with the one a year before."""
    filed = [one for one in board.library.statements(symbol) if one.annual is annual]
    known = {one.period: one for one in (filed if annual else year_to_date(filed))}
    return [(known[period], known.get(period - 100)) for period in sorted(known, reverse=True)]


def _answering(make: _Make) -> Callable[[Board, Mapping[str, str]], Answer | Refusal]:
    """Return the answer of a call whose rows a function makes."""

    def answer(board: Board, asked: Mapping[str, str]) -> Answer | Refusal:
        given = lowered(asked)
        refused = strange(given, fid_cond_mrkt_div_code="J", fid_div_cls_code="0 1")
        if refused is not None:
            return refused
        item = board.instrument(given["fid_input_iscd"])
        if item is None:
            return UNKNOWN_SYMBOL
        periods = _periods(board, item.symbol, annual=given["fid_div_cls_code"] == "0")
        rows = [{"stac_yymm": str(now.period), **make(board, item.symbol, now, before)} for now, before in periods]
        return Answer({"output": rows})

    return answer


def _balance_sheet(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "cras": _amount(now.current_assets),
        "fxas": _amount(now.assets - now.current_assets),
        "total_aset": _amount(now.assets),
        "flow_lblt": _amount(now.current_liabilities),
        "fix_lblt": _amount(now.liabilities - now.current_liabilities),
        "total_lblt": _amount(now.liabilities),
        "cpfn": _amount(now.capital),
        "cfp_surp": UNKNOWN_AMOUNT,
        "prfi_surp": UNKNOWN_AMOUNT,
        "total_cptl": _amount(now.equity),
    }


def _income(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "sale_account": _amount(now.sales),
        "sale_cost": _amount(now.sales - now.gross),
        "sale_totl_prfi": _amount(now.gross),
        "depr_cost": UNKNOWN_AMOUNT,
        "sell_mang": UNKNOWN_AMOUNT,
        "bsop_prti": _amount(now.operating),
        "bsop_non_ernn": UNKNOWN_AMOUNT,
        "bsop_non_expn": UNKNOWN_AMOUNT,
        "op_prfi": _amount(now.ordinary),
        "spec_prfi": 0.0,
        "spec_loss": 0.0,
        "thtr_ntin": _amount(now.net),
    }


def _ratio(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "grs": _growth(now.sales, _of(before, "sales")),
        "bsop_prfi_inrt": _growth(now.operating, _of(before, "operating")),
        "ntin_inrt": _growth(now.net, _of(before, "net")),
        "roe_val": now.roe_pct,
        "eps": now.net / now.shares,
        "sps": now.sales / now.shares,
        "bps": now.equity / now.shares,
        "rsrv_rate": 100.0 * (now.equity - now.capital) / now.capital,
        "lblt_rate": now.debt_pct,
    }


def _profit_ratio(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "cptl_ntin_rate": 100.0 * now.net / now.assets,
        "self_cptl_ntin_inrt": now.roe_pct,
        "sale_ntin_rate": 100.0 * now.net / now.sales,
        "sale_totl_rate": 100.0 * now.gross / now.sales,
    }


def _stability_ratio(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "lblt_rate": now.debt_pct,
        "bram_depn": 100.0 * now.borrowings / now.assets,
        "crnt_rate": 100.0 * now.current_assets / now.current_liabilities,
        "quck_rate": 100.0 * (now.current_assets - now.inventory) / now.current_liabilities,
    }


def _growth_ratio(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    return {
        "grs": _growth(now.sales, _of(before, "sales")),
        "bsop_prfi_inrt": _growth(now.operating, _of(before, "operating")),
        "equt_inrt": _growth(now.equity, _of(before, "equity")),
        "totl_aset_inrt": _growth(now.assets, _of(before, "assets")),
    }


def _other_ratio(board: Board, symbol: str, now: Statement, before: Statement | None) -> Made:
    """The value of the firm is that at the list's price: a filed figure does not move with the day's (unverified)."""
    item = board.world.by_symbol[symbol]
    worth = item.base_price * now.shares + now.borrowings
    part = 1.0 if now.annual else now.period % 100 / 3 / _QUARTERS_A_YEAR
    return {
        "payout_rate": _payout(board, symbol, now),
        "eva": UNKNOWN_AMOUNT,
        "ebitda": _amount(now.ebitda),
        "ev_ebitda": worth / (now.ebitda / part) if now.ebitda > 0 else UNKNOWN_AMOUNT,
    }


def _payout(board: Board, symbol: str, now: Statement) -> float:
    """Dividends of a business year against its profit; a year that the market does not cover is not known."""
    year = now.period // 100
    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    if not now.annual or now.net <= 0 or board.world.days[0].year >= year:
        return UNKNOWN_AMOUNT
    paid = [
        one.price for one in board.library.corporate_actions(first, last, symbol) if one.kind is ActionKind.DIVIDEND
    ]
    return 100.0 * sum(paid) * now.shares / now.net


ANSWERS: Mapping[str, Callable[[Board, Mapping[str, str]], Answer | Refusal]] = {
    "balance-sheet": _answering(_balance_sheet),
    "income-statement": _answering(_income),
    "financial-ratio": _answering(_ratio),
    "profit-ratio": _answering(_profit_ratio),
    "stability-ratio": _answering(_stability_ratio),
    "growth-ratio": _answering(_growth_ratio),
    "other-major-ratios": _answering(_other_ratio),
}
"""The function that answers each call about companies."""
