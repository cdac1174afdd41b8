"""The stage that learns: pieces fitted side by side, their scores joined, and how good they are.

Every kind of ranker scores by the mean rank of its seeds, ``ensemble`` by the mean over the kinds. Figures stand beside
the one-line scores and fits on shuffled labels. Nothing is chosen by them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray
from haetae.features import daily
from haetae.ml import yardsticks
from haetae.ml.ensemble import mean_of_ranks
from haetae.ml.labels import forward_returns
from haetae.research.fits import Fitted, Told, as_bytes, of_kind
from haetae.research.judging import Judge
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings

FloatArray = NDArray[np.float32]
ENSEMBLE = "ensemble"


def scores_of(pieces: Sequence[Fitted], settings: ResearchSettings) -> dict[str, FloatArray]:
    """Return the scores of every kind, and of all kinds together where there are several."""
    names = [kind.value for kind in settings.kinds]
    grids = {name: mean_of_ranks([piece.scores for piece in of_kind(pieces, name)]) for name in names}
    if len(grids) > 1:
        grids[ENSEMBLE] = mean_of_ranks(list(grids.values()))
    return grids


def judge_of(
    market: DailyMarket,
    features: FloatArray,
    who: BoolArray,
    universe: BoolArray,
    first_row: int,
    settings: ResearchSettings,
) -> Judge:
    """Return what measures the scores of a study."""
    place = {name: k for k, name in enumerate(daily.NAMES)}
    last = {symbol: states[-1] for symbol, states in market.history.items()}
    return Judge(
        panel=market.panel,
        outcomes=forward_returns(market.panel, settings.horizon_sessions).values,
        low_volatility=yardsticks.one_line_scores(features, daily.NAMES)[yardsticks.LOW_VOLATILITY],
        # Share counts are not known day by day everywhere; trailing turnover orders names much like market value.
        size=np.ascontiguousarray(features[:, :, place["turnover_20"]]),
        everyone=who,
        universe=who & universe,
        sectors=tuple(last[symbol].sector if symbol in last else "" for symbol in market.panel.symbols),
        first_row=first_row,
        settings=settings,
    )


def learned(
    one_line: Mapping[str, FloatArray],
    universe: BoolArray,
    judge: Judge,
    pieces: Sequence[Fitted],
    settings: ResearchSettings,
    told: Told,
) -> tuple[dict[str, bytes], dict[str, float]]:
    """Return the files of the stage (scores, figures, newest models) and its main figures."""
    grids = scores_of(pieces, settings)
    steps = len(grids) + len(one_line) + 1
    figures: dict[str, Any] = {"models": {}, "yardsticks": {}, "eligible_per_day": _per_day(judge)}
    for name, scores in grids.items():
        told(name, len(figures["models"]), steps)
        figures["models"][name] = judge.figures(scores) | judge.closely(scores) | _fits(name, grids, pieces, judge)
    for name, scores in one_line.items():
        told(name, len(grids) + len(figures["yardsticks"]), steps)
        figures["yardsticks"][name] = judge.figures(scores) | {"decay": judge.decay(scores)}
    figures["shuffled_labels"] = [judge.control(piece.scores) for piece in pieces if piece.member is None]
    told("figures", steps, steps)
    files = _members(pieces)
    in_universe = {name: np.where(universe, grid, np.float32(np.nan)) for name, grid in (grids | {**one_line}).items()}
    files["scores.npz"] = as_bytes(**in_universe)
    files["figures.json"] = json.dumps(figures, ensure_ascii=False, sort_keys=True).encode()
    leading = figures["models"][settings.kinds[0].value]["all"]
    labelled = float(np.isfinite(np.where(judge.everyone, judge.outcomes, np.nan)).sum())
    main = {"samples": float(judge.everyone.sum()), "labelled": labelled}
    return files, {**main, "rank_ic": leading["mean"] or 0.0, "t": leading["t"] or 0.0}


def _per_day(judge: Judge) -> float:
    return float(judge.everyone[judge.first_row :].sum(axis=1).mean())


def _fits(name: str, grids: Mapping[str, FloatArray], pieces: Sequence[Fitted], judge: Judge) -> dict[str, Any]:
    """Return how the scores of one name were made: folds, seeds, each seed's rank IC, what the trees looked at."""
    kinds = [kind for kind in grids if kind != ENSEMBLE] if name == ENSEMBLE else [name]
    own = [piece for kind in kinds for piece in of_kind(pieces, kind)]
    shares = np.mean([piece.importance for piece in own], axis=0)
    felt = np.mean([piece.shap for piece in own], axis=0)
    order = np.argsort(-shares, kind="stable")
    told: dict[str, Any] = {
        "folds": own[0].folds,
        "importance": [(daily.NAMES[k], round(float(shares[k]), 4)) for k in order],
        "shap": [(daily.NAMES[k], round(float(felt[k]), 4)) for k in order],
    }
    if name == ENSEMBLE:
        return told | {"kinds": kinds}
    one_by_one = [judge.control(piece.scores)["all"]["mean"] for piece in own]
    return told | {
        "seeds": [piece.wanted.ranker.seed for piece in own],
        "seed_rank_ic": [None if each is None or not math.isfinite(each) else each for each in one_by_one],
    }


def _members(pieces: Sequence[Fitted]) -> dict[str, bytes]:
    """Return the newest models as files of the stage, ``model.<kind>.<seed>.<file>``."""
    files: dict[str, bytes] = {}
    for piece in pieces:
        if piece.member is not None:
            named = f"model.{piece.wanted.ranker.kind.value}.{piece.wanted.ranker.seed}"
            files |= {f"{named}.{name}": blob for name, blob in piece.member[1].items()}
    return files
