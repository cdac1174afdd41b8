"""Where the bytes of a lake lie: the few verbs that the tables need of a folder or a bucket.

Names are relative to the lake and use slashes. A file is whole or absent, never changes, and is
durable when the call that wrote it returns. Here: the port and the local folder. Not here: a bucket
(``s3``), what the files mean (``log``, ``files``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from haetae.ports import Passing, pass_by
from haetae.store.durable import (
    create_file,
    make_directory,
    remove_file,
    sync_directory,
    write_file,
    writer_lock,
)

LOG = "_delta_log"
"""Folder of a table's log, by the protocol of Delta Lake."""

LOCK = "_lock"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there: its name in the lake, its bytes, when it was stored (ms, UTC)."""

    name: str
    bytes: int
    modified_ms: int


class Objects(Protocol):
    """A place for the files of a lake.

    Reads raise ``FileNotFoundError`` for what is absent and ``OSError`` for what cannot be read;
    refused writes are a ``HaetaeError`` that says who must act.
    """

    @property
    def address(self) -> str:
        """Return what people call the place: a path or ``s3://bucket/prefix``."""
        ...

    @property
    def shared(self) -> bool:
        """Tell whether others write here whom no lock of ours reaches."""
        ...

    def folders(self) -> set[str]:
        """Return the names of the first level: the tables."""
        ...

    def names(self, folder: str, after: str = "") -> list[str]:
        """Return the names of the files directly in a folder that sort after ``after``, sorted."""
        ...

    def walk(self, folder: str) -> list[Found]:
        """Return every file under a folder."""
        ...

    def read(self, name: str) -> bytes:
        """Return a whole file."""
        ...

    def source(self, name: str, size: int) -> str | pa.NativeFile:
        """Return what Arrow reads a file of ``size`` bytes from; a different size is an ``OSError``."""
        ...

    def path(self, name: str) -> Path | None:
        """Return the file's path on this machine, or None where it has none."""
        ...

    def mark(self, name: str) -> object:
        """Return a value that differs if another file took the name, or None where that costs a call."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Store a file."""
        ...

    def create(self, name: str, content: bytes) -> bool:
        """Store a file unless the name is taken; tell whether it was done."""
        ...

    def remove(self, names: Sequence[str]) -> None:
        """Remove files; they stay removed once this returns, before that any of them may come back."""
        ...

    def exclusive(self, table: str) -> AbstractContextManager[None]:
        """Hold the writer's place of a table as far as this place can tell writers apart."""
        ...

    def settle(self, table: str) -> None:
        """Make durable what can be seen of a table's log: a writer that died may have left a version that is not."""
        ...

    def moment(self, table: str) -> int:
        """Return the time by the clock that stamps the files (ms, UTC); inside ``exclusive`` only."""
        ...


class Folder:
    """A folder of this machine; fulfils ``Objects``. Nothing is made before the first write."""

    shared = False

    def __init__(self, root: Path, passing: Passing = pass_by) -> None:
        """Take the folder; it need not exist yet."""
        self._root = root
        self._passing = passing

    @property
    def address(self) -> str:
        """See ``Objects``."""
        return str(self._root)

    def folders(self) -> set[str]:
        """See ``Objects``."""
        try:
            return {entry.name for entry in os.scandir(self._root) if entry.is_dir()}
        except (FileNotFoundError, NotADirectoryError):
            return set()

    def names(self, folder: str, after: str = "") -> list[str]:
        """See ``Objects``."""
        try:
            found = os.listdir(self._root / folder)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in found if name > after)

    def walk(self, folder: str) -> list[Found]:
        """See ``Objects``."""
        found = []
        for path in (self._root / folder).rglob("*"):
            if path.is_file():
                seen = path.stat()
                name = path.relative_to(self._root).as_posix()
                found.append(Found(name, seen.st_size, seen.st_mtime_ns // 1_000_000))
        return found

    def read(self, name: str) -> bytes:
        """See ``Objects``."""
        return (self._root / name).read_bytes()

    def source(self, name: str, size: int) -> str:
        """See ``Objects``."""
        path = self._root / name
        there = path.stat().st_size
        if there != size:
            raise OSError(f"it has {there} bytes, its log entry says {size}")
        return str(path)

    def path(self, name: str) -> Path:
        """See ``Objects``."""
        return self._root / name

    def mark(self, name: str) -> object:
        """See ``Objects``."""
        seen = (self._root / name).stat()
        return seen.st_mtime_ns, seen.st_ino

    def put(self, name: str, content: bytes) -> None:
        """See ``Objects``."""
        write_file(self._homed(name), content, self._passing)

    def create(self, name: str, content: bytes) -> bool:
        """See ``Objects``."""
        return create_file(self._homed(name), content, self._passing)

    def _homed(self, name: str) -> Path:
        path = self._root / name
        make_directory(path.parent, self._passing)
        if not any(path.parent.iterdir()):  # a writer that died may have left the folder's name unsynced
            sync_directory(path.parent.parent)
        return path

    def remove(self, names: Sequence[str]) -> None:
        """See ``Objects``."""
        for name in names:
            remove_file(self._root / name)
            self._passing("lake.old_removed")
        for folder in sorted({(self._root / name).parent for name in names}):
            sync_directory(folder)
            self._passing("lake.old_removal_synced")

    @contextmanager
    def exclusive(self, table: str) -> Iterator[None]:
        """Hold the table against the other writers of this machine."""
        home = self._root / table
        make_directory(home, self._passing)
        if not (home / LOG).exists():  # so may one that died before the table's first version
            for folder in (home, self._root, self._root.parent):
                sync_directory(folder)
        with writer_lock(home / LOCK):
            yield

    def settle(self, table: str) -> None:
        """See ``Objects``."""
        if (self._root / table / LOG).is_dir():
            sync_directory(self._root / table / LOG)

    def moment(self, table: str) -> int:
        """See ``Objects``."""
        lock = self._root / table / LOCK
        os.utime(lock)
        return lock.stat().st_mtime_ns // 1_000_000
