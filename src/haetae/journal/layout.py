"""How a journal lies in SQLite: statements, versions, and the settings durability rests on.

Version 2 added the lease row, folded the projections anew and packs by Zstandard; 1 is migrated when a writer opens
it, in one transaction, after its chain was checked. A version this program does not know is refused: an older program
never writes into a newer journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from haetae.domain import codec
from haetae.journal.chain import GENESIS, Entry, link
from haetae.journal.packing import unpacker
from haetae.journal.projections import Fold, shows
from haetae.journal.settings import JournalSettings
from haetae.journal.tables import PROJECTIONS, Table

SCHEMA_VERSION = 2

_KINDS: Mapping[type, str] = {str: "TEXT", int: "INTEGER", float: "REAL"}
_CORE = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  packed INTEGER NOT NULL,
  payload BLOB NOT NULL,
  hash TEXT NOT NULL
) STRICT""",
    "CREATE INDEX entries_by_kind ON entries (kind, seq)",
)
_LEASE = (
    "CREATE TABLE lease (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL, host TEXT NOT NULL,"
    " pid INTEGER NOT NULL, boot TEXT NOT NULL, expiry_ms INTEGER NOT NULL, seal TEXT NOT NULL) STRICT"
)


def _create(table: Table) -> str:
    columns = ", ".join(f'"{column.name}" {_KINDS[column.kind]} NOT NULL' for column in table.columns)
    key = ", ".join(table.key_names)
    return f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({key})) STRICT"


def create(db: sqlite3.Connection) -> None:
    """Lay an empty journal, within the caller's transaction."""
    for statement in (*_CORE, _LEASE, *map(_create, PROJECTIONS.values())):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('schema_version', ?)", (str(SCHEMA_VERSION),))


def schema_of(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Return what the file says of its own tables."""
    return db.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name").fetchall()


def expected_schema() -> list[tuple[str, str, str]]:
    """Return what a journal of this version says of its tables."""
    db = sqlite3.connect(":memory:")
    create(db)
    found = schema_of(db)
    db.close()
    return found


def upsert(table: Table) -> str:
    """Return the statement that writes a row: an execution only once, anything else in the place of its old row."""
    marks = ",".join("?" * len(table.columns))
    verb = "INSERT" if table.name == "fills" else "INSERT OR REPLACE"
    return f"{verb} INTO {table.name} VALUES ({marks})"


def version_of(db: sqlite3.Connection) -> int:
    """Return a journal's schema version, 0 for an empty file; raises ``sqlite3.Error`` for another kind of file."""
    if not schema_of(db):
        return 0
    row = db.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
    if row is None or not str(row[0]).isdecimal():
        raise sqlite3.DatabaseError("the file holds no journal")
    return int(row[0])


def migrate(db: sqlite3.Connection) -> None:
    """Bring version 1 to this one within the caller's transaction; the entries stay as they are."""
    for table in PROJECTIONS.values():
        db.execute(f"DROP TABLE {table.name}")
    for statement in (_LEASE, *map(_create, PROJECTIONS.values())):
        db.execute(statement)
    fold = _checked_fold(db)
    for name, table in PROJECTIONS.items():
        db.executemany(upsert(table), fold.rows(name))
    db.execute("UPDATE meta SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION),))


def _checked_fold(db: sqlite3.Connection) -> Fold:
    fold, previous, plain = Fold(), GENESIS, unpacker()
    for seq, at, kind, packed, payload, digest in db.execute(f"{SELECT} ORDER BY seq"):
        entry = Entry(seq, at, kind, plain(packed, payload), digest)
        if link(previous, seq, at, kind, entry.text) != digest:
            raise sqlite3.DatabaseError(f"entry {seq} does not fit the hash chain")
        previous = digest
        if shows(entry.text):
            fold.apply(seq, at, codec.parse(entry.text))
    return fold


SELECT = "SELECT seq, at, kind, packed, payload, hash FROM entries"


def apply_settings(db: sqlite3.Connection, settings: JournalSettings, *, read_only: bool) -> dict[str, tuple[int, int]]:
    """Set what durability rests on and read it back; return ``{name: (wanted, found)}`` of what differs."""
    wanted = {"busy_timeout": settings.busy_timeout_ms, "trusted_schema": 0, "foreign_keys": 1}
    if read_only:
        wanted["query_only"] = 1
    else:
        db.execute("PRAGMA journal_mode=WAL")
        wanted |= {"synchronous": 2, "wal_autocheckpoint": settings.wal_pages, "fullfsync": 1}
    for name, value in wanted.items():
        db.execute(f"PRAGMA {name}={value}")
    found = {name: int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in wanted}
    return {name: (value, found[name]) for name, value in wanted.items() if found[name] != value}
