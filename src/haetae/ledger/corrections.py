"""The book after what no order of ours did: shares a person traded by hand, costs the broker reckoned differently.

Here: functions of the same kind as in `books`; after each the identity holds to the won:
``cash + sum(position.cost) == deposits + realized``. Not here: who may ask for it, and on what ground (``desk``).
"""

from __future__ import annotations

from dataclasses import replace

from haetae.domain.account import Book, Position
from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.units import Shares, Symbol, Won


def adopt(book: Book, symbol: Symbol, shares: Shares, paid: Won) -> Book:
    """Return the book after shares came (positive) for ``paid`` won, or went (negative) for ``-paid`` won.

    Raises
    ------
    MarketRuleError
        If more shares went than are held.
    """
    position = book.positions.get(symbol) or Position(symbol, 0, 0)
    after = position.quantity + shares
    if after < 0:
        raise MarketRuleError(
            Text(
                ko=f"{symbol}: 보유 {position.quantity}주보다 많이 나갔습니다",
                en=f"{symbol}: more shares went than are held",
            ),
            expected=f"at most {position.quantity} shares",
            found=f"{-shares} shares",
            next_step="compare with the broker's own screen",
        )
    if shares > 0:
        cost, realized = position.cost + paid, 0
    else:
        closed = position.cost * -shares // position.quantity
        cost, realized = position.cost - closed, -paid - closed
    positions = {**book.positions, symbol: Position(symbol, after, cost)}
    if not after:
        del positions[symbol]
    return replace(
        book,
        cash=book.cash - paid,
        positions=dict(sorted(positions.items())),
        realized=book.realized + realized,
    )


def correct_costs(book: Book, amount: Won) -> Book:
    """Return the book after fees and taxes turned out ``amount`` won lower (positive) or higher than reckoned."""
    return replace(book, cash=book.cash + amount, realized=book.realized + amount, fees=book.fees - amount)
