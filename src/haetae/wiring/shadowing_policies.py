"""Policies in shadow: what each would have earned on the day that is over, beside the one in charge.

Every policy gets the same fresh account, the same minutes, features, scores and costs in the same simulation, so that
days compare; what it held the evening before is no part of it. Only a policy that stood in shadow before the open
takes part. Not here: rankers, which are judged by rank IC (``shadowing``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import numpy as np

from haetae.backtest import Listing, measure, run_policy
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.panel import Panel
from haetae.domain.promotion import ShadowOutcome, ShadowScores
from haetae.domain.units import Instant, Symbol, yyyymmdd
from haetae.features import minute
from haetae.krx import Rulebook
from haetae.krx.calendar import previous_trading_day
from haetae.policies import NetPolicy
from haetae.policies.baselines import minute_rows
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on
from haetae.wiring.desk_folder import POLICY, RANKER
from haetae.wiring.desks import DECISION_MINUTES, FIRST_DECISION_MINUTE, WARM_SESSIONS


def record_policies(models: Path, lake: Lake, day: dt.date, symbols: tuple[Symbol, ...], at: Instant) -> int:
    """Write down the day's return of every policy in shadow or in charge; returns how many were new.

    Parameters
    ----------
    symbols : tuple of Symbol
        Names that were traded that day.
    at : Instant
        The evening of the day: its minutes are in the lake.
    """
    registry, book = Registry(models), ShadowBook(models)
    opened = Rulebook.on(day).session.open_at
    known = {(one.model_id, one.day) for one in book.outcomes()}
    watched = [
        card
        for card, state in registry.models(POLICY)
        if (state is ModelState.CHAMPION or (state is ModelState.SHADOW and _entered(registry, card) < opened))
        and (card.model_id, day) not in known
    ]
    if not watched or "minute" not in lake.versions():
        return 0
    panel = lake.panel("minute", list(symbols), previous_trading_day(day, WARM_SESSIONS), day)
    first = int(np.searchsorted(panel.days, yyyymmdd(day)))
    if first == len(panel):
        return 0
    scores, listing = _scores(registry, book, panel.symbols, day), _listing(lake, panel, first, day)
    ground = _Day(panel, first, minute.batch(panel), scores, listing)
    data = lake.digest("minute", lake.versions()["minute"])
    earned = {card.model_id: ground.earned(registry, card) for card in watched}
    book.say(_said(card, day, at, data) for card in watched)
    return book.resolve(ShadowOutcome(name, day, day, value, len(panel.symbols)) for name, value in earned.items())


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """The minutes of one session with what was known at each, and where it begins in the panel that warms it up."""

    panel: Panel
    first: int
    features: np.ndarray
    scores: np.ndarray
    listing: Listing

    def earned(self, registry: Registry, card: ModelCard) -> float:
        """Return the return after costs of a fresh account under a policy."""
        session = self.panel.rows(self.first, len(self.panel))
        result = run_policy(
            session,
            NetPolicy.from_files(registry.get(card.model_id)[1], minute.NAMES),
            minute_rows(session, every_minutes=DECISION_MINUTES, begin=FIRST_DECISION_MINUTE),
            name=card.model_id,
            features=self.features[self.first :],
            feature_names=minute.NAMES,
            scores=self.scores,
            listing=self.listing,
        )
        return float(measure(result).total_return)


def _said(card: ModelCard, day: dt.date, at: Instant, data: str) -> ShadowScores:
    # A policy says nothing in the evening; it stood in shadow before the open, and its day is what it said.
    return ShadowScores(card.model_id, card.content_hash, day, at, in_time=True, data=data, horizon=0, values={})


def _scores(registry: Registry, book: ShadowBook, symbols: tuple[Symbol, ...], day: dt.date) -> np.ndarray:
    """Return what the ranker in charge said the evening before, ``(1, n_symbols)``; 0 where it said nothing."""
    ruling = registry.champion(RANKER)
    said = [one for one in book.scores(ruling.model_id if ruling else "") if one.day == previous_trading_day(day)]
    values = said[-1].values if said else {}
    return np.array([[values.get(symbol, 0.0) for symbol in symbols]], dtype=np.float32)


def _listing(lake: Lake, panel: Panel, first: int, day: dt.date) -> Listing:
    known = {item.symbol: item for item in instruments_on(lake, day)}
    listed = {symbol: known[symbol] for symbol in panel.symbols if symbol in known}
    closes = panel.close[first - 1].tolist() if first else []
    return Listing(
        instruments=listed if len(listed) == len(panel.symbols) else None,
        base_prices=dict(zip(panel.symbols, closes, strict=True)) if closes and all(closes) else None,
    )


def _entered(registry: Registry, card: ModelCard) -> Instant:
    entries = [each.at for each in registry.history() if each.model_id == card.model_id]
    return entries[-1] if entries else 0
