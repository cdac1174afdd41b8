"""The book as a fold over fills: cash, positions at cost, settlement, profit.

Here: how one fill, one settlement day and one set of prices change or value a ``Book``. Not here:
what a fill costs (``krx``), which fills are new (``execution.advance`` drops what it has seen, by
order and cumulative quantity). Everything is integer won and whole shares; the only rounding is
the cost of the closed part of a position, floored, and the last share takes the rest.

After every function the identity holds to the won:
``cash + sum(position.cost) == deposits + realized``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from haetae.domain.account import Book, Position, Settlement
from haetae.domain.errors import DataError, MarketRuleError, Text
from haetae.domain.orders import Fill, Side
from haetae.domain.units import Symbol, Won
from haetae.krx.costs import Charge


@dataclass(frozen=True, slots=True)
class Mark:
    """A book valued at given prices, in won; ``unrealized`` is before the costs of selling."""

    equity: Won
    market_value: Won
    unrealized: Won


def open_book(cash: Won) -> Book:
    """Return a book that holds a first deposit and nothing else."""
    return Book(cash=cash, deposits=cash)


def deposit(book: Book, amount: Won) -> Book:
    """Return the book after money came in (positive) or was taken out (negative)."""
    return replace(book, cash=book.cash + amount, deposits=book.deposits + amount)


def apply_fill(book: Book, fill: Fill, charge: Charge, settle_on: dt.date) -> Book:
    """Return the book after one execution.

    Parameters
    ----------
    fill : Fill
        A fill that was not applied before.
    charge : Charge
        What ``Rulebook.charge`` says the fill costs.
    settle_on : date
        When the money moves at the bank.

    Raises
    ------
    MarketRuleError
        If more shares are sold than held; a cash account never goes short.
    """
    position = book.positions.get(fill.symbol) or Position(fill.symbol, 0, 0)
    match fill.side:
        case Side.BUY:
            moved = -(fill.amount + charge.total)
            after = Position(fill.symbol, position.quantity + fill.quantity, position.cost - moved)
            realized = 0
        case Side.SELL:
            if fill.quantity > position.quantity:
                raise _oversold(fill, position)
            closed = position.cost * fill.quantity // position.quantity
            moved = fill.amount - charge.total
            after = Position(fill.symbol, position.quantity - fill.quantity, position.cost - closed)
            realized = moved - closed
    bought, sold = (fill.amount, 0) if fill.side is Side.BUY else (0, fill.amount)
    return Book(
        cash=book.cash + moved,
        deposits=book.deposits,
        positions=_with(book.positions, after),
        unsettled=_owed(book.unsettled, settle_on, moved),
        realized=book.realized + realized,
        fees=book.fees + charge.fee,
        taxes=book.taxes + charge.tax,
        bought=book.bought + bought,
        sold=book.sold + sold,
    )


def settle(book: Book, day: dt.date) -> Book:
    """Return the book after the settlements due on or before a day reached the bank; idempotent."""
    left = tuple(item for item in book.unsettled if item.day > day)
    return book if len(left) == len(book.unsettled) else replace(book, unsettled=left)


def mark(book: Book, prices: Mapping[Symbol, Won]) -> Mark:
    """Return what the book is worth at prices that cover every held symbol.

    Raises
    ------
    DataError
        If a held symbol has no price: a book is never valued by leaving something out.
    """
    missing = sorted(symbol for symbol in book.positions if symbol not in prices)
    if missing:
        raise DataError(
            Text(ko="보유 종목의 가격이 없습니다", en="a held symbol has no price"),
            expected="a price for every held symbol",
            found=", ".join(missing),
            next_step="mark with the last known price of each position",
        )
    value = sum(position.quantity * prices[symbol] for symbol, position in book.positions.items())
    cost = sum(position.cost for position in book.positions.values())
    return Mark(equity=book.cash + value, market_value=value, unrealized=value - cost)


def settled_cash(book: Book) -> Won:
    """Return the cash that is at the bank already: trade-date cash without what is still to move."""
    return book.cash - sum(item.amount for item in book.unsettled)


def _with(positions: Mapping[Symbol, Position], changed: Position) -> dict[Symbol, Position]:
    """Return the positions by code with one changed; only a new name has to find its place."""
    after = {**positions, changed.symbol: changed}
    if not changed.quantity:
        del after[changed.symbol]
        return after
    return after if changed.symbol in positions else dict(sorted(after.items()))


def _owed(unsettled: tuple[Settlement, ...], day: dt.date, amount: Won) -> tuple[Settlement, ...]:
    by_day = {item.day: item.amount for item in unsettled}
    by_day[day] = by_day.get(day, 0) + amount
    return tuple(Settlement(due, by_day[due]) for due in sorted(by_day))


def _oversold(fill: Fill, position: Position) -> MarketRuleError:
    return MarketRuleError(
        Text(
            ko=f"{fill.symbol}: 보유 {position.quantity}주보다 많은 {fill.quantity}주 매도 체결입니다",
            en=f"{fill.symbol}: {fill.quantity} shares sold, {position.quantity} held",
        ),
        expected=f"at most {position.quantity} shares",
        found=f"{fill.quantity} shares of intent {fill.intent_id}",
        next_step="reconcile the account with the broker before trading on",
    )
