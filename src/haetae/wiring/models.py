"""Models as faces handle them: which there are, what speaks for one, and who takes charge.

A change of state takes two steps. ``weigh`` shows the evidence and a code made of exactly that
evidence; ``promote`` and ``rollback`` ask for the code back. Where anything changed in between
(another champion, another log, one more trial or shadow day), the code no longer fits and the evidence must be read
again. A demand that is not met stops the change; a person may let a model decide over play money all the same, in
words that stay in the log, and real money refuses such a model (``evidence``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haetae.domain.errors import ModelError, Text
from haetae.domain.learning import ModelCard, ModelState
from haetae.domain.promotion import Demand, Ground
from haetae.ml.promotion import demands, failed
from haetae.ml.settings import PromotionSettings
from haetae.registry.registry import Registry
from haetae.registry.states import Transition
from haetae.wiring.clocks import SystemClock
from haetae.wiring.evidence import TRIALS, case_of, record

CODE_LETTERS = 8
_NEXT = {
    ModelState.CANDIDATE: ModelState.SHADOW,
    ModelState.SHADOW: ModelState.CHAMPION,
    ModelState.CHAMPION: ModelState.RETIRED,
    ModelState.RETIRED: ModelState.SHADOW,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of the registry, its state, and how it stands for its next step.

    ``ground`` is what its present state rests on, None for a candidate; ``met`` of ``asked`` demands are met.
    """

    card: ModelCard
    state: ModelState
    ground: Ground | None
    to: ModelState
    met: int
    asked: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a change: every demand, and the model's figures beside those of the one it would replace.

    ``code`` must be given back to confirm; ``changes`` is the number of changes of state so far. ``recall`` tells
    that this is the champion before the present one, which is called back without being asked again.
    """

    model_id: str
    kind: str
    now: ModelState
    to: ModelState
    demands: tuple[Demand, ...]
    recall: bool
    metrics: Mapping[str, float]
    provenance: Mapping[str, str]
    champion: str
    champion_metrics: Mapping[str, float]
    trained: str
    content_hash: str
    changes: int
    code: str
    sealed: bytes

    @property
    def unmet(self) -> tuple[Demand, ...]:
        """Return the demands that stop the change."""
        return () if self.recall else failed(self.demands)


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


def listing(
    folder: Path, kind: str | None = None, *, trials: Path = TRIALS, settings: PromotionSettings | None = None
) -> tuple[Listed, ...]:
    """Return every model with its state and standing; of one kind if given."""
    registry = open_registry(folder)
    grounds = {change.model_id: change.ground for change in registry.history()}
    found = []
    for card, state in registry.models(kind):
        to = _NEXT[state]
        asked = demands(case_of(registry, folder, card.model_id, trials), to, settings or PromotionSettings())
        ground = grounds.get(card.model_id)
        found.append(Listed(card, state, ground, to, len(asked) - len(failed(asked)), len(asked)))
    return tuple(found)


def history(folder: Path, model_id: str | None = None) -> tuple[Transition, ...]:
    """Return the changes of state, oldest first; those that touch one model if given."""
    log = open_registry(folder).history()
    return tuple(each for each in log if model_id in (None, each.model_id, each.retires))


def weigh(
    folder: Path,
    model_id: str,
    to: ModelState | None = None,
    *,
    trials: Path = TRIALS,
    settings: PromotionSettings | None = None,
) -> Evidence:
    """Return what speaks for moving a model, to its next state if none is given; every byte is verified first."""
    settings = settings or PromotionSettings()
    registry = open_registry(folder)
    card, _ = registry.get(model_id)
    now = next(state for known, state in registry.models(card.kind) if known.model_id == model_id)
    if to is None and now is ModelState.CHAMPION:
        raise _in_charge(model_id)
    to = to or _NEXT[now]
    ruling = registry.champion(card.kind)
    log = registry.history()
    case = case_of(registry, folder, model_id, trials)
    found = demands(case, to, settings)
    sealed = record(card, now, to, case, found, settings)
    text = "|".join((ruling.model_id if ruling else "", log[-1].seal if log else "", sealed.decode()))
    return Evidence(
        model_id=model_id,
        kind=card.kind,
        now=now,
        to=to,
        demands=found,
        recall=to is ModelState.CHAMPION and registry.recalled(card.kind) == model_id,
        metrics=dict(card.metrics),
        provenance=dict(card.provenance),
        champion=ruling.model_id if ruling else "",
        champion_metrics=dict(ruling.metrics) if ruling else {},
        trained=f"{card.train_from} ~ {card.train_to}",
        content_hash=card.content_hash,
        changes=len(log),
        code=hashlib.sha256(text.encode()).hexdigest()[:CODE_LETTERS],
        sealed=sealed,
    )


def promote(
    folder: Path,
    model_id: str,
    to: ModelState | None = None,
    *,
    why: str,
    code: str,
    without_evidence: str = "",
    trials: Path = TRIALS,
    settings: PromotionSettings | None = None,
) -> Evidence:
    """Move a model after the second confirmation; returns the evidence it rested on.

    Parameters
    ----------
    without_evidence : str
        Why a model may go on although demands are not met: for play money alone, and kept in the log with them.

    Raises
    ------
    ModelError
        Where a demand is not met and no such reason is given, or the code is not that of the evidence as it is now.
    """
    evidence = weigh(folder, model_id, to, trials=trials, settings=settings)
    if evidence.unmet and not without_evidence.strip():
        raise _refused(evidence)
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
    ground, sealed = _ground(evidence)
    if ground is Ground.DECISION and evidence.unmet:
        why = f"{why} (without evidence: {without_evidence}; unmet: {', '.join(one.key for one in evidence.unmet)})"
    open_registry(folder).promote(model_id, evidence.to, why=why, ground=ground, evidence=sealed)
    return evidence


def _ground(evidence: Evidence) -> tuple[Ground, bytes]:
    if evidence.recall:
        return Ground.RECALL, b""
    if evidence.to is ModelState.RETIRED or evidence.unmet:
        return Ground.DECISION, b""
    return Ground.EVIDENCE, evidence.sealed


def _refused(evidence: Evidence) -> ModelError:
    names = ", ".join(one.key for one in evidence.unmet)
    return ModelError(
        Text(
            ko=f"{evidence.model_id}: 통과하지 못한 요구가 {len(evidence.unmet)}가지 있습니다",
            en=f"{evidence.model_id}: {len(evidence.unmet)} demands are not met",
        ),
        expected="; ".join(f"{one.key} {one.threshold}" for one in evidence.unmet),
        found="; ".join(f"{one.key} {one.found.en}" for one in evidence.unmet),
        next_step=Text(
            ko=f"근거를 채우세요 ({names}). 모의 거래에서만 쓰려면 --without-evidence 이유",
            en=f"supply the evidence ({names}); for play money alone: --without-evidence WHY",
        ),
    )


def _in_charge(model_id: str) -> ModelError:
    return ModelError(
        Text(ko=f"{model_id}은(는) 이미 맡고 있습니다", en=f"{model_id} is in charge already"),
        expected="candidate, shadow, retired",
        found=ModelState.CHAMPION.value,
        next_step=Text(ko="물러나게 하려면 --to retired", en="--to retired lets it go"),
    )


def before(folder: Path, kind: str) -> str:
    """Return the model that was in charge of a kind before the present one; raises ``ModelError`` if none."""
    registry = open_registry(folder)
    found = registry.recalled(kind)
    if found is not None:
        return found
    ruling = registry.champion(kind)
    raise ModelError(
        Text(ko=f"되돌릴 모델이 없습니다: {kind}", en=f"there is no model to go back to: {kind}"),
        expected=Text(ko="지금 모델 앞에 맡았던 모델", en="a model that was in charge before the present one"),
        found=ruling.model_id if ruling else Text(ko="맡은 모델 없음", en="no champion").en,
        next_step=Text(ko="`haetae model list` 로 확인하세요", en="look with `haetae model list`"),
    )
