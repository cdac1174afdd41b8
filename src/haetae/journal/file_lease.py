"""The lease of a journal file: a lock of the system beside it, and a row in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from haetae.domain.errors import JournalError
from haetae.journal.chained import broken
from haetae.journal.lease import RENEW_S, Holder, LeaseRow, expired, in_use
from haetae.journal.lock import WriterLock


class FileLease:
    """``ports.Lease`` over a journal file.

    The lock is asked first. Where it is taken, only a lease whose term ended may be replaced; who does so gets the
    next epoch in one transaction and then a lock file of its own.
    """

    def __init__(self, path: Path, holder: Holder) -> None:
        """Ask for the lock; raises ``JournalError`` where another process has it and no clock could judge its term."""
        self._path = path
        self._holder = holder
        self._row = LeaseRow(0, "", 0, "", 0)
        self._lost = False
        self._db: sqlite3.Connection | None = None
        self._lock: WriterLock | None = None
        try:
            self._lock = WriterLock(self._lock_path)
        except JournalError:
            if holder.monotonic is None or not path.is_file():
                raise

    @property
    def _lock_path(self) -> Path:
        return self._path.with_name(self._path.name + ".lock")

    def take(self, db: sqlite3.Connection) -> None:
        """Take the next epoch; raises ``JournalError`` where the holder before still has its term."""
        db.execute("BEGIN IMMEDIATE")
        before = _read(db)
        if self._lock is None and (before is None or not before.over(self._holder)):
            db.execute("ROLLBACK")
            raise in_use(str(self._path))
        holder = self._holder
        self._row = LeaseRow(
            before.epoch + 1 if before else 1, holder.host, holder.pid, holder.boot, holder.expiry_ms()
        )
        _put(db, self._row)
        db.execute("COMMIT")
        self._db = db
        if self._lock is None:
            self._lock = WriterLock(self._lock_path, instead=True)

    @property
    def epoch(self) -> int:
        """Return the number of this holder."""
        return self._row.epoch

    def holds(self) -> bool:
        """Renew where a third of the term is over, and say whether nobody took over since; False is for good."""
        if self._lost or self._db is None:
            return False
        try:
            newest = _read(self._db)
            if newest is None or newest.epoch != self.epoch:
                self._lost = True
            elif self._old():
                self._db.execute("BEGIN IMMEDIATE")
                self.renew(self._db)
                self._db.execute("COMMIT")
        except (sqlite3.Error, JournalError):
            self._lost = True
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        return not self._lost

    def _old(self) -> bool:
        clock = self._holder.monotonic
        return clock is not None and self._holder.expiry_ms() - self._row.expiry_ms > RENEW_S * 1_000

    def renew(self, db: sqlite3.Connection) -> None:
        """Renew within the caller's transaction; raises ``JournalError`` where somebody took over."""
        fresh = LeaseRow(self.epoch, self._row.host, self._row.pid, self._row.boot, self._holder.expiry_ms())
        if self._lost or not _renew(db, fresh):
            self._lost = True
            raise expired(str(self._path), self.epoch)
        self._row = fresh

    def release(self) -> None:
        """Give the lock back; the row stays, so that epochs only grow."""
        self._lost, self._db = True, None
        if self._lock is not None:
            self._lock.release()

    @staticmethod
    def check(db: sqlite3.Connection, name: str) -> None:
        """Check that the row is as a holder wrote it; raises ``JournalError``."""
        rows = db.execute("SELECT one, epoch, host, pid, boot, expiry_ms, seal FROM lease").fetchall()
        if any(row[0] != 1 or LeaseRow(*row[1:6]).seal != row[6] for row in rows):
            raise broken(name, "the lease row was changed by somebody else")


def _read(db: sqlite3.Connection) -> LeaseRow | None:
    row = db.execute("SELECT epoch, host, pid, boot, expiry_ms FROM lease").fetchone()
    return None if row is None else LeaseRow(*row)


def _put(db: sqlite3.Connection, row: LeaseRow) -> None:
    db.execute(
        "INSERT OR REPLACE INTO lease VALUES (1, ?, ?, ?, ?, ?, ?)",
        (row.epoch, row.host, row.pid, row.boot, row.expiry_ms, row.seal),
    )


def _renew(db: sqlite3.Connection, row: LeaseRow) -> bool:
    """Write a renewal; says whether the epoch still was its own."""
    changed = db.execute(
        "UPDATE lease SET expiry_ms = ?, seal = ? WHERE epoch = ?", (row.expiry_ms, row.seal, row.epoch)
    ).rowcount
    return changed == 1
