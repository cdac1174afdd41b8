"""The hash chain: every entry's hash covers its fields and the hash before it."""

from __future__ import annotations

import hashlib

GENESIS = "0" * 64
"""The hash before the first entry."""


def link(previous: str, seq: int, at: int, kind: str, payload: str) -> str:
    """Return the SHA-256 of an entry behind ``previous``, as hex."""
    head = f"{previous}\x1f{seq}\x1f{at}\x1f{kind}\x1f{len(payload)}\x1f"
    return hashlib.sha256((head + payload).encode()).hexdigest()
