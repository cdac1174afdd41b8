"""The set ``alpha`` beside definitions written a second time, and where its values are missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from alpha_oracle import values_on
from haetae.features import factors
from haetae.features.alpha import SET
from haetae.features.sets import Inputs
from random_panels import daily_panel

PLACE = {name: k for k, name in enumerate(SET.names)}


def _near(found: np.ndarray, expected: np.ndarray, names: tuple[str, ...]) -> None:
    for k, name in enumerate(names):
        np.testing.assert_allclose(found[..., k], expected[..., k], rtol=2e-5, atol=2e-6, err_msg=name)


@pytest.mark.parametrize(("seed", "halted"), [(1, 0.0), (2, 0.15), (3, 0.4)])
def test_every_column_equals_its_definition_on_bars_with_halts_and_a_late_listing(seed: int, halted: float) -> None:
    panel = daily_panel(seed, symbols=3, sessions=150, halted=halted)
    values = SET.batch(Inputs(panel))
    for column in range(3):
        for row in (*range(0, 14), 61, 76, 90, *range(134, 150)):
            wanted = values_on(panel, column, row) if panel.close[row, column] > 0 else {}
            expected = np.array([wanted.get(name, np.nan) for name in SET.names])
            _near(values[row, column], expected, SET.names)


@pytest.mark.parametrize("halted", [0.0, 0.15])
def test_every_factor_equals_its_definition(halted: float) -> None:
    panel = daily_panel(4, symbols=3, sessions=150, halted=halted)
    values = factors.SET.batch(Inputs(panel))
    windows = (5, 10, 15, 20, 60)
    for column in range(3):
        for row in (*range(0, 25), *range(60, 70), *range(134, 150)):
            wanted = values_on(panel, column, row, windows) if panel.close[row, column] > 0 else {}
            expected = np.array([wanted.get(name, np.nan) for name in factors.SET.names])
            _near(values[row, column], expected, factors.SET.names)


def test_a_factor_that_alpha_has_too_is_the_same_number() -> None:
    panel = daily_panel(5, symbols=70, sessions=90)
    left, right = factors.SET.batch(Inputs(panel)), SET.batch(Inputs(panel))
    shared = [name for name in factors.SET.names if name in PLACE]
    assert len(shared) == 13
    for name in shared:
        assert left[:, :, factors.SET.names.index(name)].tobytes() == right[:, :, PLACE[name]].tobytes(), name


def test_there_are_158_columns_in_declared_order() -> None:
    assert len(SET.names) == len(set(SET.names)) == 158
    assert SET.names[:9] == ("kmid", "klen", "kmid2", "kup", "kup2", "klow", "klow2", "ksft", "ksft2")
    assert SET.names[13:18] == ("roc_5", "roc_10", "roc_20", "roc_30", "roc_60")
    assert SET.names[-1] == "vsumd_60"
    assert SET.look_back == 60
    assert SET.hash != factors.SET.hash


def test_nothing_is_said_before_a_look_back_is_filled_and_everything_after() -> None:
    panel = daily_panel(6, symbols=2, sessions=150, halted=0.0)
    values = SET.batch(Inputs(panel))
    listed = int((panel.close[:, 1] > 0).argmax())
    assert listed > 0
    for k, spec in enumerate(SET.specs):
        assert np.isnan(values[: listed + spec.look_back, 1, k]).all(), spec.name
        assert np.isfinite(values[listed + spec.look_back, 1, k]), spec.name


def test_a_market_at_rest_says_zero_where_zero_has_a_meaning_and_nothing_elsewhere() -> None:
    panel = daily_panel(7, symbols=1, sessions=70, halted=0.0)
    still = np.full_like(panel.close, 50_000)
    panel = dataclasses.replace(
        panel, open=still, high=still, low=still, close=still, volume=np.full_like(still, 1_234_567)
    )
    newest = dict(zip(SET.names, SET.batch(Inputs(panel))[-1, 0].tolist(), strict=True))
    for w in (5, 60):
        for name in ("std", "beta", "resi", "rsv", "cntp", "cntd", "sump", "sumd", "vstd", "wvma", "vsump", "vsumd"):
            assert newest[f"{name}_{w}"] == 0.0, name
        for name in ("rsqr", "corr", "cord"):
            assert np.isnan(newest[f"{name}_{w}"]), name
        for name in ("roc", "ma", "max", "min", "qtlu", "qtld", "vma"):
            assert newest[f"{name}_{w}"] == 1.0, name
        assert newest[f"rank_{w}"] == np.float32((w + 1) / 2 / w)
        assert newest[f"imax_{w}"] == newest[f"imin_{w}"] == np.float32(1 / w)  # of equals the earliest
    assert newest["kmid2"] == newest["ksft2"] == 0.0


def test_a_day_without_trade_has_no_volume_to_divide_by() -> None:
    panel = daily_panel(8, symbols=1, sessions=80, halted=0.0)
    volume, traded = panel.volume.copy(), panel.traded.copy()
    volume[70], traded[70] = 0, False
    values = SET.batch(Inputs(dataclasses.replace(panel, volume=volume, traded=traded)))
    assert np.isnan(values[70, 0, [PLACE["vma_5"], PLACE["vstd_60"]]]).all()
    assert np.isfinite(values[71, 0, [PLACE["vma_5"], PLACE["vstd_60"]]]).all()
    assert np.isfinite(values[70, 0, PLACE["wvma_5"]])


def test_prices_off_their_bar_are_mended_as_in_the_other_daily_set() -> None:
    panel = daily_panel(9, symbols=1, sessions=70, halted=0.0)
    high, low = panel.high.copy(), panel.low.copy()
    high[-1], low[-1] = panel.close[-1] - 5, panel.close[-1] + 5
    newest = SET.batch(Inputs(dataclasses.replace(panel, high=high, low=low)))[-1, 0]
    assert newest[PLACE["kup"]] == 0.0
    assert newest[PLACE["klow"]] == 0.0


def test_a_later_split_changes_no_price_column() -> None:
    panel = daily_panel(10, symbols=2, sessions=90, halted=0.02)
    split = dataclasses.replace(
        panel, open=panel.open * 50, high=panel.high * 50, low=panel.low * 50, close=panel.close * 50
    )
    np.testing.assert_allclose(SET.batch(Inputs(split)), SET.batch(Inputs(panel)), rtol=1e-5, atol=1e-6)
