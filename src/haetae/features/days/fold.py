"""The daily fold: a symbol's rows through the families, then what needs all symbols.

Order of the columns: the families as they are listed here. A symbol's state does not move before its first bar and
its values are NaN until then; a day without a trade is a flat day with volume 0.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.features.days import flows, market, peers, prices, recursive, relations, tape, trading, volatility
from haetae.features.days.tape import AVERAGES, FOREIGN, HEAD, INDEX, INDIVIDUAL, INSTITUTION, PAST, SEEN
from haetae.features.sets import Float64Array, FloatArray, Inputs, State

SPECS: Final[tuple[FeatureSpec, ...]] = (
    *prices.SPECS,
    *volatility.SPECS,
    *trading.SPECS,
    *relations.SPECS,
    *flows.SPECS,
    *recursive.SPECS,
    *market.SPECS,
    *peers.SPECS,
)

# Where each family's columns begin.
_VOLATILITY = len(prices.SPECS)
_TRADING = _VOLATILITY + len(volatility.SPECS)
_RELATIONS = _TRADING + len(trading.SPECS)
_FLOWS = _RELATIONS + len(relations.SPECS)
_RECURSIVE = _FLOWS + len(flows.SPECS)
_MARKET = _RECURSIVE + len(recursive.SPECS)
_PEERS = _MARKET + len(market.SPECS)

_RANKED: Final = (
    prices.RET_20,
    _VOLATILITY + volatility.VOLATILITY_60,
    _TRADING + trading.TURNOVER_20,
)
"""The columns that are ranked in the sectors, in the order of ``peers.SPECS``."""
_DISTANCE = prices.DISTANCE_60
_TURNOVER = _TRADING + trading.TURNOVER_20
_ABOVE = _MARKET + market.BREADTH_ABOVE_60


@njit(cache=True)
def _symbols(
    state: State,
    opens: NDArray[np.int64],
    highs: NDArray[np.int64],
    lows: NDArray[np.int64],
    closes: NDArray[np.int64],
    volumes: NDArray[np.int64],
    index: Float64Array,
    foreign: Float64Array,
    institution: Float64Array,
    individual: Float64Array,
    breadth: Float64Array,
    out: FloatArray,
) -> None:
    n_rows, n_symbols = closes.shape
    strip = np.zeros((len(tape.DEPTHS), PAST + n_rows))
    with_flows = foreign.shape[0] == n_rows
    for s in range(n_symbols):
        row = state[s]
        tape.load(row, strip)
        written = 0
        top_at, bottom_at = -1, -1
        for r in range(n_rows):
            values = out[r, s]
            for k in range(len(values)):
                values[k] = np.nan
            if row[SEEN] == 0.0 and closes[r, s] <= 0:
                continue
            t = PAST + written
            age = int(row[SEEN])
            tape.write(
                strip, t, age, float(opens[r, s]), float(highs[r, s]), float(lows[r, s]), float(closes[r, s]),
                float(volumes[r, s]),
            )  # fmt: skip
            strip[INDEX, t] = index[r]
            strip[FOREIGN, t] = foreign[r, s] if with_flows else np.nan
            strip[INSTITUTION, t] = institution[r, s] if with_flows else np.nan
            strip[INDIVIDUAL, t] = individual[r, s] if with_flows else np.nan
            recursive.fill(row[AVERAGES:HEAD], strip, t, age, values[_RECURSIVE:_MARKET])
            if age > 0:
                prices.fill(strip, t, age, values[:_VOLATILITY])
                volatility.fill(strip, t, age, values[_VOLATILITY:_TRADING])
                trading.fill(strip, t, age, values[_TRADING:_RELATIONS])
                relations.fill(strip, t, age, values[_RELATIONS:_FLOWS])
                if with_flows:
                    flows.fill(strip, t, age, values[_FLOWS:_RECURSIVE])
                for k in range(_ABOVE - _MARKET):
                    values[_MARKET + k] = breadth[r, k]
            if age >= PAST:
                top_at = prices.highest(strip, t, top_at)
                bottom_at = prices.lowest(strip, t, bottom_at)
                prices.year_range(strip, t, values, top_at, bottom_at)
            row[SEEN] += 1.0
            written += 1
        tape.save(row, strip, PAST + written)


@njit(cache=True)
def _across(places: NDArray[np.int64], bounds: NDArray[np.int64], out: FloatArray) -> None:
    n_rows, n_symbols = out.shape[:2]
    active = np.zeros(n_symbols, dtype=np.bool_)
    values = np.zeros(n_symbols, dtype=np.float32)
    ranks = np.zeros(n_symbols, dtype=np.float32)
    for r in range(n_rows):
        for s in range(n_symbols):
            active[s] = out[r, s, _TURNOVER] > 0.0
            values[s] = out[r, s, _DISTANCE]
        above = market.share_above(values, active)
        for s in range(n_symbols):
            if not np.isnan(out[r, s, prices.RET_1]):
                out[r, s, _ABOVE] = above
        if len(places) == 0:
            continue
        for number in range(len(_RANKED)):
            for s in range(n_symbols):
                ranks[s] = np.nan
                values[s] = out[r, s, _RANKED[number]]
            peers.rank_row(values, active, places, bounds, ranks)
            for s in range(n_symbols):
                out[r, s, _PEERS + number] = ranks[s]


def _column(values: Any, kind: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    # Read-only and contiguous always: one compiled version of the fold serves whoever calls.
    column = np.ascontiguousarray(values, dtype=kind).reshape(shape).view()
    column.flags.writeable = False
    return column


def _market(state: State, inputs: Inputs) -> tuple[Float64Array, Float64Array]:
    """Fold the market's part of the state in place; return the index return and the breadths of each row."""
    panel, points = inputs.panel, inputs.index_close
    shape = panel.close.shape
    levels = _column(np.zeros(0) if points is None else points, np.float64, (0 if points is None else len(panel),))
    index, breadth = np.zeros(len(panel)), np.zeros((len(panel), _ABOVE - _MARKET))
    closes, volumes = (_column(block, np.int64, shape) for block in (panel.close, panel.volume))
    market.fold(state, closes, volumes, _column(panel.traded, np.bool_, shape), levels, index, breadth)
    return index, breadth


def reference(inputs: Inputs) -> Float64Array:
    """Return the index return of each row, ``(n_rows,)``; of the panel's own market where there is no index."""
    return _market(tape.start(len(inputs.panel.symbols)), inputs)[0]


def fold(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    """Fold rows of days; see ``sets.FeatureSet.fold``."""
    panel = inputs.panel
    shape = panel.close.shape
    after = state.copy()
    values = np.empty((*shape, len(SPECS)), dtype=np.float32)
    index, breadth = _market(after, inputs)
    opens, highs, lows, closes, volumes = (
        _column(block, np.int64, shape) for block in (panel.open, panel.high, panel.low, panel.close, panel.volume)
    )
    who = inputs.flows
    known = (0, 0) if who is None else shape
    net = (np.zeros(known),) * 3 if who is None else (who.foreign, who.institution, who.individual)
    foreign, institution, individual = (_column(block, np.float64, known) for block in net)
    _symbols(after, opens, highs, lows, closes, volumes, index, foreign, institution, individual, breadth, values)
    sectors = np.full(shape[1], -1, np.int64) if inputs.sectors is None else inputs.sectors
    _across(*peers.order_by_sector(np.asarray(sectors, dtype=np.int64)), values)
    return after, values
