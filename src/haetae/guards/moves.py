"""What the volatility escape measures, compiled: it looks at every name, every minute, and between minutes at prints.

Here: the arithmetic alone. Not here: what follows from it (`escape`). Prices are won, falls of one name are compared in
whole numbers, moves are plain returns.

A fall of one name is never believed at once: a minute's close is one print. Its first sight sets the price the fall
stands at (``DOUBTED``); it counts when the next look at which the name traded is at that price or below. Of a glance
the milder of the two newest prints is taken, so it is confirmed by itself.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.decisions import FloatArray
from haetae.domain.market import BoolArray, Int64Array

Float64Array = NDArray[np.float64]
_BP = 10_000
_PPM = 1_000_000.0

NAME_ROWS = 5
DOUBTED, LEFT_AT, LEFT, QUIET, OUT = range(NAME_ROWS)
"""Rows of what is remembered of each name: the price an unconfirmed fall stands at, the price of its newest escape, its
escapes today, calm minutes since, whether it is out now."""


RULES = 9
MINUTE_BP, WINDOW_BP, FALLING_BP, RATIO_X100, FLOOR_PPM, MOST, CALM_MINUTES, CALM_X100, REARM_BP = range(RULES)
"""Places of what is asked of one name, in whole numbers: bp, hundredths, ppm, counts."""


@njit(cache=True)
def _lower(price: int, bp: int) -> int:
    """Return the highest whole price at or under which something stands ``bp`` away from ``price``."""
    return price * (_BP + bp) // _BP


@njit(cache=True)
def anchor_of(window: Int64Array, s: int, minute_bp: int) -> int:
    """Return the price a fall over the window begins at: a first close that stood alone above the next is none."""
    oldest = window[0, s]
    if oldest > 0 and len(window) > 2 and 0 < window[1, s] <= _lower(oldest, minute_bp):
        return window[1, s]
    return oldest


@njit(cache=True)
def _leave(names: Int64Array, s: int, price: int) -> None:
    names[OUT, s] = 1
    names[LEFT, s] += 1
    names[LEFT_AT, s] = price
    names[QUIET, s] = 0
    names[DOUBTED, s] = 0


@njit(cache=True)
def _restless(window: Int64Array, s: int, usual_ppm: int, floor_ppm: int) -> int:
    """Return a name's mean absolute minute return over its usual one in hundredths, -1 where none is known."""
    if usual_ppm <= 0:
        return -1
    total, counted = 0.0, 0
    for row in range(1, len(window)):
        if window[row - 1, s] > 0 and window[row, s] > 0:
            total += abs(window[row, s] / window[row - 1, s] - 1.0)
            counted += 1
    if counted == 0:
        return -1
    return int(total / counted * _PPM * 100.0 / max(usual_ppm, floor_ppm))


@njit(cache=True)
def measure(
    window: Int64Array, traded: BoolArray, names: Int64Array, usual_ppm: Int64Array, rule: Int64Array
) -> tuple[float, float, float, float, int]:
    """Return what a closed minute says of the market, and fold it into what is known of each name, in place.

    Parameters
    ----------
    window : (2 or more, n_symbols) int64, won
        Closes, oldest first; the last row is the minute that just closed.
    names : (5, n_symbols) int64
        Changed in place.
    usual_ppm : (n_symbols,) int64, or empty
        Each name's usual move at this minute.
    rule : (9,) int64
        What is asked of one name.

    Returns
    -------
    tuple
        Mean and middle return over the window in bp, mean return of the minute, mean absolute return of the minute, and
        how many names are out.
    """
    last, size = len(window) - 1, window.shape[1]
    spans = np.empty(size, np.float64)
    total, moved, drift, priced, fallen = 0.0, 0.0, 0.0, 0, 0
    for s in range(size):
        close, before, oldest = window[last, s], window[last - 1, s], window[0, s]
        if oldest > 0 and close > 0:
            spans[priced] = close / oldest - 1.0
            total += spans[priced]
            priced += 1
            if before > 0:
                minute = close / before - 1.0
                moved += abs(minute)
                drift += minute
        usual = usual_ppm[s] if len(usual_ppm) else 0
        restless = _restless(window, s, usual, rule[FLOOR_PPM])
        if names[OUT, s]:
            _rest(names, s, close, restless, rule)
        elif traded[s] and close > 0:
            _fall(window, names, s, restless, rule)
        fallen += names[OUT, s]
    if priced == 0:
        return 0.0, 0.0, 0.0, 0.0, fallen
    return total / priced * _BP, _middle(spans, priced, total) * _BP, drift / priced, moved / priced, fallen


