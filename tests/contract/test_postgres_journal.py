"""The journal in a real PostgreSQL server passes the shared suite, and what only a server can do to it."""
# long: one server, and everything that only a server can do to a journal.

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.journal_suite import Clock, JournalSuite, Place, note
from haetae.domain.errors import ConfigError, JournalError
from haetae.domain.secret import Secret
from haetae.journal import ChainedJournal, Holder, JournalSettings
from haetae.ports import Passing, pass_by
from rigs import postgres

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    found = postgres.start()
    yield found
    found.end()


@pytest.fixture(scope="module")
def template(server: postgres.Server) -> Iterator[Secret]:
    from haetae.journal.server import migrate

    address = server.new_database()
    migrate(address, JournalSettings())
    yield address
    server.drop(address)


@pytest.fixture
def address(server: postgres.Server, template: Secret) -> Iterator[Secret]:
    made = server.new_database(postgres.name_of(template))
    yield made
    server.drop(made)


class Database(Place):
    """One database of the server."""

    def __init__(self, address: Secret) -> None:
        self.address = address

    def open(
        self,
        settings: JournalSettings | None = None,
        *,
        read_only: bool = False,
        holder: Holder | None = None,
        passing: Passing = pass_by,
    ) -> ChainedJournal:
        from haetae.journal.postgres import PostgresJournal

        return PostgresJournal(self.address, settings, read_only=read_only, holder=holder, passing=passing)

    def ask(self, sql: str, *values: Any) -> Any:
        import psycopg

        with psycopg.connect(self.address.reveal(), autocommit=True) as db:
            done = db.execute(sql, values)
            return done.fetchall() if done.description else done.rowcount

    def edit(self, seq: int, column: str, value: Any) -> None:
        if column == "text":
            self.ask("UPDATE entries SET packed = 0, payload = %s WHERE seq = %s", value.encode(), seq)
        else:
            assert self.ask(f"UPDATE entries SET {column} = %s WHERE seq = %s", value, seq) == 1

    def drop(self, first: int, last: int) -> None:
        assert self.ask("DELETE FROM entries WHERE seq BETWEEN %s AND %s", first, last) > 0

    def edit_row(self, table: str, column: str, value: Any) -> None:
        assert self.ask(f"UPDATE {table} SET {column} = %s", value) > 0

    def drop_rows(self, table: str) -> None:
        assert self.ask(f"DELETE FROM {table}") > 0

    def set_head(self, value: str | None) -> None:
        assert self.ask("DELETE FROM meta WHERE name = 'head'") == 1
        if value is not None:
            self.ask("INSERT INTO meta VALUES ('head', %s)", value)

    def take_over(self, journal: ChainedJournal) -> None:
        assert self.ask("UPDATE lease SET epoch = epoch + 1") == 1


