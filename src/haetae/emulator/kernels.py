"""Compiled loops over the prints of a session: carrying prices, finding trips, what a quote shows after each row.

Arrays are ``(n_rows, n_symbols)`` int64, won and shares. Not here: any rule (``krx``), any dice.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from haetae.domain.market import BoolArray, Int64Array
from haetae.krx.scalar import trips


@njit(cache=True, error_model="numpy")
def carry(price: Int64Array, volume: Int64Array, before: Int64Array) -> Int64Array:
    """Repeat each print until the next one; ``before`` stands before the first."""
    rows, width = price.shape
    out = np.empty_like(price)
    last = before.copy()
    for row in range(rows):
        for column in range(width):
            if volume[row, column] > 0:
                last[column] = price[row, column]
            out[row, column] = last[column]
    return out


@njit(cache=True, error_model="numpy")
def suspects(
    price: Int64Array,
    volume: Int64Array,
    before: Int64Array,
    continuous: int,
    rate: Int64Array,
    closing_rate: Int64Array,
    static_bp: int,
) -> BoolArray:
    """Mark names of which some print is a dynamic step, or a static one from the base or the first print."""
    rows, width = price.shape
    found = np.zeros(width, dtype=np.bool_)
    last = np.zeros(width, dtype=np.int64)
    first = np.zeros(width, dtype=np.int64)
    for row in range(rows):
        for column in range(width):
            if volume[row, column] <= 0:
                continue
            now = price[row, column]
            if last[column] == 0:
                first[column] = now
                if trips(now, before[column], static_bp):
                    found[column] = True
            else:
                step = rate[column] if row < continuous else closing_rate[column]
                if trips(now, last[column], step) or trips(now, first[column], static_bp):
                    found[column] = True
            last[column] = now
    return found


@njit(cache=True, error_model="numpy")
def first_trip(
    price: Int64Array,
    rows: Int64Array,
    last: int,
    reference: int,
    continuous: int,
    rate: int,
    closing_rate: int,
    static_bp: int,
) -> int:
    """Return the place of the first print that trips, the number of prints if none does.

    ``price`` and ``rows`` are (n_prints,), the prints of one name; ``last`` is the print before them, ``reference`` the
    last single price.
    """
    for place in range(len(price)):
        step = rate if rows[place] < continuous else closing_rate
        if trips(price[place], last, step) or trips(price[place], reference, static_bp):
            return place
        last = price[place]
    return len(price)


@njit(cache=True, error_model="numpy")
def running(price: Int64Array, volume: Int64Array) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array, Int64Array]:
    """Return shares and won so far, highest and lowest print so far, and the first print.

    The last three are 0 before the first print; ``price`` is carried.
    """
    rows, width = price.shape
    shares, won = np.empty_like(price), np.empty_like(price)
    high, low, opened = np.empty_like(price), np.empty_like(price), np.empty_like(price)
    first = np.zeros(width, dtype=np.int64)
    total, money = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
    top, bottom = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
    for row in range(rows):
        for column in range(width):
            now, size = price[row, column], volume[row, column]
            if size > 0:
                if total[column] == 0:
                    first[column] = now
                    top[column] = bottom[column] = now
                top[column] = max(top[column], now)
                bottom[column] = min(bottom[column], now)
                total[column] += size
                money[column] += size * now
            shares[row, column], won[row, column] = total[column], money[column]
            high[row, column], low[row, column] = top[column], bottom[column]
            opened[row, column] = first[column]
    return shares, won, high, low, opened
