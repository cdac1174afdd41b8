"""What a guard is, what it may find, and what it compared."""

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
    """One guard.

    Attributes
    ----------
    code, name : ``G01`` … ``G30`` and what people call it.
    protects : what would happen without it.
    check : the pure comparison.
    limits : fields of ``Limits`` it compares with.
    inputs : names of ``compared`` that say what it looked at.
    source : where the rule comes from.
    escape : whether orders of the volatility escape must pass it too.
    remedy : what a person does when it fires.
    """

    code: str
    name: Text
    protects: Text
    check: Check
    limits: tuple[str, ...]
    inputs: tuple[str, ...]
    source: str
    remedy: Text
    escape: bool = False

    def reason(self, message: str) -> Reason:
        """Return a reason that carries this guard's code."""
        return Reason(self.code, f"{self.name}: {message}")
