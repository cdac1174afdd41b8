"""Daily features of each symbol from its bars and an index; the columns the rankers learn from.

Every value of day ``t`` uses at most the last ``LOOK_BACK + 1`` rows up to and including ``t`` and
is known after the close of ``t`` (15:30 KST). Windows are summed anew from the newest day
backward, so the last row of a short panel equals the same row of a long one to the last bit:
the live side builds the newest row from a year of bars and gets the number research saw.

Only ratios of prices are used: adjusted prices change level when a later split is applied, their
returns do not. A day without trade is a flat day with volume 0. NaN until a look-back is filled.

Not here: cross-sectional ranks and scaling (``ml``), the mood of the market (``feargreed``).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.learning import FeatureSpec
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.features import specs as _specs

FloatArray = NDArray[np.float32]
Float64Array = NDArray[np.float64]

LOOK_BACK: Final = 252
"""Days before the newest that the longest feature reads: a trading year."""


def _spec(name: str, inputs: str, look_back: int, unit: str) -> FeatureSpec:
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, "session close", unit, "nan until filled")


SPECS: Final[tuple[FeatureSpec, ...]] = (
    _spec("ret_1", "close", 1, "log return"),
    _spec("ret_5", "close", 5, "log return"),
    _spec("ret_10", "close", 10, "log return"),
    _spec("ret_20", "close", 20, "log return"),
    _spec("ret_60", "close", 60, "log return"),
    _spec("ret_120", "close", 120, "log return"),
    _spec("momentum_12_1", "close", 252, "log return from 252 to 21 days ago"),
    _spec("volatility_20", "close", 20, "standard deviation of daily log return"),
    _spec("volatility_60", "close", 60, "standard deviation of daily log return"),
    _spec("volatility_120", "close", 120, "standard deviation of daily log return"),
    _spec("downside_60", "close", 60, "root mean square of negative log returns"),
    _spec("skew_60", "close", 60, "third standardised moment"),
    _spec("max_ret_20", "close", 20, "largest daily log return"),
    _spec("parkinson_20", "high low", 20, "daily volatility from the range"),
    _spec("garman_klass_20", "open high low close", 20, "daily volatility from the bar"),
    _spec("atr_14", "high low close", 14, "share of price"),
    _spec("rsi_14", "close", 14, "-1..1, plain sums (Cutler)"),
    _spec("stochastic_14", "high low close", 14, "-1..1"),
    _spec("bollinger_z_20", "close", 20, "standard deviations of log price"),
    _spec("trend_12_26", "close", 26, "log of the 12-day over the 26-day mean"),
    _spec("distance_60", "close", 60, "log of close over its 60-day mean"),
    _spec("high_252", "high close", 252, "log of close over the 52-week high"),
    _spec("low_252", "low close", 252, "log of close over the 52-week low"),
    _spec("gap_1", "open close", 1, "log of open over the last close"),
    _spec("overnight_20", "open close", 20, "mean log return from close to open"),
    _spec("intraday_20", "open close", 20, "mean log return from open to close"),
    _spec("turnover_20", "close volume", 20, "log of the mean won a day"),
    _spec("volume_5_60", "volume", 60, "log of the 5-day over the 60-day mean volume"),
    _spec("volume_z_20", "volume", 20, "standard deviations of log volume"),
    _spec("money_flow_20", "close volume", 20, "-1..1, volume signed by the day's direction"),
    _spec("amihud_20", "close volume", 20, "log of mean |return| per billion won"),
    _spec("idle_days_60", "volume", 60, "share of days without trade"),
    _spec("beta_120", "close index", 120, "slope on the index return"),
    _spec("correlation_60", "close index", 60, "with the index return"),
    _spec("residual_volatility_60", "close index", 60, "standard deviation left by the index"),
    _spec("relative_20", "close index", 20, "log return over the index"),
)
NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in SPECS)


def specs() -> tuple[FeatureSpec, ...]:
    """Return the declarations in column order."""
    return SPECS


def feature_hash() -> str:
    """Return the hash of this feature set; models carry it and are refused where it differs."""
    return _specs.feature_hash(SPECS)


@njit(cache=True)
def _deviation(total: float, squares: float, count: float) -> float:
    mean = total / count
    return math.sqrt(max(squares / count - mean * mean, 0.0))


@njit(cache=True)
def _symbol(
    opens: Float64Array,
    high: Float64Array,
    low: Float64Array,
    close: Float64Array,
    volume: Float64Array,
    index_ret: Float64Array,
    out: FloatArray,
) -> None:
    days = len(close)
    first = 0
    while first < days and close[first] <= 0.0:
        first += 1
    out[:, :] = np.nan
    if first == days:
        return
    log_close = np.zeros(days)
    log_volume = np.zeros(days)
    ret = np.zeros(days)
    night = np.zeros(days)
    within = np.zeros(days)
    reach = np.zeros(days)
    garman = np.zeros(days)
    true_range = np.zeros(days)
    for t in range(first, days):
        log_close[t] = math.log(close[t])
        log_volume[t] = math.log1p(volume[t])
        within[t] = math.log(close[t] / opens[t])
        span = math.log(high[t] / low[t])
        reach[t] = span * span
        garman[t] = 0.5 * span * span - (2.0 * math.log(2.0) - 1.0) * within[t] * within[t]
        if t > first:
            ret[t] = log_close[t] - log_close[t - 1]
            night[t] = math.log(opens[t] / close[t - 1])
            true_range[t] = (max(high[t], close[t - 1]) - min(low[t], close[t - 1])) / close[t]

    for t in range(first + 1, days):
        age = t - first
        row = out[t]
        row[0] = ret[t]
        row[23] = night[t]
        if age >= 5:
            row[1] = log_close[t] - log_close[t - 5]
        if age >= 10:
            row[2] = log_close[t] - log_close[t - 10]
        if age >= 14:
            ranges, gains, losses = 0.0, 0.0, 0.0
            top, bottom = high[t], low[t]
            for k in range(t - 13, t + 1):
                ranges += true_range[k]
                gains += max(ret[k], 0.0)
                losses += max(-ret[k], 0.0)
                top = max(top, high[k])
                bottom = min(bottom, low[k])
            row[15] = ranges / 14.0
            row[16] = (gains - losses) / (gains + losses) if gains + losses > 0.0 else 0.0
            row[17] = (2.0 * close[t] - top - bottom) / (top - bottom) if top > bottom else 0.0
        if age < 20:
            continue
        total, squares, best, nights, withins, park, gk = 0.0, 0.0, -1e9, 0.0, 0.0, 0.0, 0.0
        money, signed, shares, impact, active = 0.0, 0.0, 0.0, 0.0, 0
        price_sum, price_squares, volume_sum, volume_squares, against = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(20):
            k = t - j
            total += ret[k]
            squares += ret[k] * ret[k]
            best = max(best, ret[k])
            nights += night[k]
            withins += within[k]
            park += reach[k]
            gk += garman[k]
            won = close[k] * volume[k]
            money += won
            shares += volume[k]
            signed += volume[k] if ret[k] > 0.0 else (-volume[k] if ret[k] < 0.0 else 0.0)
            if won > 0.0:
                impact += abs(ret[k]) / (won * 1e-9)
                active += 1
            gap = log_close[k] - log_close[t]
            price_sum += gap
            price_squares += gap * gap
            volume_sum += log_volume[k]
            volume_squares += log_volume[k] * log_volume[k]
            against += ret[k] - index_ret[k]
        row[3] = log_close[t] - log_close[t - 20]
        row[7] = _deviation(total, squares, 20.0)
        row[12] = best
        row[13] = math.sqrt(park / (20.0 * 4.0 * math.log(2.0)))
        row[14] = math.sqrt(max(gk / 20.0, 0.0))
        spread = _deviation(price_sum, price_squares, 20.0)
        row[18] = -price_sum / 20.0 / spread if spread > 1e-9 else 0.0
        row[24] = nights / 20.0
        row[25] = withins / 20.0
        row[26] = math.log(money / 20.0 + 1.0)
        spread = _deviation(volume_sum, volume_squares, 20.0)
        row[28] = (log_volume[t] - volume_sum / 20.0) / spread if spread > 1e-9 else 0.0
        row[29] = signed / shares if shares > 0.0 else 0.0
        if active > 0:
            row[30] = math.log(impact / active + 1e-9)
        row[35] = against
        if age >= 26:
            short, long = 0.0, 0.0
            for j in range(26):
                long += close[t - j]
                if j == 11:
                    short = long
            row[19] = math.log(short / 12.0 / (long / 26.0))
        if age < 60:
            continue
        total, squares, cubes, below, idle = 0.0, 0.0, 0.0, 0.0, 0
        prices, volumes, recent = 0.0, 0.0, 0.0
        x, xx, xy = 0.0, 0.0, 0.0
        reaches_120 = age >= 120
        for j in range(120 if reaches_120 else 60):
            k = t - j
            total += ret[k]
            squares += ret[k] * ret[k]
            x += index_ret[k]
            xx += index_ret[k] * index_ret[k]
            xy += index_ret[k] * ret[k]
            if j < 60:
                cubes += ret[k] * ret[k] * ret[k]
                below += min(ret[k], 0.0) * min(ret[k], 0.0)
                idle += 1 if volume[k] <= 0.0 else 0
                prices += close[k]
                volumes += volume[k]
            if j == 4:
                recent = volumes
            if j == 59:
                mean = total / 60.0
                spread = _deviation(total, squares, 60.0)
                row[4] = log_close[t] - log_close[t - 60]
                row[8] = spread
                row[10] = math.sqrt(below / 60.0)
                third = cubes / 60.0 - 3.0 * mean * squares / 60.0 + 2.0 * mean * mean * mean
                row[11] = third / (spread * spread * spread) if spread > 1e-6 else 0.0
                row[20] = math.log(close[t] / (prices / 60.0))
                row[27] = math.log((recent / 5.0 + 1.0) / (volumes / 60.0 + 1.0))
                row[31] = idle / 60.0
                cov = xy / 60.0 - x / 60.0 * mean
                index_var = xx / 60.0 - x / 60.0 * x / 60.0
                if index_var > 1e-12:
                    bound = spread * math.sqrt(index_var)
                    row[33] = cov / bound if bound > 1e-12 else 0.0
                    row[34] = math.sqrt(max(spread * spread - cov * cov / index_var, 0.0))
        if not reaches_120:
            continue
        row[5] = log_close[t] - log_close[t - 120]
        row[9] = _deviation(total, squares, 120.0)
        index_var = xx / 120.0 - x / 120.0 * x / 120.0
        if index_var > 1e-12:
            row[32] = (xy / 120.0 - x / 120.0 * total / 120.0) / index_var
        if age >= 252:
            top, bottom = high[t], low[t]
            for k in range(t - 251, t + 1):
                top = max(top, high[k])
                bottom = min(bottom, low[k])
            row[6] = log_close[t - 21] - log_close[t - 252]
            row[21] = math.log(close[t] / top)
            row[22] = math.log(close[t] / bottom)


def market_return(panel: Panel) -> Float64Array:
    """Return the equal-weight log return of each day over symbols that traded, ``(n_days,)``.

    The stand-in where the lake has no index. Single returns are cut at the ±30 % limit, so one
    resumption after a capital reduction does not move the market. 0 where nothing traded.
    """
    close = panel.close.astype(np.float64)
    both = (close[1:] > 0) & (close[:-1] > 0) & panel.traded[1:]
    ratio = np.where(both, close[1:], 1.0) / np.where(both, close[:-1], 1.0)
    moves = np.clip(np.log(ratio), math.log(0.7), math.log(1.3))
    counts = both.sum(axis=1)
    means = np.divide(moves.sum(axis=1), counts, out=np.zeros(len(counts)), where=counts > 0)
    return np.concatenate([[0.0], means])


def index_return(panel: Panel, index_close: Int64Array | None) -> Float64Array:
    """Return the daily log return of the index on the panel's days; NaN where a close is missing.

    ``index_close`` is ``(n_days,)`` points x 100 with 0 for a missing day, or None for the
    equal-weight market of the panel itself.
    """
    if index_close is None:
        return market_return(panel)
    points = index_close.astype(np.float64)
    points[points <= 0] = np.nan
    return np.concatenate([[0.0], np.diff(np.log(points))])


def build(panel: Panel, index_close: Int64Array | None = None) -> FloatArray:
    """Return daily features, ``(n_days, n_symbols, n_features)`` float32 in the order of ``NAMES``.

    Parameters
    ----------
    panel : Panel
        Daily bars, one row a trading day; prices may be adjusted.
    index_close : (n_days,) int64, points x 100, or None
        See ``index_return``.
    """
    values = np.empty((len(panel), len(panel.symbols), len(NAMES)), dtype=np.float32)
    reference = index_return(panel, index_close)
    column = np.empty((len(panel), len(NAMES)), dtype=np.float32)
    for s in range(len(panel.symbols)):
        close = panel.close[:, s].astype(np.float64)
        opens, high, low = (
            np.where(block[:, s] > 0, block[:, s], close).astype(np.float64)
            for block in (panel.open, panel.high, panel.low)
        )
        high = np.maximum(high, np.maximum(opens, close))
        low = np.minimum(low, np.minimum(opens, close))
        _symbol(opens, high, low, close, panel.volume[:, s].astype(np.float64), reference, column)
        values[:, s] = column
    return values
