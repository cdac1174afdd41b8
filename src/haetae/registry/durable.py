"""Writing so that a file or a folder is there whole or not at all, also after a power cut.

The rooms of this storey do not import one another, so the store has its own copy of this idea, with
the lake's errors. Here: one file, one folder, one lock. Not here: what they mean (``registry``).
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from haetae.domain.errors import DataError, Text
from haetae.ports import Passing, pass_by

DRAFT = ".draft"
"""Suffix of what is not finished; nobody reads it."""


_FOUND_AGAIN = 2
"""Folders above that a dead writer may have made: the registry's own and the one it lies in."""


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn refusals of the operating system into ``DataError`` with the path."""
    try:
        yield
    except OSError as fault:
        raise DataError(
            Text(
                ko=f"모델 저장소에 접근할 수 없습니다: {path} ({fault.strerror})",
                en=f"the registry refused: {path} ({fault.strerror})",
            ),
            expected="a readable and writable directory with free space",
            found=errno.errorcode.get(fault.errno or 0, "unknown"),
            next_step="check the path, its permissions and the free space, then run again",
        ) from fault


def sync(path: Path) -> None:
    """Make what was written to a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put(path: Path, content: bytes) -> None:
    with path.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def make_directory(path: Path, passing: Passing = pass_by) -> None:
    """Create a folder and its missing parents durably.

    A folder without files may be one whose maker died before its name was on the disk: that name is made durable again.
    """
    with refusals(path):
        missing = [each for each in (path, *path.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            passing("registry.folder_made")
            sync(each.parent)
        if missing or not any(path.iterdir()):
            for each in (missing[-1] if missing else path).parents[:_FOUND_AGAIN]:
                sync(each)


def write_file(path: Path, content: bytes, passing: Passing = pass_by) -> None:
    """Put a file in its place, durably, old or new but never part."""
    draft = path.with_name(path.name + DRAFT)
    with refusals(path):
        try:
            _put(draft, content)
            passing("registry.file_written")
            draft.rename(path)
            passing("registry.file_renamed")
            sync(path.parent)
            passing("registry.file_durable")
        finally:
            draft.unlink(missing_ok=True)


def write_folder(path: Path, files: Mapping[str, bytes], passing: Passing = pass_by) -> None:
    """Put a folder of files in its place, durably and at once; the place must be free."""
    draft = path.with_name(path.name + DRAFT)
    with refusals(path):
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir()
            for name, content in sorted(files.items()):
                _put(draft / name, content)
                passing("registry.artefact_written")
            sync(draft)
            passing("registry.artefact_synced")
            draft.rename(path)
            passing("registry.artefact_renamed")
            sync(path.parent)
            passing("registry.artefact_durable")
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the only writer's place; the kernel frees it if the process dies."""
    with refusals(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
