"""Minute bars from prints and snapshots of the day so far.

Here: one symbol's minute under way (`Minute`), and the book of all symbols that turns finished minutes into slices
(`MinuteBook`). Pure: no clock, no calls. Not here: where prints and snapshots come from (`feed`).

A print belongs to the minute of its own time stamp, and its place among the others is its cumulative volume: messages
may come twice, late or in another order. Volume is the difference of the day's cumulative volume, so a lost message
loses no shares. A minute made from two snapshots has exact close and volume; its high and low are
exact where the minute made the day's high or low, otherwise they span the last close and the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from haetae.domain.market import Slice
from haetae.domain.units import Instant, Shares, Symbol, Won

Bar = tuple[Won, Won, Won, Won, Shares]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One symbol's day so far; ``open``, ``high`` and ``low`` are 0 before the first print."""

    price: Won
    open: Won
    high: Won
    low: Won
    volume: Shares


class Early(NamedTuple):
    """A print of a minute that is not under way yet."""

    at: Instant
    price: Won
    cumulative: Shares
    volume: Shares


@dataclass(slots=True)
class Minute:
    """The minute of one symbol that is under way, and what the last one left.

    ``booked`` is the cumulative volume given to closed minutes, ``volume`` the newest seen; ``open`` is 0 until the
    minute has a print, ``opened`` the cumulative volume of the print it is of.
    """

    last: Won
    booked: Shares
    volume: Shares
    day_high: Won
    day_low: Won
    open: Won = 0
    high: Won = 0
    low: Won = 0
    opened: Shares = 0

    @classmethod
    def after(cls, seen: Snapshot) -> Minute:
        """Return the state of a symbol whose day so far is known."""
        return cls(seen.price, seen.volume, seen.volume, seen.high, seen.low)

    def print(self, price: Won, cumulative: Shares) -> None:
        """Add one print of the minute under way."""
        if self.open == 0:
            self.open = self.high = self.low = price
            self.opened = cumulative
        elif cumulative < self.opened:
            self.open, self.opened = price, cumulative
        self.high, self.low = max(self.high, price), min(self.low, price)
        if cumulative >= self.volume:
            self.last, self.volume = price, cumulative
        self.day_high = max(self.day_high, price)
        self.day_low = min(self.day_low or price, price)

    def late(self, price: Won, cumulative: Shares) -> None:
        """Add a print of a closed minute: its shares go to the minute under way, its price where none is newer."""
        if cumulative >= self.volume:
            self.last, self.volume = price, cumulative

    def snapshot(self, seen: Snapshot) -> None:
        """Bring the minute up to a snapshot; an older one than the newest print changes nothing.

        One of the same moment may still show a high or low of the day that no print told of.
        """
        if seen.volume < self.volume or seen.volume == self.booked:
            return
        if seen.volume > self.volume:
            opened = seen.open if self.volume == 0 and seen.open else self.last
            if self.open == 0:
                self.open = self.high = self.low = opened
                self.opened = self.volume
            self.high, self.low = max(self.high, opened, seen.price), min(self.low, opened, seen.price)
            self.last, self.volume = seen.price, seen.volume
        if self.open and seen.high > self.day_high:
            self.high = max(self.high, seen.high)
        if self.open and seen.low and (self.day_low == 0 or seen.low < self.day_low):
            self.low = min(self.low, seen.low)
        self.day_high, self.day_low = max(self.day_high, seen.high), seen.low or self.day_low

    def close(self) -> Bar:
        """Return open, high, low, close and volume of the minute and begin the next one."""
        traded = self.volume - self.booked
        bar = (self.open, self.high, self.low, self.last, traded) if self.open else (*(self.last,) * 4, traded)
        self.booked = self.volume
        self.open = self.high = self.low = 0
        return bar


class MinuteBook:
    """The minutes of all symbols over the edges of one session.

    Attributes
    ----------
    late : int
        Prints that came after their minute was closed.
    """

    def __init__(self, seen: Mapping[Symbol, Snapshot], edges: Sequence[tuple[Instant, Instant]]) -> None:
        """Begin with what is known of each symbol; ``edges`` are start and end of the minutes to come."""
        self.symbols = tuple(sorted(seen))
        self.late = 0
        self._minutes = {symbol: Minute.after(seen[symbol]) for symbol in self.symbols}
        self._edges = tuple(edges)
        self._at = 0
        self._early: dict[Symbol, list[Early]] = {}

    def trade(self, symbol: Symbol, at: Instant, price: Won, cumulative: Shares, volume: Shares = 0) -> None:
        """Add a print; one of a later minute is kept until that minute is under way, unknown symbols are ignored.

        ``volume`` are its own shares: those of an early print tell how many the minute before it had.
        """
        minute = self._minutes.get(symbol)
        if minute is None or self._at >= len(self._edges):
            return
        start, end = self._edges[self._at]
        # The closing auction's print is stamped with the close itself.
        inside = start <= at < end or (at == end and self._at == len(self._edges) - 1)
        if inside:
            minute.print(price, cumulative)
        elif at >= end:
            self._early.setdefault(symbol, []).append(Early(at, price, cumulative, volume))
        elif self._at == 0:
            minute.last = price
            minute.booked = minute.volume = max(minute.volume, cumulative)
        else:
            self.late += 1
            minute.late(price, cumulative)

    def snapshot(self, symbol: Symbol, seen: Snapshot) -> None:
        """Bring one symbol up to a snapshot, of which what is known to belong to the next minute is taken away."""
        early = self._early.get(symbol)
        if early:
            first = min(early, key=lambda one: one.cumulative)
            prices = [one.price for one in early]
            seen = Snapshot(
                price=first.price,
                open=seen.open,
                high=seen.high if seen.high > max(prices) else 0,
                low=seen.low if seen.low < min(prices) else 0,
                volume=min(seen.volume, first.cumulative - first.volume),
            )
        self._minutes[symbol].snapshot(seen)

    def close(self) -> Slice:
        """Close the minute under way and return it for all symbols."""
        start, end = self._edges[self._at]
        bars = np.array([self._minutes[symbol].close() for symbol in self.symbols], dtype=np.int64)
        opened, high, low, last, volume = bars.reshape(len(self.symbols), 5).T.copy()
        self._at += 1
        early, self._early = self._early, {}
        for symbol, prints in early.items():
            for one in prints:
                self.trade(symbol, one.at, one.price, one.cumulative, one.volume)
        return Slice(start, end, self.symbols, opened, high, low, last, volume, traded=volume > 0)
