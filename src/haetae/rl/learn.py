"""Train on one part of the sessions, choose on the next, and tell the truth on the last.

Here: the split, one training per seed, choice by validation only, the evaluation of every seed and
every baseline through the same engine at the same costs, and the artefact with these figures in
it. Not here: the algorithm (``ppo``), the engine (``backtest``). Whether the result is any good is
not this module's business: it reports what it finds, and "no better than cash" is a finding.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.backtest import BacktestSettings, Listing, Result, compare, measure, run, run_policy
from haetae.backtest.sharpe import moments
from haetae.domain.learning import ModelCard
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.policies import NetPolicy, RankPolicy, baselines
from haetae.policies.artefact import WEIGHTS_FILE, NetArtefact, to_files
from haetae.policies.observe import Scaler, feature_hash, observation_names
from haetae.ports import Policy
from haetae.rl import ppo
from haetae.rl.accounts import Accounts
from haetae.rl.data import decision_rows, prepare_window, split_sessions
from haetae.rl.settings import EnvSettings, LearnSettings
from haetae.sim import FillModel

KIND = "policy"
Told = Callable[[str, int, int, Mapping[str, float]], None]
"""Stage, done, total, figures; called after every update and every evaluation."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What is learned from: minute bars of whole sessions with what was known at each row.

    Attributes
    ----------
    features : (n_bars, n_symbols, n_features) float32
        Computed over the whole panel by a causal function.
    scores : (n_bars, n_symbols) or (1, n_symbols) float32, optional
    """

    panel: Panel
    features: NDArray[np.float32]
    feature_names: tuple[str, ...]
    scores: NDArray[np.float32] | None = None
    listing: Listing = field(default_factory=Listing)

    def part(self, first: int, last: int) -> Material:
        """Return the rows ``first <= row < last``; the close before becomes the first base price."""
        base = dict(zip(self.panel.symbols, self.panel.close[first - 1].tolist(), strict=True)) if first else None
        scores = self.scores
        return Material(
            panel=self.panel.rows(first, last),
            features=self.features[first:last],
            feature_names=self.feature_names,
            scores=scores[first:last] if scores is not None and len(scores) > 1 else scores,
            listing=dataclasses.replace(self.listing, base_prices=base) if base else self.listing,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The chosen policy as files, its card, all figures as JSON values, and the test runs for a report."""

    files: dict[str, bytes]
    card: ModelCard
    figures: dict[str, Any]
    test_run: Result
    test_benchmarks: tuple[Result, ...]


def learn(
    material: Material,
    generators: Mapping[int, np.random.Generator],
    dice: np.random.Generator,
    settings: LearnSettings | None = None,
    *,
    model: FillModel | None = None,
    tell: Told | None = None,
) -> Learned:
    """Train a policy per seed, choose by validation, evaluate on the test part beside the baselines.

    Parameters
    ----------
    material : Material
        At least three sessions.
    generators : mapping of seed to generator
        One training each; the seeds are listed in the figures.
    dice : numpy Generator
        Chance of the random baseline.
    tell : callable, optional
        Told of progress.
    """
    settings = settings or LearnSettings()
    say = tell or (lambda _stage, _done, _total, _figures: None)
    parts = [material.part(*edge) for edge in split_sessions(material.panel, settings.parts)]
    training, validation, test = parts
    scaler = Scaler.fit(training.features[decision_rows(training.panel, settings.env)])
    window = prepare_window(
        training.panel, training.features, scaler, settings.env, scores=training.scores, listing=training.listing
    )
    inputs = len(observation_names(material.feature_names))
    candidates: dict[int, NetArtefact] = {}
    checked: dict[int, Result] = {}
    stories: dict[int, list[ppo.UpdateNote]] = {}
    for seed, rng in generators.items():
        env = Accounts(window, settings.env, groups=settings.ppo.groups, accounts=settings.ppo.accounts, model=model)

        def relay(done: int, total: int, note: ppo.UpdateNote, seed: int = seed) -> None:
            say(f"train seed {seed}", done, total, {"mean_reward": note.mean_reward, "noise": note.noise})

        weights, stories[seed] = ppo.train(env, inputs, settings.ppo, rng, relay)
        candidates[seed] = NetArtefact(weights, scaler, material.feature_names, settings.env.limits)
        checked[seed] = _policy_run(candidates[seed], validation, settings.env, f"seed {seed}", model)
    chosen = max(checked, key=lambda seed: (int(checked[seed].equity[-1]), -seed))
    tested = {seed: _policy_run(net, test, settings.env, f"seed {seed}", model) for seed, net in candidates.items()}
    figures: dict[str, Any] = {
        "algorithm": "ppo-numpy/1",
        "seeds": list(generators),
        "chosen_seed": chosen,
        "chosen_by": "validation return",
        "trials": len(candidates),
        "decisions_per_seed": stories[chosen][-1].decisions,
        "parameters": int(sum(value.size for value in candidates[chosen].weights.values())),
        "windows": {n: _span(p) for n, p in zip(("train", "validation", "test"), parts, strict=True)},
        "mean_reward": {str(s): [round(n.mean_reward, 5) for n in notes] for s, notes in stories.items()},
    }
    sides: dict[str, list[Result]] = {}
    for place, (name, part, runs) in enumerate((("validation", validation, checked), ("test", test, tested)), start=1):
        sides[name] = _baseline_runs(part, settings.env, runs[chosen], dice, model)
        figures[name] = _beside(runs, chosen, sides[name])
        say("evaluate", place, 2, {"return": figures[name]["policy"]["total_return"]})
    artefact = dataclasses.replace(candidates[chosen], provenance=figures)
    files = to_files(artefact)
    policy = NetPolicy.from_files(files)
    measured = _of_test(tested[chosen], figures["test"])
    return Learned(
        files=files,
        card=_card(policy.policy_id, files, material, training, figures, chosen, measured),
        figures=figures,
        test_run=dataclasses.replace(tested[chosen], name="강화학습 정책 (PPO)"),
        test_benchmarks=tuple(sides["test"]),
    )


