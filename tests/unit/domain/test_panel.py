"""Rows of a panel: the slices a feed would have delivered."""

from __future__ import annotations

import numpy as np
import pytest

from haetae.domain.market import Slice
from haetae.domain.panel import Panel

COLUMNS = ("open", "high", "low", "close", "volume", "traded")


def panel() -> Panel:
    bars = np.arange(1, 7, dtype=np.int64).reshape(3, 2)
    at = np.arange(3, dtype=np.int64) * 60
    days, traded = np.full(3, 20_260_105, np.int32), np.array([[True, False], [False, True], [True, True]])
    return Panel(("000100", "000110"), days, at, at + 60, bars, bars + 2, bars - 1, bars + 1, bars * 10, traded)


def test_a_row_is_a_slice_of_the_same_numbers_as_one_that_was_checked() -> None:
    whole = panel()
    for row in range(3):
        made = whole.slice_at(row)
        known = Slice(row * 60, row * 60 + 60, whole.symbols, *(getattr(whole, name)[row] for name in COLUMNS))
        assert (made.start, made.end, made.symbols) == (known.start, known.end, known.symbols)
        assert all(np.array_equal(getattr(made, name), getattr(known, name)) for name in COLUMNS)


def test_a_row_cannot_be_written() -> None:
    made = panel().slice_at(1)
    for name in COLUMNS:
        with pytest.raises(ValueError, match="read-only"):
            getattr(made, name)[0] = 0
