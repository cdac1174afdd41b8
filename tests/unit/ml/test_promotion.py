"""What a model must show: every demand fails by its own name, a missing figure too, and thresholds only tighten."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from typing import Any

import numpy as np
import pytest

from haetae.domain.learning import ModelState
from haetae.domain.promotion import ShadowOutcome
from haetae.ml.promotion import MADE_BY, METRICS, Case, demands, failed
from haetae.ml.settings import PromotionSettings

SETTINGS = PromotionSettings()
FIRST = dt.date(2026, 1, 5)


def days(values: np.ndarray, model: str = "new") -> tuple[ShadowOutcome, ...]:
    return tuple(
        ShadowOutcome(model, FIRST + dt.timedelta(days=n), FIRST + dt.timedelta(days=n + 6), float(value), 200)
        for n, value in enumerate(values)
    )


NOISE = np.random.default_rng(3).normal(0, 0.05, 30)
GOOD = Case(
    kind="ranker",
    metrics={
        "test_rank_ic": 0.04,
        "test_rank_ic_t": 4.0,
        "test_rank_ic_neutral": 0.01,
        "test_net_bp": 12.0,
        "test_one_line_net_bp": 5.0,
        "test_control_t": 1.1,
        "pbo": 0.02,
    },
    provenance=dict.fromkeys(MADE_BY, "known"),
    trials=12,
    deflated=0.97,
    horizon=5,
    shadow=days(0.05 + NOISE),
    champion="old",
    champion_shadow=days(0.03 + NOISE, "old"),
)
POLICY = dataclasses.replace(
    GOOD, kind="policy", metrics={"test_excess_over_best": 0.02, "test_t_excess": 2.5, "pbo": 0.0,
    "test_daily_return": 0.04}, horizon=0,
)  # fmt: skip


def changed(case: Case = GOOD, *, metrics: dict[str, float | None] | None = None, **fields: Any) -> Case:
    told = {k: v for k, v in ({**case.metrics, **(metrics or {})}).items() if v is not None}
    return dataclasses.replace(case, metrics=told, **fields)


def unmet(case: Case, to: ModelState = ModelState.CHAMPION, settings: PromotionSettings = SETTINGS) -> set[str]:
    return {one.key for one in failed(demands(case, to, settings))}


def test_a_model_with_all_its_evidence_meets_every_demand() -> None:
    found = demands(GOOD, ModelState.CHAMPION, SETTINGS)
    assert not failed(found)
    assert len({one.key for one in found}) == len(found) == 11
    assert not failed(demands(POLICY, ModelState.CHAMPION, SETTINGS))
    assert set(GOOD.metrics) | set(POLICY.metrics) <= set(METRICS)


LACKING = {
    "rank_ic": {"metrics": {"test_rank_ic": -0.001}},
    "rank_ic_t": {"metrics": {"test_rank_ic_t": 2.9}},
    "neutral_rank_ic": {"metrics": {"test_rank_ic_neutral": -0.001}},
    "beats_one_line": {"metrics": {"test_net_bp": 5.0}},
    "control": {"metrics": {"test_control_t": 3.1}},
    "deflated_sharpe": {"deflated": 0.94},
    "overfitting": {"metrics": {"pbo": 0.06}},
    "shadow_sessions": {"shadow": days(0.05 + NOISE[:19]), "champion": ""},
    "shadow_quality": {"shadow": days(-0.03 + NOISE), "champion": ""},
    "same_days": {"champion_shadow": days(0.06 + NOISE, "old")},
    "provenance": {"provenance": {**dict.fromkeys(MADE_BY, "known"), "costs": ""}},
}


@pytest.mark.parametrize("key", LACKING)
def test_each_demand_fails_alone_and_by_name(key: str) -> None:
    assert unmet(changed(**LACKING[key])) == {key}


def test_losing_less_than_the_one_line_scores_is_no_gain() -> None:
    assert unmet(changed(metrics={"test_net_bp": -8.9, "test_one_line_net_bp": -10.0})) == {"beats_one_line"}
    assert unmet(changed(metrics={"test_net_bp": 0.1, "test_one_line_net_bp": -10.0})) == set()


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("test_rank_ic", {"rank_ic", "shadow_quality"}),
        ("test_rank_ic_t", {"rank_ic_t"}),
        ("test_rank_ic_neutral", {"neutral_rank_ic"}),
        ("test_net_bp", {"beats_one_line"}),
        ("test_one_line_net_bp", {"beats_one_line"}),
        ("test_control_t", {"control"}),
        ("pbo", {"overfitting"}),
    ],
)
@pytest.mark.parametrize("absent", [None, math.nan])
def test_a_figure_that_nobody_measured_is_not_met(name: str, keys: set[str], absent: float | None) -> None:
    assert unmet(changed(metrics={name: absent})) == keys


def test_missing_trials_shadow_and_policy_figures_are_not_met() -> None:
    assert unmet(changed(trials=0)) == {"deflated_sharpe"}
    assert unmet(changed(deflated=math.nan)) == {"deflated_sharpe"}
    assert unmet(changed(shadow=())) == {"shadow_sessions", "shadow_quality", "same_days"}
    assert unmet(changed(champion_shadow=())) == {"same_days"}
    assert unmet(changed(champion_shadow=days(0.03 + NOISE[:10], "old"))) == {"same_days"}
    policy = changed(POLICY, metrics={"test_excess_over_best": None, "test_t_excess": 1.9})
    assert unmet(policy) == {"excess", "excess_t"}


def test_shadow_asks_for_the_gate_alone_and_retiring_for_nothing() -> None:
    bare = changed(metrics={"pbo": None}, shadow=(), trials=0, deflated=math.nan)
    assert unmet(bare, ModelState.SHADOW) == set()
    assert unmet(changed(bare, metrics={"test_rank_ic_t": 1.0}), ModelState.SHADOW) == {"rank_ic_t"}
    assert demands(bare, ModelState.RETIRED, SETTINGS) == ()


LOOSER = {
    "min_t": 2.9,
    "min_neutral_rank_ic": -0.01,
    "max_control_t": 3.5,
    "min_deflated_sharpe": 0.9,
    "max_overfitting": 0.2,
    "min_excess_t": 1.0,
    "min_shadow_sessions": 19,
    "max_shortfall_t": 3.0,
}


@pytest.mark.parametrize("name", LOOSER)
def test_a_threshold_is_never_looser_than_the_default(name: str) -> None:
    assert set(LOOSER) == {field.name for field in dataclasses.fields(PromotionSettings)}
    for value in (LOOSER[name], math.nan):
        with pytest.raises(ValueError, match=name):
            PromotionSettings(**{name: value})


def test_a_tighter_threshold_asks_for_more() -> None:
    tight = PromotionSettings(min_t=5.0, min_shadow_sessions=40)
    assert unmet(changed(champion=""), settings=tight) == {"rank_ic_t", "shadow_sessions"}
