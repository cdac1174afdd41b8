"""Interruptions of one name's day, as records: VI events, call auctions, holds, and the prints that are left.

Not here: how they come about (``interrupts``). Rows are those of a tape; prices won, instants UTC nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from haetae.domain.market import Int64Array
from haetae.domain.units import BasisPoints, Instant, Shares, Won
from haetae.krx.interruptions import ViRow


class ViKind(Enum):
    """What tripped a VI."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class ViEvent:
    """One VI of a name: prices in won, ``released_at`` the end of its call auction.

    ``static_reference`` is the last single price (the base price before the opening), ``dynamic_reference``
    the last print before it, 0 before the first. ``price`` would have been the print.
    """

    column: int
    kind: ViKind
    static_reference: Won
    dynamic_reference: Won
    price: Won
    at: Instant
    released_at: Instant


@dataclass(frozen=True, slots=True)
class Call:
    """A call auction within the day: ``row`` prints at its end, ``until``; volume 0 where nothing met."""

    column: int
    since: Instant
    until: Instant
    row: int
    before: Won
    price: Won
    volume: Shares


@dataclass(frozen=True, slots=True)
class Hold:
    """Rows ``first <= row < last`` print nothing; ``last`` prints what was withheld.

    ``call_from`` is when orders are taken for that price. ``last`` of the number of rows or beyond leaves
    it to the closing auction; ``ends_day`` to nobody.
    """

    first: int
    last: int
    call_from: Instant
    ends_day: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What holds for one name on one day.

    ``continuous`` counts the rows of continuous trading, ``closing`` is the row that prints the closing auction,
    0 for a session without one. ``exact`` keeps open, high, low and close of the day.
    """

    column: int
    base: Won
    start: Int64Array
    end: Int64Array
    continuous: int
    closing: int
    rules: ViRow | None
    dynamic_bp: BasisPoints
    closing_bp: BasisPoints
    holds: tuple[Hold, ...] = ()
    exact: bool = True
    opens_at_one_price: bool = True

    @property
    def static_bp(self) -> BasisPoints:
        """The static rate; 0 where none applies."""
        return self.rules.static_bp if self.rules else 0


Prints = tuple[Int64Array, Int64Array, Int64Array]
"""Rows, prices and volumes of some prints, ascending."""


@dataclass(slots=True)
class Settled:
    """The prints a name has, in pieces, and what interrupted them.

    ``single`` are rows that end an auction, ``held`` rows without continuous trading as ``(first, last)``;
    ``late`` is the print of a closing auction that was prolonged: ``(instant, price, volume)``.
    """

    pieces: list[Prints] = field(default_factory=list)
    single: list[int] = field(default_factory=list)
    held: list[tuple[int, int]] = field(default_factory=list)
    events: list[ViEvent] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    late: tuple[Instant, Won, Shares] | None = None

    def arrays(self) -> Prints:
        """Return all prints but a late one."""
        if len(self.pieces) != 1:
            rows, price, volume = (
                np.concatenate([piece[k] for piece in self.pieces] or [np.zeros(0, dtype=np.int64)]) for k in range(3)
            )
            self.pieces = [(rows, price, volume)]
        return self.pieces[0]

    def add(self, row: int, price: Won, volume: Shares) -> None:
        """Append one print."""
        self.pieces.append((np.array([row]), np.array([price]), np.array([volume])))

    @property
    def prints(self) -> list[tuple[int, Won, Shares]]:
        """All prints but a late one, as ``(row, price, volume)``."""
        return list(zip(*(part.tolist() for part in self.arrays()), strict=True))
