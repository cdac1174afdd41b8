"""The lease: who may write a journal now, and how a holder learns that it is somebody else.

A row of the journal's database names the newest holder by a number that only grows, the *epoch*. Every write of a
holder renews the row in its own transaction, and only if the number still is its own: a holder that slept while
another took over cannot write, whatever it believes (fencing). Beside the row stands a lock that the system gives
back when a process dies: a file lock, or an advisory lock of the server.

A holder whose lock is still there but whose row was not renewed for its term (a stopped machine) may be replaced.
Terms are counted on the clock the holder brings: one that never steps back and that every process of the host reads
alike, or the server's. Not here: the locks (``lock``, ``postgres``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from haetae.domain.errors import JournalError, Text

TERM_S = 10.0
"""How long a lease lasts without renewal (design: expiry 10 s, renewed with every write)."""
RENEW_S = 3.0
"""How old a renewal may become before ``holds`` renews: a third of the term, so that two may fail."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that takes a lease.

    ``monotonic`` gives seconds that all processes of this boot of the host read alike (``CLOCK_MONOTONIC``) and
    ``boot`` names the boot; without a clock a lease has no term and is replaced only when its lock is free.
    """

    host: str = ""
    pid: int = 0
    boot: str = ""
    monotonic: Callable[[], float] | None = None

    def expiry_ms(self) -> int:
        """Return when a renewal made now ends, in milliseconds of the clock; 0 without one."""
        return int((self.monotonic() + TERM_S) * 1_000) if self.monotonic is not None else 0


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """The newest holder of a journal, as its database keeps it; ``expiry_ms`` 0 means until its lock is free."""

    epoch: int
    host: str
    pid: int
    boot: str
    expiry_ms: int

    @property
    def seal(self) -> str:
        """Return a short hash of the cells that last; a changed byte of them shows."""
        text = f"{self.epoch}\x1f{self.host}\x1f{self.pid}\x1f{self.boot}\x1f{self.expiry_ms}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def over(self, asking: Holder) -> bool:
        """Say whether this lease ended, on the clock of who asks; never where that cannot be known."""
        if asking.monotonic is None or not self.expiry_ms or (asking.host, asking.boot) != (self.host, self.boot):
            return False
        return asking.monotonic() * 1_000 > self.expiry_ms


def in_use(name: str) -> JournalError:
    """Return the refusal of a second writer."""
    return JournalError(
        Text(ko="다른 프로세스가 일지를 쓰고 있습니다", en="another process is writing this journal"),
        expected=Text(ko="한 일지에 한 프로세스", en="one process per journal"),
        found=name,
        next_step=Text(ko="먼저 실행한 프로세스를 끝내세요", en="end the process that was started first"),
    )


def expired(name: str, epoch: int) -> JournalError:
    """Return the refusal of a holder that somebody replaced."""
    return JournalError(
        Text(ko="일지를 쓸 권리를 다른 프로세스가 넘겨받았습니다", en="another process took over this journal"),
        expected=Text(ko=f"임대 번호 {epoch}", en=f"lease number {epoch}"),
        found=f"{name}: a newer lease",
        next_step=Text(
            ko="이 프로세스를 끝내고 새 프로세스가 복구하게 두세요",
            en="end this process and let the new one recover",
        ),
    )
