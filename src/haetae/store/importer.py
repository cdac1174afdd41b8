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

from haetae.domain.errors import ConfigError, DataError, Text
from haetae.domain.units import KST_OFFSET_NS
from haetae.ports.tables import TABLES
from haetae.store.columns import instrument_columns, read_any, renamed, with_types
from haetae.store.departures import departure_rows, judge_departures
from haetae.store.judgement import Judged, judge_bars
from haetae.store.lake import Lake
from haetae.store.moods import judge_moods, mood_columns
from haetae.store.schema import conform
from haetae.store.statement_files import judge_statements, statement_rows

KINDS = ("daily", "minute", "index_daily", "instruments", "fundamentals", "delistings", "fear_greed")
"""What may be imported; adjusted daily bars go to a table of their own, delistings become states of ``instruments``."""


_BARS = frozenset({"daily", "minute", "index_daily", "instruments"})
"""Kinds whose note says on which prices they stand; a list of names states prices too."""


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
    today : date, optional
        Rows of later days refuse the whole file: its days are not what they seem.
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
    today: dt.date | None = None
    ohlc_tolerance_bp: int = 100

    @property
    def table(self) -> str:
        """The table the rows go to."""
        if self.kind == "delistings":
            return "instruments"
        return "daily_adjusted" if self.kind == "daily" and self.prices is Prices.ADJUSTED else self.kind


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows; ``read == written + sum(kept_out)`` holds, but a delisting is written as two states.

    Of statements a row is one figure, whatever the shape of the file.
    """

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
        rows, left = _columns_of(plan, path)
        _refuse_future(plan, rows, path)
        read += len(rows)
        unused.update(left)
        if plan.kind == "instruments":
            taken.append(instrument_columns(rows, plan.as_of))
        else:
            judged = _judged(plan, rows)
            taken.append(judged.rows)
            findings.append(judged.findings)
            kept_out.update(judged.kept_out)
            mended.update(judged.mended)
        if progress:
            progress(path.name, done, len(plan.paths))
    rows = conform(plan.table, _stamped(plan, pa.concat_tables(taken, promote_options="permissive")))
    note = " ".join(part for part in (plan.note, _survivors(plan.kind, rows)) if part)
    quality = pa.concat_tables(findings) if findings else None
    if quality is not None and len(quality):
        lake.write("quality", quality, keys=TABLES["quality"].keys)
    spec = TABLES[plan.table]
    said = f"{plan.prices.value} prices. {note}" if plan.kind in _BARS else note
    version = lake.write(plan.table, rows, keys=spec.keys, notes={plan.source: said.strip()} if said.strip() else {})
    span = pc.min_max(rows.column(_day_name(plan))).as_py()
    symbols = pc.count_distinct(rows.column(spec.keys[0])).as_py()
    return ImportReport(
        plan.table, read, len(rows), dict(kept_out), dict(mended), tuple(sorted(unused)), version, symbols,
        span["min"], span["max"], note,
    )  # fmt: skip


def _columns_of(plan: ImportPlan, path: Path) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the rows of a file in the lake's words and types, and the names of columns left out."""
    given = read_any(path)
    if plan.kind == "fundamentals":
        return statement_rows(given, plan.mapping)
    if plan.kind == "delistings":
        return departure_rows(given, plan.mapping)
    rows, left = renamed(plan.table, given, plan.mapping)
    _require(plan, rows, path)
    return _with_day(plan.kind, with_types(plan.table, rows)), left


def _judged(plan: ImportPlan, rows: pa.Table) -> Judged:
    if plan.kind == "fundamentals":
        return judge_statements(rows)
    if plan.kind == "delistings":
        return judge_departures(rows)
    if plan.kind == "fear_greed":
        return judge_moods(mood_columns(rows))
    return judge_bars(plan.table, rows, ohlc_tolerance_bp=plan.ohlc_tolerance_bp)


def _require(plan: ImportPlan, rows: pa.Table, path: Path) -> None:
    spec = TABLES[plan.table]
    derived = {"day"} if plan.kind == "minute" else set()
    if plan.kind == "instruments":
        derived = {"market", "kind", "listed_on", "as_of"}
    if plan.kind == "fear_greed":
        derived = {"source", "regime", "known_on"}
    missing = [
        n for n in spec.schema.names if n not in rows.column_names and n not in spec.defaults and n not in derived
    ]
    if missing:
        raise ConfigError(
            Text(ko=f"{path.name}: 필요한 열이 없습니다: {missing}", en=f"{path.name}: columns are missing: {missing}"),
            expected=", ".join(spec.schema.names),
            found=", ".join(rows.column_names),
            next_step=Text(
                ko="열 이름을 짝지어 주세요 (--map close=adj_close)", en="name them (--map close=adj_close)"
            ),
        )


def _day_name(plan: ImportPlan) -> str:
    """Return the column whose days are told and may not lie in the future; a foreign index is known a day later."""
    return "day" if plan.kind == "fear_greed" else TABLES[plan.table].day_column


def _refuse_future(plan: ImportPlan, rows: pa.Table, path: Path) -> None:
    name = _day_name(plan)
    if plan.today is None or name not in rows.column_names:
        return
    days = rows.column(name)
    late = pc.filter(days, pc.greater(days, pa.scalar(plan.today, pa.date32())))
    if len(late):
        raise DataError(
            Text(ko=f"{path.name}: 미래의 날짜가 있습니다", en=f"{path.name}: it has days in the future"),
            expected=f"<= {plan.today}",
            found=f"{pc.max(late).as_py()} ({len(late)} of {len(rows)} rows)",
            next_step=Text(
                ko=f"파일을 고치거나 --map {name}=날짜_열 로 맞는 열을 주세요",
                en=f"mend the file, or name the right column with --map {name}=…",
            ),
        )


def _with_day(kind: str, rows: pa.Table) -> pa.Table:
    if kind != "minute" or "day" in rows.column_names:
        return rows
    local = pc.add(rows.column("start"), KST_OFFSET_NS)
    day = pc.cast(pc.cast(local, pa.timestamp("ns")), pa.date32(), safe=False)
    return rows.append_column("day", day)


def _stamped(plan: ImportPlan, rows: pa.Table) -> pa.Table:
    """Return daily rows with their basis and source, where the file does not tell them itself."""
    if plan.kind != "daily":
        return rows
    stamps = {"adjusted": pa.scalar(plan.prices is Prices.ADJUSTED), "source": pa.scalar(plan.source)}
    for name, value in stamps.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, pa.repeat(value, len(rows)))
    return rows


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
