"""Rows of a lake as the inputs of a feature set, chunk by chunk, so that memory does not grow with the history.

A chunk holds whole days. Symbols are all that ever had a bar; where one has none in a chunk its last close is carried
into it, so the chunks together are the panel of the whole history. Optional inputs are given where the lake has their
table: the index, flows, sectors. Not here: what is computed of them and where it is kept (``materialising``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol
from haetae.features.minute import session_minutes
from haetae.features.sets import Grain, Inputs
from haetae.ports.tables import daily_table
from haetae.research.beside import days_of, flows_of, sector_numbers
from haetae.store.lake import Lake
from haetae.store.reference import instruments_on
from haetae.wiring.selection import INDEX

BARS_PER_CHUNK = 500_000
"""A chunk's bars take 20 MB, its features of 74 columns 150 MB, as a table as much again: half a gigabyte at most."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a lake has for one grain at fixed versions, and how it is cut.

    ``count`` rows (days or minutes with a bar of some name); ``chunks`` are the first and last day of each;
    ``sector_names`` stand beside ``symbols``, empty where unknown, and there are none where the lake knows no sector.
    """

    lake: Lake
    grain: Grain
    versions: dict[str, int]
    symbols: tuple[Symbol, ...]
    count: int
    chunks: tuple[tuple[dt.date, dt.date], ...]
    sector_names: tuple[str, ...]

    @property
    def table(self) -> str:
        """The table the bars come from."""
        return bars_table(self.versions, self.grain)

    @property
    def optional(self) -> tuple[str, ...]:
        """The optional inputs there are."""
        index = "index_daily" if self.grain is Grain.DAILY else "index_minute"
        there = [name for name in (index, "flows") if name in self.versions and self._wants(name)]
        return (*there, *(["sectors"] if self.sector_names else []))

    def _wants(self, table: str) -> bool:
        return table != "flows" or self.grain is Grain.DAILY

    def inputs(self) -> Iterator[Inputs]:
        """Yield the chunks in the order of time."""
        sectors = sector_numbers(self.sector_names)
        last = np.zeros(len(self.symbols), np.int64)
        for start, end in self.chunks:
            read = self.lake.panel(self.table, self.symbols, start, end, version=self.versions[self.table])
            panel = _carried(read, last)
            last = panel.close[-1]
            yield Inputs(
                panel,
                minutes=session_minutes(panel) if self.grain is Grain.MINUTE else None,
                index_close=self._index(panel, start, end),
                flows=flows_of(self.lake, panel, version=self.versions["flows"]) if "flows" in self.optional else None,
                sectors=sectors,
            )

    def _index(self, panel: Panel, start: dt.date, end: dt.date) -> NDArray[np.float64] | None:
        daily = self.grain is Grain.DAILY
        table = "index_daily" if daily else "index_minute"
        if table not in self.optional:
            return None
        rows = self.lake.read(table, symbols=[INDEX], start=start, end=end, version=self.versions[table])
        times = days_of(rows) if daily else rows.column("start").to_numpy()
        points = np.full(len(panel), np.nan)
        wanted = panel.days.astype(np.int64) if daily else panel.start
        place = np.searchsorted(wanted, times)
        known = (place < len(wanted)) & (wanted[np.minimum(place, len(wanted) - 1)] == times)
        points[place[known]] = rows.column("close").to_numpy()[known] / 100.0
        points[points <= 0.0] = np.nan
        return points


def has_bars(lake: Lake, grain: Grain) -> bool:
    """Tell whether a lake that has tables at all has the bars of a grain; an empty one is left to ``bars_table``."""
    versions = lake.versions()
    return not versions or (daily_table(versions) if grain is Grain.DAILY else "minute") in versions


def bars_table(versions: dict[str, int], grain: Grain) -> str:
    """Return the table that a grain's bars come from; raises ``DataError`` where the lake has none."""
    table = daily_table(versions) if grain is Grain.DAILY else "minute"
    if table not in versions:
        raise DataError(
            Text(ko=f"레이크에 '{table}' 표가 없습니다", en=f"the lake has no table '{table}'"),
            expected=table,
            found=", ".join(versions) or Text(ko="빈 레이크", en="an empty lake").en,
            next_step=f"haetae lake import --kind {'daily' if grain is Grain.DAILY else 'minute'} FILE",
        )
    return table


def rows_of(lake: Lake, grain: Grain, until: dt.date | None = None, *, bars_per_chunk: int = BARS_PER_CHUNK) -> Rows:
    """Return what a lake has for a grain up to a day, at the versions of now."""
    versions = dict(lake.versions())
    table = bars_table(versions, grain)
    names: set[Symbol] = set()
    counts: dict[dt.date, int] = {}
    time, rows = ("day" if grain is Grain.DAILY else "start"), 0
    columns = list(dict.fromkeys(["symbol", "day", time]))
    for piece in lake.batches(table, columns=columns, end=until, version=versions[table]):
        rows += pc.count_distinct(piece.column(time)).as_py()  # a file holds whole days
        names.update(pc.unique(piece.column("symbol")).cast(pa.string()).to_pylist())
        for each in pc.value_counts(piece.column("day")).to_pylist():
            counts[each["values"]] = counts.get(each["values"], 0) + each["counts"]
    if not counts:
        raise DataError(
            Text(ko="그날까지의 봉이 없습니다", en="there are no bars up to that day"),
            expected=Text(ko=f"'{table}' 의 봉", en=f"bars of '{table}'"),
            found=str(until),
            next_step=f"haetae lake show --lake {lake.address}",
        )
    symbols = tuple(sorted(names))
    sectors: tuple[str, ...] = ()
    if grain is Grain.DAILY and "instruments" in versions:
        known = {each.symbol: each.sector for each in instruments_on(lake, max(counts))}
        sectors = tuple(known.get(symbol, "") for symbol in symbols)
    kept = sectors if any(sectors) else ()
    return Rows(lake, grain, versions, symbols, rows, _cut(counts, bars_per_chunk), kept)


def _cut(counts: dict[dt.date, int], most: int) -> tuple[tuple[dt.date, dt.date], ...]:
    """Return runs of whole days of at most so many bars, one day at least."""
    chunks: list[tuple[dt.date, dt.date]] = []
    held = 0
    for day in sorted(counts):
        if chunks and held + counts[day] <= most:
            chunks[-1] = (chunks[-1][0], day)
            held += counts[day]
        else:
            chunks.append((day, day))
            held = counts[day]
    return tuple(chunks)


def _carried(panel: Panel, last: Int64Array) -> Panel:
    """Return the panel with the last close of the chunk before where a symbol has no bar yet."""
    gaps = (panel.close == 0) & (last > 0)
    if not gaps.any():
        return panel

    def filled(block: Int64Array) -> Int64Array:  # a row without a trade repeats the last close
        return np.where(gaps, last, block)

    return replace(
        panel,
        open=filled(panel.open),
        high=filled(panel.high),
        low=filled(panel.low),
        close=filled(panel.close),
    )
