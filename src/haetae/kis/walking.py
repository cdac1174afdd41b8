"""Walking back through charts that come newest first and are cut at a page.

Here: the count of calls against the fewest possible (`Work`), the walk by days, the walk by minutes over many
sessions. A page that fails fails the whole: history is never cut short silently. Not here: what the rows become
(`bars`, `studies`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from haetae.domain.units import hhmmss_of, yyyymmdd
from haetae.kis.rest import KisRest
from haetae.kis.wire.calls.charts import MinuteBar, MinutesOfDay
from haetae.kis.wire.envelope import Reply
from haetae.kis.wire.typed import Ask
from haetae.krx import Rulebook, trading_days
from haetae.krx.closures import FIRST_YEAR, LAST_YEAR
from haetae.ports import Effort

Line = Mapping[str, str]
_DAY, _CLOCK = "stck_bsop_date", "stck_cntg_hour"
_EMPTY_AGAIN = 2
"""The service sends empty lists in its maintenance; before the beginning of a name's history they are true."""


@dataclass(slots=True)
class Work:
    """Calls of a connection, counted by whoever walks."""

    rest: KisRest
    calls: int = 0
    least: int = 0

    @property
    def effort(self) -> Effort:
        """Return what was spent so far; a call that had to be repeated counts as often as it was made."""
        return Effort(self.calls + self.rest.counts.repeats, self.least)

    async def ask(self, asked: Ask, *, about: str, least: int = 1) -> Reply:
        """Make one call; ``least`` is how many of such calls the rows really need."""
        reply = await self.rest.ask(asked, about=about)
        self.calls += 1
        self.least += least
        return reply

    def needed(self, rows: int, page: int) -> None:
        """Count the fewest calls that bring so many rows; at least one, to learn that there are none."""
        self.least += max(1, -(-rows // page))


async def walk_days(
    work: Work, ask: Callable[[dt.date], Ask], start: dt.date, end: dt.date, *, output: str, about: str
) -> list[Line]:
    """Return the rows of ``start <= day <= end`` oldest first, walking back by the oldest day of each page.

    ``ask`` makes the request for the rows up to a day; days may repeat at the edges of pages.
    """
    found: dict[str, Line] = {}
    last = end
    first_wanted, final = str(yyyymmdd(start)), str(yyyymmdd(end))
    page = 0
    while last >= start and may_trade(start, last):
        asked = ask(last)
        page = asked.operation.page_rows
        reply = await work.ask(asked, about=about, least=0)
        rows = [row for row in reply.rows(output) if row.get(_DAY, "").strip()]
        fresh = {row[_DAY]: row for row in rows if row[_DAY] not in found}
        if not fresh:
            break
        found |= fresh
        oldest = min(fresh)
        if oldest <= first_wanted:
            break
        last = dt.datetime.strptime(oldest, "%Y%m%d").date() - dt.timedelta(days=1)  # noqa: DTZ007 - a day, no instant
    kept = [found[day] for day in sorted(found) if first_wanted <= day <= final]
    if page:
        work.needed(len(kept), page)
    return kept


@dataclass(frozen=True, slots=True)
class _Place:
    """Up to where the next page is asked for."""

    day: dt.date
    clock: int


async def walk_minutes(work: Work, symbol: str, start: dt.date, end: dt.date) -> dict[tuple[str, int], Line]:
    """Return the minute rows of all sessions of a range by (day, clock).

    One call goes on into earlier days where the server does so; where it stops at the day's first minute, the walk
    goes to the session before by itself.
    """
    sessions = list(trading_days(start, end))
    found: dict[tuple[str, int], Line] = {}
    if not sessions:
        return found
    first = (str(yyyymmdd(sessions[0])), _open_clock(sessions[0]))
    page, goes_on = 0, False
    place: _Place | None = _Place(sessions[-1], _close_clock(sessions[-1]))
    while place is not None:
        asked = MinutesOfDay(
            fid_input_iscd=symbol,
            fid_input_date_1=str(yyyymmdd(place.day)),
            fid_input_hour_1=f"{place.clock:06d}",
        )
        page = asked.operation.page_rows
        reply = await _believed(work, asked, about=f"{symbol} {place.day}")
        rows = reply.raw(MinuteBar)
        clocks = MinuteBar.table.column(rows, _CLOCK, tr=reply.tr, about=symbol)
        keyed = {(row[_DAY].strip(), clock): row for clock, row in zip(clocks, rows, strict=True)}
        fresh = {key: row for key, row in keyed.items() if key not in found}
        found |= fresh
        oldest = min(fresh, default=None)
        goes_on = goes_on or (oldest is not None and oldest[0] < str(yyyymmdd(place.day)))
        if (oldest is not None and oldest <= first) or (goes_on and not rows):
            break
        place = _before(place, oldest, sessions, full=len(rows) >= page)
    kept = {key: row for key, row in found.items() if key >= (first[0], 0)}
    work.needed(len(kept), page)
    return kept


async def _believed(work: Work, asked: Ask, *, about: str) -> Reply:
    """Ask for a page of minutes; that there are none is believed when it has been said three times."""
    for _ in range(_EMPTY_AGAIN):
        reply = await work.ask(asked, about=about, least=0)
        if reply.raw(MinuteBar):
            return reply
    return await work.ask(asked, about=about, least=0)


def _before(place: _Place, oldest: tuple[str, int] | None, sessions: Sequence[dt.date], *, full: bool) -> _Place | None:
    """Return where to go on after a page whose oldest fresh row is ``oldest``; none at the end of the range."""
    asked = str(yyyymmdd(place.day))
    if oldest is not None:
        day, clock = oldest
        inside = clock > _open_clock(_day(day)) if _is_session(_day(day)) else False
        # A page that is not full ends where the server's day or its history ends.
        if inside and (full or day < asked):
            return _Place(_day(day), _minute_before(clock))
        asked = day
    earlier = [session for session in sessions if str(yyyymmdd(session)) < asked]
    return _Place(earlier[-1], _close_clock(earlier[-1])) if earlier else None


def _day(text: str) -> dt.date:
    return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _is_session(day: dt.date) -> bool:
    return bool(trading_days(day, day))


def _open_clock(day: dt.date) -> int:
    return hhmmss_of(Rulebook.on(day).session.open_at)


def _close_clock(day: dt.date) -> int:
    return hhmmss_of(Rulebook.on(day).session.close_at)


def may_trade(start: dt.date, last: dt.date) -> bool:
    """Whether a range may hold a session; true before the calendar's first year."""
    return start.year < FIRST_YEAR or last.year > LAST_YEAR or bool(trading_days(start, last))


def _minute_before(clock: int) -> int:
    hours, minutes = divmod(clock // 100, 100)
    total = hours * 60 + minutes - 1
    return (total // 60) * 10_000 + (total % 60) * 100


def table_of(columns: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Return columns in the order of a schema as its table."""
    arrays = [pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
