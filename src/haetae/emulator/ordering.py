"""Orders in, acknowledgements out: which order the market takes now, and the service's code for each refusal.

Here: cash orders and their changes, from the texts asked. Not here: what happens to an order (``accounts``), the
order types (``orderkinds``), calls that read an account (``trading``). Codes and texts that no source gives (an
order type in an auction, a breaker, a name without aftermarket) are unverified.
"""

from __future__ import annotations

from collections.abc import Mapping

from haetae.domain.orders import Rejected, Side
from haetae.domain.units import Instant, Won, day_of, hhmmss_of
from haetae.emulator.accounts import Account, OrderRow
from haetae.emulator.answers import Answer
from haetae.emulator.board import Board, Standing
from haetae.emulator.gate import Refusal
from haetae.emulator.orderkinds import ORDER_TYPES, OrderType, is_taken
from haetae.kis.wire import codes
from haetae.kis.wire.operations import Mode, Operation
from haetae.krx.afterhours import AFTERMARKET_FROM, OffHours
from haetae.sim import Pricing, RejectCode, entry_price

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
    RejectCode.NOT_IN_AUCTION.value: Refusal(
        "APBK1943", "단일가 매매 시간에 사용할 수 없는 호가유형입니다.", rt_cd="7"
    ),
    RejectCode.AT_THE_LIMIT.value: Refusal(
        "APBK1943", "조건부지정가는 상한가 매수, 하한가 매도를 할 수 없습니다.", rt_cd="7"
    ),
    RejectCode.TOO_MANY.value: Refusal("APBK0400", "정정취소 가능수량을 초과했습니다.", rt_cd="7"),
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
_AFTER_ONLY = "[애프터마켓] 지정가 및 최유리/최우선지정가 주문만 가능합니다."
_CHANGEABLE = frozenset({"00", "01", "02"})
"""Types an open order of the regular session may be changed to."""


def count_of(text: str) -> int | None:
    """Return a whole number of a text; none where it is not one."""
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
    quantity, price = count_of(asked["ORD_QTY"]), count_of(asked["ORD_UNPR"] or "0")
    trigger = count_of(asked.get("CNDT_PRIC", "") or "0")
    kind = ORDER_TYPES.get(asked["ORD_DVSN"].strip() or "00")
    if quantity is None or price is None or trigger is None or quantity == 0:
        return Refusal("OPSQ2002")
    if kind is None or (account.mode is Mode.MOCK and not kind.on_mock) or board.session.day < kind.first_day:
        return _not_served(asked["ORD_DVSN"].strip(), board)
    if kind.pricing.priced != (price > 0):
        return Refusal("OPSQ2002", "ERROR INPUT FIELD ORD_UNPR")
    if (kind.pricing is Pricing.STOP) != (trigger > 0):
        return Refusal("OPSQ2002", "ERROR INPUT FIELD CNDT_PRIC")
    exchange = asked["EXCG_ID_DVSN_CD"].strip().upper()
    if exchange not in {"", "KRX"} and (account.mode is Mode.MOCK or exchange != "SOR"):
        return Refusal("OPSQ2001", "ERROR INVALID EXCG_ID_DVSN_CD")
    if not board.trades(day_of(now)):
        return _closed(board, account.mode)
    side = Side.BUY if operation.name == "order-cash-buy" else Side.SELL
    symbol = asked["PDNO"].strip()
    found = _admit(board, account, symbol, side, kind, price)
    if isinstance(found, Refusal):
        return found
    row = account.place(
        symbol=symbol, side=side, quantity=quantity, price=found, kind=kind.code, at=now, app_key=app_key,
        trigger=trigger,
    )  # fmt: skip
    if isinstance(row, Rejected):
        return _refused(board, account, row)
    return _ack(account, row, _TAKEN[operation.name])


def _not_served(code: str, board: Board) -> Refusal:
    """Say which order types there are not, and why."""
    if code == "07":
        gone = board.session.day >= AFTERMARKET_FROM
        text = "시간외 단일가 매매는 2026-09-14 폐지되었습니다." if gone else "시간외 단일가는 제공하지 않습니다."
        return Refusal("APBK0918", f"{text}(주문불가)", rt_cd="7")
    return Refusal("APBK1943", "" if code == "01" else "주문구분을 사용할 수 없습니다.(호가유형 불가)", rt_cd="7")


