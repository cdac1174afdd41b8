"""Prints of one market of a day and what has been seen after each of them.

Here: ``Tape``, of the regular session (made from its ``course``) or of a market outside it (``evening``). Not
here: which prints there are, what may be seen at an instant (``board``).
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.units import Instant
from haetae.emulator.kernels import running
from haetae.emulator.stage import Course


class Tape:
    """Rows of prints, ``(n_rows, n_symbols)`` each.

    Row ``r`` covers ``[start[r], end[r])`` and is seen at ``end[r]``. ``price`` repeats the last print where
    ``volume`` is 0. ``opened``, ``high`` and ``low`` are 0 before the first print. ``single`` marks prints of a
    call auction, ``held`` rows in which a name does not trade continuously. ``market_class`` is what the wire
    calls the market (MARKET_CLS_CODE): 2 regular, 3 aftermarket, 5 at a close.
    """

    def __init__(
        self,
        day: dt.date,
        start: Int64Array,
        end: Int64Array,
        price: Int64Array,
        volume: Int64Array,
        single: BoolArray,
        held: BoolArray,
        market_class: str = "2",
    ) -> None:
        """Take carried prices and volumes as they are."""
        self.day = day
        self.start = start
        self.end = end
        self.price = price
        self.volume = volume
        self.single = single
        self.held = held
        self.market_class = market_class
        self.cumulative, self.turnover, self.high, self.low, self.opened = running(price, volume)

    @staticmethod
    def of(course: Course) -> Tape:
        """Return the tape of a regular session."""
        return Tape(
            course.day, course.start, course.end, course.price, course.volume, course.single, course.held
        )  # fmt: skip

    def seen(self, now: Instant) -> int:
        """Return how many rows have ended at ``now``; 0 before the first."""
        return int(np.searchsorted(self.end, now, side="right"))
