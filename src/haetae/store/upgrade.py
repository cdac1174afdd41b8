"""A lake of the former format becomes one of today's, in place; killed at any point it can be run again.

The Parquet files and the version numbers stay: a version that a plan or a report names is the same
rows afterwards. The new log is built beside the old one under a name no reader looks at and appears
by one rename; then the old one goes. The former ``daily`` could hold adjusted prices: where all rows
are, the folder becomes ``daily_adjusted``; where some are, they move there.
Not here: the former format itself (``former``).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haetae.domain.errors import DataError, Text
from haetae.ports.tables import TABLES, TableSpec
from haetae.store import former
from haetae.store.actions import Change, FileEntry, Snapshot, metadata_of
from haetae.store.durable import make_directory, sync_directory, writer_lock
from haetae.store.former import FORMER_LOG, FormerFile, FormerVersion
from haetae.store.lake import Lake
from haetae.store.log import Log
from haetae.store.objects import LOCK, LOG, Folder
from haetae.store.settings import StoreSettings

_DRAFT = "_upgrading"
"""Folder of a table in which its new log is built."""

_RAW, _ADJUSTED = "daily", "daily_adjusted"
_BY = "haetae lake upgrade"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of one table: its versions (0 if it was in today's format), rows moved to another table."""

    table: str
    versions: int
    newest: int
    moved: int


def upgrade(root: Path, progress: Callable[[str, int, int], None] | None = None) -> tuple[Upgraded, ...]:
    """Bring every table of a lake to today's format; raises ``DataError`` if a former list is damaged."""
    tables = [table for table in TABLES if (root / table).is_dir()]
    done: dict[str, int] = {}
    for number, table in enumerate(tables, start=1):
        done[table] = _one(root, table)
        if progress:
            progress(table, number, len(tables))
    if _named_adjusted(root):
        (root / _RAW).rename(root / _ADJUSTED)
        sync_directory(root)
        done[_ADJUSTED] = done.pop(_RAW)
    lake = Lake(root, by=_BY)
    moved = _moved(lake)
    return tuple(
        Upgraded(table, done.get(table, 0), version, moved if table == _ADJUSTED else 0)
        for table, version in lake.versions().items()
    )


def _one(root: Path, table: str) -> int:
    home = root / table
    draft = home / _DRAFT
    shutil.rmtree(draft, ignore_errors=True)
    if not (home / FORMER_LOG).is_dir():
        return 0
    with writer_lock(home / FORMER_LOG / "writer.lock"), writer_lock(home / LOCK):
        versions = _unbroken(former.versions_of(home))
        if versions and not (home / LOG).exists():
            kept = [former.load(home, version) for version in versions]
            only_adjusted = table == _RAW and _is_adjusted(home, kept[-1])
            spec = TABLES[_ADJUSTED if only_adjusted else table]
            _build(draft, spec, home, kept)
            (draft / spec.name / LOG).rename(home / LOG)
            sync_directory(home)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(home / FORMER_LOG)
        sync_directory(home)
    return len(versions)


def _unbroken(versions: Sequence[int]) -> list[int]:
    """Return the newest versions that follow one another: a log cannot leave a number out."""
    last = versions[-1] if versions else 0
    return [each for index, each in enumerate(versions) if last - each == len(versions) - 1 - index]


def _is_adjusted(home: Path, newest: FormerVersion) -> bool:
    columns = (_column(home / file.path, "adjusted") for file in newest.files)
    return bool(newest.files) and all(pc.all(column).as_py() for column in columns)


def _build(draft: Path, spec: TableSpec, home: Path, versions: Sequence[FormerVersion]) -> None:
    """Write the log of the kept versions under their numbers, durably; its beginning is a whole state."""
    first = versions[0]
    make_directory(draft / spec.name)
    log = Log(Folder(draft), spec, StoreSettings().checkpoint_every)
    known: dict[str, FileEntry] = {}
    if first.version == 1:
        log.create(first.at_ms, by=_BY)
        state = log.load()
    else:
        state = Snapshot(spec.name, first.version - 1, meta=metadata_of(spec, {}, None, first.at_ms))
    for each in versions:
        come = [_entry(spec, home, file, each.at_ms, known) for file in each.files]
        before, after = {entry.path for entry in state.files}, {entry.path for entry in come}
        change = Change(
            "UPGRADE",
            tuple(entry for entry in come if entry.path not in before),
            tuple(entry for entry in state.files if entry.path not in after),
            metadata_of(spec, each.notes, state.meta, each.at_ms),
            _BY,
            protocol=each is first and first.version > 1,
        )
        committed = log.commit(state, change, each.at_ms)
        assert committed is not None
        state = committed
        if each is first and first.version > 1:
            log.write_checkpoint(state)


def _entry(spec: TableSpec, home: Path, file: FormerFile, at_ms: int, known: dict[str, FileEntry]) -> FileEntry:
    if file.path not in known:
        keys = pc.min_max(_column(home / file.path, spec.keys[0])).as_py()
        known[file.path] = FileEntry(
            file.path, file.part, file.rows, file.bytes, file.sha256, file.first_day, file.last_day,
            keys["min"], keys["max"], at_ms,
        )  # fmt: skip
    return known[file.path]


def _column(path: Path, name: str) -> pa.ChunkedArray:
    try:
        with pq.ParquetFile(path) as source:
            return source.read(columns=[name]).column(0)
    except (OSError, pa.ArrowInvalid) as fault:
        raise DataError(
            Text(
                ko=f"레이크 파일이 손상되었거나 없습니다: {path}",
                en=f"a file of the lake is damaged or missing: {path}",
            ),
            expected="a whole Parquet file",
            found=str(fault),
            next_step=Text(
                ko="백업에서 되살리거나, 그 표를 새 레이크에 다시 가져오세요",
                en="restore it from a backup, or import that table again into a new lake",
            ),
        ) from fault


def _named_adjusted(root: Path) -> bool:
    """Tell whether ``daily`` holds the log of ``daily_adjusted``: the folder's new name is still due."""
    if (root / _ADJUSTED).exists() or not (root / _RAW / LOG).is_dir():
        return False
    meta = Log(Folder(root), TABLES[_RAW], StoreSettings().checkpoint_every).load().meta
    return meta is not None and meta["name"] == _ADJUSTED


def _moved(lake: Lake) -> int:
    """Move rows of adjusted prices that stand among raw ones to their own table; return how many."""
    if not any(pc.any(piece.column("adjusted")).as_py() for piece in lake.batches(_RAW)):
        return 0
    rows = lake.read(_RAW)
    moving = rows.filter(rows.column("adjusted"))
    lake.write(_ADJUSTED, moving, keys=TABLES[_ADJUSTED].keys, notes=lake.notes(_RAW))
    lake.replace(_RAW, rows.filter(pc.invert(rows.column("adjusted"))))
    return len(moving)