def _admit(board: Board, account: Account, symbol: str, side: Side, kind: OrderType, price: Won) -> Won | Refusal:
    """Return the price an order goes out with, or why the market takes no such order now."""
    item = board.instrument(symbol)
    if item is None:
        return (_REAL if account.mode is Mode.REAL else _MOCK)[RejectCode.UNKNOWN_SYMBOL.value]
    account.see_halt(symbol, board.now, halted=board.halted(symbol))
    standing = board.phase_of(symbol)
    if standing is Standing.HALTED:
        return price or board.sight(symbol).last
    window = board.session.window_at(board.now)
    if kind.hours is not None and (window is None or window.hours is not kind.hours):
        return Refusal("APBK0918", rt_cd="7")
    if kind.hours is not None and window is not None and item.kind in window.without:
        return Refusal("APBK0918", "거래대상 종목이 아닙니다.(주문불가)", rt_cd="7")
    if kind.hours is None and window is not None and window.hours is OffHours.AFTERMARKET:
        if account.mode is Mode.REAL:
            return Refusal("APBK3013", _AFTER_ONLY, rt_cd="7")
        return _closed(board, account.mode)
    if standing is Standing.CLOSED and kind.hours is None:
        return _closed(board, account.mode)
    if standing is Standing.BREAKER:
        return Refusal("APBK0918", "서킷브레이커 발동 중입니다.(주문불가)", rt_cd="7")
    if not is_taken(kind, standing):
        return _REAL[RejectCode.NOT_IN_AUCTION.value]
    return price_of(board, symbol, side, kind, price)


def price_of(board: Board, symbol: str, side: Side, kind: OrderType, price: Won) -> Won | Refusal:
    """Return the price an order goes out with, by its type and what stands in the book."""
    sight, evening = board.sight(symbol), kind.hours is OffHours.AFTERMARKET
    ask, bid, _ = board.evening_top(symbol) if evening else board.top(symbol)
    close = sight.base if kind.hours is OffHours.BEFORE_OPEN else sight.last
    found = entry_price(kind.pricing, side, price, ask=ask, bid=bid, close=close)
    if not found and kind.pricing is not Pricing.MARKET:
        return Refusal("APBK1943", "해당 호가가 없습니다.", rt_cd="7")
    return found


def order_change(
    operation: Operation, board: Board, account: Account, asked: Mapping[str, str], app_key: str, now: Instant
) -> Answer | Refusal:
    """Modify (01) or cancel (02) what is open of an order of today, all of it or a part."""
    number = count_of(asked["ORGN_ODNO"])
    original = account.row_of(day_of(now), number) if number else None
    if original is None or original.branch.strip("0") != asked["KRX_FWDG_ORD_ORGNO"].strip().strip("0"):
        return Refusal("APBK1663", rt_cd="7")
    if not original.working:
        return Refusal("APBK1664", rt_cd="7")
    quantity = count_of(asked["ORD_QTY"] or "0")
    whole = asked["QTY_ALL_ORD_YN"].strip().upper() == "Y" or quantity == original.remaining
    if quantity is None or (not whole and not 0 < quantity <= original.remaining):
        return Refusal("APBK0400", "정정취소 가능수량을 초과했습니다.", rt_cd="7")
    part = 0 if whole else quantity
    if asked["RVSE_CNCL_DVSN_CD"].strip() not in {"01", "02"}:
        return Refusal("OPSQ2002", "ERROR INPUT FIELD RVSE_CNCL_DVSN_CD")
    if asked["RVSE_CNCL_DVSN_CD"].strip() == "02":
        breaker = board.breaker(account.venue.instruments[original.symbol].market)
        if breaker is not None and breaker.until == 0:
            return Refusal("APBK0918", "서킷브레이커로 매매가 종료되었습니다.(주문불가)", rt_cd="7")
        row = account.cancel(original, now, app_key, quantity=part)
    else:
        found = _modified(board, account, original, asked)
        if isinstance(found, Refusal):
            return found
        kind, price = found
        row = account.modify(original, price, now, app_key, quantity=part, kind=kind)
    return _refused(board, account, row) if isinstance(row, Rejected) else _ack(account, row, _TAKEN[row.change])


def _modified(
    board: Board, account: Account, original: OrderRow, asked: Mapping[str, str]
) -> tuple[str, Won] | Refusal:
    """Return type and price an order is to have, or why it cannot."""
    price, code = count_of(asked["ORD_UNPR"] or "0"), asked["ORD_DVSN"].strip()
    held = ORDER_TYPES[original.kind]
    kind = ORDER_TYPES[code] if held.hours is None and code in _CHANGEABLE else held
    if held.pricing is Pricing.CLOSE:
        return Refusal("APBK1943", "정정할 수 없는 호가유형입니다.", rt_cd="7")
    if held.pricing is Pricing.MARKET and kind is held:
        kind = ORDER_TYPES["00"]
    if kind.pricing is Pricing.MARKET:
        price = 0
    elif not price:
        return Refusal("OPSQ2002", "ERROR INPUT FIELD ORD_UNPR")
    account.see_halt(original.symbol, board.now, halted=board.halted(original.symbol))
    standing = board.phase_of(original.symbol)
    if standing is Standing.BREAKER:
        return Refusal("APBK0918", "서킷브레이커 발동 중입니다.(주문불가)", rt_cd="7")
    if standing is not Standing.HALTED and kind.hours is None and not is_taken(kind, standing):
        closed = standing is Standing.CLOSED
        return _closed(board, account.mode) if closed else Refusal("APBK1943", "호가유형 불가", rt_cd="7")
    return kind.code, price or 0
