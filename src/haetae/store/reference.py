"""Answers about the market as it was known on a day: listed names, newest closes, quality.

Here: ``instruments_on``, ``announced_on``, ``latest_closes``, ``quality_lines`` over a ``ports.BarLake``. Not here: the
files (``lake``), how an instrument becomes a row (``ports.tables``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haetae.domain.errors import DataError
from haetae.domain.market import Instrument, Kind, Market
from haetae.domain.units import Symbol, Won
from haetae.ports import BarLake, TableReader
from haetae.ports.tables import DELISTED, RESOLVED, daily_table


@dataclass(frozen=True, slots=True)
class QualityLine:
    """One kind of finding in one table: how often, in how many symbols, when."""

    table: str
    code: str
    rows: int
    symbols: int
    first_day: dt.date
    last_day: dt.date
    example: str


def instruments_on(lake: TableReader, day: dt.date) -> tuple[Instrument, ...]:
    """Return the names listed on a day as they were described then, sorted by symbol.

    Each is the newest row with ``as_of <= day``; a name whose newest row is flagged ``delisted`` is
    not listed any more. Known at: the morning of ``day``.
    """
    return tuple(each for each in announced_on(lake, day) if DELISTED not in each.flags)


def announced_on(lake: TableReader, day: dt.date) -> tuple[Instrument, ...]:
    """Return the newest state of every name that was ever announced by a day, sorted by symbol; delisted ones too."""
    rows = lake.read("instruments", end=day)
    return tuple(_instrument(row) for row in _newest(rows).to_pylist())


def _newest(rows: pa.Table) -> pa.Table:
    """Return the last row of each symbol; the rows come sorted by symbol and time."""
    symbols = rows.column("symbol").combine_chunks()
    if not len(symbols):
        return rows
    codes = symbols.dictionary_encode().indices.to_numpy()
    last = np.flatnonzero(np.append(codes[1:] != codes[:-1], [True]))
    return rows.take(pa.array(last))


def _instrument(row: Mapping[str, object]) -> Instrument:
    values = dict(row)
    try:
        values["market"] = Market(values["market"])
        values["kind"] = Kind(values["kind"])
    except ValueError as fault:
        raise DataError(
            f"instrument {row['symbol']} as of {row['as_of']}: {fault}",
            expected="a market of domain.market.Market and a kind of domain.market.Kind",
            found=f"{row['market']}, {row['kind']}",
            next_step="collect or import the instruments again",
        ) from fault
    values["flags"] = frozenset(flag for flag in str(values["flags"]).split(",") if flag)
    return Instrument(**values)  # type: ignore[arg-type]


def latest_closes(
    lake: BarLake, day: dt.date, symbols: Sequence[Symbol] | None = None, *, within_days: int = 30
) -> Mapping[Symbol, Won]:
    """Return the newest daily close of each symbol at the close of ``day``, in won (adjusted where no raw ones are).

    Only the last ``within_days`` calendar days are looked at: an older close is no price of today.
    A halted day counts with the close it carries. Symbols without a close are absent.
    """
    rows = lake.read(daily_table(lake.versions()), symbols=symbols, start=day - dt.timedelta(days=within_days), end=day)
    newest = _newest(rows)
    return dict(zip(newest.column("symbol").to_pylist(), newest.column("close").to_pylist(), strict=True))


def quality_lines(lake: BarLake) -> tuple[QualityLine, ...]:
    """Return the findings of the ``quality`` table that still stand, by table and code, most frequent first."""
    rows = lake.read("quality")
    rows = rows.filter(pc.invert(pc.starts_with(rows.column("detail"), RESOLVED)))
    if not len(rows):
        return ()
    grouped = rows.group_by(["table", "code"]).aggregate(
        [("symbol", "count"), ("symbol", "count_distinct"), ("day", "min"), ("day", "max"), ("detail", "min")]
    )
    lines = [
        QualityLine(
            row["table"],
            row["code"],
            row["symbol_count"],
            row["symbol_count_distinct"],
            row["day_min"],
            row["day_max"],
            row["detail_min"],
        )
        for row in grouped.to_pylist()
    ]
    return tuple(sorted(lines, key=lambda line: (line.table, -line.rows, line.code)))
