"""The tables of a journal in PostgreSQL, as SQLAlchemy names them; ``migrations`` makes them.

The same columns as in SQLite: 64-bit integers, texts, double precision, payloads as bytes. One database holds one
journal. Importing this needs the extra ``postgres``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from haetae.journal.tables import PROJECTIONS, Table

_KINDS: Mapping[type, Any] = {str: sa.Text, int: sa.BigInteger, float: sa.Double}

METADATA = sa.MetaData()


def _column(name: str, kind: type, *, key: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _KINDS[kind], primary_key=key, nullable=False, autoincrement=False)


def _projection(table: Table) -> sa.Table:
    columns = [_column(column.name, column.kind, key=place < table.keys) for place, column in enumerate(table.columns)]
    return sa.Table(table.name, METADATA, *columns)


ENTRIES = sa.Table(
    "entries",
    METADATA,
    _column("seq", int, key=True),
    _column("at", int),
    _column("kind", str),
    sa.Column("packed", sa.SmallInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    _column("hash", str),
    sa.Index("entries_by_kind", "kind", "seq"),
)
META = sa.Table("meta", METADATA, _column("name", str, key=True), _column("value", str))
LEASE = sa.Table(
    "lease",
    METADATA,
    sa.Column("one", sa.SmallInteger, primary_key=True, nullable=False, autoincrement=False),
    _column("epoch", int),
    _column("host", str),
    _column("pid", int),
    _column("boot", str),
    _column("expiry_ms", int),
    _column("seal", str),
    sa.CheckConstraint("one = 1", name="one_lease"),
)
SHOWN: dict[str, sa.Table] = {name: _projection(table) for name, table in PROJECTIONS.items()}
"""The projections by name."""
