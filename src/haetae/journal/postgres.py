"""``PostgresJournal``: the journal in a PostgreSQL database, for deployment.

The same entries, hashes and refusals as in a file. Appends are SERIALIZABLE transactions that renew the lease by its
epoch; a conflict is rolled back as a whole and made again, a server that went away in the middle ends the journal:
whether the last batch arrived is read at the next start. Needs the extra ``postgres`` and tables made by ``haetae
journal migrate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from haetae.domain.errors import JournalError
from haetae.domain.secret import Secret
from haetae.journal import schema, server
from haetae.journal.chain import Entry
from haetae.journal.chained import ChainedJournal
from haetae.journal.lease import Holder
from haetae.journal.packing import UNREADABLE, packer, unpacker
from haetae.journal.projections import Changes
from haetae.journal.server_lease import ServerLease
from haetae.journal.settings import JournalSettings
from haetae.journal.tables import FILLS, PROJECTIONS, Key, Row, Table
from haetae.ports import Passing, pass_by

_PAGE = 5_000
"""Entries read at once: some megabytes."""
_TRIES = 4
"""A conflict means that somebody touched the lease at the same instant; more than a few means something else."""
_CONFLICTS = frozenset({"40001", "40P01"})
"""serialization_failure and deadlock_detected: nothing of the transaction remains."""


class PostgresJournal(ChainedJournal):
    """A journal in a database; fulfils ``ports.Journal``.

    Parameters
    ----------
    address : ``postgresql://USER:PASSWORD@HOST/DATABASE``.
    read_only : opened beside a writer, without lease; ``append`` is refused.
    holder : who takes the lease; without a clock no living process is ever replaced.
    passing : told each dangerous point of a write.
    """

    def __init__(
        self,
        address: Secret,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> None:
        super().__init__(server.name_of(server.url_of(address)), settings, read_only=read_only)
        self._passing = passing
        self._lease: ServerLease | None = None
        self._within = False
        self._db = server.connect(address, self.settings, read_only=read_only)
        try:
            with self._guarded("it does not open"):
                server.check_settings(self._db)
                server.check_version(self._db)
                if not read_only:
                    self._lease = ServerLease(self._db, holder or Holder(), self.name)
                self._seq, self._hash = self._last()
        except JournalError:
            self._shut()
            raise
        passing("journal.opened")

    @property
    def lease(self) -> ServerLease:
        """Return the right under which this journal writes; raises ``JournalError`` for a reader."""
        if self._lease is None:
            raise self._broken("it was opened for reading")
        return self._lease

    def _last(self) -> tuple[int, str]:
        newest = schema.ENTRIES.c
        found = self._ask(sa.select(newest.seq, newest.hash).order_by(newest.seq.desc()).limit(1))
        return (int(found[0][0]), str(found[0][1])) if found else (self._seq, self._hash)

    # -- writing ---------------------------------------------------------------------------------

    def _write(self, entries: Sequence[Entry], changes: Changes) -> None:
        pack = packer(self.settings.pack_above)
        rows = [
            dict(zip(schema.ENTRIES.c.keys(), (seq, at, kind, *pack(text), digest), strict=True))
            for seq, at, kind, text, digest in entries
        ]
        head = {"name": "head", "value": f"{entries[-1].seq}:{entries[-1].digest}"}

        def work() -> None:
            self._db.execute(sa.insert(schema.ENTRIES), rows)
            self._passing("journal.entry_inserted")
            for name, changed in changes.items():
                self._db.execute(_upsert(PROJECTIONS[name]), _dicts(PROJECTIONS[name], changed))
            self._passing("journal.entry_projected")
            put_head = insert(schema.META).values(head)
            self._db.execute(put_head.on_conflict_do_update(index_elements=["name"], set_={"value": head["value"]}))
            self._passing("journal.before_commit")

        self._transact(work)
        self._passing("journal.committed")

    def _replace(self, tables: Iterable[tuple[Table, Iterable[Row]]]) -> None:
        found = [(table, _dicts(table, rows)) for table, rows in tables]

        def work() -> None:
            for table, rows in found:
                self._db.execute(sa.delete(schema.SHOWN[table.name]))
                if rows:
                    self._db.execute(sa.insert(schema.SHOWN[table.name]), rows)

        self._transact(work)

    def _transact(self, work: Any) -> None:
        """Do work in one transaction under the lease; again, as a whole, where another transaction was in the way."""
        tries = 0
        while True:
            tries += 1
            try:
                with self._db.begin():
                    self._passing("journal.transaction_begun")
                    self.lease.renew()
                    work()
                return
            except DBAPIError as fault:
                self._undo()
                if tries == _TRIES or getattr(fault.orig, "sqlstate", None) not in _CONFLICTS:
                    raise self._broken(f"the write failed: {server.reason(fault)}") from fault
            except SQLAlchemyError as fault:
                self._undo()
                raise self._broken(f"the write failed: {type(fault).__name__}") from fault

    def _undo(self) -> None:
        with suppress(SQLAlchemyError):  # a server that went away has undone it already
            self._db.rollback()

    # -- reading ---------------------------------------------------------------------------------

    @contextmanager
    def _guarded(self, what: str = "reading failed") -> Iterator[None]:
        try:
            yield
        except DBAPIError as fault:
            self._undo()
            raise self._broken(f"{what}: {server.reason(fault)}") from fault
        except SQLAlchemyError as fault:
            self._undo()
            raise self._broken(f"{what}: {type(fault).__name__}") from fault

    def _ask(self, question: sa.Select[Any]) -> Sequence[Any]:
        with self._guarded():
            found = self._db.execute(question).all()
            if not self._within:
                self._db.rollback()
        return found

    def _scan(self, kind: str | None, after: int) -> Iterator[Entry]:
        column, plain = schema.ENTRIES.c, unpacker()
        question = sa.select(schema.ENTRIES).order_by(column.seq).limit(_PAGE)
        if kind is not None:
            question = question.where(column.kind == kind)
        while page := self._ask(question.where(column.seq > after)):
            for seq, at, found, packed, payload, digest in page:
                try:
                    text = plain(packed, payload)
                except UNREADABLE as fault:
                    raise self._broken(f"entry {seq} does not unpack") from fault
                yield Entry(seq, at, found, text, digest)
                after = seq

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        self._within = True
        try:
            yield
        finally:
            self._within = False
            self._undo()

    def _head(self) -> str | None:
        found = self._ask(sa.select(schema.META.c.value).where(schema.META.c.name == "head"))
        return str(found[0][0]) if found else None

    def _load(self, table: Table, key: Key) -> Row | None:
        kept = schema.SHOWN[table.name]
        same = [kept.c[name] == cell for name, cell in zip(table.key_names, key, strict=True)]
        found = self._ask(sa.select(kept).where(*same))
        return tuple(found[0]) if found else None

    def _rows(self, table: Table) -> list[Row]:
        kept = schema.SHOWN[table.name]
        return [tuple(row) for row in self._ask(sa.select(kept).order_by(kept.c.seq))]

    def _inspect(self) -> None:
        names = [row[0] for row in self._ask(sa.select(schema.META.c.name))]
        if names not in (["head"], []):
            raise self._broken(f"meta holds {names}")
        for row in self._ask(sa.select(schema.LEASE)):
            ServerLease.check(tuple(row), self.name)

    # -- ending ----------------------------------------------------------------------------------

    def _shut(self) -> None:
        self._passing("journal.before_close")
        if self._lease is not None:
            self._lease.release()
        self._db.close()


def _upsert(table: Table) -> Any:
    """Return the statement that writes rows: an execution only once, anything else in the place of its old row."""
    kept = schema.SHOWN[table.name]
    if table is FILLS:
        return sa.insert(kept)
    statement = insert(kept)
    fresh = {name: statement.excluded[name] for name in table.names[table.keys :]}
    return statement.on_conflict_do_update(index_elements=list(table.key_names), set_=fresh)


def _dicts(table: Table, rows: Iterable[Row]) -> list[Mapping[str, Any]]:
    return [dict(zip(table.names, row, strict=True)) for row in rows]
