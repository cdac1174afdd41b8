"""The rows of a version as a lazy frame of Polars, which reads the files by name.

Polars is an extra (``polars``) and is imported only here. Not here: which files (``log``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import Symbol
from haetae.ports.tables import TableSpec
from haetae.store.actions import FileEntry
from haetae.store.objects import Objects

if TYPE_CHECKING:
    import polars as pl


def lazy_frame(
    objects: Objects,
    spec: TableSpec,
    files: Sequence[FileEntry],
    symbols: Sequence[Symbol] | None,
    start: dt.date | None,
    end: dt.date | None,
) -> pl.LazyFrame:
    """Return the rows of the files; nothing is read before it is collected, save files of a bucket."""
    try:
        import polars as pl
    except ImportError as fault:
        raise ConfigError(
            Text(ko="Polars 가 없습니다", en="Polars is not installed"),
            expected="haetae[polars]",
            found=str(fault),
            next_step="pip install 'haetae[polars]' | python3 run.py setup test",
        ) from fault
    if not files:
        made = pl.from_arrow(spec.schema.empty_table())
        assert isinstance(made, pl.DataFrame)
        return made.lazy()
    names = [f"{spec.name}/{entry.path}" for entry in files]
    paths = [objects.path(name) for name in names]
    if all(paths):
        frame = pl.scan_parquet([str(path) for path in paths])
    else:
        frame = pl.scan_parquet([objects.read(name) for name in names])
    day = pl.col(spec.day_column)
    if symbols is not None:
        frame = frame.filter(pl.col(spec.keys[0]).is_in(list(symbols)))
    if start is not None:
        frame = frame.filter(day >= start)
    return frame if end is None else frame.filter(day <= end)
