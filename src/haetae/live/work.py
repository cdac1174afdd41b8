"""What the driver counts as under way, and what adapters may offer beyond their ports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from haetae.domain.orders import Order


@runtime_checkable
class Idling(Protocol):
    """An adapter that can say when its own work is done."""

    async def idle(self) -> None:
        """Return when nothing of this adapter is under way."""
        ...


@runtime_checkable
class Resuming(Protocol):
    """A broker that takes up an order of an earlier run."""

    def resume(self, order: Order) -> None:
        """Follow an order that is open already."""
        ...


@dataclass(slots=True)
class Work:
    """Counts what is under way; ``quiet`` is set while that is nothing."""

    count: int = 0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.quiet.set()

    def begin(self) -> None:
        """Something began."""
        self.count += 1
        self.quiet.clear()

    def end(self) -> None:
        """Something ended."""
        self.count -= 1
        if self.count == 0:
            self.quiet.set()
