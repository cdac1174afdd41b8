"""Minute features of each symbol: one compiled fold, so that batch and live are the same numbers.

A feature value of bar ``t`` uses bars up to and including ``t`` and is known at the bar's end.
``step`` folds one bar of all symbols into the state; ``batch`` folds a whole panel. Both run the
same machine code, so they agree to the last bit, also across a restart from a saved state.

Conventions: symbols do not see one another. Rolling windows run on across days (an overnight gap
is one return); session features (VWAP, session position) restart when the minute of the session
does not grow. A bar without a trade counts as a flat bar with volume 0; before the first trade of
a symbol all its values are NaN and its state does not move. All features are free of scale: a
symbol at ten times the price gives the same values. NaN until a look-back is filled.

Not here: cross-sectional features and observations for policies (``policies``), daily features.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import MarketRuleError
from haetae.domain.learning import FeatureSpec
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, Instant, instant_at
from haetae.features import specs as _specs
from haetae.features.folds.blocks import plain
from haetae.features.sets import FeatureSet, Grain, Inputs, minutes_of
from haetae.krx.calendar import opens_at

FloatArray = NDArray[np.float32]
State = NDArray[np.float64]

SESSION_MINUTES: Final = 381
"""Rows of a regular session: 380 minutes to 15:20 and the closing auction."""


def _spec(name: str, inputs: str, look_back: int, unit: str) -> FeatureSpec:
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, "bar end", unit, "nan until filled")


SPECS: Final[tuple[FeatureSpec, ...]] = (
    _spec("ret_1m", "close", 1, "log return"),
    _spec("ret_5m", "close", 5, "log return"),
    _spec("ret_20m", "close", 20, "log return"),
    _spec("ret_60m", "close", 60, "log return"),
    _spec("volatility_20m", "close", 20, "log return, standard deviation of a minute"),
    _spec("volatility_ratio", "close", 60, "log of 20-bar volatility over its slow mean (380 bars)"),
    _spec("rsi_14", "close", 14, "-1..1, 0 is balance"),
    _spec("macd_hist", "close", 34, "share of price"),
    _spec("bollinger_z_20", "close", 20, "standard deviations of log price"),
    _spec("atr_14", "high low close", 14, "share of price"),
    _spec("vwap_distance", "high low close volume", 1, "log distance to the session's VWAP"),
    _spec("session_position", "high low close", 1, "-1 at the session low, 1 at its high"),
    _spec("bar_position", "high low close", 1, "-1 at the bar's low, 1 at its high"),
    _spec("day_return", "close", 381, "log return from the previous session's close"),
    _spec("volume_z", "volume", 20, "standard deviations of log volume (380-bar memory)"),
    _spec("time_of_day", "start", 1, "0 at the open, 1 at the closing auction"),
)
NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in SPECS)

# State columns. The ring of log closes starts at _RING and holds the last 61.
_COUNT, _MINUTE, _CLOSE, _LAST_SESSION_CLOSE = 0, 1, 2, 3
_MONEY, _VOLUME, _HIGH, _LOW = 4, 5, 6, 7
_GAIN, _LOSS, _FAST, _SLOW, _SIGNAL, _ATR = 8, 9, 10, 11, 12, 13
_LOGVOL_MEAN, _LOGVOL_VAR, _RET_VAR, _SESSIONS = 14, 15, 16, 17
_RING = 18
_DEPTH = 61
_WIDTH = _RING + _DEPTH
_SLOW_BARS = 380.0


def feature_hash() -> str:
    """Return the hash of this feature set; it travels with models trained on it."""
    return _specs.feature_hash(SPECS)


def init_state(n_symbols: int) -> State:
    """Return the state before the first bar: ``(n_symbols, width)`` float64, plain numbers only."""
    state = np.zeros((n_symbols, _WIDTH), dtype=np.float64)
    state[:, _MINUTE] = -1.0
    return state


def minute_of_session(start: Instant, open_at: Instant) -> int:
    """Return whole minutes from the session's open to a bar's start; 380 is the closing auction."""
    return (start - open_at) // NS_PER_MINUTE


@njit(cache=True)
def _average(before: float, value: float, seen: float, memory: float, alpha: float) -> float:
    # The plain mean while fewer than `memory` values were seen, the exponential mean after.
    return before + (value - before) * (1.0 / seen if seen <= memory else alpha)


@njit(cache=True)
def _back(row: State, place: int, bars: int) -> float:
    # The log close some bars before the one at `place` of the ring.
    spot = place - bars
    return row[_RING + (spot if spot >= 0 else spot + _DEPTH)]


@njit(cache=True)
def _bar(
    state: State,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    traded: BoolArray,
    minute: float,
    out: FloatArray,
) -> None:
    for s in range(closes.shape[0]):
        row = state[s]
        values = out[s]
        if row[_COUNT] == 0.0 and not traded[s]:
            values[:] = np.nan
            continue
        fresh = minute <= row[_MINUTE] or row[_COUNT] == 0.0
        previous = row[_CLOSE]
        if traded[s]:
            high, low, close = float(highs[s]), float(lows[s]), float(closes[s])
            volume = float(volumes[s])
        else:
            high, low, close, volume = previous, previous, previous, 0.0
        if fresh:
            if row[_COUNT] > 0.0:
                row[_LAST_SESSION_CLOSE] = previous
                row[_SESSIONS] += 1.0
            row[_MONEY], row[_VOLUME], row[_HIGH], row[_LOW] = 0.0, 0.0, high, low
        row[_MINUTE] = minute
        row[_CLOSE] = close
        row[_COUNT] += 1.0
        n = int(row[_COUNT])
        log_close = math.log(close)
        place = n % _DEPTH
        row[_RING + place] = log_close
        ret = log_close - _back(row, place, 1) if n > 1 else 0.0

        row[_MONEY] += (high + low + close) / 3.0 * volume
        row[_VOLUME] += volume
        row[_HIGH] = max(row[_HIGH], high)
        row[_LOW] = min(row[_LOW], low)

        if n > 1:
            moves = float(n - 1)
            change = close - previous
            row[_GAIN] = _average(row[_GAIN], max(change, 0.0), moves, 14.0, 1.0 / 14.0)
            row[_LOSS] = _average(row[_LOSS], max(-change, 0.0), moves, 14.0, 1.0 / 14.0)
            true_range = max(high, previous) - min(low, previous)
            row[_ATR] = _average(row[_ATR], true_range, moves, 14.0, 1.0 / 14.0)
            row[_RET_VAR] = _average(row[_RET_VAR], ret * ret, moves, _SLOW_BARS, 2.0 / (_SLOW_BARS + 1.0))
        row[_FAST] = _average(row[_FAST], close, float(n), 12.0, 2.0 / 13.0)
        row[_SLOW] = _average(row[_SLOW], close, float(n), 26.0, 2.0 / 27.0)
        macd = row[_FAST] - row[_SLOW]
        if n >= 26:
            row[_SIGNAL] = _average(row[_SIGNAL], macd, float(n - 25), 9.0, 2.0 / 10.0)
        log_volume = math.log1p(volume)
        surprise = log_volume - row[_LOGVOL_MEAN]
        spread = math.sqrt(row[_LOGVOL_VAR])
        row[_LOGVOL_MEAN] = _average(row[_LOGVOL_MEAN], log_volume, float(n), _SLOW_BARS, 2.0 / (_SLOW_BARS + 1.0))
        row[_LOGVOL_VAR] = _average(
            row[_LOGVOL_VAR],
            surprise * (log_volume - row[_LOGVOL_MEAN]),
            float(n),
            _SLOW_BARS,
            2.0 / (_SLOW_BARS + 1.0),
        )

        mean, square = 0.0, 0.0
        volatility = 0.0
        if n > 20:
            newest = log_close
            for k in range(20):
                older = _back(row, place, k + 1)
                step_return = newest - older
                mean += newest
                square += step_return * step_return
                newest = older
            mean /= 20.0
            drift = (log_close - newest) / 20.0
            volatility = math.sqrt(max(square / 20.0 - drift * drift, 0.0))
            variance = 0.0
            for k in range(20):
                distance = _back(row, place, k) - mean
                variance += distance * distance
            deviation = math.sqrt(variance / 20.0)
            values[4] = volatility
            values[8] = (log_close - mean) / deviation if deviation > 1e-12 else 0.0
        else:
            values[4] = np.nan
            values[8] = np.nan
        values[0] = ret if n > 1 else np.nan
        values[1] = log_close - _back(row, place, 5) if n > 5 else np.nan
        values[2] = log_close - _back(row, place, 20) if n > 20 else np.nan
        values[3] = log_close - _back(row, place, 60) if n > 60 else np.nan
        if n > 60:
            slow = math.sqrt(row[_RET_VAR])
            floor = 1e-5  # a tenth of a basis point: below it a symbol is simply not moving
            values[5] = math.log((volatility + floor) / (slow + floor))
        else:
            values[5] = np.nan
        total = row[_GAIN] + row[_LOSS]
        values[6] = np.nan if n <= 14 else ((row[_GAIN] - row[_LOSS]) / total if total > 0.0 else 0.0)
        values[7] = (macd - row[_SIGNAL]) / close if n >= 34 else np.nan
        values[9] = row[_ATR] / close if n > 14 else np.nan
        values[10] = math.log(close * row[_VOLUME] / row[_MONEY]) if row[_VOLUME] > 0.0 else 0.0
        width = row[_HIGH] - row[_LOW]
        values[11] = (2.0 * close - row[_HIGH] - row[_LOW]) / width if width > 0.0 else 0.0
        values[12] = (2.0 * close - high - low) / (high - low) if high > low else 0.0
        values[13] = math.log(close / row[_LAST_SESSION_CLOSE]) if row[_SESSIONS] > 0.0 else np.nan
        values[14] = np.nan if n <= 20 else (surprise / spread if spread > 1e-6 else 0.0)
        values[15] = minute / 380.0


@njit(cache=True)
def _fold(
    state: State,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    traded: BoolArray,
    minutes: Int64Array,
    out: FloatArray,
) -> None:
    for t in range(closes.shape[0]):
        _bar(state, highs[t], lows[t], closes[t], volumes[t], traded[t], float(minutes[t]), out[t])


def step(
    state: State,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    traded: BoolArray,
    minute: int,
) -> tuple[State, FloatArray]:
    """Fold one bar of all symbols.

    Parameters
    ----------
    state : (n_symbols, width) float64
        From ``init_state`` or an earlier ``step``; not changed.
    opens, highs, lows, closes : (n_symbols,) int64, won
        ``opens`` is part of the bar and used by no feature yet.
    volumes : (n_symbols,) int64, shares
    traded : (n_symbols,) bool
    minute : int
        Minute of the session of the bar's start (``minute_of_session``).

    Returns
    -------
    state : (n_symbols, width) float64
    values : (n_symbols, n_features) float32
        In the order of ``NAMES``; known at the bar's end.
    """
    width = (len(state),)
    after = state.copy()
    values = np.empty((len(state), len(NAMES)), dtype=np.float32)
    high, low, close, volume = (plain(c, np.int64, width) for c in (highs, lows, closes, volumes))
    _bar(after, high, low, close, volume, plain(traded, np.bool_, width), float(minute), values)
    return after, values


def fold(state: State, panel: Panel, minutes: Int64Array) -> tuple[State, FloatArray]:
    """Fold every bar of a panel; ``minutes`` is the minute of the session of each bar.

    Returns the state after the last bar and ``(n_bars, n_symbols, n_features)`` float32 values;
    row ``t`` is known at ``panel.end[t]``.
    """
    shape = (len(minutes), len(state))
    after = state.copy()
    values = np.empty((*shape, len(NAMES)), dtype=np.float32)
    high, low, close, volume = (plain(c, np.int64, shape) for c in (panel.high, panel.low, panel.close, panel.volume))
    clock = np.ascontiguousarray(minutes, dtype=np.int64)
    _fold(after, high, low, close, volume, plain(panel.traded, np.bool_, shape), clock, values)
    return after, values


def _opening(day: dt.date, first_bar: Instant) -> Instant:
    try:
        return instant_at(day, opens_at(day))
    except MarketRuleError:  # a day the exchange's calendar does not know, such as a made-up one
        return first_bar


def session_minutes(panel: Panel) -> Int64Array:
    """Return the minute of the session of every bar, counted from the opening of its day.

    A panel is expected to hold a row for every minute, as the feed delivers them. On days that
    are no trading days of the exchange the first bar counts as the opening.
    """
    minutes = np.zeros(len(panel), dtype=np.int64)
    for day, first, last in panel.sessions():
        opening = _opening(day, int(panel.start[first]))
        minutes[first:last] = (panel.start[first:last] - opening) // NS_PER_MINUTE
    return minutes


def batch(panel: Panel) -> FloatArray:
    """Return the features of a panel of whole sessions from an empty state, see ``fold``."""
    return fold(init_state(len(panel.symbols)), panel, session_minutes(panel))[1]


def _fold_inputs(state: State, inputs: Inputs) -> tuple[State, FloatArray]:
    return fold(state, inputs.panel, minutes_of(inputs))


SET: Final = FeatureSet("minute", Grain.MINUTE, SPECS, init_state, _fold_inputs)
"""This set beside the others; it reads bars and their minutes only."""
