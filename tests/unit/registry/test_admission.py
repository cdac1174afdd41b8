"""What may be stored with a model: data only, whatever a pickle is disguised as."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import zipfile

import numpy as np
import pytest

from haetae.domain.errors import ModelError
from haetae.registry.admission import refuse_unsafe

RESERVED = ("card.json", ".draft")


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


def _npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **arrays)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def _zip(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


PICKLE = pickle.dumps(_Evil())
OBJECTS = np.array([_Evil()], dtype=object)
WITHIN = np.array([(1, _Evil())], dtype=[("a", "i4"), ("b", object)])
REFUSED = {
    "suffix": ("model.pkl", b"tree"),
    "torch suffix": ("model.PT", b"tree"),
    **{f"protocol {n}": ("model.txt", pickle.dumps(_Evil(), protocol=n)) for n in range(6)},
    "dictionary in plain text": ("model.txt", pickle.dumps({"a": 1}, protocol=0) + b"\n"),
    "object array": ("model.npy", _npy(OBJECTS)),
    "object array in npz": ("model.npz", _npz(weights=np.zeros(2), extra=OBJECTS)),
    "objects within a structure": ("model.npz", _npz(extra=WITHIN)),
    "pickle in a zip": ("model.npz", _zip("data.pkl", PICKLE)),
    "pickle in a zip as npy": ("model.npz", _zip("weights.npy", PICKLE)),
    "path in a zip": ("model.npz", _zip("../weights.npy", _npy(np.zeros(2)))),
    "gzip": ("model.bin", gzip.compress(PICKLE)),
    "bz2": ("model.bin", bz2.compress(PICKLE)),
    "xz": ("model.bin", lzma.compress(PICKLE)),
    "pickle before a zip": ("model.npz", PICKLE + _npz(weights=np.zeros(2))),
    "torn zip": ("model.npz", _npz(weights=np.zeros(9))[:-30]),
    "unknown binary": ("model.bin", bytes(range(256))),
    "the card": ("card.json", b"{}"),
    "a path": ("../model.txt", b"tree"),
    "a hidden name": (".model.txt", b"tree"),
    "a draft": ("model.txt.draft", b"tree"),
}
ADMITTED = {
    "LightGBM": ("model.txt", b"tree\nversion=v4\nnum_class=1\n"),
    "JSON": ("model.json", json.dumps({"learner": [1.5, "N."]}).encode()),
    "JSON number": ("model.json", b"1.5"),
    "Korean text": ("note.txt", "모델".encode()),
    "npz": ("policy.npz", _npz(weights=np.zeros((3, 2), np.float32), words=np.array(["a", "b"]))),
    "npy": ("weights.npy", _npy(np.arange(4))),
    "CatBoost": ("model.cbm", b"CBM1" + bytes(range(200))),
    "nothing": ("empty.txt", b""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_run_or_lead_elsewhere_is_refused_by_name(case: str) -> None:
    name, content = REFUSED[case]
    with pytest.raises(ModelError, match="may not be stored") as refused:
        refuse_unsafe("ranker", {"manifest.json": b"{}", name: content}, reserved=RESERVED)
    assert name in str(refused.value)
    assert refused.value.found


@pytest.mark.parametrize("case", ADMITTED)
def test_the_formats_of_the_libraries_are_admitted(case: str) -> None:
    name, content = ADMITTED[case]
    refuse_unsafe("ranker", {name: content}, reserved=RESERVED)
