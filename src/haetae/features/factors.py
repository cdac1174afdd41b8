"""The fourteen daily factors of workload Q: lines through closes, price with volume, the bar.

Thirteen of them are those of a published benchmark (Qlib's configurable LightGBM data set), the last is its
paper's example, the deviation of five closes over the close. Definitions, missing values and state are those
of the set ``alpha`` (its families say them), with the one window of fifteen days that ``alpha`` has not.
Known after the close of their day.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from haetae.domain.learning import FeatureSpec
from haetae.domain.market import Int64Array
from haetae.features import together, window
from haetae.features.moments import correlation, deviation, residual, rsquare
from haetae.features.sets import FeatureSet, FloatArray, Grain, Inputs, State
from haetae.features.window import (
    CHUNK,
    CLOSE,
    DEPTH,
    HIGH,
    LANES,
    LOG_VOLUME,
    LOW,
    MOVED,
    OPEN,
    SERIES,
    WIDTH,
    Float64Array,
)


def _spec(name: str, inputs: str, look_back: int, unit: str) -> FeatureSpec:
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, "session close", unit, "nan until filled")


SPECS: Final[tuple[FeatureSpec, ...]] = (
    _spec("resi_15", "close", 15, "distance of the newest close from the line, over close"),
    _spec("wvma_5", "close volume", 5, "deviation over mean of |return| x volume, 0 without a move"),
    _spec("rsqr_5", "close", 5, "share of variance on the line, NaN in a flat window"),
    _spec("klen", "open high low", 0, "range over open"),
    _spec("rsqr_10", "close", 10, "share of variance on the line, NaN in a flat window"),
    _spec("corr_5", "close volume", 5, "correlation of close and log volume, NaN where one does not vary"),
    _spec("cord_5", "close volume", 5, "correlation of return and log volume ratio, as in alpha"),
    _spec("corr_10", "close volume", 10, "correlation of close and log volume, NaN where one does not vary"),
    _spec("rsqr_20", "close", 20, "share of variance on the line, NaN in a flat window"),
    _spec("cord_60", "close volume", 60, "correlation of return and log volume ratio, as in alpha"),
    _spec("cord_10", "close volume", 10, "correlation of return and log volume ratio, as in alpha"),
    _spec("corr_20", "close volume", 20, "correlation of close and log volume, NaN where one does not vary"),
    _spec("klow", "open low close", 0, "lower shadow over open"),
    _spec("std_5", "close", 5, "sample standard deviation over close"),
)
_LOOK_BACK: Final = np.array([spec.look_back for spec in SPECS], dtype=np.int64)
_CELLS = len(SPECS)
_LINES = (5, 10, 15, 20)
_RSQR, _CORR = (2, 4, -1, 8), (5, 7, -1, 11)


@njit(cache=True, error_model="numpy")
def _lines(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    close, volume = days[CLOSE, row], days[LOG_VOLUME, row]
    total, squares, by_age, size, sizes, product = sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]
    window.clear(sums, 6)
    done = 0
    for k in range(len(_LINES)):
        for j in range(done, _LINES[k]):
            closes, volumes = days[CLOSE, row - j], days[LOG_VOLUME, row - j]
            age = float(j)
            for s in range(LANES):
                gap, surge = closes[s] - close[s], volumes[s] - volume[s]
                total[s] += gap
                squares[s] += gap * gap
                by_age[s] += age * gap
                size[s] += surge
                sizes[s] += surge * surge
                product[s] += gap * surge
        done = _LINES[k]
        n = float(done)
        if done == 15:
            for s in range(LANES):
                cells[0, s] = residual(total[s], by_age[s], n) / close[s]
            continue
        line, pair = cells[_RSQR[k]], cells[_CORR[k]]
        for s in range(LANES):
            line[s] = rsquare(total[s], squares[s], by_age[s], n)
            pair[s] = correlation(total[s], squares[s], size[s], sizes[s], product[s], n)
        if done == 5:
            for s in range(LANES):
                cells[13, s] = deviation(total[s], squares[s], n) / close[s]


@njit(cache=True)
def _changes(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    window.clear(sums, 6)
    together.add_days(days, row, 0, 5, sums)
    together.correlate(sums, 5.0, cells[6])
    together.add_days(days, row, 5, 10, sums)
    together.keep_ten(days, row, sums)
    together.correlate(sums, 10.0, cells[10])
    together.add_tens(days, row, 10, 60, sums)
    together.correlate(sums, 60.0, cells[9])


@njit(cache=True, error_model="numpy")
def _bar(days: Float64Array, row: int, sums: Float64Array, cells: FloatArray) -> None:
    moved, squares = sums[0], sums[1]
    window.clear(sums, 2)
    for j in range(5):
        moves = days[MOVED, row - j]
        for s in range(LANES):
            moved[s] += moves[s]
            squares[s] += moves[s] * moves[s]
    opens, highs, lows, closes = days[OPEN, row], days[HIGH, row], days[LOW, row], days[CLOSE, row]
    for s in range(LANES):
        opened, low, close = opens[s], lows[s], closes[s]
        spread = deviation(moved[s], squares[s], 5.0)
        cells[1, s] = spread * 5.0 / moved[s] if moved[s] > 0.0 else 0.0
        cells[3, s] = (highs[s] - low) / opened
        cells[12, s] = ((opened if opened < close else close) - low) / opened


@njit(cache=True)
def _fold(
    state: State,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    look_back: Int64Array,
    out: FloatArray,
) -> None:
    days = np.empty((SERIES, DEPTH + CHUNK, LANES))
    count, sums = np.empty(LANES), np.empty((6, LANES))
    cells = np.empty((_CELLS, LANES), dtype=np.float32)
    n_symbols = closes.shape[1]
    for first in range(0, n_symbols, LANES):
        lanes = min(LANES, n_symbols - first)
        window.load(state, first, lanes, days, count)
        row = DEPTH - 1
        for t in range(len(closes)):
            row = window.next_row(days, row)
            window.extend(opens[t], highs[t], lows[t], closes[t], volumes[t], first, lanes, days, row, count)
            _lines(days, row, sums, cells)
            _changes(days, row, sums, cells)
            _bar(days, row, sums, cells)
            window.tell(cells, count, look_back, first, lanes, out[t])
        window.save(state, first, lanes, days, row, count)


def start(n_symbols: int) -> State:
    """Return the state before the first bar, ``(n_symbols, window.WIDTH)`` float64."""
    return np.zeros((n_symbols, WIDTH))


def fold(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    """Fold daily bars; see ``FeatureSet.fold``. Of the inputs only the panel is read.

    Raises
    ------
    DataError
        If the state is not one of this set for the panel's symbols.
    """
    window.refuse_foreign(state, WIDTH, inputs.panel, "factors")
    after = state.copy()
    values = np.empty((len(inputs), len(state), _CELLS), dtype=np.float32)
    opens, highs, lows, closes, volumes = window.columns(inputs.panel)
    _fold(after, opens, highs, lows, closes, volumes, _LOOK_BACK, values)
    return after, values


SET = FeatureSet("factors", Grain.DAILY, SPECS, start, fold)
"""The factors of workload Q."""
