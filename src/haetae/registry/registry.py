"""Models as folders named by what they contain, and which of them is in charge.

``<root>/models/<model_id>/`` holds ``card.json`` and the artefact's files; it never changes. The card is sealed with
its own hash and names the hash of the files, so that a flipped byte anywhere, a missing file and a file too many are
all found. Life of a model and its log: ``states``. What may be stored: ``admission``.
Not here: what a model computes (``ml``, ``policies``), whether it deserves it (``ml.promotion``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from haetae.domain.codec import decode, encode
from haetae.domain.errors import DataError, ModelError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.promotion import Ground
from haetae.ports import Clock, Passing, pass_by
from haetae.registry.admission import NAME, refuse_unsafe
from haetae.registry.durable import DRAFT, make_directory, refusals, sync, write_folder, writer_lock
from haetae.registry.states import StateLog, Transition, refuse_forbidden, standing, taking_charge

CARD = "card.json"


class Registry:
    """Artefacts under one directory; fulfils ``ports.Registry``."""

    def __init__(self, root: Path | str, clock: Clock | None = None, *, passing: Passing = pass_by) -> None:
        """Take the directory, which the first ``put`` makes; the clock stamps changes of state."""
        self._root = Path(root)
        self._clock = clock
        self._passing = passing
        self._log = StateLog(self._root, passing)

    # -- artefacts ---------------------------------------------------------------------------

    def put(self, card: ModelCard, files: Mapping[str, bytes]) -> ModelCard:
        """Store an artefact as a candidate and return its card with hash and files filled in.

        The model is named ``card.model_id``, or by kind and hash if that is empty. The same
        content twice is one artefact: the first card is returned. Another content under a name
        that is taken raises ``ModelError``, as do pickles and names that are no plain file names.
        """
        refuse_unsafe(card.kind, files, reserved=(CARD, DRAFT))
        content = content_hash(card, files)
        make_directory(self._root / "models", self._passing)
        with writer_lock(self._root / "writer.lock"):
            for known in self._cards():
                if known.content_hash == content:
                    sync(self._root / "models")  # who stored it may have died before its name was on the disk
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
            write_folder(home, {**files, CARD: _sealed(stored)}, self._passing)
            return stored

    def get(self, model_id: str) -> tuple[ModelCard, Mapping[str, bytes]]:
        """Return card and files; raises ``ModelError`` if the model is unknown or anything differs from its hash."""
        card = self._card(model_id)
        home = self._folder(model_id)
        found = {path.name for path in home.iterdir()} - {CARD}
        if found != set(card.files):
            missing, more = sorted(set(card.files) - found), sorted(found - set(card.files))
            raise _broken(model_id, f"missing {', '.join(missing) or '-'}, not of the model {', '.join(more) or '-'}")
        try:
            with refusals(home):
                files = {name: (home / name).read_bytes() for name in card.files}
        except DataError as fault:
            raise _broken(model_id, str(fault)) from fault
        if content_hash(card, files) != card.content_hash:
            raise _broken(model_id, "the files do not match the hash of the card")
        return card, files

    def models(self, kind: str | None = None) -> tuple[tuple[ModelCard, ModelState], ...]:
        """Return all cards with their state, by name; of one kind if given."""
        states = standing(self.history())
        cards = [card for card in self._cards() if kind in (None, card.kind)]
        return tuple((card, states.get(card.model_id, ModelState.CANDIDATE)) for card in cards)

    # -- states ------------------------------------------------------------------------------

    def promote(self, model_id: str, state: ModelState, *, why: str, ground: Ground, evidence: bytes = b"") -> None:
        """Move an artefact to a state, for a stated reason; the same state again changes nothing.

        Its files are verified first. A new champion retires the one before in the same entry.

        Parameters
        ----------
        ground : Ground
            ``EVIDENCE`` needs the record of it, the others must bring none; ``RECALL`` is for the champion before
            the present one alone (``recalled``).

        Raises
        ------
        ModelError
            Where the law of ``states`` forbids the change, or any byte of the model differs.
        """
        card, _ = self.get(model_id)
        if not why.strip():
            raise ModelError(
                Text(ko="승격 이유가 필요합니다", en="a change of state needs a reason"),
                expected="why",
                next_step="say what was measured, or who decided",
            )
        if (ground is Ground.EVIDENCE) is not bool(evidence):
            raise ModelError(
                Text(ko="근거와 기록이 맞지 않습니다", en="the ground and its record do not fit"),
                expected="a record with the ground 'evidence', none with any other",
                found=f"{ground.value}, {len(evidence)} bytes",
            )
        with writer_lock(self._root / "writer.lock"):
            now = standing(self.history()).get(model_id, ModelState.CANDIDATE)
            if now is state:
                self._log.settle()
                return
            refuse_forbidden(model_id, now, state, ground)
            if ground is Ground.RECALL and self.recalled(card.kind) != model_id:
                raise _not_before(card.kind, model_id)
            ruling = self.champion(card.kind) if state is ModelState.CHAMPION else None
            body = {
                "at": self._clock.now() if self._clock else 0,
                "model_id": model_id,
                "state": state.value,
                "why": why,
                "retires": ruling.model_id if ruling else "",
                "ground": ground.value,
            }
            self._log.append(body, evidence)

    def champion(self, kind: str) -> ModelCard | None:
        """Return the card in charge of a kind, or none."""
        for card, state in self.models(kind):
            if state is ModelState.CHAMPION:
                return card
        return None

    def recalled(self, kind: str) -> str | None:
        """Return the model that was in charge of a kind before the present one, None if there was none."""
        ruling = self.champion(kind)
        if ruling is None:
            return None
        for change in reversed(self.history()):
            if change.model_id == ruling.model_id and change.state is ModelState.CHAMPION:
                return change.retires or None
        return None

    def proof(self, model_id: str) -> bytes | None:
        """Return the evidence by which a model took charge, None where it was a person's word or never happened.

        A recall rests on what the model once took charge by. Raises ``ModelError`` if the record was changed.
        """
        taken = taking_charge(self.history(), model_id)
        return self._log.evidence(taken) if taken is not None and taken.ground is Ground.EVIDENCE else None

    def history(self) -> tuple[Transition, ...]:
        """Return all changes of state, oldest first; raises ``ModelError`` if the log was tampered with."""
        return self._log.entries()

    # -- files -------------------------------------------------------------------------------

    def _folder(self, model_id: str) -> Path:
        if not NAME.fullmatch(model_id) or model_id.endswith(DRAFT):
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
                record = json.loads(path.read_bytes())
            text = record["card"]
            if record["seal"] != hashlib.sha256(text.encode()).hexdigest():
                raise ValueError("its card does not match its seal")
            card = decode(text)
        except KeyError as fault:
            raise _broken(model_id, "its card bears no seal: it was stored by an older version") from fault
        except (DataError, ValueError, TypeError, AttributeError) as fault:
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


def _sealed(card: ModelCard) -> bytes:
    text = encode(card)
    return json.dumps({"card": text, "seal": hashlib.sha256(text.encode()).hexdigest()}, ensure_ascii=False).encode()


def _not_before(kind: str, model_id: str) -> ModelError:
    return ModelError(
        Text(
            ko=f"{model_id}은(는) 바로 앞의 모델이 아닙니다", en=f"{model_id} is not the model before the present one"
        ),
        expected=Text(ko=f"{kind}을(를) 바로 앞에 맡았던 모델", en=f"the champion before the present one of {kind}"),
        found=model_id,
        next_step=Text(ko="shadow 부터 다시 시작하세요", en="begin again from shadow"),
    )


def _broken(model_id: str, why: str) -> ModelError:
    return ModelError(
        Text(ko=f"모델이 손상되었습니다: {model_id}", en=f"the model is damaged: {model_id}"),
        expected="a sealed card, and files that match its hash",
        found=why,
        next_step="restore the artefact from a backup, or train it again",
    )
