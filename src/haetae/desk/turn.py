"""One step in the making: the state so far and the commands it asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from haetae.desk.state import Account, Day, DeskState
from haetae.domain.events import Command, Note, OperatorState
from haetae.domain.units import Instant
from haetae.krx import Rulebook


@dataclass(slots=True)
class Turn:
    """Local to one call of ``step``: it starts with a state and ends with another and the commands."""

    state: DeskState
    at: Instant
    rules: Rulebook
    commands: list[Command] = field(default_factory=list)

    def change(self, **fields: Any) -> None:
        """Replace fields of the state."""
        self.state = replace(self.state, **fields)

    def count(self, **fields: Any) -> None:
        """Replace fields of the day's counts."""
        day: Day = replace(self.state.day, **fields)
        self.state = replace(self.state, day=day)

    def account(self, **fields: Any) -> None:
        """Replace fields of what is known from the broker."""
        account: Account = replace(self.state.account, **fields)
        self.state = replace(self.state, account=account)

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
                self.change(operator=OperatorState.HALT)
                self.note("budget.exhausted", commands=self.state.day.commands)
            return False
        self.count(commands=self.state.day.commands + 1)
        return True
