"""The wide minute set: cuts and restarts change no bit, and nothing later or beside moves a value."""

from __future__ import annotations

import dataclasses
import io
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.features import minute
from haetae.features.intraday import SET
from haetae.features.sets import Inputs
from minute_inputs import inputs_of, minute_inputs
from random_panels import minute_panel, perturbed_after

OF_THE_INDEX = {"beta_60m", "correlation_60m", "beta_120m", "correlation_120m", "relative_30m"}
OF_THE_BOOK = {"book_imbalance", "book_imbalance_20m"}
ACROSS = {"breadth_1m", "breadth_day", "breadth_vwap", "panel_relative_30m"}


def _saved(state: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    np.save(file, state)
    file.seek(0)
    return np.load(file)


def _columns(names: set[str]) -> np.ndarray:
    return np.array([name in names for name in SET.names])


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    symbols=st.integers(1, 9),
    cuts=st.lists(st.integers(0, 400), max_size=6),
    index=st.booleans(),
    book=st.booleans(),
)
def test_any_cut_with_the_state_saved_gives_the_same_bits(
    seed: int, symbols: int, cuts: list[int], index: bool, book: bool
) -> None:
    inputs = minute_inputs(seed, symbols)
    inputs = dataclasses.replace(
        inputs,
        index_close=inputs.index_close if index else None,
        imbalance=inputs.imbalance if book else None,
    )
    last, whole = SET.fold(SET.start(symbols), inputs)
    state, pieces = SET.start(symbols), []
    edges = [0, *sorted(min(cut, len(inputs)) for cut in cuts), len(inputs)]
    for first, end in itertools.pairwise(edges):
        state, values = SET.fold(_saved(state), inputs.rows(first, end))
        pieces.append(values)
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    assert state.tobytes() == last.tobytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_bar_at_a_time_gives_the_bits_of_the_batch(seed: int) -> None:
    inputs = minute_inputs(seed)
    state, rows = SET.start(4), []
    for row in range(len(inputs)):
        before = state.copy()
        after, values = SET.step(state, inputs.rows(row, row + 1))
        assert state.tobytes() == before.tobytes()
        state, _ = after, rows.append(values)
    assert np.array(rows).tobytes() == SET.batch(inputs).tobytes()


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 280))
def test_the_future_moves_nothing_that_is_known_earlier(seed: int, row: int) -> None:
    inputs = minute_inputs(seed)
    index, imbalance = inputs.index_close.copy(), inputs.imbalance.copy()
    index[row + 1 :] *= 1.01 + 0.01 * np.arange(len(index) - row - 1)
    imbalance[row + 1 :] = 0.5
    changed = dataclasses.replace(
        inputs, panel=perturbed_after(inputs.panel, row, seed + 1), index_close=index, imbalance=imbalance
    )
    original, moved = SET.batch(inputs), SET.batch(changed)
    assert original[: row + 1].tobytes() == moved[: row + 1].tobytes()
    known = np.isfinite(original[row + 1 :])
    differs = ((original[row + 1 :] != moved[row + 1 :]) & known).any(axis=(0, 1)) | ~known.any(axis=(0, 1))
    assert {name for name, moves in zip(SET.names, differs, strict=True) if not moves} <= {"time_of_day", "gap"}


def test_other_symbols_move_only_what_looks_across() -> None:
    inputs = minute_inputs(5)
    other = minute_panel(77, 4, 8, 45)
    panel = inputs.panel
    blocks = {}
    for name in ("open", "high", "low", "close", "volume", "traded"):
        block = np.array(getattr(panel, name))
        block[:, 1:] = getattr(other, name)[: len(panel), 1:]
        blocks[name] = block
    changed = dataclasses.replace(inputs, panel=dataclasses.replace(panel, **blocks))
    original, moved = SET.batch(inputs)[:, 0], SET.batch(changed)[:, 0]
    same = ((original == moved) | (np.isnan(original) & np.isnan(moved))).all(axis=0)
    assert {name for name, still in zip(SET.names, same, strict=True) if not still} == ACROSS


def test_without_index_or_book_only_what_needs_them_is_missing() -> None:
    inputs = minute_inputs(6)
    whole = SET.batch(inputs)
    for bare, needy in (
        (dataclasses.replace(inputs, index_close=None), OF_THE_INDEX),
        (dataclasses.replace(inputs, imbalance=None), OF_THE_BOOK),
    ):
        values = SET.batch(bare)
        assert np.isnan(values[..., _columns(needy)]).all()
        assert values[..., ~_columns(needy)].tobytes() == whole[..., ~_columns(needy)].tobytes()
    assert np.isfinite(whole[..., _columns(OF_THE_INDEX | OF_THE_BOOK)]).any(axis=(0, 1)).all()


def test_a_lost_index_bar_is_forgotten_when_it_has_left_the_window() -> None:
    panel = minute_panel(7, 2, 2, 180, quiet=0.0)
    inputs = inputs_of(panel, minute.session_minutes(panel), 7)
    index = np.where(np.isnan(inputs.index_close), 2_500.0, inputs.index_close)
    index[100] = np.nan
    values = SET.batch(dataclasses.replace(inputs, index_close=index))[:, 0, SET.names.index("beta_60m")]
    assert np.flatnonzero(np.isnan(values)).tolist() == [*range(60), *range(100, 161)]


