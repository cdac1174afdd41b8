"""A session before and after it ran, as records: what its course is a function of, and the course.

Not here: how the one becomes the other (``course``). Arrays are ``(n_symbols,)`` or ``(n_rows, n_symbols)``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from numpy import float64
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Instrument, Int64Array, Market
from haetae.domain.units import Instant
from haetae.emulator.bridge import DayBars, MinuteBars
from haetae.emulator.grid import Grid
from haetae.emulator.holds import Call, ViEvent
from haetae.emulator.interventions import Move, Stop
from haetae.krx import Rulebook

LATE_ROWS = 10
"""Rows after the close on a day on which a closing auction was prolonged."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Trading stopped: of one name (``column``) or of a market; orders are taken again from ``call_from``.

    ``until`` is 0 where the day did not see the end. ``level`` is that of a breaker, 0 for a halt.
    """

    at: Instant
    call_from: Instant
    until: Instant
    column: int = -1
    market: Market | None = None
    level: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Everything the course of a day is a function of; arrays ``(n_symbols,)``.

    ``narrow`` marks names with the narrow dynamic VI rate, ``free`` those without VI (first day of a listing,
    recorded minutes), ``weights`` the index members of each market (base price x shares).
    """

    day: dt.date
    seed: int
    rules: Rulebook
    grid: Grid
    instruments: Sequence[Instrument]
    bars: DayBars
    lower: Int64Array
    upper: Int64Array
    narrow: BoolArray
    free: BoolArray
    weights: Mapping[Market, NDArray[float64]]
    moves: tuple[Move, ...] = ()
    stops: tuple[Stop, ...] = ()
    recorded: Callable[[Int64Array, Int64Array, Int64Array], Int64Array] | None = None

    def take(self, columns: Int64Array) -> Stage:
        """Return the stage of some names only; an index, and so a breaker, is not to be seen from there."""
        return replace(
            self,
            grid=self.grid.take(columns),
            instruments=[self.instruments[column] for column in columns],
            bars=self.bars.take(columns),
            lower=self.lower[columns],
            upper=self.upper[columns],
            narrow=self.narrow[columns],
            free=self.free[columns],
            weights={},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What happened on a day; rows as in the tape, ``(n_rows, n_symbols)``.

    ``price`` repeats the last print (the base price before the first). ``single`` marks prints of an auction,
    ``held`` rows without continuous trading. ``released`` tells when a prolonged closing auction ended.
    """

    day: dt.date
    start: Int64Array
    end: Int64Array
    price: Int64Array
    volume: Int64Array
    single: BoolArray
    held: BoolArray
    bars: MinuteBars
    calls: tuple[Call, ...] = ()
    events: tuple[ViEvent, ...] = ()
    pauses: tuple[Pause, ...] = ()
    released: Mapping[int, Instant] = field(default_factory=dict)
