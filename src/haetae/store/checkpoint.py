"""The state of a table at one version as a Parquet file, so that older entries need not be read.

One action a row, by the protocol of Delta Lake; the seal of the version and a hash of the rows stand in the
metadata of the file. ``remove`` actions are left out: only this program's own clean-up deletes files,
and it goes by what the kept versions name. Not here: when one is written (``log``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from haetae.ports.tables import TableSpec
from haetae.store.actions import PROTOCOL, Snapshot, add_of, canonical, entry_of

_TEXTS = pa.map_(pa.string(), pa.string())
_ADD = pa.struct(
    [
        pa.field("path", pa.string()),
        pa.field("partitionValues", _TEXTS),
        pa.field("size", pa.int64()),
        pa.field("modificationTime", pa.int64()),
        pa.field("dataChange", pa.bool_()),
        pa.field("stats", pa.string()),
        pa.field("tags", _TEXTS),
    ]
)
_REMOVE = pa.struct(
    [
        pa.field("path", pa.string()),
        pa.field("deletionTimestamp", pa.int64()),
        pa.field("dataChange", pa.bool_()),
        pa.field("extendedFileMetadata", pa.bool_()),
        pa.field("partitionValues", _TEXTS),
        pa.field("size", pa.int64()),
        pa.field("tags", _TEXTS),
    ]
)
_METADATA = pa.struct(
    [
        pa.field("id", pa.string()),
        pa.field("name", pa.string()),
        pa.field("format", pa.struct([pa.field("provider", pa.string()), pa.field("options", _TEXTS)])),
        pa.field("schemaString", pa.string()),
        pa.field("partitionColumns", pa.list_(pa.string())),
        pa.field("configuration", _TEXTS),
        pa.field("createdTime", pa.int64()),
    ]
)
_PROTOCOL = pa.struct([pa.field("minReaderVersion", pa.int32()), pa.field("minWriterVersion", pa.int32())])
_TXN = pa.struct([pa.field("appId", pa.string()), pa.field("version", pa.int64()), pa.field("lastUpdated", pa.int64())])
_SCHEMA = pa.schema(
    [
        pa.field("txn", _TXN),
        pa.field("protocol", _PROTOCOL),
        pa.field("metaData", _METADATA),
        pa.field("add", _ADD),
        pa.field("remove", _REMOVE),
    ]
)
_STATE = b"haetae.state"


def checkpoint_bytes(spec: TableSpec, snapshot: Snapshot) -> tuple[bytes, str]:
    """Return the checkpoint of a version, and the text of ``_last_checkpoint`` that points at it."""
    meta = dict(snapshot.meta or {})
    rows = [{"protocol": PROTOCOL}, {"metaData": meta}, *({"add": add_of(spec, entry)} for entry in snapshot.files)]
    state = {
        "version": snapshot.version,
        "seal": snapshot.seal,
        "at_ms": snapshot.at_ms,
        "rows": _hash(rows),
    }
    stored = _SCHEMA.with_metadata({_STATE: canonical(state).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([_pairs(row) for row in rows], stored), sink, compression="snappy")
    content = sink.getvalue().to_pybytes()
    pointer = {
        "version": snapshot.version,
        "size": len(rows),
        "sizeInBytes": len(content),
        "numOfAddFiles": len(snapshot.files),
    }
    return content, canonical(pointer)


def _hash(rows: list[dict[str, Any]]) -> str:
    return hashlib.sha256(canonical(rows).encode()).hexdigest()


def _pairs(value: Any) -> Any:
    """Return the value with text maps as the pairs Arrow wants."""
    if not isinstance(value, dict):
        return value
    return {
        name: list(each.items()) if name in ("partitionValues", "tags", "options", "configuration") else _pairs(each)
        for name, each in value.items()
    }


def _mappings(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        name: dict(each or ()) if name in ("partitionValues", "tags", "options", "configuration") else _mappings(each)
        for name, each in value.items()
    }


def snapshot_of(spec: TableSpec, version: int, content: bytes) -> Snapshot:
    """Return the version a checkpoint holds.

    Raises ``ValueError``, ``KeyError``, ``TypeError`` or ``pyarrow.ArrowInvalid`` if it is damaged, was edited, or is
    another program's.
    """
    with pq.ParquetFile(pa.BufferReader(content)) as source:
        stored: Mapping[bytes, bytes] = source.schema_arrow.metadata or {}
        rows = [_present(row) for row in source.read().to_pylist()]
    if _STATE not in stored:
        raise ValueError("it was not written by this program")
    state = json.loads(stored[_STATE])
    if state["rows"] != _hash(rows) or state["version"] != version:
        raise ValueError("its rows do not match their hash")
    files = tuple(entry_of(spec, row["add"]) for row in rows if "add" in row)
    meta = next(row["metaData"] for row in rows if "metaData" in row)
    return Snapshot(spec.name, version, files, meta, state["seal"], state["at_ms"])


def _present(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _mappings(value) for name, value in row.items() if value is not None}
