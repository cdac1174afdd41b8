"""The lease of a journal in PostgreSQL: an advisory lock of the writer's session, and a row.

Terms are counted on the server's clock, so that holders on different hosts agree. Who replaces a holder whose term
ended takes the next epoch and then ends the old session, if that still is there; the epoch alone would do.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from haetae.domain.errors import JournalError
from haetae.journal.chained import broken
from haetae.journal.lease import RENEW_S, TERM_S, Holder, LeaseRow, expired, in_use
from haetae.journal.schema import LEASE
from haetae.journal.server import LOCK

_GOODBYE_MS = 5_000
"""How long the old session may take to end."""


class ServerLease:
    """``ports.Lease`` over a database; taken at construction."""

    def __init__(self, db: sa.Connection, holder: Holder, name: str) -> None:
        """Take the next epoch; raises ``JournalError`` where the holder before still has its lock and its term."""
        self._db = db
        self._holder = holder
        self._name = name
        self._lost = False
        locked = bool(self._one("SELECT pg_try_advisory_lock(:key)", key=LOCK))
        db.commit()
        before = self._read()
        if not locked and not self._over(before):
            raise in_use(name)
        backend = str(self._one("SELECT pg_backend_pid()"))
        self._row = LeaseRow(
            before.epoch + 1 if before else 1, holder.host, holder.pid, backend, self._expiry_ms(self._now_ms())
        )
        self._put(before)
        if not locked and before is not None:
            self._replace(before)

    def _one(self, sql: str, **values: object) -> Any:
        return self._db.execute(sa.text(sql), values).scalar_one()

    def _now_ms(self) -> int:
        return int(self._one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"))

    def _expiry_ms(self, now_ms: int) -> int:
        return 0 if self._holder.monotonic is None else now_ms + int(TERM_S * 1_000)

    def _read(self) -> LeaseRow | None:
        row = self._db.execute(sa.select(*list(LEASE.c)[1:6])).first()
        return None if row is None else LeaseRow(*row)

    def _over(self, row: LeaseRow | None) -> bool:
        if row is None or self._holder.monotonic is None or not row.expiry_ms:
            return False
        return self._now_ms() > row.expiry_ms

    def _put(self, before: LeaseRow | None) -> None:
        """Write the new holder, if nobody did so since the row was read; the transaction ends here."""
        values = {
            "one": 1,
            "epoch": self._row.epoch,
            "host": self._row.host,
            "pid": self._row.pid,
            "boot": self._row.boot,
            "expiry_ms": self._row.expiry_ms,
            "seal": self._row.seal,
        }
        statement = insert(LEASE).values(values)
        put = self._db.execute(
            statement.on_conflict_do_update(
                index_elements=["one"], set_=values, where=LEASE.c.epoch == (before.epoch if before else 0)
            ).returning(LEASE.c.epoch)
        ).first()
        self._db.commit()
        if put is None:
            raise in_use(self._name)

    def _replace(self, before: LeaseRow) -> None:
        self._db.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid, :wait) FROM pg_stat_activity"
                " WHERE pid = :pid AND datname = current_database() AND application_name = 'haetae.journal'"
            ),
            {"pid": int(before.boot), "wait": _GOODBYE_MS},
        )
        locked = bool(self._one("SELECT pg_try_advisory_lock(:key)", key=LOCK))
        self._db.commit()
        if not locked:
            raise in_use(self._name)

    @property
    def epoch(self) -> int:
        """Return the number of this holder."""
        return self._row.epoch

    def holds(self) -> bool:
        """Renew where a third of the term is over, and say whether nobody took over since; False is for good.

        A server that does not answer is a lease that is lost: who cannot ask must not act.
        """
        if self._lost:
            return False
        try:
            newest = self._read()
            if newest is None or newest.epoch != self.epoch:
                self._lost = True
            elif self._holder.monotonic is not None and self._old():
                self.renew()
            self._db.commit()
        except (SQLAlchemyError, JournalError):
            self._lost = True
        return not self._lost

    def _old(self) -> bool:
        return self._expiry_ms(self._now_ms()) - self._row.expiry_ms > RENEW_S * 1_000

    def renew(self) -> None:
        """Renew within the caller's transaction; raises ``JournalError`` where somebody took over."""
        if self._lost:
            raise expired(self._name, self.epoch)
        row = self._row
        fresh = LeaseRow(row.epoch, row.host, row.pid, row.boot, self._expiry_ms(self._now_ms()))
        changed = self._db.execute(
            sa.update(LEASE).where(LEASE.c.epoch == row.epoch).values(expiry_ms=fresh.expiry_ms, seal=fresh.seal)
        ).rowcount
        if changed != 1:
            self._lost = True
            raise expired(self._name, self.epoch)
        self._row = fresh

    def release(self) -> None:
        """Let go; the session's end gives the lock back, the row stays so that epochs only grow."""
        self._lost = True

    @staticmethod
    def check(row: tuple[Any, ...], name: str) -> None:
        """Check that the row is as a holder wrote it; raises ``JournalError``."""
        if LeaseRow(*row[1:6]).seal != row[6]:
            raise broken(name, "the lease row was changed by somebody else")
