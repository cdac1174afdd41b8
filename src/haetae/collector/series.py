"""Tables of one row a day and name: daily, weekly and monthly bars, indices, NAVs, flows.

What is wanted are the finished sessions (the last session of a finished week or month) that the lake does not have and
that the source is not known to lack; days that do not come are remembered, so a run asks for them once.
Not here: minutes (`minutes`), tables that are not series (`reference`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from haetae.collector.jobs import NO_BARS, NO_HISTORY, Fetch, JobReport, Shop, Want, finding, findings, run
from haetae.krx.calendar import next_trading_day, trading_days
from haetae.ports.tables import TABLES

_EPOCH = dt.date(1970, 1, 1)
PERIODS = {"weekly": "week", "monthly": "month"}


@dataclass(frozen=True, slots=True)
class Holding:
    """Which days the lake has of each name, and which the source lacks."""

    have: Mapping[str, frozenset[dt.date]]
    barren_until: Mapping[str, dt.date]
    barren: Mapping[str, frozenset[dt.date]]

    def missing(self, name: str, wanted: Sequence[dt.date]) -> list[dt.date]:
        """Return the wanted days that are worth asking for."""
        have, barren = self.have.get(name, frozenset()), self.barren.get(name, frozenset())
        until = self.barren_until.get(name, _EPOCH)
        return [day for day in wanted if day > until and day not in have and day not in barren]


def holding(shop: Shop, table: str, names: Sequence[str], wanted: Sequence[dt.date]) -> Holding:
    """Return what the lake has and knows of a table over the wanted days."""
    if not wanted or not names:
        return Holding({}, {}, {})
    key = TABLES[table].keys[0]
    rows = shop.lake.read(table, symbols=list(names), start=wanted[0], end=wanted[-1])
    pairs = rows.group_by([key, "day"], use_threads=False).aggregate([]) if len(rows) else rows.select([key, "day"])
    have: dict[str, set[dt.date]] = {}
    for name, day in zip(pairs.column(key).to_pylist(), pairs.column("day").to_pylist(), strict=True):
        have.setdefault(name, set()).add(day)
    noted = shop.noted(table, NO_HISTORY, NO_BARS)
    return Holding(
        {name: frozenset(days) for name, days in have.items()},
        {name: max(days) for name, days in noted[NO_HISTORY].items()},
        {name: frozenset(days) for name, days in noted[NO_BARS].items()},
    )


def runs(name: str, missing: Sequence[dt.date], wanted: Sequence[dt.date], *, longest: int = 0) -> list[Want]:
    """Return the missing days as runs without a gap; ``longest`` cuts them (0 does not)."""
    place = {day: index for index, day in enumerate(wanted)}
    found: list[list[dt.date]] = []
    for day in missing:
        joins = bool(found) and place[day] == place[found[-1][-1]] + 1
        if joins and not (longest and len(found[-1]) >= longest):
            found[-1].append(day)
        else:
            found.append([day])
    return [Want(name, tuple(days)) for days in found]


async def collect(
    shop: Shop,
    table: str,
    names: Sequence[str],
    wanted: Sequence[dt.date],
    fetch: Fetch,
    *,
    listed: Mapping[str, dt.date] | None = None,
    batch: int = 0,
) -> JobReport:
    """Collect the wanted days of all names; a name is not wanted before it was listed."""
    finished = shop.measure()
    known = holding(shop, table, names, wanted)
    from_day = listed or {}
    wants: list[Want] = []
    skipped = 0
    for name in names:
        own = [day for day in wanted if day >= from_day.get(name, _EPOCH)]
        mine = runs(name, known.missing(name, own), own)
        skipped += not mine
        wants += mine
    absent = 0

    def judge(want: Want, rows: pa.Table) -> pa.Table:
        nonlocal absent
        came = set(pc.unique(rows.column("day")).to_pylist()) if len(rows) else set()
        lacking = [day for day in want.days if day not in came]
        absent += len(lacking)
        return findings(_lessons(table, want, lacking, before_all=_reaches_back(known, want)))

    written, failures = await run(shop, table, wants, fetch, judge, batch=batch or shop.settings.batch_symbols)
    failed = {failure.symbol for failure in failures}
    gaps = sum(len(want.days) for want in wants if want.name in failed)
    report = JobReport(table, len(wants), skipped, written, failures, gaps=gaps, absent=absent)
    return finished(report)


def _reaches_back(known: Holding, want: Want) -> bool:
    """Whether the want lies before everything the lake has, so that a late answer tells where history begins."""
    have = known.have.get(want.name)
    return not have or want.end < min(have)


def _lessons(table: str, want: Want, lacking: Sequence[dt.date], *, before_all: bool) -> list[dict[str, Any]]:
    """Return what to remember of the days that did not come: a start of history, or single days."""
    head: list[dt.date] = []
    if before_all:
        for day in want.days:
            if day not in lacking:
                break
            head.append(day)
    rows = [finding(table, want.name, head[-1], NO_HISTORY, f"asked from {want.start}")] if head else []
    rows += [
        finding(table, want.name, day, NO_BARS, f"asked {want.start} to {want.end}")
        for day in lacking
        if day not in head
    ]
    return rows


def period_ends(shop: Shop, table: str, start: dt.date, end: dt.date) -> tuple[dt.date, ...]:
    """Return the last sessions of the weeks or months of a range that are over by the clock."""
    sessions = shop.finished_sessions(start, end)
    if not sessions:
        return ()

    def period(day: dt.date) -> tuple[int, int]:
        year, week, _ = day.isocalendar()
        return (year, week) if table == "weekly" else (day.year, day.month)

    later = trading_days(sessions[-1], next_trading_day(sessions[-1]))[-1]
    following = (*sessions[1:], later)
    return tuple(day for day, after in zip(sessions, following, strict=True) if period(day) != period(after))
