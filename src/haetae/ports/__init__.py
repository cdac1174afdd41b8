"""Protocols that the edge fulfils; a driver names the socket, the wiring plugs the adapter in.

Here: what a clock, a broker, a feed, a lake, a journal, a registry, a decider must do and promise.
Not here: any implementation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from haetae.domain.account import CashReport
from haetae.domain.decisions import AgentReply, Brief, Proposal, View
from haetae.domain.events import MarketReading
from haetae.domain.learning import Critique, Lesson, ModelCard, ModelState, TradeReview
from haetae.domain.market import HaltChange, PhaseChange, Quote, Slice
from haetae.domain.notices import Notice
from haetae.domain.orders import BrokerOrder, BrokerOrderId, ClearedOrder, OrderEvent
from haetae.domain.passing import Passing as Passing
from haetae.domain.passing import pass_by as pass_by
from haetae.domain.promotion import Ground
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.ports.sources import Effort as Effort
from haetae.ports.sources import MarketSource as MarketSource

if TYPE_CHECKING:
    import pyarrow as pa


class Clock(Protocol):
    """Time for drivers and the edge; the core takes time from events instead."""

    def now(self) -> Instant:
        """Return the current instant of this clock (wall, scaled or driven)."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never step back, on this clock's own scale."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of this clock."""
        ...


class Broker(Protocol):
    """One account at one broker. No method repeats an order whose fate is open.

    What provably did not reach the order system may be sent once more, within seconds.

    ``submit`` returns ``Accepted``, ``Rejected`` or ``OutcomeUnknown`` and never raises for the
    fate of an order. Everything later (fills, cancels, expiry) arrives through ``events``; an event
    may arrive before the return of the call that caused it.
    """

    async def submit(self, order: ClearedOrder) -> OrderEvent:
        """Send one cleared order once."""
        ...

    async def cancel(self, intent_id: str, order_id: BrokerOrderId) -> OrderEvent:
        """Cancel what is open; returns ``Canceled``, ``Rejected`` or ``OutcomeUnknown``."""
        ...

    async def replace(self, intent_id: str, order_id: BrokerOrderId, limit_price: Won) -> OrderEvent:
        """Move the limit price; returns ``Replaced``, ``Rejected`` or ``OutcomeUnknown``."""
        ...

    async def orders(self, day: dt.date) -> tuple[BrokerOrder, ...]:
        """Return every order of a day, all pages, cumulative figures."""
        ...

    async def positions(self) -> Mapping[Symbol, Shares]:
        """Return shares held per symbol, without empty rows."""
        ...

    async def cash(self) -> CashReport:
        """Return trade-date cash and what may still be ordered."""
        ...

    def events(self) -> AsyncIterator[OrderEvent]:
        """Yield order events as they become known, each at least once."""
        ...


class MarketFeed(Protocol):
    """Live market data of a fixed set of symbols."""

    def stream(
        self, symbols: Sequence[Symbol]
    ) -> AsyncIterator[Slice | Quote | PhaseChange | HaltChange | MarketReading]:
        """Yield one ``Slice`` per finished minute, phase changes, halts, readings of the market, quotes in between."""
        ...


class Decider(Protocol):
    """Who reviews a leg: offline rules (never called AI), or a language model."""

    async def decide(self, brief: Brief) -> AgentReply:
        """Return the raw reply before ``brief.valid_until``; failures are replies too."""
        ...


class Critic(Protocol):
    """Who looks back at a decision with words from a closed list; configured only with a language model."""

    async def critique(self, review: TradeReview, facts: Mapping[str, object]) -> Critique:
        """Return a critique; ``facts`` are JSON values known when the review was made. Failures are critiques too."""
        ...


class Policy(Protocol):
    """From what is known to what is wanted."""

    @property
    def policy_id(self) -> str:
        """Name with version, stored in every proposal."""
        ...

    def propose(self, view: View) -> Proposal:
        """Return target weights; deterministic in the view."""
        ...


class TableReader(Protocol):
    """The reading half of a lake: tables as they are now, or at pinned versions."""

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """Return rows with ``start <= day <= end`` sorted by symbol and time."""
        ...

    def versions(self) -> Mapping[str, int]:
        """Return the current version of each table: together they name the exact data."""
        ...


class BarLake(TableReader, Protocol):
    """Versioned tables of market data; readers see old or new, never part.

    Tables: ``instruments``, ``daily``, ``minute``, ``index_daily``, ``flags``, ``quality`` and
    derived ones. Columns and types are in ``haetae.store.schema``.
    """

    def write(self, table: str, rows: pa.Table, *, keys: Sequence[str]) -> int:
        """Insert or replace rows by ``keys``, atomically; return the new version."""
        ...


class Journal(Protocol):
    """Append-only, hash-chained record of what we knew and did."""

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> int:
        """Append records of one kind; with ``durable`` return only after fsync. Return the last seq."""
        ...

    def flush(self) -> None:
        """Return when everything appended so far is on the disk."""
        ...

    @property
    def head(self) -> tuple[int, str]:
        """Return the last sequence number and its hash; they name the journal's exact content."""
        ...

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        """Yield ``(seq, at, kind, record)`` in order."""
        ...

    def verify(self) -> int:
        """Check the whole hash chain; return the number of entries or raise ``JournalError``."""
        ...


class Lease(Protocol):
    """The right to write a journal and to send orders from it: one holder at a time, each with a higher number.

    A holder that slept (a paused machine, a moved clock) asks again before it acts: the number may have moved on.
    """

    @property
    def epoch(self) -> int:
        """Return the number of this holder, 1 or more."""
        ...

    def holds(self) -> bool:
        """Renew the lease and say whether this holder still is the newest; False is for good."""
        ...


class Notifier(Protocol):
    """Tells people what happened, outside of the desk's own screens."""

    async def tell(self, notice: Notice) -> None:
        """Send a notice to every configured channel; failures are logged, never raised: nothing waits for it."""
        ...


class Registry(Protocol):
    """Model artefacts by content hash, and which of them is in charge."""

    def put(self, card: ModelCard, files: Mapping[str, bytes]) -> ModelCard:
        """Store an artefact as a candidate; the same content twice is one artefact."""
        ...

    def get(self, model_id: str) -> tuple[ModelCard, Mapping[str, bytes]]:
        """Return card and files; raises ``ModelError`` on any hash mismatch."""
        ...

    def promote(self, model_id: str, state: ModelState, *, why: str, ground: Ground, evidence: bytes = b"") -> None:
        """Move an artefact on a ground; at most one champion per kind, and nobody takes charge without shadow."""
        ...

    def champion(self, kind: str) -> ModelCard | None:
        """Return the card in charge of a kind, or none."""
        ...


class LessonBook(Protocol):
    """Where lessons live; only approved ones reach a brief."""

    def active(self, at: Instant) -> tuple[Lesson, ...]:
        """Return the lessons in force at an instant."""
        ...
