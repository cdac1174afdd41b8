"""Room on the journal's disk: how much is left, and a ballast that a full disk can give back.

A disk that fills up stops the journal, and a desk without a journal stops. So people are told early and entries
stop before exits do; and a file of zeroes lies beside the journal that may be removed to close the day.
Source of the shares: the design's answer to a half-dead bot on a full disk (alarm at 20 %, no entries at 10 %).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from haetae.domain.errors import JournalError, Text

ALARM, NO_ENTRIES = 0.20, 0.10
"""Shares of the disk that are free."""
ENOUGH_BYTES = 20 * 1024**3
"""A large disk with so much room is not short of it, whatever its share: a day writes some ten megabytes."""
BALLAST_BYTES = 512 * 1024**2
"""What ten days of journal, logs and bars need together, with room to spare."""
BALLAST = "ballast"


class Room(Enum):
    """How much room a disk has."""

    ENOUGH = "enough"
    LOW = "low"
    SHORT = "short"

    @property
    def entries_allowed(self) -> bool:
        """Whether the desk may still begin something new."""
        return self is not Room.SHORT


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a disk."""

    free: int
    total: int

    @property
    def room(self) -> Room:
        """Return how much that is."""
        if self.free >= ENOUGH_BYTES:
            return Room.ENOUGH
        share = self.free / max(self.total, 1)
        return Room.SHORT if share < NO_ENTRIES else Room.LOW if share < ALARM else Room.ENOUGH


def space_of(folder: Path) -> Space:
    """Return the bytes of the disk a folder lies on."""
    found = shutil.disk_usage(folder)
    return Space(found.free, found.total)


class Ballast:
    """A file beside the journal that takes room now and gives it back when the disk is full."""

    def __init__(self, folder: Path, size: int = BALLAST_BYTES) -> None:
        """Touch nothing yet."""
        self.path = folder / BALLAST
        self._size = size

    def put(self) -> bool:
        """Make the file if it is not whole; says whether it is there now.

        None is made on a disk that is low already: it would bring about what it is there against.
        """
        have = self.path.stat().st_size if self.path.is_file() else 0
        if have >= self._size:
            return True
        space = space_of(self.path.parent)
        if Space(space.free - self._size + have, space.total).room is not Room.ENOUGH:
            return False
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)
            os.fsync(handle)
        except OSError as fault:
            raise _not_put(self.path, fault) from fault
        finally:
            os.close(handle)
        return True

    def give(self) -> int:
        """Remove the file; return the bytes that are free now because of it."""
        have = self.path.stat().st_size if self.path.is_file() else 0
        self.path.unlink(missing_ok=True)
        return have


def _not_put(path: Path, fault: OSError) -> JournalError:
    return JournalError(
        Text(ko="예비 공간을 잡지 못했습니다", en="the ballast was not made"),
        expected=f"{BALLAST_BYTES:,} B",
        found=f"{path}: {fault.strerror}",
        next_step=Text(ko="디스크 공간을 비우세요", en="free some space"),
    )
