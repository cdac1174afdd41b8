"""What holders get from corporate actions, and when it is in the account.

Here: ``Entitlement`` of a holding on the morning it loses the right, and ``fulfil``, which gives shares and money on
the day of arrival. Fractions of a share are paid out at the base price of the day; rights that nobody
subscribes lapse. Not here: base prices (``world``), the book's arithmetic (``ledger``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from haetae import ledger
from haetae.domain.account import Book
from haetae.domain.units import Shares, Symbol, Won
from haetae.emulator.interventions import Action, ActionKind
from haetae.emulator.orders import CorporateLine
from haetae.krx.costs import dividend_tax_ppb
from haetae.krx.scalar import charge


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A right of so many shares held when the right fell away."""

    action: Action
    shares: Shares


def entitled(book: Book, actions: tuple[Action, ...]) -> list[Entitlement]:
    """Return what a book is entitled to on the morning of its actions, in their order."""
    return [Entitlement(action, book.quantity(action.symbol)) for action in actions if book.quantity(action.symbol) > 0]


def fulfil(
    book: Book, right: Entitlement, day: dt.date, base_prices: Mapping[Symbol, Won]
) -> tuple[Book, tuple[CorporateLine, ...]]:
    """Return the book after a right was met, and the lines that tell it."""
    action = right.action
    match action.kind:
        case ActionKind.SPLIT | ActionKind.MERGER:
            return _exchanged(book, action, day, base_prices)
        case ActionKind.BONUS:
            return _more(book, right, day, base_prices)
        case ActionKind.DIVIDEND:
            amount = right.shares * action.price
            tax = int(charge(amount, dividend_tax_ppb(day)))
            after = ledger.receive(book, amount, tax)
            return after, (_line(after, day, action, action.symbol, 0, amount - tax, tax),)
        case ActionKind.RIGHTS:
            return book, ()


def _exchanged(
    book: Book, action: Action, day: dt.date, base_prices: Mapping[Symbol, Won]
) -> tuple[Book, tuple[CorporateLine, ...]]:
    """All shares held today become others: those bought since the right fell away too (trading had stopped)."""
    held = book.quantity(action.symbol)
    if held == 0:
        return book, ()
    target = action.partner or action.symbol
    exact = held * Fraction(action.ratio).limit_denominator(1_000_000)
    whole = int(exact)
    part = exact - whole
    paid = int(part * base_prices.get(target, 0))
    ppm = int(part / exact * 1_000_000) if exact else 0
    after = ledger.exchange(book, action.symbol, target, whole, part_ppm=ppm, paid=paid)
    if target == action.symbol:
        return after, (_line(after, day, action, target, whole - held, paid, 0),)
    gone = _line(after, day, action, action.symbol, -held, 0, 0)
    return after, (gone, _line(after, day, action, target, whole, paid, 0))


def _more(
    book: Book, right: Entitlement, day: dt.date, base_prices: Mapping[Symbol, Won]
) -> tuple[Book, tuple[CorporateLine, ...]]:
    """Further shares without payment: the cost of what is held spreads over them."""
    action = right.action
    exact = right.shares * Fraction(action.ratio).limit_denominator(1_000_000)
    whole = int(exact)
    paid = int((exact - whole) * base_prices.get(action.symbol, 0))
    held = book.quantity(action.symbol)
    if held:
        after = ledger.exchange(book, action.symbol, action.symbol, held + whole, paid=paid)
    else:
        after = ledger.grant(book, action.symbol, whole, paid)
    return after, (_line(after, day, action, action.symbol, whole, paid, 0),)


def _line(
    book: Book, day: dt.date, action: Action, symbol: Symbol, shares: Shares, amount: Won, tax: Won
) -> CorporateLine:
    return CorporateLine(day, symbol, action.kind.value, shares, amount, tax, book.cash)
