"""Where a rate budget is kept: in this process, or in a small file that all processes of a host share.

Here: `Pace` (the budgets of one key and who waits where), `MemoryPace`, `SharedPace`. Not here: the arithmetic
(`budget`), waiting (`pacing`). The file is locked for some microseconds a change, holds JSON padded to one size so
that a change is one write, and is worth nothing after a restart of the machine: its clock is the monotonic one,
which all processes of a host share. A file that cannot be used degrades to this process alone and says so:
a full disk must not stop an exit.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog

from haetae.kis.budget import LOST_S, WINDOW_S, Budget, Lane, Slot

_log = structlog.get_logger(__name__)
_SIZE = 8_192
"""Bytes of the file: 64 slots and a dozen waiting processes take half of it."""
_FAR_S = 60.0
"""A last change that lies a minute ahead was made by another clock."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
T = TypeVar("T")


@dataclass(slots=True)
class Pace:
    """Everything that is shared: the account's calls, the trading calls among them, and who waits.

    ``waiting`` holds per process the lane of its foremost waiter, how many wait in it, and until when that is believed.
    """

    calls: Budget = field(default_factory=Budget)
    ledger: Budget = field(default_factory=Budget)
    waiting: dict[str, tuple[Lane, int, float]] = field(default_factory=dict)

    def ahead(self, me: str, lane: Lane, now: float) -> int:
        """Return how many calls of higher lanes wait in other processes."""
        rows = [row for name, row in self.waiting.items() if name != me]
        return sum(count for other, count, until in rows if other < lane and until > now)


class PaceStore(Protocol):
    """Keeps a pace; ``change`` runs alone."""

    def change(self, work: Callable[[Pace], T], now: float) -> tuple[bool, T | None]:
        """Run ``work`` on the pace and keep what it made; False (and nothing run) while another process holds it."""
        ...

    def change_alone(self, work: Callable[[Pace], T], now: float) -> T:
        """Run ``work`` on what this process knows, without the others: when the file stays locked."""
        ...


class MemoryPace:
    """The pace of one process."""

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self.pace = Pace()

    def change(self, work: Callable[[Pace], T], now: float) -> tuple[bool, T | None]:
        """Run ``work``."""
        return True, work(self.pace)

    def change_alone(self, work: Callable[[Pace], T], now: float) -> T:
        """Run ``work``."""
        return work(self.pace)


class SharedPace:
    """The pace of all processes that name the same file and use the machine's own clock."""

    def __init__(self, path: Path) -> None:
        """Touch nothing yet."""
        self._path = path
        self._known = Pace()
        self._boot = _boot_id()
        self._failed = False

    def change(self, work: Callable[[Pace], T], now: float) -> tuple[bool, T | None]:
        """Lock, read, run, write, unlock; see ``PaceStore``."""
        try:
            descriptor = self._lock()
        except OSError as fault:
            self._degraded(fault)
            return True, work(self._known)
        if descriptor is None:
            return False, None
        try:
            self._known = self._read(descriptor, now)
            done = work(self._known)
            self._write(descriptor, now)
            return True, done
        finally:
            os.close(descriptor)

    def change_alone(self, work: Callable[[Pace], T], now: float) -> T:
        """Run ``work`` on what was last read."""
        self._degraded(TimeoutError("locked by another process"))
        return work(self._known)

    def _lock(self) -> int | None:
        """Return the open and locked file; None where somebody else has the lock."""
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return None
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)  # removed between open and lock: its successor is the one that others use

    def _read(self, descriptor: int, now: float) -> Pace:
        try:
            text = os.pread(descriptor, _SIZE, 0).rstrip(b" \0")
        except OSError as fault:
            self._degraded(fault)
            return self._known
        if not text:
            return Pace()
        try:
            stored = json.loads(text)
            if stored["boot"] != self._boot or float(stored["at"]) > now + _FAR_S:
                return Pace()
            return _from_json(stored)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            # What was under way is not known any more: wait until it must have been counted.
            _log.error("pace.file_unreadable", path=str(self._path))
            return Pace(calls=Budget(held_until=now + WINDOW_S + LOST_S))

    def _write(self, descriptor: int, now: float) -> None:
        known = self._known
        known.waiting = {name: row for name, row in known.waiting.items() if row[2] > now}
        text = json.dumps(_to_json(known, self._boot, now), separators=(",", ":")).encode().ljust(_SIZE)
        try:
            os.pwrite(descriptor, text, 0)
            self._failed = False
        except OSError as fault:
            self._degraded(fault)

    def _degraded(self, fault: OSError) -> None:
        if not self._failed:
            _log.error("pace.file_unusable", path=str(self._path), fault=str(fault))
        self._failed = True


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _to_json(pace: Pace, boot: str, now: float) -> dict[str, Any]:
    return {
        "boot": boot,
        "at": now,
        "calls": _budget_to_json(pace.calls),
        "ledger": _budget_to_json(pace.ledger),
        "waiting": {name: [int(lane), count, until] for name, (lane, count, until) in pace.waiting.items()},
    }


def _budget_to_json(budget: Budget) -> dict[str, Any]:
    return {
        "slots": [[slot.ticket, int(slot.lane), slot.until, slot.flying] for slot in budget.slots],
        "due": budget.due,
        "held": budget.held_until,
        "learnt": None if budget.learnt == float("inf") else budget.learnt,
        "learnt_at": budget.learnt_at,
        "refused_at": None if budget.refused_at == -float("inf") else budget.refused_at,
        "used": {str(int(lane)): at for lane, at in budget.used.items()},
    }


def _from_json(stored: dict[str, Any]) -> Pace:
    waiting = {str(name): (Lane(row[0]), int(row[1]), float(row[2])) for name, row in stored["waiting"].items()}
    return Pace(_budget_from_json(stored["calls"]), _budget_from_json(stored["ledger"]), waiting)


def _budget_from_json(stored: dict[str, Any]) -> Budget:
    return Budget(
        slots=[Slot(str(slot[0]), Lane(slot[1]), float(slot[2]), bool(slot[3])) for slot in stored["slots"]],
        due=float(stored["due"]),
        held_until=float(stored["held"]),
        learnt=float("inf") if stored["learnt"] is None else float(stored["learnt"]),
        learnt_at=float(stored["learnt_at"]),
        refused_at=-float("inf") if stored["refused_at"] is None else float(stored["refused_at"]),
        used={Lane(int(lane)): float(at) for lane, at in stored["used"].items()},
    )