class TestPostgresJournal(JournalSuite):
    """The suite on a server."""

    @pytest.fixture
    def place(self, address: Secret) -> Database:
        return Database(address)

    def test_a_connection_that_was_closed_under_the_journal_ends_it(self, place: Database) -> None:
        journal = place.open()
        journal.append("event", [note(1)], durable=True)
        journal._db.close()
        with pytest.raises(JournalError) as lost:
            list(journal.raw())
        assert "ResourceClosedError" in lost.value.found

    def test_a_server_that_ends_the_session_while_nobody_writes_is_told_by_the_next_reading(
        self, place: Database
    ) -> None:
        journal = place.open()
        journal.append("event", [note(1)], durable=True)
        place.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'haetae.journal' AND datname = current_database()"
        )
        with pytest.raises(JournalError) as lost:
            list(journal.raw())
        assert "reading failed" in lost.value.found

    def test_a_table_that_keeps_nothing_is_told_by_its_mending(
        self, place: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with place.open() as journal:
            journal.append("event", [note(1)], durable=True)
            monkeypatch.setattr(journal, "_agrees", lambda *_: False)
            with pytest.raises(JournalError) as lost:
                journal.rebuild()
            assert "does not keep what is written into it" in lost.value.found

    def test_a_projection_that_has_no_rows_is_emptied(self, place: Database) -> None:
        from haetae.journal.tables import PROJECTIONS

        with place.open() as journal:
            journal.append("event", [note(1)], durable=True)
            journal._replace([(table, ()) for table in PROJECTIONS.values()])
            assert all(place.ask(f"SELECT count(*) FROM {name}") == [(0,)] for name in PROJECTIONS)

    def test_a_server_that_ends_the_session_in_the_middle_of_a_write_ends_the_journal(self, place: Database) -> None:
        def cut(point: str) -> None:
            if point == "journal.before_commit" and armed:
                place.ask(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'haetae.journal' AND datname = current_database()"
                )

        armed: list[bool] = []
        journal = place.open(passing=cut)
        journal.append("event", [note(1)], durable=True)
        armed.append(True)
        with pytest.raises(JournalError, match="cannot be trusted") as lost:
            journal.append("event", [note(2)], durable=True)
        assert "the write failed" in lost.value.found
        assert not journal.lease.holds()
        with pytest.raises(JournalError):
            journal.append("event", [note(3)], durable=True)
        with pytest.raises(JournalError):
            list(journal.raw())
        journal.close()
        with place.open() as after:
            assert after.verify() == 1

    def test_a_write_that_meets_another_transaction_is_made_again_as_a_whole(self, place: Database) -> None:
        import psycopg

        def disturb(point: str) -> None:
            points.append(point)
            if point == "journal.before_commit" and points.count(point) == 2:
                raise psycopg.errors.SerializationFailure

        import sqlalchemy.exc

        def meet(point: str) -> None:
            try:
                disturb(point)
            except psycopg.errors.SerializationFailure as fault:
                raise sqlalchemy.exc.OperationalError("COMMIT", {}, fault) from fault

        points: list[str] = []
        with place.open(passing=meet) as journal:
            journal.append("event", [note(1)], durable=True)
            journal.append("event", [note(2)], durable=True)
            assert points.count("journal.transaction_begun") == 3
            assert journal.verify() == 2

    def test_a_real_conflict_over_the_lease_row_is_survived(self, place: Database) -> None:
        def touch(point: str) -> None:
            if point == "journal.before_commit" and not touched:
                touched.append(True)
                with psycopg.connect(place.address.reveal()) as other:
                    other.execute("SET lock_timeout = '200ms'")
                    with pytest.raises(psycopg.errors.LockNotAvailable):
                        other.execute("UPDATE lease SET host = host")

        import psycopg

        touched: list[bool] = []
        with place.open(passing=touch) as journal:
            journal.append("event", [note(1)], durable=True)
            assert touched
            assert journal.verify() == 1

    def test_conflicts_without_end_are_a_failure(self, place: Database) -> None:
        import psycopg
        import sqlalchemy.exc

        def meet(point: str) -> None:
            points.append(point)
            if point == "journal.before_commit":
                raise sqlalchemy.exc.OperationalError("COMMIT", {}, psycopg.errors.SerializationFailure("conflict"))

        points: list[str] = []
        with pytest.raises(JournalError) as lost, place.open(passing=meet) as journal:
            journal.append("event", [note(1)], durable=True)
        assert lost.value.found == "the write failed: conflict"
        assert points.count("journal.transaction_begun") == 4

    def test_a_failure_of_the_library_ends_the_journal_too(self, place: Database) -> None:
        import sqlalchemy.exc

        def fail(point: str) -> None:
            if point == "journal.entry_inserted":
                raise sqlalchemy.exc.ResourceClosedError

        journal = place.open(passing=fail)
        with pytest.raises(JournalError) as lost:
            journal.append("event", [note(1)], durable=True)
        assert lost.value.found == "the write failed: ResourceClosedError"
        journal.close()
        with place.open(read_only=True) as reader:
            assert reader.verify() == 0

    def test_a_connection_that_the_library_has_closed_is_one_message(self, place: Database) -> None:
        with place.open(read_only=True) as journal:
            journal._db.close()  # type: ignore[attr-defined]
            with pytest.raises(JournalError) as lost:
                list(journal.raw())
        assert lost.value.found == "reading failed: ResourceClosedError"

    def test_a_holder_that_slept_over_its_term_is_replaced_and_its_session_ended(self, place: Database) -> None:
        clock = Clock()
        sleeper = place.open(holder=Holder("a", 1, "boot", clock))
        sleeper.append("event", [note(1)], durable=True)
        with pytest.raises(JournalError, match="another process is writing"):
            place.open(holder=Holder("b", 2, "boot", clock))
        place.ask("UPDATE lease SET expiry_ms = 1")
        with pytest.raises(JournalError, match="another process is writing"):
            place.open()
        with place.open(holder=Holder("b", 2, "boot", clock)) as newer:
            assert newer.lease.epoch == sleeper.lease.epoch + 1
            assert not sleeper.lease.holds()
            with pytest.raises(JournalError):
                sleeper.append("event", [note(2)], durable=True)
            newer.append("event", [note(3)], durable=True)
            assert newer.verify() == 2
            assert newer.lease.holds()
        sleeper.close()

    def test_a_lease_is_renewed_by_asking_when_a_third_of_its_term_is_over(self, place: Database) -> None:
        with place.open(holder=Holder("a", 1, "boot", Clock())) as journal:
            before = place.ask("SELECT expiry_ms FROM lease")
            assert journal.lease.holds()
            assert place.ask("SELECT expiry_ms FROM lease") == before
            past = journal.lease._row.expiry_ms - 4_000  # type: ignore[attr-defined]
            place.ask("UPDATE lease SET expiry_ms = %s", past)
            journal.lease._row = journal.lease._row.__class__(  # type: ignore[attr-defined]
                journal.lease.epoch,
                "a",
                1,
                journal.lease._row.boot,
                past,  # type: ignore[attr-defined]
            )
            assert journal.lease.holds()
            assert place.ask("SELECT expiry_ms FROM lease") > [(past,)]
            assert journal.verify() == 0

    def test_a_lock_that_somebody_else_keeps_is_respected_even_where_the_term_is_over(self, place: Database) -> None:
        import psycopg

        from haetae.journal.server import LOCK

        clock = Clock()
        place.open(holder=Holder("a", 1, "boot", clock)).close()
        place.ask("UPDATE lease SET expiry_ms = 1")
        with psycopg.connect(place.address.reveal(), autocommit=True) as other:
            other.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
            with pytest.raises(JournalError, match="another process is writing"):
                place.open(holder=Holder("b", 2, "boot", clock))
        place.open().close()

    def test_of_two_that_replace_a_holder_at_the_same_time_one_is_refused(self, place: Database) -> None:
        from haetae.journal import server
        from haetae.journal.lease import LeaseRow
        from haetae.journal.server_lease import ServerLease

        class Late(ServerLease):
            def _read(self) -> LeaseRow | None:
                return LeaseRow(7, "a", 1, "1", 0)

        place.open().close()
        db = server.connect(place.address, JournalSettings(), read_only=False)
        with pytest.raises(JournalError, match="another process is writing"):
            Late(db, Holder(), "late")
        db.close()
        with place.open() as journal:
            assert journal.lease.epoch == 2

    def test_a_closed_journal_is_not_read(self, place: Database) -> None:
        journal = place.open()
        journal.close()
        with pytest.raises(JournalError):
            list(journal.raw())

    @pytest.mark.parametrize("change", ["epoch = epoch + 1", "host = 'x'", "expiry_ms = 5", "seal = ''"])
    def test_a_lease_row_changed_by_somebody_else_is_noticed(self, place: Database, change: str) -> None:
        place.open().close()
        place.ask(f"UPDATE lease SET {change}")
        with pytest.raises(JournalError), place.open(read_only=True) as reader:
            reader.verify()

    def test_an_execution_cannot_be_booked_twice_whoever_writes_it(self, place: Database) -> None:
        import psycopg

        row = "('2026-11-23', '1', '2', 3, 'I1', '005930', 'buy', 1, 1, 1, 1, 1)"
        place.ask(f"INSERT INTO fills VALUES {row}")
        with pytest.raises(psycopg.errors.UniqueViolation):
            place.ask(f"INSERT INTO fills VALUES {row}")

    def test_meta_that_holds_more_is_noticed(self, place: Database) -> None:
        place.open().close()
        place.ask("INSERT INTO meta VALUES ('more', '1')")
        with pytest.raises(JournalError), place.open(read_only=True) as reader:
            reader.verify()

    def test_a_payload_that_does_not_unpack_is_noticed(self, place: Database) -> None:
        with place.open() as journal:
            journal.append("event", [note(1, 900)], durable=True)
        place.ask("UPDATE entries SET packed = 0, payload = '\\xff'")
        with pytest.raises(JournalError) as found, place.open(read_only=True) as reader:
            reader.verify()
        assert "does not unpack" in found.value.found

    def test_a_killed_process_loses_nothing_it_acknowledged(self, place: Database) -> None:
        script = (
            "import sys; from haetae.domain.secret import Secret\n"
            "from haetae.journal.postgres import PostgresJournal; from haetae.domain.events import Note\n"
            "journal = PostgresJournal(Secret(sys.argv[1]))\n"
            "n = journal.head[0]\n"
            "while True:\n"
            "    n += 1\n"
            "    journal.append('event', [(n, Note(n, 'a.b', {'n': n}))], durable=n % 3 == 0)\n"
            "    if n % 3 == 0: print(n, flush=True)\n"
        )
        for _ in range(2):
            child = subprocess.Popen(
                [sys.executable, "-c", script, place.address.reveal()],
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(SRC)},
            )
            assert child.stdout is not None
            acknowledged = [int(child.stdout.readline()) for _ in range(20)][-1]
            os.kill(child.pid, signal.SIGKILL)
            acknowledged = max([acknowledged, *(int(line) for line in child.stdout.read().split())])
            child.wait()
            with place.open(read_only=True) as reader:
                assert reader.verify() >= acknowledged


