"""SQL over the lake with DuckDB, which reads the files of a version by name.

The connection lives for one query, may read the lake's directory and nothing else, and never
downloads an extension. Not here: which files (``manifest``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from haetae.domain.errors import DataError, Text
from haetae.ports.tables import TABLES
from haetae.store.settings import StoreSettings


def run_query(query: str, files: Mapping[str, Sequence[str]], root: Path, settings: StoreSettings) -> pa.Table:
    """Return the answer of one query; every table of the lake is a view of its files."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.query_threads,
        "memory_limit": f"{settings.query_memory_mb}MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute("SET allowed_directories = ?", [[str(root.resolve()) + "/"]])
            connection.execute("SET enable_external_access = false")
            for table, paths in files.items():
                if paths:
                    listed = ", ".join("'" + str(Path(path).resolve()).replace("'", "''") + "'" for path in paths)
                    connection.execute(f'CREATE VIEW "{table}" AS SELECT * FROM read_parquet([{listed}])')  # noqa: S608
                else:
                    connection.register(table, TABLES[table].schema.empty_table())
            return connection.sql(query).to_arrow_table()
    except duckdb.Error as fault:
        raise DataError(
            Text(ko=f"질의를 실행할 수 없습니다: {fault}", en=f"the query failed: {fault}"),
            expected="DuckDB SQL over " + ", ".join(TABLES),
            found=query.strip()[:120],
            next_step="mend the query, or check the lake with `haetae lake check`",
        ) from fault
