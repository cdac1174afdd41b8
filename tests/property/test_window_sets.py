"""Laws of the sets over windows: one fold for batch and live, no look at what comes, symbols on their own."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.features import factors
from haetae.features.alpha import SET as ALPHA
from haetae.features.sets import FeatureSet, Inputs
from haetae.features.window import CHUNK, DEPTH, LANES
from random_panels import daily_panel, perturbed_after

SETS = pytest.mark.parametrize("chosen", [ALPHA, factors.SET], ids=lambda chosen: chosen.name)
ROWS = DEPTH + 2 * CHUNK + 7


def _saved(state: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    np.save(file, state, allow_pickle=False)
    return np.load(io.BytesIO(file.getvalue()), allow_pickle=False)


@SETS
@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 1_000),
    symbols=st.integers(1, LANES + 3),
    cuts=st.lists(st.integers(0, ROWS), min_size=1, max_size=6),
)
def test_a_fold_cut_anywhere_and_restarted_from_a_saved_state_is_the_batch_to_the_last_bit(
    chosen: FeatureSet, seed: int, symbols: int, cuts: list[int]
) -> None:
    panel = daily_panel(seed, symbols=symbols, sessions=ROWS, halted=0.05)
    whole = chosen.batch(Inputs(panel))
    state, parts = chosen.start(symbols), []
    edges = [0, *sorted(cuts), ROWS]
    for first, last in itertools.pairwise(edges):
        before = state.tobytes()
        after, values = chosen.fold(state, Inputs(panel.rows(first, last)))
        assert state.tobytes() == before
        parts.append(values)
        state = _saved(after)
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@SETS
def test_a_step_a_day_is_the_batch_to_the_last_bit(chosen: FeatureSet) -> None:
    panel = daily_panel(21, symbols=5, sessions=ROWS, halted=0.1)
    whole = chosen.batch(Inputs(panel))
    state = chosen.start(5)
    for row in range(ROWS):
        state, values = chosen.step(state, Inputs(panel.rows(row, row + 1)))
        assert values.tobytes() == whole[row].tobytes(), row


@SETS
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(0, 98))
def test_the_future_moves_nothing(chosen: FeatureSet, seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=4, sessions=100, halted=0.05)
    original = chosen.batch(Inputs(panel))
    changed = chosen.batch(Inputs(perturbed_after(panel, row, seed + 1)))
    assert original[: row + 1].tobytes() == changed[: row + 1].tobytes()
    assert original[row + 1 :].tobytes() != changed[row + 1 :].tobytes()


@SETS
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(DEPTH, ROWS - 1))
def test_sixty_days_and_the_newest_give_the_row_of_a_long_history(chosen: FeatureSet, seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=4, sessions=ROWS, halted=0.05)
    first = row - DEPTH
    short = chosen.batch(Inputs(panel.rows(first, row + 1)))[-1]
    whole = chosen.batch(Inputs(panel))[row]
    listed = panel.close[first] > 0
    assert short[listed].tobytes() == whole[listed].tobytes()


@SETS
def test_a_symbol_has_the_same_values_alone_and_among_others_in_any_lane(chosen: FeatureSet) -> None:
    panel = daily_panel(22, symbols=LANES + 5, sessions=80, halted=0.05)
    few = np.array([1, LANES - 1, LANES, LANES + 4])
    alone = chosen.batch(Inputs(panel.columns(few)))
    among = chosen.batch(Inputs(panel))
    assert alone.tobytes() == np.ascontiguousarray(among[:, few]).tobytes()


@SETS
def test_a_state_of_other_symbols_or_of_another_set_is_refused_by_name(chosen: FeatureSet) -> None:
    inputs = Inputs(daily_panel(24, symbols=3, sessions=70))
    other = factors.SET if chosen is ALPHA else ALPHA
    for foreign in (chosen.start(2), other.start(3), chosen.start(3).astype(np.float32)):
        with pytest.raises(DataError, match=chosen.name) as refused:
            chosen.fold(foreign, inputs)
        assert "float64" in str(refused.value.expected)
        assert refused.value.next_step


@SETS
def test_no_rows_move_no_state(chosen: FeatureSet) -> None:
    panel = daily_panel(23, symbols=3, sessions=70)
    state, _ = chosen.fold(chosen.start(3), Inputs(panel))
    after, values = chosen.fold(state, Inputs(panel.rows(70, 70)))
    assert after.tobytes() == state.tobytes()
    assert values.shape == (0, 3, len(chosen.specs))
