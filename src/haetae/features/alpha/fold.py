"""The fold of the set ``alpha``: each day of each group of lanes through all families.

State: ``(n_symbols, window.WIDTH + order.ORDERED)`` float64, see ``window`` and ``order``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import Int64Array
from haetae.features import window
from haetae.features.alpha.bars import bars
from haetae.features.alpha.declared import LOOK_BACK, SPECS
from haetae.features.alpha.moves import prices, volumes
from haetae.features.alpha.order import ORDERED, extremes, quantiles
from haetae.features.alpha.pairs import changes, levels
from haetae.features.alpha.trend import trend
from haetae.features.alpha.volume import volume
from haetae.features.sets import FeatureSet, FloatArray, Grain, Inputs, State
from haetae.features.window import CHUNK, DEPTH, LANES, SERIES, WIDTH

_CELLS = len(SPECS)


@njit(cache=True)
def _fold(
    state: State,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    sizes: Int64Array,
    look_back: Int64Array,
    out: FloatArray,
) -> None:
    days = np.empty((SERIES, DEPTH + CHUNK, LANES))
    count, carry = np.empty(LANES), np.empty(LANES)
    sums, cells = np.empty((6, LANES)), np.empty((_CELLS, LANES), dtype=np.float32)
    ordered = np.empty((ORDERED, LANES))
    n_symbols = closes.shape[1]
    for first in range(0, n_symbols, LANES):
        lanes = min(LANES, n_symbols - first)
        window.load(state, first, lanes, days, count)
        for place in range(ORDERED):
            for s in range(LANES):
                ordered[place, s] = state[first + s, WIDTH + place] if s < lanes else 0.0
        row = DEPTH - 1
        for t in range(len(closes)):
            row = window.next_row(days, row)
            window.extend(opens[t], highs[t], lows[t], closes[t], sizes[t], first, lanes, days, row, count)
            bars(days, row, cells)
            trend(days, row, sums, cells)
            extremes(days, row, sums, cells)
            quantiles(days, row, ordered, carry, cells)
            levels(days, row, sums, cells)
            changes(days, row, sums, cells)
            prices(days, row, sums, cells)
            volume(days, row, sums, cells)
            volumes(days, row, sums, cells)
            window.tell(cells, count, look_back, first, lanes, out[t])
        window.save(state, first, lanes, days, row, count)
        for place in range(ORDERED):
            for s in range(lanes):
                state[first + s, WIDTH + place] = ordered[place, s]


def start(n_symbols: int) -> State:
    """Return the state before the first bar, ``(n_symbols, width)`` float64."""
    return np.zeros((n_symbols, WIDTH + ORDERED))


def fold(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    """Fold daily bars; see ``FeatureSet.fold``. Of the inputs only the panel is read.

    Raises
    ------
    DataError
        If the state is not one of this set for the panel's symbols.
    """
    window.refuse_foreign(state, WIDTH + ORDERED, inputs.panel, "alpha")
    after = state.copy()
    values = np.empty((len(inputs), len(state), _CELLS), dtype=np.float32)
    opens, highs, lows, closes, sizes = window.columns(inputs.panel)
    _fold(after, opens, highs, lows, closes, sizes, LOOK_BACK, values)
    return after, values


SET = FeatureSet("alpha", Grain.DAILY, SPECS, start, fold)
"""Alpha158-class daily features."""
