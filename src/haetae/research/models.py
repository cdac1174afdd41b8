"""The stage that learns: features to samples, walk-forward trials, and how good they are.

Figures are given for the broad set the rankers learn from and for the universe alone, by year, and
beside the one-line yardsticks and a fit on shuffled labels. Nothing is chosen by them.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.domain.panel import Panel
from haetae.domain.units import day_from
from haetae.features import daily
from haetae.ml import artefact, quality, quality_deciles, samples, trial, yardsticks
from haetae.ml.labels import forward_returns
from haetae.ml.samples import ranks
from haetae.ml.settings import RankerKind
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings

FloatArray = NDArray[np.float32]
Told = Callable[[str, int, int], None]
"""Step in words, done, in all."""


def eligible(market: DailyMarket, features: FloatArray, settings: ResearchSettings) -> BoolArray:
    """Return who may be learned from on each day; known after its close, ``(n_days, n_symbols)``."""
    place = {name: k for k, name in enumerate(daily.NAMES)}
    traded_enough = features[:, :, place["turnover_20"]] >= math.log(settings.min_training_turnover_won + 1.0)
    awake = features[:, :, place["idle_days_60"]] <= settings.max_training_idle
    known = np.isfinite(features[:, :, place["volatility_60"]])
    return np.asarray(traded_enough & awake & known & market.panel.traded & market.common()[None, :], dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """Measures scores against what followed, on the learned set and on the universe."""

    panel: Panel
    outcomes: FloatArray
    low_volatility: FloatArray
    everyone: BoolArray
    universe: BoolArray
    first_row: int
    settings: ResearchSettings

    def figures(self, scores: FloatArray) -> dict[str, Any]:
        """Return rank IC, by year too, and the spread of best and worst, as JSON values."""
        horizon = self.settings.horizon_sessions
        everyone = self._among(scores, self.everyone)
        inside = self._among(scores, self.universe)
        daily_all, neutral_all = self._daily(everyone)
        daily_inside, neutral_inside = self._daily(inside)
        years = self.panel.days // 10_000
        return {
            "all": quality.summary(daily_all, horizon, neutral_all).as_json(),
            "universe": quality.summary(daily_inside, horizon, neutral_inside).as_json(),
            "decile": self._spread(everyone, 0.1),
            "universe_fifth": self._spread(inside, 0.2),
            "years": {
                str(year): quality.summary(daily_all[years == year], horizon, neutral_all[years == year]).as_json()
                for year in np.unique(years[self.first_row :])
            },
        }

    def _among(self, scores: FloatArray, who: BoolArray) -> FloatArray:
        kept = np.where(who, scores, np.float32(np.nan))
        kept[: self.first_row] = np.nan
        return kept

    def _daily(self, scores: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        raw = quality.daily_ic(scores, self.outcomes)
        return raw, quality.daily_ic(scores, self.outcomes, self.low_volatility)

    def _spread(self, scores: FloatArray, share: float) -> dict[str, float | None]:
        spread = quality_deciles.decile_spread(
            scores,
            self.outcomes,
            self.settings.horizon_sessions,
            round_trip_bp=self.settings.round_trip_bp,
            share=share,
        )
        return spread.as_json()


def _mean_rank(grids: Sequence[FloatArray]) -> FloatArray:
    if len(grids) == 1:
        return grids[0]
    ranked = [np.array([ranks(day) for day in grid]) for grid in grids]
    return np.mean(ranked, axis=0, dtype=np.float32)


def _as_bytes(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def learn(
    market: DailyMarket,
    features: FloatArray,
    universe: BoolArray,
    first_row: int,
    settings: ResearchSettings,
    *,
    dice: np.random.Generator,
    told: Told,
) -> tuple[dict[str, bytes], dict[str, float]]:
    """Return the files of the stage (scores, figures, newest models) and its main figures."""
    who = eligible(market, features, settings)
    labels = forward_returns(market.panel, settings.horizon_sessions)
    rows = samples.build(features, who, labels)
    one_line = yardsticks.one_line_scores(features, daily.NAMES)
    judge = Judge(
        panel=market.panel,
        outcomes=labels.values,
        low_volatility=one_line[yardsticks.LOW_VOLATILITY],
        everyone=who,
        universe=who & universe,
        first_row=first_row,
        settings=settings,
    )
    files: dict[str, bytes] = {}
    figures: dict[str, Any] = {
        "samples": len(rows.column),
        "labelled": int(np.isfinite(rows.target).sum()),
        "eligible_per_day": float(who[first_row:].sum(axis=1).mean()),
        "models": {},
        "yardsticks": {name: judge.figures(scores) for name, scores in one_line.items()},
    }
    grids: dict[str, FloatArray] = {}
    for kind in settings.kinds:
        ranker = replace(settings.ranker, kind=kind)
        trials = []
        for number, seeded in enumerate(trial.seeds(ranker, settings.seed_count)):

            def step(done: int, total: int, kind: RankerKind = kind, number: int = number) -> None:
                told(kind.value, number * total + done, settings.seed_count * total)

            trials.append(trial.run(rows, first_row, seeded, settings.walk, progress=step))
        grids[kind.value] = _mean_rank([one.scores for one in trials])
        own = judge.figures(grids[kind.value])
        own["folds"] = len(trials[0].folds)
        own["seeds"] = [one.settings.seed for one in trials]
        own["seed_rank_ic"] = [judge.figures(one.scores)["all"]["mean"] for one in trials]
        own["importance"] = _importance(trials[0].importance())
        own |= _newest(rows, market.panel, ranker, settings, own, files)
        figures["models"][kind.value] = own
    figures["shuffled_labels"] = _controls(rows, judge, first_row, settings, dice, told)
    in_universe = {name: np.where(universe, grid, np.float32(np.nan)) for name, grid in (grids | one_line).items()}
    files["scores.npz"] = _as_bytes(**in_universe)
    files["figures.json"] = json.dumps(figures, ensure_ascii=False, sort_keys=True).encode()
    leading = figures["models"][settings.kinds[0].value]["all"]
    return files, {"samples": float(len(rows.column)), "rank_ic": leading["mean"] or 0.0, "t": leading["t"] or 0.0}


def _controls(
    rows: samples.Samples,
    judge: Judge,
    first_row: int,
    settings: ResearchSettings,
    dice: np.random.Generator,
    told: Told,
) -> list[dict[str, Any]]:
    # Fits on labels dealt out anew, each on fewer sessions: what luck alone makes of the same trial.
    walk = replace(settings.walk, sample_every=settings.walk.sample_every * settings.control_thinning)
    ranker = replace(settings.ranker, kind=settings.kinds[0])
    found = []
    for number in range(settings.shuffled_controls):
        dealt = yardsticks.shuffled_within_days(rows.target, rows.bounds, dice)

        def step(done: int, total: int, number: int = number) -> None:
            told("shuffled", number * total + done, settings.shuffled_controls * total)

        control = trial.run(rows, first_row, ranker, walk, target=dealt, progress=step)
        found.append(judge.figures(control.scores))
    return found


def _importance(shares: FloatArray) -> list[tuple[str, float]]:
    order = np.argsort(-shares, kind="stable")
    return [(daily.NAMES[k], round(float(shares[k]), 4)) for k in order]


def _newest(
    rows: samples.Samples,
    panel: Panel,
    ranker: Any,
    settings: ResearchSettings,
    own: dict[str, Any],
    files: dict[str, bytes],
) -> dict[str, Any]:
    # The model for the sessions to come; it carries the out-of-sample figures of its trial.
    model, used = trial.newest(rows, ranker, settings.walk)
    quality_figures = {f"rank_ic_{name}": value for name, value in own["all"].items() if value is not None}
    card, made = artefact.pack(
        model,
        ranker,
        daily.NAMES,
        daily.feature_hash(),
        train_from=day_from(int(panel.days[used[0]])),
        train_to=day_from(int(panel.days[used[-1]])),
        horizon=settings.horizon_sessions,
        metrics=quality_figures,
    )
    files |= {f"{card.model_id}.{name}": content for name, content in made.items()}
    return {"model_id": card.model_id, "trained": [card.train_from.isoformat(), card.train_to.isoformat()]}
