"""RSI, MACD, Stochastic and ADX as their authors and TA-Lib compute them, in the units of the field (0..100, won).

What each begins with, in bars seen: RSI ``bars + 1``; MACD ``slow``, its signal ``slow + signal - 1``; %K ``bars +
slowing - 1``, %D ``smoothing - 1`` later; DI ``bars + 1``, ADX ``2 * bars``. ``still`` is what RSI and %K say where
nothing moved: 0 in TA-Lib, 50 where the middle is meant. ADX stands still there, as in TA-Lib.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import Int64Array
from haetae.features.folds.averages import average_rows, ema, wilder
from haetae.features.folds.blocks import Block, State, Window
from haetae.features.folds.extremes import extreme_rows, highest, lowest
from haetae.features.folds.windows import mean, total_rows


def rsi_rows(bars: int) -> int:
    """Return the rows that ``rsi`` keeps."""
    return 2 * average_rows(bars)


@njit(cache=True, error_model="numpy")
def rsi(state: State, window: Window, still: float, seen: Block, change: Block) -> Block:
    """Return Wilder's relative strength index, 0..100, of the changes of the close."""
    at, bars = window[0], window[1]
    gain, loss = np.empty_like(change), np.empty_like(change)
    for t in range(change.shape[0]):
        for s in range(change.shape[1]):
            gain[t, s] = change[t, s] if change[t, s] > 0.0 else 0.0
            loss[t, s] = -change[t, s] if change[t, s] < 0.0 else 0.0
    up = wilder(state, (at, bars), bars + 1.0, seen, gain)
    down = wilder(state, (at + 1, bars), bars + 1.0, seen, loss)
    for t in range(change.shape[0]):
        for s in range(change.shape[1]):
            both = up[t, s] + down[t, s]
            up[t, s] = 100.0 * up[t, s] / both if both > 0.0 else still
    return up


MACD_ROWS = 3


@njit(cache=True, error_model="numpy")
def macd(state: State, at: int, lengths: Int64Array, seen: Block, close: Block) -> tuple[Block, Block]:
    """Return the MACD line and its signal, in the unit of the close; the line begins where the slow average does.

    ``lengths`` are those of the fast average, the slow one and the signal, in bars.
    """
    fast, slow, signal = lengths[0], lengths[1], lengths[2]
    line = ema(state, (at, fast), float(slow), seen, close)
    calm = ema(state, (at + 1, slow), float(slow), seen, close)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            line[t, s] -= calm[t, s]
    return line, ema(state, (at + 2, signal), slow + signal - 1.0, seen, line)


def stochastic_rows(bars: int, slowing: int, smoothing: int) -> int:
    """Return the rows that ``stochastic`` keeps."""
    return 2 * extreme_rows(bars) + total_rows(slowing) + total_rows(smoothing)


@njit(cache=True, error_model="numpy")
def stochastic(
    state: State,
    at: int,
    lengths: Int64Array,
    tick: int,
    still: float,
    high: Block,
    low: Block,
    close: Block,
) -> tuple[Block, Block]:
    """Return slow %K and %D, 0..100: where the close stands in the range of the last bars, smoothed by plain means.

    ``lengths`` are those of the range, of the mean that makes %K slow and of the mean that makes it %D, in bars.
    """
    bars, slowing, smoothing = lengths[0], lengths[1], lengths[2]
    top = highest(state, (at, bars), tick, high)
    bottom = lowest(state, (at + bars + 1, bars), tick, low)
    for t in range(close.shape[0]):
        for s in range(close.shape[1]):
            width = top[t, s] - bottom[t, s]
            top[t, s] = 100.0 * (close[t, s] - bottom[t, s]) / width if width > 0.0 else still
    smooth = at + 2 * (bars + 1)
    slow_k = mean(state, (smooth, slowing), tick, top)
    return slow_k, mean(state, (smooth + slowing + 1, smoothing), tick, slow_k)


def adx_rows(bars: int) -> int:
    """Return the rows that ``adx`` keeps."""
    return 4


@njit(cache=True, error_model="numpy")
def adx(
    state: State, window: Window, seen: Block, rise: Block, fall: Block, true_range: Block
) -> tuple[Block, Block, Block]:
    """Return +DI, -DI and ADX, 0..100.

    ``rise`` is how far the high lies above the high before, ``fall`` how far the low lies below the low before. As in
    TA-Lib the sums of Wilder begin with ``bars - 1`` values and then lose a share of themselves a bar.
    """
    at, bars = window[0], window[1]
    plus, minus = np.empty_like(rise), np.empty_like(rise)
    for t in range(rise.shape[0]):
        for s in range(rise.shape[1]):
            plus[t, s] = rise[t, s] if rise[t, s] > 0.0 and rise[t, s] > fall[t, s] else 0.0
            minus[t, s] = fall[t, s] if fall[t, s] > 0.0 and fall[t, s] > rise[t, s] else 0.0
    _lose_a_share(state, at, float(bars), seen, plus)
    _lose_a_share(state, at + 1, float(bars), seen, minus)
    ranges = true_range.copy()
    _lose_a_share(state, at + 2, float(bars), seen, ranges)
    for t in range(rise.shape[0]):
        for s in range(rise.shape[1]):
            scale = 100.0 / ranges[t, s] if ranges[t, s] > 0.0 else 0.0
            plus[t, s] *= scale
            minus[t, s] *= scale
    return plus, minus, _strength(state, at + 3, float(bars), seen, plus, minus)


@njit(cache=True, error_model="numpy")
def _lose_a_share(state: State, at: int, bars: float, seen: Block, values: Block) -> None:
    # Wilder's sums in place of the values: the first bar has none, the next `bars - 1` are added up.
    left = 1.0 - 1.0 / bars
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            before = 0.0 if seen[t, s] <= 2.0 else (state[at, s] * left if seen[t, s] > bars else state[at, s])
            state[at, s] = before + (values[t, s] if seen[t, s] >= 2.0 else 0.0)
            values[t, s] = state[at, s]


@njit(cache=True, error_model="numpy")
def _strength(state: State, at: int, bars: float, seen: Block, plus: Block, minus: Block) -> Block:
    out = np.empty_like(plus)
    share = 1.0 / bars
    for t in range(plus.shape[0]):
        for s in range(plus.shape[1]):
            both, gap = plus[t, s] + minus[t, s], plus[t, s] - minus[t, s]
            index = 100.0 * (gap if gap > 0.0 else -gap) / both if both > 0.0 else 0.0
            before = 0.0 if seen[t, s] <= bars + 1.0 else state[at, s]
            moved = (index - before) * share if seen[t, s] > 2.0 * bars else index
            held = (before + (moved if both > 0.0 else 0.0)) * (share if seen[t, s] == 2.0 * bars else 1.0)
            state[at, s] = held
            out[t, s] = held
    return out
