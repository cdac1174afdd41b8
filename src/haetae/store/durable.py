"""Files that are whole or absent, also after a power cut.

Here: write a file so that it is on the disk when the call returns (temporary name in the same
directory, fsync, rename, fsync of the directory), a lock between writers, and the translation of
the operating system's refusals into ``DataError``. Not here: what the files mean (``manifest``).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haetae.domain.errors import DataError, Text

TEMPORARY = ".tmp"
"""Suffix of files that are not finished; readers never look at them."""


def _refused(path: Path, fault: OSError) -> DataError:
    full = fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return DataError(
        Text(
            ko=f"레이크에 쓸 수 없습니다: {path} ({fault.strerror})",
            en=f"the lake cannot be written: {path} ({fault.strerror})",
        ),
        expected="a writable directory with free space",
        found=errno.errorcode.get(fault.errno or 0, "unknown"),
        next_step=Text(
            ko="디스크 공간을 확보하고 다시 실행하세요" if full else "경로와 권한을 확인하세요",
            en="free disk space and run again" if full else "check the path and its permissions",
        ),
    )


def sync_directory(path: Path) -> None:
    """Make the names inside a directory durable; a dead writer may have left some that are not."""
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as fault:
        raise _refused(path, fault) from fault


def make_directory(path: Path) -> None:
    """Create a directory and its missing parents durably; raises ``DataError`` if refused."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            sync_directory(each.parent)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    except OSError as fault:
        raise _refused(path, fault) from fault


def write_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, replacing what was there, old or new but never part.

    Returns after the bytes and the name are on the disk. On any refusal of the operating system
    (disk full, no permission) the old file stays and ``DataError`` is raised.
    """
    draft = path.with_name(path.name + TEMPORARY)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(draft, path)
        sync_directory(path.parent)
    except OSError as fault:
        try:
            draft.unlink(missing_ok=True)
        except OSError as second:
            fault.add_note(f"and the draft could not be removed: {second}")
        raise _refused(path, fault) from fault


def remove_file(path: Path) -> int:
    """Remove a file and return its bytes; raises ``DataError`` if refused."""
    try:
        size = path.stat().st_size
        path.unlink()
    except OSError as fault:
        raise _refused(path, fault) from fault
    return size


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the only writer's place of a table; the kernel frees it if the process dies."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as fault:
        raise _refused(path, fault) from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
