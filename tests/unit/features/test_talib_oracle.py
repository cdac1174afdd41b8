"""TA-Lib as the oracle of every fold it knows: the same numbers to 1e-9, beginning at the same bar.

Conversions: TA-Lib takes one symbol, 1-D float64 columns; its bars begin with the symbol's first trade, and bars
without a trade are handed over as the flat bars that the folds make of them. The features of ``intraday`` say the same
in units free of scale.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import talib

from haetae.features import minute
from haetae.features.folds import averages, bands, extremes, oscillators, windows
from haetae.features.indicators import Lengths, indicators
from haetae.features.intraday import SET
from haetae.features.sets import Inputs
from minute_inputs import minute_inputs

BARS, SYMBOLS = 700, 3


@pytest.fixture(scope="module")
def columns() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    close = np.round(50_000 * np.exp(np.cumsum(rng.normal(0, 1e-3, (BARS, SYMBOLS)), axis=0)) / 50) * 50
    close[300:340] = close[299]
    high, low = (np.round(close * (1 + way * rng.random(close.shape) * 1e-3)) for way in (1, -1))
    before = np.vstack([np.zeros(SYMBOLS), close[:-1]])
    seen = np.repeat(np.arange(1.0, BARS + 1)[:, None], SYMBOLS, axis=1)
    return {
        "close": close,
        "high": high,
        "low": low,
        "before": before,
        "change": close - before,
        "rise": high - np.vstack([np.zeros(SYMBOLS), high[:-1]]),
        "fall": np.vstack([np.zeros(SYMBOLS), low[:-1]]) - low,
        "seen": seen,
    }


def _agree(told: np.ndarray, oracle: object, columns: dict[str, np.ndarray], names: str, scale: float) -> None:
    for s in range(SYMBOLS):
        expected = oracle(*(np.ascontiguousarray(columns[name][:, s]) for name in names.split()))
        begins = int(np.argmax(np.isfinite(expected)))
        assert np.isnan(expected[:begins]).all()
        np.testing.assert_allclose(told[begins:, s], expected[begins:], rtol=1e-9, atol=scale * 1e-10)


def _state(rows: int) -> np.ndarray:
    return np.zeros((rows, SYMBOLS))


@pytest.mark.parametrize("bars", [2, 14, 60])
def test_sums_means_and_deviations(columns: dict[str, np.ndarray], bars: int) -> None:
    window, close = (0, bars), columns["close"]
    _agree(
        windows.total(_state(windows.total_rows(bars)), window, 0, close),
        lambda c: talib.SUM(c, bars),
        columns,
        "close",
        1e5,
    )
    _agree(
        windows.mean(_state(windows.total_rows(bars)), window, 0, close),
        lambda c: talib.SMA(c, bars),
        columns,
        "close",
        1e5,
    )
    _, variance = windows.spread(_state(windows.spread_rows(bars)), window, 0, close)
    # TA-Lib subtracts squares of prices, so its own variance is only good to 1e-16 of them.
    _agree(variance, lambda c: talib.VAR(c, bars), columns, "close", 1e10 * 1e-4)


@pytest.mark.parametrize("bars", [2, 14, 60])
def test_extremes(columns: dict[str, np.ndarray], bars: int) -> None:
    rows = extremes.extreme_rows(bars)
    for fold, oracle, name in ((extremes.highest, talib.MAX, "high"), (extremes.lowest, talib.MIN, "low")):
        _agree(fold(_state(rows), (0, bars), 0, columns[name]), lambda c, o=oracle: o(c, bars), columns, name, 0.0)


@pytest.mark.parametrize("bars", [2, 12, 26])
def test_exponential_averages(columns: dict[str, np.ndarray], bars: int) -> None:
    told = averages.ema(_state(1), (0, bars), float(bars), columns["seen"], columns["close"])
    _agree(told, lambda c: talib.EMA(c, bars), columns, "close", 1e5)


@pytest.mark.parametrize("bars", [2, 14, 60])
def test_relative_strength(columns: dict[str, np.ndarray], bars: int) -> None:
    state = _state(oscillators.rsi_rows(bars))
    told = oscillators.rsi(state, (0, bars), 0.0, columns["seen"], columns["change"])
    _agree(told, lambda c: talib.RSI(c, bars), columns, "close", 100.0)


def test_moving_average_convergence(columns: dict[str, np.ndarray]) -> None:
    state, lengths = _state(oscillators.MACD_ROWS), np.array([12, 26, 9])
    line, signal = oscillators.macd(state, 0, lengths, columns["seen"], columns["close"])
    for told, place in ((line, 0), (signal, 1), (line - signal, 2)):
        _agree(told, lambda c, k=place: talib.MACD(c, 12, 26, 9)[k], columns, "close", 1e2)


def test_bollinger_bands(columns: dict[str, np.ndarray]) -> None:
    told = bands.bollinger(_state(bands.bollinger_rows(20)), (0, 20), 0, 2.0, columns["close"])
    moving = columns["close"].copy()
    moving[300:345] += np.arange(45)[:, None] * 50  # in a flat window TA-Lib's subtraction leaves its rounding
    moved = bands.bollinger(_state(bands.bollinger_rows(20)), (0, 20), 0, 2.0, moving)
    for place in range(3):
        _agree(moved[place], lambda c, k=place: talib.BBANDS(c, 20, 2, 2)[k], {"close": moving}, "close", 1e5)
    assert (told[0][325:339] == told[1][325:339]).all()


@pytest.mark.parametrize("bars", [2, 14])
def test_true_ranges_and_their_average(columns: dict[str, np.ndarray], bars: int) -> None:
    ranges = bands.true_range(columns["high"], columns["low"], columns["before"])
    _agree(ranges, talib.TRANGE, columns, "high low close", 1e2)
    told = bands.atr(_state(1), (0, bars), columns["seen"], ranges)
    _agree(told, lambda h, low, c: talib.ATR(h, low, c, bars), columns, "high low close", 1e2)


@pytest.mark.parametrize("bars", [5, 14])
def test_stochastic(columns: dict[str, np.ndarray], bars: int) -> None:
    lengths = np.array([bars, 3, 3])
    state = _state(oscillators.stochastic_rows(bars, 3, 3))
    told = oscillators.stochastic(state, 0, lengths, 0, 0.0, columns["high"], columns["low"], columns["close"])
    for place in range(2):
        _agree(
            told[place],
            lambda h, low, c, k=place: talib.STOCH(h, low, c, bars, 3, 0, 3, 0)[k],
            columns,
            "high low close",
            100.0,
        )


@pytest.mark.parametrize("bars", [5, 14])
def test_directional_movement(columns: dict[str, np.ndarray], bars: int) -> None:
    ranges = bands.true_range(columns["high"], columns["low"], columns["before"])
    state = _state(oscillators.adx_rows(bars))
    told = oscillators.adx(state, (0, bars), columns["seen"], columns["rise"], columns["fall"], ranges)
    for values, oracle in zip(told, (talib.PLUS_DI, talib.MINUS_DI, talib.ADX), strict=True):
        _agree(values, lambda h, low, c, o=oracle: o(h, low, c, bars), columns, "high low close", 100.0)


def _flat(inputs: Inputs, symbol: int) -> tuple[int, list[np.ndarray]]:
    # The bars of one symbol as the folds see them: from its first trade, flat where nothing traded.
    panel = inputs.panel
    first = int(np.argmax(panel.traded[:, symbol]))
    traded = panel.traded[first:, symbol]
    last = np.maximum.accumulate(np.where(traded, np.arange(len(traded)), 0))
    close = panel.close[first:, symbol].astype(float)[last]
    before = np.concatenate([[0.0], close[:-1]])
    high, low = (np.where(traded, block[first:, symbol], before) for block in (panel.high, panel.low))
    return first, [high, low, close, np.where(traded, panel.volume[first:, symbol], 0).astype(float)]


@pytest.mark.parametrize("symbol", [0, 1, 2])
def test_the_features_say_what_talib_says_in_their_own_units(symbol: int) -> None:
    inputs = minute_inputs(31)
    first, (high, low, close, _) = _flat(inputs, symbol)
    values = dict(zip(SET.names, SET.batch(inputs)[first:, symbol].T, strict=True))
    line, signal, histogram = talib.MACD(close, 12, 26, 9)
    slow_k, slow_d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    moved = np.abs(np.diff(close, prepend=close[0]))
    for name, expected in {
        "rsi_14m": talib.RSI(close, 14) / 50 - 1,
        "rsi_60m": talib.RSI(close, 60) / 50 - 1,
        "macd_line": np.where(np.isnan(line), np.nan, line / close),
        "macd_signal": signal / close,
        "macd_histogram": histogram / close,
        "atr_14m": talib.ATR(high, low, close, 14) / close,
        "plus_di_14m": talib.PLUS_DI(high, low, close, 14) / 100,
        "minus_di_14m": talib.MINUS_DI(high, low, close, 14) / 100,
        "adx_14m": talib.ADX(high, low, close, 14) / 100,
    }.items():
        known = np.isfinite(expected)
        assert known.sum() > 100
        np.testing.assert_allclose(values[name][known], expected[known], rtol=2e-6, atol=1e-7, err_msg=name)
    # Where nothing moved within %K's reach TA-Lib says 0 and the feature the middle.
    lively = np.isfinite(slow_d) & (np.convolve(moved > 0, np.ones(17), "full")[: len(moved)] == 17)
    assert lively.sum() > 5
    np.testing.assert_allclose(values["stochastic_k_14m"][lively], slow_k[lively] / 50 - 1, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(values["stochastic_d_14m"][lively], slow_d[lively] / 50 - 1, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("symbol", [0, 1, 2])
def test_the_fused_pass_gives_what_talib_gives_symbol_by_symbol(symbol: int) -> None:
    inputs = minute_inputs(32)
    lengths = Lengths(rsi=10, macd_fast=6, macd_slow=13, macd_signal=5, bollinger=15, bollinger_width=1.5, atr=7)
    first, (high, low, close, volume) = _flat(inputs, symbol)
    told = indicators(inputs.panel, lengths)
    macd = talib.MACD(close, 6, 13, 5)
    upper, middle, lower = talib.BBANDS(close, 15, 1.5, 1.5)
    slow_k, slow_d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    for name, expected, scale in (
        ("rsi", talib.RSI(close, 10), 100.0),
        ("macd", macd[0], 1e3),
        ("macd_signal", macd[1], 1e3),
        ("macd_histogram", macd[2], 1e3),
        ("bollinger_upper", upper, 1e7),
        ("bollinger_middle", middle, 1e5),
        ("bollinger_lower", lower, 1e7),
        ("atr", talib.ATR(high, low, close, 7), 1e3),
        ("stochastic_k", slow_k, 100.0),
        ("stochastic_d", slow_d, 100.0),
        ("obv", talib.OBV(close, volume), 0.0),
    ):
        found = getattr(told, name)[:, symbol]
        assert np.isnan(found[:first]).all()
        np.testing.assert_array_equal(np.isnan(found[first:]), np.isnan(expected), err_msg=name)
        np.testing.assert_allclose(found[first:], expected, rtol=1e-9, atol=scale * 1e-10, err_msg=name)


def test_the_fused_pass_gives_the_volume_weighted_price_of_the_session() -> None:
    inputs = minute_inputs(33, quiet=0.3)
    told = indicators(inputs.panel).vwap[:, 0]
    first, (high, low, close, volume) = _flat(inputs, 0)
    days = inputs.panel.days[first:]
    for t in range(0, len(close), 7):
        own = (days == days[t]) & (np.arange(len(days)) <= t)
        shares = volume[own].sum()
        money = ((high + low + close) / 3 * volume)[own].sum()
        assert told[first + t] == pytest.approx(money / shares if shares else close[t], rel=1e-12)


def test_the_narrow_set_is_the_wide_one_where_both_say_the_same() -> None:
    inputs = dataclasses.replace(minute_inputs(34), index_close=None)
    narrow = dict(zip(minute.NAMES, np.moveaxis(minute.SET.batch(inputs), 2, 0), strict=True))
    wide = dict(zip(SET.names, np.moveaxis(SET.batch(inputs), 2, 0), strict=True))
    for ours, theirs in (("rsi_14", "rsi_14m"), ("ret_60m", "ret_60m"), ("atr_14", "atr_14m"), ("vwap_distance",) * 2):
        np.testing.assert_allclose(narrow[ours], wide[theirs], rtol=1e-4, atol=2e-6, err_msg=ours)
