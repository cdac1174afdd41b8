"""The indicators traders know, of a whole panel in one pass over its bars: arrays for strategies and research.

The folds of the feature sets, in the units of the field (won, shares, 0..100), with the conventions of TA-Lib, and NaN
until they begin. A bar without a trade is a flat bar with volume 0; before its first trade a symbol has no bars. Row
``t`` is known at ``panel.end[t]``. Not here: features free of scale, for models (``intraday``, ``minute``).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import StrategyError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.features.folds.bands import atr, atr_rows, bollinger, bollinger_rows, true_range
from haetae.features.folds.bars import BAR_ROWS, flat_bars
from haetae.features.folds.blocks import Layout, State, apart, constants, keep, plain
from haetae.features.folds.oscillators import MACD_ROWS, macd, rsi, rsi_rows, stochastic, stochastic_rows
from haetae.features.folds.sessions import openings
from haetae.features.folds.volume import OBV_ROWS, VWAP_ROWS, obv, session_vwap

Float64Array = NDArray[np.float64]

_CELLS = 1600
"""Bars times symbols folded together: the blocks of a few folds stay in the processor's nearest memory."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long each indicator looks back, in bars; ``bollinger_width`` is in deviations."""

    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    bollinger: int = 20
    bollinger_width: float = 2.0
    atr: int = 14
    stochastic: int = 14
    stochastic_slowing: int = 3
    stochastic_smoothing: int = 3

    def __post_init__(self) -> None:
        """Refuse a length that is no count of bars, and a fast average that is not the faster."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0 or (field.name != "bollinger_width" and value != int(value)):
                raise StrategyError(
                    Text(
                        ko=f"지표 길이 {field.name}이(가) 잘못되었습니다",
                        en=f"the indicator length {field.name} is wrong",
                    ),
                    expected=Text(ko="1 이상의 봉 수", en="a count of bars, at least 1"),
                    found=str(value),
                    next_step=Text(ko="Lengths에 올바른 값을 주세요", en="give Lengths a right value"),
                )
        if self.macd_fast >= self.macd_slow:
            raise StrategyError(
                Text(
                    ko="MACD의 빠른 평균이 느린 평균보다 길거나 같습니다",
                    en="the fast average of MACD is not the faster",
                ),
                expected="macd_fast < macd_slow",
                found=f"{self.macd_fast} >= {self.macd_slow}",
                next_step=Text(ko="두 길이를 바꾸세요", en="swap the two lengths"),
            )


USUAL = Lengths()


@dataclass(frozen=True, slots=True, eq=False)
class Indicators:
    """Indicators of a panel, each ``(n_bars, n_symbols)`` float64, NaN until it begins.

    ``rsi``, ``stochastic_k`` and ``stochastic_d`` run from 0 to 100; ``obv`` is in shares; the rest is in won.
    """

    rsi: Float64Array
    macd: Float64Array
    macd_signal: Float64Array
    macd_histogram: Float64Array
    bollinger_upper: Float64Array
    bollinger_middle: Float64Array
    bollinger_lower: Float64Array
    atr: Float64Array
    stochastic_k: Float64Array
    stochastic_d: Float64Array
    obv: Float64Array
    vwap: Float64Array


def indicators(panel: Panel, lengths: Lengths = USUAL, into: Indicators | None = None) -> Indicators:
    """Return RSI, MACD, Bollinger bands, ATR, Stochastic, OBV and the session's VWAP of every bar and symbol.

    The average of RSI and ATR is Wilder's, seeded by a plain mean; MACD's averages are seeded where the slow one
    begins; the deviation of Bollinger's bands divides by the number of bars; %K and %D are slow ones. A session is a
    trading day of the panel. A symbol that did not move has RSI 0 and %K 0.

    ``into`` is an earlier result for as many bars and symbols, whose arrays are written over and returned: a sweep over
    lengths then does not ask for new memory each time, which takes as long as the indicators themselves.

    Raises
    ------
    StrategyError
        Where ``into`` does not fit the panel.
    """
    shape = panel.close.shape
    layout, slow = Layout(), (lengths.stochastic, lengths.stochastic_slowing, lengths.stochastic_smoothing)
    rows = (BAR_ROWS, MACD_ROWS, stochastic_rows(*slow), OBV_ROWS, VWAP_ROWS)
    places = constants(*(layout.take(count) for count in rows))
    windows = constants(
        layout.window(rsi_rows, lengths.rsi),
        layout.window(bollinger_rows, lengths.bollinger),
        layout.window(atr_rows, lengths.atr),
    )
    trend = constants(lengths.macd_fast, lengths.macd_slow, lengths.macd_signal)
    state = np.zeros((layout.rows, shape[1]))
    high, low, close, volume = (
        plain(column, np.int64, shape) for column in (panel.high, panel.low, panel.close, panel.volume)
    )
    traded, opens = plain(panel.traded, np.bool_, shape), openings(panel.days, 0)
    result = into or Indicators(*np.empty((len(fields(Indicators)), *shape)))
    out = tuple(_fitting(getattr(result, field.name), shape) for field in fields(Indicators))
    block = max(_CELLS // max(shape[1], 1), 1)
    bars = (high, low, close, volume, traded, opens)
    _fold(state, places, windows, trend, constants(*slow), lengths.bollinger_width, bars, block, out)
    return result


def _fitting(column: Float64Array, shape: tuple[int, ...]) -> Float64Array:
    if column.shape != shape or column.dtype != np.float64 or not column.flags.c_contiguous:
        raise StrategyError(
            Text(ko="다시 쓸 지표 배열이 봉과 맞지 않습니다", en="the arrays to write over do not fit the bars"),
            expected=f"float64 {shape}",
            found=f"{column.dtype} {column.shape}",
            next_step=Text(
                ko="같은 봉의 결과를 into로 주거나 생략하세요",
                en="give into a result of the same bars, or leave it out",
            ),
        )
    return column


@njit(cache=True, error_model="numpy")
def _fold(
    state: State,
    places: Int64Array,
    windows: Int64Array,
    trend: Int64Array,
    slow: Int64Array,
    width: float,
    bars: tuple[Int64Array, Int64Array, Int64Array, Int64Array, BoolArray, Int64Array],
    block: int,
    out: tuple[Float64Array, ...],
) -> None:
    highs, lows, closes, volumes, deals, sessions = bars
    own, of_macd, of_stochastic, of_obv, of_vwap = places[0], places[1], places[2], places[3], places[4]
    both, smooth = trend[1] + trend[2] - 1.0, slow[0] + slow[1] + slow[2] - 2.0
    for tick in range(0, closes.shape[0], block):
        part = slice(tick, min(tick + block, closes.shape[0]))
        ended = closes[part]  # no indicator reads the open
        seen, before, _, high, low, close, volume = flat_bars(
            state, own, ended, highs[part], lows[part], ended, volumes[part], deals[part]
        )
        change = apart(close, before)
        keep(seen, windows[0, 1] + 1.0, rsi(state, windows[0], 0.0, seen, change), out[0][part])
        line, signal = macd(state, of_macd, trend, seen, close)
        keep(seen, both, line, out[1][part])
        keep(seen, both, signal, out[2][part])
        keep(seen, both, apart(line, signal), out[3][part])
        upper, middle, lower = bollinger(state, windows[1], tick, width, close)
        keep(seen, float(windows[1, 1]), upper, out[4][part])
        keep(seen, float(windows[1, 1]), middle, out[5][part])
        keep(seen, float(windows[1, 1]), lower, out[6][part])
        ranges = true_range(high, low, before)
        keep(seen, windows[2, 1] + 1.0, atr(state, windows[2], seen, ranges), out[7][part])
        slow_k, slow_d = stochastic(state, of_stochastic, slow, tick, 0.0, high, low, close)
        keep(seen, smooth, slow_k, out[8][part])
        keep(seen, smooth, slow_d, out[9][part])
        keep(seen, 1.0, obv(state, of_obv, seen, change, volume), out[10][part])
        keep(seen, 1.0, session_vwap(state, of_vwap, sessions[part], high, low, close, volume), out[11][part])
