"""Ranks, parts and totals: ties, gaps and weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from haetae.universe import MissingParts, UniverseSettings
from haetae.universe.figures import BookFigures
from haetae.universe.scoring import mean_of, parts_of, ranks, total_of

NAN, INF = np.nan, np.inf


def test_the_middle_of_ranks_is_a_half_and_equal_figures_share_one() -> None:
    assert ranks(np.array([3.0, 1.0, 1.0, 2.0])).tolist() == [0.875, 0.25, 0.25, 0.625]
    assert ranks(np.array([7.0])).tolist() == [0.5]
    assert ranks(np.array([])).tolist() == []


def test_what_is_not_known_has_no_rank_and_infinities_are_the_ends() -> None:
    found = ranks(np.array([NAN, -INF, 5.0, INF, NAN]))
    assert np.isnan(found[[0, 4]]).all()
    assert found[1:4].tolist() == [1 / 6, 0.5, 5 / 6]


@given(st.lists(st.one_of(st.just(NAN), st.floats(-1e9, 1e9)), max_size=40))
def test_ranks_are_those_of_scipy(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)
    known = ~np.isnan(array)
    expected = np.full(len(array), NAN)
    if known.any():
        expected[known] = (rankdata(array[known]) - 0.5) / known.sum()
    np.testing.assert_allclose(ranks(array), expected)


def test_a_mean_is_of_the_known_figures_only() -> None:
    found = mean_of([np.array([0.2, NAN, NAN]), np.array([0.4, 0.9, NAN])])
    assert found[:2].tolist() == [pytest.approx(0.3), 0.9]
    assert np.isnan(found[2])


def books(**given: list[float]) -> BookFigures:
    size = len(next(iter(given.values())))
    columns = {
        name: np.array(given.get(name, [NAN] * size))
        for name in ("earnings_yield", "book_to_price", "return_on_equity", "debt", "operating_margin")
    }
    no = np.zeros(size, np.bool_)
    return BookFigures(**columns, stale=no, negative=no)


def test_each_part_prefers_what_it_says() -> None:
    flat = np.ones(3)
    up = np.array([1.0, 2.0, 3.0])
    told = books(earnings_yield=[0.1, 0.2, NAN], book_to_price=[NAN, NAN, 9.0], debt=[0.9, 0.5, 0.1])
    parts = parts_of(flat, up, up, told)
    assert parts["momentum"].argmax() == 2
    assert parts["low_volatility"].argmax() == 0
    assert parts["liquidity"].tolist() == [0.5, 0.5, 0.5]
    assert parts["quality"].argmax() == 2  # the least debt
    # the only book-to-price is the middle of itself, between the two earnings yields
    assert parts["value"].argsort().tolist() == [0, 2, 1]
    assert all(np.isclose(part.mean(), 0.5) for part in parts.values())


def test_a_missing_part_gives_its_weight_to_the_others_and_is_never_zero() -> None:
    weights = {"value": 0.5, "momentum": 0.25, "liquidity": 0.25}
    parts = {
        "value": np.array([NAN, 0.9, NAN]),
        "momentum": np.array([0.8, 0.8, NAN]),
        "liquidity": np.array([0.4, 0.4, NAN]),
    }
    found = total_of(parts, weights, MissingParts.REWEIGHT)
    assert found.tolist() == [pytest.approx(0.6), pytest.approx(0.75), 0.5]
    neutral = total_of(parts, weights, MissingParts.NEUTRAL)
    assert neutral.tolist() == [pytest.approx(0.55), pytest.approx(0.75), 0.5]


def test_the_default_weights_say_the_same_of_a_lake_without_statements_as_the_bars_alone() -> None:
    rng = np.random.default_rng(1)
    bars = {name: rng.random(20) for name in ("momentum", "low_volatility", "liquidity")}
    nothing = {"value": np.full(20, NAN), "quality": np.full(20, NAN)}
    found = total_of(nothing | bars, UniverseSettings().weights, MissingParts.REWEIGHT)
    by_hand = 0.25 * bars["momentum"] + 0.25 * bars["low_volatility"] + 0.5 * bars["liquidity"]
    np.testing.assert_allclose(found, by_hand)
