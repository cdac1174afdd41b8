"""The operator's file: what a person wants of the desk, one JSON line a wish, in the desk's folder.

A wish moves the kill switch (``Order``), cancels an order or places one, adopts a holding traded by hand, says which
order of the broker is ours, or corrects costs (``Request``).

Whoever may write into the folder may stop the desk, also when the service is down: a line is appended
under a lock and is on the disk before the writer is told so. The running desk reads new lines twice a
second and right before each order leaves; a desk that starts takes over the newest state only where it
is stricter than its own.

Stopping is one person's word and is latched. Releasing a desk that trades real money takes two: each
gives the order under another name within ten minutes, and nobody stopped the desk in between.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeAlias

import structlog

from haetae.domain.errors import ConfigError, Text
from haetae.domain.events import (
    CancelRequest,
    CostCorrection,
    ManualAdoption,
    ManualOrder,
    OperatorCommand,
    OperatorState,
    OrderClaim,
)
from haetae.domain.orders import BrokerOrderId, Side
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.ports import Clock, Passing, pass_by
from haetae.wiring.records import sync_folder

FILE = "operator.jsonl"
RELEASE_S = 600
"""Two people agree within this time, or they do not agree on the same moment."""
_log = structlog.get_logger(__name__)
Signed: TypeAlias = ManualAdoption | OrderClaim
"""What changes books by a person's word alone, and is therefore signed."""
Wish: TypeAlias = CancelRequest | ManualOrder | Signed | CostCorrection
Genuine: TypeAlias = Callable[[Signed], bool]
_WORDS = {CancelRequest: "cancel", ManualAdoption: "adopt", OrderClaim: "claim", CostCorrection: "costs"}
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

    def line(self) -> dict[str, Any]:
        """Return the order as the file holds it."""
        return {"at": self.at, "state": self.state.value, "who": self.who, "why": self.why}


@dataclass(frozen=True, slots=True)
class Request:
    """One line with a wish beside the kill switch; its ``at`` is the wall clock's."""

    wish: Wish

    def command(self, at: Instant) -> Wish:
        """Return the wish as the desk's event at an instant of the desk's clock."""
        return replace(self.wish, at=at)

    def line(self) -> dict[str, Any]:
        """Return the wish as the file holds it."""
        body = asdict(self.wish)
        if isinstance(self.wish, ManualOrder):
            return {"what": "order", **body, "side": self.wish.side.value}
        if isinstance(self.wish, OrderClaim) and (named := self.wish.order_id) is not None:
            body["order_id"] = [named.day.isoformat(), named.branch, named.number]
        return {"what": _WORDS[type(self.wish)], **body}


def give(folder: Path, state: OperatorState, *, who: str, why: str, clock: Clock, passing: Passing = pass_by) -> Order:
    """Append an order; it is on the disk when this returns."""
    order = Order(clock.now(), state, who, why)
    _append(folder, order, passing)
    return order


def written_to(folder: Path) -> int:
    """Return how long the file is: a desk that has read so far has taken every wish of now."""
    try:
        return (folder / FILE).stat().st_size
    except OSError:
        return 0


def ask(folder: Path, wish: Wish, passing: Passing = pass_by) -> Request:
    """Append a request about an order; it is on the disk when this returns."""
    request = Request(wish)
    _append(folder, request, passing)
    return request


def given(folder: Path) -> tuple[Order | Request, ...]:
    """Return every wish of a folder's file, oldest first."""
    return OperatorFile(folder).past


def _append(folder: Path, wish: Order | Request, passing: Passing) -> None:
    if not folder.is_dir():
        raise ConfigError(
            Text(ko=f"데스크 폴더가 없습니다: {folder}", en=f"there is no desk folder {folder}"),
            expected=Text(ko="`haetae trade` 가 쓰는 폴더", en="the folder `haetae trade` works in"),
            found=str(folder),
            next_step=Text(ko="--out 으로 폴더를 주세요", en="give the folder with --out"),
        )
    line = json.dumps(wish.line(), ensure_ascii=False).encode() + b"\n"
    with (folder / FILE).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        passing("operator.locked")
        whole = _whole(file)
        file.truncate(whole)  # a writer that died left a torn line: glued to ours, both would be unreadable
        os.fsync(file.fileno())  # and its whole lines first: ours must not reach the disk without them
        file.write(line)
        file.flush()
        passing("operator.written")
        os.fsync(file.fileno())
        passing("operator.synced")
        sync_folder(folder)  # of an old file too: who made it may have died before its name was on the disk
        passing("operator.durable")


