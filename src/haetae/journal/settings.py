"""Settings of the journal, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How the database is kept."""

    batch: int = 64
    """Entries that may wait for one commit when nobody asked for durability: an fsync costs 4 to 12 ms."""

    pack_above: int = 512
    """Payloads of more bytes are stored compressed: a minute of fifty symbols shrinks to about a third."""

    busy_timeout_ms: int = 5_000
    """Readers (dashboard, export) may hold the file for a moment."""
