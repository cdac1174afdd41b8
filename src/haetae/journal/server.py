"""The PostgreSQL server a journal lies on: address, settings it must have, versions of the tables.

An address holds a password: it stays in a ``Secret`` and messages name host and database only. A server that would
lose acknowledged entries (``fsync``, ``full_page_writes`` or ``synchronous_commit`` off) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from haetae.domain.errors import ConfigError, JournalError, Text
from haetae.domain.secret import Secret
from haetae.journal.chained import broken
from haetae.journal.lease import in_use
from haetae.journal.settings import JournalSettings

LOCK = 0x48_41_45_54_41_45
"""The advisory lock of the one writer: the name of the product in ASCII."""
_DURABLE: Mapping[str, frozenset[str]] = {
    "fsync": frozenset({"on"}),
    "full_page_writes": frozenset({"on"}),
    "synchronous_commit": frozenset({"on", "remote_apply"}),
}


def url_of(address: Secret) -> sa.URL:
    """Return the address as SQLAlchemy wants it; raises ``ConfigError`` without showing it."""
    try:
        url = sa.make_url(address.reveal())
    except ArgumentError as fault:
        raise _bad_address() from fault
    if url.get_backend_name() != "postgresql":
        raise _bad_address()
    return url.set(drivername="postgresql+psycopg")


def _bad_address() -> ConfigError:
    return ConfigError(
        Text(ko="일지 주소를 읽을 수 없습니다", en="the journal's address cannot be read"),
        expected="postgresql://USER:PASSWORD@HOST/DATABASE",
        found="***",
        next_step="HAETAE_JOURNAL__ADDRESS",
    )


def name_of(url: sa.URL) -> str:
    """Return host and database, without user or password."""
    host = url.host or url.query.get("host", "")
    return f"postgresql://{host if isinstance(host, str) else ','.join(host)}/{url.database or ''}"


def connect(address: Secret, settings: JournalSettings, *, read_only: bool) -> sa.Connection:
    """Return a connection of its own; a writer's calls end after ``write_timeout_s`` whatever the network does."""
    url = url_of(address)
    options = "-c synchronous_commit=on -c timezone=UTC"
    if not read_only:
        wait = settings.write_timeout_s * 1_000
        options += f" -c statement_timeout={wait} -c lock_timeout={wait}"
    engine = sa.create_engine(
        url,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ" if read_only else "SERIALIZABLE",
        hide_parameters=True,
        connect_args={
            "connect_timeout": settings.connect_timeout_s,
            "application_name": "haetae.journal",
            "options": options,
            "tcp_user_timeout": settings.write_timeout_s * 1_000,
        },
    )
    try:
        db = engine.connect()
    except DBAPIError as fault:
        raise broken(name_of(url), f"the server does not answer: {reason(fault)}") from fault
    sa.event.listen(engine, "do_connect", _never_again)
    return db


def _never_again(_dialect: object, _record: object, _args: object, told: Mapping[str, Any]) -> None:
    """Refuse the silent reconnection: the lock went with the session, and what it had written must be read anew."""
    raise broken(f"postgresql://{told.get('host', '')}", "the session with the server is over")


def reason(fault: DBAPIError) -> str:
    """Return what the server said, in one line and without values."""
    lines = str(fault.orig).strip().splitlines()
    return lines[0] if lines else type(fault.orig).__name__


def check_settings(db: sa.Connection) -> None:
    """Raise ``JournalError`` where the server does not keep what it acknowledges."""
    found = {name: str(db.execute(sa.text(f"SHOW {name}")).scalar_one()) for name in _DURABLE}
    db.rollback()
    wrong = {name: value for name, value in found.items() if value not in _DURABLE[name]}
    if wrong:
        raise broken(name_of(db.engine.url), f"the server does not keep acknowledged entries: {wrong}")


def _scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    return config


def newest() -> str:
    """Return the version this program writes."""
    return str(ScriptDirectory.from_config(_scripts()).get_current_head())


def check_version(db: sa.Connection) -> None:
    """Raise ``JournalError`` where the tables are of another version, and say what to do."""
    found = _version(db)
    if found != newest():
        raise _other_version(db, found, "haetae journal migrate")


def _version(db: sa.Connection) -> str | None:
    """Return the version of the tables, None where there are none; raises ``JournalError`` for a newer program's."""
    found = MigrationContext.configure(db).get_current_revision()
    db.rollback()
    known = {script.revision for script in ScriptDirectory.from_config(_scripts()).walk_revisions()}
    if found is not None and found not in known:
        raise _other_version(db, found, Text(ko="프로그램을 새로 설치하세요", en="install the newer program"))
    return found


def _other_version(db: sa.Connection, found: str | None, next_step: str | Text) -> JournalError:
    return JournalError(
        Text(ko="일지의 판이 다릅니다", en="the journal has another version"),
        expected=f"schema {newest()}",
        found=f"{name_of(db.engine.url)}: schema {found or '-'}",
        next_step=next_step,
    )


def migrate(address: Secret, settings: JournalSettings) -> str:
    """Bring a database to this program's version, while nobody writes; return the version."""
    db = connect(address, settings, read_only=False)
    try:
        check_settings(db)
        _version(db)
        if not db.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}).scalar_one():
            raise in_use(name_of(db.engine.url))
        db.commit()
        _upgrade(db)
        return newest()
    except DBAPIError as fault:
        raise broken(name_of(db.engine.url), f"the migration failed: {reason(fault)}") from fault
    finally:
        db.close()


def _upgrade(db: sa.Connection) -> None:
    config: Any = _scripts()
    config.attributes["connection"] = db
    with db.begin():
        command.upgrade(config, "head")
