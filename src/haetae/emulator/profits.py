"""Answers about what an account earned: profit by trade and by day, holdings with realized profit, assets.

Here: folds over the append-only ledger, so every sum equals the books to the won; realized profit is after fees and
taxes, with the fees of the purchase in the cost. Not here: orders and holdings of the moment (``trading``).
Served on the real domain only, as the workbook of 2026-06 says. Whether the service takes the fee of the purchase
into the cost, and which shares ``hldg_qty`` counts, is unverified.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from haetae.domain.account import Position
from haetae.domain.orders import Side
from haetae.domain.units import Shares, Won, day_from
from haetae.emulator.accounts import Account, Execution
from haetae.emulator.answers import Answer, Row
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.trading import balance
from haetae.kis.wire import codes

_ASSET_CLASSES = 20
"""Rows of the asset list; the first are domestic shares, the others are kinds of assets nobody holds here."""


@dataclass(frozen=True, slots=True)
class Dealt:
    """What was dealt in some executions: shares and won."""

    bought: Shares
    bought_for: Won
    buy_fee: Won
    sold: Shares
    sold_for: Won
    sell_fee: Won
    tax: Won
    realized: Won

    @classmethod
    def of(cls, lines: Iterable[Execution]) -> Dealt:
        """Return the sum of ledger lines."""
        known = list(lines)
        buys = [line for line in known if line.side is Side.BUY]
        sales = [line for line in known if line.side is Side.SELL]
        return cls(
            sum(line.quantity for line in buys),
            sum(line.quantity * line.price for line in buys),
            sum(line.fee for line in buys),
            sum(line.quantity for line in sales),
            sum(line.quantity * line.price for line in sales),
            sum(line.fee for line in sales),
            sum(line.tax for line in sales),
            sum(line.realized for line in sales),
        )

    @property
    def cost(self) -> Won:
        """What the sold shares had cost, fees of the purchase included."""
        return self.sold_for - self.sell_fee - self.tax - self.realized

    @property
    def rate(self) -> float:
        """Realized profit in percent of the cost."""
        return 100.0 * self.realized / self.cost if self.cost else 0.0


def _asked(account: Account, asked: Mapping[str, str]) -> list[Execution] | None:
    """Return the executions of the range and symbol asked for, none where the range is no range of days."""
    try:
        start, end = day_from(asked["INQR_STRT_DT"].strip()), day_from(asked["INQR_END_DT"].strip())
    except ValueError:
        return None
    symbol = asked["PDNO"].strip()
    return [line for line in account.executions if start <= line.day <= end and symbol in {"", line.symbol}]


def _totals(lines: list[Execution], bought: str) -> dict[str, Any]:
    """Totals of a range; the two calls name the shares bought differently (``bought``)."""
    dealt = Dealt.of(lines)
    paid, got = dealt.bought_for + dealt.buy_fee, dealt.sold_for - dealt.sell_fee - dealt.tax
    return {
        "sll_qty_smtl": dealt.sold,
        "sll_tr_amt_smtl": dealt.sold_for,
        "sll_fee_smtl": dealt.sell_fee,
        "sll_tltx_smtl": dealt.tax,
        "sll_excc_amt_smtl": got,
        bought: dealt.bought,
        "buy_tr_amt_smtl": dealt.bought_for,
        "buy_fee_smtl": dealt.buy_fee,
        "buy_excc_amt_smtl": paid,
        "tot_qty": dealt.bought + dealt.sold,
        "tot_tr_amt": dealt.bought_for + dealt.sold_for,
        "tot_fee": dealt.buy_fee + dealt.sell_fee,
        "tot_tltx": dealt.tax,
        "tot_excc_amt": paid + got,
        "tot_rlzt_pfls": dealt.realized,
    }


def _page(rows: Sequence[tuple[str, Row]], page: int, after: str) -> tuple[list[Row], str]:
    """Cut one page that begins after the row a key names."""
    keys = [key for key, _ in rows]
    first = keys.index(after) + 1 if after in keys else len(rows) if after else 0
    last = first + page
    return [row for _, row in rows[first:last]], keys[last - 1] if last < len(rows) else ""


def trade_profits(board: Board, account: Account, asked: Mapping[str, str], page: int, after: str) -> Answer | Refusal:
    """One row per day and symbol that was dealt in, newest day first unless asked otherwise."""
    lines = _asked(account, asked)
    if lines is None:
        return Refusal("OPSQ2002")
    ordered = sorted(lines, key=lambda line: (line.day, line.symbol))
    rows: list[tuple[str, Row]] = []
    for (day, symbol), group in itertools.groupby(ordered, key=lambda line: (line.day, line.symbol)):
        known = list(group)
        dealt = Dealt.of(known)
        row = {
            "trad_dt": day,
            "pdno": symbol,
            "prdt_name": _name(board, symbol),
            "trad_dvsn_name": "현금",
            "hldg_qty": known[-1].held,
            "pchs_unpr": dealt.cost // dealt.sold if dealt.sold else dealt.bought_for // dealt.bought,
            "buy_qty": dealt.bought,
            "buy_amt": dealt.bought_for,
            "sll_pric": dealt.sold_for // dealt.sold if dealt.sold else 0,
            "sll_qty": dealt.sold,
            "sll_amt": dealt.sold_for,
            "rlzt_pfls": dealt.realized,
            "pfls_rt": f"{dealt.rate:.8f}",
            "fee": dealt.buy_fee + dealt.sell_fee,
            "tl_tax": dealt.tax,
        }
        rows.append((f"{day:%Y%m%d}^{symbol}", row))
    if asked["SORT_DVSN"].strip() != "01":
        rows.sort(key=lambda row: row[0][:8], reverse=True)
    shown, following = _page(rows, page, after)
    totals = _totals(lines, "buyqty_smtl") | {"tot_pftrt": f"{Dealt.of(lines).rate:.8f}"}
    return Answer({"output1": shown, "output2": totals}, following)


def day_profits(_board: Board, account: Account, asked: Mapping[str, str], page: int, after: str) -> Answer | Refusal:
    """One row per day that was dealt on, newest first unless asked otherwise."""
    lines = _asked(account, asked)
    if lines is None:
        return Refusal("OPSQ2002")
    days: dict[dt.date, list[Execution]] = {}
    for line in lines:
        days.setdefault(line.day, []).append(line)
    rows = [(f"{day:%Y%m%d}", _day_row(day, Dealt.of(known))) for day, known in sorted(days.items())]
    if asked["SORT_DVSN"].strip() != "01":
        rows.reverse()
    shown, following = _page(rows, page, after)
    return Answer({"output1": shown, "output2": _totals(lines, "buy_qty_smtl")}, following)


def _day_row(day: dt.date, dealt: Dealt) -> Row:
    return {
        "trad_dt": day,
        "buy_amt": dealt.bought_for,
        "sll_amt": dealt.sold_for,
        "rlzt_pfls": dealt.realized,
        "fee": dealt.buy_fee + dealt.sell_fee,
        "tl_tax": dealt.tax,
        "pfls_rt": f"{dealt.rate:.8f}",
        "sll_qty1": dealt.sold,
        "buy_qty1": dealt.bought,
    }


def holdings_with_profit(
    board: Board, account: Account, asked: Mapping[str, str], page: int, after: str
) -> Answer | Refusal:
    """Holdings and totals of the account, with what was realized today."""
    told = balance(board, account, asked, page, after)
    if isinstance(told, Refusal):
        return told
    totals = dict(cast("Sequence[Row]", told.outputs["output2"])[0])
    dealt = Dealt.of(line for line in account.executions if line.day == board.session.day)
    open_profit = totals["evlu_pfls_smtl_amt"]
    cost = totals["pchs_amt_smtl_amt"]
    totals |= {
        "rlzt_pfls": dealt.realized,
        "rlzt_erng_rt": f"{dealt.rate:.8f}",
        "real_evlu_pfls": open_profit,
        "real_evlu_pfls_erng_rt": f"{100.0 * open_profit / cost if cost else 0.0:.8f}",
    }
    return Answer({"output1": told.outputs["output1"], "output2": [totals]}, told.next_key)


def sellable(board: Board, account: Account, asked: Mapping[str, str], _page: int, _after: str) -> Answer | Refusal:
    """How many shares of a holding may be sold now."""
    symbol = asked["PDNO"].strip()
    position = account.book.positions.get(symbol)
    if position is None:
        return Refusal(codes.QUERY_EMPTY, rt_cd="7")
    dealt = Dealt.of(line for line in account.executions if line.symbol == symbol and line.day == board.session.day)
    last = board.sight(symbol).last
    profit = position.quantity * last - position.cost
    row = {
        "pdno": symbol,
        "prdt_name": _name(board, symbol),
        "buy_qty": position.quantity + dealt.sold,
        "sll_qty": dealt.sold,
        "cblc_qty": position.quantity,
        "ord_psbl_qty": account.venue.orderable_shares(symbol),
        "pchs_avg_pric": f"{position.cost / position.quantity:.4f}",
        "pchs_amt": position.cost,
        "now_pric": last,
        "evlu_amt": position.quantity * last,
        "evlu_pfls_amt": profit,
        "evlu_pfls_rt": 100.0 * profit / position.cost if position.cost else 0.0,
    }
    return Answer({"output": row})


def assets(board: Board, account: Account, _asked: Mapping[str, str], _page: int, _after: str) -> Answer | Refusal:
    """What the account is worth by kind of asset."""
    positions = account.book.positions.values()
    value, cost = _worth(board, positions), sum(item.cost for item in positions)
    whole = account.book.cash + value
    shares: Row = {
        "pchs_amt": cost,
        "evlu_amt": value,
        "evlu_pfls_amt": value - cost,
        "real_nass_amt": value,
        "whol_weit_rt": f"{100.0 * value / whole if whole else 0.0:.8f}",
    }
    totals = {
        "pchs_amt_smtl": cost,
        "nass_tot_amt": whole,
        "evlu_pfls_amt_smtl": value - cost,
        "evlu_amt_smtl": value,
        "tot_asst_amt": whole,
        "tot_dncl_amt": account.book.cash,
        "dncl_amt": account.book.cash,
    }
    return Answer({"output1": [shares, *[{}] * (_ASSET_CLASSES - 1)], "output2": totals})


def _worth(board: Board, positions: Iterable[Position]) -> Won:
    return sum(item.quantity * board.sight(item.symbol).last for item in positions)


def _name(board: Board, symbol: str) -> str:
    return board.world.instruments[board.world.column[symbol]].name


QUERIES: Mapping[str, Callable[[Board, Account, Mapping[str, str], int, str], Answer | Refusal]] = {
    "inquire-period-trade-profit": trade_profits,
    "inquire-period-profit": day_profits,
    "inquire-balance-rlz-pl": holdings_with_profit,
    "inquire-psbl-sell": sellable,
    "inquire-account-balance": assets,
}
"""The function that answers each call, by the name of its operation."""