def _whole(file: IO[bytes]) -> int:
    """Return how many bytes of the file are whole lines."""
    file.seek(0)
    return file.read().rfind(b"\n") + 1


def _nobody(wish: Signed) -> bool:
    return False


class OperatorFile:
    """Reads the wishes of a folder: the newest order at the start, then each new wish once.

    A request of the past is void: a cancel or an order belongs to the moment it was asked in.
    """

    def __init__(self, folder: Path, people: int = 1, genuine: Genuine = _nobody) -> None:
        """Remember where the file ends now; what stands there already is the past.

        ``people`` is how many different names a release needs; ``genuine`` checks the signature of an adoption or a
        claim, and without it none is passed on.
        """
        self._path = folder / FILE
        self._people = people
        self._genuine = genuine
        self._for_release: list[Order] = []
        self.past, self._read_to = self._from(0)

    @property
    def read_to(self) -> int:
        """Bytes of the file that were read: what a person wrote up to here has been taken."""
        return self._read_to

    def at_start(self, now: OperatorState) -> Order | None:
        """Return the newest order of the past if it is stricter than the desk's own state."""
        orders = [wish for wish in self.past if isinstance(wish, Order)]
        if orders and _STRICTNESS[orders[-1].state] > _STRICTNESS[now]:
            return orders[-1]
        return None

    def fresh(self) -> tuple[Order | Request, ...]:
        """Return the wishes given since the last look."""
        found, self._read_to = self._from(self._read_to)
        return tuple(wish for wish in found if self._counts(wish))

    def _counts(self, wish: Order | Request) -> bool:
        """Whether a wish takes effect: a release waits for its people, what is signed for needs its signature."""
        if isinstance(wish, Request):
            return self._is_signed(wish)
        if wish.state is not OperatorState.ACTIVE:
            self._for_release = []
            return True
        agreed = [each for each in self._for_release if wish.at - each.at <= RELEASE_S * NS_PER_SECOND]
        self._for_release = [*agreed, wish]
        if len({each.who.strip().casefold() for each in self._for_release}) < self._people:
            _log.warning("operator.release_waits", who=wish.who, people=self._people)
            return False
        self._for_release = []
        return True

    def _is_signed(self, request: Request) -> bool:
        if not isinstance(request.wish, ManualAdoption | OrderClaim) or self._genuine(request.wish):
            return True
        _log.error("operator.not_signed", request_id=request.wish.request_id, who=request.wish.who)
        return False

    def _from(self, place: int) -> tuple[tuple[Order | Request, ...], int]:
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
        wishes = tuple(wish for line in whole.splitlines() if (wish := _read(line)) is not None)
        return wishes, place + len(whole)


def _read(line: bytes) -> Order | Request | None:
    """Return the wish of a line; one that cannot be read stops the desk rather than being overlooked."""
    if not line.strip():
        return None
    try:
        told: dict[str, Any] = json.loads(line)
        match told.pop("what", "state"):
            case "cancel":
                return Request(CancelRequest(**told))
            case "adopt":
                return Request(ManualAdoption(**told))
            case "claim":
                return Request(OrderClaim(**{**told, "order_id": _number(told["order_id"])}))
            case "costs":
                return Request(CostCorrection(**told))
            case "order":
                return Request(ManualOrder(**{**told, "side": Side(told["side"])}))
        return Order(int(told["at"]), OperatorState(told["state"]), str(told["who"]), str(told["why"]))
    except (ValueError, KeyError, TypeError) as fault:
        _log.error("operator.unreadable", fault=str(fault))
        return Order(0, OperatorState.HALT, "operator file", f"unreadable line: {fault}"[:120])


def _number(told: list[str] | None) -> BrokerOrderId | None:
    if told is None:
        return None
    day, branch, number = told
    return BrokerOrderId(dt.date.fromisoformat(day), str(branch), str(number))
