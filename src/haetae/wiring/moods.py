"""Fear & greed from a lake: its inputs gathered, the daily and the running index, CNN's beside it.

Everything read for a day was known at its close; of CNN's days those known in Korea by then. Not here: the index
(``features.feargreed``), its words and rows for faces (``mood_records``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Instrument, Kind
from haetae.domain.panel import Panel
from haetae.domain.units import NS_PER_MINUTE, Instant, Symbol, day_from, yyyymmdd
from haetae.features import feargreed
from haetae.features.feargreed import FearGreed, FearGreedSettings, MoodInputs, intraday
from haetae.features.feargreed.index import Float64Array
from haetae.features.feargreed.intraday import IntradayMood, Quotes
from haetae.ports.tables import daily_table
from haetae.store.lake import Lake
from haetae.store.moods import CNN, INDEX
from haetae.store.reference import instruments_on

DEFAULTS = FearGreedSettings()
READ_BEFORE = dt.timedelta(days=1_100)
"""Read before the first day asked for: two trading years fill every window and rank, one is room."""
USUAL_BEFORE = dt.timedelta(days=120)
"""Minutes read before a running day: more than the sessions whose median is usual."""
_FUNDS = (Kind.ETF, Kind.ETN)
_STALE_DAYS = 7
"""A rate older than this is not the rate of the day before."""


@dataclass(frozen=True, slots=True)
class CnnMood:
    """CNN's index of an American session; ``regime`` says which way of making it, ``known_on`` when Korea knew it."""

    day: dt.date
    value: float
    rating: str
    regime: str
    known_on: dt.date


def mood_inputs(
    lake: Lake, panel: Panel, instruments: Iterable[Instrument], settings: FearGreedSettings = DEFAULTS
) -> MoodInputs:
    """Return what the lake has for a panel of daily bars, none of it later than the panel's last day.

    The index reaches further back than the bars; where it covers less than half of their days, the mean of the
    symbols stands in for it.
    """
    if not len(panel):
        return feargreed.of_panel(panel)
    first, last = day_from(int(panel.days[0])), day_from(int(panel.days[-1]))
    levels = _index_closes(lake, settings, first - READ_BEFORE, last)
    index = levels[settings.index]
    here = np.isin(panel.days, np.array(sorted(index), dtype=np.int32)).mean() > 0.5
    days = np.union1d(panel.days, np.array(list(index), dtype=np.int32)) if here else panel.days
    havens = {*settings.bond_symbols, *settings.dollar_symbols}
    dollar = _fund_closes(lake, panel, days, settings.dollar_symbols)
    return MoodInputs(
        days=days,
        panel=panel,
        index_close=_on(days, index) if here else None,
        implied=_on(days, levels[settings.volatility_index]) if levels[settings.volatility_index] else None,
        foreign_won=_foreign(lake, days),
        bond_close=_fund_closes(lake, panel, days, settings.bond_symbols),
        dollar_close=dollar if dollar is not None else _day_before(days, levels[settings.dollar_index]),
        counted=_counted(panel.symbols, instruments, havens),
    )


def _index_closes(lake: Lake, settings: FearGreedSettings, start: dt.date, end: dt.date) -> dict[str, dict[int, float]]:
    names = (settings.index, settings.volatility_index, settings.dollar_index)
    rows = lake.read("index_daily", symbols=list(names), start=start, end=end)
    found: dict[str, dict[int, float]] = {name: {} for name in names}
    columns = (rows.column(name).to_pylist() for name in ("index", "day", "close"))
    for name, day, close in zip(*columns, strict=True):
        found[name][yyyymmdd(day)] = close / 100.0
    return found


def _on(days: np.ndarray, known: dict[int, float]) -> Float64Array:
    return np.array([known.get(day, np.nan) for day in days.tolist()])


def _day_before(days: np.ndarray, known: dict[int, float]) -> Float64Array | None:
    """Return the newest rate of an earlier day, for its time of fixing is not known."""
    if not known:
        return None
    sessions = np.array(sorted(known), dtype=np.int64)
    place = np.searchsorted(sessions, days) - 1
    rates = np.full(len(days), np.nan)
    for row, at in enumerate(place.tolist()):
        if at >= 0 and (day_from(int(days[row])) - day_from(int(sessions[at]))).days <= _STALE_DAYS:
            rates[row] = known[int(sessions[at])]
    return rates


def _fund_closes(lake: Lake, panel: Panel, days: np.ndarray, symbols: Sequence[Symbol]) -> Float64Array | None:
    """Return the closes of the first fund with bars, NaN on days it did not trade."""
    if not set(symbols) & set(panel.symbols):
        table = daily_table(lake.versions())
        panel = lake.panel(table, list(symbols), day_from(int(days[0])), day_from(int(days[-1])))
    for symbol in symbols:
        if symbol in panel.symbols and panel.traded[:, panel.symbols.index(symbol)].any():
            column = panel.symbols.index(symbol)
            here = panel.traded[:, column]
            closes = panel.close[here, column].astype(float).tolist()
            return _on(days, dict(zip(panel.days[here].tolist(), closes, strict=True)))
    return None


def _foreign(lake: Lake, days: np.ndarray) -> Float64Array | None:
    """Return the net won of foreigners over all markets; of the single names where the lake has no market sums."""
    start, end = day_from(int(days[0])), day_from(int(days[-1]))
    for table in ("market_flows", "flows"):
        rows: pa.Table = lake.read(table, start=start, end=end)
        if len(rows):
            sums = rows.group_by("day").aggregate([("foreign_won", "sum")])
            won = dict(zip(map(yyyymmdd, sums["day"].to_pylist()), sums["foreign_won_sum"].to_pylist(), strict=True))
            return _on(days, won)
    return None


