"""Daily features, the mood of the market, and the fifty names of tomorrow, from a lake."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from haetae.domain.learning import UniverseSnapshot
from haetae.domain.market import DELISTED, Instrument
from haetae.domain.panel import Panel
from haetae.features import daily, feargreed, minute
from haetae.features.feargreed import FearGreed, FearGreedSettings
from haetae.ports.tables import daily_table
from haetae.research.beside import inputs_of
from haetae.research.told import statements, statuses
from haetae.store.lake import Lake
from haetae.store.reference import announced_on
from haetae.universe.selection import select
from haetae.universe.settings import UniverseSettings
from haetae.wiring.moods import mood_inputs

INDEX = "0001"
"""KOSPI in the broker's index codes."""


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What is known after the close of ``day``: bars, features, mood, names."""

    day: dt.date
    panel: Panel
    features: np.ndarray
    mood: FearGreed
    instruments: tuple[Instrument, ...]
    universe: UniverseSnapshot


def read_market(
    lake: Lake,
    day: dt.date,
    settings: UniverseSettings | None = None,
    *,
    previous: UniverseSnapshot | None = None,
    mood: FearGreedSettings | None = None,
) -> Market:
    """Build everything that follows from the daily bars up to ``day``."""
    table = daily_table(lake.versions())
    panel = lake.panel(table, None, None, day)
    chosen = settings or UniverseSettings()
    if table != "daily":
        chosen = replace(chosen, prices_adjusted=True)
    instruments = announced_on(lake, day)
    listed = tuple(each for each in instruments if DELISTED not in each.flags)
    feeling = mood or FearGreedSettings()
    return Market(
        day=day,
        panel=panel,
        features=daily.SET.batch(inputs_of(lake, panel, listed, INDEX)),
        mood=feargreed.build(mood_inputs(lake, panel, listed, feeling), feeling),
        instruments=listed,
        universe=select(
            day,
            instruments,
            panel,
            chosen,
            previous=previous,
            statements=statements(lake, day),
            statuses=statuses(lake, day),
        ),
    )


def exclusion_counts(universe: UniverseSnapshot) -> dict[str, int]:
    """Return how many symbols each reason kept out."""
    return dict(sorted(Counter(exclusion.code for exclusion in universe.exclusions).items()))


def universe_record(market: Market) -> dict[str, Any]:
    """Return what was chosen and why not the others, as JSON values."""
    return {
        "day": str(market.day),
        "universe": list(market.universe.symbols),
        "exclusions": exclusion_counts(market.universe),
        "features": len(daily.NAMES) + len(minute.NAMES),
        "feature_sets": {"daily": daily.feature_hash(), "minute": minute.feature_hash()},
        "fear_greed": {"value": round(market.mood.on(market.day), 2), "missing": list(market.mood.missing())},
        "flags": {symbol: list(market.universe.flags.get(symbol, ())) for symbol in market.universe.symbols},
        "reasons": [{"symbol": e.symbol, "code": e.code, "detail": e.detail} for e in market.universe.exclusions],
    }


def mood_word(value: float) -> tuple[str, str]:
    """Return the Korean and English word of an index value."""
    word = feargreed.word_of(value)
    return word.ko, word.en