@njit(cache=True)
def _middle(spans: Float64Array, priced: int, total: float) -> float:
    """Return the middle of the first ``priced`` returns, the milder of two; the mean where that does not fall."""
    return np.partition(spans[:priced], priced // 2)[priced // 2] if total < 0.0 else total / priced


@njit(cache=True)
def _fall(window: Int64Array, names: Int64Array, s: int, restless: int, rule: Int64Array) -> None:
    """Confirm the fall of a name that was doubted, or doubt one that is seen for the first time."""
    last = len(window) - 1
    close, before = window[last, s], window[last - 1, s]
    if close <= names[DOUBTED, s]:
        _leave(names, s, close)
        return
    slow_bp = rule[FALLING_BP] if restless > rule[RATIO_X100] else rule[WINDOW_BP]
    if close * _BP > before * (_BP + rule[MINUTE_BP]) and close * _BP > window[0, s] * (_BP + slow_bp):
        names[DOUBTED, s] = 0  # what most names do in most minutes
        return
    if last > 1 and 0 < window[last - 2, s] < before:
        before = window[last - 2, s]  # a close that stood alone above its neighbours begins no fall
    anchor, stands = anchor_of(window, s, rule[MINUTE_BP]), 0
    if before > 0 and close <= _lower(before, rule[MINUTE_BP]):
        stands = _lower(before, rule[MINUTE_BP])
    if anchor > 0 and close <= _lower(anchor, rule[WINDOW_BP]):
        stands = max(stands, _lower(anchor, rule[WINDOW_BP]))
    if restless > rule[RATIO_X100] and anchor > 0 and close <= _lower(anchor, rule[FALLING_BP]):
        stands = max(stands, _lower(anchor, rule[FALLING_BP]))
    names[DOUBTED, s] = stands


@njit(cache=True)
def _rest(names: Int64Array, s: int, close: int, restless: int, rule: Int64Array) -> None:
    """Let a name that was left come back: calm for long enough, well above where it was left, and not for good."""
    names[QUIET, s] = names[QUIET, s] + 1 if restless < rule[CALM_X100] else 0
    above = close * _BP >= names[LEFT_AT, s] * (_BP + rule[REARM_BP])
    if names[QUIET, s] >= rule[CALM_MINUTES] and above and names[LEFT, s] < rule[MOST]:
        names[OUT, s] = 0


@njit(cache=True)
def confirmed(last: Int64Array, before: Int64Array, closes: Int64Array) -> Int64Array:
    """Return what each price is known to be by two sights: the milder of two prints, else of print and close."""
    prices = closes.copy()
    for s in range(len(prices)):
        if last[s] > 0:
            other = before[s] if before[s] > 0 else closes[s]
            prices[s] = max(last[s], other)
    return prices


@njit(cache=True)
def spans_of(window: Int64Array, prices: Int64Array, first: int) -> tuple[float, float, float]:
    """Return mean and middle return in bp of prices over row ``first`` of the window, and its mean over the last."""
    last, spans = len(window) - 1, np.empty(len(prices), np.float64)
    total, drift, priced = 0.0, 0.0, 0
    for s in range(len(prices)):
        if window[first, s] > 0 and prices[s] > 0:
            spans[priced] = prices[s] / window[first, s] - 1.0
            total += spans[priced]
            priced += 1
            if window[last, s] > 0:
                drift += prices[s] / window[last, s] - 1.0
    if priced == 0:
        return 0.0, 0.0, 0.0
    return total / priced * _BP, _middle(spans, priced, total) * _BP, drift / priced


@njit(cache=True)
def falls(price: int, ago: int, anchor: int, doubted: int, rule: Int64Array) -> bool:
    """Whether a price that two prints confirm is a fall of its name: against a minute ago, the window, or a doubt."""
    if price <= 0:
        return False
    minute = ago > 0 and price <= _lower(ago, rule[MINUTE_BP])
    return minute or price <= doubted or (anchor > 0 and price <= _lower(anchor, rule[WINDOW_BP]))


@njit(cache=True)
def glance_at(
    window: Int64Array,
    first: int,
    last: Int64Array,
    before: Int64Array,
    ago: Int64Array,
    names: Int64Array,
    rule: Int64Array,
) -> int:
    """Fold two newest prints of each name into what is known of it, in place; return how many names are out."""
    fallen = 0
    for s in range(len(last)):
        if not names[OUT, s] and before[s] > 0 and last[s] > 0:
            price = max(last[s], before[s])
            anchor = anchor_of(window[first:], s, rule[MINUTE_BP]) if len(window) else 0
            if falls(price, ago[s], anchor, names[DOUBTED, s], rule):
                _leave(names, s, price)
        fallen += names[OUT, s]
    return fallen


@njit(cache=True)
def usual_ratio(moves: FloatArray, window: int, usual: float, prior: float, arm_after: int, floor: float) -> float:
    """Return the mean of the newest ``window`` moves over their usual size.

    The usual size is ``usual`` where it is known (what earlier sessions did at this minute), else the median of all
    moves once there are ``arm_after`` of them, else ``prior``; 1 is returned where none is known.

    Parameters
    ----------
    moves : (n,) float32
        Mean absolute minute returns, newest last.
    """
    count = len(moves)
    if usual <= 0.0:
        if count < arm_after and prior <= 0.0:
            return 1.0
        usual = prior
        if count >= arm_after:
            half = count // 2
            parted = np.partition(moves, half)
            middle = parted[half]
            if count % 2 == 0:
                middle = np.float32((middle + parted[:half].max()) / np.float32(2.0))
            usual = float(middle)
    newest = moves[max(0, count - window) :]
    total = np.float32(0.0)
    for move in newest:
        total = np.float32(total + move)
    return float(np.float32(total / np.float32(len(newest)))) / max(usual, floor)
