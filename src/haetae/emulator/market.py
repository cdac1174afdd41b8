"""A seeded synthetic KRX: daily bars of every name, indices, and minutes on demand.

Returns are a market factor (GARCH, Student-t), sector factors and own noise with stochastic
volatility; gaps overnight, range and volume follow the day's volatility. Prices stand on the tick
grid inside the ±30 % limits. A weak structure is put in on purpose and named here: own noise
reverses by 5 % the next day and a slow drift of about ±15 % a year differs by name. Figures
measured on this market therefore say nothing about the real one.
Not here: who is listed (``listing``), minutes inside a day (``bridge``), the clock (``clock``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.domain.units import NS_PER_MINUTE, Instant, day_from, day_of, yyyymmdd
from haetae.emulator.bridge import DayBars, MinuteBars, bridge_day
from haetae.emulator.grid import Grid
from haetae.emulator.listing import SECTORS, Listed, column_array, draw_listing
from haetae.emulator.settings import MarketSettings
from haetae.krx import Rulebook
from haetae.krx.calendar import previous_trading_day, trading_days

_SESSIONS_KEPT = 40
"""Bridged sessions held in memory (2.4 MB each for 160 names); more than a collector asks at once."""
INDICES = {"0001": Market.KOSPI, "1001": Market.KOSDAQ}
_BASE_POINTS = {"0001": 260_000.0, "1001": 82_000.0}


@dataclass(frozen=True, slots=True)
class Shock:
    """A scripted move: from ``at`` on, ``minutes`` long, ``return_bp`` in all; none means all names."""

    at: Instant
    minutes: int
    return_bp: int
    symbols: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DailyTable:
    """Daily bars ``(n_days, n_symbols)`` int64 won and shares; 0 before a name is listed.

    ``base`` is the price the day's limits are taken from (the last close before it).
    """

    base: Int64Array
    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array

    def copy(self) -> DailyTable:
        """Return a table whose arrays may be changed without touching this one."""
        return DailyTable(*(getattr(self, name).copy() for name in DailyTable.__slots__))

    def day(self, row: int) -> DayBars:
        """Return one session."""
        return DayBars(self.open[row], self.high[row], self.low[row], self.close[row], self.volume[row], self.base[row])


@dataclass(frozen=True, slots=True, eq=False)
class IndexTable:
    """Index bars ``(n_days,)`` in points x 100, and the shares traded."""

    open: Int64Array
    high: Int64Array
    low: Int64Array
    close: Int64Array
    volume: Int64Array


class World:
    """All bars of a market, past and to come; a clock decides how much of it may be seen.

    The only change it knows is ``add_shock``; everything is a function of the seed and the shocks.
    """

    def __init__(
        self,
        instruments: tuple[Instrument, ...],
        days: tuple[dt.date, ...],
        daily: DailyTable,
        *,
        key: int,
        recorded: Callable[[MinuteBars], MinuteBars] | None = None,
    ) -> None:
        """Take bars as they are; ``recorded`` may put known minutes over the bridged ones of a day."""
        self.instruments = instruments
        self.symbols = tuple(item.symbol for item in instruments)
        self.by_symbol = {item.symbol: item for item in instruments}
        self.column = {symbol: place for place, symbol in enumerate(self.symbols)}
        self.days = days
        self.row = {day: place for place, day in enumerate(days)}
        self.daily = daily
        self._first = daily.copy()
        self._key = key
        self._recorded = recorded
        self._cache: dict[int, MinuteBars] = {}
        self._struck: dict[int, MinuteBars] = {}
        self._shocks: list[Shock] = []
        self._places = tuple((item.kind, item.market) for item in instruments)
        self.indices = self._index_tables()

    def grid(self, day: dt.date) -> Grid:
        """Return the tick grid of a day over this market's names."""
        return Grid(Rulebook.on(day), self._places)

    def minutes(self, row: int) -> MinuteBars:
        """Return the minute bars of a session; the same ones at every call."""
        bars = self._struck.get(row) or self._cache.get(row)
        if bars is None:
            if len(self._cache) >= _SESSIONS_KEPT:
                del self._cache[next(iter(self._cache))]
            bars = self._cache[row] = self._bridged(row)
        return bars

    def _bridged(self, row: int) -> MinuteBars:
        day = self.days[row]
        session = Rulebook.on(day).session
        dice = np.random.Generator(np.random.Philox(key=[self._key, yyyymmdd(day)]))
        bars = bridge_day(day, self.daily.day(row), session.minute_edges(), self.grid(day), dice)
        return self._recorded(bars) if self._recorded else bars

    def add_shock(self, shock: Shock) -> None:
        """Script a move; the day and all later days follow from it."""
        self._shocks = sorted([*self._shocks, shock], key=lambda item: item.at)
        first = min(self.row[day_of(int(item.at))] for item in self._shocks)
        self.daily = self._first.copy()
        self._struck.clear()
        for row in [row for row in self._cache if row >= first]:
            del self._cache[row]
        for item in self._shocks:
            self._apply(item)
        self.indices = self._index_tables()

    def _apply(self, shock: Shock) -> None:
        row = self.row[day_of(int(shock.at))]
        before = self.daily.close[row].copy()
        shocked = shocked_minutes(
            self.minutes(row), shock, self.symbols, self.daily.base[row], self.grid(self.days[row])
        )
        self._struck[row] = shocked
        day = self.daily
        live = shocked.volume.sum(axis=0) > 0
        big = np.iinfo(np.int64).max
        day.high[row, live] = np.where(shocked.traded, shocked.high, 0).max(axis=0)[live]
        day.low[row, live] = np.where(shocked.traded, shocked.low, big).min(axis=0)[live]
        day.close[row] = shocked.close[-1]
        day.volume[row] = shocked.volume.sum(axis=0)
        ratio = np.divide(day.close[row], before, out=np.ones(len(before)), where=before > 0)
        for later in range(row + 1, len(self.days)):
            grid = self.grid(self.days[later])
            day.base[later] = day.close[later - 1]
            lower, upper = grid.limits(day.base[later])
            for column in (day.open, day.high, day.low, day.close):
                moved = np.where(ratio == 1.0, column[later], grid.nearest(column[later] * ratio))
                column[later] = np.where(column[later] > 0, np.clip(moved, lower, upper), 0)

    def _index_tables(self) -> Mapping[str, IndexTable]:
        return {code: self._index_table(code, market) for code, market in INDICES.items()}

    def _index_table(self, code: str, market: Market) -> IndexTable:
        commons = [
            place
            for place, item in enumerate(self.instruments)
            if item.market is market and item.kind in (Kind.COMMON, Kind.PREFERRED, Kind.REIT)
        ]
        shares = np.array([self.instruments[place].shares_outstanding for place in commons], dtype=float)
        daily = self.daily
        base = daily.base[:, commons]
        weight = np.where(base > 0, base * shares, 0.0)
        total = np.maximum(weight.sum(axis=1), 1.0)

        def move(prices: Int64Array) -> NDArray[np.float64]:
            ratio = np.divide(prices[:, commons], base, out=np.ones(base.shape), where=base > 0)
            return np.asarray((weight * ratio).sum(axis=1) / total)

        ends = move(daily.close)
        if not weight.sum():
            ends = np.ones(len(self.days))
        close = _BASE_POINTS[code] * np.cumprod(ends)
        before = close / ends
        first = before * move(daily.open)
        top = np.maximum(first, close)
        bottom = np.minimum(first, close)
        high = top + 0.45 * np.maximum(before * move(daily.high) - top, 0.0)
        low = bottom - 0.45 * np.maximum(bottom - before * move(daily.low), 0.0)
        volume = daily.volume[:, commons].sum(axis=1)
        points = [np.rint(part).astype(np.int64) for part in (first, high, low, close)]
        return IndexTable(points[0], points[1], points[2], points[3], volume)


