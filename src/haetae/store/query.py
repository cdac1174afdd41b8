"""SQL over the lake with DuckDB, which reads the files of a version by name.

The connection lives for one query, may read the lake's directory and nothing else, and never
downloads an extension; so of a lake in a bucket the tables that a query names are fetched first.
Not here: which files (``log``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from haetae.domain.errors import DataError, Text
from haetae.ports.tables import TableSpec
from haetae.store.actions import Snapshot
from haetae.store.files import Selection, read_file
from haetae.store.objects import Objects
from haetae.store.settings import StoreSettings

if TYPE_CHECKING:
    import duckdb


def run_query(
    query: str,
    objects: Objects,
    specs: Mapping[str, TableSpec],
    load: Callable[[str], Snapshot],
    settings: StoreSettings,
) -> pa.Table:
    """Return the answer of one query; every table of the lake is a view of its files.

    ``specs`` are the tables a query may name, also those nobody wrote; ``load`` gives the version of a table
    that the query shall see.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.query_threads,
        "memory_limit": f"{settings.query_memory_mb}MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    root = objects.path("")
    try:
        with duckdb.connect(":memory:", config=config) as connection:
            if root is not None:
                connection.execute("SET allowed_directories = ?", [[str(root.resolve()) + "/"]])
            connection.execute("SET enable_external_access = false")
            if root is not None:
                for table, spec in specs.items():
                    _view(connection, root / table, spec, load(table))
            else:
                for table in sorted(duckdb.get_table_names(query) & set(specs)):
                    connection.register(table, _fetched(objects, specs[table], load(table)))
            return connection.sql(query).to_arrow_table()
    except duckdb.Error as fault:
        raise DataError(
            Text(ko=f"질의를 실행할 수 없습니다: {fault}", en=f"the query failed: {fault}"),
            expected="DuckDB SQL over " + ", ".join(specs),
            found=query.strip()[:120],
            next_step="mend the query, or check the lake with `haetae lake check`",
        ) from fault


def _view(connection: duckdb.DuckDBPyConnection, home: Path, spec: TableSpec, seen: Snapshot) -> None:
    if seen.files:
        paths = [str((home / entry.path).resolve()).replace("'", "''") for entry in seen.files]
        listed = ", ".join(f"'{path}'" for path in paths)
        connection.execute(f'CREATE VIEW "{seen.table}" AS SELECT * FROM read_parquet([{listed}])')  # noqa: S608
    else:
        connection.register(seen.table, spec.schema.empty_table())


def _fetched(objects: Objects, spec: TableSpec, seen: Snapshot) -> pa.Table:
    everything = Selection(tuple(spec.schema.names))
    return pa.concat_tables(
        [spec.schema.empty_table(), *(read_file(objects, spec, entry, everything) for entry in seen.files)],
        promote_options="permissive",
    )
