"""What a run leaves for its caller: figures, the report, manifests, models and trials, from the stages that were made.

Not here: the stages (``flow``), the models as artefacts (``artefacts``).
"""

from __future__ import annotations

import dataclasses
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from haetae.domain.learning import Manifest, ModelCard, Trial
from haetae.domain.units import day_from
from haetae.features import daily
from haetae.research.artefacts import artefacts
from haetae.research.market import DailyMarket
from haetae.research.plan import Planned
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import Made

SCHEMA = "haetae.research/2"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a run leaves for its caller.

    Attributes
    ----------
    figures : mapping
        All facts as JSON values, the schema is ``haetae.research/2``; of the stages that were asked for.
    html : str
        The self-contained report; empty where the run ended before it.
    manifests : tuple of Manifest
        One per stage, in order.
    artefacts : tuple of (ModelCard, files)
        The newest models of each kind, ready for a registry; none before the backtest.
    trials : tuple of Trial
        What the book of trials must hold of this study; ``at`` is the caller's to set.
    """

    figures: Mapping[str, Any]
    html: str
    manifests: tuple[Manifest, ...]
    artefacts: tuple[tuple[ModelCard, Mapping[str, bytes]], ...]
    trials: tuple[Trial, ...]


def outcome(
    market: DailyMarket,
    settings: ResearchSettings,
    first_row: int,
    planned: Mapping[str, Planned],
    made: Mapping[str, Made],
    seconds: Mapping[str, float],
) -> Outcome:
    """Return what the stages that were made leave for the caller."""
    named = {market.table: market.digest, f"{market.table}@{market.version}": market.stored}
    lake = Manifest("lake", {}, "", named, _lake_figures(market))
    packed = _packed(market, settings, first_row, planned, made) if "backtest" in made else ()
    figures = {
        **_figures(market, settings, first_row, planned, made),
        "reused": [name for name, stage in made.items() if stage.reused],
        "seconds": dict(seconds),
        "rss_mb": _peak_rss_mb(),
        "artefacts": [card.model_id for card, _ in packed],
    }
    return Outcome(
        figures=figures,
        html=made["report"].files["report.html"].decode() if "report" in made else "",
        manifests=(lake, *(stage.manifest for stage in made.values())),
        artefacts=packed,
        trials=_trials(made["backtest"]) if "backtest" in made else (),
    )


def _packed(
    market: DailyMarket,
    settings: ResearchSettings,
    first_row: int,
    planned: Mapping[str, Planned],
    made: Mapping[str, Made],
) -> tuple[tuple[ModelCard, Mapping[str, bytes]], ...]:
    learned, cards = made["models"], made["backtest"].json("cards.json")
    trial = planned["portfolio"].key
    return artefacts(learned.files, learned.json("figures.json"), cards, market, settings, first_row, trial)


def _trials(backtested: Made) -> tuple[Trial, ...]:
    found = []
    for told in backtested.json("trials.json"):
        days = {name: day_from(int(told[name].replace("-", ""))) for name in ("first", "last")}
        sharpe = float("nan") if told["sharpe"] is None else told["sharpe"]
        found.append(Trial(**{**told, **days, "sharpe": sharpe}))
    return tuple(found)


def _figures(
    market: DailyMarket,
    settings: ResearchSettings,
    first_row: int,
    planned: Mapping[str, Planned],
    made: Mapping[str, Made],
) -> dict[str, Any]:
    """Return all facts of the stages that were made."""
    panel = market.panel
    figures: dict[str, Any] = {
        "schema": SCHEMA,
        "lake": {
            **_lake_figures(market),
            "from": int(panel.days[0]),
            "to": int(panel.days[-1]),
            "adjusted": market.adjusted,
            "index": market.index_close is not None,
            "survivorship": market.survivorship,
            "digest": market.digest,
            "table": market.table,
            "version": market.version,
            "stored": market.stored,
        },
        "walk_forward": {
            "first_test": day_from(int(panel.days[first_row])).isoformat(),
            "horizon_sessions": settings.horizon_sessions,
            "embargo_sessions": settings.walk.embargo_rows,
            "rebalance_sessions": settings.rebalance_sessions,
        },
        "keys": {name: each.key for name, each in planned.items()},
    }
    if "universe" in made:
        newest, months = made["universe"].json("newest.json"), made["universe"].json("months.json")
        chosen = {"day": newest["day"], "symbols": newest["symbols"], "excluded": months[-1]["excluded"]}
        figures["universe"] = {**made["universe"].manifest.figures, **chosen}
    if "features" in made:
        figures["features"] = {**made["features"].manifest.figures, "hash": daily.feature_hash()}
    if "models" in made:
        figures["ml"] = made["models"].json("figures.json")
    if "backtest" in made:
        figures["backtest"] = made["backtest"].json("backtest.json")
    if "report" in made:
        figures["verdict"] = made["report"].json("verdict.json")
    return figures


def _lake_figures(market: DailyMarket) -> dict[str, float]:
    panel = market.panel
    return {"symbol_days": float((panel.close > 0).sum()), "symbols": len(panel.symbols), "sessions": len(panel)}


def trial_record(trial: Trial) -> dict[str, Any]:
    """Return a trial as JSON values; ``_trials`` reads it back."""
    told = dataclasses.asdict(trial)
    sharpe = trial.sharpe if np.isfinite(trial.sharpe) else None
    return {**told, "first": trial.first.isoformat(), "last": trial.last.isoformat(), "sharpe": sharpe}


def _peak_rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
