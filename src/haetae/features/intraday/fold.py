"""All families over the rows: the fold of the set ``intraday`` and the set itself."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.bars import BAR_ROWS, changes, flat_bars
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, plain
from haetae.features.folds.sessions import openings
from haetae.features.intraday import context, flow, prices
from haetae.features.intraday.columns import SPECS
from haetae.features.intraday.context import fold_book, fold_index, fold_market, write_clock
from haetae.features.intraday.flow import fold_illiquidity, fold_surprise, fold_volume
from haetae.features.intraday.prices import (
    fold_bands,
    fold_levels,
    fold_oscillators,
    fold_returns,
    fold_volatility,
    log_closes,
)
from haetae.features.sets import FeatureSet, Float64Array, Grain, Inputs

_LAYOUT: Final = Layout()
_CLOCK: Final = _LAYOUT.take(2)
"""Two rows of one number each: bars folded so far, and the last bar's trading day."""
_BARS: Final = _LAYOUT.take(BAR_ROWS)
_PRICES: Final = _LAYOUT.take(prices.LAYOUT.rows)
_FLOW: Final = _LAYOUT.take(flow.LAYOUT.rows)
_CONTEXT: Final = _LAYOUT.take(context.LAYOUT.rows)
_CELLS: Final = 800
"""Bars times symbols folded together: the blocks of a few folds stay in the processor's nearer memory."""


def start(n_symbols: int) -> State:
    """Return the state before the first bar, ``(rows, n_symbols)``.

    The first bars have no session before them and no index level, which is NaN, not zero.
    """
    state = np.zeros((_LAYOUT.rows, n_symbols), dtype=np.float64)
    return state


def fold(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    """Fold rows of minute bars; see ``FeatureSet.fold``.

    Raises
    ------
    DataError
        Where ``inputs.minutes`` is missing, or an input or the state has not the shape of the panel.
    """
    panel = inputs.panel
    shape = panel.close.shape
    minutes, index, imbalance = _beside(state, inputs)
    after = state.copy()
    values = np.empty((*shape, len(SPECS)), dtype=np.float32)
    if not values.size:
        return after, values
    columns = [plain(block, np.int64, shape) for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)]
    traded = plain(panel.traded, np.bool_, shape)
    opens = openings(panel.days, int(after[_CLOCK + 1, 0]))
    block = max(_CELLS // shape[1], 1)
    _fold(after, *columns, traded, opens, minutes, index, imbalance, block, values)
    after[_CLOCK] += shape[0]
    after[_CLOCK + 1] = panel.days[-1]
    return after, values


SET: Final = FeatureSet("intraday", Grain.MINUTE, SPECS, start, fold)


def _beside(state: State, inputs: Inputs) -> tuple[Int64Array, Float64Array, Float64Array]:
    # What lies beside the bars, whole: NaN where it is missing.
    shape = inputs.panel.close.shape
    rows = (shape[0],)
    if inputs.minutes is None:
        raise _unfit("minutes", "minute.session_minutes(panel)", "None")
    index = np.full(rows, math.nan) if inputs.index_close is None else inputs.index_close
    imbalance = np.full(shape, math.nan) if inputs.imbalance is None else inputs.imbalance
    wanted = {"minutes": (inputs.minutes, rows), "index_close": (index, rows), "imbalance": (imbalance, shape)}
    wanted["state"] = (state, (_LAYOUT.rows, shape[1]))
    for name, (found, fit) in wanted.items():
        if found.shape != fit:
            raise _unfit(name, str(fit), str(found.shape))
    level = np.where(index > 0.0, index, math.nan)
    return (
        plain(inputs.minutes, np.int64, rows),
        plain(level, np.float64, rows),
        plain(imbalance, np.float64, shape),
    )


def _unfit(name: str, expected: str, found: str) -> DataError:
    return DataError(
        Text(ko=f"분봉 특징의 입력 {name}이(가) 봉과 맞지 않습니다", en=f"the input {name} of the minute features does not fit the bars"),
        expected=expected,
        found=found,
        next_step=Text(ko="같은 봉에서 만든 입력과 상태를 주세요", en="give inputs and a state made for the same bars"),
    )


@njit(cache=True, error_model="numpy")
def _fold(
    state: State,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    deals: BoolArray,
    sessions: Int64Array,
    clock: Int64Array,
    levels: Float64Array,
    imbalances: Block,
    block: int,
    values: FloatArray,
) -> None:
    began = int(state[_CLOCK, 0])
    for first in range(0, closes.shape[0], block):
        part = slice(first, min(first + block, closes.shape[0]))
        tick, out = began + first, values[part]
        fresh, traded, minutes = sessions[part], deals[part], clock[part]
        seen, before, opened, high, low, close, volume = flat_bars(
            state, _BARS, opens[part], highs[part], lows[part], closes[part], volumes[part], traded
        )
        change, logs = changes(before, close), log_closes(seen, close)
        step, month = fold_returns(state, _PRICES, tick, seen, logs, out)
        fold_volatility(state, _PRICES, tick, seen, step, opened, high, low, close, out)
        fold_oscillators(state, _PRICES, tick, seen, change, high, low, close, out)
        fold_bands(state, _PRICES, tick, seen, before, high, low, close, out)
        closed = fold_levels(state, _PRICES, tick, fresh, traded, seen, before, opened, high, low, close, out)
        money, vwap = fold_volume(state, _FLOW, tick, fresh, seen, change, high, low, close, volume, out)
        fold_surprise(state, _FLOW, tick, minutes, seen, step, volume, money, out)
        fold_illiquidity(state, _FLOW, tick, traded, seen, step, money, out)
        index = np.empty_like(close)
        for t in range(close.shape[0]):
            index[t, :] = levels[part][t]
        fold_index(state, _CONTEXT, tick, index, seen, step, month, out)
        fold_market(seen, before, close, closed, vwap, month, out)
        fold_book(state, _CONTEXT, tick, seen, imbalances[part], out)
        write_clock(minutes, seen, out)
