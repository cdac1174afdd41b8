"""What only a series can tell about collected bars: gaps, jumps, halts, bars that disagree.

Functions take sorted rows of the lake and return rows of the ``quality`` table; vectorised, so that
millions of rows take a second. Codes:

=================  ==========================================================================
MISSING_SESSIONS   trading days between two rows of a symbol have no row (day: the first one)
ENDS_EARLY         a listed symbol has no row up to the last collected session
CLOSED_DAY         a row on a day the KRX was closed
PRICES_CROSSED     the four prices do not enclose one another, or one is not positive
JUMP               close to close beyond the daily limit: a corporate action, or an error
LONG_HALT          many sessions in a row without a trade (day: the first one)
OUTSIDE_SESSION    a minute bar that begins outside the session of its day
VOLUME_DIFFERS     minute volumes of a day do not add up to the daily volume (1 % allowed)
CLOSE_DIFFERS      the last minute close of a day is not the daily close
DUPLICATE_ROWS     the source sent a key more than once; the last row counts (day: end of the range)
=================  ==========================================================================
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haetae.collector.settings import CollectorSettings
from haetae.domain.errors import MarketRuleError
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.units import Symbol, instant_at
from haetae.krx.calendar import closes_at, is_trading_day, opens_at, trading_days
from haetae.ports.tables import QUALITY

CODES = (
    "MISSING_SESSIONS", "ENDS_EARLY", "CLOSED_DAY", "PRICES_CROSSED", "JUMP", "LONG_HALT", "OUTSIDE_SESSION",
    "VOLUME_DIFFERS", "CLOSE_DIFFERS",
)  # fmt: skip
_EPOCH = dt.date(1970, 1, 1)
_VOLUME_TOLERANCE_PCT = 1


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Outcome of an inspection: what was looked at, and how often each code was given."""

    tables: Mapping[str, int]
    symbols: int
    counts: Mapping[tuple[str, str], int]

    @property
    def findings(self) -> int:
        """All findings together."""
        return sum(self.counts.values())


def report_of(findings: pa.Table, tables: Mapping[str, int], symbols: int) -> QualityReport:
    """Return the report of findings by (table, code)."""
    pairs = zip(findings.column("table").to_pylist(), findings.column("code").to_pylist(), strict=True)
    return QualityReport(tables, symbols, dict(sorted(Counter(pairs).items())))


@dataclass(frozen=True, slots=True)
class _Series:
    """Columns of bar rows as arrays; ``first`` marks the first row of each symbol."""

    names: NDArray[np.object_]
    symbol: NDArray[np.int64]
    day: Int64Array
    first: BoolArray

    def name_at(self, row: int) -> str:
        return str(self.names[self.symbol[row]])

    def day_at(self, row: int) -> dt.date:
        return _EPOCH + dt.timedelta(days=int(self.day[row]))


def _series(rows: pa.Table) -> _Series:
    encoded = rows.column("symbol").combine_chunks().dictionary_encode()
    symbol = encoded.indices.to_numpy().astype(np.int64)
    first = np.ones(len(symbol), dtype=np.bool_)
    first[1:] = symbol[1:] != symbol[:-1]
    day = rows.column("day").combine_chunks().view(pa.int32()).to_numpy().astype(np.int64)
    return _Series(np.array(encoded.dictionary.to_pylist(), dtype=object), symbol, day, first)