def test_values_are_free_of_the_price_scale_but_for_illiquidity() -> None:
    inputs = minute_inputs(8, quiet=0.0)
    panel = inputs.panel
    tenfold = {name: getattr(panel, name) * 10 for name in ("open", "high", "low", "close")}
    values = SET.batch(inputs)
    scaled = SET.batch(dataclasses.replace(inputs, panel=dataclasses.replace(panel, **tenfold)))
    free = ~_columns({"amihud_60m", "turnover_z_60m"})
    np.testing.assert_allclose(scaled[..., free], values[..., free], rtol=2e-4, atol=3e-5)
    impact = SET.names.index("amihud_60m")
    np.testing.assert_allclose(scaled[..., impact], values[..., impact] - np.log(10.0), rtol=1e-3, atol=1e-4)


def test_a_late_listing_has_the_values_of_a_panel_that_begins_with_it() -> None:
    panel = minute_panel(9, 3, 3, 120, quiet=0.0)
    late = np.array(panel.traded)
    late[:120, 1] = False
    inputs = inputs_of(dataclasses.replace(panel, traded=late), minute.session_minutes(panel), 9)
    own = ~_columns(ACROSS)
    whole = SET.batch(inputs)[120:, 1, own]
    alone = SET.batch(inputs.rows(120, len(inputs)))[:, 1, own]
    np.testing.assert_allclose(whole, alone, rtol=1e-4, atol=1e-6)


def test_a_first_value_comes_when_its_look_back_is_filled() -> None:
    panel = minute_panel(10, 1, 2, 381, quiet=0.0)
    inputs = inputs_of(panel, minute.session_minutes(panel), 10)
    whole = dataclasses.replace(
        inputs,
        index_close=np.where(np.isnan(inputs.index_close), 2_500.0, inputs.index_close),
        imbalance=np.nan_to_num(inputs.imbalance),
    )
    values = SET.batch(whole)[:, 0]
    for spec, column in zip(SET.specs, values.T, strict=True):
        if spec.look_back < len(panel):
            assert np.flatnonzero(np.isfinite(column))[0] == spec.look_back, spec.name
            assert np.isfinite(column[spec.look_back :]).all(), spec.name


def test_before_its_first_trade_a_symbol_has_no_values() -> None:
    inputs = minute_inputs(11)
    first = int(np.argmax(inputs.panel.traded[:, 1]))
    values = SET.batch(inputs)
    assert first > 5
    assert np.isnan(values[:first, 1]).all()
    assert np.isfinite(values[first, 1, SET.names.index("bar_position")])


def test_a_symbol_that_never_moves_gives_the_middle() -> None:
    panel = minute_panel(12, 1, 7, 60, quiet=0.0)
    flat = np.full_like(panel.close, 5_000)
    still = dataclasses.replace(panel, open=flat, high=flat, low=flat, close=flat)
    row = dict(zip(SET.names, SET.batch(inputs_of(still, minute.session_minutes(still), 12))[-1, 0], strict=True))
    for name in ("rsi_14m", "stochastic_k_14m", "bollinger_z_20m", "bollinger_width_20m", "adx_14m", "ret_60m", "gap"):
        assert row[name] == 0.0, name
    for name in ("volatility_30m", "range_position_60m", "session_position", "obv_20m", "idle_60m", "move_season"):
        assert row[name] == 0.0, name


def test_bounded_columns_stay_in_their_bounds() -> None:
    values = SET.batch(minute_inputs(13))
    for spec, column in zip(SET.specs, np.moveaxis(values, 2, 0), strict=True):
        if spec.unit.startswith(("-1..1", "0..1", "-1 at")):
            assert np.nanmax(np.abs(column)) <= 1.0 + 1e-6, spec.name


def test_the_set_is_declared_once() -> None:
    assert len(set(SET.names)) == len(SET.names) >= 55
    assert all(spec.version == 1 and spec.known_at == "bar end" and spec.unit for spec in SET.specs)
    assert len(SET.hash) == 16
    assert SET.hash != minute.SET.hash


def _wrong(inputs: Inputs, **changes: object) -> None:
    with pytest.raises(DataError) as caught:
        SET.batch(dataclasses.replace(inputs, **changes))
    assert caught.value.expected
    assert caught.value.next_step


def test_inputs_that_do_not_fit_are_refused_by_name() -> None:
    inputs = minute_inputs(14)
    _wrong(inputs, minutes=None)
    _wrong(inputs, minutes=inputs.minutes[1:])
    _wrong(inputs, index_close=inputs.index_close[1:])
    _wrong(inputs, imbalance=inputs.imbalance[:, 1:])
    with pytest.raises(DataError, match="state"):
        SET.fold(SET.start(3), inputs)


def test_no_symbols_and_no_rows_give_nothing() -> None:
    inputs = minute_inputs(15)
    state, values = SET.fold(SET.start(4), inputs.rows(0, 0))
    assert values.shape == (0, 4, len(SET.names))
    assert state.tobytes() == SET.start(4).tobytes()
