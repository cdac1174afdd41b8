"""What people are told: fills, guards, escapes, faults; in both languages, with how urgent it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from haetae.domain.errors import Text
from haetae.domain.units import Instant


class Urgency(IntEnum):
    """How soon a person should look."""

    NEWS = 0
    """A fill, a day's end: whenever they like."""
    WARNING = 1
    """A guard refused, the escape took new buys away, a fault healed: today."""
    PAGE = 2
    """An escape that cannot leave, an order of unknown fate, books that differ, a desk that stopped: now."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message.

    ``kind`` is the note's it came from (``escape.raised``), ``data`` JSON values without secrets; ``key`` is the same
    for messages that say the same again, so that a storm is told once.
    """

    at: Instant
    urgency: Urgency
    kind: str
    title: Text
    body: Text
    key: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
