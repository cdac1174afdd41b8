"""Where the flow keeps what its stages made: one folder a stage and key, whole or not there.

A key is the hash of the stage's name, its code, its settings and the keys of what it was made
from, so equal inputs find the stored outputs and a changed setting misses only what depends on
it. Files are written aside and renamed; their hashes are in the manifest and checked on reading,
and a folder that does not match is made anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from haetae.domain import codec
from haetae.domain.errors import DataError
from haetae.domain.learning import Manifest

_MANIFEST = "manifest.json"

Maker = Callable[[], tuple[Mapping[str, bytes], Mapping[str, float]]]
"""Makes a stage: files by name, and finite figures for the manifest."""


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


def config_hash(*parts: object) -> str:
    """Return a hash of settings; equal values give equal hashes whatever their order of keys."""
    text = json.dumps([_plain(part) for part in parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key_of(stage: str, code: str, inputs: Mapping[str, str], settings: tuple[object, ...]) -> str:
    """Return the key of a stage: the hash of its name, code, settings and the keys of what it is made from."""
    return config_hash(stage, config_hash(code, *settings), dict(inputs))


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True)
class Made:
    """A stage's outputs; ``reused`` tells that they were found and not made."""

    manifest: Manifest
    files: Mapping[str, bytes]
    key: str
    reused: bool

    def json(self, name: str) -> Any:
        """Return a stored JSON file as plain values."""
        return json.loads(self.files[name])


@dataclasses.dataclass(frozen=True, slots=True)
class Shelf:
    """Stored stages under one folder."""

    root: Path

    def stage(
        self,
        name: str,
        code: str,
        inputs: Mapping[str, str],
        settings: tuple[object, ...],
        make: Maker,
        *,
        anew: bool = False,
    ) -> Made:
        """Return the stored outputs of a stage, or make and store them.

        Parameters
        ----------
        code : str
            Names the source that makes it (``code.code_hash``).
        inputs : mapping
            Keys or digests of what it is made from.
        settings : tuple
            Everything else that decides the outputs.
        make : callable
            Returns files by name and finite figures for the manifest.
        anew : bool
            Make it even where it is stored.
        """
        config = config_hash(code, *settings)
        key = key_of(name, code, inputs, settings)
        found = None if anew else self._find(name, key)
        if found is not None:
            return found
        files, figures = make()
        manifest = Manifest(name, dict(inputs), config, {n: _hash(c) for n, c in sorted(files.items())}, dict(figures))
        self._store(name, key, files, manifest)
        return Made(manifest, files, key, reused=False)

    def found(self, name: str, key: str) -> bool:
        """Whether a stage is stored whole under a key."""
        return self._find(name, key) is not None

    def manifests(self) -> tuple[tuple[str, Manifest, bool], ...]:
        """Return every stored manifest with its key and whether its files match it, by stage and key."""
        stored = []
        for path in sorted(self.root.glob(f"*/*/{_MANIFEST}")):
            key, name = path.parent.name, path.parent.parent.name
            try:
                manifest = codec.decode(path.read_text(encoding="utf-8"))
            except (DataError, UnicodeDecodeError):
                manifest = None
            if isinstance(manifest, Manifest) and not key.startswith("."):
                stored.append((key, manifest, self.found(name, key)))
        return tuple(stored)

    def _find(self, name: str, key: str) -> Made | None:
        folder = self.root / name / key
        try:
            manifest = codec.decode((folder / _MANIFEST).read_text(encoding="utf-8"))
            files = {output: (folder / output).read_bytes() for output in manifest.outputs}
        except (FileNotFoundError, DataError, AttributeError):
            return None
        if any(_hash(content) != manifest.outputs[output] for output, content in files.items()):
            return None
        return Made(manifest, files, key, reused=True)

    def _store(self, name: str, key: str, files: Mapping[str, bytes], manifest: Manifest) -> None:
        folder = self.root / name / key
        aside = folder.with_name(f".{key}.{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for output, content in files.items():
            (aside / output).write_bytes(content)
        (aside / _MANIFEST).write_text(codec.encode(manifest), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
