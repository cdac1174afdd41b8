"""What speaks for a model today: its card, the book of trials and the shadow record, weighed by the rules of ``ml``.

Here: gathering the figures, the record that a promotion is sealed with, and the proof that real money asks for.
Not here: the rules (``ml.promotion``), the second confirmation (``models``), recording (``shadowing``).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np

from haetae.backtest.sharpe import expected_best
from haetae.domain.errors import ConfigError, HaetaeError, Text
from haetae.domain.learning import ModelCard, ModelState, Trial
from haetae.domain.promotion import Demand
from haetae.domain.units import Instant
from haetae.ml.promotion import Case
from haetae.ml.settings import PromotionSettings
from haetae.registry.registry import Registry
from haetae.registry.shadow import ShadowBook
from haetae.registry.trials import TrialBook

TRIALS = Path("data/trials.jsonl")
"""The book that every backtest, search and study of this machine writes to."""
_FORMAT = "haetae.promotion/1"
_LAST_DAY = 99_999_999


def case_of(registry: Registry, root: Path, model_id: str, trials: Path) -> Case:
    """Return all that is known of a model; every byte of it is verified first."""
    card, _ = registry.get(model_id)
    book = ShadowBook(root)
    said = book.scores(model_id)
    ruling = registry.champion(card.kind)
    rival = ruling.model_id if ruling is not None and ruling.model_id != model_id else ""
    tried = tried_beside(card, trials)
    count = max(len(tried), int(card.metrics.get("trials", 0)))
    return Case(
        kind=card.kind,
        metrics=card.metrics,
        provenance=card.provenance,
        trials=count,
        deflated=deflated(card, count, tried),
        horizon=said[-1].horizon if said else 0,
        shadow=book.counted(model_id, _entered_shadow(registry, model_id)),
        champion=rival,
        champion_shadow=book.counted(rival, 0) if rival else (),
    )


def tried_beside(card: ModelCard, trials: Path) -> tuple[Trial, ...]:
    """Return the trials of the model's family on days that overlap its test window.

    Without a family every trial of those days counts: an unknown search is not a small one.
    """
    book = TrialBook(trials)
    first = int(card.provenance.get("test_from", "0").replace("-", ""))
    last = int(card.provenance.get("test_to", str(_LAST_DAY)).replace("-", ""))
    family = card.provenance.get("family")
    families = [family] if family else sorted({trial.family for trial in book.trials()})
    return tuple(trial for each in families for trial in book.of(each, first, last))


def deflated(card: ModelCard, count: int, tried: tuple[Trial, ...]) -> float:
    """Return the deflated Sharpe ratio of a card with so many trials; NaN where its figures are missing."""
    names = ("sharpe", "sharpe_spread", "sharpe_sessions")
    ratio, error, sessions = (float(card.metrics.get(name, math.nan)) for name in names)
    if not (math.isfinite(ratio) and error > 0 and sessions > 1) or count < 1:
        return math.nan
    known = np.array([trial.sharpe for trial in tried if math.isfinite(trial.sharpe)])
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    # Where nobody wrote the ratios down, pure chance over so many sessions is taken: unknown is not none.
    spread = max(spread, float(card.metrics.get("trials_spread", 0.0))) or 1.0 / math.sqrt(sessions - 1)
    return NormalDist().cdf((ratio - expected_best(count, spread)) * math.sqrt(sessions - 1) / error)


def record(
    card: ModelCard, now: ModelState, to: ModelState, case: Case, found: tuple[Demand, ...], settings: PromotionSettings
) -> bytes:
    """Return the record that a change of state is sealed with: what was asked, what was found, by which thresholds."""
    body: dict[str, Any] = {
        "format": _FORMAT,
        "model_id": card.model_id,
        "content_hash": card.content_hash,
        "from": now.value,
        "to": to.value,
        "demands": [
            {"key": one.key, "threshold": one.threshold, "found": one.found.en, "met": one.met} for one in found
        ],
        "thresholds": asdict(settings),
        "metrics": dict(card.metrics),
        "provenance": dict(card.provenance),
        "trials": case.trials,
        "champion": case.champion,
        "shadow": [{"day": one.day.isoformat(), "value": one.value} for one in case.shadow],
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, indent=1).encode()


def require_proven(registry: Registry, kinds: tuple[str, ...]) -> None:
    """Raise ``ConfigError`` unless every model in charge took charge by evidence: what real money asks for."""
    faults = [fault for kind in kinds if (fault := _unproven(registry, kind))]
    if faults:
        raise ConfigError(
            Text(
                ko="실거래를 맡을 자격을 증명하지 않은 모델이 있습니다",
                en="a model in charge has not proven that it may decide over real money",
            ),
            expected=Text(
                ko="모든 요구를 통과해 champion이 된 모델 (`--without-evidence` 없이)",
                en="models that took charge by meeting every demand, none `--without-evidence`",
            ),
            found="; ".join(faults),
            next_step=Text(
                ko="`haetae model show 이름` 으로 빠진 근거를 보세요", en="see what is missing with `haetae model show`"
            ),
        )


def _unproven(registry: Registry, kind: str) -> str:
    ruling = registry.champion(kind)
    if ruling is None:
        return f"{kind}: none in charge"
    try:
        registry.get(ruling.model_id)
        proof = registry.proof(ruling.model_id)
        told: Mapping[str, Any] = json.loads(proof) if proof else {}
    except (HaetaeError, ValueError) as fault:
        return f"{kind}: {ruling.model_id}: {fault}"
    if not told:
        return f"{kind}: {ruling.model_id} took charge without evidence"
    if told.get("content_hash") != ruling.content_hash or told.get("to") != ModelState.CHAMPION.value:
        return f"{kind}: the evidence of {ruling.model_id} is of another model or step"
    unmet = [str(one["key"]) for one in told.get("demands", []) if not one["met"]]
    return f"{kind}: {ruling.model_id}: {', '.join(unmet)}" if unmet or not told.get("demands") else ""


def _entered_shadow(registry: Registry, model_id: str) -> Instant:
    """Return when a model last entered shadow; what it said before was asked of it for another purpose."""
    entered = [
        change.at for change in registry.history() if change.model_id == model_id and change.state is ModelState.SHADOW
    ]
    return entered[-1] if entered else 0
