"""One step in the making: a state of its own that may still be written, and the commands it asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from haetae.desk.state import DeskState, standing_of
from haetae.domain.events import (
    CancelRequest,
    Command,
    CostCorrection,
    ManualAdoption,
    ManualOrder,
    Note,
    OperatorState,
    OrderClaim,
)
from haetae.domain.orders import OrderIntent
from haetae.domain.units import Instant
from haetae.guards import Situation
from haetae.krx import Rulebook

_Record = TypeVar("_Record")
Request: TypeAlias = CancelRequest | ManualOrder | ManualAdoption | OrderClaim | CostCorrection
"""What a person asks for by a name, and is answered under it."""


def _own(record: _Record) -> _Record:
    """Return a copy of a frozen record that nobody else has seen yet, so that this turn may write to it."""
    made = object.__new__(type(record))
    made.__dict__.update(record.__dict__)
    return made


@dataclass(slots=True)
class Turn:
    """Local to one call of ``step``: it begins with a copy of a state and ends with that copy changed.

    ``state`` is this turn's own until ``step`` returns it: writing fields of one copy is what makes a step of many
    small changes cheap. What was read from it before a change is to be kept in a name. ``reviewed`` is what the guards
    looked at in this turn, for whoever wants to explain an order.
    """

    state: DeskState
    at: Instant
    rules: Rulebook
    commands: list[Command] = field(default_factory=list)
    reviewed: list[tuple[OrderIntent, Situation]] = field(default_factory=list)
    _owns_day: bool = False
    _owns_account: bool = False

    def __post_init__(self) -> None:
        """Leave the given state alone."""
        self.state = _own(self.state)

    def change(self, **fields: Any) -> None:
        """Set fields of the state."""
        self.state.__dict__.update(fields)

    def count(self, **fields: Any) -> None:
        """Set fields of the day's counts."""
        if not self._owns_day:
            self._owns_day = True
            self.change(day=_own(self.state.day))
        self.state.day.__dict__.update(fields)

    def account(self, **fields: Any) -> None:
        """Set fields of what is known from the broker."""
        if not self._owns_account:
            self._owns_account = True
            self.change(account=_own(self.state.account))
        self.state.account.__dict__.update(fields)

    def stand(self) -> None:
        """Work out shares and equity after the book or the tape changed."""
        self.change(known=standing_of(self.state.book, self.state.tape, self.state.known))

    @property
    def account_name(self) -> str:
        """The account the session trades, as it stands in the names of intents; empty before the first session."""
        session = self.state.session
        return session.account if session is not None else ""

    def refuse(self, request: Request, why: str) -> None:
        """Answer a person that nothing came of what they asked for, and why."""
        self.note("request.refused", request_id=request.request_id, who=request.who, why=why)

    def say(self, command: Command) -> None:
        """Ask the driver for something."""
        self.commands.append(command)

    def note(self, kind: str, **data: object) -> None:
        """Tell something; JSON values only."""
        self.commands.append(Note(self.at, kind, data))

    def spend_command(self) -> bool:
        """Count an order or cancel; False, and the desk halts, when the day's budget is used up."""
        if self.state.day.commands >= self.state.settings.max_commands:
            if self.state.operator is not OperatorState.HALT:
                self.change(operator=OperatorState.HALT, latched=True)
                self.note("budget.exhausted", commands=self.state.day.commands)
            return False
        self.count(commands=self.state.day.commands + 1)
        return True
