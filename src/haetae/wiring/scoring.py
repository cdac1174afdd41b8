"""Scores of the coming session from the rankers in charge, and who takes part in a ranking."""

from __future__ import annotations

import datetime as dt

import numpy as np

from haetae.domain.units import Symbol, day_from
from haetae.features import daily
from haetae.ml import artefact, rankers, samples
from haetae.registry.registry import Registry
from haetae.wiring.selection import Market


def eligible(market: Market) -> np.ndarray:
    """Return who takes part in the ranking of each day, ``(n_days, n_symbols)``: traded common shares.

    Static facts only: today's status flags say nothing of yesterday and would leak.
    """
    common = {i.symbol: i.listed_on for i in market.instruments if i.kind.value == "common"}
    days = np.array([day_from(int(d)) for d in market.panel.days])
    listed = np.array([common.get(symbol, dt.date.max) for symbol in market.panel.symbols])
    return market.panel.traded & (listed[None, :] <= days[:, None])


def tomorrow(market: Market, models: list[rankers.Ranker]) -> dict[Symbol, float]:
    """Return the ensemble's score of each eligible symbol for the session after ``market.day``."""
    who = eligible(market)[-1]
    inputs = samples.ranked_day(market.features[-1], who)
    ranked = np.mean([samples.ranks(model.predict(inputs)) for model in models], axis=0)
    symbols = np.array(market.panel.symbols)[who]
    return {str(symbol): float(score) for symbol, score in zip(symbols, ranked, strict=True)}


def load(registry: Registry, ids: list[str]) -> list[rankers.Ranker]:
    """Return the rankers of stored cards; refuses artefacts whose hash or features differ."""
    return [artefact.unpack(*registry.get(model_id), daily.feature_hash()) for model_id in ids]
