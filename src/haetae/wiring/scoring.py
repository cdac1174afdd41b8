"""Scores of the coming session from the ranker in charge, and who takes part in a ranking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from
from haetae.features import daily
from haetae.ml import committee
from haetae.ml.artefact import Scorer
from haetae.registry.registry import Registry


class Known(Protocol):
    """What scores are made from: everything up to the close of ``day``."""

    @property
    def day(self) -> dt.date:
        """The last closed session."""
        ...

    @property
    def panel(self) -> Panel:
        """Daily bars up to it."""
        ...

    @property
    def features(self) -> np.ndarray:
        """``(n_days, n_symbols, n_features)`` float32."""
        ...

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Who is listed."""
        ...


def eligible(market: Known) -> np.ndarray:
    """Return who takes part in the ranking of each day, ``(n_days, n_symbols)``: traded common shares.

    Static facts only: today's status flags say nothing of yesterday and would leak.
    """
    common = {i.symbol: i.listed_on for i in market.instruments if i.kind.value == "common"}
    days = np.array([day_from(int(d)) for d in market.panel.days])
    listed = np.array([common.get(symbol, dt.date.max) for symbol in market.panel.symbols])
    return market.panel.traded & (listed[None, :] <= days[:, None])


def tomorrow(market: Known, members: Sequence[Scorer]) -> dict[Symbol, float]:
    """Return the score of each eligible symbol for the session after ``market.day``."""
    who = eligible(market)[-1]
    scores = committee.scores(members, market.features[-1], who)
    symbols = np.array(market.panel.symbols)
    return {str(symbols[at]): float(scores[at]) for at in np.flatnonzero(who)}


def load(registry: Registry, model_id: str) -> tuple[Scorer, ...]:
    """Return the rankers of a stored artefact; refuses one whose hash or features differ."""
    return committee.members_of(*registry.get(model_id), daily.feature_hash())
