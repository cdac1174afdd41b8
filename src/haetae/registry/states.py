"""The sealed log of which model is in which state, and the law of its changes.

``<root>/states/00000003.json`` is the third change; each is sealed and names the seal before it, so the log cannot be
edited unnoticed. ``<root>/evidence/<sha256>.json`` is what a change rested on; the change names it by hash.

Law: candidate → shadow → champion → retired. Whoever is in charge was in shadow first; every state may retire; who is
retired may go to shadow again, and the champion before the present one may be called back. Nothing else.
Not here: which evidence suffices (``ml.promotion``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.learning import ModelState
from haetae.domain.promotion import Ground
from haetae.domain.units import Instant
from haetae.ports import Passing, pass_by
from haetae.registry.durable import make_directory, refusals, sync, write_file

_ANY = frozenset(Ground)
_NOT_RECALL = frozenset({Ground.EVIDENCE, Ground.DECISION})
MAY_BECOME: Mapping[tuple[ModelState, ModelState], frozenset[Ground]] = {
    (ModelState.CANDIDATE, ModelState.SHADOW): _NOT_RECALL,
    (ModelState.CANDIDATE, ModelState.RETIRED): frozenset({Ground.DECISION}),
    (ModelState.SHADOW, ModelState.CHAMPION): _NOT_RECALL,
    (ModelState.SHADOW, ModelState.RETIRED): frozenset({Ground.DECISION}),
    (ModelState.CHAMPION, ModelState.RETIRED): frozenset({Ground.DECISION}),
    (ModelState.RETIRED, ModelState.SHADOW): _NOT_RECALL,
    (ModelState.RETIRED, ModelState.CHAMPION): frozenset({Ground.RECALL}),
}
"""Every permitted change and the grounds it may rest on; a pair that is not here is forbidden."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state; ``retires`` is the champion that left with it, empty if none.

    ``evidence`` is the SHA-256 of the record it rests on, empty where it rests on a person's word or on an
    earlier change. Entries of logs from before there were grounds count as decisions.
    """

    seq: int
    at: Instant
    model_id: str
    state: ModelState
    why: str
    retires: str
    previous: str
    seal: str
    ground: Ground = Ground.DECISION
    evidence: str = ""


def refuse_forbidden(model_id: str, now: ModelState, state: ModelState, ground: Ground) -> None:
    """Raise ``ModelError`` unless the law permits the change on this ground."""
    grounds = MAY_BECOME.get((now, state), frozenset())
    if ground in grounds:
        return
    open_to = sorted({after.value for before, after in MAY_BECOME if before is now})
    if grounds:
        listed = ", ".join(sorted(each.value for each in grounds))
        raise ModelError(
            Text(
                ko=f"{model_id}: {now.value} → {state.value} 은(는) 이 근거로 할 수 없습니다",
                en=f"model {model_id} cannot become {state.value} from {now.value} on this ground",
            ),
            expected=listed,
            found=ground.value,
            next_step=Text(ko="`haetae model promote`, `rollback`", en="`haetae model promote`, `rollback`"),
        )
    raise ModelError(
        Text(
            ko=f"{model_id}: {now.value} 에서 {state.value}(으)로는 갈 수 없습니다",
            en=f"model {model_id} is {now.value} and cannot become {state.value}",
        ),
        expected=", ".join(open_to),
        found=state.value,
        next_step=Text(
            ko="candidate → shadow → champion → retired 순서로 옮기세요",
            en="walk candidate, shadow, champion, retired in this order",
        ),
    )


class StateLog:
    """The log under a registry's folder."""

    def __init__(self, root: Path, passing: Passing = pass_by) -> None:
        """Name the folder; nothing is made before the first change."""
        self._passing = passing
        self._states = root / "states"
        self._evidence = root / "evidence"

    def entries(self) -> tuple[Transition, ...]:
        """Return all changes of state, oldest first; raises ``ModelError`` if the log was tampered with."""
        if not self._states.is_dir():
            return ()
        entries: list[Transition] = []
        for path in sorted(self._states.glob("*.json")):
            entry = _opened(path)
            expected = entries[-1].seal if entries else ""
            if entry.seq != len(entries) + 1 or entry.previous != expected:
                raise _log_broken(path, "it does not follow the entry before it")
            entries.append(entry)
        return tuple(entries)

    def append(self, body: Mapping[str, Any], evidence: bytes) -> None:
        """Write the next change durably, its evidence first; the caller holds the writer's lock."""
        log = self.entries()
        make_directory(self._states, self._passing)
        named = ""
        if evidence:
            named = hashlib.sha256(evidence).hexdigest()
            make_directory(self._evidence, self._passing)
            write_file(self._evidence / f"{named}.json", evidence, self._passing)
            self._passing("registry.evidence_kept")
        whole = {**body, "seq": len(log) + 1, "previous": log[-1].seal if log else "", "evidence": named}
        write_file(self._states / f"{len(log) + 1:08d}.json", _sealed(whole), self._passing)

    def settle(self) -> None:
        """Make durable what can be read: who wrote the newest change may have died before its name was on the disk."""
        if self._states.is_dir():
            with refusals(self._states):
                sync(self._states)

    def evidence(self, entry: Transition) -> bytes:
        """Return the record a change rests on; raises ``ModelError`` if it is missing or differs from its hash."""
        path = self._evidence / f"{entry.evidence}.json"
        try:
            with refusals(path):
                content = path.read_bytes()
        except DataError as fault:
            raise _evidence_broken(entry.model_id, str(fault)) from fault
        if hashlib.sha256(content).hexdigest() != entry.evidence:
            raise _evidence_broken(entry.model_id, "it does not match the hash in the log")
        return content


def standing(entries: tuple[Transition, ...]) -> dict[str, ModelState]:
    """Return the state of every model that ever changed it."""
    states: dict[str, ModelState] = {}
    for entry in entries:
        states[entry.model_id] = entry.state
        if entry.retires:
            states[entry.retires] = ModelState.RETIRED
    return states


def taking_charge(entries: tuple[Transition, ...], model_id: str) -> Transition | None:
    """Return the change by which a model first stood in charge this time, not a recall; None if it never did."""
    for entry in reversed(entries):
        taken = entry.model_id == model_id and entry.state is ModelState.CHAMPION
        if taken and entry.ground is not Ground.RECALL:
            return entry
    return None


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _sealed(body: Mapping[str, Any]) -> bytes:
    return json.dumps({**body, "seal": _seal(body)}, sort_keys=True, ensure_ascii=False).encode()


def _opened(path: Path) -> Transition:
    try:
        with refusals(path):
            body = json.loads(path.read_bytes())
        seal = body.pop("seal")
        if seal != _seal(body):
            raise ValueError("its seal does not match")
        typed = {"state": ModelState(body["state"]), "ground": Ground(body.get("ground", Ground.DECISION.value))}
        return Transition(**{**body, **typed}, seal=seal)
    except (DataError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise _log_broken(path, str(fault)) from fault


def _log_broken(path: Path, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"모델 상태 기록이 손상되었습니다: {path}", en=f"the log of model states is damaged: {path}"),
        expected="sealed entries, each naming the one before",
        found=why,
        next_step="restore the states folder from a backup",
    )


def _evidence_broken(model_id: str, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"{model_id}의 승격 근거가 손상되었습니다", en=f"the evidence of {model_id} is damaged"),
        expected="the record that the log names by hash",
        found=why,
        next_step="restore the evidence folder from a backup, or promote it again",
    )