def _policy_run(net: NetArtefact, part: Material, env: EnvSettings, name: str, model: FillModel | None) -> Result:
    return _run(NetPolicy(net, name), part, decision_rows(part.panel, env), env, name, model)


def _run(
    policy: Policy, part: Material, rows: Int64Array, env: EnvSettings, name: str, model: FillModel | None
) -> Result:
    return run_policy(
        part.panel,
        policy,
        rows,
        name=name,
        features=part.features,
        feature_names=part.feature_names,
        scores=part.scores,
        listing=part.listing,
        model=model,
        settings=_account(env),
    )


def _account(env: EnvSettings) -> BacktestSettings:
    return BacktestSettings(cash=env.cash, work_bars=env.work_bars, min_order_won=0, cash_floor_ppm=0)


def _baseline_runs(
    part: Material, env: EnvSettings, policy: Result, dice: np.random.Generator, model: FillModel | None
) -> list[Result]:
    panel, rows = part.panel, decision_rows(part.panel, env)
    eligible = np.broadcast_to(panel.close[rows[0]] > 0, panel.close.shape)
    task = baselines.Task(panel, rows, eligible, top=max(1, min(10, len(panel.symbols) // 3)))
    daily = baselines.Task(panel, rows[np.unique(panel.days[rows], return_index=True)[1]], eligible, task.top)
    measured = measure(policy)
    per_decision = measured.turnover * measured.sessions / 252 / max(len(rows), 1)
    wanted: list[tuple[str, NDArray[np.float64]]] = [
        ("현금", baselines.cash(task)),
        ("동일비중 매수 후 보유", baselines.buy_and_hold(task)),
        ("동일비중 매일 재조정", baselines.equal_weight(daily)),
        ("무작위 (같은 회전율)", baselines.random_names(task, dice, replaced=per_decision)),
        ("미래를 아는 상한선 (불가능)", baselines.perfect_foresight(task)),
    ]
    runs = [
        run(panel, targets, name=name, listing=part.listing, model=model, settings=_account(env))
        for name, targets in wanted
    ]
    if part.scores is not None and np.any(part.scores):
        runs.insert(-1, _run(RankPolicy(), part, daily.rows, env, "모델 점수 순위 정책", model))
    return [*runs[:-1], dataclasses.replace(runs[-1], bound=True)]


def _beside(runs: Mapping[int, Result], chosen: int, others: Sequence[Result]) -> dict[str, Any]:
    best = max((other for other in others if not other.bound), key=lambda other: int(other.equity[-1]))
    mine = runs[chosen]
    per_seed = [measure(run).total_return for run in runs.values()]
    excess = (int(mine.equity[-1]) - int(best.equity[-1])) / mine.initial_cash
    told: dict[str, Any] = {
        "policy": measure(mine).as_json(),
        "per_seed": {str(seed): measure(run).as_json() for seed, run in runs.items()},
        "mean_return": float(np.mean(per_seed)),
        "worst_return": float(np.min(per_seed)),
        "baselines": {other.name: measure(other).as_json() for other in others},
        "best_baseline": best.name,
        "excess_over_best": excess,
        "better_than_best": excess > 0,
    }
    if len(mine.session_rows()) > 1:
        statistic = compare(mine, best).t_excess
        told["t_excess"] = statistic if np.isfinite(statistic) else None
    return told


def _span(part: Material) -> dict[str, int]:
    days = part.panel.days
    return {"from": int(days[0]), "to": int(days[-1]), "sessions": len(part.panel.sessions())}


def _of_test(run: Result, told: Mapping[str, Any]) -> dict[str, float]:
    """Return what promotion reads of a test run; what cannot be computed on so few sessions is left out."""
    returns = run.daily_returns()
    found = moments(returns)
    figures = {
        "test_daily_return": float(returns.mean()) if len(returns) else math.nan,
        "test_t_excess": told.get("t_excess"),
        "sharpe": found.ratio,
        "sharpe_spread": found.spread,
        "sharpe_sessions": float(len(returns)),
    }
    return {name: float(value) for name, value in figures.items() if value is not None and math.isfinite(value)}


def _card(
    model_id: str,
    files: Mapping[str, bytes],
    material: Material,
    training: Material,
    figures: Mapping[str, Any],
    chosen: int,
    measured: Mapping[str, float],
) -> ModelCard:
    told = {
        "trials": float(figures["trials"]),
        **measured,
    } | {
        f"{part}_{name}": float(figures[part][source][name] if source else figures[part][name])
        for part in ("validation", "test")
        for source, name in (("policy", "total_return"), ("policy", "turnover"), ("", "excess_over_best"))
    }
    return ModelCard(
        model_id=model_id,
        kind=KIND,
        feature_hash=feature_hash(material.feature_names),
        train_from=day_from(int(training.panel.days[0])),
        train_to=day_from(int(training.panel.days[-1])),
        metrics=told,
        seed=chosen,
        content_hash=hashlib.sha256(files[WEIGHTS_FILE]).hexdigest(),
        files=tuple(sorted(files)),
    )
