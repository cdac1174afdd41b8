"""Nouns of the account: positions, cash by settlement day, the book.

``Position.cost`` is what was paid for the shares still held, fees included, in won. The book is a
fold over fills by ``ledger``; nothing else changes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from haetae.domain.records import made_often
from haetae.domain.units import Shares, Symbol, Won


@made_often
@dataclass(frozen=True, slots=True)
class Position:
    """Shares held of one symbol and what they cost."""

    symbol: Symbol
    quantity: Shares
    cost: Won

    @property
    def average_price(self) -> Won:
        """Cost per share, floored to a won; 0 for an empty position."""
        return self.cost // self.quantity if self.quantity else 0


@made_often
@dataclass(frozen=True, slots=True)
class Settlement:
    """Cash that moves on a later business day (T+2): positive arrives, negative leaves."""

    day: dt.date
    amount: Won


@made_often
@dataclass(frozen=True, slots=True)
class Book:
    """Cash, positions, costs and profit of one account.

    ``cash`` is the trade-date cash: it moves in full with each fill (the broker lets the proceeds
    of a sale buy again the same day). ``unsettled`` lists what has not reached the bank yet, so
    settled cash is ``cash - sum(unsettled)``. ``realized`` is net of all fees and taxes of the
    closed part. The identity that holds to the won after every fill:
    ``cash + sum(position.cost) == deposits + realized``.
    """

    cash: Won
    deposits: Won
    positions: Mapping[Symbol, Position] = field(default_factory=dict)
    unsettled: tuple[Settlement, ...] = ()
    realized: Won = 0
    fees: Won = 0
    taxes: Won = 0
    bought: Won = 0
    sold: Won = 0

    def quantity(self, symbol: Symbol) -> Shares:
        """Return the shares held of a symbol, 0 if none."""
        position = self.positions.get(symbol)
        return position.quantity if position else 0


@dataclass(frozen=True, slots=True)
class CashReport:
    """What the broker says about cash: trade-date cash and what may still be ordered, in won."""

    cash: Won
    orderable: Won
