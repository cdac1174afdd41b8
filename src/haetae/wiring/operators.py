"""The operator's file: what a person wants of the desk, one JSON line an order, in the desk's folder.

Whoever may write into the folder may stop the desk, also when the service is down: a line is appended
under a lock and is on the disk before the writer is told so. The running desk reads new lines each
second; a desk that starts takes over the newest state only where it is stricter than its own.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import OperatorCommand, OperatorState
from haetae.domain.units import Instant
from haetae.ports import Clock

FILE = "operator.jsonl"
_log = structlog.get_logger(__name__)
_STRICTNESS = {OperatorState.ACTIVE: 0, OperatorState.REDUCE_ONLY: 1, OperatorState.HALT: 2}


@dataclass(frozen=True, slots=True)
class Order:
    """One line: the state wanted, by whom, why, when on the wall clock."""

    at: Instant
    state: OperatorState
    who: str
    why: str

    def command(self, at: Instant) -> OperatorCommand:
        """Return the order as the desk's event at an instant of the desk's clock."""
        return OperatorCommand(at, self.state, self.who, self.why)


def give(folder: Path, state: OperatorState, *, who: str, why: str, clock: Clock) -> Order:
    """Append an order; it is on the disk when this returns."""
    if not folder.is_dir():
        raise ConfigError(
            Text(ko=f"데스크 폴더가 없습니다: {folder}", en=f"there is no desk folder {folder}"),
            expected=Text(ko="`haetae trade` 가 쓰는 폴더", en="the folder `haetae trade` works in"),
            found=str(folder),
            next_step=Text(ko="--out 으로 폴더를 주세요", en="give the folder with --out"),
        )
    order = Order(clock.now(), state, who, why)
    line = {"at": order.at, "state": state.value, "who": who, "why": why}
    with (folder / FILE).open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return order


class OperatorFile:
    """Reads the orders of a folder: the newest one at the start, then each new one once."""

    def __init__(self, folder: Path) -> None:
        """Remember where the file ends now; what stands there already is the past."""
        self._path = folder / FILE
        self._past, self._read_to = self._from(0)

    def at_start(self, now: OperatorState) -> Order | None:
        """Return the newest order of the past if it is stricter than the desk's own state."""
        if self._past and _STRICTNESS[self._past[-1].state] > _STRICTNESS[now]:
            return self._past[-1]
        return None

    def fresh(self) -> tuple[Order, ...]:
        """Return the orders given since the last look."""
        found, self._read_to = self._from(self._read_to)
        return found

    def _from(self, place: int) -> tuple[tuple[Order, ...], int]:
        """Return whole lines from a place on, and where they end; a torn last line waits for its rest."""
        try:
            if self._path.stat().st_size <= place:
                return (), place
            with self._path.open("rb") as file:
                file.seek(place)
                text = file.read()
        except OSError:
            return (), place
        whole = text[: text.rfind(b"\n") + 1]
        orders = tuple(order for line in whole.splitlines() if (order := _read(line)) is not None)
        return orders, place + len(whole)


def _read(line: bytes) -> Order | None:
    """Return the order of a line; one that cannot be read stops the desk rather than being overlooked."""
    if not line.strip():
        return None
    try:
        given: dict[str, Any] = json.loads(line)
        return Order(int(given["at"]), OperatorState(given["state"]), str(given["who"]), str(given["why"]))
    except (ValueError, KeyError, TypeError) as fault:
        _log.error("operator.unreadable", fault=str(fault))
        return Order(0, OperatorState.HALT, "operator file", f"unreadable line: {fault}"[:120])
