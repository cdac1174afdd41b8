"""What a feature set is: declarations, a state of plain numbers, and one fold that serves batch and live.

``FeatureSet.fold`` runs over any number of rows and returns the state after the last one. A batch folds
all rows from the state before the first bar; the live side folds one row (``step``) from the state it
kept. Both are the same compiled loop, so they agree to the last bit, also when the rows are cut anywhere
and the state was saved and read again.

``Inputs`` are the rows: bars, and beside them what a lake may or may not hold (index, flows, sectors,
order book). What is missing is NaN (or None for the whole block), never zero, and makes the features that
need it NaN, never the others. Not here: the sets themselves (``minute``, ``intraday``, ``daily``,
``alpha``, ``factors``) and their list (``catalogue``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.learning import FeatureSpec
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.features.specs import feature_hash

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]
State = NDArray[np.float64]


class Grain(Enum):
    """How long a row of a set's inputs is."""

    MINUTE = "minute"
    DAILY = "daily"


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Net purchases of the day in won, ``(n_rows, n_symbols)`` float64, NaN where unknown; known after the close."""

    foreign: Float64Array
    institution: Float64Array
    individual: Float64Array

    def rows(self, first: int, last: int) -> Flows:
        """Return the rows ``first <= row < last``."""
        part = slice(first, last)
        return Flows(self.foreign[part], self.institution[part], self.individual[part])


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Rows to fold, all known at the end of their bar.

    Attributes
    ----------
    panel : Panel
        Bars of all symbols.
    minutes : (n_rows,) int64, optional
        Minute of the session of each bar's start (``minute.session_minutes``); of minute sets only.
    index_close : (n_rows,) float64, optional
        Index level in points, NaN for a missing bar; None where the lake has no index.
    flows : Flows, optional
        Who bought, of daily sets only.
    sectors : (n_symbols,) int64, optional
        Number of each symbol's sector, -1 where unknown.
    imbalance : (n_rows, n_symbols) float64, optional
        Order book at the bar's end: (bid size - ask size) / (bid size + ask size), -1..1, NaN where unseen.
    """

    panel: Panel
    minutes: Int64Array | None = None
    index_close: Float64Array | None = None
    flows: Flows | None = None
    sectors: Int64Array | None = None
    imbalance: Float64Array | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.panel)

    def rows(self, first: int, last: int) -> Inputs:
        """Return the rows ``first <= row < last`` as views of the same memory."""

        def part(block: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if block is None else block[first:last]

        return Inputs(
            self.panel.rows(first, last),
            part(self.minutes),
            part(self.index_close),
            None if self.flows is None else self.flows.rows(first, last),
            self.sectors,
            part(self.imbalance),
        )


def minutes_of(inputs: Inputs) -> Int64Array:
    """Return the minute of the session of each row; minute sets cannot do without.

    Raises
    ------
    DataError
        Where the inputs have none, or not one a row.
    """
    found = inputs.minutes
    if found is None or found.shape != (len(inputs),):
        raise DataError(
            Text(
                ko="분봉의 장중 분 번호(minutes)가 봉과 맞지 않습니다",
                en="the minutes of the session do not fit the bars",
            ),
            expected=f"minutes ({len(inputs)},)",
            found="None" if found is None else f"minutes {found.shape}",
            next_step=Text(
                ko="Inputs.minutes에 minute.session_minutes(panel)을 주세요",
                en="give Inputs.minutes what minute.session_minutes(panel) returns",
            ),
        )
    return found


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """An ordered set of features with one fold.

    Attributes
    ----------
    start : callable
        Number of symbols to the state before the first bar: plain float64 numbers of any shape.
    fold : callable
        State and inputs to the state after the last row and values ``(n_rows, n_symbols, n_features)`` float32 in the
        order of ``specs``. The state given is not changed; row ``t`` of the values is known when row ``t`` is.
    """

    name: str
    grain: Grain
    specs: tuple[FeatureSpec, ...]
    start: Callable[[int], State]
    fold: Callable[[State, Inputs], tuple[State, FloatArray]]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names in column order."""
        return tuple(spec.name for spec in self.specs)

    @property
    def hash(self) -> str:
        """Sixteen hex digits that name this set; models carry it and are refused where it differs."""
        return feature_hash(self.specs)

    @property
    def look_back(self) -> int:
        """The longest look-back of the set, in rows."""
        return max(spec.look_back for spec in self.specs)

    def batch(self, inputs: Inputs) -> FloatArray:
        """Return the values of all rows, folded from the state before the first bar."""
        return self.fold(self.start(len(inputs.panel.symbols)), inputs)[1]

    def step(self, state: State, inputs: Inputs) -> tuple[State, FloatArray]:
        """Fold one row; returns the state after it and ``(n_symbols, n_features)`` values."""
        if len(inputs) != 1:
            raise ValueError(f"a step takes one row, got {len(inputs)}")
        after, values = self.fold(state, inputs)
        return after, values[0]
