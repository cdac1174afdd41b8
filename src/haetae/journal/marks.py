"""The mark beside a journal: the last head that was acknowledged, in a file of its own.

A database whose write-ahead file was cut, or that was replaced by an older copy, is consistent in itself: nothing in
it tells that entries are missing. The mark does. It is written after each commit and not synced, so it never runs
ahead of the database; a mark that cannot be read says nothing.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path


def mark_path(journal: Path) -> Path:
    """Return where the mark of a journal lies."""
    return journal.with_name(journal.name + ".mark")


def read_mark(journal: Path) -> tuple[int, str] | None:
    """Return the marked head, None where there is none that can be read."""
    try:
        seq, digest, check = mark_path(journal).read_text("ascii").split()
    except (OSError, ValueError):
        return None
    if check != _check(f"{seq} {digest}") or not seq.isdecimal():
        return None
    return int(seq), digest


def _check(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


class Mark:
    """The mark of an open journal."""

    def __init__(self, journal: Path) -> None:
        """Open the file, made if absent."""
        self._file = os.open(mark_path(journal), os.O_RDWR | os.O_CREAT, 0o644)

    def put(self, seq: int, digest: str) -> None:
        """Note a head that is on the disk; numbers have one width, so that the line is always whole."""
        text = f"{seq:020d} {digest}"
        os.pwrite(self._file, f"{text} {_check(text)}\n".encode(), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