class TestServer:
    """Addresses, settings and versions of a server."""

    def test_tables_come_from_the_migration_and_are_those_the_program_knows(self, address: Secret) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        from haetae.journal import schema, server

        db = server.connect(address, JournalSettings(), read_only=True)
        assert compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), schema.METADATA) == []
        db.close()

    def test_a_database_without_tables_is_refused_until_it_is_migrated(self, server: postgres.Server) -> None:
        from haetae.journal.server import migrate, newest

        place = Database(server.new_database())
        with pytest.raises(JournalError) as refused:
            place.open()
        assert refused.value.next_step == "haetae journal migrate"
        assert migrate(place.address, JournalSettings()) == newest()
        assert migrate(place.address, JournalSettings()) == newest()
        with place.open() as journal:
            with pytest.raises(JournalError, match="another process is writing"):
                migrate(place.address, JournalSettings())
            journal.append("event", [note(1)], durable=True)
        place.ask("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(JournalError, match="another version") as newer:
            place.open()
        assert "newer program" in str(newer.value.next_step)
        with pytest.raises(JournalError):
            migrate(place.address, JournalSettings())
        server.drop(place.address)

    def test_a_migration_that_the_server_refuses_is_one_message(self, server: postgres.Server) -> None:
        from haetae.journal.server import migrate

        address = server.new_database()
        Database(address).ask(f"ALTER DATABASE {postgres.name_of(address)} SET default_transaction_read_only = on")
        with pytest.raises(JournalError) as refused:
            migrate(address, JournalSettings())
        assert "the migration failed: cannot execute CREATE TABLE" in refused.value.found
        server.drop(address)

    @pytest.mark.parametrize("setting", ["synchronous_commit"])
    def test_a_server_that_does_not_keep_what_it_acknowledges_is_refused(self, address: Secret, setting: str) -> None:
        from haetae.journal import server

        db = server.connect(address, JournalSettings(), read_only=False)
        server.check_settings(db)
        db.exec_driver_sql(f"SET {setting} = off")
        db.commit()
        with pytest.raises(JournalError) as refused:
            server.check_settings(db)
        assert refused.value.found == f"the server does not keep acknowledged entries: {{'{setting}': 'off'}}"
        db.close()

    def test_an_address_is_never_shown(self) -> None:
        from haetae.journal import server

        for text in ("mysql://u:canary@h/d", "::canary::"):
            with pytest.raises(ConfigError) as refused:
                server.url_of(Secret(text))
            assert "canary" not in repr(refused.value) + refused.value.found
        name = server.name_of(server.url_of(Secret("postgresql://u:canary@host/d?host=a&host=b")))
        assert name == "postgresql://host/d"
        assert server.name_of(server.url_of(Secret("postgresql:///d?host=a&host=b"))) == "postgresql://a,b/d"
        place = Database(Secret("postgresql://u:canary@127.0.0.1:1/d?connect_timeout=1"))
        with pytest.raises(JournalError) as down:
            place.open()
        assert "canary" not in str(down.value) + down.value.found
        assert "does not answer" in down.value.found
