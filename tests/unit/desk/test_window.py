"""Windows of bars: values that share memory, whichever way one goes on from them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.desk.window import Window, open_window, window_of

SYMBOLS = ("000100", "000110", "000120")


def bar(number: int) -> tuple:
    prices = np.array([number, number + 1, number + 2], np.int64)
    return 20_260_000 + number, number * 60, number * 60 + 60, (prices, prices + 5, prices - 1, prices, prices * 10)


def after(window: Window, number: int) -> Window:
    return window.append(*bar(number), np.array([True, number % 2 == 0, True]))


def seen(window: Window) -> list[int]:
    panel = window.panel()
    assert panel.symbols == window.symbols
    for row, start in enumerate(panel.start.tolist()):
        day, first, end, bars = bar(start // 60)
        assert (panel.days[row], panel.start[row], panel.end[row]) == (day, first, end)
        for name, column in zip(("open", "high", "low", "close", "volume"), bars, strict=True):
            assert np.array_equal(getattr(panel, name)[row], column)
        assert panel.traded[row].tolist() == [True, start // 60 % 2 == 0, True]
    return (panel.start // 60).tolist()


@given(
    depth=st.integers(1, 6),
    steps=st.lists(st.tuples(st.integers(0, 10**6), st.booleans()), max_size=60),
)
@settings(max_examples=200, deadline=None)
def test_every_window_ever_made_keeps_what_it_saw_whichever_one_is_continued(depth, steps) -> None:
    made = [(open_window(SYMBOLS, depth), [])]
    for number, (choice, newest) in enumerate(steps, start=1):
        window, numbers = made[-1 if newest else choice % len(made)]
        made.append((after(window, number), [*numbers, number][-depth:]))
    for window, numbers in made:
        assert seen(window) == numbers
        assert len(window) == len(numbers)


def test_the_memory_of_a_window_is_fixed_and_successive_windows_share_it() -> None:
    window = open_window(SYMBOLS, 4)
    sizes, shared = set(), []
    for number in range(1, 40):
        older, window = window, after(window, number)
        sizes.add(len(pickle.dumps(window)))
        shared.append(np.shares_memory(older.panel().close, window.panel().close))
    assert max(sizes) - min(sizes) < 16
    assert sum(shared) > 25


def test_a_window_of_no_depth_keeps_nothing() -> None:
    window = after(after(open_window(SYMBOLS, 0), 1), 2)
    assert len(window) == len(window.panel()) == 0


def test_the_bars_of_a_view_cannot_be_written() -> None:
    panel = after(open_window(SYMBOLS, 3), 1).panel()
    for name in ("days", "start", "end", "open", "high", "low", "close", "volume", "traded"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(panel, name)[0] = 0


def test_symbols_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        open_window(("000110", "000100"), 3)


def test_a_panel_becomes_a_window_over_other_symbols() -> None:
    window = open_window(SYMBOLS, 5)
    for number in range(1, 8):
        window = after(window, number)
    other = window_of(window.panel(), ("000090", "000110"), 3).panel()
    assert (other.start // 60).tolist() == [5, 6, 7]
    assert other.close.tolist() == [[0, 6], [0, 7], [0, 8]]
    assert other.traded.tolist() == [[False, False], [False, True], [False, False]]


def test_a_window_lives_on_after_it_was_stored() -> None:
    window = open_window(SYMBOLS, 3)
    for number in range(1, 6):
        window = after(window, number)
    again = pickle.loads(pickle.dumps(window))
    assert seen(after(again, 6)) == seen(after(window, 6)) == [4, 5, 6]
