"""Minute bars of whole sessions: what is missing, in runs of sessions, newest bars of a stream compared with history.

A session counts as had when the lake has bars of the name on that day and they are not provisional: minutes that a
stream brought are compared with the source's history after the close, and the history counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from haetae.collector.jobs import NO_BARS, PROVISIONAL, JobReport, Shop, Want, finding, findings, run
from haetae.collector.series import runs
from haetae.domain.errors import DataError, Text
from haetae.domain.units import Symbol
from haetae.ports.tables import RESOLVED

_CUT = 20
"""Sessions asked for in one go: at 120 rows a call a run of 20 wastes half a call at its end, and a process that
dies loses little."""
_PRICES = ("open", "high", "low", "close")
_SEEN = 2
"""Traded minutes of a stream ahead of a day's first one that the history may lack; more, and the history was cut."""


async def collect(
    shop: Shop,
    symbols: Sequence[Symbol],
    start: dt.date,
    end: dt.date,
    *,
    listed: Mapping[Symbol, dt.date] | None = None,
) -> JobReport:
    """Collect the minutes of all finished sessions of a range."""
    finished = shop.measure()
    sessions = shop.finished_sessions(start, end)
    noted = shop.noted("minute", NO_BARS, PROVISIONAL)
    have = _had(shop, symbols, sessions)
    from_day = listed or {}
    wants: list[Want] = []
    skipped = set(symbols)
    for first in range(0, len(sessions), _CUT):
        part = sessions[first : first + _CUT]
        for symbol in symbols:
            own = [day for day in part if day >= from_day.get(symbol, day)]
            doubtful, empty = noted[PROVISIONAL].get(symbol, set()), noted[NO_BARS].get(symbol, set())
            missing = [
                day for day in own if day not in empty and (day in doubtful or symbol not in have.get(day, frozenset()))
            ]
            mine = runs(symbol, missing, own)
            skipped -= {symbol} if mine else set()
            wants += mine
    repairs = absent = 0

    def judge(want: Want, rows: pa.Table) -> pa.Table:
        nonlocal repairs, absent
        came = set(pc.unique(rows.column("day")).to_pylist()) if len(rows) else set()
        lessons = [finding("minute", want.name, day, NO_BARS, "asked") for day in want.days if day not in came]
        absent += len(lessons)
        for day in sorted(set(want.days) & noted[PROVISIONAL].get(want.name, set())):
            detail = f"{RESOLVED}compared with the history"
            lessons.append(finding("minute", want.name, day, PROVISIONAL, detail))
            repairs += changed.get((want.name, day), 0)
        return findings(lessons)

    changed: dict[tuple[str, dt.date], int] = {}

    async def compared(want: Want) -> pa.Table:
        rows = await shop.source.minute_bars(want.name, want.start, want.end)
        pieces = [rows]
        for day in sorted(set(want.days) & noted[PROVISIONAL].get(want.name, set())):
            emptied, changed[want.name, day] = _compared(shop, want.name, day, rows)
            pieces.append(emptied)
        return pa.concat_tables(pieces)

    written, failures = await run(shop, "minute", wants, compared, judge, batch=shop.settings.batch_minutes)
    failed = {failure.symbol for failure in failures}
    gaps = sum(len(want.days) for want in wants if want.name in failed)
    report = JobReport("minute", len(wants), len(skipped), written, failures, gaps=gaps, absent=absent, repairs=repairs)
    return finished(report)


def _had(shop: Shop, symbols: Sequence[Symbol], sessions: Sequence[dt.date]) -> dict[dt.date, frozenset[str]]:
    found: dict[dt.date, frozenset[str]] = {}
    for day in sessions:
        rows = shop.lake.read("minute", symbols=list(symbols), start=day, end=day)
        found[day] = frozenset(pc.unique(rows.column("symbol")).to_pylist())
    return found


def _compared(shop: Shop, symbol: Symbol, day: dt.date, rows: pa.Table) -> tuple[pa.Table, int]:
    """Return the streamed minutes the history does not know, emptied, and how many minutes differ in all.

    Raises ``DataError`` where the history begins later in the day than the stream saw trades.
    """
    streamed = shop.lake.read("minute", symbols=[symbol], start=day, end=day).to_pylist()
    before = {row["start"]: row for row in streamed if row["volume"]}
    same_day = rows.filter(pc.equal(rows.column("day"), pa.scalar(day, pa.date32()))).to_pylist()
    after = {row["start"]: row for row in same_day if row["volume"]}
    first = min(after, default=None)
    ahead = sum(first is None or start < first for start in before)
    if ahead > _SEEN:
        raise DataError(
            Text(ko=f"{symbol} {day} 분봉이 잘려서 왔습니다", en=f"the minutes of {symbol} on {day} came cut short"),
            expected=Text(ko="장중에 본 첫 거래부터", en="minutes from the first trade that the stream saw"),
            found=f"{len(after)} minutes, {ahead} seen trades ahead of them",
            next_step=Text(ko="나중에 다시 대조합니다", en="it is compared again later"),
        )
    differ = sum(before.get(start) != after.get(start) for start in before.keys() | after.keys())
    emptied = []
    for start in sorted(before.keys() - after.keys()):
        last = max((at for at in after if at < start), default=None)
        price = after[last]["close"] if last is not None else before[start]["close"]
        emptied.append({**before[start], **dict.fromkeys(_PRICES, price), "volume": 0})
    return pa.Table.from_pylist(emptied, schema=rows.schema), differ
