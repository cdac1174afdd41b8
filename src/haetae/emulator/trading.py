"""Answers of the trading calls: orders in, order rows, balance and buying power out.

Here: from the texts asked to rows of the reply, with the service's own codes for each refusal. Not
here: what happens to an order (``accounts``), the envelope (``core``).
Conventions of the rows are those of ``kis.wire.rows``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from haetae import ledger
from haetae.domain.orders import Rejected, Side
from haetae.domain.units import Instant, day_from, day_of, hhmmss_of
from haetae.emulator.accounts import KINDS, Account, OrderRow
from haetae.emulator.answers import Answer
from haetae.emulator.board import Board
from haetae.emulator.gate import Refusal
from haetae.kis.wire import codes
from haetae.kis.wire.operations import Mode, Operation
from haetae.krx.scalar import affordable
from haetae.sim import RejectCode

_REAL = {
    RejectCode.NO_CASH.value: Refusal("APBK0952", rt_cd="7"),
    RejectCode.NO_SHARES.value: Refusal("APBK0400", rt_cd="7"),
    RejectCode.OFF_TICK.value: Refusal("APBK0506", rt_cd="7"),
    RejectCode.BAD_LOT.value: Refusal("OPSQ2002"),
    RejectCode.UNKNOWN_SYMBOL.value: Refusal("APBK0656", rt_cd="7"),
    RejectCode.NO_BASE_PRICE.value: Refusal("APBK0656", rt_cd="7"),
    RejectCode.UNKNOWN_ORDER.value: Refusal("APBK1663", rt_cd="7"),
    RejectCode.NOT_OPEN.value: Refusal("APBK1664", rt_cd="7"),
    RejectCode.NOT_A_LIMIT.value: Refusal("APBK1943", rt_cd="7"),
    RejectCode.OUTSIDE_LIMITS.value: Refusal("APBK0506", "상/하한가 오류입니다.", rt_cd="7"),
    RejectCode.HALTED.value: Refusal("APBK0656", "거래정지 종목입니다.", rt_cd="7"),
}
_MOCK = {
    **_REAL,
    RejectCode.NO_CASH.value: Refusal("40250000"),
    RejectCode.NO_SHARES.value: Refusal("40240000"),
    RejectCode.OFF_TICK.value: Refusal("40030000"),
    RejectCode.OUTSIDE_LIMITS.value: Refusal("40270000"),
    RejectCode.UNKNOWN_SYMBOL.value: Refusal("40070000"),
    RejectCode.NO_BASE_PRICE.value: Refusal("40070000"),
    RejectCode.HALTED.value: Refusal("40070000"),
}
_TAKEN = {"order-cash-buy": "40600000", "order-cash-sell": "40610000", "1": "40620000", "2": "40630000"}
_KIND_NAMES = {
    "00": "지정가",
    "01": "시장가",
    "11": "IOC지정가",
    "12": "FOK지정가",
    "13": "IOC시장가",
    "14": "FOK시장가",
}


def _count(text: str) -> int | None:
    stripped = text.strip()
    whole, _, part = stripped.partition(".")
    return int(whole) if whole.isdigit() and not part.strip("0") else None


def _refused(board: Board, account: Account, event: Rejected) -> Refusal:
    if event.code == RejectCode.MARKET_CLOSED.value:
        return _closed(board, account.mode)
    return (_REAL if account.mode is Mode.REAL else _MOCK)[event.code]


def _closed(board: Board, mode: Mode) -> Refusal:
    day = day_of(board.now)
    if not board.trades(day):
        return Refusal("APBK0919" if mode is Mode.REAL else "40100000", rt_cd="7" if mode is Mode.REAL else "1")
    if mode is Mode.REAL:
        return Refusal("APBK0918", rt_cd="7")
    return Refusal("40570000" if board.now < board.session.rules.session.open_at else "40580000")


def _ack(account: Account, row: OrderRow, code: str) -> Answer:
    output = {"KRX_FWDG_ORD_ORGNO": row.branch, "ODNO": row.number, "ORD_TMD": hhmmss_of(row.at)}
    return Answer({"output": output}, code=codes.ORDER_TAKEN if account.mode is Mode.REAL else code)


def order_cash(
    operation: Operation, board: Board, account: Account, asked: Mapping[str, str], app_key: str, now: Instant
) -> Answer | Refusal:
    """Take a cash order."""
    quantity, price = _count(asked["ORD_QTY"]), _count(asked["ORD_UNPR"] or "0")
    kind = asked["ORD_DVSN"].strip() or "00"
    if quantity is None or price is None or quantity == 0:
        return Refusal("OPSQ2002")
    if kind not in KINDS:
        return Refusal("APBK1943", rt_cd="7")
    if (kind in {"00", "11", "12"}) != (price > 0):
        return Refusal("OPSQ2002", "ERROR INPUT FIELD ORD_UNPR")
    exchange = asked["EXCG_ID_DVSN_CD"].strip().upper()
    if exchange not in {"", "KRX"} and (account.mode is Mode.MOCK or exchange != "SOR"):
        return Refusal("OPSQ2001", "ERROR INVALID EXCG_ID_DVSN_CD")
    if not board.trades(day_of(now)):
        return _closed(board, account.mode)
    side = Side.BUY if operation.name == "order-cash-buy" else Side.SELL
    symbol = asked["PDNO"].strip()
    row = account.place(symbol=symbol, side=side, quantity=quantity, price=price, kind=kind, at=now, app_key=app_key)
    if isinstance(row, Rejected):
        return _refused(board, account, row)
    return _ack(account, row, _TAKEN[operation.name])


def order_change(
    operation: Operation, board: Board, account: Account, asked: Mapping[str, str], app_key: str, now: Instant
) -> Answer | Refusal:
    """Modify (01) or cancel (02) all that is open of an order of today."""
    number = _count(asked["ORGN_ODNO"])
    original = account.row_of(day_of(now), number) if number else None
    if original is None or original.branch.strip("0") != asked["KRX_FWDG_ORD_ORGNO"].strip().strip("0"):
        return Refusal("APBK1663", rt_cd="7")
    if not original.working:
        return Refusal("APBK1664", rt_cd="7")
    quantity = _count(asked["ORD_QTY"] or "0")
    whole = asked["QTY_ALL_ORD_YN"].strip().upper() == "Y" or quantity == original.remaining
    if not whole:
        return Refusal("APBK0400", "정정취소 가능수량과 다릅니다.", rt_cd="7")
    match asked["RVSE_CNCL_DVSN_CD"].strip():
        case "01":
            price = _count(asked["ORD_UNPR"] or "0")
            if not price:
                return Refusal("OPSQ2002", "ERROR INPUT FIELD ORD_UNPR")
            row = account.modify(original, price, now, app_key)
        case "02":
            row = account.cancel(original, now, app_key)
        case _:
            return Refusal("OPSQ2002", "ERROR INPUT FIELD RVSE_CNCL_DVSN_CD")
    return _refused(board, account, row) if isinstance(row, Rejected) else _ack(account, row, _TAKEN[row.change])


def _side_code(side: Side) -> str:
    return "01" if side is Side.SELL else "02"


def _side_name(row: OrderRow) -> str:
    word = "현금매도" if row.side is Side.SELL else "현금매수"
    return word + {"0": "", "1": "정정*", "2": "취소*"}[row.change]


def _order_row(board: Board, row: OrderRow) -> dict[str, Any]:
    return {
        "ord_dt": row.day,
        "ord_gno_brno": row.branch,
        "odno": row.number,
        "orgn_odno": row.original or "",
        "ord_dvsn_name": _KIND_NAMES[row.kind],
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
        "ccld_cndt_name": "IOC" if row.kind in {"11", "13"} else "FOK" if row.kind in {"12", "14"} else "없음",
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
    symbol, number = asked["PDNO"].strip(), _count(asked["ODNO"] or "0")
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
    return Answer({"output1": [_order_row(board, row) for row in shown], "output2": totals}, following)


def _page(rows: list[OrderRow], page: int, after: str) -> tuple[list[OrderRow], str]:
    """Cut one page that begins after the row a key names, so that new rows never shift a page."""
    first = 0
    if after:
        keys = [_key(row) for row in rows]
        first = keys.index(after) + 1 if after in keys else len(rows)
    shown = rows[first : first + page]
    return shown, _key(shown[-1]) if first + page < len(rows) else ""


def _key(row: OrderRow) -> str:
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
            "ord_dvsn_name": _KIND_NAMES[row.kind],
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
    symbols = sorted({*book.positions, *(line.symbol for line in dealt)})
    first = symbols.index(after.strip()) + 1 if after.strip() in symbols else 0
    shown = symbols[first : first + page]
    rows = []
    for symbol in shown:
        position = book.positions.get(symbol)
        quantity, cost = (position.quantity, position.cost) if position else (0, 0)
        last = board.sight(symbol).last
        value = quantity * last
        traded = [line for line in dealt if line.symbol == symbol]
        rows.append(
            {
                "pdno": symbol,
                "prdt_name": board.world.instruments[board.world.column[symbol]].name,
                "trad_dvsn_name": "현금",
                "thdt_buyqty": sum(line.quantity for line in traded if line.side is Side.BUY),
                "thdt_sll_qty": sum(line.quantity for line in traded if line.side is Side.SELL),
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
        item = board.instrument(symbol)
        if item is None:
            return Refusal("APBK0656", rt_cd="7")
        price = _count(asked["ORD_UNPR"] or "0") or 0
        if not price or kind in {"01", "13", "14"}:
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
