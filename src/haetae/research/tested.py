"""The stage that compares: every model and yardstick by the same rules, all baselines, and what the search leaves.

The first model's portfolio is the study's; the others stand beside it and are counted as trials, since a reader sees
them and could choose. Trials of earlier studies on overlapping days deflate the figures too.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haetae import backtest
from haetae.backtest.overfitting import BLOCKS
from haetae.backtest.sharpe import moments
from haetae.domain.learning import Trial
from haetae.domain.units import day_from
from haetae.research import portfolios
from haetae.research.market import DailyMarket
from haetae.research.notes import remarks, window_text
from haetae.research.settings import ResearchSettings

BOUND = "perfect_foresight"
Dice = Callable[[str], np.random.Generator]


def family(horizon: int) -> str:
    """Return under which name the book of trials keeps rankers of a horizon, whoever fitted them."""
    return f"ranker-h{horizon}"


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Every simulated run of a study; ``others`` do not contain the study's own ``result``."""

    result: backtest.Result
    others: Mapping[str, backtest.Result]
    index: backtest.Result | None
    rivals: tuple[str, ...]
    """Names of those among ``others`` that follow another model's scores."""

    @property
    def benchmarks(self) -> list[backtest.Result]:
        """Return what the study is shown beside, the bound left out."""
        return [*([self.index] if self.index else []), *(one for name, one in self.others.items() if name != BOUND)]


def walked(
    market: DailyMarket,
    ground: portfolios.Arena,
    targets: np.ndarray,
    scores: Mapping[str, np.ndarray],
    models: Sequence[str],
    settings: ResearchSettings,
    dice: Dice,
) -> Walks:
    """Return the run of stored targets, and of everything it is compared with."""
    own = settings.kinds[0].value
    result = backtest.run(ground.traded, targets, name=own, listing=ground.listing, settings=settings.backtest)
    turnover = backtest.measure(result).turnover
    others = portfolios.baselines(ground, settings, turnover, dice("research.random_names"))
    for name, grid in scores.items():
        if name != own:
            run = portfolios.constructed(
                ground, grid[:, ground.columns], settings.constraints, settings, f"{name}_same_rules"
            )[1]
            others[run.name] = run
    rivals = tuple(f"{name}_same_rules" for name in models if name != own)
    return Walks(result, others, portfolios.index_run(market, ground.first, settings.backtest.cash), rivals)


def trials_of(walks: Walks, code: str, data: str, parameters: Mapping[str, Any], horizon: int) -> tuple[Trial, ...]:
    """Return what the book of trials keeps of a study: one trial for each model's portfolio; ``at`` is not set."""
    runs = [walks.result, *(walks.others[name] for name in walks.rivals)]
    days = walks.result.daily_days()
    return tuple(
        Trial(
            family=family(horizon),
            parameters={**parameters, "scores": run.name},
            code=code,
            data=data,
            first=day_from(int(days[0])),
            last=day_from(int(days[-1])),
            sessions=len(days),
            sharpe=moments(run.daily_returns()).ratio,
            why="research",
            at=0,
        )
        for run in runs
    )


def evidence(walks: Walks, trials: Sequence[Trial], dice: np.random.Generator) -> backtest.Evidence:
    """Return the examinations of a study: every trial counted, the choice among all scores tested for overfitting."""
    counted = backtest.Trials.from_sharpes([trial.sharpe for trial in trials])
    found = backtest.gather(walks.result, walks.benchmarks, trials=counted, dice=dice)
    chosen_from = [walks.result, *(one for name, one in walks.others.items() if name.endswith("_same_rules"))]
    block = np.column_stack([one.daily_returns() for one in chosen_from])
    if block.shape[1] < 2 or len(block) < 2 * BLOCKS:
        return found
    return dataclasses.replace(found, overfitting=backtest.overfitting(block))


def figures_of(walks: Walks, found: backtest.Evidence, notes: backtest.ReportNotes) -> dict[str, Any]:
    """Return the figures of the backtest as JSON values."""
    return backtest.figures(walks.result, [*walks.benchmarks, walks.others[BOUND]], notes, found)


def notes_of(market: DailyMarket, ground: portfolios.Arena, settings: ResearchSettings) -> backtest.ReportNotes:
    """Return what a reader of the page must know."""
    return backtest.ReportNotes(
        survivorship=market.survivorship,
        window=window_text(ground.traded, settings),
        remarks=remarks(settings, adjusted=market.adjusted),
    )


def card_figures(result: backtest.Result, found: backtest.Evidence, trials: Sequence[Trial]) -> dict[str, float]:
    """Return what a model's card keeps of its portfolio: names of ``ml.promotion.METRICS``, finite figures only."""
    measured = moments(result.daily_returns())
    sharpes = np.array([trial.sharpe for trial in trials if math.isfinite(trial.sharpe)])
    told = {
        "sharpe": measured.ratio,
        "sharpe_spread": measured.spread,
        "sharpe_sessions": float(len(result.daily_returns())),
        "trials": float(len(trials)),
        "trials_spread": float(sharpes.std(ddof=1)) if len(sharpes) > 1 else math.nan,
        "pbo": found.overfitting.probability if found.overfitting else math.nan,
    }
    return {name: float(value) for name, value in told.items() if math.isfinite(value)}


def as_json(told: Any) -> bytes:
    """Return plain values as JSON."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
