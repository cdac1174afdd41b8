"""The last sixty days of each symbol, a few symbols side by side: what the sets over windows fold.

A fold takes ``LANES`` symbols at a time through all its days. ``days[series, row]`` holds one number of
each lane, so a loop over lanes is one instruction of the machine for several symbols, and every lane is
rounded as if it were alone. Windows are summed anew from the newest day backward: a value depends on the
last ``DEPTH`` days and on nothing before, and equals that of a short history to the last bit.

State of a symbol, ``WIDTH`` float64: the last ``DEPTH`` days of each kept series, oldest first, then the
number of days since its first trade. Before that trade all are zero. Shared by ``alpha`` and ``factors``.

A day without trade is a flat day with volume 0, as everywhere. Prices off their bar (a rounded
adjustment) are mended: the high is at least open and close, the low at most.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

LANES: Final = 64
DEPTH: Final = 60
CHUNK: Final = 60
"""Days taken in before the oldest are let go."""

CLOSE, HIGH, LOW, VOLUME = 0, 1, 2, 3
LOG_VOLUME, RETURN, VOLUME_CHANGE, PAIR, MOVED = 4, 5, 6, 7, 8
"""``log(1 + volume)``; simple return; ``log((volume / last + 1) / 2)``, 0 unless both days traded; whether both did;
``|return| volume``."""
TEN: Final = 9
"""The first of six series of sums over ten days (``together``): longer windows are sums of these."""
KEPT: Final = 15
OPEN: Final = 15
"""Only that of the newest day is ever read, so the state holds none."""
SERIES: Final = 16
COUNT: Final = KEPT * DEPTH
WIDTH: Final = COUNT + 1


def refuse_foreign(state: Float64Array, width: int, panel: Panel, name: str) -> None:
    """Raise ``DataError`` where a state is not one of the named set for as many symbols as the panel has."""
    expected = (len(panel.symbols), width)
    if state.shape != expected or state.dtype != np.float64:
        raise DataError(
            Text(
                ko=f"특징 집합 '{name}'의 상태가 아니거나 종목 수가 다릅니다",
                en=f"this is no state of the feature set '{name}', or one for other symbols",
            ),
            expected=f"{expected} float64",
            found=f"{state.shape} {state.dtype}",
            next_step=Text(
                ko="같은 종목으로 저장한 상태를 쓰거나 start(종목 수)에서 다시 접으세요",
                en="give the state that was saved for these symbols, or fold again from start(number of symbols)",
            ),
        )


def columns(panel: Panel) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return open, high, low, close and volume, each read-only and contiguous: one compiled fold serves all callers."""

    def plain(block: NDArray[Any]) -> Int64Array:
        column = np.ascontiguousarray(block, dtype=np.int64).view()
        column.flags.writeable = False
        return column

    return plain(panel.open), plain(panel.high), plain(panel.low), plain(panel.close), plain(panel.volume)


@njit(cache=True)
def clear(sums: Float64Array, rows: int) -> None:
    """Set the first rows of the sums to 0."""
    for row in range(rows):
        for s in range(LANES):
            sums[row, s] = 0.0


@njit(cache=True)
def load(state: Float64Array, first: int, lanes: int, days: Float64Array, count: Float64Array) -> None:
    """Lay the kept days of the lanes before row ``DEPTH``; lanes without a symbol are zero."""
    days[:] = 0.0
    count[:] = 0.0
    for s in range(lanes):
        kept = state[first + s]
        for series in range(KEPT):
            for row in range(DEPTH):
                days[series, row, s] = kept[series * DEPTH + row]
        count[s] = kept[COUNT]


@njit(cache=True)
def save(state: Float64Array, first: int, lanes: int, days: Float64Array, row: int, count: Float64Array) -> None:
    """Keep the ``DEPTH`` days that end with ``row``."""
    for s in range(lanes):
        kept = state[first + s]
        for series in range(KEPT):
            for back in range(DEPTH):
                kept[series * DEPTH + back] = days[series, row - DEPTH + 1 + back, s]
        kept[COUNT] = count[s]


@njit(cache=True)
def extend(
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    first: int,
    lanes: int,
    days: Float64Array,
    row: int,
    count: Float64Array,
) -> None:
    """Write one day of the lanes into ``row``; the arrays are that day's ``(n_symbols,)``."""
    for s in range(lanes):
        close = float(closes[first + s])
        if close <= 0.0:
            continue
        before, last = days[CLOSE, row - 1, s], days[VOLUME, row - 1, s]
        volume = float(volumes[first + s])
        opened = float(opens[first + s]) if opens[first + s] > 0 else close
        low = float(lows[first + s]) if lows[first + s] > 0 else close
        change = close / before - 1.0 if before > 0.0 else 0.0
        both = volume > 0.0 and last > 0.0
        days[OPEN, row, s] = opened
        days[CLOSE, row, s] = close
        days[HIGH, row, s] = max(float(highs[first + s]), max(opened, close))
        days[LOW, row, s] = min(low, min(opened, close))
        days[VOLUME, row, s] = volume
        days[LOG_VOLUME, row, s] = math.log(volume + 1.0)
        days[RETURN, row, s] = change
        days[VOLUME_CHANGE, row, s] = math.log((volume + last) / (2.0 * last)) if both else 0.0
        days[PAIR, row, s] = 1.0 if both else 0.0
        days[MOVED, row, s] = abs(change) * volume
        count[s] += 1.0


@njit(cache=True)
def next_row(days: Float64Array, row: int) -> int:
    """Return the row after ``row``; at the end the last ``DEPTH`` days move to the front first."""
    if row + 1 < DEPTH + CHUNK:
        return row + 1
    for series in range(KEPT):
        for back in range(DEPTH):
            for s in range(LANES):
                days[series, back, s] = days[series, CHUNK + back, s]
    return DEPTH


@njit(cache=True)
def tell(
    cells: FloatArray, count: Float64Array, look_back: Int64Array, first: int, lanes: int, out: FloatArray
) -> None:
    """Write the lanes' values of one day, ``out`` is ``(n_symbols, n_features)``; NaN until a look-back is filled."""
    for s in range(lanes):
        age = count[s] - 1.0
        row = out[first + s]
        if age >= DEPTH:
            for k in range(len(look_back)):
                row[k] = cells[k, s]
        else:
            for k in range(len(look_back)):
                row[k] = cells[k, s] if age >= look_back[k] else np.nan
