"""A seeded synthetic KRX: daily bars of every name, dividends, listings and an end of one.

Returns are a market factor (GARCH, Student-t), sector factors and own noise with stochastic volatility and
rare news; gaps overnight, range and volume follow the day's volatility. Prices stand on the tick grid inside
the day's limits. A weak structure is put in on purpose and named here: own noise reverses by 5 % the next day
and a slow drift of about ±15 % a year differs by name. Figures measured on this market therefore say nothing
about the real one; its stylised facts are calibrated on Korean daily bars of 2019-2023 (tests name the ranges).
Not here: who is listed (``listing``), what is done with the bars (``world``), the clock (``clock``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haetae.domain.market import BoolArray, Instrument, Int64Array, Kind
from haetae.domain.units import day_from
from haetae.emulator.dividends import draw_dividends
from haetae.emulator.grid import Grid
from haetae.emulator.interventions import Delisting, Notice, Shock
from haetae.emulator.listing import SECTORS, Listed, column_array, draw_listing
from haetae.emulator.settings import MarketSettings
from haetae.emulator.tables import DailyTable
from haetae.emulator.world import World
from haetae.krx import Rulebook
from haetae.krx.calendar import next_trading_day, previous_trading_day, trading_days

_MARKET_SIGMA = 0.0125
"""Daily volatility of the market factor, 20 % a year."""

__all__ = ["DailyTable", "Shock", "World", "synthesize"]


def synthesize(settings: MarketSettings, generator: np.random.Generator) -> World:
    """Return the synthetic market of a seed: history, then the sessions the clock will run through."""
    first_live = settings.first_live_day
    start = previous_trading_day(first_live, settings.history_sessions)
    before = first_live - dt.timedelta(days=1)
    days = trading_days(start, next_trading_day(before, settings.live_sessions))
    listing = draw_listing(generator, settings.listed, settings.history_sessions, settings.live_sessions)
    daily = _draw_daily(listing, days, generator)
    last = min(settings.history_sessions, len(days) - 1)
    instruments = tuple(
        _instrument(item, days, int(daily.base[max(last, item.listed_row), place]), first_live)
        for place, item in enumerate(listing)
    )
    gone = {item.symbol: days[item.gone_row] for item in listing if 0 < item.gone_row < len(days)}
    notices: list[Notice] = [Delisting(day, symbol) for symbol, day in gone.items()]
    dividends = draw_dividends(settings.seed, instruments, daily, days)
    notices += [one for one in dividends if one.day < gone.get(one.symbol, dt.date.max)]
    return World(instruments, days, daily, key=settings.seed, first_live=first_live, notices=notices)


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


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Log returns overnight and inside the day, the day's spread, and the volume burst; ``(n_days, n_symbols)``."""

    gap: NDArray[np.float64]
    inside: NDArray[np.float64]
    spread: NDArray[np.float64]
    burst: NDArray[np.float64]


def _draw_daily(listing: tuple[Listed, ...], days: tuple[dt.date, ...], generator: np.random.Generator) -> DailyTable:
    moves = _draw_moves(listing, len(days), generator)
    size = (len(days), len(listing))
    up = _bridge_extreme(moves.inside, moves.spread, generator.uniform(1e-4, 1.0, size))
    down = -_bridge_extreme(-moves.inside, moves.spread, generator.uniform(1e-4, 1.0, size))
    turn, cap, price = (column_array(listing, name) for name in ("turn", "cap", "price"))
    table = DailyTable(*(np.zeros(size, dtype=np.int64) for _ in range(6)))
    listed_row = np.array([item.listed_row for item in listing])
    listed, halted = np.arange(size[0])[:, None] >= listed_row, _halted(listing, size)
    places = tuple((item.kind, item.market) for item in listing)
    latent = price.copy()
    base = Grid(Rulebook.on(days[0]), places).nearest(latent)
    for row, day in enumerate(days):
        grid = Grid(Rulebook.on(day), places)
        trades, fresh = listed[row] & ~halted[row], (listed_row == row) & (row > 0)
        low_push = np.where(latent < 1_300, 0.01, 0.0)
        first = latent * np.exp(moves.gap[row])
        close = first * np.exp(moves.inside[row] + low_push)
        bars = [first, first * np.exp(up[row]), first * np.exp(down[row]), close]
        rounded = _within(grid, [grid.nearest(column) for column in bars], base, fresh, Rulebook.on(day), places)
        table.base[row] = np.where(listed[row], base, 0)
        for target, column in zip((table.open, table.high, table.low, table.close), rounded, strict=True):
            target[row] = np.where(trades, column, np.where(listed[row], base, 0))
        latent = np.where(trades, np.clip(bars[3], rounded[3] * 0.99, rounded[3] * 1.01), latent)
        base = np.where(trades, rounded[3], base)
        shares = turn * cap / price * moves.burst[row] * np.where(fresh, 12.0, 1.0)
        table.volume[row] = np.where(trades, np.maximum(shares, 400).astype(np.int64), 0)
    return table


