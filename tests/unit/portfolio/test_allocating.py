"""Allocations obey every limit for any request, by every method; what cannot be met is named and answered."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.portfolio import Fallback, Limits, Method, Optimiser, Outcome, Request, allocate
from haetae.portfolio.bounds import breaches
from haetae.portfolio.conflict import can_be_met
from unit.portfolio.requests import DAY, codes, covariance, request, requests_st

OPTIMISER = Optimiser()
EPS = 1e-6
methods = pytest.mark.parametrize("method", list(Method), ids=lambda m: m.value)


def lawful(asked: Request, weights: np.ndarray) -> None:
    """The laws that hold whatever the outcome, each relaxed by what is held already."""
    held, limits = asked.held, asked.limits
    assert np.all(weights >= 0.0)
    assert np.all(weights <= np.maximum(asked.caps, held) + EPS)
    assert np.array_equal(weights[~asked.tradable], held[~asked.tradable])
    assert weights.sum() <= max(1.0 - limits.cash_floor, held.sum()) + EPS
    assert np.abs(weights - held).sum() <= limits.turnover_cap + EPS
    assert not np.any((weights > held + EPS) & ~asked.wanted)
    for number, cap in enumerate(asked.sector_caps):
        inside = asked.in_sector(number)
        assert weights[inside].sum() <= max(cap, held[inside].sum()) + EPS


@settings(max_examples=150, deadline=None)
@given(asked=requests_st(), method=st.sampled_from(Method))
def test_every_limit_holds_for_any_request(asked: Request, method: Method) -> None:
    answer = allocate(method, asked, OPTIMISER)
    lawful(asked, answer.weights)
    if answer.outcome is Outcome.SOLVED:
        assert breaches(asked, answer.weights) == {}
    else:
        assert np.all(answer.weights <= asked.held)
        assert answer.variance <= answer.variance_held * (1 + 1e-12)
    assert answer.outcome in (Outcome.SOLVED, Outcome.NOTHING_WANTED, Outcome.INFEASIBLE)


@settings(max_examples=60, deadline=None)
@given(asked=requests_st(), method=st.sampled_from(Method))
def test_infeasible_is_said_exactly_when_no_weights_would_do(asked: Request, method: Method) -> None:
    answer = allocate(method, asked, OPTIMISER)
    if answer.outcome is Outcome.SOLVED:
        assert can_be_met(asked)
    if answer.outcome is Outcome.INFEASIBLE:
        if method is Method.SCORE_COST:  # buys only what has an opinion
            asked = dataclasses.replace(asked, wanted=asked.wanted & np.isfinite(asked.expected))
        assert not can_be_met(asked)
        assert answer.conflicts


@methods
def test_the_order_in_which_names_are_told_changes_nothing(method: Method) -> None:
    n = 12
    names = codes(n)
    plain = request(n, held={names[3]: 0.2, names[0]: 0.1})
    turned = tuple(reversed(names))
    place = [names.index(s) for s in turned]
    other = request(
        n,
        symbols=turned,
        covariance=covariance(n)[np.ix_(place, place)],
        held={names[0]: 0.1, names[3]: 0.2},
        wanted={s: 0.01 * np.sin(names.index(s)) for s in turned},
    )
    assert np.array_equal(allocate(method, plain, OPTIMISER).weights, allocate(method, other, OPTIMISER).weights)


@pytest.mark.parametrize("method", [m for m in Method if m is not Method.HIERARCHICAL], ids=lambda m: m.value)
def test_other_codes_for_the_same_names_change_nothing(method: Method) -> None:
    n = 12
    shuffle = np.random.default_rng(7).permutation(n)
    names, matrix = codes(n), covariance(n)
    opinions = np.sin(np.arange(n)) * 0.02
    one = request(n, wanted=dict(zip(names, opinions, strict=True)), sectors={})
    told = dict(zip(names, opinions[shuffle], strict=True))
    two = request(n, wanted=told, covariance=matrix[np.ix_(shuffle, shuffle)], sectors={})
    first, second = allocate(method, one, OPTIMISER).weights, allocate(method, two, OPTIMISER).weights
    np.testing.assert_allclose(first[shuffle], second, atol=2e-5)


def test_the_answer_does_not_depend_on_the_questions_before() -> None:
    rng = np.random.default_rng(3)
    asked = request(14, held={codes(14)[2]: 0.3})
    fresh = allocate(Method.SCORE_COST, asked, Optimiser()).weights
    used = Optimiser()
    for k in range(5):
        before = request(11 + k, covariance=covariance(11 + k) * float(rng.uniform(0.1, 9.0)))
        allocate(Method.SCORE_COST, before, used)
    assert np.array_equal(allocate(Method.SCORE_COST, asked, used).weights, fresh)


def test_a_universe_that_changes_by_a_few_names_meets_the_same_stated_problem() -> None:
    optimiser = Optimiser()
    for n in (41, 44, 50, 47):
        assert allocate(Method.SCORE_COST, request(n), optimiser).outcome is Outcome.SOLVED
    assert optimiser.stated == 1
    allocate(Method.SCORE_COST, request(51), optimiser)
    assert optimiser.stated == 2


def test_padding_does_not_move_the_weights() -> None:
    # 10 names fill their problem, 11 leave nine places empty; the eleventh here can neither be held nor bought.
    ten, eleven = codes(10), codes(11)
    opinions = {s: 0.02 * np.cos(k) for k, s in enumerate(ten)}
    alone = request(10, wanted=opinions, covariance=covariance(11)[:10, :10])
    with_other = request(11, wanted=opinions | {eleven[10]: -0.05}, covariance=covariance(11))
    first = allocate(Method.SCORE_COST, alone, OPTIMISER).weights
    second = allocate(Method.SCORE_COST, with_other, OPTIMISER).weights
    assert second[10] == 0.0
    np.testing.assert_allclose(first, second[:10], atol=1e-5)


def test_nothing_is_traded_when_costs_exceed_the_benefit() -> None:
    names = codes(12)
    held = dict.fromkeys(names, 0.08)
    dear = request(held=held, buy_cost=dict.fromkeys(names, 0.2), sell_cost=dict.fromkeys(names, 0.2))
    answer = allocate(Method.SCORE_COST, dear, OPTIMISER)
    assert answer.outcome is Outcome.SOLVED
    assert np.array_equal(answer.weights, dear.held)
    assert answer.turnover == answer.cost == 0.0
    assert answer.changes() == {}
    free = request(held=held, buy_cost={}, sell_cost={})
    assert allocate(Method.SCORE_COST, free, OPTIMISER).turnover > 0.1


def test_dearer_trades_are_smaller_and_impact_spreads_them() -> None:
    names = codes(12)
    opinions = {names[0]: 0.03, names[1]: 0.02, names[2]: 0.01}
    turnover = [
        allocate(
            Method.SCORE_COST, request(wanted=opinions, impact=dict.fromkeys(names, k), risk_aversion=3.0), OPTIMISER
        ).turnover
        for k in (0.0, 0.02, 0.05)
    ]
    assert turnover[0] > turnover[1] + 0.01 > turnover[2] + 0.02


def test_a_cost_of_three_halves_meets_its_closed_form() -> None:
    # One name, no cap in reach: expected = aversion * variance * w + 1.5 * impact * sqrt(w).
    asked = request(
        1, covariance=np.array([[0.01]]), wanted={"000010": 0.05}, buy_cost={}, sell_cost={},
        impact={"000010": 0.04}, risk_aversion=20.0, sectors={}, limits=Limits(max_weight=1.0, cash_floor=0.0),
    )  # fmt: skip
    weight = allocate(Method.SCORE_COST, asked, OPTIMISER).weights[0]
    assert 0.05 < weight < 0.95
    assert 20.0 * 0.01 * weight + 1.5 * 0.04 * np.sqrt(weight) == pytest.approx(0.05, rel=1e-4)


def test_a_sale_pays_the_tax_and_a_buy_does_not() -> None:
    names = codes(2)
    matrix = np.diag([0.01, 0.01])

    def weight(held: float) -> float:
        asked = request(
            2, covariance=matrix, wanted={names[0]: 0.02}, held={names[0]: held}, sectors={}, risk_aversion=10.0,
            buy_cost=dict.fromkeys(names, 0.001), sell_cost=dict.fromkeys(names, 0.004),
            limits=Limits(max_weight=1.0, cash_floor=0.0, turnover_cap=2.0),
        )  # fmt: skip
        return float(allocate(Method.SCORE_COST, asked, OPTIMISER).weights[0])

    # Buying stops where the marginal benefit is the buy's cost, selling where the loss is the sale's.
    assert weight(0.0) == pytest.approx((0.02 - 0.001) / 0.1, abs=1e-5)
    assert weight(0.9) == pytest.approx((0.02 + 0.004) / 0.1, abs=1e-5)
    assert weight(0.21) == 0.21


def test_a_halted_hedge_moves_the_risk_of_the_rest() -> None:
    names = codes(3)
    matrix = np.array([[0.01, 0.003, 0.0], [0.003, 0.01, 0.0], [0.0, 0.0, 0.01]])
    given = {
        "covariance": matrix, "wanted": {names[1]: 0.02, names[2]: 0.02}, "held": {names[0]: 0.3}, "sectors": {},
        "buy_cost": {}, "sell_cost": {}, "limits": Limits(max_weight=1.0, cash_floor=0.0, turnover_cap=2.0),
    }  # fmt: skip
    answer = allocate(Method.SCORE_COST, request(3, tradable=frozenset(names[1:]), **given), OPTIMISER)
    assert answer.weights[0] == 0.3
    # Gradient: 10 * (C w)_i = 0.02 for both names that move.
    np.testing.assert_allclose(10.0 * (matrix @ answer.weights)[1:], 0.02, atol=1e-5)


def test_minimum_variance_invests_all_that_the_limits_allow() -> None:
    full = allocate(Method.MINIMUM_VARIANCE, request(12), OPTIMISER)
    assert full.weights.sum() == pytest.approx(0.98, abs=1e-6)
    capped = request(12, limits=Limits(max_weight=0.05, cash_floor=0.02, turnover_cap=2.0))
    assert allocate(Method.MINIMUM_VARIANCE, capped, OPTIMISER).weights.sum() == pytest.approx(0.6, abs=1e-6)
    slow = request(12, limits=Limits(max_weight=0.3, turnover_cap=0.25))
    assert allocate(Method.MINIMUM_VARIANCE, slow, OPTIMISER).weights.sum() == pytest.approx(0.25, abs=1e-6)


def test_minimum_variance_beats_every_other_method_at_variance() -> None:
    asked = request(12, buy_cost={}, sell_cost={})
    least = allocate(Method.MINIMUM_VARIANCE, asked, OPTIMISER).variance
    for method in (Method.EQUAL_WEIGHT, Method.INVERSE_VOLATILITY, Method.RISK_PARITY, Method.HIERARCHICAL):
        other = allocate(method, asked, OPTIMISER)
        assert other.weights.sum() == pytest.approx(0.98)
        assert least < other.variance


@methods
def test_conflicting_limits_are_named_with_what_each_would_need(method: Method) -> None:
    names = codes(12)
    asked = request(
        held={names[0]: 0.5, names[1]: 0.1}, limits=Limits(max_weight=0.1, turnover_cap=0.2), sectors={}
    )  # fmt: skip
    answer = allocate(method, asked, OPTIMISER)
    assert answer.outcome is Outcome.INFEASIBLE
    told = {conflict.name: conflict.needed for conflict in answer.conflicts}
    assert told == {
        f"max_weight:{names[0]}": pytest.approx(0.3, abs=1e-5),
        "turnover_cap": pytest.approx(0.4, abs=1e-5),
    }
    # The fallback sells the name that is over, as far as turnover goes, and buys nothing.
    assert answer.fallback is Fallback.SHRINK
    assert answer.changes() == {names[0]: pytest.approx(0.3)}
    assert answer.targets().reason.startswith(f"infeasible: max_weight:{names[0]} 0.1 (needs 0.3) + turnover_cap")


def test_a_floor_that_the_caps_cannot_reach_is_named() -> None:
    asked = request(5, limits=Limits(max_weight=0.08, invested_floor=0.9, turnover_cap=2.0))
    answer = allocate(Method.SCORE_COST, asked, OPTIMISER)
    assert {conflict.name for conflict in answer.conflicts} == {"max_weight", "invested_floor"}
    assert not answer.weights.any()


def test_hold_keeps_everything() -> None:
    names = codes(12)
    limits = Limits(max_weight=0.1, turnover_cap=0.2, fallback=Fallback.HOLD)
    answer = allocate(Method.SCORE_COST, request(held={names[0]: 0.5}, limits=limits), OPTIMISER)
    assert answer.fallback is Fallback.HOLD
    assert answer.changes() == {}


def test_a_hedge_over_its_cap_is_held_rather_than_sold_into_more_risk() -> None:
    names = codes(2)
    matrix = np.array([[0.04, -0.019], [-0.019, 0.01]])
    asked = request(
        2, covariance=matrix, held={names[0]: 0.3, names[1]: 0.6}, wanted={}, sectors={},
        limits=Limits(max_weight=0.4, turnover_cap=2.0),
    )  # fmt: skip
    answer = allocate(Method.SCORE_COST, asked, OPTIMISER)
    assert (answer.outcome, answer.fallback) == (Outcome.NOTHING_WANTED, Fallback.HOLD)
    assert np.array_equal(answer.weights, asked.held)


def test_one_halted_name_over_its_sector_does_not_stop_the_others() -> None:
    names = codes(12)
    asked = request(held={names[0]: 0.5}, tradable=frozenset(names[1:]), sector_caps={"a": 0.3, "b": 1.0, "c": 1.0})
    answer = allocate(Method.MINIMUM_VARIANCE, asked, OPTIMISER)
    assert answer.outcome is Outcome.SOLVED
    assert answer.weights[0] == 0.5
    assert answer.weights[[3, 6, 9]].sum() == 0.0
    assert answer.weights.sum() == pytest.approx(0.98, abs=1e-5)


@methods
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"held": {codes(3)[1]: float("nan")}}, "held of 000020"),
        ({"held": {codes(3)[1]: -0.1}}, "held of 000020"),
        ({"covariance": np.array([[1e-4, 0, 0], [0, np.nan, 0], [0, 0, 1e-4]])}, "covariance of 000020"),
        ({"covariance": np.diag([1e-4, 0.0, 1e-4])}, "covariance of 000020"),
        ({"wanted": {codes(3)[2]: float("inf")}}, "expected of 000030"),
        ({"sell_cost": {codes(3)[0]: float("nan")}}, "sell_cost of 000010"),
        ({"caps": {codes(3)[0]: float("nan")}}, "cap of 000010"),
        ({"risk_aversion": float("nan")}, "risk_aversion"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_useless_numbers_are_named_and_nothing_is_traded(method: Method, changes: dict, told: str) -> None:
    answer = allocate(method, request(3, **changes), OPTIMISER)
    assert (answer.outcome, answer.detail, answer.fallback) == (Outcome.BAD_INPUT, told, Fallback.HOLD)
    assert answer.changes() == {}


def test_a_covariance_without_a_root_is_no_exception() -> None:
    asked = request(2, covariance=np.array([[1.0, 2.0], [2.0, 1.0]]), sectors={})
    for method in (Method.SCORE_COST, Method.MINIMUM_VARIANCE):
        answer = allocate(method, asked, OPTIMISER)
        assert (answer.outcome, answer.detail) == (Outcome.BAD_INPUT, "covariance is not positive definite")


def test_a_name_without_an_opinion_is_never_bought_for_its_score() -> None:
    names = codes(3)
    asked = request(3, wanted={names[0]: float("nan"), names[1]: 0.05}, held={names[0]: 0.1}, sectors={})
    answer = allocate(Method.SCORE_COST, asked, OPTIMISER)
    assert answer.weights[0] <= 0.1
    assert answer.weights[1] > 0.1
    assert answer.weights[2] == 0.0
    assert answer.day == DAY


@methods
def test_what_limits_demand_comes_before_what_is_wished_where_turnover_is_scarce(method: Method) -> None:
    names = codes(12)
    held = {names[0]: 0.25, names[3]: 0.25}  # both of sector a
    asked = request(
        held=held, sector_caps={"a": 0.3, "b": 1.0, "c": 1.0}, limits=Limits(max_weight=0.3, turnover_cap=0.2)
    )
    answer = allocate(method, asked, OPTIMISER)
    assert answer.outcome is Outcome.SOLVED
    assert answer.weights[[0, 3]].sum() == pytest.approx(0.3, abs=1e-6)
    assert answer.weights.sum() == pytest.approx(0.3, abs=1e-5)
