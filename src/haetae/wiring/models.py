"""Models as faces handle them: which there are, what speaks for one, and who takes charge.

A change of state takes two steps. ``weigh`` shows the evidence and a code made of exactly that
evidence; ``promote`` and ``rollback`` ask for the code back. Where anything changed in between
(another champion, another log), the code no longer fits and the evidence must be read again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haetae.domain.errors import ModelError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.registry.registry import Registry, Transition
from haetae.wiring.clocks import SystemClock

CODE_LETTERS = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the registry and its state."""

    card: ModelCard
    state: ModelState


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a change: the model's figures beside those of the model it would replace.

    ``code`` must be given back to confirm; ``changes`` is the number of changes of state so far.
    """

    model_id: str
    kind: str
    now: ModelState
    to: ModelState
    metrics: Mapping[str, float]
    champion: str
    champion_metrics: Mapping[str, float]
    trained: str
    content_hash: str
    changes: int
    code: str


def open_registry(folder: Path) -> Registry:
    """Return the registry in a folder, its changes stamped by the wall clock; refuses an absent one."""
    if not (folder / "models").is_dir():
        raise ModelError(
            Text(ko="모델이 없는 폴더입니다", en="there are no models in this folder"),
            expected=Text(ko="models/ 가 든 등록소 폴더", en="a registry folder with models/ in it"),
            found=str(folder),
            next_step=Text(
                ko="--models 로 폴더를 주거나 먼저 `haetae demo`", en="give --models, or first `haetae demo`"
            ),
        )
    return Registry(folder, SystemClock())


def listing(folder: Path, kind: str | None = None) -> tuple[Listed, ...]:
    """Return every model with its state; of one kind if given."""
    return tuple(Listed(card, state) for card, state in open_registry(folder).models(kind))


def history(folder: Path, model_id: str | None = None) -> tuple[Transition, ...]:
    """Return the changes of state, oldest first; those that touch one model if given."""
    log = open_registry(folder).history()
    return tuple(each for each in log if model_id in (None, each.model_id, each.retires))


def weigh(folder: Path, model_id: str, to: ModelState) -> Evidence:
    """Return what speaks for moving a model, every byte of which is verified first."""
    registry = open_registry(folder)
    card, _ = registry.get(model_id)
    now = next(state for known, state in registry.models(card.kind) if known.model_id == model_id)
    ruling = registry.champion(card.kind)
    log = registry.history()
    head = log[-1].seal if log else ""
    text = "|".join((model_id, card.content_hash, now.value, to.value, ruling.model_id if ruling else "", head))
    return Evidence(
        model_id=model_id,
        kind=card.kind,
        now=now,
        to=to,
        metrics=dict(card.metrics),
        champion=ruling.model_id if ruling else "",
        champion_metrics=dict(ruling.metrics) if ruling else {},
        trained=f"{card.train_from} ~ {card.train_to}",
        content_hash=card.content_hash,
        changes=len(log),
        code=hashlib.sha256(text.encode()).hexdigest()[:CODE_LETTERS],
    )


def promote(folder: Path, model_id: str, to: ModelState, *, why: str, code: str) -> Evidence:
    """Move a model after the second confirmation; returns the evidence it rested on.

    Raises ``ModelError`` where the code is not that of the evidence as it is now.
    """
    evidence = weigh(folder, model_id, to)
    if code != evidence.code:
        raise ModelError(
            Text(ko="확인 코드가 근거와 맞지 않습니다", en="the confirmation code does not fit the evidence"),
            expected=Text(ko="방금 본 근거의 코드 8자", en="the eight letters shown with the evidence"),
            found=code or "-",
            next_step=Text(
                ko="확인 코드 없이 다시 실행해 근거를 읽고, 그 코드를 --confirm 에 주세요",
                en="run again without a code, read the evidence, give its code to --confirm",
            ),
        )
    open_registry(folder).promote(model_id, to, why=why)
    return evidence


def before(folder: Path, kind: str) -> str:
    """Return the model that was in charge of a kind before the present one; raises ``ModelError`` if none."""
    registry = open_registry(folder)
    ruling = registry.champion(kind)
    if ruling is not None:
        for change in reversed(registry.history()):
            if change.model_id == ruling.model_id and change.state is ModelState.CHAMPION:
                if change.retires:
                    return change.retires
                break
    raise ModelError(
        Text(ko=f"되돌릴 모델이 없습니다: {kind}", en=f"there is no model to go back to: {kind}"),
        expected=Text(ko="지금 모델 앞에 맡았던 모델", en="a model that was in charge before the present one"),
        found=ruling.model_id if ruling else Text(ko="맡은 모델 없음", en="no champion").en,
        next_step=Text(ko="`haetae model list` 로 확인하세요", en="look with `haetae model list`"),
    )
