"""Target weights obey their constraints for any scores, holdings and tradability."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haetae.domain.learning import Targets
from haetae.portfolio import Constraints, construct

DAY = dt.date(2026, 11, 20)
SYMBOLS = [f"{k:05d}0" for k in range(1, 41)]
EPS = 1e-6

scores_st = st.dictionaries(st.sampled_from(SYMBOLS), st.floats(-5, 5) | st.just(float("nan")), max_size=40)
volatility_st = st.dictionaries(st.sampled_from(SYMBOLS), st.floats(0, 0.2) | st.just(float("nan")), max_size=40)
tradable_st = st.none() | st.sets(st.sampled_from(SYMBOLS), max_size=40)
limits_st = st.builds(
    Constraints,
    names=st.integers(1, 25),
    keep_rank=st.integers(1, 40),
    max_weight=st.floats(0.02, 0.5),
    cash_floor=st.floats(0, 0.3),
    band=st.floats(0, 0.05),
    turnover_cap=st.floats(0.05, 2.0),
)


@st.composite
def holdings(draw: st.DrawFn) -> dict[str, float]:
    names = draw(st.lists(st.sampled_from(SYMBOLS), unique=True, max_size=20))
    parts = [draw(st.floats(0.001, 1.0)) for _ in names]
    invested = draw(st.floats(0.0, 1.0))
    return {s: invested * p / sum(parts) for s, p in zip(names, parts, strict=True)}


@settings(max_examples=200, deadline=None)
@given(scores=scores_st, volatility=volatility_st, held=holdings(), tradable=tradable_st, limits=limits_st)
def test_constraints_hold_for_any_input(
    scores: dict[str, float],
    volatility: dict[str, float],
    held: dict[str, float],
    tradable: set[str] | None,
    limits: Constraints,
) -> None:
    weights = construct(DAY, scores, volatility, held, limits, tradable=tradable).weights
    assert {s for s, w in held.items() if w > 0} <= set(weights)
    for symbol, weight in weights.items():
        assert 0.0 <= weight <= max(limits.max_weight, held.get(symbol, 0.0)) + EPS
        if tradable is not None and symbol not in tradable:
            assert weight == held[symbol]
    assert sum(weights.values()) <= max(1.0 - limits.cash_floor, sum(held.values())) + EPS
    traded = sum(abs(weights.get(s, 0.0) - held.get(s, 0.0)) for s in set(weights) | set(held))
    assert traded <= limits.turnover_cap + EPS
    assert list(weights) == sorted(weights)


def _fresh(scores: dict[str, float], **changes: object) -> Targets:
    return construct(DAY, scores, dict.fromkeys(SYMBOLS, 0.02), {}, Constraints(**changes))  # type: ignore[arg-type]


def test_the_best_names_are_bought_and_calmer_ones_weigh_more() -> None:
    scores = {s: float(-k) for k, s in enumerate(SYMBOLS)}
    volatility = {s: 0.01 if k % 2 else 0.03 for k, s in enumerate(SYMBOLS)}
    targets = construct(DAY, scores, volatility, {}, Constraints(names=10, max_weight=0.5, turnover_cap=2.0))
    assert set(targets.weights) == set(SYMBOLS[:10])
    assert targets.weights[SYMBOLS[1]] == pytest.approx(3 * targets.weights[SYMBOLS[0]])
    assert sum(targets.weights.values()) == pytest.approx(0.98)


def test_a_cap_leaves_the_rest_in_cash() -> None:
    scores = {s: float(-k) for k, s in enumerate(SYMBOLS)}
    targets = _fresh(scores, names=5, max_weight=0.1)
    assert sum(targets.weights.values()) == pytest.approx(0.5)


def test_a_held_name_stays_while_it_ranks_well_enough() -> None:
    scores = {s: float(-k) for k, s in enumerate(SYMBOLS)}
    limits = Constraints(names=5, keep_rank=8, max_weight=0.2, cash_floor=0.0, turnover_cap=2.0)
    near = construct(DAY, scores, {}, {SYMBOLS[7]: 0.2}, limits)
    far = construct(DAY, scores, {}, {SYMBOLS[8]: 0.2}, limits)
    assert near.weights[SYMBOLS[7]] == pytest.approx(0.2)
    assert SYMBOLS[4] not in near.weights
    assert far.weights[SYMBOLS[8]] == 0.0


def test_small_changes_are_left_alone() -> None:
    scores = {s: float(-k) for k, s in enumerate(SYMBOLS)}
    limits = Constraints(names=10, keep_rank=12, cash_floor=0.0, max_weight=0.2, turnover_cap=2.0)
    held = {s: 0.1 + (0.004 if k % 2 else -0.004) for k, s in enumerate(SYMBOLS[:10])}
    assert construct(DAY, scores, {}, held, limits).weights == held


def test_a_full_replacement_is_spread_over_several_days() -> None:
    scores = {s: float(-k) for k, s in enumerate(SYMBOLS)}
    limits = Constraints(names=10, keep_rank=10, cash_floor=0.0, max_weight=0.2, turnover_cap=0.5)
    held = dict.fromkeys(SYMBOLS[30:], 0.1)
    for _ in range(4):
        held = dict(construct(DAY, scores, {}, held, limits).weights)
    assert sum(held[s] for s in SYMBOLS[:10]) == pytest.approx(1.0)


def test_without_scores_nothing_moves_and_the_reason_is_told() -> None:
    held = {SYMBOLS[0]: 0.3}
    targets = construct(DAY, {SYMBOLS[1]: float("nan")}, {}, held)
    assert targets.weights == held
    assert targets.reason == "no_scores"


def test_equal_scores_are_ordered_by_code_so_input_order_does_not_matter() -> None:
    scores = dict.fromkeys(SYMBOLS, 1.0)
    backward = dict.fromkeys(reversed(SYMBOLS), 1.0)
    assert _fresh(scores) == _fresh(backward)
    assert set(_fresh(scores).weights) == set(SYMBOLS[:20])
