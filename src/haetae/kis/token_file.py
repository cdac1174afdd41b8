"""The file that keeps access tokens over restarts and between processes: private, atomic, locked.

Here: `Grant`, `TokenFile` (read, change, the lock of the one who asks). Not here: when to ask (`auth`). The file holds
one entry per address, mode and key, so real and mock never mix. It must be the owner's alone (0600): one that others
can read is refused. One that does not parse is as good as none. A change is a new file, flushed to the disk and
renamed over the old one, under a lock that is held for microseconds; who asks KIS for a token holds another lock.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import NS_PER_DAY, Instant
from haetae.ports import Passing, pass_by

_log = structlog.get_logger(__name__)
_KEPT_NS = 7 * NS_PER_DAY
"""Entries of servers that are gone (an emulator on another port) are dropped after a week."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A token with the instants that rule it; blank where KIS was asked and gave none.

    ``tried_at`` is the last time KIS was asked, whatever it answered; ``dead`` says that KIS refused the token.
    """

    token: str
    expires_at: Instant
    issued_at: Instant
    tried_at: Instant
    dead: bool = False

    def __repr__(self) -> str:
        """Hide the token."""
        return f"Grant(***, expires_at={self.expires_at}, dead={self.dead})"


class TokenFile:
    """One entry of the file, or of nothing where no file is wanted."""

    def __init__(self, path: Path | None, name: str, passing: Passing = pass_by) -> None:
        """Name the entry; nothing is read yet."""
        self._passing = passing
        self._path = path
        self._name = name
        self._memory: Grant | None = None
        self._was_written = self._is_behind = False

    def read(self) -> Grant | None:
        """Return the stored grant; None where there is none or it does not parse.

        Raises ``ConfigError`` where others can read the file.
        """
        if self._path is None or self._is_behind:
            return self._memory
        return _grant(self._entries().get(self._name))

    def write(self, grant: Grant, now: Instant) -> None:
        """Store a grant.

        Raises ``ConfigError`` where the file was never written; later a full disk is told, and the grant is kept here.
        """
        self._memory = grant
        if self._path is None:
            return
        try:
            with self._short_lock():
                entries = {name: entry for name, entry in self._entries().items() if _is_recent(entry, now)}
                self._replace({**entries, self._name: asdict(grant)})
        except ConfigError as fault:
            if not self._was_written:
                raise
            self._is_behind = True
            _log.error("token.file_behind", path=str(self._path), found=fault.found)
            return
        self._was_written, self._is_behind = True, False

    def mark_dead(self, token: str, now: Instant) -> None:
        """Mark a token as refused, unless a newer one is stored."""
        grant = self.read()
        if grant is not None and grant.token == token and not grant.dead:
            self.write(Grant(grant.token, grant.expires_at, grant.issued_at, grant.tried_at, dead=True), now)

    @contextmanager
    def asking(self) -> Iterator[bool]:
        """Hold the lock of the one who asks KIS; gives False where another process holds it."""
        if self._path is None:
            yield True
            return
        with self._opened(".asking") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    @contextmanager
    def _short_lock(self) -> Iterator[None]:
        with self._opened(".lock") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _opened(self, suffix: str) -> Iterator[int]:
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = self._path.with_suffix(self._path.suffix + suffix)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise _unwritable(self._path, fault) from fault
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _entries(self) -> dict[str, object]:
        assert self._path is not None
        try:
            with self._path.open(encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode & 0o777
                if mode & 0o077:
                    raise ConfigError(
                        Text(ko="토큰 파일을 남이 읽을 수 있습니다", en="others can read the token file"),
                        expected="0600",
                        found=f"{self._path}: {mode:04o}",
                        next_step=f"chmod 600 {self._path}",
                    )
                found = json.load(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as fault:
            _log.warning("token.file_unreadable", path=str(self._path), fault=type(fault).__name__)
            return {}
        return found if isinstance(found, dict) else {}

    def _replace(self, entries: dict[str, object]) -> None:
        path = self._path
        assert path is not None
        fresh = path.with_suffix(path.suffix + ".new")
        try:
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file)
                file.flush()
                self._passing("token.draft_written")
                os.fsync(file.fileno())
            self._passing("token.draft_synced")
            fresh.replace(path)
            self._passing("token.renamed")
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._passing("token.durable")
        except OSError as fault:
            raise _unwritable(path, fault) from fault


def _grant(entry: object) -> Grant | None:
    if not isinstance(entry, dict):
        return None
    try:
        expires_at, issued_at, tried_at = (int(entry[name]) for name in ("expires_at", "issued_at", "tried_at"))
        return Grant(str(entry["token"]), expires_at, issued_at, tried_at, dead=bool(entry.get("dead")))
    except (KeyError, TypeError, ValueError):
        return None


def _is_recent(entry: object, now: Instant) -> bool:
    grant = _grant(entry)
    return grant is not None and abs(now - grant.tried_at) < _KEPT_NS


def _unwritable(path: Path, fault: OSError) -> ConfigError:
    return ConfigError(
        Text(ko=f"토큰 파일을 쓸 수 없습니다: {path}", en=f"the token file cannot be written: {path}"),
        expected=Text(ko="쓸 수 있는 내 폴더", en="a folder of your own with room left"),
        found=fault.strerror or type(fault).__name__,
        next_step=Text(ko="[kis] 의 token_file 을 바꾸거나 공간을 비우세요", en="set another token_file in [kis]"),
    )