def _counted(symbols: Sequence[Symbol], instruments: Iterable[Instrument], havens: set[Symbol]) -> BoolArray:
    funds = havens | {each.symbol for each in instruments if each.kind in _FUNDS}
    return np.array([symbol not in funds for symbol in symbols], dtype=np.bool_)


def read_mood(
    lake: Lake, first: dt.date, last: dt.date, settings: FearGreedSettings = DEFAULTS
) -> tuple[FearGreed, MoodInputs]:
    """Return the index up to ``last``, with enough days before ``first`` to fill every window, and its inputs."""
    table = daily_table(lake.versions())
    panel = lake.panel(table, None, first - READ_BEFORE, last)
    if not len(panel):
        raise DataError(
            Text(ko=f"레이크에 {last}까지의 일봉이 없습니다", en=f"the lake has no daily bars up to {last}"),
            expected=Text(ko=f"{first - READ_BEFORE}부터의 일봉", en=f"daily bars from {first - READ_BEFORE} on"),
            found=", ".join(f"{info.table} {info.first_day} ~ {info.last_day}" for info in lake.describe()) or "-",
            next_step="haetae lake import --kind daily PATH",
        )
    inputs = mood_inputs(lake, panel, instruments_on(lake, last), settings)
    return feargreed.build(inputs, settings), inputs


def read_intraday(lake: Lake, day: dt.date, settings: FearGreedSettings = DEFAULTS) -> IntradayMood:
    """Return the index at every minute of a day, from the symbols the lake has minutes of on that day.

    Without minutes of KOSPI the mean of the symbols takes its place, on the days before as well.
    """
    minutes = lake.panel("minute", None, day, day)
    if not len(minutes):
        raise DataError(
            Text(ko=f"레이크에 {day}의 분봉이 없습니다", en=f"the lake has no minutes of {day}"),
            expected=Text(ko="그날의 분봉", en="minutes of that day"),
            found=", ".join(f"{i.first_day} ~ {i.last_day}" for i in lake.describe() if i.table == "minute") or "-",
            next_step="haetae collect minute",
        )
    before = day - dt.timedelta(days=1)
    symbols = list(minutes.symbols)
    panel = lake.panel(daily_table(lake.versions()), symbols, day - READ_BEFORE, before)
    inputs = mood_inputs(lake, panel, instruments_on(lake, day), settings)
    levels = lake.read("index_minute", symbols=[settings.index], start=day, end=day)
    if not len(levels):
        inputs = replace(inputs, index_close=None)
    yesterday = feargreed.fold(feargreed.start(len(symbols), settings), inputs, settings)[0]
    earlier = lake.panel("minute", symbols, day - USUAL_BEFORE, before)
    curves = intraday.variance_curves(earlier, inputs.counted)[-settings.usual_sessions :]
    running = intraday.begin(
        yesterday, yyyymmdd(day), usual=intraday.usual_curve(curves), stands_in=inputs.index_close is None,
        counted=inputs.counted, settings=settings,
    )  # fmt: skip
    return intraday.fold_day(running, minutes, _quotes(lake, day, minutes, levels, settings))


def _quotes(
    lake: Lake, day: dt.date, minutes: Panel, rows: pa.Table, settings: FearGreedSettings
) -> dict[Instant, Quotes]:
    """Return what the lake saw beside the bars by the end of each minute: the index, and the havens' last prices."""
    known = np.array(rows.column("start").to_pylist(), dtype=np.int64) + NS_PER_MINUTE
    levels = np.array(rows.column("close").to_pylist(), dtype=np.float64) / 100.0
    place = np.searchsorted(known, minutes.end, side="right") - 1
    index = np.where(place >= 0, levels[place], np.nan) if len(levels) else np.full(len(minutes), np.nan)
    bond, dollar = (
        _fund_minutes(lake, day, minutes, symbols) for symbols in (settings.bond_symbols, settings.dollar_symbols)
    )
    return {
        int(end): Quotes(index=float(index[t]), bond=float(bond[t]), dollar=float(dollar[t]))
        for t, end in enumerate(minutes.end.tolist())
    }


def _fund_minutes(lake: Lake, day: dt.date, minutes: Panel, symbols: Sequence[Symbol]) -> Float64Array:
    """Return the price of the first fund with daily bars that day, if its minutes are there; others do not compare."""
    for symbol in symbols:
        if symbol in minutes.symbols:
            column = minutes.close[:, minutes.symbols.index(symbol)].astype(np.float64)
            return np.where(column > 0, column, np.nan)
        if len(lake.read(daily_table(lake.versions()), symbols=[symbol], start=day - READ_BEFORE, end=day)):
            break
    return np.full(len(minutes), np.nan)


def cnn_between(lake: Lake, first: dt.date, last: dt.date) -> tuple[CnnMood, ...]:
    """Return CNN's index of the sessions that became known in Korea on the days ``first`` to ``last``, in order."""
    rows = lake.read("fear_greed", symbols=[CNN], start=first, end=last)
    told = [row for row in rows.to_pylist() if row["component"] == INDEX]
    return tuple(
        CnnMood(row["day"], row["value"], row["rating"], row["regime"], row["known_on"])
        for row in sorted(told, key=lambda row: row["known_on"])
    )
