"""What each stage is made from: the stages it needs and the settings that decide it, hence its key.

Keys follow from the data, the code and the settings alone, never from outputs, so they are known before anything runs:
what a changed setting would remake can be told at once. Not here: the making (``flow``), where outputs lie (``shelf``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from haetae.domain.learning import Trial
from haetae.features import daily
from haetae.research.code import code_hash
from haetae.research.market import DailyMarket
from haetae.research.settings import ResearchSettings
from haetae.research.shelf import config_hash, key_of

STAGES = ("lake", "universe", "features", "models", "portfolio", "backtest", "report")
NEEDS: Mapping[str, tuple[str, ...]] = {
    "universe": ("lake",),
    "features": ("lake",),
    "models": ("features", "universe"),
    "portfolio": ("models", "universe"),
    "backtest": ("portfolio", "models"),
    "report": ("backtest", "models", "features", "universe"),
}


@dataclass(frozen=True, slots=True)
class Planned:
    """One stage before it is made: its inputs by key, its settings, its own key."""

    stage: str
    inputs: Mapping[str, str]
    settings: tuple[object, ...]
    key: str


def plan(
    market: DailyMarket, settings: ResearchSettings, first_row: int, seed: int, tried: Sequence[Trial] = ()
) -> dict[str, Planned]:
    """Return every stage after the lake with its key.

    Parameters
    ----------
    first_row : int
        First row scored out of sample.
    seed : int
        Of the controls, the random portfolio and the bootstrap.
    tried : sequence of Trial
        Trials of other studies on overlapping days: they deflate the figures of this one.
    """
    decided: dict[str, tuple[object, ...]] = {
        "universe": (settings.universe, first_row, market.adjusted),
        "features": (daily.feature_hash(),),
        "models": (*learning(settings), first_row, seed),
        "portfolio": (settings.constraints, settings.backtest, settings.rebalance_sessions),
        "backtest": (
            settings.constraints,
            settings.backtest,
            settings.rebalance_sessions,
            seed,
            sorted((trial.code, config_hash(trial.parameters), round(trial.sharpe, 12)) for trial in tried),
        ),
        "report": (),
    }
    keys = {"lake": market.digest}
    found = {}
    for stage in STAGES[1:]:
        inputs = {need: keys[need] for need in NEEDS[stage]}
        keys[stage] = key_of(stage, code_hash(stage), inputs, decided[stage])
        found[stage] = Planned(stage, inputs, decided[stage], keys[stage])
    return found


def learning(settings: ResearchSettings) -> tuple[object, ...]:
    """Return the settings that decide what is learned; how many threads and workers do it is none of them."""
    return (
        settings.horizon_sessions,
        settings.min_training_turnover_won,
        settings.max_training_idle,
        settings.round_trip_bp,
        settings.kinds,
        settings.seed_count,
        settings.other_seed_count,
        settings.shuffled_controls,
        settings.control_thinning,
        dataclasses.replace(settings.ranker, n_threads=1),
        settings.walk,
    )
