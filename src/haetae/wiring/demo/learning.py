"""Stage "learn": three rankers walk forward over the daily bars; the registry keeps them as one committee.

Every out-of-sample score was made by a model that saw only labels known before. The committee's score
is the mean of the day-ranks of the three; nothing is chosen on test figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from haetae.domain.errors import Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.promotion import Ground
from haetae.domain.units import Symbol, day_from
from haetae.features import daily
from haetae.ml import artefact, committee, labels, quality, quality_deciles, samples, trial, yardsticks
from haetae.ml.ensemble import mean_of_ranks
from haetae.ml.settings import RankerKind, RankerSettings, WalkForwardSettings
from haetae.registry.registry import Registry
from haetae.wiring.dice import rng
from haetae.wiring.scoring import eligible, tomorrow
from haetae.wiring.screen import Screen
from haetae.wiring.selection import Market

HORIZON = 5
"""Sessions a score looks ahead; a week outlasts the costs better than a day."""
ROUND_TRIP_BP = 23.0
"""Two fees, the 2026 sale tax and a tick each way, for the printed spread only."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Out-of-sample scores, tomorrow's scores, the figures to print, and the model in charge."""

    scores: np.ndarray
    tomorrow: Mapping[Symbol, float]
    figures: dict[str, Any]
    card: ModelCard


def rank(market: Market, registry: Registry, seed: int, screen: Screen, *, rounds: int) -> Ranking:
    """Train, judge out of sample, fit the newest models and score the coming session."""
    outcome = labels.forward_returns(market.panel, HORIZON)
    who = eligible(market)
    rows = samples.build(market.features, who, outcome)
    walk = WalkForwardSettings(train_rows=252, min_train_rows=60, test_rows=42, sample_every=1)
    first_test = max(120, len(market.panel) - 126)
    shelf = yardsticks.one_line_scores(market.features, daily.NAMES)
    masked = {name: np.where(who, score, np.nan).astype(np.float32) for name, score in shelf.items()}
    low = masked[yardsticks.LOW_VOLATILITY]
    figures: dict[str, Any] = {}
    trials, coming, members = [], [], []
    for number, kind in enumerate(RankerKind):
        settings = RankerSettings(kind=kind, rounds=rounds, min_leaf=100, seed=seed)
        run = trial.run(rows, first_test, settings, walk)
        figures[kind.value] = _figures(run.scores, outcome.values, low)
        model, trained = trial.newest(rows, settings, walk)
        card, files = artefact.pack(
            model,
            settings,
            daily.NAMES,
            daily.feature_hash(),
            train_from=day_from(int(market.panel.days[trained[0]])),
            train_to=day_from(int(market.panel.days[trained[-1]])),
            horizon=HORIZON,
            metrics=_finite(figures[kind.value]),
        )
        trials.append(run.scores)
        coming.append(artefact.Scorer(model))
        members.append((card, files))
        screen.progress(Text(ko="순위 모델", en="rankers"), number + 1, len(RankerKind) + 1)
    ensemble = mean_of_ranks(trials)
    figures["ensemble"] = _figures(ensemble, outcome.values, low)
    figures["baselines"] = {
        name: _figures(score[first_test:], outcome.values[first_test:], None) for name, score in masked.items()
    }
    shuffled = yardsticks.shuffled_within_days(rows.target, rows.bounds, rng(seed, "shuffled labels"))
    control = trial.run(rows, first_test, RankerSettings(rounds=rounds, min_leaf=100, seed=seed), walk, target=shuffled)
    figures["baselines"]["shuffled_labels"] = _figures(control.scores, outcome.values, None)
    screen.progress(Text(ko="순위 모델", en="rankers"), len(RankerKind) + 1, len(RankerKind) + 1)
    joined = registry.put(*committee.pack(members, metrics=_finite(figures["ensemble"])))
    take_over(registry, joined, "demo: newest rankers, figures printed")
    return Ranking(ensemble, tomorrow(market, coming), figures, joined)


def take_over(registry: Registry, card: ModelCard, why: str) -> None:
    """Put a model in charge of play money on the demo's word; real money refuses a model that came so."""
    for state in (ModelState.SHADOW, ModelState.CHAMPION):
        registry.promote(card.model_id, state, why=why, ground=Ground.DECISION)


def _finite(figures: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if isinstance(value, float) and np.isfinite(value)}


def _figures(scores: np.ndarray, outcomes: np.ndarray, low: np.ndarray | None) -> dict[str, Any]:
    found = quality.rank_quality(scores, outcomes, HORIZON, low)
    spread = quality_deciles.decile_spread(scores, outcomes, HORIZON, round_trip_bp=ROUND_TRIP_BP)
    told = replace(found).as_json()
    return {
        "rank_ic": told["mean"],
        "icir": told["icir"],
        "t": told["t"],
        "days": told["days"],
        "rank_ic_neutral": told["neutral_mean"],
        "decile_net_bp": spread.as_json()["net_bp"],
    }
