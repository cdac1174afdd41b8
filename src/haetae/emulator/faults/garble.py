"""Wrong quotes: books without a side, crossed books, prices that cannot be.

Here: one row of a frame or of a reply in, the garbled one out. Not here: when (``armed``) and where (``streams``,
``told``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haetae.emulator.board import LEVELS, Board
from haetae.kis.wire.frames import BOOKS, TRADES

_PRICE, _TRADE_ASK, _TRADE_BID = 2, 10, 11
_ASKS, _BIDS, _ASK_SIZES, _BID_SIZES = 3, 13, 23, 33
_ASK_NAMES = (*(f"askp{level}" for level in range(1, LEVELS + 1)), "inter2_askp", "askp")
_BID_NAMES = (*(f"bidp{level}" for level in range(1, LEVELS + 1)), "inter2_bidp", "bidp")
_PRICE_NAMES = ("stck_prpr", "inter2_prpr", "antc_cnpr")
_PAIRS = tuple(zip(_ASK_NAMES, _BID_NAMES, strict=True))


def book_row(how: str, tr_id: str, row: list[str]) -> list[str]:
    """Return a trade or book record whose asks or bids are gone, or change places."""
    row = list(row)
    if tr_id == TRADES.real:
        asks, bids, sizes = [_TRADE_ASK], [_TRADE_BID], [36, 37]
    elif tr_id == BOOKS.real:
        asks, bids = list(range(_ASKS, _ASKS + LEVELS)), list(range(_BIDS, _BIDS + LEVELS))
        sizes = [*range(_ASK_SIZES, _ASK_SIZES + LEVELS), *range(_BID_SIZES, _BID_SIZES + LEVELS)]
    else:
        return row
    half = len(sizes) // 2
    match how:
        case "zero_ask":
            gone = [*asks, *sizes[:half]]
        case "zero_bid":
            gone = [*bids, *sizes[half:]]
        case _:
            for ask, bid in zip(asks, bids, strict=True):
                row[ask], row[bid] = row[bid], row[ask]
            return row
    for place in gone:
        row[place] = "0"
    return row


def book_fields(how: str, row: dict[str, str]) -> None:
    """Do the same to a row of a REST reply."""
    for ask, bid in _PAIRS:
        if ask not in row:
            continue
        match how:
            case "zero_ask":
                row[ask] = "0"
            case "zero_bid":
                row[bid] = "0"
            case _:
                row[ask], row[bid] = row[bid], row[ask]


def wrong_price(what: Mapping[str, Any], price: int, symbol: str, board: Board) -> int:
    """Return what is told in place of a price."""
    match what["how"]:
        case "zero":
            return 0
        case "negative":
            return -price
        case "times":
            return price * int(what["factor"])
    others = [other for other in board.world.symbols if other != symbol and board.instrument(other) is not None]
    return board.sight(what["symbol"] or others[0]).last


def price_row(what: Mapping[str, Any], tr_id: str, row: list[str], board: Board) -> list[str]:
    """Return a trade record with a wrong price; the change against the base goes with it."""
    if tr_id != TRADES.real:
        return row
    row = list(row)
    price = int(row[_PRICE])
    wrong = wrong_price(what, price, row[0], board)
    row[_PRICE], row[4] = str(wrong), str(int(row[4]) + wrong - price)
    return row


def price_fields(what: Mapping[str, Any], row: dict[str, str], symbol: str, board: Board) -> None:
    """Do the same to a row of a REST reply."""
    for name in _PRICE_NAMES:
        if row.get(name, "").lstrip("-").isdigit():
            row[name] = str(wrong_price(what, int(row[name]), symbol, board))
