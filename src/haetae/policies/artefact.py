"""The net as files: ``policy.npz`` with the weights and ``manifest.json`` that says what they are.

No pickle: arrays and JSON only, so loading runs no code. The manifest holds the SHA-256 of the
weights, the feature names in order, versions of observation and action map, the training window,
the seed and the figures of the evaluation. Anything that does not fit is refused with ``ModelError``.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from haetae.domain.errors import ModelError, Text
from haetae.policies import actions, observe
from haetae.policies.network import NAMES, Weights

FORMAT = "haetae.net/1"
WEIGHTS_FILE = "policy.npz"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True, eq=False)
class NetArtefact:
    """A trained net with everything needed to run it and to know where it came from.

    ``provenance`` holds JSON values: seed, training window, steps, figures beside the baselines.
    """

    weights: Weights
    scaler: observe.Scaler
    feature_names: tuple[str, ...]
    limits: actions.ActionMap
    provenance: Mapping[str, Any] = field(default_factory=dict)


def to_files(artefact: NetArtefact) -> dict[str, bytes]:
    """Return the two files; the same artefact gives the same bytes."""
    arrays = {name: np.asarray(artefact.weights[name], np.float32) for name in NAMES}
    arrays |= {"scaler_mean": artefact.scaler.mean, "scaler_deviation": artefact.scaler.deviation}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    blob = buffer.getvalue()
    manifest = {
        "format": FORMAT,
        "observation_version": observe.VERSION,
        "action_version": actions.VERSION,
        "action_map": asdict(artefact.limits),
        "feature_names": list(artefact.feature_names),
        "feature_hash": observe.feature_hash(artefact.feature_names),
        "sha256": hashlib.sha256(blob).hexdigest(),
        "provenance": dict(artefact.provenance),
    }
    text = json.dumps(manifest, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return {WEIGHTS_FILE: blob, MANIFEST_FILE: text.encode()}


def _refuse(what_ko: str, what_en: str, expected: object, found: object) -> ModelError:
    return ModelError(
        Text(f"모델을 쓸 수 없습니다: {what_ko}", f"the model cannot be used: {what_en}"),
        expected=str(expected),
        found=str(found),
        next_step=Text("이 판의 프로그램으로 다시 학습하십시오.", "train it again with this version of the program"),
    )


def from_files(files: Mapping[str, bytes], expected_features: Sequence[str] | None = None) -> NetArtefact:
    """Return the artefact of two files.

    Parameters
    ----------
    files : mapping of name to bytes
        As written by ``to_files``.
    expected_features : sequence of str, optional
        Feature names the caller will feed; any difference in names or order is refused.

    Raises
    ------
    ModelError
        On a missing file, a wrong hash, version, shape, or feature list.
    """
    missing = {WEIGHTS_FILE, MANIFEST_FILE} - set(files)
    if missing:
        raise _refuse("파일이 없습니다", "files are missing", f"{WEIGHTS_FILE}, {MANIFEST_FILE}", sorted(files))
    manifest = json.loads(files[MANIFEST_FILE])
    digest = hashlib.sha256(files[WEIGHTS_FILE]).hexdigest()
    names = tuple(manifest.get("feature_names", ()))
    checks = (
        ("형식이 다릅니다", "its format differs", FORMAT, manifest.get("format")),
        ("가중치가 바뀌었습니다", "its weights were changed", manifest.get("sha256"), digest),
        ("관측 판이 다릅니다", "observation version", observe.VERSION, manifest.get("observation_version")),
        ("행동 판이 다릅니다", "action version", actions.VERSION, manifest.get("action_version")),
        ("특징 해시가 다릅니다", "feature hash", observe.feature_hash(names), manifest.get("feature_hash")),
    )
    for korean, english, wanted, found in checks:
        if wanted != found:
            raise _refuse(korean, english, wanted, found)
    if expected_features is not None and tuple(expected_features) != names:
        raise _refuse("특징 목록이 다릅니다", "the features differ", ", ".join(expected_features), ", ".join(names))
    with np.load(io.BytesIO(files[WEIGHTS_FILE]), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    inputs = len(observe.observation_names(names))
    if set(arrays) != {*NAMES, "scaler_mean", "scaler_deviation"} or arrays["w1"].shape[0] != inputs:
        raise _refuse("배열이 맞지 않습니다", "its arrays do not fit", f"w1 with {inputs} rows", sorted(arrays))
    return NetArtefact(
        weights={name: arrays[name] for name in NAMES},
        scaler=observe.Scaler(arrays["scaler_mean"], arrays["scaler_deviation"]),
        feature_names=names,
        limits=actions.ActionMap(**manifest["action_map"]),
        provenance=manifest["provenance"],
    )