class _Findings:
    """Rows of the quality table being gathered for one table."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._rows: list[tuple[dt.date, str, str, str, str]] = []

    def add(self, day: dt.date, symbol: str, code: str, detail: str) -> None:
        self._rows.append((day, self._table, symbol, code, detail))

    def rows(self) -> pa.Table:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(QUALITY)
        return pa.table({name: list(column) for name, column in zip(QUALITY.names, columns, strict=True)}, QUALITY)


def inspect_daily(
    rows: pa.Table, settings: CollectorSettings, *, listed: Collection[Symbol] = (), until: dt.date | None = None
) -> pa.Table:
    """Return the findings in daily rows sorted by symbol and day.

    ``listed`` symbols must have a row on ``until``. Days outside the calendar are not judged.
    """
    found = _Findings("daily")
    if not len(rows):
        return found.rows()
    series = _series(rows)
    place, closed = _session_numbers(series.day)
    close = rows.column("close").to_numpy()
    for row in np.flatnonzero(closed).tolist():
        found.add(series.day_at(row), series.name_at(row), "CLOSED_DAY", f"close={close[row]}")
    step = np.diff(place, prepend=0)
    known = (place >= 0) & (np.roll(place, 1) >= 0) & ~series.first
    for row in np.flatnonzero(known & (step > 1)).tolist():
        count = int(step[row]) - 1
        start = series.day_at(row - 1) + dt.timedelta(days=1)
        day = trading_days(start, series.day_at(row))[0]
        found.add(day, series.name_at(row), "MISSING_SESSIONS", f"{count} sessions before {series.day_at(row)}")
    _crossed(found, series, rows)
    _jumps(found, series, close, settings.jump_bp)
    _halts(found, series, rows, settings.long_halt_sessions)
    if until is not None:
        last = np.flatnonzero(np.append(series.first[1:], [True])).tolist()
        newest = {series.name_at(row): series.day_at(row) for row in last}
        for name in sorted(set(listed)):
            if newest.get(name, _EPOCH) < until:
                found.add(until, name, "ENDS_EARLY", f"newest row is of {newest.get(name, 'no day')}")
    return found.rows()


def _session_numbers(days: Int64Array) -> tuple[Int64Array, BoolArray]:
    """Return the running number of each session, -1 where the calendar does not know, and closed days."""
    unique, which = np.unique(days, return_inverse=True)
    dates = [_EPOCH + dt.timedelta(days=int(day)) for day in unique]
    opened: list[bool | None] = []
    for date in dates:
        try:
            opened.append(is_trading_day(date))
        except MarketRuleError:
            opened.append(None)
    inside = [date for date, state in zip(dates, opened, strict=True) if state is not None]
    sessions = trading_days(inside[0], inside[-1]) if inside else ()
    number = {date: index for index, date in enumerate(sessions)}
    places = np.array([number.get(date, -1) for date in dates], dtype=np.int64)
    closed = np.array([state is False for state in opened], dtype=np.bool_)
    return places[which], closed[which]


def _crossed(found: _Findings, series: _Series, rows: pa.Table) -> None:
    opened, high, low, close = (rows.column(name).to_numpy() for name in ("open", "high", "low", "close"))
    wrong = (low > np.minimum(opened, close)) | (high < np.maximum(opened, close)) | (low <= 0)
    for row in np.flatnonzero(wrong).tolist():
        prices = f"open={opened[row]} high={high[row]} low={low[row]} close={close[row]}"
        found.add(series.day_at(row), series.name_at(row), "PRICES_CROSSED", prices)


def _jumps(found: _Findings, series: _Series, close: Int64Array, jump_bp: int) -> None:
    before = np.roll(close, 1)
    far = (np.abs(close - before) * 10_000 > before * jump_bp) & ~series.first & (before > 0)
    for row in np.flatnonzero(far).tolist():
        found.add(series.day_at(row), series.name_at(row), "JUMP", f"{before[row]} to {close[row]}")


def _halts(found: _Findings, series: _Series, rows: pa.Table, sessions: int) -> None:
    idle = rows.column("volume").to_numpy() == 0
    starts = idle & (series.first | ~np.roll(idle, 1))
    ends = idle & np.append(series.first[1:] | ~idle[1:], [True])
    for start, end in zip(np.flatnonzero(starts).tolist(), np.flatnonzero(ends).tolist(), strict=True):
        if end - start + 1 >= sessions:
            detail = f"{end - start + 1} sessions without a trade, to {series.day_at(end)}"
            found.add(series.day_at(start), series.name_at(start), "LONG_HALT", detail)


def inspect_minutes(minutes: pa.Table, daily: pa.Table) -> pa.Table:
    """Return the findings in minute rows sorted by symbol and start, beside the daily rows of the days."""
    found = _Findings("minute")
    if not len(minutes):
        return found.rows()
    series = _series(minutes)
    start = minutes.column("start").to_numpy()
    opens, closes = _hours(series.day)
    for row in np.flatnonzero((start < opens) | (start >= closes)).tolist():
        detail = f"starts {(int(start[row]) - int(opens[row])) // 60_000_000_000} minutes after the open"
        found.add(series.day_at(row), series.name_at(row), "OUTSIDE_SESSION", detail)
    _crossed(found, series, minutes)
    totals = minutes.group_by(["symbol", "day"], use_threads=False).aggregate([("volume", "sum"), ("close", "last")])
    both = totals.join(daily.select(["symbol", "day", "volume", "close"]), ["symbol", "day"], join_type="inner")
    for row in both.sort_by([("symbol", "ascending"), ("day", "ascending")]).to_pylist():
        if abs(row["volume_sum"] - row["volume"]) * 100 > row["volume"] * _VOLUME_TOLERANCE_PCT:
            detail = f"minutes {row['volume_sum']}, day {row['volume']}"
            found.add(row["day"], row["symbol"], "VOLUME_DIFFERS", detail)
        if row["close_last"] != row["close"] and row["volume"]:
            detail = f"minutes {row['close_last']}, day {row['close']}"
            found.add(row["day"], row["symbol"], "CLOSE_DIFFERS", detail)
    return found.rows()


def _hours(days: Int64Array) -> tuple[Int64Array, Int64Array]:
    unique, which = np.unique(days, return_inverse=True)
    opens, closes = [], []
    for number in unique:
        day = _EPOCH + dt.timedelta(days=int(number))
        try:
            hours = (opens_at(day), closes_at(day))
        except MarketRuleError:
            hours = (0, 240_000)
        opens.append(instant_at(day, hours[0]))
        closes.append(instant_at(day, hours[1]))
    return np.array(opens, dtype=np.int64)[which], np.array(closes, dtype=np.int64)[which]


def repetitions(table: str, keys: Sequence[str], symbol: str, day: dt.date, rows: pa.Table) -> pa.Table:
    """Return a finding if an answer of the source holds a key more than once."""
    found = _Findings(table)
    again = len(rows) - len(rows.group_by(list(keys)).aggregate([]))
    if again:
        found.add(day, symbol, "DUPLICATE_ROWS", f"{again} of {len(rows)} rows repeat a key")
    return found.rows()


def resolved(earlier: pa.Table, now: pa.Table, prefix: str) -> pa.Table:
    """Return the earlier findings that are gone now, marked as resolved; others are left out."""
    keys: Sequence[str] = ("table", "symbol", "day", "code")
    standing = set(zip(*(now.column(name).to_pylist() for name in keys), strict=True))
    gone = [
        {**row, "detail": prefix + row["detail"]}
        for row in earlier.to_pylist()
        if row["code"] in CODES
        and not row["detail"].startswith(prefix)
        and tuple(row[name] for name in keys) not in standing
    ]
    return pa.Table.from_pylist(gone, schema=QUALITY)
