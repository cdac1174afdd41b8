"""What a quote shows: one name, its order book, all names at once.

Here: the records, and the book that stands around a price by rule (nobody else trades on this market). Not here:
what they show at an instant (``record``, ``board``). Prices are won, sizes shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from haetae.domain.market import Instrument, Int64Array
from haetae.domain.units import Shares, Symbol, Won
from haetae.krx import Rulebook

LEVELS = 10


def sign_of(last: Won, base: Won, lower: Won, upper: Won) -> str:
    """Return 전일대비부호: 1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
    if last == upper:
        return "1"
    if last == lower:
        return "4"
    return "2" if last > base else "5" if last < base else "3"


class Glance(NamedTuple):
    """One of many names, as a list of quotes shows it; a tuple, for thousands are made a second."""

    last: Won
    open: Won
    high: Won
    low: Won
    volume: Shares
    turnover: Won
    base: Won
    lower: Won
    upper: Won
    ask: Won
    bid: Won
    size: Shares


@dataclass(frozen=True, slots=True)
class Sight:
    """One symbol as a quote shows it: won and shares; ``open``, ``high``, ``low`` 0 before a print."""

    symbol: str
    last: int
    open: int
    high: int
    low: int
    base: int
    lower: int
    upper: int
    volume: int
    turnover: int

    @property
    def sign(self) -> str:
        """전일대비부호: 1 upper limit, 2 up, 3 flat, 4 lower limit, 5 down."""
        return sign_of(self.last, self.base, self.lower, self.upper)

    @property
    def change(self) -> int:
        """Won against the base price."""
        return self.last - self.base

    @property
    def change_rate(self) -> float:
        """Percent against the base price."""
        return 100.0 * self.change / self.base if self.base else 0.0


@dataclass(frozen=True, slots=True)
class Depth:
    """Ten levels a side, best first; a price of 0 means that there is none."""

    asks: tuple[int, ...]
    bids: tuple[int, ...]
    ask_sizes: tuple[int, ...]
    bid_sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SightTable:
    """Present figures of all names, ``(n_symbols,)`` each; ``base`` is 0 for a name that is not listed."""

    symbols: tuple[Symbol, ...]
    last: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    base: Int64Array
    lower: Int64Array
    upper: Int64Array
    volume: Int64Array
    turnover: Int64Array
    shares_outstanding: Int64Array


def book_around(
    last: Won, edges: tuple[Won, Won], item: Instrument, rules: Rulebook, *, place: int, usual: Shares, rises: bool
) -> Depth:
    """Return ten levels a side around a price; at a daily limit the side that nobody offers is empty.

    ``place`` varies the sizes, ``usual`` scales them, ``rises`` tells whether the last print was at the ask.
    """
    lower, upper = edges
    ask = last if rises or last <= lower else rules.ceil_tick(last + 1, item.kind, item.market)
    asks, bids = [], []
    price = ask
    for _ in range(LEVELS):
        asks.append(price if price <= upper and last < upper else 0)
        price = rules.ceil_tick(price + 1, item.kind, item.market)
    price = last if last >= upper else rules.floor_tick(max(ask - 1, 1), item.kind, item.market)
    for _ in range(LEVELS):
        bids.append(price if price >= lower and last > lower else 0)
        price = rules.floor_tick(price - 1, item.kind, item.market) if price > 1 else 0
    sizes = [1 + usual * (1 + (place + level * 5) % 9) // 4 for level in range(2 * LEVELS)]
    return Depth(
        tuple(asks),
        tuple(bids),
        tuple(size if price else 0 for size, price in zip(sizes[:LEVELS], asks, strict=True)),
        tuple(size if price else 0 for size, price in zip(sizes[LEVELS:], bids, strict=True)),
    )
