"""Several rankers as one artefact: they score together, are judged together and take charge together.

A score of a committee is the mean of its members' ranks within the day, so no member's scale matters. Its files are
those of its members, each under a number (``m00.model.txt``), and one ``manifest.json`` that names every one of them
by hash. Whoever stands alone is a committee of one without that wrapping: ``members_of`` reads both forms.
Not here: one ranker as files (``artefact``), where artefacts are kept (``registry``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.domain.learning import ModelCard
from haetae.domain.market import BoolArray
from haetae.ml import artefact
from haetae.ml.artefact import Scorer
from haetae.ml.samples import ranks

FORMAT = "haetae.committee/1"
KIND = "ranker"
FloatArray = NDArray[np.float32]
Packed = tuple[ModelCard, Mapping[str, bytes]]


def pack(
    members: Sequence[Packed], *, metrics: Mapping[str, float], provenance: Mapping[str, str] | None = None
) -> tuple[ModelCard, dict[str, bytes]]:
    """Return the card and the files of a committee.

    Parameters
    ----------
    members : sequence of (ModelCard, files)
        As ``artefact.pack`` gives them, at least one, all trained for one horizon on one feature set.
    metrics : mapping
        Out-of-sample figures of the committee's own scores, finite numbers.

    Raises
    ------
    ModelError
        Where the members do not look ahead equally far or saw other features.
    """
    cards = [card for card, _ in members]
    horizons = [int(json.loads(files[artefact.MANIFEST_FILE])["horizon"]) for _, files in members]
    _agree("feature_hash", [card.feature_hash for card in cards])
    _agree("horizon", horizons)
    content = {f"m{place:02d}.{name}": blob for place, (_, files) in enumerate(members) for name, blob in files.items()}
    manifest = {
        "format": FORMAT,
        "combined": "mean of the ranks within the day",
        "horizon": horizons[0],
        "feature_hash": cards[0].feature_hash,
        "members": [
            {"model_id": card.model_id, "files": {name: _hash(blob) for name, blob in sorted(files.items())}}
            for card, files in members
        ],
        "train_from": min(card.train_from for card in cards).isoformat(),
        "train_to": max(card.train_to for card in cards).isoformat(),
        "metrics": dict(metrics),
        "provenance": dict(provenance or {}),
    }
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    content[artefact.MANIFEST_FILE] = text.encode()
    digest = artefact.content_hash(content)
    card = ModelCard(
        model_id=f"committee-{digest[:12]}",
        kind=KIND,
        feature_hash=cards[0].feature_hash,
        train_from=min(card.train_from for card in cards),
        train_to=max(card.train_to for card in cards),
        metrics=dict(metrics),
        seed=cards[0].seed,
        content_hash=digest,
        files=tuple(sorted(content)),
        provenance=dict(provenance or {}),
    )
    return card, content


def members_of(card: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> tuple[Scorer, ...]:
    """Return the rankers of a committee with their transforms, or of a single ranker the one.

    Parameters
    ----------
    feature_hash : str
        Hash of the features the caller will feed.

    Raises
    ------
    ModelError
        If a file is missing, too many or not that of the manifest, or the features are not those of the training.
    """
    manifest = _manifest(card, files)
    if manifest.get("format") != FORMAT:
        return (_scorer(card, card, files, feature_hash),)
    if not card.feature_hash == manifest.get("feature_hash") == feature_hash:
        raise _unfit(card, f"features {card.feature_hash}", f"features {feature_hash}")
    wanted = {
        f"m{place:02d}.{name}": digest
        for place, member in enumerate(manifest["members"])
        for name, digest in member["files"].items()
    }
    found = {name: _hash(blob) for name, blob in files.items() if name != artefact.MANIFEST_FILE}
    if wanted != found or not wanted:
        differing = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
        raise _unfit(card, "the files its manifest names by hash", ", ".join(differing) or "no members")
    return tuple(_member(card, place, member, files, feature_hash) for place, member in enumerate(manifest["members"]))


def horizon_of(card: ModelCard, files: Mapping[str, bytes]) -> int:
    """Return how many sessions the scores of an artefact look ahead."""
    horizon = _manifest(card, files).get("horizon")
    if not isinstance(horizon, int) or horizon < 1:
        raise _unfit(card, "a horizon of at least one session", str(horizon))
    return horizon


def scores(members: Sequence[Scorer], features: FloatArray, eligible: BoolArray) -> FloatArray:
    """Return the committee's scores of one day, ``(n_symbols,)``; NaN where any member has none.

    Parameters
    ----------
    features : (n_symbols, n_features) float32
        Raw values of the day; each member prepares them its own way.
    eligible : (n_symbols,) bool
    """
    ranked = [ranks(member.score(features, eligible)) for member in members]
    return np.mean(ranked, axis=0, dtype=np.float32)


def _member(
    card: ModelCard, place: int, member: Mapping[str, Any], files: Mapping[str, bytes], feature_hash: str
) -> Scorer:
    own = {name: files[f"m{place:02d}.{name}"] for name in member["files"]}
    try:
        inner = artefact.card_of(own)
    except (KeyError, ValueError, TypeError) as fault:
        raise _unfit(card, f"a manifest of member {place}", f"{type(fault).__name__}: {fault}") from fault
    return _scorer(card, inner, own, feature_hash)


def _scorer(card: ModelCard, inner: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> Scorer:
    try:
        return artefact.scorer_of(inner, files, feature_hash)
    except (KeyError, ValueError, TypeError) as fault:
        raise _unfit(card, "the files of a ranker", f"{type(fault).__name__}: {fault}") from fault


def _manifest(card: ModelCard, files: Mapping[str, bytes]) -> dict[str, Any]:
    try:
        found = json.loads(files[artefact.MANIFEST_FILE])
    except (KeyError, ValueError) as fault:
        raise _unfit(card, artefact.MANIFEST_FILE, f"{type(fault).__name__}: {fault}") from fault
    if not isinstance(found, dict):
        raise _unfit(card, "a manifest of fields", type(found).__name__)
    return found


def _agree(what: str, values: Sequence[object]) -> None:
    if len(set(values)) != 1:
        raise ModelError(
            Text(ko="함께 점수를 낼 수 없는 모델들입니다", en="these models cannot score together"),
            expected=f"one {what}",
            found=", ".join(str(value) for value in values) or "no members",
            next_step=Text(ko="같은 설정으로 학습한 모델을 묶으세요", en="join models trained on the same settings"),
        )


def _unfit(card: ModelCard, expected: str, found: str) -> ModelError:
    return ModelError(
        Text(ko=f"모델 {card.model_id}을(를) 쓸 수 없습니다", en=f"model {card.model_id} cannot be used"),
        expected=expected,
        found=found,
        next_step=Text(ko="다시 학습하세요", en="train it again with this version of the program"),
    )


def _hash(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
