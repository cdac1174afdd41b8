"""A ranker as files with a card: what it is, what it was shown, which features it expects.

``model.txt|json|cbm`` is the library's own form, ``manifest.json`` says the rest as plain values: the model's
hash, the feature set, the scaler of its inputs, the calibration of its scores, what made it. Loading checks the
hash and the feature set and refuses on any difference; nothing is unpickled. ``Scorer`` applies transform, model
and calibration together, the same in research and live. A registry may name and hash the card its own way; the
manifest stays. Format 2 added transform, calibration, reference and provenance; files of format 1 are read still.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import ModelError, Text
from haetae.domain.learning import ModelCard
from haetae.domain.market import BoolArray, Int64Array
from haetae.ml import calibration, drift, rankers, transforms
from haetae.ml.calibration import Calibration
from haetae.ml.drift import Reference
from haetae.ml.rankers import Ranker
from haetae.ml.samples import ranked_day, ranks
from haetae.ml.settings import RankerKind, RankerSettings
from haetae.ml.transforms import Scaling, Transform

FloatArray = NDArray[np.float32]
MANIFEST_FILE = "manifest.json"
_MODEL_FILES = {
    RankerKind.LIGHTGBM: "model.txt",
    RankerKind.XGBOOST: "model.json",
    RankerKind.CATBOOST: "model.cbm",
}
_FORMAT = "haetae.ranker/2"
_READABLE = (_FORMAT, "haetae.ranker/1")


@dataclass(frozen=True, slots=True, eq=False)
class Extras:
    """What may travel with a ranker beside itself.

    Attributes
    ----------
    transform : Transform, optional
        Prepares the inputs; ranks of the day if not given.
    calibration : Calibration, optional
        From the day's rank of a score to an expected return.
    reference : Reference, optional
        The training window's distribution of the raw features, for the drift monitor.
    provenance : mapping of str to str
        ``code``, ``data``, ``trial``, ``costs``, ``scaler``, ``test_from``, ``test_to``, ``family``.
    """

    transform: Transform | None = None
    calibration: Calibration | None = None
    reference: Reference | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """A ranker with the transform it was trained behind and the calibration of its scores."""

    ranker: Ranker
    extras: Extras = field(default_factory=Extras)

    def score(
        self, features: FloatArray, eligible: BoolArray, sectors: Int64Array | None = None, *, n_threads: int = 1
    ) -> FloatArray:
        """Return the scores of one day, ``(n_symbols,)``; NaN for who is not eligible or lacks a needed feature.

        Parameters
        ----------
        features : (n_symbols, n_features) float32
            Raw values in the order of the feature set.
        eligible : (n_symbols,) bool
        sectors : (n_symbols,) int64, optional
            See ``Transform.day``.
        """
        transform = self.extras.transform
        who = eligible if transform is None else transform.takes(features, eligible)
        found = np.full(len(eligible), np.nan, dtype=np.float32)
        if who.any():
            inputs = ranked_day(features, who) if transform is None else transform.day(features, who, sectors)
            found[who] = self.ranker.predict(inputs, n_threads)
        return found

    def expected(self, scores: FloatArray) -> NDArray[np.float64]:
        """Return the expected excess return over the horizon of one day's scores; refuses without a calibration."""
        if self.extras.calibration is None:
            raise ModelError(
                Text(ko="보정이 없는 모델입니다", en="this model carries no calibration"),
                expected="a manifest with a calibration",
                found="none",
                next_step="haetae train ml",
            )
        return self.extras.calibration.expected(ranks(scores))


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
    extras: Extras | None = None,
) -> tuple[ModelCard, dict[str, bytes]]:
    """Return the card and the files of a fitted ranker, ready for a registry.

    ``metrics`` are out-of-sample figures by name, finite numbers only.
    """
    blob = ranker.dumps()
    more = extras or Extras()
    manifest = {
        "format": _FORMAT,
        "kind": ranker.kind.value,
        "feature_names": list(feature_names),
        "feature_hash": feature_hash,
        "inputs": more.transform.settings.scaling.value if more.transform else Scaling.DAY_RANKS.value,
        "transform": more.transform.as_json() if more.transform else None,
        "calibration": more.calibration.as_json() if more.calibration else None,
        "reference": more.reference.as_json() if more.reference else None,
        "provenance": dict(more.provenance),
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
        provenance=manifest.get("provenance", {}),
    )


def scorer_of(card: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> Scorer:
    """Return the ranker of a card with all that travels with it; refusals as in ``unpack``."""
    manifest = json.loads(files[MANIFEST_FILE])
    told = {name: manifest.get(name) for name in ("transform", "calibration", "reference")}
    extras = Extras(
        transforms.from_json(told["transform"]) if told["transform"] else None,
        calibration.from_json(told["calibration"]) if told["calibration"] else None,
        drift.reference_from(told["reference"]) if told["reference"] else None,
        manifest.get("provenance", {}),
    )
    return Scorer(_verified(card, files, feature_hash), extras)


def unpack(card: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> Ranker:
    """Return the bare ranker of a card, to be fed ranks of the day.

    Parameters
    ----------
    feature_hash : str
        Hash of the features the caller will feed.

    Raises
    ------
    ModelError
        If the files are not those of the card, the features not those of the training, or the inputs need a
        scaler that only ``scorer_of`` applies.
    """
    told = json.loads(files[MANIFEST_FILE])
    if told.get("transform") and told["inputs"] != Scaling.DAY_RANKS.value:
        raise ModelError(
            Text(
                ko=f"모델 {card.model_id}은 순위가 아니라 척도를 맞춘 입력으로 학습되었습니다",
                en=f"{card.model_id} was trained on scaled inputs, not on ranks of the day",
            ),
            expected=Scaling.DAY_RANKS.value,
            found=str(told["inputs"]),
            next_step="artefact.scorer_of",
        )
    return _verified(card, files, feature_hash)


def _verified(card: ModelCard, files: Mapping[str, bytes], feature_hash: str) -> Ranker:
    manifest = json.loads(files[MANIFEST_FILE])
    blob = files[_MODEL_FILES[RankerKind(manifest["kind"])]]
    found = hashlib.sha256(blob).hexdigest()
    if manifest["format"] not in _READABLE or found != manifest["sha256"]:
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
