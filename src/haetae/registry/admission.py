"""What may be stored with a model: data in formats that cannot run code.

Admitted by content, not by name: UTF-8 text (JSON, LightGBM's form), ``.npz`` and ``.npy`` arrays of plain numbers,
CatBoost's ``.cbm``. Everything else is refused, so pickles are too, in every disguise: of any protocol, under any
name, compressed, or inside an archive as an object array. Not here: where files go (``registry``).
"""

from __future__ import annotations

import io
import json
import pickletools
import re
import zipfile
from collections.abc import Mapping

import numpy as np

from haetae.domain.errors import ModelError, Text

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".dill")
_ARRAY, _ZIP, _CATBOOST = b"\x93NUMPY", b"PK", b"CBM1"


def refuse_unsafe(kind: str, files: Mapping[str, bytes], *, reserved: tuple[str, ...]) -> None:
    """Raise ``ModelError`` for a file that is no plain data, has no plain name, or a name of the registry's own."""
    if not files:
        raise ModelError(f"model of kind {kind} has no files", expected="at least one file", found="none")
    for name, content in files.items():
        if not NAME.fullmatch(name) or name.endswith(reserved):
            raise _unsafe(name, "a name that is not plain, or the registry's own")
        if name.lower().endswith(_PICKLES):
            raise _unsafe(name, "a pickle by its name")
        fault = _fault(content)
        if fault:
            raise _unsafe(name, fault)


def _fault(content: bytes) -> str:
    """Return what is wrong with the content of a file, empty if nothing is."""
    if content.startswith(_ZIP):
        return _archive_fault(content)
    if content.startswith(_ARRAY):
        return _array_fault(content)
    if content.startswith(_CATBOOST):
        return ""
    try:
        content.decode()
    except UnicodeDecodeError:
        return "binary data of an unknown format"
    return "a pickle in plain text" if _is_text_pickle(content) else ""


def _archive_fault(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.namelist():
                if not member.endswith(".npy") or not NAME.fullmatch(member):
                    return f"an archive with {member} in it"
                fault = _array_fault(archive.read(member))
                if fault:
                    return f"{member}: {fault}"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as fault:
        return f"an archive that does not open: {fault}"
    return ""


def _array_fault(content: bytes) -> str:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError) as fault:
        return f"an array that is no plain numbers: {fault}"
    # A header without Python objects does not tell of fields inside a structure.
    return "an array of objects" if array.dtype.hasobject else ""


def _is_text_pickle(content: bytes) -> bool:
    """Whether a text is a pickle of protocol 0: it reads as one from the first byte to the last."""
    stripped = content.rstrip()
    try:
        last = None
        for opcode, _, place in pickletools.genops(stripped):
            last = (opcode.name, place)
    except (ValueError, IndexError, KeyError):
        return False
    if last != ("STOP", len(stripped) - 1):
        return False
    try:
        json.loads(stripped)
    except ValueError:
        return True
    return False


def _unsafe(name: str, found: str) -> ModelError:
    return ModelError(
        Text(ko=f"저장할 수 없는 파일입니다: {name}", en=f"this file may not be stored: {name}"),
        expected=Text(
            ko="평범한 이름의 자료 파일 (글, JSON, 숫자 배열), 피클은 안 됨",
            en="plain file names; data formats (text, JSON, arrays of numbers), never pickles",
        ),
        found=found,
        next_step="save as npz, JSON or the library's own text format",
    )