def shocked_minutes(
    bars: MinuteBars, shock: Shock, symbols: tuple[str, ...], base: Int64Array, grid: Grid
) -> MinuteBars:
    """Return a session with a move put in from ``shock.at``: prices shift inside the limits, volume swells."""
    lower, upper = grid.limits(base)
    hit = np.ones(len(symbols), dtype=bool)
    if shock.symbols is not None:
        hit = np.isin(np.array(symbols), shock.symbols)
    done = np.clip((bars.end - shock.at) / (shock.minutes * NS_PER_MINUTE), 0.0, 1.0)
    started = np.clip((bars.start - shock.at) / (shock.minutes * NS_PER_MINUTE), 0.0, 1.0)
    size = np.log1p(shock.return_bp / 10_000)
    late, early = np.exp(size * done)[:, None], np.exp(size * started)[:, None]
    touched = ((bars.end > shock.at)[:, None] & hit) & (base > 0)

    def shifted(column: Int64Array, factor: NDArray[np.float64]) -> Int64Array:
        return np.where(touched, np.clip(grid.nearest(column * factor), lower, upper), column)

    opened, close = shifted(bars.open, early), shifted(bars.close, late)
    high = np.maximum(shifted(bars.high, np.maximum(early, late)), np.maximum(opened, close))
    low = np.minimum(shifted(bars.low, np.minimum(early, late)), np.minimum(opened, close))
    high, low = np.where(touched, high, bars.high), np.where(touched, low, bars.low)
    during = (bars.start < shock.at + shock.minutes * NS_PER_MINUTE)[:, None] & touched
    volume = np.where(during, bars.volume * 5, np.where(touched, bars.volume * 3 // 2, bars.volume))
    return replace(bars, open=opened, high=high, low=low, close=close, volume=volume)


def synthesize(settings: MarketSettings, generator: np.random.Generator) -> World:
    """Return the synthetic market of a seed: history, then the sessions the clock will run through."""
    first_live = settings.first_live_day
    start = previous_trading_day(first_live, settings.history_sessions)
    live = trading_days(first_live, first_live + dt.timedelta(days=settings.live_sessions * 2 + 20))
    days = tuple(trading_days(start, first_live - dt.timedelta(days=1))) + tuple(live[: settings.live_sessions])
    listing = draw_listing(generator, settings.listed, settings.history_sessions)
    daily = _draw_daily(listing, days, generator)
    last = settings.history_sessions
    instruments = tuple(
        _instrument(item, days, int(daily.base[min(last, len(days) - 1), place]), first_live)
        for place, item in enumerate(listing)
    )
    return World(instruments, days, daily, key=settings.seed)


def _instrument(item: Listed, days: tuple[dt.date, ...], base: int, as_of: dt.date) -> Instrument:
    listed_on = (
        days[item.listed_row] if item.listed_row else day_from(19_950_103 + int(item.symbol[:2], 36) % 20 * 10_000)
    )
    return Instrument(
        symbol=item.symbol,
        name=item.name,
        market=item.market,
        kind=item.kind,
        listed_on=listed_on,
        base_price=base,
        shares_outstanding=max(1, round(item.cap / item.price / 1_000)) * 1_000,
        sector=item.sector,
        flags=item.flags,
        as_of=as_of,
    )


def _draw_daily(listing: tuple[Listed, ...], days: tuple[dt.date, ...], generator: np.random.Generator) -> DailyTable:
    gap, inside, spread, burst = _draw_returns(listing, len(days), generator)
    size = (len(days), len(listing))
    up = _bridge_extreme(inside, spread, generator.uniform(1e-4, 1.0, size))
    down = -_bridge_extreme(-inside, spread, generator.uniform(1e-4, 1.0, size))
    turn, cap = column_array(listing, "turn"), column_array(listing, "cap")
    price = column_array(listing, "price")
    table = DailyTable(*(np.zeros(size, dtype=np.int64) for _ in range(6)))
    listed = np.arange(size[0])[:, None] >= np.array([item.listed_row for item in listing])
    halted = np.zeros(size, dtype=bool)
    for place, item in enumerate(listing):
        for first, last in item.halted:
            halted[first : last + 1, place] = True
    places = tuple((item.kind, item.market) for item in listing)
    latent = price.copy()
    latent_price = np.zeros(size)
    grid = Grid(Rulebook.on(days[0]), places)
    base = grid.nearest(latent)
    for row, day in enumerate(days):
        grid = Grid(Rulebook.on(day), places)
        trades = listed[row] & ~halted[row]
        low_push = np.where(latent < 1_300, 0.01, 0.0)
        first = latent * np.exp(gap[row])
        bars = [first, first * np.exp(up[row]), first * np.exp(down[row]), first * np.exp(inside[row] + low_push)]
        rounded = [grid.nearest(column) for column in bars]
        wild = np.flatnonzero(np.abs(np.stack(rounded) / base - 1.0).max(axis=0) > 0.28)
        if len(wild):
            lower, upper = grid.limits(np.where(np.isin(np.arange(size[1]), wild), base, 0))
            rounded = [np.where(upper > 0, np.clip(column, lower, upper), column) for column in rounded]
        opened, high, low, close = rounded
        high = np.maximum(high, np.maximum(opened, close))
        low = np.minimum(low, np.minimum(opened, close))
        table.base[row] = np.where(listed[row], base, 0)
        for target, column in zip(
            (table.open, table.high, table.low, table.close), (opened, high, low, close), strict=True
        ):
            target[row] = np.where(trades, column, np.where(listed[row], base, 0))
        latent = np.where(trades, np.clip(bars[3], close * 0.99, close * 1.01), latent)
        base = np.where(trades, close, base)
        latent_price[row] = latent
        shares = turn * cap / price * burst[row]
        table.volume[row] = np.where(trades, np.maximum(shares, 400).astype(np.int64), 0)
    return table


def _bridge_extreme(
    move: NDArray[np.float64], spread: NDArray[np.float64], dice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Highest point of a Brownian bridge from 0 to ``move`` (exact law by inversion)."""
    return 0.5 * (move + np.sqrt(move**2 - 2.0 * spread**2 * np.log(dice)))


def _draw_returns(
    listing: tuple[Listed, ...], rows: int, generator: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return log returns overnight and inside the day, the day's spread, and the volume burst."""
    width = len(listing)
    beta, sigma = column_array(listing, "beta"), column_array(listing, "sigma")
    sector = np.array([SECTORS.index(item.sector) if item.sector else -1 for item in listing])
    market_sigma, market = np.empty(rows), np.empty(rows)
    variance = 0.011**2
    for row, shock in enumerate(generator.standard_t(5, rows) / np.sqrt(5 / 3)):
        market_sigma[row] = np.sqrt(variance)
        market[row] = market_sigma[row] * shock + 0.0002
        variance = 0.011**2 * 0.04 + 0.09 * market[row] ** 2 + 0.87 * variance
    variance_scale = market_sigma / 0.011
    sectors = generator.standard_t(5, (rows, len(SECTORS))) / np.sqrt(5 / 3) * 0.007 * variance_scale[:, None]
    own = generator.standard_t(4, (rows, width)) / np.sqrt(2.0)
    mood, drift, burst = np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((rows, width))
    noise = generator.standard_normal((3, rows, width))
    mood[0], drift[0] = noise[0, 0] * 0.4, noise[1, 0] * 0.0006
    for row in range(1, rows):
        mood[row] = 0.92 * mood[row - 1] + 0.16 * noise[0, row]
        drift[row] = 0.985 * drift[row - 1] + 0.0001 * noise[1, row]
        burst[row] = 0.7 * burst[row - 1] + 0.35 * noise[2, row]
    own_sigma = sigma * np.exp(mood)
    own *= own_sigma
    own[1:] -= 0.05 * own[:-1]
    total = beta * market[:, None] + own + drift * (sigma > 0.004)
    total += np.where(sector >= 0, sectors[:, np.maximum(sector, 0)], 0.0)
    parents = {item.symbol: place for place, item in enumerate(listing)}
    for place, item in enumerate(listing):
        if item.parent:
            total[:, place] = 0.85 * total[:, parents[item.parent]] + own[:, place]
    total = np.clip(total, -0.30, 0.26)
    spread = np.sqrt((beta * market_sigma[:, None]) ** 2 + own_sigma**2 + 0.00003)
    gap = 0.3 * total + 0.25 * spread * generator.standard_normal((rows, width))
    inside = total - gap
    surprise = np.abs(total) / spread
    return gap, inside, 0.75 * spread, np.exp(burst + 0.45 * np.minimum(surprise, 4.0) - 0.4)
