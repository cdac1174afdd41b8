"""How Alembic runs here: on the connection it is handed, in one transaction, without files or logs of its own."""

from __future__ import annotations

from alembic import context

from haetae.journal.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
