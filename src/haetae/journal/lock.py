"""One writer: an exclusive lock on a file beside the journal, released by the system on death."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from haetae.domain.errors import JournalError, Text


class WriterLock:
    """Holds the lock from construction to ``release``; a second holder is refused at once."""

    def __init__(self, path: Path) -> None:
        """Take the lock; raises ``JournalError`` when another process has it."""
        self._file: IO[bytes] = path.open("ab")
        try:
            _seize(self._file)
        except OSError as fault:
            self._file.close()
            raise JournalError(
                Text(ko="다른 프로세스가 일지를 쓰고 있습니다", en="another process is writing this journal"),
                expected=Text(ko="한 일지에 한 프로세스", en="one process per journal"),
                found=str(path),
                next_step=Text(ko="먼저 실행한 프로세스를 끝내세요", en="end the process that was started first"),
            ) from fault

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def _seize(file: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
