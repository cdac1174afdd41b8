"""A world made of the bars of a lake: real days served over the emulated wire.

Daily bars are taken as they are; minutes are bridged inside them, or taken from the lake where its
minute rows add up to the daily bar exactly (``recorded``). Names are chosen point in time: the largest by turnover
before the first live day. What the lake does not tell is assumed and named: a name without an
instrument row is a KOSPI common share with 200 times its usual daily volume outstanding; the base
price is the last close; where the bar would leave the ±30 % limits around it, the base of the corporate action
that the lake tells, or the day's open (ex-days, adjusted series); a day without trades is a halt. A name with
a ``delisted`` row leaves the list on its day.
Not here: the synthetic market (``market``), reading of files (``store``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind, Market
from haetae.emulator.grid import Grid
from haetae.emulator.interventions import Action, ActionKind, Delisting, Notice
from haetae.emulator.recorded import RecordedMinutes
from haetae.emulator.settings import MarketSettings
from haetae.emulator.tables import PRICES, DailyTable
from haetae.emulator.world import World
from haetae.krx import Rulebook, is_trading_day
from haetae.krx.calendar import next_trading_day, previous_trading_day
from haetae.ports import BarLake
from haetae.ports.tables import DELISTED, daily_table

if TYPE_CHECKING:
    import pyarrow as pa

_ALWAYS = "005930"


def world_of_lake(lake: BarLake, settings: MarketSettings) -> World:
    """Return the market that a lake recorded around ``settings.first_live_day``.

    Raises
    ------
    DataError
        If the lake has no daily bars before or from the first live day on.
    """
    first_live = settings.first_live_day
    start = previous_trading_day(first_live, settings.history_sessions)
    end = next_trading_day(first_live, settings.live_sessions)
    table = daily_table(lake.versions())
    rows = lake.read(table, start=start, end=end)
    found = np.array(rows.column("day").to_numpy(), dtype="datetime64[D]")
    known = [day for day in np.unique(found).tolist() if is_trading_day(day)]
    past = [day for day in known if day < first_live]
    live = [day for day in known if day >= first_live][: settings.live_sessions]
    if not past or not live:
        raise _no_sessions(first_live, known)
    days = tuple(past + live)
    symbols = _largest(rows, found, first_live, settings.listed)
    columns = _pivot(rows, found, days, symbols)
    usual = np.median(columns["volume"][: len(past)], axis=0).astype(np.int64)
    instruments = _instruments(lake, symbols, usual, first_live)
    # Adjusted bars hold splits already, and what a share paid is won of a share before them.
    actions = _actions(lake, symbols, days) if table == "daily" else []
    daily, applied = _table(columns, days, instruments, actions)
    base = daily.base[len(past)]
    instruments = tuple(replace(item, base_price=int(base[k]), as_of=first_live) for k, item in enumerate(instruments))
    notices: list[Notice] = [*applied, *_delistings(lake, symbols, first_live, days[-1])]
    recorded = RecordedMinutes(lake, symbols, daily, days)
    return World(
        instruments, days, daily, key=settings.seed, first_live=first_live,
        recorded=recorded if recorded.present else None, notices=notices,
    )  # fmt: skip


def _no_sessions(first_live: dt.date, known: list[dt.date]) -> DataError:
    return DataError(
        Text(
            ko=f"레이크에 {first_live} 전후의 일봉이 없습니다",
            en=f"the lake has no daily bars on both sides of {first_live}",
        ),
        expected=f"sessions before and from {first_live} on",
        found=f"{known[0]} … {known[-1]}" if known else "no daily bars in the range",
        next_step=Text(ko="레이크 안의 거래일을 첫 실시간 날로 고르세요", en="choose a first live day inside the lake"),
    )


def _largest(rows: pa.Table, found: NDArray[np.datetime64], first_live: dt.date, count: int) -> tuple[str, ...]:
    """Return the symbols with the greatest turnover of the last 60 days before the first live day."""
    names, place = np.unique(np.array(rows.column("symbol").to_pylist()), return_inverse=True)
    money = rows.column("close").to_numpy().astype(float) * rows.column("volume").to_numpy()
    recent = (found < np.datetime64(first_live)) & (found >= np.datetime64(first_live - dt.timedelta(days=60)))
    total = np.bincount(place[recent], weights=money[recent], minlength=len(names))
    total[names == _ALWAYS] = np.inf
    order = sorted(range(len(names)), key=lambda k: (-total[k], names[k]))[:count]
    return tuple(sorted(str(names[k]) for k in order if total[k] > 0))


def _pivot(
    rows: pa.Table, found: NDArray[np.datetime64], days: tuple[dt.date, ...], symbols: tuple[str, ...]
) -> dict[str, Int64Array]:
    names = np.array(rows.column("symbol").to_pylist())
    column = np.searchsorted(np.array(symbols), names)
    column[column == len(symbols)] = 0
    calendar = np.array(days, dtype="datetime64[D]")
    row = np.searchsorted(calendar, found)
    row[row == len(days)] = 0
    mine = (np.array(symbols)[column] == names) & (calendar[row] == found)
    grids = {}
    for name in (*PRICES, "volume"):
        grid = np.zeros((len(days), len(symbols)), dtype=np.int64)
        grid[row[mine], column[mine]] = rows.column(name).to_numpy()[mine]
        grids[name] = grid
    return grids


def _table(
    columns: dict[str, Int64Array],
    days: tuple[dt.date, ...],
    instruments: tuple[Instrument, ...],
    actions: Sequence[Action],
) -> tuple[DailyTable, list[Action]]:
    """Return the daily bars, and the actions that explain a base price or move none."""
    volume = columns["volume"].copy()
    sound = (columns["open"] > 0) & (columns["low"] > 0) & (columns["high"] >= columns["low"])
    volume[~sound] = 0
    close = columns["close"]
    newest = np.maximum.accumulate(np.where(close > 0, np.arange(len(days))[:, None], -1), axis=0)
    carried = np.where(newest >= 0, np.take_along_axis(close, np.maximum(newest, 0), axis=0), 0)
    base = np.vstack([carried[:1], carried[:-1]])
    first = (base == 0) & (carried > 0)
    base[first] = np.where(columns["open"][first] > 0, columns["open"][first], carried[first])
    quiet = volume == 0
    prices = {}
    for name in PRICES:
        prices[name] = np.where(quiet, np.where(newest >= 0, np.where(carried > 0, carried, 0), 0), columns[name])
    prices["high"] = np.maximum(prices["high"], np.maximum(prices["open"], prices["close"]))
    prices["low"] = np.minimum(prices["low"], np.minimum(prices["open"], prices["close"]))
    places = tuple((item.kind, item.market) for item in instruments)
    column = {item.symbol: place for place, item in enumerate(instruments)}
    applied = [one for one in actions if one.kind is ActionKind.DIVIDEND]
    for row, day in enumerate(days):
        grid = Grid(Rulebook.on(day), places)
        outside = _outside(prices, base, row, grid) & ~quiet[row]
        for action in actions:
            place = column[action.symbol]
            if action.day != day or action.kind is ActionKind.DIVIDEND or not outside[place]:
                continue
            wanted = np.maximum(base[row].astype(float), 1.0)
            wanted[place] = action.base_after(float(base[row, place]))
            moved = base.copy()
            moved[row, place] = int(grid.nearest(wanted)[place])
            if not _outside(prices, moved, row, grid)[place]:
                base, outside[place] = moved, False
                applied.append(action)
        base[row] = np.where(outside, prices["open"][row], base[row])
    return DailyTable(base, prices["open"], prices["high"], prices["low"], prices["close"], volume), applied


def _outside(prices: dict[str, Int64Array], base: Int64Array, row: int, grid: Grid) -> BoolArray:
    """Names whose bar leaves the daily limits around their base price."""
    lower, upper = grid.limits(base[row])
    return np.asarray((upper > 0) & ((prices["low"][row] < lower) | (prices["high"][row] > upper)))


def _actions(lake: BarLake, symbols: tuple[str, ...], days: tuple[dt.date, ...]) -> list[Action]:
    """Read splits, bonus issues and dividends; other kinds do not tell what moved the price."""
    if "corporate_actions" not in lake.versions():
        return []
    table = lake.read("corporate_actions", symbols=list(symbols), start=days[0], end=days[-1])
    found = []
    for line in table.to_pylist():
        ratio = float(line["ratio"])
        if line["kind"] not in ("split", "bonus", "dividend") or ratio <= 0 or line["day"] not in days:
            continue
        kind = ActionKind(line["kind"])
        if kind is ActionKind.DIVIDEND:
            found.append(Action(line["day"], line["symbol"], kind, price=round(ratio)))
        else:
            found.append(Action(line["day"], line["symbol"], kind, ratio=ratio))
    return found


def _delistings(lake: BarLake, symbols: tuple[str, ...], start: dt.date, end: dt.date) -> list[Delisting]:
    if "instruments" not in lake.versions():
        return []
    table = lake.read("instruments", symbols=list(symbols), start=start, end=end)
    return [
        Delisting(line["as_of"], line["symbol"]) for line in table.to_pylist() if DELISTED in line["flags"].split(",")
    ]


def _instruments(lake: BarLake, symbols: tuple[str, ...], usual: Int64Array, as_of: dt.date) -> tuple[Instrument, ...]:
    known: dict[str, Instrument] = {}
    if "instruments" in lake.versions():
        table = lake.read("instruments", symbols=list(symbols), end=as_of)
        for line in sorted(table.to_pylist(), key=lambda line: line["as_of"]):
            known[line["symbol"]] = Instrument(
                symbol=line["symbol"],
                name=line["name"],
                market=Market(line["market"]),
                kind=Kind(line["kind"]),
                listed_on=line["listed_on"],
                base_price=line["base_price"],
                shares_outstanding=max(1, line["shares_outstanding"]),
                sector=line["sector"],
                lot=max(1, line["lot"]),
                flags=frozenset(word for word in line["flags"].split(",") if word),
                as_of=line["as_of"],
            )
    return tuple(
        known.get(symbol) or _assumed(symbol, int(volume), as_of) for symbol, volume in zip(symbols, usual, strict=True)
    )


def _assumed(symbol: str, volume: int, as_of: dt.date) -> Instrument:
    shares = max(1, volume) * 200
    return Instrument(symbol, symbol, Market.KOSPI, Kind.COMMON, dt.date(1990, 1, 3), 0, shares, as_of=as_of)
