"""How a text lies in a database: as it is, or compressed where that pays; hashes are over the plain text.

Zstandard at its first level: to unpack a minute of fifty symbols takes a third of what zlib takes, in less room, and
unpacking was half of what verifying a journal cost. What earlier versions packed with zlib is read as well.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import zstandard

PLAIN, ZLIB, ZSTD = 0, 1, 2
"""What the column ``packed`` says."""

UNREADABLE = (zlib.error, zstandard.ZstdError, ValueError, TypeError, AttributeError)
"""What unpacking damaged bytes may raise; text that is no UTF-8 is a ``ValueError``."""

_LEVEL = 1
_LONGEST = 1 << 28
"""No entry is a quarter of a gigabyte: damaged bytes that promise more are not believed."""


def packer(above: int) -> Callable[[str], tuple[int, bytes]]:
    """Return what packs the texts of one transaction: those of more than ``above`` bytes compressed.

    It is not for two threads at once.
    """
    compress = zstandard.ZstdCompressor(level=_LEVEL).compress

    def pack(text: str) -> tuple[int, bytes]:
        raw = text.encode()
        return (ZSTD, compress(raw)) if len(raw) > above else (PLAIN, raw)

    return pack


def unpacker() -> Callable[[int, bytes], str]:
    """Return what gives the texts of one reading again, raising one of ``UNREADABLE``; not for two threads at once."""
    decompress, promised = zstandard.ZstdDecompressor().decompress, zstandard.frame_content_size

    def plain(packed: int, payload: bytes) -> str:
        if packed == PLAIN:
            return payload.decode()
        if packed == ZSTD:
            if promised(payload) > _LONGEST:
                raise ValueError("a text of that length is no entry")
            return decompress(payload, allow_extra_data=False).decode()
        if packed == ZLIB:
            return zlib.decompress(payload).decode()
        raise ValueError(f"no packing {packed}")

    return plain
