"""``JournalDb``: the journal in one SQLite file.

Settings that durability rests on are set *and read back* at every opening: WAL, ``synchronous=FULL`` and the rest of
``layout.apply_settings``. One process writes, from the thread that opened the journal; readers open beside it and may
be shared by threads that take turns. Text of more than ``pack_above`` bytes is stored compressed, the hash is over
the plain text. No space, a failing disk or a lost lease end the journal: nothing further is acknowledged.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from haetae.domain.errors import JournalError, Text
from haetae.journal import layout
from haetae.journal.chain import Entry
from haetae.journal.chained import ChainedJournal
from haetae.journal.file_lease import FileLease
from haetae.journal.lease import Holder
from haetae.journal.marks import Mark, read_mark
from haetae.journal.packing import UNREADABLE, packer, unpacker
from haetae.journal.projections import Changes
from haetae.journal.settings import JournalSettings
from haetae.journal.tables import PROJECTIONS, Key, Row, Table
from haetae.ports import Passing, pass_by

_DAMAGE = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What reading a damaged file may raise; text that is no UTF-8 comes from the driver itself."""


class JournalDb(ChainedJournal):
    """A journal file; fulfils ``ports.Journal``.

    Parameters
    ----------
    path : file; made if absent, its folder must exist.
    read_only : open beside a writer, without lease; ``append`` is refused.
    holder : who takes the lease; without one it has no term and no living process is ever replaced.
    passing : told each dangerous point of a write.
    """

    def __init__(
        self,
        path: Path,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> None:
        super().__init__(str(path), settings, read_only=read_only)
        self.path = path
        self._passing = passing
        self._lease: FileLease | None = None
        self._mark: Mark | None = None
        self._db: sqlite3.Connection | None = None
        fresh = not path.is_file()
        if read_only and fresh:
            raise absent(str(path))
        self._marked = None if fresh else read_mark(path)
        try:
            with self._reading("it does not open"):
                self._open(holder or Holder())
                self._seq, self._hash = self._last()
                self._check_mark()
        except JournalError:
            self._shut()
            raise
        passing("journal.opened")

    # -- opening ---------------------------------------------------------------------------------

    def _open(self, holder: Holder) -> None:
        if not self.read_only:
            self._lease = FileLease(self.path, holder)
        uri = f"{self.path.absolute().as_uri()}?mode={'ro' if self.read_only else 'rwc'}"
        self._db = db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=not self.read_only)
        differing = layout.apply_settings(db, self.settings, read_only=self.read_only)
        self._lay(db)
        # Read back behind the first write: SQLite answers "wal" also where the disk refused that setting.
        mode = db.execute("PRAGMA journal_mode").fetchone()[0]
        if differing or mode != "wal":
            raise self._broken(f"settings do not keep acknowledged entries: journal_mode={mode}, {differing}")
        if self._lease is not None:
            self._lease.take(db)
            self._mark = Mark(self.path)

    def _lay(self, db: sqlite3.Connection) -> None:
        version = layout.version_of(db)
        if version > layout.SCHEMA_VERSION:
            raise self._version(version, Text(ko="프로그램을 새로 설치하세요", en="install the newer program"))
        if version == layout.SCHEMA_VERSION:
            return
        if not version and self._marked is not None:
            raise self._lacking()
        if self.read_only:
            raise self._version(version, f"haetae journal migrate {self.path}")
        db.execute("BEGIN IMMEDIATE")
        if version:
            layout.migrate(db)
        else:
            layout.create(db)
        self._passing("journal.tables_made")
        db.execute("COMMIT")
        sync_folder(self.path.parent)

    def _version(self, version: int, next_step: str | Text) -> JournalError:
        return JournalError(
            Text(ko=f"일지의 판이 다릅니다: {self.path}", en=f"the journal has another version: {self.path}"),
            expected=f"schema {layout.SCHEMA_VERSION}",
            found=f"schema {version}",
            next_step=next_step,
        )

    def _last(self) -> tuple[int, str]:
        row = self._ask("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return (int(row[0]), str(row[1])) if row else (self._seq, self._hash)

    def _check_mark(self) -> None:
        """Refuse a database that lacks what was acknowledged."""
        if self._marked is None:
            return
        row = self._ask("SELECT hash FROM entries WHERE seq = ?", (self._marked[0],)).fetchone()
        if row is None or row[0] != self._marked[1]:
            raise self._lacking()

    def _lacking(self) -> JournalError:
        seq = self._marked[0] if self._marked is not None else 0
        return self._broken(f"{seq} entries were acknowledged, but it ends at {self._seq}, or with others")

    @property
    def lease(self) -> FileLease:
        """Return the right under which this journal writes; raises ``JournalError`` for a reader."""
        if self._lease is None:
            raise self._broken("it was opened for reading")
        return self._lease

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, entries: Sequence[Entry], changes: Changes) -> None:
        pack = packer(self.settings.pack_above)
        with self._transaction() as db:
            db.executemany(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)",
                [(seq, at, kind, *pack(text), digest) for seq, at, kind, text, digest in entries],
            )
            self._passing("journal.entry_inserted")
            for name, rows in changes.items():
                db.executemany(layout.upsert(PROJECTIONS[name]), rows)
            self._passing("journal.entry_projected")
            db.execute("INSERT OR REPLACE INTO meta VALUES ('head', ?)", (f"{entries[-1].seq}:{entries[-1].digest}",))
            self._passing("journal.before_commit")
        self._passing("journal.committed")
        assert self._mark is not None
        self._mark.put(entries[-1].seq, entries[-1].digest)

    def _replace(self, tables: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        with self._transaction() as db:
            for table, rows in tables:
                db.execute(f"DELETE FROM {table.name}")  # noqa: S608
                db.executemany(layout.upsert(table), rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a transaction under the lease; it is on the disk when the block is left, or nothing of it is."""
        db = self._connection
        try:
            db.execute("BEGIN IMMEDIATE")
            self._passing("journal.transaction_begun")
            self.lease.renew(db)
            yield db
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            self._undo()
            raise self._broken(f"the write failed: {fault}") from fault
        except JournalError:
            self._undo()
            raise

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # a disk that refused the write may refuse this too; the next start decides
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    # -- reading ---------------------------------------------------------------------------------

    @property
    def _connection(self) -> sqlite3.Connection:
        assert self._db is not None
        return self._db

    def _ask(self, sql: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    @contextmanager
    def _reading(self, what: str = "reading failed") -> Iterator[None]:
        try:
            yield
        except _DAMAGE as fault:
            raise self._broken(f"{what}: {fault}") from fault

    def _scan(self, kind: str | None, after: int) -> Iterator[Entry]:
        query, values = f"{layout.SELECT} WHERE seq > ?", (after,)
        if kind is not None:
            query, values = query + " AND kind = ?", (after, kind)  # type: ignore[assignment]
        plain = unpacker()
        with self._reading():
            for seq, at, found, packed, payload, digest in self._ask(query + " ORDER BY seq", values):
                try:
                    text = plain(packed, payload)
                except UNREADABLE as fault:
                    raise self._broken(f"entry {seq} does not unpack") from fault
                yield Entry(seq, at, found, text, digest)

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with self._reading():
            self._ask("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._ask("ROLLBACK")

    def _head(self) -> str | None:
        with self._reading():
            row = self._ask("SELECT value FROM meta WHERE name = 'head'").fetchone()
        return None if row is None else str(row[0])

    def _load(self, table: Table, key: Key) -> Row | None:
        where = " AND ".join(f"{name} = ?" for name in table.key_names)
        with self._reading():
            found: Row | None = self._ask(f"SELECT * FROM {table.name} WHERE {where}", key).fetchone()  # noqa: S608
        return found

    def _rows(self, table: Table) -> list[Row]:
        with self._reading():
            return self._ask(f"SELECT * FROM {table.name} ORDER BY seq").fetchall()  # noqa: S608

    def _inspect(self) -> None:
        with self._reading():
            told = self._ask("PRAGMA integrity_check(1)").fetchone()[0]
            if told != "ok":
                raise self._broken(f"the file is damaged: {told}")
            if layout.schema_of(self._connection) != layout.expected_schema():
                raise self._broken("the tables are not those of a journal")
            meta = dict(self._ask("SELECT name, value FROM meta").fetchall())
            if meta.pop("schema_version", None) != str(layout.SCHEMA_VERSION) or meta.keys() - {"head"}:
                raise self._broken(f"meta holds {sorted(meta)} beside a version")
            FileLease.check(self._connection, self.name)

    def query(self, sql: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return rows of a read-only question to the projections (a dashboard's or a test's)."""
        self._settle()
        return self._ask(sql, values).fetchall()

    # -- ending ----------------------------------------------------------------------------------

    def _shut(self) -> None:
        self._passing("journal.before_close")
        if self._mark is not None:
            self._mark.close()
        if self._db is not None:
            self._db.close()
        if self._lease is not None:
            self._lease.release()


def absent(name: str) -> JournalError:
    """Return the refusal to read what is not there."""
    return JournalError(
        Text(ko="일지 파일이 없습니다", en="there is no journal file"),
        found=name,
        next_step=Text(ko="경로를 확인하세요", en="check the path"),
    )


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable; a system without that notion needs nothing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
