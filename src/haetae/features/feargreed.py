"""Fear & greed of the Korean market, 0 (fear) to 100 (greed), from what the lake holds.

Each component is one number a day; it is ranked against its own trailing year (0-100, ties count
half), and the index is the mean of the ranks that exist that day. A missing component is left
out, the others take its weight, and ``present`` says so; it is never filled with a number.

============== =======================================================================
component      raw number, known after the close of its day
============== =======================================================================
momentum       log of the index over its 125-day mean
strength       symbols at a 52-week closing high minus low, share of those listed
breadth        won traded in rising minus falling symbols, share of all, mean 10 days
calm           minus the log of 20-day index volatility over its 120-day level
appetite       20-day return of the most volatile third minus the calmest third
foreign_flow   net won bought by foreigners as a share of turnover, mean 20 days
safe_haven     20-day return of the index minus that of bonds or gold
============== =======================================================================

The last two need inputs that daily bars do not hold; without them they are flagged as missing.
Modelled on the components of CNN's index; option ratios and credit spreads are not in the lake.
Not here: an intraday form, and any use of the index (a policy sees it in its ``View``).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.features.daily import index_return

Float64Array = NDArray[np.float64]

COMPONENTS: Final = ("momentum", "strength", "breadth", "calm", "appetite", "foreign_flow", "safe_haven")
WINDOW: Final = 252
"""Days a component is ranked against: its own trailing year, today included."""
MIN_HISTORY: Final = 60
"""Days of a component before its rank means anything; until then it counts as missing."""
_YEAR: Final = 252


@dataclass(frozen=True, slots=True, eq=False)
class FearGreed:
    """The index and its parts.

    Attributes
    ----------
    days : (n_days,) int32, yyyymmdd
    value : (n_days,) float64, 0-100
        NaN while no component has enough history. Known after the close of its day.
    ranks : (n_days, n_components) float64, 0-100, NaN where missing
    raw : (n_days, n_components) float64, NaN where missing
    """

    days: NDArray[np.int32]
    value: Float64Array
    ranks: Float64Array
    raw: Float64Array

    @property
    def present(self) -> BoolArray:
        """Which components entered each day, ``(n_days, n_components)``."""
        return np.isfinite(self.ranks)

    def missing(self, row: int = -1) -> tuple[str, ...]:
        """Return the names of the components that are missing on a row."""
        return tuple(name for name, here in zip(COMPONENTS, self.present[row], strict=True) if not here)

    def on(self, day: dt.date) -> float:
        """Return the newest finite value of a day not after ``day``; 50 (neither) if there is none."""
        known = np.flatnonzero((self.days <= day.year * 10_000 + day.month * 100 + day.day) & np.isfinite(self.value))
        return float(self.value[known[-1]]) if len(known) else 50.0

    def last_day(self) -> dt.date | None:
        """Return the day of the newest row, or None of an empty index."""
        return day_from(int(self.days[-1])) if len(self.days) else None


@njit(cache=True)
def _crowd(
    close: Float64Array, high: Int64Array, low: Int64Array, listed: Int64Array
) -> tuple[Float64Array, Float64Array]:
    # One symbol: counts its 52-week highs and lows into the day arrays; returns (volatility, return).
    days = len(close)
    volatility = np.full(days, np.nan)
    gain = np.full(days, np.nan)
    ret = np.zeros(days)
    first = 0
    while first < days and close[first] <= 0.0:
        first += 1
    for t in range(first + 1, days):
        ret[t] = math.log(close[t] / close[t - 1])
        if t - first >= 60:
            total, squares = 0.0, 0.0
            for k in range(t - 59, t + 1):
                total += ret[k]
                squares += ret[k] * ret[k]
            volatility[t] = math.sqrt(max(squares / 60.0 - total * total / 3600.0, 0.0))
            gain[t] = math.log(close[t] / close[t - 20])
        if t - first >= _YEAR - 1:
            listed[t] += 1
            top, bottom = 0.0, 1e18
            for k in range(t - _YEAR + 1, t):
                top = max(top, close[k])
                bottom = min(bottom, close[k])
            if close[t] > top:
                high[t] += 1
            elif close[t] < bottom:
                low[t] += 1
    return volatility, gain


def _trailing_mean(values: Float64Array, window: int) -> Float64Array:
    means = np.full(len(values), np.nan)
    if len(values) >= window:
        means[window - 1 :] = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return means


def _trailing_deviation(values: Float64Array, window: int) -> Float64Array:
    deviations = np.full(len(values), np.nan)
    if len(values) > window:
        views = np.lib.stride_tricks.sliding_window_view(values, window)
        deviations[window:] = views[1:].std(axis=1)
    return deviations


def trailing_rank(raw: Float64Array, window: int = WINDOW, least: int = MIN_HISTORY) -> Float64Array:
    """Return where each value stands among the last ``window`` finite-or-missing days, 0-100.

    Today is part of the window; equal values count half; NaN where today's value is missing or
    fewer than ``least`` values of the window are present. Uses nothing after the day.
    """
    ranks = np.full(len(raw), np.nan)
    for t in range(len(raw)):
        if math.isnan(raw[t]):
            continue
        past = raw[max(0, t - window + 1) : t + 1]
        past = past[np.isfinite(past)]
        if len(past) >= least:
            below = float((past < raw[t]).sum()) + 0.5 * float((past == raw[t]).sum())
            ranks[t] = 100.0 * below / len(past)
    return ranks


def _breadth(panel: Panel) -> Float64Array:
    close = panel.close.astype(np.float64)
    won = close[1:] * panel.volume[1:]
    direction = np.sign(close[1:] - close[:-1]) * (close[:-1] > 0)
    total = won.sum(axis=1)
    share = np.divide((won * direction).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    return _trailing_mean(np.concatenate([[0.0], share]), 10)


def _appetite(volatility: Float64Array, gain: Float64Array) -> Float64Array:
    spread = np.full(len(volatility), np.nan)
    for t in range(len(volatility)):
        known = np.isfinite(volatility[t])
        count = int(known.sum())
        if count >= 15:
            order = np.argsort(volatility[t][known], kind="stable")
            third = count // 3
            gains = gain[t][known][order]
            spread[t] = gains[-third:].mean() - gains[:third].mean()
    return spread


def build(
    panel: Panel,
    index_close: Int64Array | None = None,
    *,
    foreign_share: Float64Array | None = None,
    haven_return: Float64Array | None = None,
) -> FearGreed:
    """Return the index for every day of a daily panel.

    Parameters
    ----------
    panel : Panel
        Daily bars of the whole market; two years give full windows throughout.
    index_close : (n_days,) int64, points x 100, or None
        KOSPI closes, 0 for a missing day; None takes the equal-weight market of the panel.
    foreign_share : (n_days,) float64, optional
        Net buying of foreigners over turnover of the day, NaN where unknown.
    haven_return : (n_days,) float64, optional
        Daily log return of what people flee to (bonds, gold), NaN where unknown.
    """
    days = len(panel)
    moves = np.nan_to_num(index_return(panel, index_close))
    level = np.cumsum(moves)
    high, low, listed = (np.zeros(days, dtype=np.int64) for _ in range(3))
    volatility = np.full((days, len(panel.symbols)), np.nan)
    gain = np.full_like(volatility, np.nan)
    for s in range(len(panel.symbols)):
        volatility[:, s], gain[:, s] = _crowd(panel.close[:, s].astype(np.float64), high, low, listed)
    raw = np.full((days, len(COMPONENTS)), np.nan)
    raw[:, 0] = level - _trailing_mean(level, 125)
    raw[:, 1] = np.divide(high - low, listed, out=np.full(days, np.nan), where=listed >= 15)
    raw[:, 2] = _breadth(panel)
    recent, usual = _trailing_deviation(moves, 20), _trailing_deviation(moves, 120)
    raw[:, 3] = -np.log(np.divide(recent, usual, out=np.full(days, np.nan), where=(usual > 0) & (recent > 0)))
    raw[:, 4] = _appetite(volatility, gain)
    if foreign_share is not None:
        raw[:, 5] = _trailing_mean(foreign_share, 20)
    if haven_return is not None:
        raw[:, 6] = _trailing_mean(moves - haven_return, 20) * 20
    ranks = np.column_stack([trailing_rank(raw[:, c]) for c in range(len(COMPONENTS))])
    present = np.isfinite(ranks)
    counts = present.sum(axis=1)
    sums = np.where(present, ranks, 0.0).sum(axis=1)
    value = np.divide(sums, counts, out=np.full(days, np.nan), where=counts > 0)
    return FearGreed(panel.days, value, ranks, raw)
