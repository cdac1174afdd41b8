"""Nouns of promotion: on what ground a model changed its state, what was demanded, what it did in shadow.

Here: records only. Not here: which demands there are (``ml.promotion``), where records are kept (``registry``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from haetae.domain.errors import Text
from haetae.domain.units import Instant, Symbol


class Ground(Enum):
    """On what a change of state rests."""

    EVIDENCE = "evidence"
    """Every demand was met; the record of it is kept under its hash."""
    DECISION = "decision"
    """A person's word alone: enough for shadow, play money and retirement, never for real money."""
    RECALL = "recall"
    """The champion before the present one is called back; it rests on what it once took charge by."""


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing asked of a model: what was asked, what was found, whether that is enough.

    ``threshold`` and ``found`` are as people read them. A figure that nobody measured is not met.
    """

    key: str
    name: Text
    threshold: str
    found: Text
    met: bool


@dataclass(frozen=True, slots=True)
class ShadowScores:
    """What a model said of one day, written down before it could be acted on.

    *Known at* ``at``, after the close of ``day``. ``in_time`` tells that this was before the next session began:
    only then the scores were a forecast. ``data`` names the exact bars they were made from. ``horizon`` is the
    sessions a score looks ahead; a policy, which is judged by the day itself, has 0 and no values.
    """

    model_id: str
    content_hash: str
    day: dt.date
    at: Instant
    in_time: bool
    data: str
    horizon: int
    values: Mapping[Symbol, float]


@dataclass(frozen=True, slots=True)
class ShadowOutcome:
    """What became of the scores of one day, once their horizon had passed.

    ``value`` is the rank IC of a ranker over ``names`` symbols; of a policy the day's return after costs.
    ``known_on`` is the session after whose open the outcome was known.
    """

    model_id: str
    day: dt.date
    known_on: dt.date
    value: float
    names: int
