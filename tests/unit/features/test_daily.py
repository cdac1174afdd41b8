"""Daily features: a short panel gives the same newest row, and the future moves nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.features import daily
from random_panels import daily_panel, perturbed_after


def _index(days: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(250_000 * np.exp(np.cumsum(rng.normal(0, 0.01, days)))).astype(np.int64)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(0, 318), with_index=st.booleans())
def test_the_future_moves_no_daily_feature(seed: int, row: int, with_index: bool) -> None:
    panel = daily_panel(seed, symbols=6)
    index = _index(len(panel), seed) if with_index else None
    later = None if index is None else np.concatenate([index[: row + 1], index[row + 1 :] * 2])
    original = daily.build(panel, index)
    changed = daily.build(perturbed_after(panel, row, seed + 1), later)
    assert original[: row + 1].tobytes() == changed[: row + 1].tobytes()
    assert original[row + 1 :].tobytes() != changed[row + 1 :].tobytes()


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1_000), row=st.integers(daily.LOOK_BACK + 1, 319))
def test_a_year_of_bars_gives_the_newest_row_of_a_long_history(seed: int, row: int) -> None:
    panel = daily_panel(seed, symbols=6)
    index = _index(len(panel), seed)
    first = row - daily.LOOK_BACK
    short = daily.build(panel.rows(first, row + 1), index[first : row + 1])[-1]
    whole = daily.build(panel, index)[row]
    listed_before = panel.close[first] > 0
    assert short[listed_before].tobytes() == whole[listed_before].tobytes()


def test_daily_columns_equal_their_definitions() -> None:
    panel = daily_panel(11, symbols=3, halted=0.0)
    index = _index(len(panel), 5)
    values = dict(zip(daily.NAMES, daily.build(panel, index)[300, 0], strict=True))
    log_close = np.log(panel.close[:, 0].astype(float))
    ret = np.diff(log_close)[:300]
    market = np.diff(np.log(index.astype(float)))[:300]
    volume = panel.volume[:301, 0].astype(float)
    won = (panel.close[:301, 0] * panel.volume[:301, 0]).astype(float)
    expected = {
        "ret_20": log_close[300] - log_close[280],
        "momentum_12_1": log_close[279] - log_close[48],
        "volatility_60": ret[-60:].std(),
        "skew_60": ((ret[-60:] - ret[-60:].mean()) ** 3).mean() / ret[-60:].std() ** 3,
        "max_ret_20": ret[-20:].max(),
        "beta_120": np.cov(ret[-120:], market[-120:], bias=True)[0, 1] / market[-120:].var(),
        "correlation_60": np.corrcoef(ret[-60:], market[-60:])[0, 1],
        "relative_20": ret[-20:].sum() - market[-20:].sum(),
        "turnover_20": math.log(won[-20:].mean() + 1),
        "volume_5_60": math.log((volume[-5:].mean() + 1) / (volume[-60:].mean() + 1)),
        "high_252": log_close[300] - math.log(panel.high[49:301, 0].max()),
        "low_252": log_close[300] - math.log(panel.low[49:301, 0].min()),
        "bollinger_z_20": (log_close[300] - log_close[281:301].mean()) / log_close[281:301].std(),
    }
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, rel=2e-4, abs=1e-6), name


def test_a_new_listing_has_no_value_before_its_look_back() -> None:
    panel = daily_panel(12, halted=0.0)
    values = daily.build(panel)
    listed = int(np.flatnonzero(panel.close[:, 1] > 0)[0])
    for k, spec in enumerate(daily.SPECS):
        assert np.isnan(values[: listed + spec.look_back, 1, k]).all(), spec.name
        if spec.look_back <= 120:
            assert np.isfinite(values[listed + spec.look_back, 1, k]), spec.name
    assert np.isfinite(values[daily.LOOK_BACK + 1, 0]).all()


def test_a_later_split_changes_no_value() -> None:
    panel = daily_panel(13, symbols=2, halted=0.0)
    import dataclasses

    adjusted = dataclasses.replace(
        panel,
        open=panel.open * 50,
        high=panel.high * 50,
        low=panel.low * 50,
        close=panel.close * 50,
        volume=panel.volume * 20,
    )
    volume_scale = {"turnover_20", "amihud_20", "volume_z_20", "volume_5_60"}
    keep = [k for k, name in enumerate(daily.NAMES) if name not in volume_scale]
    before, after = daily.build(panel)[-1][:, keep], daily.build(adjusted)[-1][:, keep]
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-6)


def test_without_index_the_market_is_the_mean_of_its_symbols() -> None:
    panel = daily_panel(14, symbols=20, halted=0.0)
    values = daily.build(panel)
    assert 0.2 < float(np.nanmean(values[-1, :, daily.NAMES.index("beta_120")])) < 3.0


def test_there_are_at_least_24_declared_features() -> None:
    assert len(daily.NAMES) == len(set(daily.NAMES)) >= 24
    assert max(spec.look_back for spec in daily.specs()) == daily.LOOK_BACK
