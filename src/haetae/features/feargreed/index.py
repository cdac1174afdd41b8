"""The daily index: a fold over days, so that years at once and the newest day alone are the same numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.domain.units import day_from, yyyymmdd
from haetae.features.feargreed.components import NAMES
from haetae.features.feargreed.crowd import APPETITE, TOLD, fold_crowd, start_crowd
from haetae.features.feargreed.inputs import MoodInputs
from haetae.features.feargreed.market import (
    BOND,
    COUNT,
    DOLLAR,
    FOREIGN,
    IMPLIED,
    INDEX,
    INPUTS,
    fold_market,
    start_market,
)
from haetae.features.feargreed.settings import FearGreedSettings

Float64Array = NDArray[np.float64]
DEFAULTS = FearGreedSettings()


@dataclass(frozen=True, slots=True)
class Missing:
    """A component that does not count on a day, and the last day on which it did; None if it never did."""

    component: str
    since: dt.date | None


@dataclass(frozen=True, slots=True, eq=False)
class FearGreed:
    """The index and its parts; a row is known after the close of its day.

    Attributes
    ----------
    days : (n_days,) int32, yyyymmdd
    value : (n_days,) float64, 0-100
        NaN where too little is known (``FearGreedSettings.least_weight``).
    ranks : (n_days, n_components) float64, 0-100, NaN where missing
    raw : (n_days, n_components) float64, NaN where missing
    last_known : (n_days, n_components) int32
        The newest day up to the row on which each component counted, yyyymmdd, 0 for never.
    implied : (n_days,) bool
        Whether calm came from implied volatility.
    weights : (n_components,) float64
        As they were set; what is missing gives its weight to the others (``shares``).
    stands_in : bool
        Whether the lake had no index and the equal-weight market took its place.
    """

    days: NDArray[np.int32]
    value: Float64Array
    ranks: Float64Array
    raw: Float64Array
    last_known: NDArray[np.int32]
    implied: BoolArray
    weights: Float64Array
    stands_in: bool = False

    @property
    def present(self) -> BoolArray:
        """Which components entered each day, ``(n_days, n_components)``."""
        return np.isfinite(self.ranks)

    def shares(self, row: int = -1) -> Float64Array:
        """Return the share of the index that each component has on a row, 0 for a missing one."""
        weights = np.where(self.present[row], self.weights, 0.0)
        return weights / weights.sum() if weights.sum() > 0.0 else weights

    def missing(self, row: int = -1) -> tuple[str, ...]:
        """Return the names of the components that are missing on a row."""
        return tuple(name for name, here in zip(NAMES, self.present[row], strict=True) if not here)

    def flags(self, row: int = -1) -> tuple[Missing, ...]:
        """Return the components that are missing on a row, each with the day it was last known."""
        last = self.last_known[row]
        return tuple(
            Missing(name, day_from(int(last[c])) if last[c] else None)
            for c, name in enumerate(NAMES)
            if not self.present[row, c]
        )

    def row_of(self, day: dt.date) -> int | None:
        """Return the newest row with a value that is not after ``day``."""
        known = np.flatnonzero((self.days <= yyyymmdd(day)) & np.isfinite(self.value))
        return int(known[-1]) if len(known) else None

    def on(self, day: dt.date) -> float:
        """Return the newest finite value of a day not after ``day``; 50 (neither) if there is none."""
        row = self.row_of(day)
        return 50.0 if row is None else float(self.value[row])

    def last_day(self) -> dt.date | None:
        """Return the day of the newest row, or None of an empty index."""
        return day_from(int(self.days[-1])) if len(self.days) else None


@dataclass(frozen=True, slots=True, eq=False)
class MoodState:
    """What the fold remembers: plain float64 numbers of each symbol and of the market."""

    crowd: Float64Array
    market: Float64Array

    def copy(self) -> MoodState:
        """Return the same memory in arrays of its own."""
        return MoodState(self.crowd.copy(), self.market.copy())


def start(n_symbols: int, settings: FearGreedSettings = DEFAULTS) -> MoodState:
    """Return the state before the first day."""
    return MoodState(start_crowd(n_symbols), start_market(settings.window_days))


def rules_of(settings: FearGreedSettings, *, stands_in: bool) -> Float64Array:
    """Return the settings as the compiled fold reads them: windows, 1 for a stand-in of the index, weights."""
    return np.array(
        [settings.window_days, settings.least_days, settings.least_weight, float(stands_in), *settings.weights]
    )


def plain(block: NDArray[Any]) -> NDArray[Any]:
    """Return an array contiguous and read-only always, so that one compiled version serves whoever calls."""
    found = np.ascontiguousarray(block).view()
    found.flags.writeable = False
    return found


def fold(state: MoodState, inputs: MoodInputs, settings: FearGreedSettings = DEFAULTS) -> tuple[MoodState, FearGreed]:
    """Fold days into the state; the one given is not changed.

    Folding days at once, cut anywhere, or one at a time gives the same numbers to the last bit. The settings
    must be those the state was started with.
    """
    after = state.copy()
    days = len(inputs)
    told = np.zeros((days, TOLD))
    told[:, APPETITE] = np.nan
    panel = inputs.panel
    counted = np.ones(len(panel.symbols), np.bool_) if inputs.counted is None else inputs.counted
    place = inputs.bars()
    bars = fold_crowd(after.crowd, *map(plain, (panel.close, panel.volume, panel.traded, counted)))
    told[place >= 0] = bars[place[place >= 0]]
    given = np.full((days, INPUTS), np.nan)
    for column, block in (
        (INDEX, inputs.index_close),
        (IMPLIED, inputs.implied),
        (FOREIGN, inputs.foreign_won),
        (BOND, inputs.bond_close),
        (DOLLAR, inputs.dollar_close),
    ):
        if block is not None:
            given[:, column] = block
    raw, ranks, seen = (np.full((days, COUNT), np.nan) for _ in range(3))
    value, implied = np.full(days, np.nan), np.zeros(days, np.bool_)
    rules = rules_of(settings, stands_in=inputs.index_close is None)
    day_numbers = inputs.days.astype(np.int32)
    fold_market(after.market, day_numbers, told, given, rules, raw, ranks, seen, value, implied)
    mood = FearGreed(
        inputs.days, value, ranks, raw, seen.astype(np.int32), implied,
        np.array(settings.weights, dtype=np.float64), inputs.index_close is None,
    )  # fmt: skip
    return after, mood


def build(inputs: MoodInputs, settings: FearGreedSettings = DEFAULTS) -> FearGreed:
    """Return the index of all days, folded from the state before the first one."""
    return fold(start(len(inputs.panel.symbols), settings), inputs, settings)[1]
