"""Stretches of a lake as grounds of backtests: the bars, who may be bought on each day, the index beside them.

Nothing after the last day asked for reaches a run. Symbols are chosen as the live day chooses them: the rules of the
universe at each month's end, from what was known then; or those that are named. Not here: the runs (``backtest``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from haetae import backtest
from haetae.backtest.strategies import Ground, first_row
from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, Won, day_from, yyyymmdd
from haetae.krx import previous_trading_day
from haetae.research.market import DailyMarket, load, until
from haetae.research.portfolios import index_run
from haetae.research.universes import in_months, members, monthly
from haetae.store.lake import Lake
from haetae.universe import UniverseSettings

LOOK_BACK_DAYS = 320
"""Sessions before the first day that are read for look-backs: a year of momentum and some room."""
INDEX = "0001"


class Bars(Enum):
    """Which bars are traded."""

    DAILY = "daily"
    MINUTE = "minute"


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A ground with what its report must tell.

    ``data`` names the exact bars by hash; ``index`` is the KOSPI beside the runs, if the lake has it.
    """

    ground: Ground
    data: str
    survivorship: str
    index: backtest.Result | None
    adjusted: bool


def open_stretch(
    lake: Lake,
    start: dt.date | None,
    end: dt.date | None,
    *,
    bars: Bars = Bars.DAILY,
    symbols: Sequence[Symbol] = (),
    universe: UniverseSettings | None = None,
    cash: Won = 100_000_000,
) -> Stretch:
    """Return a stretch of a lake.

    Parameters
    ----------
    start, end : date, optional
        First and last day of the runs; without ``start`` a third of the sessions is left as look-back.
    symbols : sequence of symbols
        Traded whenever they trade; empty lets the universe's rules choose month after month.
    """
    market = until(load(lake, INDEX), end)
    panel = market.panel
    first = first_row(panel, yyyymmdd(start)) if start else min(LOOK_BACK_DAYS, len(panel) // 3)
    if first >= len(panel) - 1:
        raise _no_days(panel, start, end)
    eligible = _named(market, symbols) if symbols else _chosen(market, first, universe or UniverseSettings())
    begin = max(0, first - LOOK_BACK_DAYS)
    columns = np.flatnonzero(eligible[first:].any(axis=0))
    if not len(columns):
        raise _no_names(panel, first)
    daily = panel.rows(begin, len(panel)).columns(columns)
    may = np.ascontiguousarray(eligible[begin:, columns])
    known = {item.symbol: item for item in market.instruments(day_from(int(panel.days[-1])))}
    listing = backtest.Listing(instruments={symbol: known[symbol] for symbol in daily.symbols})
    listed = _shares_outstanding(market, daily)
    ground = Ground(daily, first - begin, listing, may, shares_outstanding=listed)
    if bars is Bars.MINUTE:
        ground = _minutes(lake, ground, day_from(int(panel.days[first])), end)
    index = index_run(market, first, cash) if bars is Bars.DAILY else None
    return Stretch(ground, ground_digest(ground), market.survivorship, index, market.adjusted)


def _named(market: DailyMarket, symbols: Sequence[Symbol]) -> BoolArray:
    missing = sorted(set(symbols) - set(market.panel.symbols))
    if missing:
        raise DataError(
            Text(ko="레이크에 없는 종목입니다", en="the lake has no such symbol"),
            expected="symbols with daily bars",
            found=", ".join(missing[:10]),
            next_step="haetae lake sql 'select distinct symbol from daily'",
        )
    wanted = np.isin(np.array(market.panel.symbols), np.array(symbols))
    return market.panel.traded & wanted


def _chosen(market: DailyMarket, first: int, settings: UniverseSettings) -> BoolArray:
    snapshots = monthly(market, first, settings)
    return members(in_months(snapshots), market.panel) & market.panel.traded


def _shares_outstanding(market: DailyMarket, panel: Panel) -> Int64Array:
    """Return listed shares as announced by each day, ``(n_bars, n_symbols)``; before the first word, that first word.

    A lake that was begun today knows today's number only; it is the best there is for the days before.
    """
    found = np.zeros((len(panel), len(panel.symbols)), np.int64)
    for column, symbol in enumerate(panel.symbols):
        states = market.history[symbol]
        since = np.searchsorted([yyyymmdd(state.as_of) for state in states], panel.days, side="right")
        found[:, column] = np.array([state.shares_outstanding for state in states], np.int64)[np.maximum(since - 1, 0)]
    return found


def _minutes(lake: Lake, daily: Ground, first: dt.date, end: dt.date | None) -> Ground:
    """Return the same choice of symbols over minute bars, two sessions of look-back before the first day."""
    panel = lake.panel("minute", list(daily.panel.symbols), previous_trading_day(first, 2), end)
    if not len(panel):
        raise DataError(
            Text(ko="레이크에 그 날들의 분봉이 없습니다", en="the lake has no minute bars of those days"),
            expected=f"minute bars from {first}",
            found="none",
            next_step="haetae collect minute --lake DIR",
        )
    may = dict(zip(daily.panel.days.tolist(), daily.eligible, strict=True))
    none = np.zeros(len(panel.symbols), np.bool_)
    # who may be bought during a day was known at the close of the day before
    before = {day: previous for previous, day in zip(may, list(may)[1:], strict=False)}
    eligible = np.array([may.get(before.get(int(day), 0), none) for day in panel.days], np.bool_)
    listed = daily.shares_outstanding
    assert listed is not None
    return dataclasses.replace(
        daily,
        panel=panel,
        first=first_row(panel, yyyymmdd(first)),
        eligible=eligible,
        daily=daily.panel,
        shares_outstanding=listed[np.maximum(np.searchsorted(daily.panel.days, panel.days, side="right") - 1, 0)],
    )


def ground_digest(ground: Ground) -> str:
    """Return the name of the exact bars, symbols and choices of a ground."""
    whole = hashlib.blake2b(digest_size=12)
    panel = ground.panel
    for block in (panel.days, panel.open, panel.high, panel.low, panel.close, panel.volume, ground.eligible):
        whole.update(np.ascontiguousarray(block).data)
    whole.update(",".join(panel.symbols).encode())
    return whole.hexdigest()


def _no_names(panel: Panel, first: int) -> DataError:
    return DataError(
        Text(ko="그 기간에 거래할 종목이 없습니다", en="no symbol may be traded in that period"),
        expected=Text(
            ko="유니버스 규칙을 통과하는 종목, 또는 거래가 있는 종목",
            en="symbols that pass the universe's rules, or named ones that trade",
        ),
        found=f"{len(panel.symbols)} symbols, none eligible from {day_from(int(panel.days[first]))}",
        next_step="--symbols 005930,000660",
    )


def _no_days(panel: Panel, start: dt.date | None, end: dt.date | None) -> DataError:
    held = f"{day_from(int(panel.days[0]))} – {day_from(int(panel.days[-1]))}" if len(panel) else "no bars"
    return DataError(
        Text(ko="그 기간의 일봉이 레이크에 없습니다", en="the lake has no daily bars of that period"),
        expected=f"bars from {start or 'the beginning'} to {end or 'the end'}",
        found=held,
        next_step=f"--from / --to within {held}",
    )
