"""The light path: every print of every name looked at as it comes, so that an escape waits for no minute's end.

``PriceWatch`` stands beside the desk, not in it: it remembers the newest prints and what each name cost a minute ago,
and makes a ``Glance`` of them when they would move the escape from where the desk has it. The desk decides anew from
the glance alone, so a replay needs no print; a glance too many changes nothing. Until the desk has answered, the watch
goes by what its glance will have done: each fall is told once, and the next one need not wait for the desk. Compiled;
a print costs some hundred nanoseconds. Times are those of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.events import Glance
from haetae.domain.market import Int64Array
from haetae.domain.units import NS_PER_SECOND, Instant, Symbol
from haetae.guards.asking import EscapeLevel, asked_of
from haetae.guards.escape import EscapeState, glimpse, name_rule, observe, open_escape
from haetae.guards.escape_settings import EscapeSettings
from haetae.guards.moves import DOUBTED, MINUTE_BP, OUT, anchor_of, confirmed, falls, spans_of

_SECONDS = 64
"""Seconds of prices that are kept: the minute that is looked back on, in a power of two."""
_AGO_S = 60
_EPSILON = 1e-6
"""Running sums differ from fresh ones by rounding; what lies this near a trigger (in bp) is summed afresh."""
_LAST, _BEFORE, _ANCHOR, _DOUBTED, _OUT, _LOWER, _UPPER, _SECOND, _BASE, _CLOSE = range(10)
_ROWS = 10
Float64Array = NDArray[np.float64]


class PriceWatch:
    """Newest prints of a session's names beside the escape as the desk has it.

    Attributes
    ----------
    glances : int
        How many were made.
    """

    def __init__(
        self, symbols: tuple[Symbol, ...], settings: EscapeSettings, lower: Int64Array, upper: Int64Array
    ) -> None:
        """Begin without a print; ``lower`` and ``upper`` are the day's limits, 0 where they are not known."""
        self.symbols = symbols
        self.glances = 0
        self._places = {symbol: place for place, symbol in enumerate(symbols)}
        self._settings = settings
        self._rule = name_rule(settings)
        self._sheet = np.zeros((_ROWS, len(symbols)), np.int64)
        self._sheet[_LOWER], self._sheet[_UPPER] = lower, upper
        self._sheet[_SECOND] = -1
        self._spans = np.zeros(len(symbols), np.float64)
        self._sums = np.zeros(2, np.float64)
        self._ring = np.zeros((_SECONDS, len(symbols)), np.int64)
        self._known: EscapeState | None = None
        self._foreseen: EscapeState | None = None
        self._trigger = 0.0

    def take(self, symbols: Sequence[Symbol], prices: Int64Array, at: Instant, escape: EscapeState) -> Glance | None:
        """Take prints in the order they came; return a glance where they would move the escape.

        Parameters
        ----------
        symbols, prices : of each print; names of another session are left out.
        escape : the desk's escape now; while it is the same object, the desk has not answered the glances made of it.
        """
        if escape is not self._known:
            self._known = escape
            self._refresh(escape)
        places = np.array([self._places.get(symbol, -1) for symbol in symbols], np.int64)
        loud = _take(
            self._sheet,
            self._ring,
            self._spans,
            self._sums,
            places,
            prices,
            at // NS_PER_SECOND,
            self._rule,
            self._trigger,
        )
        if not loud or not (loud & 1 or self._market_moves()):
            return None
        self.glances += 1
        sheet, ago = self._sheet, self._ring[(at // NS_PER_SECOND - _AGO_S) % _SECONDS]
        printed = sheet[_SECOND] >= at // NS_PER_SECOND - _AGO_S  # what did not print since stands where it stood
        glance = Glance(at, self.symbols, sheet[_LAST].copy(), sheet[_BEFORE].copy(), np.where(printed, ago, 0))
        assert self._foreseen is not None
        self._refresh(glimpse(self._foreseen, glance, self._settings))
        return glance

    def _market_moves(self) -> bool:
        """Whether the newest prices ask for a higher level than the desk will have; summed as the desk sums them."""
        state = self._foreseen
        assert state is not None
        window = state.closes
        first = max(0, len(window) - self._settings.window)
        prices = confirmed(self._sheet[_LAST], self._sheet[_BEFORE], window[-1])
        market_bp, middle_bp, _ = spans_of(window, prices, first)
        figures = state.figures._replace(market_bp=market_bp, middle_bp=middle_bp)
        return asked_of(figures, self._settings)[0] > state.level

    def _refresh(self, escape: EscapeState) -> None:
        """Take over what the desk knows, or will: anchors of the window, doubts, who is out, the level."""
        self._foreseen = escape
        window, sheet = escape.closes, self._sheet
        sheet[_DOUBTED], sheet[_OUT] = escape.names[DOUBTED], escape.names[OUT]
        sheet[[_ANCHOR, _BASE, _CLOSE]] = 0
        self._sums[:], self._spans[:] = 0.0, 0.0
        if not len(window) or escape.level is EscapeLevel.EXIT_ALL:
            self._trigger = -np.inf  # no higher level to ask for, or nothing to compare with
        else:
            self._trigger = _first_trigger(escape, self._settings)
        if len(window):
            first = max(0, len(window) - self._settings.window)
            _refresh(sheet, self._spans, self._sums, window, first, self._rule)


def make_ready(settings: EscapeSettings) -> None:
    """Run every loop of the light path once, beside the desk and in it: none may be compiled while a market falls."""
    state, nobody = open_escape(1), np.zeros(1, np.int64)
    for _ in range(2):
        state = observe(state, np.full(1, 1_000, np.int64), np.ones(1, np.bool_), settings)
    watch, made = PriceWatch(("000000",), settings, nobody, nobody), None
    for moment in range(3):
        made = watch.take(["000000"], np.array([1], np.int64), moment, state) or made
    assert made is not None
    glimpse(state, made, settings)


def _first_trigger(escape: EscapeState, settings: EscapeSettings) -> float:
    """Return the mildest mean return in bp that may raise the level from where it stands."""
    scale = settings.fear_scale if escape.figures.fear_greed < settings.fear_below else 1.0
    trigger = settings.market_bp[escape.level] * scale
    if escape.level < EscapeLevel.REDUCE and settings.falling_bp > trigger:
        loud = escape.figures.ratio >= settings.volatility_ratio[1] * scale
        loud = loud or escape.figures.vkospi_x100 >= settings.vkospi_x100[1]
        if loud or escape.figures.vkospi_jump_ppm >= settings.vkospi_jump_ppm[1]:
            trigger = settings.falling_bp
    return trigger + _EPSILON


@njit(cache=True)
def _refresh(
    sheet: Int64Array, spans: Float64Array, sums: Float64Array, window: Int64Array, first: int, rule: Int64Array
) -> None:
    """Set what prints are compared with, and the sum of what they say already."""
    last = len(window) - 1
    for s in range(sheet.shape[1]):
        sheet[_ANCHOR, s] = anchor_of(window[first:], s, rule[MINUTE_BP])
        sheet[_BASE, s], sheet[_CLOSE, s] = window[first, s], window[last, s]
        price = _mild(sheet, s) if sheet[_LAST, s] > 0 else window[last, s]
        if window[first, s] > 0 and price > 0:
            spans[s] = price / window[first, s] - 1.0
            sums[0] += spans[s]
            sums[1] += 1.0


@njit(cache=True)
def _mild(sheet: Int64Array, s: int) -> int:
    """Return the milder of a name's two newest prints, or of its only one and the last close."""
    return max(sheet[_LAST, s], sheet[_BEFORE, s] if sheet[_BEFORE, s] > 0 else sheet[_CLOSE, s])


@njit(cache=True)
def _take(
    sheet: Int64Array,
    ring: Int64Array,
    spans: Float64Array,
    sums: Float64Array,
    places: Int64Array,
    prices: Int64Array,
    second: int,
    rule: Int64Array,
    trigger: float,
) -> int:
    """Fold prints; return 1 where a name falls, 2 where the market's mean may move a level, 3 for both."""
    loud = 0
    for k in range(len(places)):
        s, price = places[k], prices[k]
        if s < 0 or price <= 0 or (sheet[_UPPER, s] > 0 and not sheet[_LOWER, s] <= price <= sheet[_UPPER, s]):
            continue
        before, since = sheet[_LAST, s], sheet[_SECOND, s]
        sheet[_BEFORE, s], sheet[_LAST, s], sheet[_SECOND, s] = before, price, max(second, since)
        if since >= 0:
            for gap in range(max(since + 1, second - _SECONDS + 1), second):
                ring[gap % _SECONDS, s] = ring[since % _SECONDS, s]
        ring[second % _SECONDS, s] = min(price, before) if before > 0 else price
        if before > 0 and not sheet[_OUT, s]:
            ago = ring[(second - _AGO_S) % _SECONDS, s]
            if falls(max(price, before), ago, sheet[_ANCHOR, s], sheet[_DOUBTED, s], rule):
                loud |= 1
        if sheet[_BASE, s] > 0:
            span = _mild(sheet, s) / sheet[_BASE, s] - 1.0
            sums[0] += span - spans[s]
            spans[s] = span
    if sums[1] > 0.0 and sums[0] / sums[1] * 10_000.0 <= trigger:
        loud |= 2
    return loud
