"""The lake's former format: a sealed list of files per version, ``<table>/_log/00000007.json``.

Read only, so that ``upgrade`` can turn it into the log of today; a lake that still has it is refused
with what to do. The Parquet files are the same in both.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, Text
from haetae.store.objects import Objects

FORMER_LOG = "_log"


@dataclass(frozen=True, slots=True)
class FormerFile:
    """One Parquet file of a version; ``first_day`` and ``last_day`` are yyyymmdd."""

    path: str
    part: str
    rows: int
    bytes: int
    sha256: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class FormerVersion:
    """The files and notes of a table at one version, and when its list was written (ms, UTC)."""

    version: int
    files: tuple[FormerFile, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    at_ms: int = 0


def refuse(objects: Objects, table: str) -> None:
    """Raise ``DataError`` if a table is still in the former format."""
    if any(name.endswith(".json") for name in objects.names(f"{table}/{FORMER_LOG}")):
        raise DataError(
            Text(ko="이전 형식의 레이크입니다", en="the lake is in its former format"),
            expected=Text(ko="Delta Lake 형식의 표", en="tables in the format of Delta Lake"),
            found=f"{objects.address}/{table}/{FORMER_LOG}",
            next_step=f"haetae lake upgrade --lake {objects.address}",
        )


def versions_of(directory: Path) -> list[int]:
    """Return the versions a table directory holds, ascending; empty if there is none."""
    log = directory / FORMER_LOG
    if not log.is_dir():
        return []
    return sorted(int(path.stem) for path in log.iterdir() if path.suffix == ".json" and path.stem.isdigit())


def load(directory: Path, version: int) -> FormerVersion:
    """Return a version; raises ``DataError`` if its list is damaged."""
    path = directory / FORMER_LOG / f"{version:08d}.json"
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        sealed = body.pop("seal")
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if sealed != hashlib.sha256(text.encode()).hexdigest():
            raise ValueError("its seal does not match its content")
        files = tuple(FormerFile(**entry) for entry in body["files"])
        return FormerVersion(body["version"], files, body["notes"], path.stat().st_mtime_ns // 1_000_000)
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DataError(
            Text(ko=f"매니페스트가 손상되었습니다: {path}", en=f"a manifest is damaged: {path} ({fault})"),
            expected="a sealed manifest",
            found=str(fault),
            next_step="restore the file from a backup, or remove it if a newer version is there",
        ) from fault
