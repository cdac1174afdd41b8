"""Schemas of the lake's tables and the door every row passes on its way in.

The columns themselves are in ``haetae.ports.tables``, so that sources and drivers may share them
without knowing the store. Here: their names re-exported, and ``conform``, which brings a table of
any writer to the exact schema or says what is wrong with it. Not here: files (``lake``), judgement
of the values (``importer``, ``collector``).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.errors import DataError, Text
from haetae.ports.tables import (
    DAILY,
    FLAGS,
    FLOWS,
    INDEX_DAILY,
    INSTRUMENTS,
    MINUTE,
    QUALITY,
    TABLES,
    TableSpec,
    derived_table,
)

__all__ = [
    "DAILY",
    "FLAGS",
    "FLOWS",
    "INDEX_DAILY",
    "INSTRUMENTS",
    "MINUTE",
    "QUALITY",
    "SCHEMA_VERSION",
    "TABLES",
    "TableSpec",
    "conform",
    "derived_from",
    "spec_of",
]

SCHEMA_VERSION = 1
"""Written beside every version of every table; a reader refuses a newer one."""


def spec_of(table: str) -> TableSpec:
    """Return what is known of a table; raises ``DataError`` for a name the lake does not have."""
    spec = TABLES.get(table)
    if spec is None:
        raise DataError(
            Text(ko=f"'{table}' 테이블은 레이크에 없습니다", en=f"the lake has no table '{table}'"),
            expected=", ".join(TABLES),
            found=table,
            next_step="use one of the tables named above",
        )
    return spec


def derived_from(table: str, schema: pa.Schema) -> TableSpec:
    """Return the declaration of a derived table from its columns."""
    values = {field.name: field.type for field in schema if field.name not in ("symbol", "day", "start")}
    return derived_table(table, values, minutes="start" in schema.names)


def conform(table: str | TableSpec, rows: pa.Table) -> pa.Table:
    """Return ``rows`` with exactly the columns, order and types of ``table``, a name or a derived table's declaration.

    Columns with a declared default may be absent; every other one is required. Extra columns, a
    value that does not fit its type, and nulls raise ``DataError``; nothing is rounded or cut.
    """
    spec = table if isinstance(table, TableSpec) else spec_of(table)
    present = set(rows.column_names)
    missing = [name for name in spec.schema.names if name not in present and name not in spec.defaults]
    extra = sorted(present - set(spec.schema.names))
    if missing or extra:
        raise DataError(
            f"rows do not fit table '{spec.name}': missing {missing}, unknown {extra}",
            expected=", ".join(spec.schema.names),
            found=", ".join(rows.column_names),
            next_step="name the columns as in haetae.ports.tables",
        )
    columns = []
    for field in spec.schema:
        if field.name in present:
            columns.append(_cast(spec.name, field, rows.column(field.name)))
        else:
            columns.append(pa.chunked_array([pa.repeat(pa.scalar(spec.defaults[field.name], field.type), len(rows))]))
    whole = pa.Table.from_arrays(columns, schema=spec.schema)
    if "adjusted" in spec.schema.names:
        _refuse_mixed_prices(spec, whole)
    return whole


def _refuse_mixed_prices(spec: TableSpec, rows: pa.Table) -> None:
    """Keep raw and adjusted prices apart: a series of both has jumps that nobody traded."""
    wanted = bool(spec.defaults["adjusted"])
    right = rows.column("adjusted") if wanted else pc.invert(rows.column("adjusted"))
    wrong = len(rows) - (pc.sum(right).as_py() or 0)
    if wrong:
        kind, other = ("adjusted", "daily") if wanted else ("raw", "daily_adjusted")
        raise DataError(
            Text(
                ko=f"'{spec.name}' 에는 {'수정' if wanted else '원'}주가만 들어갑니다",
                en=f"table '{spec.name}' holds {kind} prices only",
            ),
            expected=f"adjusted = {str(wanted).lower()} in every row",
            found=f"{wrong} of {len(rows)} rows have the other basis",
            next_step=Text(
                ko=f"그 행은 '{other}' 에 쓰세요 (`haetae lake import --prices …`)",
                en=f"write those rows to '{other}' (`haetae lake import --prices …`)",
            ),
        )


def _cast(table: str, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.null_count:
        raise DataError(
            f"{column.null_count} rows of table '{table}' have no '{field.name}'",
            expected="a value in every row",
            found="nulls",
            next_step="leave the rows out or quarantine them",
        )
    if column.type == field.type:
        return column
    try:
        return pc.cast(column, field.type, safe=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
        raise DataError(
            f"column '{field.name}' of table '{table}' does not fit: {fault}",
            expected=str(field.type),
            found=str(column.type),
            next_step="convert the column before it is written",
        ) from fault