def _halted(listing: tuple[Listed, ...], size: tuple[int, int]) -> BoolArray:
    halted = np.zeros(size, dtype=bool)
    for place, item in enumerate(listing):
        for first, last in item.halted:
            halted[first : last + 1, place] = True
    return halted


def _within(
    grid: Grid,
    bars: list[Int64Array],
    base: Int64Array,
    fresh: BoolArray,
    rules: Rulebook,
    places: tuple[tuple[Kind, object], ...],
) -> list[Int64Array]:
    """Return open, high, low and close inside the day's limits, each enclosing the others."""
    lower, upper = grid.limits(base)
    for column in np.flatnonzero(fresh).tolist():
        lower[column], upper[column] = rules.listing_day_limits(int(base[column]), *places[column])  # type: ignore[arg-type]
    opened, high, low, close = (np.clip(column, lower, upper) for column in bars)
    return [opened, np.maximum(high, np.maximum(opened, close)), np.minimum(low, np.minimum(opened, close)), close]


def _bridge_extreme(
    move: NDArray[np.float64], spread: NDArray[np.float64], dice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Highest point of a Brownian bridge from 0 to ``move`` (exact law by inversion)."""
    return 0.5 * (move + np.sqrt(move**2 - 2.0 * spread**2 * np.log(dice)))


def _draw_market(rows: int, generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the market factor and its volatility, GARCH(1, 1) with Student-t shocks."""
    sigma, market = np.empty(rows), np.empty(rows)
    variance = _MARKET_SIGMA**2
    for row, shock in enumerate(generator.standard_t(5, rows) / np.sqrt(5 / 3)):
        sigma[row] = np.sqrt(variance)
        market[row] = sigma[row] * shock + 0.0002
        variance = _MARKET_SIGMA**2 * 0.04 + 0.09 * market[row] ** 2 + 0.87 * variance
    return market, sigma


def _draw_news(rows: int, width: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return rare jumps of single names as log returns: one name-day in 90, 9 % at the median."""
    happens = generator.random((rows, width)) < 1 / 90
    size = np.exp(np.log(0.09) + 0.5 * generator.standard_normal((rows, width)))
    sign = np.where(generator.random((rows, width)) < 0.55, 1.0, -1.0)
    return np.where(happens, sign * size, 0.0)


def _draw_moves(listing: tuple[Listed, ...], rows: int, generator: np.random.Generator) -> _Moves:
    width = len(listing)
    beta, sigma = column_array(listing, "beta"), column_array(listing, "sigma")
    sector = np.array([SECTORS.index(item.sector) if item.sector else -1 for item in listing])
    market, market_sigma = _draw_market(rows, generator)
    variance_scale = market_sigma / _MARKET_SIGMA
    sectors = generator.standard_t(5, (rows, len(SECTORS))) / np.sqrt(5 / 3) * 0.007 * variance_scale[:, None]
    own = generator.standard_t(6, (rows, width)) / np.sqrt(1.5)
    single = sigma > 0.008
    news = _draw_news(rows, width, generator) * single
    mood, drift, burst = np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((rows, width))
    noise = generator.standard_normal((3, rows, width))
    mood[0], drift[0] = noise[0, 0] * 0.5, noise[1, 0] * 0.0006
    for row in range(1, rows):
        mood[row] = 0.94 * mood[row - 1] + 0.19 * noise[0, row] + 0.5 * (news[row - 1] != 0)
        drift[row] = 0.985 * drift[row - 1] + 0.0001 * noise[1, row]
        burst[row] = 0.7 * burst[row - 1] + 0.35 * noise[2, row]
    own_sigma = sigma * np.exp(mood - 0.15)
    own *= own_sigma
    own[1:] -= 0.05 * own[:-1]
    own += news
    total = beta * market[:, None] + own + drift * (sigma > 0.004)
    total += np.where(sector >= 0, sectors[:, np.maximum(sector, 0)], 0.0)
    parents = {item.symbol: place for place, item in enumerate(listing)}
    for place, item in enumerate(listing):
        if item.parent:
            total[:, place] = 0.85 * total[:, parents[item.parent]] + own[:, place]
        if item.listed_row:
            total[item.listed_row, place] = generator.normal(0.25, 0.35)
    ordinary = np.ones((rows, width), dtype=bool)
    ordinary[[item.listed_row for item in listing], np.arange(width)] = False
    total = np.where(ordinary, np.clip(total, -0.35, 0.262), np.clip(total, -0.45, 1.3))
    spread = np.sqrt((beta * market_sigma[:, None]) ** 2 + own_sigma**2 + (0.4 * news) ** 2 + 0.00003)
    gap = 0.3 * total + 0.25 * spread * generator.standard_normal((rows, width))
    inside = total - gap
    surprise = np.abs(total) / spread
    return _Moves(gap, inside, 0.75 * spread, np.exp(burst + 0.45 * np.minimum(surprise, 4.0) - 0.4))
