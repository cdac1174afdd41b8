"""One writer: an exclusive lock on a file beside the journal, released by the system on death."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from haetae.journal.lease import in_use


class WriterLock:
    """Holds the lock from construction to ``release``; a second holder is refused at once."""

    def __init__(self, path: Path, *, instead: bool = False) -> None:
        """Take the lock; raises ``JournalError`` when another process has it.

        ``instead`` takes it from a holder that is still there but was replaced: its file is removed and made anew,
        so that the old holder locks a file without a name, and whoever comes next meets the new one.
        """
        if instead:
            path.unlink(missing_ok=True)
        self._path = path
        self._file: IO[bytes] = path.open("ab")
        try:
            _seize(self._file)
        except OSError as fault:
            self._file.close()
            raise in_use(str(path)) from fault
        if not self._named():
            self._file.close()
            raise in_use(str(path))

    def _named(self) -> bool:
        """Say whether the locked file still is the one the name leads to."""
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        locked = os.fstat(self._file.fileno())
        return (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino)

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def _seize(file: IO[bytes]) -> None:
    if sys.platform == "win32":  # pragma: no cover - there is no such machine in the tests
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
