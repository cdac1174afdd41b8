"""What a client ought to have seen: the market's own words and the ledger's, in the plain form of the reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clients.driving import SYMBOL, board_at
from contract.worlds import DAY, small_world
from haetae.domain.units import Instant, hhmmss_of
from haetae.emulator.board import Board


def quote(board: Board, symbol: str = SYMBOL) -> dict[str, Any]:
    """Return the figures of a quote."""
    sight = board.sight(symbol)
    return {
        "symbol": symbol,
        "name": small_world().instruments[small_world().column[symbol]].name,
        "price": sight.last,
        "open": sight.open,
        "high": sight.high,
        "low": sight.low,
        "high_limit": sight.upper,
        "low_limit": sight.lower,
        "base_price": sight.base,
        "volume": sight.volume,
        "amount": sight.turnover,
        "change": sight.change,
    }


def book(board: Board, symbol: str = SYMBOL) -> dict[str, Any]:
    """Return the ten levels of both sides, price and size."""
    depth = board.depth(symbol)
    return {
        "asks": [list(level) for level in zip(depth.asks, depth.ask_sizes, strict=True)],
        "bids": [list(level) for level in zip(depth.bids, depth.bid_sizes, strict=True)],
    }


def days(board: Board, first: Any, symbol: str = SYMBOL) -> list[list[Any]]:
    """Return day, open, high, low, close, volume of the daily bars from a day on, ascending."""
    return [[f"{day:%Y%m%d}", *bar[:5]] for day, bar in board.daily_rows(symbol, first, DAY)]


def minutes(board: Board, symbol: str = SYMBOL) -> list[list[Any]]:
    """Return clock, open, high, low, close, volume of today's minutes, ascending."""
    return [[f"{hhmmss_of(start):06d}", *bar[:5]] for start, _, bar in board.minute_rows(symbol, DAY)]


def prints(after: Instant, until: Instant, symbol: str = SYMBOL) -> list[list[int]]:
    """Return price, volume and the volume of the day so far of every print in a span, in order."""
    tape, column = board_at(until).session.tape, small_world().column[symbol]
    return [
        [int(part[row, column]) for part in (tape.price, tape.volume, tape.cumulative)]
        for row in range(tape.seen(after), tape.seen(until))
        if tape.volume[row, column]
    ]


def books_between(after: Instant, until: Instant, symbol: str = SYMBOL) -> list[dict[str, Any]]:
    """Return the order book after each row of the tape in a span of the day."""
    tape = board_at(until).session.tape
    found = []
    for row in range(tape.seen(after), tape.seen(until)):
        depth = board_at(until).depth(symbol, row + 1)
        sides = {"asks": (depth.asks, depth.ask_sizes), "bids": (depth.bids, depth.bid_sizes)}
        found.append({side: [list(level) for level in zip(*levels, strict=True)] for side, levels in sides.items()})
    return found


def holdings(ledger: Mapping[str, Any], board: Board) -> list[list[int | str]]:
    """Return symbol, shares, cost and last price of what an account holds, folded from its fills alone."""
    held: dict[str, tuple[int, int]] = {}
    for fill in ledger["fills"]:
        quantity, cost = held.get(fill["symbol"], (0, 0))
        if fill["side"] == "buy":
            held[fill["symbol"]] = (quantity + fill["quantity"], cost + fill["amount"] + fill["fee"])
        else:
            held[fill["symbol"]] = (quantity - fill["quantity"], cost - cost * fill["quantity"] // quantity)
    return [
        [symbol, quantity, cost, board.sight(symbol).last]
        for symbol, (quantity, cost) in sorted(held.items())
        if quantity
    ]


def settled(ledger: Mapping[str, Any]) -> int:
    """Return the won that are at the bank already."""
    return ledger["cash"] - sum(due["amount"] for due in ledger["unsettled"])


def filled(ledger: Mapping[str, Any], number: str) -> int:
    """Return the shares an order number was filled with."""
    return sum(fill["quantity"] for fill in ledger["fills"] if fill["number"] == number)
