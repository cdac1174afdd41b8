"""Files that are whole or absent, also after a power cut.

Here: write a file so that it is on the disk when the call returns (temporary name in the same
directory, fsync, rename or link, fsync of the directory), a lock between writers, and the
translation of the operating system's refusals into ``DataError``. A refused ``fsync`` is final: the
kernel may have dropped the bytes and would call a second try a success, so nothing here tries
again. Not here: what the files mean (``log``).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from haetae.domain.errors import DataError, Text
from haetae.ports import Passing, pass_by

TEMPORARY = ".tmp"
"""Suffix of files that are not finished; readers never look at them."""

_NEXT = {
    errno.ENOSPC: Text(ko="디스크 공간을 확보하고 다시 실행하세요", en="free disk space and run again"),
    errno.EIO: Text(
        ko="디스크가 고장 나고 있습니다: 다른 디스크로 옮기고 `haetae lake check`",
        en="the disk is failing: move to another one and run `haetae lake check`",
    ),
    errno.EROFS: Text(ko="쓸 수 있게 다시 마운트하세요", en="mount the file system for writing"),
}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def _refused(path: Path, fault: OSError) -> DataError:
    number = errno.ENOSPC if fault.errno in _FULL else fault.errno or 0
    return DataError(
        Text(
            ko=f"레이크에 쓸 수 없습니다: {path} ({fault.strerror})",
            en=f"the lake cannot be written: {path} ({fault.strerror})",
        ),
        expected="a writable directory with free space",
        found=errno.errorcode.get(fault.errno or 0, "unknown"),
        next_step=_NEXT.get(number, Text(ko="경로와 권한을 확인하세요", en="check the path and its permissions")),
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


def make_directory(path: Path, passing: Passing = pass_by) -> None:
    """Create a directory and its missing parents durably; raises ``DataError`` if refused."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    try:
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            passing("lake.folder_made")
            sync_directory(each.parent)
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    except OSError as fault:
        raise _refused(path, fault) from fault


def _draft(path: Path, content: bytes, passing: Passing) -> Path:
    """Put the bytes on the disk under a temporary name of this process beside ``path``."""
    draft = path.with_name(f"_{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            passing("lake.draft_opened")
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            passing("lake.draft_written")
            os.fsync(handle)
            passing("lake.draft_synced")
        finally:
            os.close(handle)
    except OSError as fault:
        _tidy(draft)
        raise _refused(path, fault) from fault
    return draft


def _tidy(draft: Path) -> None:
    with suppress(OSError):  # a draft that stays is no harm: readers do not see it and the clean-up takes it
        draft.unlink(missing_ok=True)


def write_file(path: Path, content: bytes, passing: Passing = pass_by) -> None:
    """Put ``content`` at ``path``, replacing what was there, old or new but never part.

    Returns after the bytes and the name are on the disk. On any refusal of the operating system
    (disk full, no permission) the old file stays and ``DataError`` is raised.
    """
    draft = _draft(path, content, passing)
    try:
        os.rename(draft, path)
        passing("lake.file_renamed")
    except OSError as fault:
        _tidy(draft)
        raise _refused(path, fault) from fault
    sync_directory(path.parent)
    passing("lake.file_durable")


def create_file(path: Path, content: bytes, passing: Passing = pass_by) -> bool:
    """Put ``content`` at ``path`` unless something is there already; tell whether it was done.

    The name appears by a hard link, which is refused where it exists, so of two writers one wins
    whatever locks they hold. Where the file system knows no links, the caller's lock must suffice.
    Durable and whole or absent as in ``write_file``; if only the last step is refused (the folder's
    ``fsync``), the file is there for readers but may not outlive a power cut, and ``DataError`` is raised.
    """
    draft = _draft(path, content, passing)
    try:
        _give_name(draft, path)
        passing("lake.entry_named")
        sync_directory(path.parent)
        passing("lake.entry_durable")
    except FileExistsError:
        return False
    except OSError as fault:
        raise _refused(path, fault) from fault
    finally:
        _tidy(draft)
    return True


def _give_name(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except OSError as fault:
        if fault.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from fault
        os.rename(draft, path)


def remove_file(path: Path) -> None:
    """Remove a file, absent or not; raises ``DataError`` if refused."""
    try:
        path.unlink(missing_ok=True)
    except OSError as fault:
        raise _refused(path, fault) from fault


@contextmanager
def writer_lock(path: Path) -> Iterator[None]:
    """Hold the only writer's place of a table on this machine; the kernel frees it if the process dies."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as fault:
        raise _refused(path, fault) from fault
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
