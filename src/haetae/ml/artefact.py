"""A ranker as files with a card: what it is, what it was shown, which features it expects.

``model.txt|json|cbm`` is the library's own form, ``manifest.json`` says the rest, the model's hash
too. Loading checks that hash and the hash of the feature set and refuses on any difference;
nothing is unpickled. A registry may name and hash the card its own way; the manifest stays.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum

from haetae.domain.errors import ModelError, Text
from haetae.domain.learning import ModelCard
from haetae.ml import rankers
from haetae.ml.rankers import Ranker
from haetae.ml.settings import RankerKind, RankerSettings

MANIFEST_FILE = "manifest.json"
_MODEL_FILES = {
    RankerKind.LIGHTGBM: "model.txt",
    RankerKind.XGBOOST: "model.json",
    RankerKind.CATBOOST: "model.cbm",
}
_FORMAT = "haetae.ranker/1"


def content_hash(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over names and contents of files, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode())
        digest.update(files[name])
    return digest.hexdigest()


def pack(
    ranker: Ranker,
    settings: RankerSettings,
    feature_names: Sequence[str],
    feature_hash: str,
    *,
    train_from: dt.date,
    train_to: dt.date,
    horizon: int,
    metrics: Mapping[str, float],
) -> tuple[ModelCard, dict[str, bytes]]:
    """Return the card and the files of a fitted ranker, ready for a registry.

    ``metrics`` are out-of-sample figures by name, finite numbers only.
    """
    blob = ranker.dumps()
    manifest = {
        "format": _FORMAT,
        "kind": ranker.kind.value,
        "feature_names": list(feature_names),
        "feature_hash": feature_hash,
        "inputs": "rank within the day, -0.5..0.5",
        "horizon": horizon,
        "train_from": train_from.isoformat(),
        "train_to": train_to.isoformat(),
        "settings": {
            name: value.value if isinstance(value, Enum) else value for name, value in asdict(settings).items()
        },
        "metrics": dict(metrics),
        "sha256": hashlib.sha256(blob).hexdigest(),
    }
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    files = {_MODEL_FILES[ranker.kind]: blob, MANIFEST_FILE: text.encode()}
    return card_of(files), files


def card_of(files: Mapping[str, bytes]) -> ModelCard:
    """Return the card that the files of ``pack`` deserve, from their manifest and content."""
    manifest = json.loads(files[MANIFEST_FILE])
    content = content_hash(files)
    return ModelCard(
        model_id=f"{manifest['kind']}-{content[:12]}",
        kind="ranker",
        feature_hash=manifest["feature_hash"],
        train_from=dt.date.fromisoformat(manifest["train_from"]),
        train_to=dt.date.fromisoformat(manifest["train_to"]),
        metrics=manifest["metrics"],
        seed=manifest["settings"]["seed"],
        content_hash=content,
        files=tuple(sorted(files)),
    )


def unpack(card: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> Ranker:
    """Return the ranker of a card.

    Parameters
    ----------
    feature_hash : str
        Hash of the features the caller will feed.

    Raises
    ------
    ModelError
        If the files are not those of the card, or the features not those of the training.
    """
    manifest = json.loads(files[MANIFEST_FILE])
    blob = files[_MODEL_FILES[RankerKind(manifest["kind"])]]
    found = hashlib.sha256(blob).hexdigest()
    if manifest["format"] != _FORMAT or found != manifest["sha256"]:
        raise ModelError(
            Text(
                ko=f"모델 {card.model_id}의 파일이 명세와 다릅니다",
                en=f"files of {card.model_id} differ from their manifest",
            ),
            expected=f"{_FORMAT} {manifest['sha256']}",
            found=f"{manifest['format']} {found}",
            next_step="fetch the artefact again or train a new one",
        )
    for expected in (card.feature_hash, manifest["feature_hash"]):
        if expected != feature_hash:
            raise ModelError(
                Text(
                    ko=f"모델 {card.model_id}은 다른 특징으로 학습되었습니다",
                    en=f"{card.model_id} was trained on another feature set",
                ),
                expected=f"features {expected}",
                found=f"features {feature_hash}",
                next_step="train the model on the features of this version",
            )
    return rankers.loads(RankerKind(manifest["kind"]), blob)
