"""Minute features: batch equals live to the last bit, nothing later moves anything earlier."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.errors import DataError
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, instant_at
from haetae.features import minute
from haetae.features.sets import Inputs
from haetae.krx import Rulebook
from random_panels import minute_panel, perturbed_after


def _live(panel: Panel, state: np.ndarray, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
    minutes = minute.session_minutes(panel)
    rows = []
    for t in range(first, last):
        piece = panel.slice_at(t)
        state, values = minute.step(
            state, piece.open, piece.high, piece.low, piece.close, piece.volume, piece.traded, int(minutes[t])
        )
        rows.append(values)
    return state, np.array(rows)


def _column(values: np.ndarray, name: str) -> np.ndarray:
    return values[:, :, minute.NAMES.index(name)]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 239), quiet=st.sampled_from([0.0, 0.1, 0.6]))
def test_batch_equals_live_steps_bit_for_bit_also_after_a_restart(seed: int, cut: int, quiet: float) -> None:
    panel = minute_panel(seed, sessions=2, quiet=quiet)
    whole = minute.batch(panel)
    state, before = _live(panel, minute.init_state(5), 0, cut)
    saved = np.frombuffer(state.tobytes(), dtype=np.float64).reshape(state.shape)
    _, after = _live(panel, saved, cut, len(panel))
    live = np.concatenate([before, after])
    assert live.tobytes() == whole.tobytes()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), row=st.integers(0, 359))
def test_the_future_moves_nothing_that_is_known_earlier(seed: int, row: int) -> None:
    panel = minute_panel(seed)
    original = minute.batch(panel)
    changed = minute.batch(perturbed_after(panel, row, seed + 1))
    assert original[: row + 1].tobytes() == changed[: row + 1].tobytes()
    if row < 300:
        assert original[row + 1 :].tobytes() != changed[row + 1 :].tobytes()


def test_symbols_do_not_see_one_another() -> None:
    panel = minute_panel(3)
    alone = Panel(
        panel.symbols[2:3],
        panel.days,
        panel.start,
        panel.end,
        *(np.ascontiguousarray(block[:, 2:3]) for block in (panel.open, panel.high, panel.low, panel.close)),
        np.ascontiguousarray(panel.volume[:, 2:3]),
        np.ascontiguousarray(panel.traded[:, 2:3]),
    )
    assert minute.batch(alone)[:, 0].tobytes() == minute.batch(panel)[:, 2].tobytes()


def test_values_are_free_of_the_price_scale() -> None:
    panel = minute_panel(4, quiet=0.0)
    tenfold = dataclasses.replace(
        panel, open=panel.open * 10, high=panel.high * 10, low=panel.low * 10, close=panel.close * 10
    )
    np.testing.assert_allclose(minute.batch(tenfold), minute.batch(panel), rtol=2e-4, atol=2e-6)


def test_step_leaves_the_given_state_alone() -> None:
    panel = minute_panel(5)
    state = minute.init_state(5)
    before = state.copy()
    _live(panel, state, 0, 3)
    assert (state == before).all()


def test_before_its_first_trade_a_symbol_has_no_values() -> None:
    values = minute.batch(minute_panel(6))
    assert np.isnan(values[:60, 1]).all()
    assert np.isfinite(values[-1]).all()


def test_simple_columns_equal_their_definitions() -> None:
    panel = minute_panel(7, quiet=0.0, symbols=2)
    values = minute.batch(panel)
    close = panel.close[:, 0].astype(float)
    t = 250
    assert _column(values, "ret_5m")[t, 0] == pytest.approx(math.log(close[t] / close[t - 5]), rel=1e-5)
    assert _column(values, "ret_60m")[t, 0] == pytest.approx(math.log(close[t] / close[t - 60]), rel=1e-5)
    returns = np.diff(np.log(close[t - 20 : t + 1]))
    assert _column(values, "volatility_20m")[t, 0] == pytest.approx(returns.std(), rel=1e-4)
    window = np.log(close[t - 19 : t + 1])
    z = (window[-1] - window.mean()) / window.std()
    assert _column(values, "bollinger_z_20")[t, 0] == pytest.approx(z, rel=1e-4)
    assert _column(values, "day_return")[t, 0] == pytest.approx(math.log(close[t] / close[239]), rel=1e-5)
    day = slice(240, t + 1)
    typical = (panel.high + panel.low + panel.close)[day, 0] / 3.0
    vwap = (typical * panel.volume[day, 0]).sum() / panel.volume[day, 0].sum()
    assert _column(values, "vwap_distance")[t, 0] == pytest.approx(math.log(close[t] / vwap), rel=1e-3, abs=1e-7)


def test_bounded_columns_stay_in_their_bounds() -> None:
    values = minute.batch(minute_panel(8, sessions=4))
    for name in ("rsi_14", "session_position", "bar_position"):
        column = _column(values, name)
        assert np.nanmin(column) >= -1.0
        assert np.nanmax(column) <= 1.0


def test_a_symbol_that_never_moves_gives_finite_numbers() -> None:
    panel = minute_panel(9, quiet=0.0, symbols=1)
    flat = np.full_like(panel.close, 5_000)
    values = minute.batch(dataclasses.replace(panel, open=flat, high=flat, low=flat, close=flat))
    assert np.isfinite(values[-1]).all()
    assert _column(values, "rsi_14")[-1, 0] == 0.0


def test_the_feature_hash_follows_names_and_versions() -> None:
    from haetae.features.specs import feature_hash

    raised = (dataclasses.replace(minute.SPECS[0], version=2), *minute.SPECS[1:])
    assert feature_hash(raised) != minute.feature_hash()
    assert feature_hash(minute.SPECS) == minute.feature_hash()
    assert len(minute.NAMES) == len(set(minute.NAMES)) == 16


def test_the_minute_of_the_session_follows_the_opening_of_the_day() -> None:
    panel = minute_panel(10, sessions=1, minutes=30)
    late = dt.date(2025, 11, 13)
    first = instant_at(late, 100_300)
    start = first + np.arange(30, dtype=np.int64) * NS_PER_MINUTE
    on_late_day = dataclasses.replace(
        panel, days=np.full(30, 20251113, dtype=np.int32), start=start, end=start + NS_PER_MINUTE
    )
    assert minute.session_minutes(on_late_day).tolist() == list(range(3, 33))
    assert minute.minute_of_session(first, Rulebook.on(late).session.open_at) == 3


def test_as_a_set_it_gives_the_values_of_the_fold() -> None:
    panel = minute_panel(11)
    inputs = Inputs(panel, minute.session_minutes(panel))
    assert minute.SET.batch(inputs).tobytes() == minute.batch(panel).tobytes()
    assert minute.SET.hash == minute.feature_hash()
    with pytest.raises(DataError, match="minutes"):
        minute.SET.batch(Inputs(panel))
