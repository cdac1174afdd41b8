"""What a selection of a day reads of a lake: one version of each table, the names known by then, the bars of a year.

Not here: the selection and where it is kept (``universes``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Instrument
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, yyyymmdd
from haetae.krx import is_trading_day, next_trading_day, previous_trading_day
from haetae.store.lake import Lake, TableInfo
from haetae.store.reference import announced_on
from haetae.universe import UniverseSettings
from haetae.universe.figures import window_rows
from haetae.universe.names import assumed


class PinnedLake:
    """A lake at one version of each table, whoever writes meanwhile."""

    def __init__(self, lake: Lake) -> None:
        """Take the versions of now."""
        self._lake = lake
        self._versions = dict(lake.versions())

    def versions(self) -> Mapping[str, int]:
        """Return the versions that are read."""
        return self._versions

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[Symbol] | None = None,
        start: dt.date | None = None,
        end: dt.date | None = None,
        version: int | None = None,
    ) -> pa.Table:
        """See ``ports.BarLake``; a table that was not there is empty."""
        pinned = self._versions.get(table, version)
        return self._lake.read(table, symbols=symbols, start=start, end=end, version=pinned)

    def panel(self, table: str, start: dt.date | None, end: dt.date) -> Panel:
        """Return the bars of all symbols from a day to a day."""
        return self._lake.panel(table, None, start, end, version=self._versions[table])

    def read_tables(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return version and exact bytes of the tables that are there."""
        return {
            name: {"version": self._versions[name], "digest": self._lake.digest(name, self._versions[name])}
            for name in names
            if name in self._versions
        }


def named_bars(
    lake: PinnedLake, table: str, day: dt.date, settings: UniverseSettings
) -> tuple[Sequence[Instrument], Panel]:
    """Return the names known by the day, and the bars that are read."""
    if "instruments" not in lake.versions():
        panel = lake.panel(table, None, day)  # the first bar of a name stands for its listing
        return list(assumed(panel).values()), panel
    known = announced_on(lake, day)
    if not known:
        first = min(lake.read("instruments").column("as_of").to_pylist(), default=None)
        raise DataError(
            Text(ko=f"{day}까지 알려진 종목 목록이 없습니다", en=f"no list of names was known by {day}"),
            expected=Text(ko=f"as_of 가 {day} 이전인 종목 목록", en=f"a list of names with as_of on or before {day}"),
            found=f"first as_of {first}",
            next_step=Text(
                ko=f"{first}부터의 날을 고르거나, 그때의 목록을 가져오세요: "
                f"haetae lake import --kind instruments --as-of {day} 파일",
                en=f"choose a day from {first}, or import the list of then: "
                f"haetae lake import --kind instruments --as-of {day} FILE",
            ),
        )
    least = window_rows(settings)
    panel = lake.panel(table, day - dt.timedelta(days=int(least * 1.6) + 30), day)
    if len(panel) < least:  # a young lake, or one with holes
        panel = lake.panel(table, None, day)
    return known, panel


def adjusted(lake: PinnedLake, table: str, day: dt.date) -> bool:
    """Return whether the bars of a day were adjusted for later splits: by their table, or declared in them."""
    return table != "daily" or any(lake.read(table, start=day, end=day).column("adjusted").to_pylist())


def session(day: dt.date | None, bars: TableInfo | None) -> dt.date:
    """Return the day that is meant, refused where it is no session or outside the lake."""
    if bars is None or bars.first_day is None or bars.last_day is None:
        raise DataError(
            Text(ko="레이크에 일봉이 없습니다", en="the lake has no daily bars"),
            expected=Text(ko="행이 있는 일봉 표", en="a table 'daily' or 'daily_adjusted' with rows"),
            found="no bars",
            next_step="haetae lake import --kind daily PATH",
        )
    if day is None:
        return bars.last_day
    if not is_trading_day(day):
        before, after = previous_trading_day(day), next_trading_day(day)
        raise DataError(
            Text(ko=f"{day}은 거래일이 아닙니다", en=f"{day} is no session"),
            expected=Text(
                ko=f"거래일: 그날 아는 것은 {before} 마감과 같습니다",
                en=f"a session; what is known on that day is the close of {before}",
            ),
            found=f"{day:%A}; {before} | {after}",
            next_step=f"--date {before}",
        )
    if not bars.first_day <= day <= bars.last_day:
        near = bars.first_day if day < bars.first_day else bars.last_day
        raise DataError(
            Text(ko=f"{day}의 일봉이 레이크에 없습니다", en=f"the lake has no daily bars of {day}"),
            expected=Text(ko="레이크에 있는 날", en="a day the lake holds"),
            found=f"{bars.table}: {bars.first_day} ~ {bars.last_day}",
            next_step=Text(
                ko=f"--date {near}, 또는 그날까지 수집하거나 가져오세요",
                en=f"--date {near}, or collect or import up to that day",
            ),
        )
    return day


def refuse_hole(day: dt.date, panel: Panel, bars: TableInfo | None) -> None:
    """Refuse a session within the span of the bars of which the lake has none."""
    if len(panel) and panel.days[-1] == yyyymmdd(day):
        return
    newest = str(panel.days[-1]) if len(panel) else "none"
    raise DataError(
        Text(ko=f"{day}의 일봉이 레이크에 없습니다", en=f"the lake has no daily bars of {day}"),
        expected=Text(ko="그날의 일봉", en="bars of that session"),
        found=f"newest bar before it: {newest}" + (f"; {bars.table} ends {bars.last_day}" if bars else ""),
        next_step=f"haetae collect daily --from {day} --to {day}",
    )
