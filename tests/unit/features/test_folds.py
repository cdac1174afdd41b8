"""Windows that never drift, forget what has left them, and do not care where the bars are cut."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.features.folds import extremes, windows
from haetae.features.folds.bars import BAR_ROWS, flat_bars
from haetae.features.folds.blocks import Layout, plain
from haetae.features.folds.relation import relation, relation_rows
from haetae.features.folds.sessions import openings
from random_panels import minute_panel

FOLDS = {
    "total": (windows.total, windows.total_rows),
    "spread": (windows.spread, windows.spread_rows),
    "highest": (extremes.highest, extremes.extreme_rows),
    "lowest": (extremes.lowest, extremes.extreme_rows),
}


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(FOLDS)),
    bars=st.integers(1, 9),
    values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40),
    cut=st.integers(0, 40),
)
def test_a_window_is_what_its_bars_say_however_they_are_cut(
    name: str, bars: int, values: list[float], cut: int
) -> None:
    fold, rows = FOLDS[name]
    column = np.array(values)[:, None]
    cut = min(cut, len(column))
    whole = fold(np.zeros((rows(bars), 1)), (0, bars), 0, column)
    state = np.zeros((rows(bars), 1))
    first, last = fold(state, (0, bars), 0, column[:cut]), fold(state, (0, bars), cut, column[cut:])
    first, last, whole = ([part] if isinstance(part, np.ndarray) else part for part in (first, last, whole))
    for a, b, c in zip(first, last, whole, strict=True):
        assert np.vstack([a, b]).tobytes() == c.tobytes()
    for t in range(bars - 1, len(column)):
        exact = [Fraction(value) for value in values[t - bars + 1 : t + 1]]
        size = max(map(abs, exact))
        wanted = {"total": sum(exact), "spread": sum(exact) / bars, "highest": max(exact), "lowest": min(exact)}[name]
        assert abs(Fraction(float(whole[0][t, 0])) - wanted) <= size * bars * Fraction(2, 10**15)


def test_a_sum_does_not_remember_what_was_large() -> None:
    column = np.full((5_000, 1), 0.1)
    column[10] = 1e17
    told = windows.total(np.zeros((windows.total_rows(60), 1)), (0, 60), 0, column)
    assert told[-1, 0] == pytest.approx(math.fsum([0.1] * 60), rel=1e-14)
    assert abs(told[70:, 0] - 6.0).max() < 1e-12


def test_a_variance_is_good_at_any_price_level() -> None:
    rng = np.random.default_rng(3)
    moves = rng.integers(-2, 3, (400, 1)).astype(float)
    _, plain = windows.spread(np.zeros((windows.spread_rows(20), 1)), (0, 20), 0, moves)
    _, high = windows.spread(np.zeros((windows.spread_rows(20), 1)), (0, 20), 0, moves + 1e8)
    np.testing.assert_allclose(high[19:], plain[19:], rtol=1e-7)
    assert plain[50, 0] == pytest.approx(moves[31:51].var(), rel=1e-13)


def test_equal_values_have_no_variance_at_all() -> None:
    column = np.concatenate([np.linspace(1.0, 2.0, 33), np.full(60, 0.1)])[:, None]
    _, variance = windows.spread(np.zeros((windows.spread_rows(20), 1)), (0, 20), 0, column)
    assert (variance[52:] == 0.0).all()


def test_what_is_missing_is_gone_when_it_has_left_the_window() -> None:
    column = np.arange(100.0)[:, None]
    column[30] = np.nan
    told = windows.total(np.zeros((windows.total_rows(7), 1)), (0, 7), 0, column)
    assert np.flatnonzero(np.isnan(told[:, 0])).tolist() == list(range(30, 37))
    mean, variance = windows.spread(np.zeros((windows.spread_rows(7), 1)), (0, 7), 0, column)
    assert np.flatnonzero(np.isnan(mean[:, 0])).tolist() == list(range(30, 37))
    assert np.flatnonzero(np.isnan(variance[:, 0])).tolist() == list(range(30, 37))


@pytest.mark.parametrize("cut", [1, 5, 12, 30])
def test_one_ring_serves_every_age(cut: int) -> None:
    column = np.arange(1.0, 31.0)[:, None]
    state, told = np.zeros((windows.older_rows(12), 1)), {1: [], 5: [], 12: []}
    for first in range(0, 30, cut):
        part = column[first : first + cut]
        for age, values in told.items():
            values.append(windows.older(state, (0, 12), first, age, part))
        windows.remember(state, (0, 12), first, part)
    for age, values in told.items():
        assert np.concatenate(values)[age:].tolist() == column[:-age].tolist()


def test_a_relation_to_a_reference_that_stood_still_is_unknown() -> None:
    rng = np.random.default_rng(4)
    values, reference = rng.normal(0, 1e-3, (80, 1)), np.zeros((80, 1))
    beta, correlation = relation(np.zeros((relation_rows(20), 1)), (0, 20), 0, values, reference)
    assert np.isnan(beta).all()
    assert np.isnan(correlation).all()
    beta, correlation = relation(np.zeros((relation_rows(20), 1)), (0, 20), 0, reference, values)
    assert (beta[19:] == 0.0).all()
    assert (correlation[19:] == 0.0).all()
    beta, correlation = relation(np.zeros((relation_rows(20), 1)), (0, 20), 0, 1.5 * values, values)
    np.testing.assert_allclose(beta[19:], 1.5, rtol=1e-9)
    np.testing.assert_allclose(correlation[19:], 1.0, rtol=1e-9)


def test_a_layout_hands_out_rows_that_do_not_overlap() -> None:
    layout = Layout()
    assert layout.take(2) == 0
    assert layout.window(windows.total_rows, 20).tolist() == [2, 20]
    assert layout.windows(windows.spread_rows, 3, 4).tolist() == [[23, 3], [31, 4]]
    assert layout.rows == 41


def test_a_session_opens_where_the_day_changes() -> None:
    days = np.array([20260302, 20260302, 20260303], np.int32)
    assert openings(days, 0).tolist() == [1, 0, 1]
    assert openings(days, 20260302).tolist() == [0, 0, 1]


def test_bars_are_the_same_beside_a_symbol_that_never_trades() -> None:
    # A block in which everybody traded goes a faster way; one that never trades sends it the other.
    panel = minute_panel(1, 2, 1, 40, quiet=0.0)
    dealt = np.ones((40, 3), np.bool_)
    dealt[:, 2] = False
    columns = [panel.open, panel.high, panel.low, panel.close, panel.volume]
    beside = [plain(np.column_stack([column, column[:, 0]]), np.int64, (40, 3)) for column in columns]
    quick, slow = np.zeros((BAR_ROWS, 2)), np.zeros((BAR_ROWS, 3))
    alone = [plain(column, np.int64, (40, 2)) for column in columns]
    for part in (slice(0, 15), slice(15, 16), slice(16, 40)):
        bars = part.stop - part.start
        told = flat_bars(quick, 0, *(column[part] for column in alone), plain(dealt[part, :2], np.bool_, (bars, 2)))
        wanted = flat_bars(slow, 0, *(column[part] for column in beside), plain(dealt[part], np.bool_, (bars, 3)))
        for mine, other in zip(told, wanted, strict=True):
            assert mine.tobytes() == np.ascontiguousarray(other[:, :2]).tobytes()
    assert quick.tobytes() == np.ascontiguousarray(slow[:, :2]).tobytes()
