"""Lines of a table's log, by the protocol of Delta Lake: records in, JSON values out, and back.

A version of a table is what its actions add up to: ``add`` names a Parquet file, ``remove`` takes it
away, ``metaData`` tells columns and notes, ``protocol`` what a reader must be able to do (here the
least there is: reader 1, writer 2), ``commitInfo`` who wrote it. What other readers of the format do
not ask for travels in the places the protocol leaves free: the content hash of a file in the ``tags``
of its ``add``, notes in the ``configuration``, and in the ``commitInfo`` the seal of the entry, which
covers its actions and the seal before it, so that a cut or an edit shows.

Here: the records and their forms. Not here: reading and committing entries (``log``).
Source: PROTOCOL.md of delta-io/delta, sections Actions, Per-file Statistics, Schema Serialization.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa

from haetae.domain.units import day_from
from haetae.ports.tables import TableSpec
from haetae.store.schema import SCHEMA_VERSION

Action: TypeAlias = dict[str, Any]

PROTOCOL: Action = {"minReaderVersion": 1, "minWriterVersion": 2}
NOTE = "haetae.note."
SCHEMA = "haetae.schema"
_SPACE = uuid.UUID("9f0b7c1e-6a55-5d0e-9d43-6b1f0e2f7c11")
"""Namespace of table ids, which must be unique and may not need dice."""

_NUMBERS = pa.list_(pa.field("element", pa.float64(), nullable=False))
_TYPES: Mapping[pa.DataType, Any] = {
    pa.string(): "string",
    pa.int64(): "long",
    pa.int32(): "integer",
    pa.float64(): "double",
    pa.float32(): "float",
    _NUMBERS: {"type": "array", "elementType": "double", "containsNull": False},
    pa.bool_(): "boolean",
    pa.date32(): "date",
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file of a version: where it is, what it holds, how to know it is whole.

    ``part`` is the year ``2023``, month ``202301`` or day ``20230102`` whose rows the file holds;
    ``first_day`` and ``last_day`` are yyyymmdd; the keys are the least and the greatest value of the
    table's first key; ``modified_ms`` is when it was stored.
    """

    path: str
    part: str
    rows: int
    bytes: int
    sha256: str
    first_day: int
    last_day: int
    first_key: str
    last_key: str
    modified_ms: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Who made a version and when (ms, UTC, by the clock of the storage); ``rows`` are those it wrote."""

    version: int
    at_ms: int
    operation: str
    by: str
    rows: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a table at one version; version 0 is the empty table.

    ``meta`` is the ``metaData`` in force (None: the table was never made), ``seal`` that of the entry,
    ``commit`` who made it (None where it was read from a checkpoint).
    """

    table: str
    version: int = 0
    files: tuple[FileEntry, ...] = ()
    meta: Mapping[str, Any] | None = None
    seal: str = ""
    at_ms: int = 0
    commit: Commit | None = None

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(entry.rows for entry in self.files)

    @property
    def notes(self) -> dict[str, str]:
        """What readers must know, by source."""
        return notes_of(self.meta)


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does to a table: files that come and go, new ``metaData`` if any, and why."""

    operation: str
    added: tuple[FileEntry, ...] = ()
    removed: tuple[FileEntry, ...] = ()
    meta: Mapping[str, Any] | None = None
    by: str = ""
    protocol: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


def canonical(value: object) -> str:
    """Return JSON text that is equal for equal values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def notes_of(meta: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the notes of a ``metaData``, by source."""
    found = meta["configuration"] if meta else {}
    return {name.removeprefix(NOTE): text for name, text in found.items() if name.startswith(NOTE)}


def metadata_of(spec: TableSpec, notes: Mapping[str, str], before: Mapping[str, Any] | None, at_ms: int) -> Action:
    """Return the ``metaData`` of a table; id and time of creation stay those of ``before``."""
    fields = [{"name": f.name, "type": _TYPES[f.type], "nullable": False, "metadata": {}} for f in spec.schema]
    configuration = {f"{NOTE}{source}": text for source, text in sorted(notes.items())}
    return {
        "id": before["id"] if before else str(uuid.uuid5(_SPACE, f"{spec.name}:{at_ms}")),
        "name": spec.name,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": canonical({"type": "struct", "fields": fields}),
        "partitionColumns": [],
        "configuration": {**configuration, SCHEMA: str(SCHEMA_VERSION)},
        "createdTime": before["createdTime"] if before else at_ms,
    }


def schema_of(meta: Mapping[str, Any]) -> pa.Schema:
    """Return the columns that a ``metaData`` tells; raises ``KeyError`` for a type that is none of ours."""
    kinds = {canonical(told): kind for kind, told in _TYPES.items()}
    fields = json.loads(meta["schemaString"])["fields"]
    return pa.schema([pa.field(each["name"], kinds[canonical(each["type"])], nullable=False) for each in fields])


def add_of(spec: TableSpec, entry: FileEntry) -> Action:
    """Return the ``add`` of a file."""
    low = {spec.day_column: day_from(entry.first_day).isoformat(), spec.keys[0]: entry.first_key}
    high = {spec.day_column: day_from(entry.last_day).isoformat(), spec.keys[0]: entry.last_key}
    stats = {
        "numRecords": entry.rows,
        "minValues": low,
        "maxValues": high,
        "nullCount": dict.fromkeys(low, 0),
    }
    return {
        "path": entry.path,
        "partitionValues": {},
        "size": entry.bytes,
        "modificationTime": entry.modified_ms,
        "dataChange": True,
        "stats": canonical(stats),
        "tags": {"part": entry.part, "sha256": entry.sha256},
    }


def entry_of(spec: TableSpec, add: Mapping[str, Any]) -> FileEntry:
    """Return the file an ``add`` names; raises ``KeyError``, ``TypeError`` or ``ValueError`` if it is not ours."""
    stats = json.loads(add["stats"])
    low, high = stats["minValues"], stats["maxValues"]
    tags = dict(add["tags"])
    return FileEntry(
        add["path"], tags["part"], int(stats["numRecords"]), int(add["size"]), tags["sha256"],
        int(low[spec.day_column].replace("-", "")), int(high[spec.day_column].replace("-", "")),
        low[spec.keys[0]], high[spec.keys[0]], int(add["modificationTime"]),
    )  # fmt: skip


def _remove_of(entry: FileEntry, at_ms: int) -> Action:
    return {
        "path": entry.path,
        "deletionTimestamp": at_ms,
        "dataChange": True,
        "extendedFileMetadata": True,
        "partitionValues": {},
        "size": entry.bytes,
        "tags": {"part": entry.part, "sha256": entry.sha256},
    }


def commit_of(version: int, actions: list[Action]) -> Commit:
    """Return who made the version of an entry; raises ``KeyError`` or ``ValueError`` if it does not tell."""
    info = actions[0]["commitInfo"]
    rows = int(info["operationMetrics"]["numOutputRows"])
    return Commit(version, int(info["timestamp"]), info["operation"], info["by"], rows)


def seal_of(parent: str, actions: list[Action]) -> str:
    """Return the seal of an entry: sha256 over its actions without a seal, and the seal before it."""
    body = [
        {"commitInfo": {k: v for k, v in each["commitInfo"].items() if k != "seal"}} if "commitInfo" in each else each
        for each in actions
    ]
    return hashlib.sha256(f"{parent}\n{canonical(body)}".encode()).hexdigest()


def actions_of(spec: TableSpec, parent: str, change: Change, at_ms: int, engine: str) -> list[Action]:
    """Return the actions of one entry, sealed, ``commitInfo`` first."""
    rows = sum(entry.rows for entry in change.added)
    info: Action = {
        "timestamp": at_ms,
        "operation": change.operation,
        "operationParameters": dict(change.facts),
        "operationMetrics": {"numOutputRows": str(rows), "numAddedFiles": str(len(change.added))},
        "engineInfo": engine,
        "by": change.by,
        "parent": parent,
    }
    actions: list[Action] = [{"commitInfo": info}]
    if change.protocol:
        actions.append({"protocol": PROTOCOL})
    if change.meta is not None:
        actions.append({"metaData": dict(change.meta)})
    actions += [{"remove": _remove_of(entry, at_ms)} for entry in change.removed]
    actions += [{"add": add_of(spec, entry)} for entry in change.added]
    info["seal"] = seal_of(parent, actions)
    return actions


def digest_of(spec: TableSpec, files: tuple[FileEntry, ...]) -> str:
    """Return the name of exactly these bytes: sha256 over the table, its columns and its files' hashes.

    Two versions with the same files have the same digest, however they came about.
    """
    hashes = sorted(entry.sha256 for entry in files)
    columns = [[each.name, str(each.type)] for each in spec.schema]
    return hashlib.sha256(canonical([spec.name, columns, hashes]).encode()).hexdigest()
