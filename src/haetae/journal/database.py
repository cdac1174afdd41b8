"""``JournalDb``: the journal in one SQLite file.

Settings that durability rests on are set *and read back* at every opening: WAL, ``synchronous=FULL``
(or more). An append with ``durable=True`` returns after the commit reached the disk; other appends
ride with the next commit, at the latest after ``batch`` entries. What was acknowledged survives a
killed process and a power cut; what was not may be lost, as a whole tail, never from the middle.

The chain detects a changed, moved or missing entry; the head row beside it detects a cut tail.
Text of more than ``pack_above`` bytes is stored compressed, the hash is over the plain text.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from haetae.domain import codec
from haetae.domain.errors import JournalError, Text
from haetae.domain.units import Instant
from haetae.journal.chain import GENESIS, link
from haetae.journal.lock import WriterLock
from haetae.journal.projections import CREATE_PROJECTIONS, TABLES, project
from haetae.journal.settings import JournalSettings

SCHEMA_VERSION = 1

_DAMAGE = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged file may raise; text that is no UTF-8 comes from the driver itself."""

_CREATE = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  packed INTEGER NOT NULL,
  payload BLOB NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (kind, seq);
"""


class JournalDb:
    """A journal file; fulfils ``ports.Journal``.

    Parameters
    ----------
    path : file; made if absent, its folder must exist.
    read_only : open beside a writer, without lock; ``append`` is refused.
    """

    def __init__(self, path: Path, settings: JournalSettings | None = None, *, read_only: bool = False) -> None:
        self.path = path
        self._settings = settings or JournalSettings()
        self._read_only = read_only
        if read_only and not path.is_file():
            raise JournalError(
                Text(ko="일지 파일이 없습니다", en="there is no journal file"),
                found=str(path),
                next_step=Text(ko="경로를 확인하세요", en="check the path"),
            )
        self._lock = None if read_only else WriterLock(path.with_name(path.name + ".lock"))
        try:
            self._db = self._open()
            self._seq, self._hash = self._head()
        except _DAMAGE as fault:
            self._release()
            raise _broken(path, f"it does not open: {fault}") from fault
        except JournalError:
            self._release()
            raise
        self._waiting = 0

    def _open(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout={self._settings.busy_timeout_ms}")
        db.execute("PRAGMA trusted_schema=OFF")
        if self._read_only:
            return db
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        level = db.execute("PRAGMA synchronous").fetchone()[0]
        if mode != "wal" or level < 2:
            db.close()
            raise _broken(self.path, f"journal_mode={mode}, synchronous={level} do not keep acknowledged entries")
        db.executescript(_CREATE + CREATE_PROJECTIONS)
        db.execute("INSERT OR IGNORE INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))
        return db

    def _head(self) -> tuple[int, str]:
        version = self._db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
        if version is None or version[0] != str(SCHEMA_VERSION):
            raise _broken(self.path, f"schema version {version} is not {SCHEMA_VERSION}")
        row = self._db.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (0, GENESIS)

    def append(self, kind: str, records: Iterable[tuple[Instant, object]], *, durable: bool) -> int:
        """Append records in order; see ``ports.Journal``.

        Raises
        ------
        JournalError
            The disk refused. Nothing of the open batch is acknowledged and the journal must not be
            used further: whoever trades stops.
        """
        if self._read_only:
            raise _broken(self.path, "it was opened for reading")
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
            for at, record in records:
                self._append_one(kind, at, record)
            if durable or self._waiting >= self._settings.batch:
                self.flush()
        except sqlite3.Error as fault:
            raise _broken(self.path, f"the write failed: {fault}") from fault
        return self._seq

    def _append_one(self, kind: str, at: Instant, record: object) -> None:
        text = codec.encode(record)
        seq = self._seq + 1
        digest = link(self._hash, seq, at, kind, text)
        raw = text.encode()
        packed = len(raw) > self._settings.pack_above
        payload = zlib.compress(raw, 1) if packed else raw
        self._db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (seq, at, kind, int(packed), payload, digest))
        project(self._db, seq, at, record)
        self._seq, self._hash = seq, digest
        self._waiting += 1

    def flush(self) -> None:
        """Commit what waits; returns when it is on the disk."""
        if self._db.in_transaction:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('head', ?)", (f"{self._seq}:{self._hash}",))
            self._db.execute("COMMIT")
        self._waiting = 0

    def entries(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, Any]]:
        """Yield ``(seq, at, kind, record)`` in order; raises ``JournalError`` at an entry that does not decode."""
        for seq, at, found, text, _ in self.raw(kind=kind, after=after):
            yield seq, at, found, codec.decode(text)

    def raw(self, *, kind: str | None = None, after: int = 0) -> Iterator[tuple[int, Instant, str, str, str]]:
        """Yield ``(seq, at, kind, canonical text, hash)`` in order, without decoding."""
        query = "SELECT seq, at, kind, packed, payload, hash FROM entries WHERE seq > ?"
        values: tuple[object, ...] = (after,)
        if kind is not None:
            query, values = query + " AND kind = ?", (after, kind)
        try:
            for seq, at, found, packed, payload, digest in self._db.execute(query + " ORDER BY seq", values):
                yield seq, at, found, self._plain(seq, packed, payload), digest
        except _DAMAGE as fault:
            raise _broken(self.path, f"reading failed: {fault}") from fault

    def _plain(self, seq: int, packed: int, payload: bytes) -> str:
        try:
            return (zlib.decompress(payload) if packed else payload).decode()
        except (zlib.error, UnicodeDecodeError, TypeError, AttributeError) as fault:
            raise _broken(self.path, f"entry {seq} does not unpack") from fault

    def verify(self) -> int:
        """Check every entry against the chain and the head; see ``ports.Journal``."""
        expected, previous = 0, GENESIS
        for seq, at, kind, text, digest in self.raw():
            expected += 1
            if seq != expected:
                raise _broken(self.path, f"entry {expected} is missing")
            if link(previous, seq, at, kind, text) != digest:
                raise _broken(self.path, f"entry {seq} does not fit the hash chain")
            previous = digest
        try:
            committed = self._db.execute("SELECT value FROM meta WHERE name = 'head'").fetchone()
        except _DAMAGE as fault:
            raise _broken(self.path, f"reading failed: {fault}") from fault
        if not self._db.in_transaction and committed is not None and committed[0] != f"{expected}:{previous}":
            raise _broken(self.path, f"the tail is cut: {expected} entries, the head says {committed[0][:20]}")
        if not self._db.in_transaction and committed is None and expected:
            raise _broken(self.path, "the head is missing")
        return expected

    def query(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return rows of a read-only question to the projections (a dashboard's or a test's)."""
        return self._db.execute(sql, values).fetchall()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a projection (one of ``TABLES``) as dicts, in the order of its entries."""
        if table not in TABLES:
            raise KeyError(table)
        names = [row[1] for row in self.query(f"PRAGMA table_info({table})")]
        found = self.query(f"SELECT * FROM {table} ORDER BY seq")  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in found]

    def rebuild(self) -> None:
        """Empty every projection and fold all entries again; the content is the same as before."""
        self.flush()
        self._db.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            self._db.execute(f"DELETE FROM {table}")  # noqa: S608
        for seq, at, _, record in self.entries():
            project(self._db, seq, at, record)
        self._db.execute("COMMIT")

    @property
    def head(self) -> tuple[int, str]:
        """Last sequence number and its hash; names the journal's exact content."""
        return self._seq, self._hash

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def close(self) -> None:
        """Commit what waits, close the file, give the lock back."""
        if not self._read_only:
            self.flush()
        self._db.close()
        self._release()

    def __enter__(self) -> JournalDb:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal."""
        self.close()


def _broken(path: Path, found: str) -> JournalError:
    return JournalError(
        Text(ko=f"일지를 믿을 수 없습니다: {path}", en=f"the journal cannot be trusted: {path}"),
        expected=Text(ko="끊기지 않은 해시 사슬", en="an unbroken hash chain"),
        found=found,
        next_step=Text(
            ko="거래를 멈추고 사본을 보관한 뒤 `haetae journal verify`",
            en="stop trading, keep a copy, then `haetae journal verify`",
        ),
    )
