"""What a lake holds, for people and records: a line per table, a line per version."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from haetae.domain.units import day_from
from haetae.ports.tables import TableSpec
from haetae.store.actions import Commit, Snapshot, digest_of


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What the lake holds of a table: the answer of ``haetae lake show``."""

    table: str
    version: int
    rows: int
    files: int
    bytes: int
    first_day: dt.date | None
    last_day: dt.date | None
    notes: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version of a table: what it holds, when it was made (ms, UTC), by what, and which rows that wrote."""

    version: int
    at_ms: int
    rows: int
    files: int
    bytes: int
    written: int
    operation: str
    by: str
    digest: str


def info_of(spec: TableSpec, seen: Snapshot) -> TableInfo:
    """Return what a snapshot of a table holds."""
    files = seen.files
    return TableInfo(
        seen.table,
        seen.version,
        seen.rows,
        len(files),
        sum(entry.bytes for entry in files),
        day_from(min(entry.first_day for entry in files)) if files else None,
        day_from(max(entry.last_day for entry in files)) if files else None,
        seen.notes,
        digest_of(spec, files),
    )


def version_of(spec: TableSpec, commit: Commit, seen: Snapshot) -> VersionInfo:
    """Return what a version holds and who made it."""
    size = sum(entry.bytes for entry in seen.files)
    return VersionInfo(
        commit.version, commit.at_ms, seen.rows, len(seen.files), size, commit.rows, commit.operation, commit.by,
        digest_of(spec, seen.files),
    )  # fmt: skip
