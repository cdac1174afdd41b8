"""Nouns of decisions: view, proposal, brief, agent's decision, guard's verdict.

A policy sees a ``View`` and answers with a ``Proposal`` of target weights; the desk turns it into
legs of whole shares; the agent reviews one leg at a time through a ``Brief`` and may approve,
reduce, reject, exit or abstain, never enlarge; the guards answer with a ``Verdict``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from haetae.domain.account import Book
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.orders import Side
from haetae.domain.panel import Panel, empty_panel
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Weight, Won

FloatArray = NDArray[np.float32]

STORED = "stored"
"""Metadata of a field; False where its value is folded from records that are stored themselves (bars of a view)."""


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class View:
    """All a policy may see at ``at``; every number was known then.

    Attributes
    ----------
    features : (n_symbols, n_features) float32
        Minute features of the newest closed bar, NaN where a look-back is not filled yet.
    scores : (n_symbols,) float32
        Rank scores of the day from the models, 0 where there is none.
    last : (n_symbols,) int64, won
    held : (n_symbols,) int64, shares
    tradable : (n_symbols,) bool
    equity : won
        Cash plus positions at ``last``.
    daily : Panel of sessions
        Closed sessions known at ``at``, ascending, columns as ``symbols``: those before today, and today once its
        session is over. As many as the driver keeps; empty where it keeps none.
    minutes : Panel of minute bars
        Closed minutes of today and of earlier sessions, newest last; empty where the run has no minutes.
    """

    at: Instant
    day: dt.date
    symbols: tuple[Symbol, ...]
    feature_names: tuple[str, ...]
    features: FloatArray
    scores: FloatArray
    last: Int64Array
    held: Int64Array
    tradable: BoolArray
    cash: Won
    equity: Won
    fear_greed: float
    book: Book
    daily: Panel = field(default_factory=empty_panel, metadata={STORED: False})
    minutes: Panel = field(default_factory=empty_panel, metadata={STORED: False})


@made_often
@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy's wish: target weights of equity per symbol, cash is the rest.

    Symbols that are absent keep what they hold. ``score`` per symbol is the policy's own strength
    of conviction (any monotone scale).
    """

    proposal_id: str
    at: Instant
    policy_id: str
    targets: Mapping[Symbol, Weight]
    scores: Mapping[Symbol, float] = field(default_factory=dict)


@made_often
@dataclass(frozen=True, slots=True)
class Leg:
    """One symbol of a proposal in whole shares at a limit price on the tick grid."""

    leg_id: str
    proposal_id: str
    symbol: Symbol
    side: Side
    quantity: Shares
    limit_price: Won
    target_weight: Weight
    score: float


@dataclass(frozen=True, slots=True)
class Brief:
    """The question put to the agent about one leg: ``decision_request/1`` as canonical JSON.

    ``known_at`` is when the newest fact in it was known.
    """

    leg: Leg
    nonce: str
    asked_at: Instant
    valid_until: Instant
    evidence_ids: tuple[str, ...]
    request: str
    known_at: Instant = 0


@dataclass(frozen=True, slots=True)
class AgentReply:
    """The raw answer as it came back, or the reason why none came.

    ``decider`` names who answered, for example ``offline_rules_v1`` (not AI) or a model id.
    ``failure`` is empty when text came back, else ``CODE`` or ``CODE: detail``.
    """

    leg_id: str
    at: Instant
    decider: str
    text: str
    failure: str = ""


class Action(Enum):
    """What the agent may answer; nothing here enlarges risk."""

    APPROVE = "approve"
    REDUCE = "reduce"
    REJECT = "reject"
    EXIT = "exit"
    ABSTAIN = "abstain"


@made_often
@dataclass(frozen=True, slots=True)
class Decision:
    """The agent's reply after the strict parse and the confidence gate.

    ``status`` keeps outcomes apart: ``MODEL_APPROVE``, ``MODEL_REDUCE``, ``MODEL_REJECT``,
    ``MODEL_EXIT``, ``MODEL_ABSTAIN``, ``BELOW_THRESHOLD``, ``ABSTAIN_*`` (no usable reply).
    ``quantity`` is what may go to the guards: floor(fraction x proposed), 0 when nothing may.
    ``evidence_at`` is when the newest cited fact was known, 0 where none was cited. ``baseline`` is what the fixed
    rules say of the same question: their confidence, negative where they would not do it, 0 where they were not asked.
    """

    decision_id: str
    leg: Leg
    at: Instant
    decider: str
    action: Action
    fraction: float
    confidence: float
    status: str
    quantity: Shares
    rationale: str = ""
    evidence_ids: tuple[str, ...] = ()
    risk_flags: tuple[str, ...] = ()
    evidence_at: Instant = 0
    baseline: float = 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a guard spoke: its code (``G12``), and the numbers it compared."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Allow:
    """Every guard passed."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reduce:
    """The guards left a smaller quantity."""

    quantity: Shares
    reasons: tuple[Reason, ...]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deny:
    """At least one guard refused."""

    reasons: tuple[Reason, ...]


Verdict: TypeAlias = Allow | Reduce | Deny
