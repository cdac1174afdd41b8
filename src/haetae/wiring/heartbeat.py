"""A running desk's sign of life: who runs, since when, and how far the operator's file has been read.

One short line of fixed length, written over in place twice a second, so that it needs no free disk and no database.
A kill looks here for somebody who follows it; the sign is old two seconds after the desk stopped moving.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "desk.alive"
OLD_S = 2.0
"""Real seconds after which nobody is taken to be there: four beats were missed."""
_LENGTH = 1_024


@dataclass(frozen=True, slots=True)
class Sign:
    """What the file says.

    ``beat`` is real seconds since 1970, ``day`` the trading day of the desk's market, ``account`` the folder of keys it
    trades with (empty where there is none: an emulator of its own).
    """

    pid: int
    beat: float
    read_to: int
    live: bool
    account: str
    day: str

    def is_old(self) -> bool:
        """Whether nobody has moved for too long, or the process is gone."""
        return abs(time.time() - self.beat) > OLD_S or not _runs(self.pid)


class Heartbeat:
    """Writes the sign of this process."""

    def __init__(self, folder: Path, *, live: bool, account: Path | None, day: str = "") -> None:
        """Make the file; it has its full length at once, so later beats need no space."""
        self._live = live
        self._account = str(account.resolve()) if account is not None else ""
        self.day = day
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        self.beat(0)

    def beat(self, read_to: int) -> None:
        """Say that the desk moves and has read so far."""
        sign = Sign(os.getpid(), time.time(), read_to, self._live, self._account, self.day)
        os.pwrite(self._file, (json.dumps(asdict(sign)) + "\n").encode().ljust(_LENGTH), 0)

    def close(self) -> None:
        """Say that nobody is there any more."""
        os.pwrite(self._file, b"{}\n".ljust(_LENGTH), 0)
        os.close(self._file)


def read(folder: Path) -> Sign | None:
    """Return the sign of a folder, None where no desk has left one that reads."""
    try:
        return Sign(**json.loads((folder / FILE).read_bytes().decode()))
    except (OSError, ValueError, TypeError):
        return None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
