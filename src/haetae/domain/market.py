"""Nouns of the market: instruments, bars, slices, quotes, phases.

A ``Bar`` covers ``[start, end)`` and is known at ``end``. A ``Slice`` holds all bars that ended at
one instant as read-only int64 arrays sorted by symbol code, with a mask for the symbols that
traded. Prices are integers in won; for a symbol that did not trade, the four prices repeat its
last close and the volume is 0.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won

Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


DELISTED = "delisted"
"""Flag of the last state of a name that left the list; from then on it is not listed any more."""


@lru_cache(maxsize=64)
def ascending(symbols: tuple[Symbol, ...]) -> bool:
    """Return whether symbols are sorted by code; remembered, since every bar of a run asks the same."""
    return list(symbols) == sorted(symbols)


class Market(Enum):
    """Listing market; decides the sale tax."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"

    __hash__ = object.__hash__  # one object each; hashing its name is what every lookup of a rule would pay for


class Kind(Enum):
    """What is listed; decides tax, tick table and whether the universe may hold it."""

    COMMON = "common"
    PREFERRED = "preferred"
    ETF = "etf"
    ETN = "etn"
    SPAC = "spac"
    REIT = "reit"
    OTHER = "other"

    __hash__ = object.__hash__  # as in `Market`


class Exchange(Enum):
    """Where an order is sent: KRX, Nextrade, or the broker's smart router."""

    KRX = "KRX"
    NXT = "NXT"
    SOR = "SOR"


class Phase(Enum):
    """Phase of the trading day; admission of orders follows it."""

    CLOSED = "closed"
    OPENING_AUCTION = "opening_auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing_auction"
    AFTERMARKET = "aftermarket"

    __hash__ = object.__hash__  # as in `Market`


@dataclass(frozen=True, slots=True)
class Instrument:
    """One listed name as the master file and the status call describe it on ``as_of``.

    ``base_price`` (기준가) is the won price today's ±30 % limits are taken from. ``sector`` is the
    index-sector code. ``flags`` holds lower-case status words: ``halted``, ``administrative``
    (관리종목), ``liquidation`` (정리매매), ``caution``, ``warning``, ``danger``,
    ``unfaithful_disclosure`` (불성실공시), ``short_overheated``, and ``delisted`` (``DELISTED``).
    """

    symbol: Symbol
    name: str
    market: Market
    kind: Kind
    listed_on: dt.date
    base_price: Won
    shares_outstanding: Shares
    sector: str = ""
    lot: Shares = 1
    flags: frozenset[str] = frozenset()
    as_of: dt.date = dt.date(1970, 1, 1)

    def __post_init__(self) -> None:
        """Refuse a lot that is no whole number of shares of at least 1."""
        if isinstance(self.lot, bool) or not isinstance(self.lot, Integral) or self.lot < 1:
            raise DataError(
                Text(ko=f"{self.symbol}: 매매 단위가 맞지 않습니다", en=f"{self.symbol}: the trading lot does not fit"),
                expected="a whole number of shares, 1 or more",
                found=f"lot {self.lot!r} ({self.symbol}, as of {self.as_of})",
                next_step=Text(
                    ko="종목 자료(instruments)의 lot을 고치거나 다시 수집하세요",
                    en="mend lot in the instruments, or collect them again",
                ),
            )


@dataclass(frozen=True, slots=True)
class Bar:
    """Open, high, low, close and volume over ``[start, end)``; known at ``end``."""

    symbol: Symbol
    start: Instant
    end: Instant
    open: Won
    high: Won
    low: Won
    close: Won
    volume: Shares

    def __post_init__(self) -> None:
        """Refuse a bar whose prices do not enclose one another."""
        if self.end <= self.start:
            raise ValueError(f"bar of {self.symbol}: end {self.end} is not after start {self.start}")
        if self.volume < 0 or not self.low <= min(self.open, self.close):
            raise ValueError(f"bar of {self.symbol} at {self.start}: low or volume is out of order")
        if self.high < max(self.open, self.close):
            raise ValueError(f"bar of {self.symbol} at {self.start}: high below open or close")


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """All bars of one interval ``[start, end)``, shape ``(n_symbols,)`` each; known at ``end``."""

    start: Instant
    end: Instant
    symbols: tuple[Symbol, ...]
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array
    traded: BoolArray

    def __post_init__(self) -> None:
        """Make the arrays read-only and check shape and symbol order."""
        size = len(self.symbols)
        if not ascending(self.symbols):
            raise ValueError("slice symbols must be sorted by code")
        for column in (self.open, self.high, self.low, self.close, self.volume, self.traded):
            if column.shape != (size,):
                raise ValueError(f"slice column has shape {column.shape}, expected ({size},)")
            column.flags.writeable = False


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask with the last trade, stamped by the source and on arrival."""

    symbol: Symbol
    at: Instant
    seen: Instant
    last: Won
    bid: Won
    ask: Won
    bid_size: Shares
    ask_size: Shares


@dataclass(frozen=True, slots=True)
class Trade:
    """One print of the tape."""

    symbol: Symbol
    at: Instant
    price: Won
    volume: Shares
    cumulative_volume: Shares


@dataclass(frozen=True, slots=True)
class PhaseChange:
    """The market entered a phase."""

    at: Instant
    phase: Phase


@dataclass(frozen=True, slots=True)
class HaltChange:
    """Trading in one symbol was halted or resumed."""

    at: Instant
    symbol: Symbol
    halted: bool
    reason: str
