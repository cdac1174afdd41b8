"""Models as folders named by what they contain, and a log of which one is in charge.

``<root>/models/<model_id>/`` holds ``card.json`` and the artefact's files; it never changes.
``<root>/states/00000003.json`` is the third change of state; each is sealed and names the seal
before it, so the log cannot be edited unnoticed. Files are data, never programs: pickles are
refused on the way in, and every byte is compared with the card's hash on the way out.

Life of a model: candidate → shadow → champion → retired. A champion may be called back from
retirement; at most one per kind is champion, and the one before retires in the same entry.
Not here: what a model computes (``ml``, ``policies``), whether it deserves it (``research``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from haetae.domain.codec import decode, encode
from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.units import Instant
from haetae.ports import Clock
from haetae.registry.durable import DRAFT, make_directory, refusals, write_file, write_folder, writer_lock

CARD = "card.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth")
_MAY_BECOME: Mapping[ModelState, frozenset[ModelState]] = {
    ModelState.CANDIDATE: frozenset({ModelState.SHADOW, ModelState.CHAMPION, ModelState.RETIRED}),
    ModelState.SHADOW: frozenset({ModelState.CHAMPION, ModelState.RETIRED}),
    ModelState.CHAMPION: frozenset({ModelState.RETIRED}),
    ModelState.RETIRED: frozenset({ModelState.SHADOW, ModelState.CHAMPION}),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of state; ``retires`` is the champion that left with it, empty if none."""

    seq: int
    at: Instant
    model_id: str
    state: ModelState
    why: str
    retires: str
    previous: str
    seal: str


class Registry:
    """Artefacts under one directory; fulfils ``ports.Registry``."""

    def __init__(self, root: Path | str, clock: Clock | None = None) -> None:
        """Take the directory, which the first ``put`` makes; the clock stamps changes of state."""
        self._root = Path(root)
        self._clock = clock

    # -- artefacts ---------------------------------------------------------------------------

    def put(self, card: ModelCard, files: Mapping[str, bytes]) -> ModelCard:
        """Store an artefact as a candidate and return its card with hash and files filled in.

        The model is named ``card.model_id``, or by kind and hash if that is empty. The same
        content twice is one artefact: the first card is returned. Another content under a name
        that is taken raises ``ModelError``, as do pickles and names that are no plain file names.
        """
        _refuse_unsafe(card, files)
        content = content_hash(card, files)
        make_directory(self._root / "models")
        with writer_lock(self._root / "writer.lock"):
            for known in self._cards():
                if known.content_hash == content:
                    return known
            name = card.model_id or f"{card.kind}-{content[:12]}"
            stored = replace(card, model_id=name, content_hash=content, files=tuple(sorted(files)))
            home = self._folder(name)
            if home.exists():
                raise ModelError(
                    Text(ko=f"모델 이름이 이미 쓰였습니다: {name}", en=f"the model name is taken: {name}"),
                    expected="a new name, or the same content",
                    found=content[:16],
                    next_step="leave model_id empty to be named by content",
                )
            write_folder(home, {**files, CARD: encode(stored).encode()})
            return stored

    def get(self, model_id: str) -> tuple[ModelCard, Mapping[str, bytes]]:
        """Return card and files; raises ``ModelError`` if the model is unknown or any byte differs."""
        card = self._card(model_id)
        try:
            with refusals(self._folder(model_id)):
                files = {name: (self._folder(model_id) / name).read_bytes() for name in card.files}
        except DataError as fault:
            raise _broken(model_id, str(fault)) from fault
        if content_hash(card, files) != card.content_hash:
            raise _broken(model_id, "the files do not match the hash of the card")
        return card, files

    def models(self, kind: str | None = None) -> tuple[tuple[ModelCard, ModelState], ...]:
        """Return all cards with their state, by name; of one kind if given."""
        states = self._states()
        cards = [card for card in self._cards() if kind in (None, card.kind)]
        return tuple((card, states.get(card.model_id, ModelState.CANDIDATE)) for card in cards)

    # -- states ------------------------------------------------------------------------------

    def promote(self, model_id: str, state: ModelState, *, why: str) -> None:
        """Move an artefact to a state, for a stated reason; the same state again changes nothing.

        Its files are verified first. A new champion retires the one before in the same entry.
        """
        card, _ = self.get(model_id)
        if not why.strip():
            raise ModelError(
                Text(ko="승격 이유가 필요합니다", en="a change of state needs a reason"),
                expected="why",
                next_step="say what was measured, or who decided",
            )
        make_directory(self._root / "states")
        with writer_lock(self._root / "writer.lock"):
            log = self.history()
            now = self._states().get(model_id, ModelState.CANDIDATE)
            if now is state:
                return
            if state not in _MAY_BECOME[now]:
                raise ModelError(
                    f"model {model_id} is {now.value} and cannot become {state.value}",
                    expected=", ".join(sorted(each.value for each in _MAY_BECOME[now])),
                    found=state.value,
                    next_step="choose one of these states",
                )
            ruling = self.champion(card.kind) if state is ModelState.CHAMPION else None
            body = {
                "seq": len(log) + 1,
                "at": self._clock.now() if self._clock else 0,
                "model_id": model_id,
                "state": state.value,
                "why": why,
                "retires": ruling.model_id if ruling else "",
                "previous": log[-1].seal if log else "",
            }
            path = self._root / "states" / f"{len(log) + 1:08d}.json"
            write_file(path, _sealed(body))

    def champion(self, kind: str) -> ModelCard | None:
        """Return the card in charge of a kind, or none."""
        for card, state in self.models(kind):
            if state is ModelState.CHAMPION:
                return card
        return None

    def history(self) -> tuple[Transition, ...]:
        """Return all changes of state, oldest first; raises ``ModelError`` if the log was tampered with."""
        folder = self._root / "states"
        if not folder.is_dir():
            return ()
        entries: list[Transition] = []
        for path in sorted(folder.glob("*.json")):
            entry = _opened(path)
            expected = entries[-1].seal if entries else ""
            if entry.seq != len(entries) + 1 or entry.previous != expected:
                raise _log_broken(path, "it does not follow the entry before it")
            entries.append(entry)
        return tuple(entries)

    def _states(self) -> dict[str, ModelState]:
        states: dict[str, ModelState] = {}
        for entry in self.history():
            states[entry.model_id] = entry.state
            if entry.retires:
                states[entry.retires] = ModelState.RETIRED
        return states

    # -- files -------------------------------------------------------------------------------

    def _folder(self, model_id: str) -> Path:
        if not _NAME.fullmatch(model_id) or model_id.endswith(DRAFT):
            raise ModelError(
                f"{model_id!r} is no name of a model",
                expected="letters, digits, '.', '_' and '-'",
                found=model_id,
                next_step="use the model_id of the card",
            )
        return self._root / "models" / model_id

    def _cards(self) -> list[ModelCard]:
        folder = self._root / "models"
        if not folder.is_dir():
            return []
        return [self._card(path.name) for path in sorted(folder.iterdir()) if not path.name.endswith(DRAFT)]

    def _card(self, model_id: str) -> ModelCard:
        path = self._folder(model_id) / CARD
        if not path.parent.is_dir():
            raise ModelError(
                Text(ko=f"등록되지 않은 모델입니다: {model_id}", en=f"the registry has no model {model_id}"),
                expected="a registered model",
                found=model_id,
                next_step="list them with `haetae model list`",
            )
        try:
            with refusals(path):
                card = decode(path.read_text(encoding="utf-8"))
        except (DataError, UnicodeDecodeError) as fault:
            raise _broken(model_id, str(fault)) from fault
        if not isinstance(card, ModelCard) or card.model_id != model_id:
            raise _broken(model_id, "its card is not the card of this model")
        return card


