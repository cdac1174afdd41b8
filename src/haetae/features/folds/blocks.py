"""What goes into a fold and comes out: the rows of a state handed out, columns of bars made plain, values put away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

State = NDArray[np.float64]
"""``(rows, n_symbols)`` float64: plain numbers, so that a state can be saved, read and compared bit for bit."""
Block = NDArray[np.float64]
"""``(n_bars, n_symbols)`` float64, contiguous."""
FloatArray = NDArray[np.float32]


class Layout:
    """Hands out the rows of a state; ``rows`` is how many were taken so far."""

    def __init__(self) -> None:
        self.rows = 0

    def take(self, rows: int) -> int:
        """Return the first of so many new rows."""
        first = self.rows
        self.rows += rows
        return first


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
