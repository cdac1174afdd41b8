"""What a guard is and what it may find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from haetae.domain.decisions import Reason
from haetae.domain.errors import Text
from haetae.domain.orders import OrderIntent
from haetae.domain.units import Shares
from haetae.guards.settings import Limits
from haetae.guards.situation import Situation


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many shares; 0 or less refuses."""

    quantity: Shares
    message: str


Finding: TypeAlias = Cap | str | None
"""None passes, a text refuses with the numbers compared, a cap leaves fewer shares."""

Check: TypeAlias = Callable[[OrderIntent, Shares, Situation, Limits], Finding]


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: its code, what it protects, its check, and whether escape orders must pass it too."""

    code: str
    name: Text
    check: Check
    escape: bool = False

    def reason(self, message: str) -> Reason:
        """Return a reason that carries this guard's code."""
        return Reason(self.code, f"{self.name}: {message}")
