"""What is said of a sweep: its points, the best, and whether the best is more than luck.

Here: the facts that every face shows, and the report of the best point. Not here: walk-forward (``sweeps_walking``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from haetae import backtest
from haetae.backtest.overfitting import BLOCKS, overfitting
from haetae.backtest.strategies import run_strategy
from haetae.backtest.sweep.luck import Luck, judge
from haetae.backtest.sweep.points import Outcome, Status
from haetae.backtest.sweep.scoring import Objective, ranked, score_of
from haetae.domain.errors import StrategyError, Text
from haetae.registry.trials import TrialBook
from haetae.wiring.backtests import beside
from haetae.wiring.dice import rng
from haetae.wiring.grounds import Stretch
from haetae.wiring.records import write_json, write_text
from haetae.wiring.sweeps import Explored, Plan, Progress
from haetae.wiring.sweeps_folder import SCHEMA, read_returns

TOP = 10


def sweep_facts(plan: Plan, stretch: Stretch, explored: Explored, folder: Path, book: TrialBook) -> dict[str, Any]:
    """Return the facts of a plain sweep as JSON values.

    Raises ``StrategyError`` if no point has a score.
    """
    best_first = ranked(explored.outcomes, plan.objective)
    if not best_first:
        raise nothing_ranked(plan, explored)
    best = best_first[0]
    luck = luck_of(plan, stretch, explored, folder, book)
    panel = stretch.ground.traded
    return {
        "schema": SCHEMA,
        **plan.told(),
        "data": stretch.data,
        "from": int(panel.days[0]),
        "to": int(panel.days[-1]),
        "symbols": len(panel.symbols),
        "objective": plan.objective.value,
        **counts(explored),
        "best": shown(best, plan.objective),
        "top": [shown(each, plan.objective) for each in best_first[:TOP]],
        "refusals": refusals(explored),
        "luck": luck_facts(luck),
        "folder": str(folder),
    }


def luck_of(plan: Plan, stretch: Stretch, explored: Explored, folder: Path, book: TrialBook) -> Luck:
    """Return the judgement of the best point among every trial of the family on these days."""
    days = stretch.ground.traded.days
    trials = book.of(plan.title, int(days[0]), int(days[-1]))
    done = [each for each in explored.outcomes if each.status is Status.DONE]
    best = ranked(done, plan.objective)[0]
    sharpes = np.array([trial.sharpe for trial in trials], np.float64)
    return judge(best.returns, sharpes, read_returns(folder, done).T)


def report_best(
    plan: Plan,
    stretch: Stretch,
    explored: Explored,
    facts: Mapping[str, Any],
    folder: Path,
    book: TrialBook,
    progress: Progress,
    *,
    with_baselines: bool,
) -> dict[str, str]:
    """Run the best point once more, write its report beside the sweep, and return the files."""
    strategy = plan.shipped(facts["best"]["parameters"])
    result = run_strategy(strategy, stretch.ground, settings=plan.settings)
    others = beside(strategy, result, stretch, plan.settings, plan.seed, progress, with_baselines=with_baselines)
    notes = backtest.ReportNotes(
        survivorship=stretch.survivorship,
        remarks=(
            *(("수정주가로 계산했습니다 (adjusted prices)",) if stretch.adjusted else ()),
            facts["luck"]["verdict_ko"],
        ),
    )
    files = {"html": folder / "report.html", "json": folder / "report.json"}
    evidence = backtest.gather(result, others, trials=trials_on(plan, book, result), dice=rng(plan.seed, "bootstrap"))
    done = [each for each in explored.outcomes if each.status is Status.DONE]
    if len(done) > 1 and len(done[0].returns) >= 2 * BLOCKS:
        evidence = dataclasses.replace(evidence, overfitting=overfitting(read_returns(folder, done).T))
    write_text(files["html"], backtest.html(result, others, strategy.policy_id, notes, evidence))
    write_json(files["json"], backtest.figures(result, others, notes, evidence))
    return {name: str(path) for name, path in files.items()}


def trials_on(plan: Plan, book: TrialBook, result: backtest.Result) -> backtest.Trials:
    """Return every trial of the plan's family on days that overlap a run."""
    days = result.daily_days()
    return backtest.Trials.from_sharpes([each.sharpe for each in book.of(plan.title, int(days[0]), int(days[-1]))])


def counts(explored: Explored) -> dict[str, int]:
    """Return how many points there are of each fate."""
    refused = sum(each.status is Status.REFUSED for each in explored.outcomes)
    total = len(explored.outcomes)
    return {"points": total, "done": total - refused, "refused": refused, "resumed": explored.resumed}


def shown(outcome: Outcome, objective: Objective) -> dict[str, Any]:
    """Return a point as JSON values."""
    return {
        "parameters": dict(outcome.job.parameters),
        "score": score_of(outcome, objective),
        "figures": dict(outcome.figures),
    }


def refusals(explored: Explored) -> list[dict[str, Any]]:
    """Return the first points that were refused, with the reason."""
    refused = [each for each in explored.outcomes if each.status is Status.REFUSED]
    return [{"parameters": dict(each.job.parameters), "reason": each.reason} for each in refused[:TOP]]


def luck_facts(luck: Luck) -> dict[str, Any]:
    """Return the judgement as JSON values, undefined figures as None."""
    return {
        "trials": luck.trials,
        "trial_sharpe_sd": luck.trial_sharpe_sd,
        "deflated_sharpe": luck.deflated if math.isfinite(luck.deflated) else None,
        "pbo": luck.overfitting if math.isfinite(luck.overfitting) else None,
        "told_from_luck": luck.is_told_from_luck,
        "verdict_ko": luck.verdict.ko,
        "verdict_en": luck.verdict.en,
    }


def nothing_ranked(plan: Plan, explored: Explored) -> StrategyError:
    """Return the error of a sweep without any point to choose."""
    reasons = refusals(explored)
    why = f"{reasons[0]['parameters']}: {reasons[0]['reason']}" if reasons else f"{plan.objective.value}: -"
    return StrategyError(
        Text(ko="고를 수 있는 점이 하나도 없습니다", en="there is no point to choose from"),
        expected=Text(
            ko=f"{plan.objective.value} 값이 있는 점 하나 이상",
            en=f"at least one point that has a {plan.objective.value}",
        ),
        found=f"{len(explored.outcomes)} points; {why}",
        next_step=Text(ko="탐색 공간이나 기간을 바꾸세요", en="change the space or the days"),
    )
