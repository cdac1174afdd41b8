"""Nouns of research and learning: features, scores, universe, models, reviews, lessons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from haetae.domain.orders import Side
from haetae.domain.units import Instant, Shares, Symbol, Weight, Won


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """A feature declared once: version, inputs, look-back in bars, when it is known, its unit."""

    name: str
    version: int
    inputs: tuple[str, ...]
    look_back: int
    known_at: str
    unit: str
    missing: str


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why a symbol is not in the universe: a stable code and the numbers behind it."""

    symbol: Symbol
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UniverseSnapshot:
    """The symbols that may be traded on a day, with the score of each and each exclusion's reason.

    Known after the close of ``day``.

    Attributes
    ----------
    symbols : tuple of symbols
        Those chosen, sorted by code.
    scores : mapping of symbol to parts
        Ranks 0-1 of every candidate by part, and ``total``; a part that is not known is absent.
    exclusions : tuple of Exclusion
        At least one for each symbol that was not chosen.
    flags : mapping of symbol to codes
        What is missing or odd about a candidate (``universe.reasons.FLAGS``); absent where nothing is.
    figures : mapping of symbol to figures
        What the ranks of a candidate were made of: won, ratios, log returns; absent where not known.
    """

    day: dt.date
    symbols: tuple[Symbol, ...]
    scores: Mapping[Symbol, Mapping[str, float]]
    exclusions: tuple[Exclusion, ...]
    flags: Mapping[Symbol, tuple[str, ...]] = field(default_factory=dict)
    figures: Mapping[Symbol, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scores:
    """A model's rank scores for one day; higher is better, scale is the model's own."""

    day: dt.date
    model_id: str
    values: Mapping[Symbol, float]


@dataclass(frozen=True, slots=True)
class Targets:
    """Target weights of equity; cash is the rest. ``reason`` tells of a fallback, empty if none."""

    day: dt.date
    weights: Mapping[Symbol, Weight]
    reason: str = ""


class ModelState(Enum):
    """Life of a model in the registry."""

    CANDIDATE = "candidate"
    SHADOW = "shadow"
    CHAMPION = "champion"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is and what it was shown, identified by content hash.

    ``provenance`` names by hash or in words what else made it: ``code``, ``data``, ``trial``, ``costs``, ``scaler``,
    and the window its metrics were measured in (``test_from``, ``test_to``).
    """

    model_id: str
    kind: str
    feature_hash: str
    train_from: dt.date
    train_to: dt.date
    metrics: Mapping[str, float]
    seed: int
    content_hash: str
    files: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Inputs, configuration and outputs of one research stage, by hash."""

    stage: str
    inputs: Mapping[str, str]
    config_hash: str
    outputs: Mapping[str, str]
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration that was tried on one stretch of data, whatever came of it.

    ``code`` and ``data`` name the exact source of the strategy and the exact bars, by hash. ``first`` and ``last``
    are the trading days of the run. ``sharpe`` is the daily (not annual) ratio, NaN without variance.
    """

    family: str
    parameters: Mapping[str, int | float | str | bool]
    code: str
    data: str
    first: dt.date
    last: dt.date
    sessions: int
    sharpe: float
    why: str
    at: Instant


@dataclass(frozen=True, slots=True)
class TradeReview:
    """What became of one decision: executed or not, labelled the same way.

    ``outcome_bp`` is the return of the reviewed side over the horizon after cost, in basis points;
    for a refused leg it is what would have been earned (a counterfactual, and marked so).
    """

    decision_id: str
    symbol: Symbol
    side: Side
    status: str
    executed: bool
    quantity: Shares
    planned_price: Won
    average_price: Won
    slippage_bp: float
    outcome_bp: float
    cost: Won
    label: str
    resolved_at: Instant


@dataclass(frozen=True, slots=True)
class Lesson:
    """A candidate rule drawn from reviews; it has no effect before a person or a test promotes it."""

    lesson_id: str
    trigger: str
    effect: str
    evidence: tuple[str, ...]
    support: int
    mean_gain_bp: float
    state: str
    created_at: Instant


CRITIQUE_LABELS = (
    "thesis_wrong",
    "timing",
    "regime_missed",
    "evidence_missing",
    "oversized",
    "cost",
    "execution",
    "luck",
)
"""The closed list a critique chooses from; anything else is no critique."""


@dataclass(frozen=True, slots=True)
class Critique:
    """A language model's word on one reviewed decision; it has no effect on any order or lesson.

    ``label`` is one of ``CRITIQUE_LABELS``, or empty when none came; then ``failure`` says why.
    ``remark`` is for people, at most 300 characters, and is never parsed. ``critic`` is the model's id.
    """

    decision_id: str
    at: Instant
    critic: str
    label: str
    remark: str = ""
    failure: str = ""