def content_hash(card: ModelCard, files: Mapping[str, bytes]) -> str:
    """Return the hash of what makes a model itself: files, kind, features, training range and seed.

    Metrics are left out: measuring a model again does not make it another one.
    """
    body = {
        "kind": card.kind,
        "features": card.feature_hash,
        "from": card.train_from.isoformat(),
        "to": card.train_to.isoformat(),
        "seed": card.seed,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _refuse_unsafe(card: ModelCard, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        pickled = name.lower().endswith(_PICKLES) or (content[:1] == b"\x80" and content[1:2] in b"\x02\x03\x04\x05")
        if pickled or not _NAME.fullmatch(name) or name == CARD or name.endswith(DRAFT):
            raise ModelError(
                Text(ko=f"저장할 수 없는 파일입니다: {name}", en=f"this file may not be stored: {name}"),
                expected="plain file names; data formats, never pickles",
                found=name,
                next_step="save as npz, JSON or the library's own text format",
            )
    if not files:
        raise ModelError(f"model of kind {card.kind} has no files", expected="at least one file", found="none")


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
        return Transition(**{**body, "state": ModelState(body["state"])}, seal=seal)
    except (DataError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise _log_broken(path, str(fault)) from fault


def _log_broken(path: Path, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"모델 상태 기록이 손상되었습니다: {path}", en=f"the log of model states is damaged: {path}"),
        expected="sealed entries, each naming the one before",
        found=why,
        next_step="restore the states folder from a backup",
    )


def _broken(model_id: str, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"모델이 손상되었습니다: {model_id}", en=f"the model is damaged: {model_id}"),
        expected="files that match the hash of the card",
        found=why,
        next_step="restore the artefact from a backup, or train it again",
    )
