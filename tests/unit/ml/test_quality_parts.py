"""Tenths, decay, groups and costs of scores, by hand and on planted signals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from haetae.ml import quality_decay, quality_deciles, quality_groups
from haetae.ml.costs import CostTable


def test_a_table_of_tenths_gives_the_mean_of_each() -> None:
    scores = np.tile(np.arange(30, dtype=np.float32), (4, 1))
    outcomes = (np.tile(np.arange(30), (4, 1)) * 1e-3).astype(np.float32)
    table = quality_deciles.decile_table(scores, outcomes, 1)
    assert table.mean_bp == pytest.approx([10.0 + 30.0 * g for g in range(10)], abs=1e-3)
    assert sum(table.excess_bp) == pytest.approx(0.0, abs=1e-3)
    assert table.spread_bp == pytest.approx(270.0, abs=1e-3)
    assert table.monotone == pytest.approx(1.0)
    assert table.days == 4
    upside_down = quality_deciles.decile_table(-scores, outcomes, 1)
    assert upside_down.monotone == pytest.approx(-1.0)
    assert upside_down.spread_bp == pytest.approx(-270.0, abs=1e-3)


def test_a_table_without_a_full_day_is_empty_and_its_json_is_plain() -> None:
    nothing = np.full((3, 30), np.nan, dtype=np.float32)
    told = quality_deciles.decile_table(nothing, nothing, 1).as_json()
    assert told["days"] == 0
    assert told["spread_bp"] is None
    assert told["mean_bp"] == [None] * 10


def test_costs_of_a_day_are_those_of_its_tax() -> None:
    costs = CostTable(fee_bp=1.5, slippage_bp=5.0)
    days = np.array([20190102, 20200102, 20210104, 20230102, 20260102], dtype=np.int32)
    assert costs.round_trip_bp(days) == pytest.approx([43.0, 38.0, 36.0, 33.0, 33.0])
    assert costs.as_json(days)["sale_tax_first_bp"] == pytest.approx(30.0)


def test_a_dated_cost_is_charged_on_its_day() -> None:
    scores = np.tile(np.arange(40, dtype=np.float32), (2, 1))
    scores[1] *= -1
    outcomes = np.zeros((2, 40), dtype=np.float32)
    found = quality_deciles.spread_periods(scores, outcomes, 1, round_trip_bp=np.array([10.0, 30.0]))
    assert found.net * 1e4 == pytest.approx([-20.0, -60.0])
    assert found.long_net * 1e4 == pytest.approx([-10.0, -30.0])


def test_decay_follows_a_signal_that_dies_after_two_sessions() -> None:
    rng = np.random.default_rng(1)
    daily = rng.normal(size=(220, 60)).astype(np.float32)
    scores = daily[1:] * 0.7 + rng.normal(size=(219, 60)).astype(np.float32)
    outcomes = {
        h: np.array([daily[t + 1 : t + 1 + h].sum(axis=0) for t in range(200)], dtype=np.float32) for h in (1, 5, 20)
    }
    found = quality_decay.ic_decay(scores[:200], outcomes)
    assert list(found) == [1, 5, 20]
    assert found[1].mean > found[5].mean > found[20].mean > 0
    assert [each.lags for each in found.values()] == [4, 5, 20]


def test_stability_tells_a_still_score_from_a_restless_one() -> None:
    rng = np.random.default_rng(2)
    still = np.tile(rng.normal(size=50).astype(np.float32), (30, 1))
    assert quality_decay.stability(still, 5) == quality_decay.Stability(5, pytest.approx(1.0), 0.0)
    restless = quality_decay.stability(rng.normal(size=(200, 100)).astype(np.float32), 1)
    assert abs(restless.autocorrelation) < 0.05
    assert restless.turnover == pytest.approx(0.9, abs=0.05)
    assert math.isnan(quality_decay.stability(still, 40).autocorrelation)


def test_a_signal_of_one_group_shows_in_that_group_only() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(120, 90)).astype(np.float32)
    outcomes = rng.normal(size=(120, 90)).astype(np.float32)
    outcomes[:, :30] += scores[:, :30]
    sectors = quality_groups.sector_groups(["steel"] * 30 + ["ships"] * 55 + [""] * 5)
    assert {name: int(who.sum()) for name, who in sectors.items()} == {"ships": 55, "steel": 30}
    found = quality_groups.by_group(scores, outcomes, sectors, 1)
    assert found["steel"].mean > 0.5
    assert abs(found["ships"].mean) < 0.05
    size = np.tile(np.arange(90, dtype=np.float32), (120, 1))
    thirds = quality_groups.size_thirds(size, np.ones((120, 90), dtype=bool))
    by_size = quality_groups.by_group(scores, outcomes, thirds, 1, low_volatility=size)
    assert by_size["small"].mean > 0.5 > abs(by_size["large"].mean)
    assert by_size["small"].neutral_mean > 0.5


def test_thirds_leave_out_who_takes_no_part() -> None:
    who = np.ones((1, 10), dtype=bool)
    who[0, 9] = False
    thirds = quality_groups.size_thirds(np.arange(10, dtype=np.float32)[None, :], who)
    assert [np.flatnonzero(thirds[name][0]).tolist() for name in quality_groups.THIRDS] == [
        [0, 1, 2],
        [3, 4, 5],
        [6, 7, 8],
    ]


def test_years_are_summed_up_apart() -> None:
    rng = np.random.default_rng(6)
    scores = rng.normal(size=(40, 30)).astype(np.float32)
    outcomes = scores.copy()
    outcomes[20:] *= -1
    days = np.array([20211201 + k for k in range(20)] + [20220103 + k for k in range(20)], dtype=np.int32)
    found = quality_groups.by_year(scores, outcomes, days, 1, low_volatility=rng.normal(size=(40, 30)))
    assert found["2021"].mean == pytest.approx(1.0)
    assert found["2022"].mean == pytest.approx(-1.0)
    assert found["2022"].neutral_mean < -0.8
    assert found["2021"].days == 20


def test_a_score_of_few_values_leaves_parts_empty_and_ties_together() -> None:
    scores = np.tile(np.repeat(np.arange(3, dtype=np.float32), [4, 22, 4]), (3, 1))
    outcomes = np.tile(np.arange(30, dtype=np.float32) * 1e-4, (3, 1))
    table = quality_deciles.decile_table(scores, outcomes, 1)
    assert [table.mean_bp[g] for g in (0, 5, 9)] == pytest.approx([1.5, 14.5, 27.5], abs=1e-3)
    assert math.isnan(table.mean_bp[1])
    assert math.isnan(table.monotone)
    thirds = quality_deciles.decile_table(scores, outcomes, 1, groups=3)
    shuffled = quality_deciles.decile_table(scores[:, ::-1], outcomes[:, ::-1], 1, groups=3)
    assert thirds == shuffled
    assert thirds.mean_bp == pytest.approx([1.5, 14.5, 27.5], abs=1e-3)
