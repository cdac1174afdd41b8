"""The optimised policy proposes whole shares within its limits, on what a view knows and nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from haetae.domain.account import Book
from haetae.domain.decisions import View
from haetae.domain.errors import StrategyError
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.panel import empty_panel
from haetae.domain.proposals import proposal_fault
from haetae.domain.units import day_from, instant_at
from haetae.policies import LIBRARY, OptimisedPolicy
from haetae.portfolio import AllocationSettings, Candidates, CostSettings, Fallback, Limits, Method, Outcome
from random_panels import daily_panel

DAILY = daily_panel(5, symbols=20, sessions=200)
DAY = dt.date(2026, 11, 18)
N = len(DAILY.symbols)
LIMITS = Limits(max_weight=0.15, sector_cap=0.4, turnover_cap=2.0)
methods = pytest.mark.parametrize("method", list(Method), ids=lambda m: m.value)


def view(**changes: object) -> View:
    last = np.maximum(DAILY.close[-1], 1_000)
    held = np.where(np.arange(N) == 3, 20_000_000 // last, 0)
    cash = 80_000_000
    plain = View(
        at=instant_at(DAY, 93000), day=DAY, symbols=DAILY.symbols, feature_names=(),
        features=np.zeros((N, 0), np.float32), scores=np.linspace(0.05, 1.0, N).astype(np.float32), last=last,
        held=held, tradable=np.ones(N, bool), cash=cash, equity=cash + int(held @ last), fear_greed=50.0,
        book=Book(cash=cash, deposits=100_000_000), daily=DAILY,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def policy(method: Method = Method.SCORE_COST, **changes: object) -> OptimisedPolicy:
    listed = {
        s: Instrument(s, s, Market.KOSPI, Kind.COMMON, dt.date(2020, 1, 2), 0, 10**7, sector="ab"[k % 2])
        for k, s in enumerate(DAILY.symbols)
    }
    return OptimisedPolicy(AllocationSettings(method=method, limits=LIMITS, **changes), listed, model_id="lightgbm")  # type: ignore[arg-type]


def weights_after(seen: View, targets: dict[str, float]) -> np.ndarray:
    now = seen.held * seen.last / seen.equity
    return np.array([targets.get(s, w) for s, w in zip(seen.symbols, now, strict=True)])


@methods
def test_proposals_are_whole_shares_within_the_limits_that_cash_can_pay(method: Method) -> None:
    seen = view()
    found = policy(method).propose(seen)
    assert found.policy_id == f"{method.value}:lightgbm"
    assert len(found.targets) >= 3
    assert proposal_fault(found, set(seen.symbols)) is None
    after = weights_after(seen, dict(found.targets))
    assert after.max() <= 0.15 + 1e-6
    assert after.sum() <= 0.98 + 1e-6
    assert max(after[::2].sum(), after[1::2].sum()) <= 0.4 + 1e-6
    shares = after * seen.equity / seen.last
    np.testing.assert_allclose(shares, np.round(shares), atol=1e-3)


@methods
def test_a_proposal_is_a_function_of_the_view_alone(method: Method) -> None:
    used = policy(method)
    used.propose(view(scores=np.linspace(1.0, 0.05, N).astype(np.float32)))
    assert used.propose(view()) == policy(method).propose(view())


def test_better_scores_weigh_more_and_names_without_one_are_not_bought() -> None:
    scores = np.zeros(N, np.float32)
    scores[10:] = np.linspace(0.1, 1.0, N - 10)
    found = policy().propose(view(scores=scores, held=np.zeros(N, np.int64), equity=80_000_000))
    assert set(found.targets) <= set(DAILY.symbols[10:])
    assert DAILY.symbols[-1] in found.targets


@methods
def test_without_history_nothing_is_traded_and_the_reason_is_told(method: Method) -> None:
    seen = view(daily=empty_panel(DAILY.symbols))
    answer = policy(method).allocation(seen)
    assert (answer.outcome, answer.fallback) == (Outcome.NO_HISTORY, Fallback.HOLD)
    assert answer.reason == "no_history: 0 closed sessions; hold"
    assert policy(method).propose(seen).targets == {}


def test_without_scores_nothing_is_bought_unless_all_names_are_candidates() -> None:
    silent = view(scores=np.zeros(N, np.float32))
    quiet = policy(Method.RISK_PARITY)
    assert quiet.allocation(silent).outcome is Outcome.NOTHING_WANTED
    held = DAILY.symbols[3]
    assert set(quiet.propose(silent).targets) <= {held}  # over its cap: sold toward it
    everyone = policy(Method.RISK_PARITY, candidates=Candidates.ALL).propose(silent)
    assert len(everyone.targets) >= N - 1


def test_methods_without_expected_returns_spread_over_the_best_names_only() -> None:
    found = policy(Method.EQUAL_WEIGHT, names=7, keep_rank=7).propose(view())
    assert {s for s, w in found.targets.items() if w > 0.0} == set(DAILY.symbols[-7:])
    assert found.targets[DAILY.symbols[3]] == 0.0


def test_halted_names_and_names_without_a_price_are_left_out() -> None:
    last = view().last.copy()
    last[7] = 0
    tradable = np.ones(N, bool)
    tradable[[3, 9]] = False
    found = policy(Method.EQUAL_WEIGHT).propose(view(tradable=tradable, last=last))
    assert not {DAILY.symbols[k] for k in (3, 7, 9)} & set(found.targets)


def test_impact_makes_a_large_account_trade_a_smaller_part() -> None:
    traded = [
        policy(costs=CostSettings(impact=factor))
        .allocation(view(held=np.zeros(N, np.int64), equity=80_000_000))
        .turnover
        for factor in (0.0, 30.0)
    ]
    assert traded[1] < 0.7 * traded[0]


def test_only_sessions_of_the_view_are_used() -> None:
    part = DAILY.rows(0, 150)
    first = policy(Method.MINIMUM_VARIANCE).propose(view(daily=part))
    assert first == policy(Method.MINIMUM_VARIANCE).propose(view(daily=part))
    assert first != policy(Method.MINIMUM_VARIANCE).propose(view())
    assert day_from(int(part.days[-1])) < DAY


@methods
def test_the_ready_strategy_sizes_momentum_by_any_method(method: Method) -> None:
    made = LIBRARY["optimised"](method=method.value, names=5, look_back=100, max_weight=0.25, turnover_cap=2.0)
    seen = view(scores=np.zeros(N, np.float32), held=np.zeros(N, np.int64), equity=80_000_000)
    found = made.propose(seen)
    assert found.policy_id.startswith(f"optimised(method={method.value},names=5")
    assert 3 <= len(found.targets) <= (N if method is Method.SCORE_COST else 5)
    momentum = DAILY.close[-22] / np.maximum(DAILY.close[-101], 1)
    best = DAILY.symbols[int(np.argmax(np.where(DAILY.close[-101] > 0, momentum, 0.0)))]
    assert found.targets[best] > 0.05
    assert made.propose(view(daily=DAILY.rows(0, 100), scores=np.zeros(N, np.float32))).targets.keys() <= {
        DAILY.symbols[3]
    }


def test_an_unknown_method_is_refused_with_those_there_are() -> None:
    with pytest.raises(StrategyError) as refused:
        LIBRARY["optimised"](method="best")
    assert "risk_parity" in str(refused.value.expected)


WITHOUT = """
import sys
sys.modules["cvxpy"] = None
from haetae.domain.errors import ConfigError
from haetae.policies import LIBRARY, OptimisedPolicy
from haetae.portfolio import AllocationSettings, Method
for method in Method:
    try:
        OptimisedPolicy(AllocationSettings(method=method))
        print(method.value, "built")
    except ConfigError as absent:
        print(method.value, absent.expected, "|", absent.next_step.en)
"""


def test_without_the_extra_the_start_names_it_and_the_methods_that_do_without() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True).stdout
    lines = dict(line.split(" ", 1) for line in told.splitlines())
    for method in Method:
        if method.needs_solver:
            assert lines[method.value].startswith("the extra 'optimise' | install haetae[optimise]")
            assert "risk_parity" in lines[method.value]
        else:
            assert lines[method.value] == "built"


def test_neither_library_is_imported_before_it_is_needed() -> None:
    heavy = "cvxpy clarabel skfolio sklearn"
    code = f"import sys, haetae.policies, haetae.portfolio.study as _; print(set({heavy.split()}) & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "set()"
