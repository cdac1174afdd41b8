"""How a text lies in a database: as it is, or compressed where that pays; hashes are over the plain text."""

from __future__ import annotations

import zlib

UNREADABLE = (zlib.error, UnicodeDecodeError, TypeError, AttributeError)
"""What unpacking damaged bytes may raise."""


def pack(text: str, above: int) -> tuple[int, bytes]:
    """Return ``(1, compressed)`` for texts of more than ``above`` bytes, else ``(0, bytes)``."""
    raw = text.encode()
    return (1, zlib.compress(raw, 1)) if len(raw) > above else (0, raw)


def plain(packed: int, payload: bytes) -> str:
    """Return the text again; raises one of ``UNREADABLE``."""
    return (zlib.decompress(payload) if packed else payload).decode()
