"""All families over the rows: the fold of the set ``intraday`` and the set itself."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.features.folds.bars import BAR_ROWS, flat_bars
from haetae.features.folds.blocks import Block, FloatArray, Layout, State, apart, plain
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
from haetae.features.sets import FeatureSet, Float64Array, Grain, Inputs, minutes_of

_LAYOUT: Final = Layout()
_CLOCK: Final = _LAYOUT.take(2)
"""Two rows of one number each: bars folded so far, and the last bar's trading day."""
_BARS: Final = _LAYOUT.take(BAR_ROWS)
_PARTS: Final = tuple(
    slice(first, first + part.rows)
    for part in (prices.LAYOUT, flow.LAYOUT, context.LAYOUT)
    for first in (_LAYOUT.take(part.rows),)
)
_CELLS: Final = 800
"""Bars times symbols folded together: the blocks of a few folds stay in the processor's nearer memory."""


def start(n_symbols: int) -> State:
    """Return the state before the first bar, ``(rows, n_symbols)``."""
    return np.zeros((_LAYOUT.rows, n_symbols), dtype=np.float64)


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
    opened, high, low, close, volume = (
        plain(column, np.int64, shape) for column in (panel.open, panel.high, panel.low, panel.close, panel.volume)
    )
    traded = plain(panel.traded, np.bool_, shape)
    opens = openings(panel.days, int(after[_CLOCK + 1, 0]))
    began = int(after[_CLOCK, 0])
    block = max(_CELLS // shape[1], 1)
    for first in range(0, shape[0], block):
        part = slice(first, first + block)
        bars = flat_bars(after, _BARS, opened[part], high[part], low[part], close[part], volume[part], traded[part])
        beside = opens[part], traded[part], minutes[part], index[part], imbalance[part]
        _fold_block(after, began + first, bars, *beside, values[part])
    after[_CLOCK] += shape[0]
    after[_CLOCK + 1] = panel.days[-1]
    return after, values


def _fold_block(
    state: State,
    tick: int,
    bars: tuple[Block, ...],
    opens: Int64Array,
    traded: BoolArray,
    minutes: Int64Array,
    index: Float64Array,
    imbalance: Block,
    out: FloatArray,
) -> None:
    # The families are compiled one by one: all of them as one function would take minutes to compile.
    seen, before, opened, high, low, close, volume = bars
    price, deal, beyond = (state[part] for part in _PARTS)
    change, logs = apart(close, before), log_closes(seen, close)
    step, recent = fold_returns(price, tick, seen, logs, out)
    fold_volatility(price, tick, seen, step, opened, high, low, close, out)
    fold_oscillators(price, tick, seen, change, high, low, close, out)
    fold_bands(price, tick, seen, before, high, low, close, out)
    closed = fold_levels(price, tick, opens, traded, seen, before, opened, high, low, close, out)
    money, vwap = fold_volume(deal, tick, opens, seen, change, high, low, close, volume, out)
    fold_surprise(deal, tick, minutes, seen, step, volume, money, out)
    fold_illiquidity(deal, tick, traded, seen, step, money, out)
    fold_index(beyond, tick, index, seen, step, recent, out)
    fold_market(seen, before, close, closed, vwap, recent, out)
    fold_book(beyond, tick, seen, imbalance, out)
    write_clock(minutes, seen, out)


SET: Final = FeatureSet("intraday", Grain.MINUTE, SPECS, start, fold)


def _beside(state: State, inputs: Inputs) -> tuple[Int64Array, Float64Array, Float64Array]:
    # What lies beside the bars, whole: NaN where it is missing.
    shape = inputs.panel.close.shape
    rows = (shape[0],)
    minutes = minutes_of(inputs)
    index = np.full(rows, math.nan) if inputs.index_close is None else inputs.index_close
    imbalance = np.full(shape, math.nan) if inputs.imbalance is None else inputs.imbalance
    wanted = (
        ("index_close", index, rows),
        ("imbalance", imbalance, shape),
        ("state", state, (_LAYOUT.rows, shape[1])),
    )
    for name, found, fit in wanted:
        if found.shape != fit:
            raise _unfit(name, str(fit), str(found.shape))
    level = np.where(index > 0.0, index, math.nan)
    return (
        plain(minutes, np.int64, rows),
        plain(level, np.float64, rows),
        plain(imbalance, np.float64, shape),
    )


def _unfit(name: str, expected: str, found: str) -> DataError:
    return DataError(
        Text(
            ko=f"분봉 특징의 입력 {name}이(가) 봉과 맞지 않습니다",
            en=f"the input {name} of the minute features does not fit the bars",
        ),
        expected=expected,
        found=found,
        next_step=Text(ko="같은 봉에서 만든 입력과 상태를 주세요", en="give inputs and a state made for the same bars"),
    )
