"""What the feature benchmarks stand on: the peer's store, the comparison, Polars' side, an absent peer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import peers
import pytest
from factoring import agreement, bins, polars_side, recipe

from haetae.features import factors
from haetae.features.sets import Inputs


def test_the_arrays_on_disk_are_the_panel(tmp_path: Path) -> None:
    panel = recipe.make_panel(3, 70)
    recipe.write_arrays(panel, tmp_path)
    read = recipe.read_arrays(panel, tmp_path)
    for name in recipe.FIELDS:
        assert np.array_equal(getattr(read, name), getattr(panel, name))
    assert factors.SET.batch(Inputs(read)).tobytes() == factors.SET.batch(Inputs(panel)).tobytes()


def test_the_store_begins_with_the_first_trade_and_leaves_out_days_without_trade(tmp_path: Path) -> None:
    panel = recipe.make_panel(2, 6)
    close, traded = panel.close.copy(), panel.traded.copy()
    close[:2, 1], traded[:2, 1], traded[4, 1] = 0, False, False
    panel = dataclasses.replace(panel, close=close, traded=traded)
    spans = {"000010": [(2, 3), (5, 5)]}
    bins.write_store(panel, tmp_path, {"top": spans})
    stored = np.fromfile(tmp_path / "features" / "kr000010" / "close.day.bin", np.float32)
    assert stored[0] == 2.0
    expected = panel.close[2:, 1].astype(np.float32)
    expected[2] = np.nan
    np.testing.assert_array_equal(stored[1:], expected)
    lines = (tmp_path / "instruments" / "top.txt").read_text().splitlines()
    assert lines == ["KR000010\t2010-01-06\t2010-01-07", "KR000010\t2010-01-11\t2010-01-11"]
    assert len((tmp_path / "calendars" / "day.txt").read_text().split()) == 6


@pytest.mark.parametrize("form", polars_side.FORMS)
def test_polars_gives_our_factors(form: str, tmp_path: Path) -> None:
    panel = recipe.make_panel(4, 150)
    polars_side.write_rows(panel, tmp_path / "bars.parquet")
    theirs = agreement.by_symbol(polars_side.compute(tmp_path / "bars.parquet", form), 4)
    found = agreement.compare(factors.SET.batch(Inputs(panel)), theirs, factors.SET.names, 61)
    assert found["agree"] == 1.0
    assert found["cells"] == 89 * 4 * 14


@pytest.mark.parametrize("fault", [0.01, np.nan])
def test_values_that_differ_fail_the_comparison_by_name(fault: float) -> None:
    ours = np.ones((300, 40, 2), np.float32)
    theirs = ours.copy()
    theirs[100, :, 1] += fault
    with pytest.raises(agreement.Disagreement) as refused:
        agreement.compare(ours, theirs, ("first", "second"), 61)
    assert refused.value.found.startswith("second 0.99")
    assert "first" not in refused.value.found
    assert agreement.compare(ours, theirs, ("first", "second"), 101)["agree"] == 1.0


def test_a_peer_without_a_fitting_python_is_absent_and_says_so() -> None:
    with pytest.raises(peers.Absent, match=r"no Python 2\.6 to 2\.7 found"):
        peers.Peer("qlib", (2, 6), (2, 7)).interpreter()
