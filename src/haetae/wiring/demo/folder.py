"""The demo's output folder: who owns it, what is finished, what it found.

``facts.json`` is rewritten atomically after every stage; a run that was interrupted continues
after the last finished stage if seed, size and version are the same. A lock keeps two runs apart.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haetae.domain.errors import ConfigError, Text
from haetae.wiring.records import storage_error, write_json

_LIMIT = 100
_MARKER = ".haetae-demo"


def _refuse_foreign(path: Path) -> None:
    """A fresh start empties the folder, so it must be ours: new, empty, or marked by an earlier run."""
    if path.is_file() or (path.is_dir() and not (path / _MARKER).exists() and any(path.iterdir())):
        raise ConfigError(
            Text(ko=f"{path} 는 데모가 만든 폴더가 아닙니다", en=f"{path} was not made by the demo"),
            expected=Text(ko="새 폴더이거나 이전 데모의 폴더", en="a new folder or one of an earlier demo"),
            found=Text(ko="다른 파일들", en="other files").en,
            next_step=Text(ko="--out 으로 다른 폴더를 고르세요", en="choose another folder with --out"),
        )


class Folder:
    """One run's folder, held by a lock until ``close``."""

    def __init__(self, path: Path, identity: Mapping[str, Any], *, fresh: bool) -> None:
        """Take the folder, continue what fits ``identity``, or start afresh."""
        self.path = path
        _refuse_foreign(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / _MARKER).touch()
            self._lock = (path / ".lock").open("w")
        except OSError as fault:
            raise storage_error(path, fault) from fault
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            self._lock.close()
            raise ConfigError(
                Text(ko=f"{path} 폴더를 다른 실행이 쓰고 있습니다", en=f"another run is using {path}"),
                expected=Text(ko="비어 있거나 쉬고 있는 폴더", en="a folder nobody uses"),
                found=Text(ko="잠김", en="locked").en,
                next_step=Text(ko="--out 으로 다른 폴더를 고르거나 기다리세요", en="choose --out or wait"),
            ) from fault
        self.facts: dict[str, Any] = {} if fresh else self._read()
        if self.facts.get("identity") != dict(identity):
            self._clear()
            self.facts = {"identity": dict(identity), "done": [], "seconds": {}}

    def _read(self) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads((self.path / "facts.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return record

    def _clear(self) -> None:
        for entry in self.path.iterdir():
            if entry.name in {".lock", _MARKER}:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def finished(self, stage: str) -> bool:
        """Whether a stage was completed by an earlier run of the same identity."""
        return stage in self.facts["done"]

    def finish(self, stage: str, seconds: float, found: Mapping[str, Any]) -> None:
        """Record what a stage found; from here on it need not run again."""
        self.facts.update(found)
        self.facts["seconds"][stage] = round(seconds, 2)
        if stage not in self.facts["done"]:
            self.facts["done"].append(stage)
        write_json(self.path / "facts.json", self.facts)

    def close(self) -> None:
        """Let the next run have the folder."""
        self._lock.close()


def free_folder(base: Path, identity: Mapping[str, Any], *, fresh: bool) -> Folder:
    """Take ``base``, or ``base-2``, ``base-3``… when other runs hold the ones before."""
    fault: ConfigError | None = None
    for number in range(1, _LIMIT):
        path = base if number == 1 else base.with_name(f"{base.name}-{number}")
        try:
            return Folder(path, identity, fresh=fresh)
        except ConfigError as locked:
            fault = locked
    assert fault is not None
    raise fault
