"""Which files make a table at a version.

Each version of a table is one JSON file ``_log/00000007.json`` that lists every Parquet file of the
table with its content hash, rows and days. A version exists when its manifest does; files that no
manifest names do not exist for readers. Manifests are never changed, so a version number names the
same rows for ever (until ``vacuum`` drops old ones).

Here: the records, reading and committing them. Not here: the rows (``lake``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from haetae.domain.errors import DataError, Text
from haetae.store.durable import write_file
from haetae.store.schema import SCHEMA_VERSION

LOG = "_log"


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a version: where it is, what it holds, how to know it is whole.

    ``part`` is the partition (a year ``2023`` or a day ``20230102``); ``first_day`` and
    ``last_day`` are yyyymmdd.
    """

    path: str
    part: str
    rows: int
    bytes: int
    sha256: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a table at one version; version 0 is the empty table.

    ``notes`` tells per source what a reader must know (adjusted prices, survivorship).
    """

    table: str
    version: int
    files: tuple[FileEntry, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(entry.rows for entry in self.files)


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def versions_of(directory: Path) -> list[int]:
    """Return the versions a table directory holds, ascending; empty if there is none."""
    log = directory / LOG
    if not log.is_dir():
        return []
    return sorted(int(path.stem) for path in log.iterdir() if path.suffix == ".json" and path.stem.isdigit())


def manifest_path(directory: Path, version: int) -> Path:
    """Return where the manifest of a version lies."""
    return directory / LOG / f"{version:08d}.json"


def load(directory: Path, table: str, version: int | None = None) -> Snapshot:
    """Return a version of a table, the newest one by default.

    Raises ``DataError`` if the version is not there, its manifest is damaged, or it was written by
    a newer schema.
    """
    known = versions_of(directory)
    if version is None:
        version = known[-1] if known else 0
    if version == 0:
        return Snapshot(table, 0)
    if version not in known:
        raise DataError(
            Text(ko=f"'{table}'의 버전 {version}이 없습니다", en=f"table '{table}' has no version {version}"),
            expected=f"one of {known[-5:]}" if known else Text(ko="표가 있는 레이크", en="a lake with that table"),
            found=str(version) if known else Text(ko="그 표가 없습니다", en="no such table").en,
            next_step=Text(
                ko="레이크에 아직 남은 버전을 쓰거나 그 표를 다시 수집하세요",
                en="ask for a version the lake still keeps, or collect the table again",
            ),
        )
    path = manifest_path(directory, version)
    try:
        body = json.loads(path.read_bytes())
        sealed = body.pop("seal")
        if sealed != _digest(body):
            raise ValueError("its seal does not match its content")
        if body["schema"] > SCHEMA_VERSION:
            raise ValueError(f"schema {body['schema']} is newer than {SCHEMA_VERSION}")
        files = tuple(FileEntry(**entry) for entry in body["files"])
        return Snapshot(body["table"], body["version"], files, body["notes"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise DataError(
            Text(ko=f"매니페스트가 손상되었습니다: {path}", en=f"a manifest is damaged: {path} ({fault})"),
            expected="a sealed manifest",
            found=str(fault),
            next_step=f"restore the file from a backup, or read version {version - 1}",
        ) from fault


def commit(directory: Path, snapshot: Snapshot) -> None:
    """Make a version exist; the caller holds the writer's lock and has synced the files."""
    body = {
        "schema": SCHEMA_VERSION,
        "table": snapshot.table,
        "version": snapshot.version,
        "files": [asdict(entry) for entry in snapshot.files],
        "notes": dict(snapshot.notes),
    }
    sealed = {**body, "seal": _digest(body)}
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False, indent=0)
    write_file(manifest_path(directory, snapshot.version), text.encode())
