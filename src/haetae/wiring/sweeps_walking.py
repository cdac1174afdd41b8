"""Walk-forward: the best of each train window trades the sessions after it, and the windows make one path.

Each fold is a sweep of its own over the bars up to the end of its train window, in a folder of its own, so it resumes
like one. Not here: how windows lie and join (``backtest.sweep.folds``, ``backtest.sweep.stitching``).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from haetae import backtest
from haetae.backtest.metrics import measure
from haetae.backtest.strategies import run_strategy
from haetae.backtest.sweep.executors import Executor
from haetae.backtest.sweep.folds import Fold, WalkForward, folds_of
from haetae.backtest.sweep.points import Outcome
from haetae.backtest.sweep.scoring import figures_of, ranked, score_of
from haetae.backtest.sweep.stitching import sold_out, stitch
from haetae.backtest.sweep.work import window
from haetae.domain.errors import Text
from haetae.policies.library import Cash
from haetae.registry.durable import make_directory
from haetae.registry.trials import TrialBook
from haetae.wiring.backtests import beside
from haetae.wiring.dice import rng
from haetae.wiring.grounds import Stretch
from haetae.wiring.records import write_json, write_text
from haetae.wiring.sweeps import Plan, Progress, explore, sweep_work
from haetae.wiring.sweeps_folder import SCHEMA, claim
from haetae.wiring.sweeps_report import counts, nothing_ranked, shown, trials_on

REPORT = Text(ko="보고서", en="report")


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """One fold: what was chosen on its train window (None where nothing could be), and its test run."""

    fold: Fold
    chosen: Outcome | None
    points: dict[str, int]
    test: backtest.Result


def walk_forward(
    plan: Plan,
    stretch: Stretch,
    walk: WalkForward,
    folder: Path,
    *,
    executor: Executor,
    book: TrialBook,
    progress: Progress,
    with_baselines: bool = True,
) -> dict[str, Any]:
    """Choose and trade fold after fold, write the report of the joined path, and return the facts."""
    ground = stretch.ground
    folds = folds_of(ground.panel.days, ground.first, walk)
    make_directory(folder)
    claim(folder, {"schema": SCHEMA, **plan.told(), "data": stretch.data, "walk_forward": dataclasses.asdict(walk)})
    work = sweep_work(plan, stretch)
    walked: list[Walked] = []
    cash = plan.settings.cash
    for fold in folds:
        explored = explore(
            plan,
            stretch,
            folder / "folds" / f"{fold.index:03d}",
            work=work,
            executor=executor,
            book=book,
            window=fold.train,
            progress=progress,
            label=Text(ko=f"구간 {fold.index + 1}/{len(folds)}", en=f"fold {fold.index + 1}/{len(folds)}"),
        )
        best = ranked(explored.outcomes, plan.objective)
        test = _traded(plan, stretch, fold, best[0] if best else None, cash)
        if fold is not folds[-1]:
            test = sold_out(test, window(ground, *fold.test))
        cash = int(test.equity[-1])
        walked.append(Walked(fold, best[0] if best else None, counts(explored), test))
        if fold is folds[-1] and not any(each.chosen for each in walked):
            raise nothing_ranked(plan, explored)
    path = stitch([each.test for each in walked], f"{plan.title} · walk-forward")
    np.save(folder / "returns_oos.npy", path.daily_returns())
    facts = _facts(plan, stretch, walk, walked, path, folder)
    facts["report"], facts["files"] = _report(
        plan, stretch, facts, path, folder, book, progress, with_baselines=with_baselines
    )
    write_json(folder / "walk.json", facts)
    return facts


def _traded(plan: Plan, stretch: Stretch, fold: Fold, chosen: Outcome | None, cash: int) -> backtest.Result:
    """Return the test run of a fold; where nothing could be chosen it stays in cash."""
    strategy = plan.shipped(chosen.job.parameters) if chosen is not None else Cash()
    settings = dataclasses.replace(plan.settings, cash=cash)
    return run_strategy(strategy, window(stretch.ground, *fold.test), settings=settings)


def _facts(
    plan: Plan, stretch: Stretch, walk: WalkForward, walked: Sequence[Walked], path: backtest.Result, folder: Path
) -> dict[str, Any]:
    days = stretch.ground.panel.days
    folds = []
    for each in walked:
        test = figures_of(each.test)
        folds.append(
            {
                "fold": each.fold.index,
                "train": [int(days[each.fold.train[0]]), int(days[each.fold.train[1] - 1])],
                "test": [int(days[each.fold.test[0]]), int(days[each.fold.test[1] - 1])],
                **each.points,
                "chosen": None if each.chosen is None else shown(each.chosen, plan.objective),
                "test_score": test[plan.objective.value],
                "test_figures": dict(test),
            }
        )
    return {
        "schema": SCHEMA,
        **plan.told(),
        "data": stretch.data,
        "objective": plan.objective.value,
        "walk_forward": dataclasses.asdict(walk),
        "from": int(path.days[0]),
        "to": int(path.days[-1]),
        "symbols": len(path.symbols),
        "folds": folds,
        "decay": _decay(plan, walked),
        "out_of_sample": measure(path).as_json(),
        "folder": str(folder),
    }


def _decay(plan: Plan, walked: Sequence[Walked]) -> dict[str, Any]:
    """Return how the chosen points did where they were chosen and after, over folds that have both scores."""
    pairs = []
    for each in walked:
        inside = None if each.chosen is None else score_of(each.chosen, plan.objective)
        outside = figures_of(each.test)[plan.objective.value]
        if inside is not None and outside is not None:
            pairs.append((float(inside), float(outside)))
    mean_in = float(np.mean([a for a, _ in pairs])) if pairs else math.nan
    mean_out = float(np.mean([b for _, b in pairs])) if pairs else math.nan
    chosen = [tuple(sorted(each.chosen.job.parameters.items())) for each in walked if each.chosen is not None]
    kept = [a == b for a, b in pairwise(chosen)]
    return {
        "folds": len(pairs),
        "in_sample": mean_in if pairs else None,
        "out_of_sample": mean_out if pairs else None,
        "lost": mean_in - mean_out if pairs else None,
        "folds_positive": sum(b > 0 for _, b in pairs),
        "distinct_choices": len(set(chosen)),
        "choices_kept": sum(kept),
    }


def _report(
    plan: Plan,
    stretch: Stretch,
    facts: dict[str, Any],
    path: backtest.Result,
    folder: Path,
    book: TrialBook,
    progress: Progress,
    *,
    with_baselines: bool,
) -> tuple[dict[str, Any], dict[str, str]]:
    days = stretch.ground.panel.days
    first, last = (int(np.searchsorted(days, path.days[0])), int(np.searchsorted(days, path.days[-1], side="right")))
    seen = dataclasses.replace(stretch, ground=window(stretch.ground, first, last), index=_index(stretch, path))
    others = beside(plan.shipped({}), path, seen, plan.settings, plan.seed, progress, with_baselines=with_baselines)
    evidence = backtest.gather(path, others, trials=trials_on(plan, book, path), dice=rng(plan.seed, "bootstrap"))
    notes = backtest.ReportNotes(
        survivorship=stretch.survivorship,
        window="표본 밖: 매 구간을 그 이전 자료로만 골랐습니다 (out of sample, walk-forward)",
        remarks=("수정주가로 계산했습니다 (adjusted prices)",) if stretch.adjusted else (),
    )
    files = {"html": folder / "report.html", "json": folder / "report.json"}
    write_text(files["html"], backtest.html(path, others, path.name, notes, evidence))
    figures = backtest.figures(path, others, notes, evidence)
    write_json(files["json"], figures)
    return figures, {name: str(place) for name, place in files.items()}


def _index(stretch: Stretch, path: backtest.Result) -> backtest.Result | None:
    """Return the index over the sessions of a path."""
    index = stretch.index
    if index is None:
        return None
    inside = (index.days >= path.days[0]) & (index.days <= path.days[-1])
    return backtest.index_result(
        index.name, index.days[inside], index.equity[inside].astype(np.float64), path.initial_cash
    )
