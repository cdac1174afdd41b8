"""The declarations of the set ``intraday``, in column order, and the column of each name.

Look-backs are the rows before the newest that a first value needs. A window reaches no further; the recursive averages
(RSI, MACD, ATR, ADX) and what is usual at a minute remember more, forgetting it.
"""

from __future__ import annotations

from typing import Final

from haetae.domain.learning import FeatureSpec
from haetae.domain.market import Int64Array
from haetae.features.folds.blocks import constants
from haetae.features.minute import SESSION_MINUTES
from haetae.features.specs import REMEMBERS

FILLED: Final = "nan until filled"
SESSION: Final = "nan until the symbol traded; remembers the session so far"
USUAL: Final = "nan until five sessions saw the minute; remembers the sessions before, forgetting them"
MEMBERS: Final = "nan until filled; remembers which symbols had bars before"
NO_INDEX: Final = "nan until filled, and while the index is missing in its window"
NO_BOOK: Final = "nan until filled, and while the order book is missing in its window"
LEAST_SESSIONS: Final = 5
"""Sessions that must have seen a minute before anything is usual at it."""


def _spec(name: str, inputs: str, look_back: int, unit: str, missing: str = FILLED) -> FeatureSpec:
    return FeatureSpec(name, 1, tuple(inputs.split()), look_back, "bar end", unit, missing)


RETURNS: Final = (1, 3, 5, 10, 15, 30, 60, 120, 240)
SHORT, LONG = 30, 120
SLOPE, FAR_SLOPE = 60, 120
"""Bars of the relations to the index."""

_PRICES: Final = (
    *(_spec(f"ret_{bars}m", "close", bars, "log return") for bars in RETURNS),
    _spec("volatility_30m", "close", 30, "standard deviation of a minute's log return"),
    _spec("volatility_120m", "close", 120, "standard deviation of a minute's log return"),
    _spec("volatility_ratio_30_120m", "close", 120, "log of the short over the long volatility"),
    _spec("parkinson_30m", "high low", 29, "a minute's volatility from the ranges"),
    _spec("parkinson_120m", "high low", 119, "a minute's volatility from the ranges"),
    _spec("garman_klass_30m", "open high low close", 29, "a minute's volatility from the bars"),
    _spec("garman_klass_120m", "open high low close", 119, "a minute's volatility from the bars"),
    _spec("rsi_14m", "close", 14, "-1..1, 0 is balance", REMEMBERS),
    _spec("rsi_60m", "close", 60, "-1..1, 0 is balance", REMEMBERS),
    _spec("macd_line", "close", 25, "share of price, 12 and 26 bars", REMEMBERS),
    _spec("macd_signal", "close", 33, "share of price, 9 bars", REMEMBERS),
    _spec("macd_histogram", "close", 33, "share of price", REMEMBERS),
    _spec("bollinger_z_20m", "close", 19, "deviations from the mean, 0 where nothing moved"),
    _spec("bollinger_width_20m", "close", 19, "four deviations as a share of the mean"),
    _spec("atr_14m", "high low close", 14, "share of price", REMEMBERS),
    _spec("stochastic_k_14m", "high low close", 15, "-1..1, slow %K over 3 bars"),
    _spec("stochastic_d_14m", "high low close", 17, "-1..1, mean of 3 slow %K"),
    _spec("plus_di_14m", "high low close", 14, "0..1", REMEMBERS),
    _spec("minus_di_14m", "high low close", 14, "0..1", REMEMBERS),
    _spec("adx_14m", "high low close", 27, "0..1", REMEMBERS),
    _spec("bar_position", "high low close", 0, "-1 at the bar's low, 1 at its high"),
    _spec("range_position_20m", "high low close", 19, "-1 at the low of the bars, 1 at their high"),
    _spec("range_position_60m", "high low close", 59, "-1 at the low of the bars, 1 at their high"),
    _spec("range_position_240m", "high low close", 239, "-1 at the low of the bars, 1 at their high"),
    _spec("session_position", "high low close", 0, "-1 at the session's low, 1 at its high", SESSION),
    _spec("session_range", "high low", 0, "log of the session's high over its low so far", SESSION),
    _spec("gap", "open close", SESSION_MINUTES, "log of the session's first open over the close before it",
          "nan until the symbol traded in the session, and in its first session; remembers the session so far"),
    _spec("day_return", "close", SESSION_MINUTES, "log of close over the close of the session before",
          "nan in a symbol's first session"),
    _spec("session_return", "open close", 0, "log of close over the session's first open",
          "nan until the symbol traded in the session; remembers the session so far"),
)  # fmt: skip
_FLOW: Final = (
    _spec("obv_20m", "close volume", 20, "-1..1, volume signed by the close's move over volume"),
    _spec("obv_60m", "close volume", 60, "-1..1, volume signed by the close's move over volume"),
    _spec("vwap_distance", "high low close volume", 0, "log of close over the session's VWAP", SESSION),
    _spec("vwap_distance_60m", "high low close volume", 59, "log of close over the VWAP of the bars"),
    _spec("volume_z_60m", "volume", 59, "deviations of log volume, 0 where nothing moved"),
    _spec("turnover_z_60m", "high low close volume", 59, "deviations of log turnover, 0 where nothing moved"),
    _spec("volume_season", "volume start", LEAST_SESSIONS * SESSION_MINUTES, "log volume over what is usual then",
          USUAL),
    _spec("move_season", "close start", LEAST_SESSIONS * SESSION_MINUTES, "log |return| over what is usual then",
          USUAL),
    _spec("amihud_60m", "high low close volume", 60, "log of mean |return| a billion won, of bars that traded",
          "nan until filled, and where nothing traded in the window"),
    _spec("idle_60m", "traded", 59, "share of bars without a trade"),
)  # fmt: skip
_CONTEXT: Final = (
    _spec("beta_60m", "close index", 60, "slope on the index return", NO_INDEX),
    _spec("correlation_60m", "close index", 60, "with the index return", NO_INDEX),
    _spec("beta_120m", "close index", 120, "slope on the index return", NO_INDEX),
    _spec("correlation_120m", "close index", 120, "with the index return", NO_INDEX),
    _spec("relative_30m", "close index", 30, "log return over the index", NO_INDEX),
    _spec("breadth_1m", "close panel", 1, "-1..1, symbols that rose less those that fell", MEMBERS),
    _spec("breadth_day", "close panel", SESSION_MINUTES, "-1..1, symbols above their last session's close less below",
          "nan in the first session of all"),
    _spec("breadth_vwap", "close volume panel", 0, "-1..1, symbols above their session's VWAP less below", SESSION),
    _spec("panel_relative_30m", "close panel", 30, "log return over the mean of the panel", MEMBERS),
    _spec("book_imbalance", "imbalance", 0, "-1..1, more offered to -1, more bid to 1", NO_BOOK),
    _spec("book_imbalance_20m", "imbalance", 19, "-1..1, mean of the bars", NO_BOOK),
    _spec("time_of_day", "start", 0, "0 at the open, 1 at the closing auction"),
)  # fmt: skip

SPECS: Final[tuple[FeatureSpec, ...]] = (*_PRICES, *_FLOW, *_CONTEXT)
NAMES: Final[tuple[str, ...]] = tuple(spec.name for spec in SPECS)


def columns(*names: str) -> Int64Array:
    """Return the columns of some features."""
    return constants(*(NAMES.index(name) for name in names))
