"""The journal as the driver writes it, and the reserve that takes over while an exit must not wait for a disk.

The rule. A journal that fails ends trading: nothing is sent that is not written down. One thing goes on: where the
volatility escape is at work (reduce or exit all) and a reserve file on another path can be written, sales of the
escape and cancels leave, each after its entry is on that disk. When nothing is left to sell, the process ends with
the journal's fault. The next start puts the reserve's entries into the journal before it reads it: they continue the
same chain, so the merged journal is the one that would have been written.

Here: which entries the journal may not have kept, and the change-over. Not here: files (the wiring's reserve).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from haetae.domain.errors import JournalError
from haetae.domain.units import Instant
from haetae.ports import Clock, Journal

Entry: TypeAlias = tuple[str, Instant, object]
"""Kind, instant, record."""


class Reserve(Protocol):
    """An append-only file beside the journal's disk."""

    def begin(self, after: tuple[int, str], entries: Iterable[Entry]) -> None:
        """Begin behind the journal's last entry known to be on the disk (number and hash); durable at return."""
        ...

    def append(self, entries: Iterable[Entry]) -> None:
        """Append; on the disk when this returns, raises ``JournalError`` where that cannot be."""
        ...


class DayRecord:
    """Appends to the journal, or to the reserve once the journal has failed and ``may_go_on`` says so."""

    def __init__(
        self, journal: Journal, reserve: Reserve | None, may_go_on: Callable[[], bool], clock: Clock, commit_s: float
    ) -> None:
        """Write to ``journal``; what is on its disk now is the ground the reserve would stand on."""
        self.journal = journal
        self._clock = clock
        self._commit_s = commit_s
        self._took_s = 0.0
        self.fault: JournalError | None = None
        """What the journal failed with; while it is set the reserve is written."""
        self._reserve = reserve
        self._may_go_on = may_go_on
        self._ground = journal.head
        self._tail: list[Entry] = []
        self._waits = False

    @property
    def healthy(self) -> bool:
        """Whether the journal itself is written."""
        return self.fault is None

    @property
    def in_time(self) -> bool:
        """Whether the newest commit reached the disk as fast as it must."""
        return self._took_s <= self._commit_s

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> None:
        """Append records of one kind, as ``ports.Journal``."""
        entries = [(kind, at, record) for at, record in records]
        if self.fault is not None:
            self._spare(entries)
            return
        began = self._clock.monotonic()
        try:
            self.journal.append(kind, [(at, record) for _, at, record in entries], durable=durable)
        except JournalError as fault:
            self._change_over(fault, entries)
            return
        if durable:
            self._kept(began)
            return
        self._waits = True
        if self._reserve is not None:
            self._tail += entries

    def keep(self) -> None:
        """Put what waits on the disk; a journal that fails at it changes over as ``append`` does."""
        if not self._waits or self.fault is not None:
            return
        began = self._clock.monotonic()
        try:
            self.journal.flush()
        except JournalError as fault:
            self._change_over(fault, [])
            return
        self._kept(began)

    def _kept(self, began: float) -> None:
        """Everything appended so far is on the disk, by a commit that began then."""
        self._took_s = self._clock.monotonic() - began
        self._ground, self._tail, self._waits = self.journal.head, [], False

    def _change_over(self, fault: JournalError, entries: list[Entry]) -> None:
        if self._reserve is None or not self._may_go_on():
            raise fault
        self.fault = fault
        self._reserve.begin(self._ground, [*self._tail, *entries])
        self._tail = []

    def _spare(self, entries: list[Entry]) -> None:
        assert self._reserve is not None
        if entries:
            self._reserve.append(entries)
