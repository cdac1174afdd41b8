"""What the driver counts as under way, and what adapters may offer beyond their ports."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from haetae.domain.account import CashReport
from haetae.domain.orders import Order
from haetae.domain.units import Shares, Symbol


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


@runtime_checkable
class Selling(Protocol):
    """A broker that tells what it would let us sell."""

    def sellable(self) -> Mapping[Symbol, Shares]:
        """Return the shares that may be sold as the newest reading of the positions told them."""
        ...


@runtime_checkable
class Balancing(Protocol):
    """A broker that shows holdings and cash in one balance: fewer calls, and both of one moment."""

    async def balance(self) -> tuple[Mapping[Symbol, Shares], CashReport]:
        """Return what ``positions`` and ``cash`` return."""
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
