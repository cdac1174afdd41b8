"""The access token: one owner, kept over restarts, renewed before it dies, never asked for twice a minute.

Here: the cache file (mode 0600, atomic, locked across processes), renewal, the minute between issues. Not here:
the call itself (`rest` passes it in). The file keeps tokens per address and key, so real and mock never mix.
Expiry is an instant, compared on the injected clock.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from haetae.domain.errors import ConfigError
from haetae.domain.units import NS_PER_SECOND, Instant
from haetae.kis.settings import KisSettings
from haetae.ports import Clock

_log = structlog.get_logger(__name__)
_LOCK_WAIT_S = 0.5


@dataclass(frozen=True, slots=True)
class Grant:
    """A token with the instants that rule it; ``asked_at`` is the last try, granted or not."""

    token: str
    expires_at: Instant
    asked_at: Instant


class Tokens:
    """Gives out the token in force; issues at most one at a time and one a minute."""

    def __init__(
        self, settings: KisSettings, clock: Clock, issue: Callable[[], Awaitable[tuple[str, Instant]]]
    ) -> None:
        """Read nothing yet; ``issue`` asks KIS for (token, expiry)."""
        self._settings = settings
        self._clock = clock
        self._issue = issue
        self._grant: Grant | None = None
        self._issuing = asyncio.Lock()
        name = f"{settings.rest_url}|{settings.mode.value}|{settings.app_key}"
        self._name = hashlib.sha256(name.encode()).hexdigest()[:16]

    async def token(self) -> str:
        """Return a token that is good now, issuing one if need be."""
        if self._good(self._grant):
            return self._grant.token  # type: ignore[union-attr]
        async with self._issuing:
            if not self._good(self._grant):
                await self._renew()
            return self._grant.token if self._grant else ""

    def drop(self, token: str) -> None:
        """Forget a token KIS called unknown or expired; a newer one stays."""
        grant = self._grant or self._stored()
        if grant is not None and grant.token == token:
            self._grant = Grant("", 0, grant.asked_at)
            self._store(self._grant)

    def _good(self, grant: Grant | None) -> bool:
        if grant is None or not grant.token:
            return False
        now = self._clock.now()
        age_s = (now - grant.asked_at) / NS_PER_SECOND
        return now < grant.expires_at and 0 <= age_s < self._settings.token_renew_s

    async def _renew(self) -> None:
        with _locked(self._settings.token_file) as lock:
            while not lock():
                await self._clock.sleep(_LOCK_WAIT_S)
            stored = self._stored()
            if self._good(stored):
                self._grant = stored
                return
            if stored is not None:
                since = (self._clock.now() - stored.asked_at) / NS_PER_SECOND
                if 0 <= since < self._settings.token_interval_s:
                    await self._clock.sleep(self._settings.token_interval_s - since)
            asked_at = self._clock.now()
            self._store(Grant("", 0, asked_at))
            token, expires_at = await self._issue()
            self._grant = Grant(token, expires_at, asked_at)
            self._store(self._grant)
            _log.info("token.issued", expires_at=expires_at)

    def _read_file(self) -> dict[str, dict[str, object]]:
        path = self._settings.token_file
        if path is None or not path.exists():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            _log.warning("token.file_unreadable", path=str(path), fault=str(fault))
            return {}
        return found if isinstance(found, dict) else {}

    def _stored(self) -> Grant | None:
        entry = self._read_file().get(self._name)
        if entry is None:
            return self._grant
        try:
            return Grant(str(entry["token"]), int(str(entry["expires_at"])), int(str(entry["asked_at"])))
        except (KeyError, TypeError, ValueError):
            return None

    def _store(self, grant: Grant) -> None:
        path = self._settings.token_file
        self._grant = grant
        if path is None:
            return
        entries = self._read_file() | {self._name: asdict(grant)}
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(entries, file)
            fresh.replace(path)
        except OSError as fault:
            raise ConfigError(
                f"the token file {path} cannot be written: {fault}",
                expected="a folder of your own",
                found=str(path.parent),
                next_step="set another token_file in [kis]",
            ) from fault


@contextmanager
def _locked(path: Path | None) -> Iterator[Callable[[], bool]]:
    """Give a function that tries to take the file's lock; released at the end."""
    if path is None:
        yield lambda: True
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a", encoding="utf-8") as file:

        def attempt() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        yield attempt
