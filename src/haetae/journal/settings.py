"""Settings of the journal, with the reason beside each default."""

from __future__ import annotations

from dataclasses import dataclass

from haetae.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How the database is kept."""

    batch: int = 64
    """Entries that may wait for one commit when nobody asked for durability: an fsync costs 4 to 12 ms."""

    pack_above: int = 1_024
    """Payloads of more bytes are stored compressed: a minute of fifty symbols shrinks to about a third; orders and
    decisions are smaller, and unpacking them would cost a replay more than they take."""

    busy_timeout_ms: int = 5_000
    """Readers (dashboard, export) may hold the file for a moment."""

    wal_pages: int = 1_000
    """Pages of the write-ahead file before it is folded into the database: 4 MB, a few milliseconds of work."""

    address: Secret | None = None
    """``postgresql://…`` of a database that holds this desk's journal, from the environment alone; none is a file in
    the desk's folder."""

    connect_timeout_s: int = 5
    """A database server that does not answer by then is down: the desk does not start without its journal."""

    write_timeout_s: int = 10
    """A write that takes longer has failed; orders wait for it, and a lease lasts as long."""
