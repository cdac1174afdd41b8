"""The book under corporate actions: shares that become other shares, money that comes without a trade.

Here: functions of the same kind as in `books`; after each the identity holds to the won:
``cash + sum(position.cost) == deposits + realized``. Not here: who is entitled to what (drivers know the action).
"""

from __future__ import annotations

from dataclasses import replace

from haetae.domain.account import Book, Position
from haetae.domain.units import Shares, Symbol, Won


def exchange(book: Book, old: Symbol, new: Symbol, shares: Shares, *, part_ppm: int = 0, paid: Won = 0) -> Book:
    """Return the book after the position of ``old`` became ``shares`` of ``new`` (the same name for a split).

    What was paid for the shares stays their cost, save ``part_ppm`` millionths of it: the fraction of a share
    that was paid out with ``paid`` won and realizes the difference. A book without the position stays as it is.
    """
    position = book.positions.get(old)
    if position is None:
        return book
    out = position.cost * part_ppm // 1_000_000 if shares else position.cost
    kept = {symbol: one for symbol, one in book.positions.items() if symbol != old}
    if shares:
        known = kept.get(new) or Position(new, 0, 0)
        kept[new] = Position(new, known.quantity + shares, known.cost + position.cost - out)
    return replace(
        book,
        cash=book.cash + paid,
        positions=dict(sorted(kept.items())),
        realized=book.realized + paid - out,
    )


def grant(book: Book, symbol: Symbol, shares: Shares, paid: Won = 0) -> Book:
    """Return the book after shares came without payment to whoever holds none any more, and ``paid`` for a fraction."""
    positions = dict(book.positions)
    if shares:
        known = positions.get(symbol) or Position(symbol, 0, 0)
        positions[symbol] = Position(symbol, known.quantity + shares, known.cost)
    return replace(
        book, cash=book.cash + paid, positions=dict(sorted(positions.items())), realized=book.realized + paid
    )


def receive(book: Book, amount: Won, tax: Won) -> Book:
    """Return the book after a dividend of ``amount`` won came in, ``tax`` withheld."""
    net = amount - tax
    return replace(book, cash=book.cash + net, realized=book.realized + net, taxes=book.taxes + tax)
