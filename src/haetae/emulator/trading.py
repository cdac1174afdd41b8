"""Answers of the trading calls: order rows, balance and buying power out; orders in (``ordering``).

Here: rows of the replies, and which function answers which call. Not here: what happens to an order
(``accounts``), the envelope (``core``). Conventions of the rows are those of ``kis.wire.rows``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from haetae import ledger
from haetae.domain.orders import Side, TimeInForce
from haetae.domain.units import Instant, day_from, hhmmss_of
from haetae.emulator.accounts import Account, OrderRow
from haetae.emulator.answers import Answer
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.emulator.ordering import count_of, order_cash, order_change, price_of
from haetae.emulator.orderkinds import ORDER_TYPES, Pricing
from haetae.kis.wire.operations import Operation
from haetae.kis.wire.rows import ORDER
from haetae.krx.scalar import affordable

_FORCES = {TimeInForce.DAY: "없음", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


def _side_code(side: Side) -> str:
    return "01" if side is Side.SELL else "02"


def _side_name(row: OrderRow) -> str:
    word = "현금매도" if row.side is Side.SELL else "현금매수"
    return word + {"0": "", "1": "정정*", "2": "취소*"}[row.change]


def _order_text(board: Board, row: OrderRow) -> str:
    """Return a row of the day's list as its JSON text; most rows of a list have not changed since it was asked for."""
    state = row.state
    if row.shown[0] != state:
        row.shown = state, ORDER.json(_order_row(board, row))
    return row.shown[1]


def _order_row(board: Board, row: OrderRow) -> dict[str, Any]:
    return {
        "ord_dt": row.day,
        "ord_gno_brno": row.branch,
        "odno": row.number,
        "orgn_odno": row.original or "",
        "ord_dvsn_name": ORDER_TYPES[row.kind].name,
        "sll_buy_dvsn_cd": _side_code(row.side),
        "sll_buy_dvsn_cd_name": _side_name(row),
        "pdno": row.symbol,
        "prdt_name": board.world.instruments[board.world.column[row.symbol]].name,
        "ord_qty": row.quantity,
        "ord_unpr": row.price,
        "ord_tmd": hhmmss_of(row.at),
        "tot_ccld_qty": row.filled,
        "avg_prvs": f"{row.amount / row.filled:.4f}" if row.filled else "0",
        "cncl_yn": row.canceled > 0,
        "tot_ccld_amt": row.amount,
        "ord_dvsn_cd": row.kind,
        "cnc_cfrm_qty": row.canceled,
        "rmn_qty": row.remaining,
        "rjct_qty": row.rejected,
        "ccld_cndt_name": _FORCES[ORDER_TYPES[row.kind].force],
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "02",
        "ord_orgno": row.branch,
        "excg_id_dvsn_Cd": "KRX",
    }


def daily_orders(board: Board, account: Account, asked: Mapping[str, str], page: int, after: str) -> Answer | Refusal:
    """Orders of a range of days with cumulative executions, newest first unless asked otherwise."""
    try:
        start, end = day_from(asked["INQR_STRT_DT"].strip()), day_from(asked["INQR_END_DT"].strip())
    except ValueError:
        return Refusal("OPSQ2002")
    side, wanted = asked["SLL_BUY_DVSN_CD"].strip(), asked["CCLD_DVSN"].strip()
    symbol, number = asked["PDNO"].strip(), count_of(asked["ODNO"] or "0")
    rows = [
        row
        for row in account.rows
        if start <= row.day <= end
        and side in {"", "00", _side_code(row.side)}
        and symbol in {"", row.symbol}
        and number in {0, None, row.number}
        and (wanted not in {"01", "02"} or (row.filled > 0 if wanted == "01" else row.remaining > 0))
    ]
    totals = {
        "tot_ord_qty": sum(row.quantity for row in rows),
        "tot_ccld_qty": sum(row.filled for row in rows),
        "tot_ccld_amt": sum(row.amount for row in rows),
        "prsm_tlex_smtl": sum(row.charges for row in account.rows if start <= row.day <= end),
        "pchs_avg_pric": "0.0000",
    }
    if asked["INQR_DVSN"].strip() != "01":
        rows.reverse()
    shown, following = _page(rows, page, after)
    return Answer({"output1": [_order_text(board, row) for row in shown], "output2": totals}, following)


def _page(rows: list[OrderRow], page: int, after: str) -> tuple[list[OrderRow], str]:
    """Cut one page that begins after the row a key names, so that new rows never shift a page."""
    first = 0
    if after:
        first = next((place for place, row in enumerate(rows, 1) if page_key(row) == after), len(rows))
    shown = rows[first : first + page]
    return shown, page_key(shown[-1]) if first + page < len(rows) else ""


def page_key(row: OrderRow) -> str:
    """Return the key that a page of orders ends with, and the next one begins after."""
    return f"{row.day:%Y%m%d}{row.number:010d}"


def open_orders(board: Board, account: Account, asked: Mapping[str, str], page: int, after: str) -> Answer | Refusal:
    """Orders of today that can be modified or cancelled."""
    side = asked["INQR_DVSN_2"].strip()
    rows = [
        row for row in account.rows if row.remaining > 0 and side in {"", "0", "1" if row.side is Side.SELL else "2"}
    ]
    shown, following = _page(rows, page, after)
    output = [
        {
            "ord_gno_brno": row.branch,
            "odno": row.number,
            "orgn_odno": row.original or "",
            "ord_dvsn_name": ORDER_TYPES[row.kind].name,
            "pdno": row.symbol,
            "prdt_name": board.world.instruments[board.world.column[row.symbol]].name,
            "rvse_cncl_dvsn_name": _side_name(row),
            "ord_qty": row.quantity,
            "ord_unpr": row.price,
            "ord_tmd": hhmmss_of(row.at),
            "tot_ccld_qty": row.filled,
            "tot_ccld_amt": row.amount,
            "psbl_qty": row.remaining,
            "sll_buy_dvsn_cd": _side_code(row.side),
            "ord_dvsn_cd": row.kind,
            "excg_dvsn_cd": "02",
            "excg_id_dvsn_cd": "KRX",
        }
        for row in shown
    ]
    return Answer({"output": output}, following)


