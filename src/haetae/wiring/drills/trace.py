"""What happened in a drill, in order, as one hash: the same seed gives the same hash, in any process.

Here: ``Trace``, which keeps the newest lines for whoever has to explain a violation, and all of them where asked to;
``logs_into``, which keeps what is logged meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from haetae.domain.units import Instant, kst_text

_KEPT = 30
"""Lines that a violation is shown with."""


class Trace:
    """A hash over every event, with the newest lines."""

    def __init__(self, *, whole: bool = False) -> None:
        """Keep every line where ``whole``."""
        self._hash = hashlib.blake2b(digest_size=16)
        self._lines: deque[tuple[Instant, str, str]] = deque(maxlen=None if whole else _KEPT)
        self.count = 0

    def tell(self, at: Instant, kind: str, text: str) -> None:
        """Take one line: when by a right clock, of what kind, what."""
        self._hash.update(f"{at}\x1f{kind}\x1f{text}\n".encode())
        self._lines.append((at, kind, text))
        self.count += 1

    def digest(self) -> str:
        """Return the hash so far."""
        return self._hash.hexdigest()

    def lines(self) -> list[str]:
        """Return what is kept, oldest first, for people."""
        return [f"{kst_text(at)} {kind} {text}" for at, kind, text in self._lines]


@contextmanager
def logs_into(lines: list[str]) -> Iterator[None]:
    """Keep every log line in a list in place of printing it."""
    before = structlog.get_config()

    def keep(logger: Any, method: str, event: Any) -> Any:
        lines.append(f"{method} {event!r}")
        raise structlog.DropEvent

    structlog.configure(
        processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(20), cache_logger_on_first_use=False
    )
    try:
        yield
    finally:
        structlog.configure(**before)
