"""The hash chain: every entry's hash covers its fields and the hash before it."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from haetae.domain.units import Instant

GENESIS = "0" * 64
"""The hash before the first entry."""


class Entry(NamedTuple):
    """One entry as it is kept: ``text`` is the canonical text of its record, ``digest`` its hash as hex."""

    seq: int
    at: Instant
    kind: str
    text: str
    digest: str


def link(previous: str, seq: int, at: int, kind: str, payload: str) -> str:
    """Return the SHA-256 of an entry behind ``previous``, as hex."""
    whole = f"{previous}\x1f{seq}\x1f{at}\x1f{kind}\x1f{len(payload)}\x1f{payload}"
    return hashlib.sha256(whole.encode()).hexdigest()
