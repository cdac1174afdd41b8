"""A world made of the bars of a lake: real days served over the emulated wire.

Daily bars are taken as they are; minutes are bridged inside them, or taken from the lake where its
minute rows add up to the daily bar exactly. Names are chosen point in time: the largest by turnover
before the first live day. What the lake does not tell is assumed and named: a name without an
instrument row is a KOSPI common share with 200 times its usual daily volume outstanding; the base
price is the last close, or the day's open where the bar would leave the ±30 % limits around it
(ex-days, adjusted series); a day without trades is a halt.
Not here: the synthetic market (``market``), reading of files (``store``).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.emulator.bridge import MinuteBars
from haetae.emulator.grid import Grid
from haetae.emulator.market import DailyTable, World
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook, is_trading_day
from haetae.krx.calendar import next_trading_day, previous_trading_day
from haetae.ports import BarLake
from haetae.ports.tables import daily_table

if TYPE_CHECKING:
    import pyarrow as pa

_PRICES = ("open", "high", "low", "close")
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
    rows = lake.read(daily_table(lake.versions()), start=start, end=end)
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
    daily = _table(columns, days, instruments)
    base = daily.base[len(past)]
    instruments = tuple(_based(item, int(base[place]), first_live) for place, item in enumerate(instruments))
    return World(instruments, days, daily, key=settings.seed, recorded=_Recorded(lake, symbols, daily, days).put)


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
    for name in (*_PRICES, "volume"):
        grid = np.zeros((len(days), len(symbols)), dtype=np.int64)
        grid[row[mine], column[mine]] = rows.column(name).to_numpy()[mine]
        grids[name] = grid
    return grids


def _table(
    columns: dict[str, Int64Array], days: tuple[dt.date, ...], instruments: tuple[Instrument, ...]
) -> DailyTable:
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
    for name in _PRICES:
        prices[name] = np.where(quiet, np.where(newest >= 0, np.where(carried > 0, carried, 0), 0), columns[name])
    prices["high"] = np.maximum(prices["high"], np.maximum(prices["open"], prices["close"]))
    prices["low"] = np.minimum(prices["low"], np.minimum(prices["open"], prices["close"]))
    places = tuple((item.kind, item.market) for item in instruments)
    for row, day in enumerate(days):
        grid = Grid(Rulebook.on(day), places)
        wide = np.abs(prices["high"][row] / np.maximum(base[row], 1) - 1.0) > 0.25
        wide |= np.abs(prices["low"][row] / np.maximum(base[row], 1) - 1.0) > 0.25
        lower, upper = grid.limits(np.where(wide & ~quiet[row], base[row], 0))
        outside = (upper > 0) & ((prices["low"][row] < lower) | (prices["high"][row] > upper))
        base[row] = np.where(outside, prices["open"][row], base[row])
    return DailyTable(base, prices["open"], prices["high"], prices["low"], prices["close"], volume)


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


def _based(item: Instrument, base: int, as_of: dt.date) -> Instrument:
    return Instrument(
        item.symbol, item.name, item.market, item.kind, item.listed_on, base, item.shares_outstanding,
        item.sector, item.lot, item.flags, as_of,
    )  # fmt: skip


class _Recorded:
    """Minute rows of the lake, put over a bridged session where they add up to the daily bar."""

    def __init__(self, lake: BarLake, symbols: tuple[str, ...], daily: DailyTable, days: tuple[dt.date, ...]) -> None:
        self._lake = lake
        self._symbols = symbols
        self._daily = daily
        self._row = {day: row for row, day in enumerate(days)}
        self._present = "minute" in lake.versions()

    def put(self, bridged: MinuteBars) -> MinuteBars:
        if not self._present:
            return bridged
        rows = self._lake.read("minute", symbols=list(self._symbols), start=bridged.day, end=bridged.day)
        names = np.array(rows.column("symbol").to_pylist())
        values = {name: rows.column(name).to_numpy() for name in ("start", *_PRICES, "volume")}
        for symbol in sorted(set(names.tolist())):
            column = self._symbols.index(symbol)
            mine = (names == symbol) & (values["volume"] > 0)
            place = np.searchsorted(bridged.start, values["start"][mine])
            part = {name: values[name][mine] for name in (*_PRICES, "volume")}
            if self._adds_up(bridged, column, values["start"][mine], place, part):
                _overlay(bridged, column, place, part, int(self._daily.base[self._row[bridged.day], column]))
        return bridged

    def _adds_up(
        self, bridged: MinuteBars, column: int, start: Int64Array, place: Int64Array, part: dict[str, Int64Array]
    ) -> bool:
        if not len(place) or place[-1] >= len(bridged.start) or not np.array_equal(bridged.start[place], start):
            return False
        day = self._daily.day(self._row[bridged.day])
        told = (part["open"][0], part["high"].max(), part["low"].min(), part["close"][-1], part["volume"].sum())
        wanted = (day.open, day.high, day.low, day.close, day.volume)
        return all(int(a) == int(b[column]) for a, b in zip(told, wanted, strict=True))


def _overlay(bridged: MinuteBars, column: int, place: Int64Array, part: dict[str, Int64Array], before: int) -> None:
    volume = np.zeros(len(bridged.start), dtype=np.int64)
    volume[place] = part["volume"]
    newest = np.maximum.accumulate(np.where(volume > 0, np.arange(len(volume)), -1))
    close = np.zeros(len(volume), dtype=np.int64)
    close[place] = part["close"]
    carried = np.where(newest >= 0, close[np.maximum(newest, 0)], before)
    for name, target in zip(_PRICES, (bridged.open, bridged.high, bridged.low, bridged.close), strict=True):
        flat = carried.copy()
        flat[place] = part[name]
        target[:, column] = flat
    bridged.volume[:, column] = volume
