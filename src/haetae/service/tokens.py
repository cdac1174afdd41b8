"""Tokens: who may ask for what. Only their hashes are kept, in a file that its owner alone can read.

A token is 256 random bits, so a plain SHA-256 is enough; every stored hash is compared in constant
time. Roles are nested: a viewer sees, a trader also commands the desk, an admin also puts models in
charge. Not here: HTTP (``access``).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import NS_PER_DAY, Instant
from haetae.ports import Clock

FILE = "tokens.json"
_MODE = 0o600


class Role(IntEnum):
    """What a token may do; each includes the ones before."""

    VIEWER = 1
    TRADER = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The name used in files and on the wire."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Token:
    """A stored token: never the secret, only its hash; ``expires_at`` 0 means never."""

    token_id: str
    role: str
    label: str
    digest: str
    created_at: Instant
    expires_at: Instant = 0


class TokenBook:
    """The tokens of one folder; the file is read again when it changed."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Take the file, which the first ``new`` makes."""
        self.path = path
        self._clock = clock
        self._read: tuple[int, int, tuple[Token, ...]] | None = None

    def new(self, role: Role, *, label: str, days: int = 0) -> tuple[str, Token]:
        """Make a token and return its secret, which is shown once, and its record; 0 days means no end."""
        now = self._clock.now()
        secret = f"hae_{role.word}_{secrets.token_urlsafe(32)}"
        expires = now + days * NS_PER_DAY if days else 0
        made = Token(f"t-{secrets.token_hex(4)}", role.word, label, _digest(secret), now, expires)
        alive = [each for each in self.tokens() if not each.expires_at or each.expires_at > now]
        self._write([*alive, made])
        return secret, made

    def revoke(self, token_id: str) -> None:
        """Forget a token; raises ``ConfigError`` if there is none of that id."""
        kept = [each for each in self.tokens() if each.token_id != token_id]
        if len(kept) == len(self.tokens()):
            raise ConfigError(
                Text(ko="그런 토큰이 없습니다", en="there is no such token"),
                found=token_id[:40],
                next_step=Text(ko="`haetae token list` 로 확인하세요", en="see `haetae token list`"),
            )
        self._write(kept)

    def tokens(self) -> tuple[Token, ...]:
        """Return every stored token; raises ``ConfigError`` if others could read the file."""
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return ()
        if os.name == "posix" and stat.st_mode & 0o077:
            raise ConfigError(
                Text(ko="토큰 파일을 다른 사용자가 읽을 수 있습니다", en="others can read the token file"),
                expected="0600",
                found=f"{stat.st_mode & 0o777:04o}",
                next_step=f"chmod 600 {self.path}",
            )
        if self._read is None or self._read[:2] != (stat.st_mtime_ns, stat.st_size):
            try:
                record = json.loads(self.path.read_text(encoding="utf-8"))
                found = tuple(Token(**each) for each in record["tokens"])
            except (OSError, ValueError, KeyError, TypeError) as fault:
                raise ConfigError(
                    Text(ko="토큰 파일을 읽을 수 없습니다", en="cannot read the token file"),
                    found=str(fault)[:120],
                    next_step=Text(ko="지우고 `haetae token new`", en="delete it, then `haetae token new`"),
                ) from fault
            self._read = (stat.st_mtime_ns, stat.st_size, found)
        return self._read[2]

    def find(self, secret: str) -> Token | None:
        """Return the token of a secret, also an expired one; every hash is compared, found or not."""
        wanted, match = _digest(secret), None
        for each in self.tokens():
            if hmac.compare_digest(each.digest, wanted):
                match = each
        return match

    def expired(self, token: Token) -> bool:
        """Whether a token's time is over."""
        return bool(token.expires_at) and token.expires_at <= self._clock.now()

    def _write(self, tokens: list[Token]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"format": "haetae.tokens/1", "tokens": [asdict(each) for each in tokens]}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)
        self._read = None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
