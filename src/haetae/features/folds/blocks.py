"""What goes into a fold and comes out: the rows of a state handed out, columns of bars made plain, values put away."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.market import Int64Array

State = NDArray[np.float64]
"""``(rows, n_symbols)`` float64: plain numbers, so that a state can be saved, read and compared bit for bit."""
Block = NDArray[np.float64]
"""``(n_bars, n_symbols)`` float64, contiguous."""
FloatArray = NDArray[np.float32]
Window = Int64Array | tuple[int, int]
"""Where a fold's part of the state begins, and how many bars it looks back.

A pair in memory (``Layout.window``), because the compiler would make one version of a fold for every whole number that
stands in the code; within a fold a tuple.
"""


class Layout:
    """Hands out the rows of a state; ``rows`` is how many were taken so far."""

    def __init__(self) -> None:
        self.rows = 0

    def take(self, rows: int) -> int:
        """Return the first of so many new rows."""
        first = self.rows
        self.rows += rows
        return first

    def window(self, rows_of: Callable[[int], int], bars: int) -> Int64Array:
        """Return the first of the rows that a fold over so many bars keeps, and the number of bars."""
        return constants(self.take(rows_of(bars)), bars)

    def windows(self, rows_of: Callable[[int], int], *bars: int) -> Int64Array:
        """Return a window of each length, ``(n_lengths, 2)``."""
        return constants(*(self.window(rows_of, length) for length in bars))


def constants(*numbers: int | Int64Array) -> Int64Array:
    """Return whole numbers, or rows of them, that compiled code reads from memory; read-only."""
    held = np.array(numbers, dtype=np.int64)
    held.flags.writeable = False
    return held


def plain(values: NDArray[Any], kind: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the values contiguous, of one kind and read-only: one compiled version of a fold serves whoever calls."""
    flags = values.flags
    if flags.c_contiguous and not flags.writeable and values.dtype == kind and values.shape == shape:
        return values
    column = np.ascontiguousarray(values, dtype=kind).reshape(shape).view()
    column.flags.writeable = False
    return column


@njit(cache=True, error_model="numpy")
def all_beyond(seen: Block, bars: float) -> bool:
    """Return whether every symbol had seen more than so many bars at the block's first bar: the common, faster case."""
    least = math.inf
    for s in range(seen.shape[1]):
        least = min(least, seen[0, s])
    return least > bars


@njit(cache=True, error_model="numpy")
def apart(values: Block, others: Block) -> Block:
    """Return how far the values lie above the others."""
    out = np.empty_like(values)
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] - others[t, s]
    return out


@njit(cache=True, error_model="numpy")
def keep(seen: Block, bars: float, values: Block, out: Block) -> None:
    """Write values into ``out`` where a symbol has seen so many bars, NaN elsewhere."""
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s] = values[t, s] if seen[t, s] >= bars else math.nan


@njit(cache=True, error_model="numpy")
def put(seen: Block, bars: float, values: Block, column: int, out: FloatArray) -> None:
    """Write values into a column of features, ``(n_bars, n_symbols, n_features)``, NaN before ``bars`` were seen."""
    for t in range(values.shape[0]):
        for s in range(values.shape[1]):
            out[t, s, column] = values[t, s] if seen[t, s] >= bars else math.nan
