"""What a changed setting remakes: told before anything runs, for every setting there is."""

from __future__ import annotations

import dataclasses
import datetime as dt
from enum import Enum
from typing import Any

import pytest

from haetae.backtest import BacktestSettings
from haetae.domain.learning import Trial
from haetae.ml.settings import RankerKind, RankerSettings, WalkForwardSettings
from haetae.portfolio import Constraints
from haetae.research import ResearchSettings, market
from haetae.research.plan import STAGES, plan
from haetae.universe import UniverseSettings
from research_market import PanelLake, panel

BASE = ResearchSettings()
LEARN = {"models", "portfolio", "backtest", "report"}
CHOOSE = {"universe", *LEARN}
WALK = {"portfolio", "backtest", "report"}
CHANGES: dict[str, tuple[Any, set[str]]] = {
    "first_test": (dt.date(2021, 9, 1), set()),  # tells the first row, which the plan is given
    "warm_up_sessions": (200, set()),
    "horizon_sessions": (4, LEARN),
    "rebalance_sessions": (7, WALK),
    "min_training_turnover_won": (1, LEARN),
    "max_training_idle": (0.2, LEARN),
    "round_trip_bp": (40.0, LEARN),
    "kinds": ((RankerKind.XGBOOST,), LEARN),
    "seed_count": (4, LEARN),
    "other_seed_count": (2, LEARN),
    "shuffled_controls": (3, LEARN),
    "control_thinning": (5, LEARN),
    "workers": (1, set()),  # scores do not depend on how many fit at a time
    "index": ("1001", set()),  # what it reads is in the digest of the market
    "universe": (UniverseSettings(size=40), CHOOSE),
    "ranker": (RankerSettings(rounds=100), LEARN),
    "walk": (WalkForwardSettings(sample_every=5, train_rows=400), LEARN),
    "constraints": (Constraints(names=10), WALK),
    "backtest": (BacktestSettings(cash=50_000_000), WALK),
}


def keys(settings: ResearchSettings = BASE, **other: Any) -> dict[str, str]:
    known = market.load(PanelLake(other.pop("bars", panel())), "0001")
    asked = {"first_row": 130, "seed": 7, **other}
    return {stage: each.key for stage, each in plan(known, settings, **asked).items()}


def remade(settings: ResearchSettings = BASE, **other: Any) -> set[str]:
    before, after = keys(), keys(settings, **other)
    return {stage for stage in before if before[stage] != after[stage]}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_remakes_exactly_what_depends_on_it(name: str) -> None:
    assert set(CHANGES) == {field.name for field in dataclasses.fields(ResearchSettings)}
    value, expected = CHANGES[name]
    assert value != getattr(BASE, name)
    assert remade(dataclasses.replace(BASE, **{name: value})) == expected


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(RankerSettings)])
def test_every_shape_of_the_trees_is_another_model_and_threads_are_not(field: str) -> None:
    value = getattr(BASE.ranker, field)
    options = [each for each in type(value) if each is not value] if isinstance(value, Enum) else [value + 1]
    other = not value if isinstance(value, bool) else options[0]
    changed = dataclasses.replace(BASE, ranker=dataclasses.replace(BASE.ranker, **{field: other}))
    assert remade(changed) == (set() if field == "n_threads" else LEARN)


def test_the_first_row_the_seed_the_data_and_earlier_trials_are_inputs_too() -> None:
    day = dt.date(2021, 8, 2)
    trial = Trial("ranker", {"n": 1}, "code", "data", day, day, 1, 0.1, "run", 1)
    assert remade(first_row=140) == CHOOSE
    assert remade(seed=8) == LEARN
    assert remade(tried=[trial]) == {"backtest", "report"}
    assert remade(bars=panel(6)) == set(STAGES[1:])
    assert remade() == set()


def test_two_orders_of_the_same_trials_are_the_same_study() -> None:
    day = dt.date(2021, 8, 2)
    trials = [Trial("ranker", {"n": n}, "code", "data", day, day, 1, 0.1 * n, "run", n) for n in range(3)]
    assert keys(tried=trials) == keys(tried=trials[::-1])
