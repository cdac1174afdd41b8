"""Files of other sources → rows of the lake, with every doubtful row accounted for.

``haetae lake import --kind daily PATH…`` ends here. Nothing is dropped in silence: a row enters, is
mended, or is kept out, and the last two leave a row in ``quality``. What a reader must know about
the source (adjusted prices, names that are missing) is noted with the table.
Not here: conversion (``columns``), judgement of rows (``judgement``), files (``lake``).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.errors import ConfigError, Text
from haetae.domain.units import KST_OFFSET_NS
from haetae.ports.tables import TABLES
from haetae.store.columns import instrument_columns, read_any, renamed, with_types
from haetae.store.judgement import judge_bars
from haetae.store.lake import Lake

KINDS = ("daily", "minute", "index_daily", "instruments")
"""Tables that may be imported."""


class Prices(Enum):
    """Whether the bars are as they were traded, or were adjusted for later splits."""

    RAW = "raw"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What to import and how to read it.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    paths : tuple of Path
        Parquet or CSV files, taken in this order; a later file replaces rows of an earlier one.
    source : str
        Name of the source, kept in each daily row and as the key of its note.
    note : str
        What readers must know; a warning about missing delisted names is added by itself.
    mapping : mapping
        Lake column → column of the file, where the known names do not fit.
    as_of : date, optional
        For instruments: the day the list was true. Without it a name counts from its listing.
    ohlc_tolerance_bp : int
        Up to here a close outside ``[low, high]`` is mended. 100 bp keeps adjustment rounding
        (95 % of such rows of a portal's adjusted history are below 15 bp) and refuses real errors.
    """

    kind: str
    paths: tuple[Path, ...]
    source: str
    prices: Prices = Prices.RAW
    note: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    as_of: dt.date | None = None
    ohlc_tolerance_bp: int = 100


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows; ``read == written + sum(kept_out)`` always holds."""

    table: str
    read: int
    written: int
    kept_out: Mapping[str, int]
    mended: Mapping[str, int]
    unused_columns: tuple[str, ...]
    version: int
    symbols: int
    first_day: dt.date | None
    last_day: dt.date | None
    note: str


def import_files(lake: Lake, plan: ImportPlan, progress: Callable[[str, int, int], None] | None = None) -> ImportReport:
    """Import files into one table; repeating it changes nothing.

    ``progress`` is called with ``(file name, files done, files)``.
    """
    if plan.kind not in KINDS:
        raise ConfigError(
            Text(ko=f"가져올 수 없는 종류입니다: {plan.kind}", en=f"this kind cannot be imported: {plan.kind}"),
            expected=", ".join(KINDS),
            found=plan.kind,
            next_step="choose one of them",
        )
    taken: list[pa.Table] = []
    findings: list[pa.Table] = []
    kept_out: Counter[str] = Counter()
    mended: Counter[str] = Counter()
    unused: set[str] = set()
    read = 0
    for done, path in enumerate(plan.paths, start=1):
        rows, left = renamed(plan.kind, read_any(path), plan.mapping)
        _require(plan, rows, path)
        rows = with_types(plan.kind, rows)
        read += len(rows)
        unused.update(left)
        if plan.kind == "instruments":
            taken.append(instrument_columns(rows, plan.as_of))
        else:
            judged = judge_bars(plan.kind, _with_day(plan.kind, rows), ohlc_tolerance_bp=plan.ohlc_tolerance_bp)
            taken.append(judged.rows)
            findings.append(judged.findings)
            kept_out.update(judged.kept_out)
            mended.update(judged.mended)
        if progress:
            progress(path.name, done, len(plan.paths))
    rows = _stamped(plan, pa.concat_tables(taken, promote_options="permissive"))
    note = " ".join(part for part in (plan.note, _survivors(plan.kind, rows)) if part)
    quality = pa.concat_tables(findings) if findings else None
    if quality is not None and len(quality):
        lake.write("quality", quality, keys=TABLES["quality"].keys)
    spec = TABLES[plan.kind]
    version = lake.write(plan.kind, rows, keys=spec.keys, notes={plan.source: f"{plan.prices.value} prices. {note}"})
    span = pc.min_max(rows.column(spec.day_column)).as_py()
    symbols = pc.count_distinct(rows.column(spec.keys[0])).as_py()
    return ImportReport(
        plan.kind, read, len(rows), dict(kept_out), dict(mended), tuple(sorted(unused)), version, symbols,
        span["min"], span["max"], note,
    )  # fmt: skip


def _require(plan: ImportPlan, rows: pa.Table, path: Path) -> None:
    spec = TABLES[plan.kind]
    derived = {"day"} if plan.kind == "minute" else set()
    if plan.kind == "instruments":
        derived = {"market", "kind", "listed_on", "as_of"}
    missing = [
        n for n in spec.schema.names if n not in rows.column_names and n not in spec.defaults and n not in derived
    ]
    if missing:
        raise ConfigError(
            Text(ko=f"{path.name}: 필요한 열이 없습니다: {missing}", en=f"{path.name}: columns are missing: {missing}"),
            expected=", ".join(spec.schema.names),
            found=", ".join(rows.column_names),
            next_step="name them with the column mapping (--column close=adj_close)",
        )


def _with_day(kind: str, rows: pa.Table) -> pa.Table:
    if kind != "minute" or "day" in rows.column_names:
        return rows
    local = pc.add(rows.column("start"), KST_OFFSET_NS)
    day = pc.cast(pc.cast(local, pa.timestamp("ns")), pa.date32(), safe=False)
    return rows.append_column("day", day)


def _stamped(plan: ImportPlan, rows: pa.Table) -> pa.Table:
    if plan.kind != "daily":
        return rows
    adjusted = pa.repeat(pa.scalar(plan.prices is Prices.ADJUSTED), len(rows))
    source = pa.repeat(pa.scalar(plan.source), len(rows))
    return rows.append_column("adjusted", adjusted).append_column("source", source)


def _survivors(kind: str, rows: pa.Table) -> str:
    """Return a warning if (nearly) every symbol of a long history still trades at its end."""
    if kind != "daily" or not len(rows):
        return ""
    span = pc.min_max(rows.column("day")).as_py()
    if (span["max"] - span["min"]).days < 366:
        return ""
    last = rows.group_by("symbol").aggregate([("day", "max")]).column("day_max")
    alive = pc.sum(pc.greater_equal(last, pa.scalar(span["max"] - dt.timedelta(days=10), pa.date32()))).as_py()
    if alive * 100 < len(last) * 98:
        return ""
    return (
        f"Survivorship bias: {alive} of {len(last)} symbols still trade at the end ({span['max']}), so names that "
        "were delisted before are missing; returns of a selection from this set are too good."
    )