def balance(board: Board, account: Account, _asked: Mapping[str, str], page: int, after: str) -> Answer | Refusal:
    """Holdings (those sold out today with quantity 0) and the account's totals."""
    book, today = account.book, board.session.day
    dealt = [line for line in account.executions if line.day == today]
    bought, sold = Counter[str](), Counter[str]()
    for line in dealt:
        (bought if line.side is Side.BUY else sold)[line.symbol] += line.quantity
    symbols = sorted({*book.positions, *(line.symbol for line in dealt)})
    first = symbols.index(after.strip()) + 1 if after.strip() in symbols else 0
    shown = symbols[first : first + page]
    rows = []
    for symbol in shown:
        position = book.positions.get(symbol)
        quantity, cost = (position.quantity, position.cost) if position else (0, 0)
        last = board.sight(symbol).last
        value = quantity * last
        rows.append(
            {
                "pdno": symbol,
                "prdt_name": board.world.instruments[board.world.column[symbol]].name,
                "trad_dvsn_name": "현금",
                "thdt_buyqty": bought[symbol],
                "thdt_sll_qty": sold[symbol],
                "hldg_qty": quantity,
                "ord_psbl_qty": account.venue.orderable_shares(symbol),
                "pchs_avg_pric": f"{cost / quantity:.4f}" if quantity else "0.0000",
                "pchs_amt": cost,
                "prpr": last,
                "evlu_amt": value,
                "evlu_pfls_amt": value - cost,
                "evlu_pfls_rt": 100.0 * (value - cost) / cost if cost else 0.0,
                "fltt_rt": f"{board.sight(symbol).change_rate:.8f}",
            }
        )
    following = shown[-1] if first + page < len(symbols) else ""
    return Answer({"output1": rows, "output2": [_totals(board, account)]}, following)


def _totals(board: Board, account: Account) -> dict[str, Any]:
    book, today = account.book, board.session.day
    dealt = [line for line in account.executions if line.day == today]
    value = sum(item.quantity * board.sight(symbol).last for symbol, item in book.positions.items())
    cost = sum(item.cost for item in book.positions.values())
    bought = sum(line.quantity * line.price for line in dealt if line.side is Side.BUY)
    sold = sum(line.quantity * line.price for line in dealt if line.side is Side.SELL)
    dues = sorted(item.day for item in book.unsettled)
    tomorrow = sum(item.amount for item in book.unsettled if len(dues) > 1 and item.day == dues[0])
    settled = ledger.settled_cash(book)
    return {
        "dnca_tot_amt": settled,
        "nxdy_excc_amt": settled + tomorrow,
        "prvs_rcdl_excc_amt": book.cash,
        "thdt_buy_amt": bought,
        "thdt_sll_amt": sold,
        "thdt_tlex_amt": sum(line.fee + line.tax for line in dealt),
        "scts_evlu_amt": value,
        "tot_evlu_amt": book.cash + value,
        "nass_amt": book.cash + value,
        "pchs_amt_smtl_amt": cost,
        "evlu_amt_smtl_amt": value,
        "evlu_pfls_smtl_amt": value - cost,
    }


def buying_power(board: Board, account: Account, asked: Mapping[str, str], _page: int, _after: str) -> Answer | Refusal:
    """Cash that may be ordered, and how many shares it buys at the price asked (market: upper limit)."""
    symbol, kind = asked["PDNO"].strip(), asked["ORD_DVSN"].strip() or "00"
    cash = max(0, account.venue.orderable_cash)
    price = quantity = 0
    if symbol:
        item, known = board.instrument(symbol), ORDER_TYPES.get(kind)
        if item is None:
            return Refusal("APBK0656", rt_cd="7")
        price = count_of(asked["ORD_UNPR"] or "0") or 0
        if known is not None and not known.pricing.priced and known.pricing is not Pricing.MARKET:
            found = price_of(board, symbol, Side.BUY, known, price)
            price = found if isinstance(found, int) else 0
        if not price or (known is not None and known.pricing is Pricing.MARKET):
            price = board.sight(symbol).upper
        quantity = int(affordable(cash, price, account.venue.rules.fee_ppb, item.lot))
    output = {
        "ord_psbl_cash": cash,
        "psbl_qty_calc_unpr": price,
        "nrcvb_buy_amt": cash,
        "nrcvb_buy_qty": quantity,
        "max_buy_amt": cash,
        "max_buy_qty": quantity,
    }
    return Answer({"output": output})


ORDERS: Mapping[str, Callable[[Operation, Board, Account, Mapping[str, str], str, Instant], Answer | Refusal]] = {
    "order-cash-buy": order_cash,
    "order-cash-sell": order_cash,
    "order-rvsecncl": order_change,
}
"""Calls that change an account."""

QUERIES: Mapping[str, Callable[[Board, Account, Mapping[str, str], int, str], Answer | Refusal]] = {
    "inquire-daily-ccld": daily_orders,
    "inquire-daily-ccld-past": daily_orders,
    "inquire-psbl-rvsecncl": open_orders,
    "inquire-balance": balance,
    "inquire-psbl-order": buying_power,
}
"""Calls that read an account."""
