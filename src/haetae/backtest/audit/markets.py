"""Grounds of chance, and grounds to which names are added that stop trading.

Here: prices made of moves, each rounded to the tick grid by a throw that keeps its mean: the nearest tick would turn
many small moves one way into none, and leave a few large ones the other way a drift. Not here: the moves (`chance`),
other futures of the same bars (`futures`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haetae.backtest.audit.chance import FloatArray, Moves, Null, drawn
from haetae.backtest.audit.futures import BLOCKS, silenced, with_blocks
from haetae.backtest.engine import Listing
from haetae.backtest.strategies import Ground
from haetae.domain.market import Instrument, Int64Array, Kind, Market
from haetae.domain.panel import Panel
from haetae.domain.units import Symbol, day_from
from haetae.krx import Rulebook

_START = (20_000, 190_000)
"""First prices of markets of chance, in won: away from the small prices at which a tick is a large move."""
LIQUIDATION_SESSIONS = 7
"""Sessions of 정리매매 before a name leaves the list (KRX); here each of them locked at the lower limit."""


@dataclass(frozen=True, slots=True, eq=False)
class Delisted:
    """A ground with names that end.

    ``ends`` are the first rows of the whole panel in which each of ``symbols`` trades no more.
    """

    ground: Ground
    symbols: tuple[Symbol, ...]
    ends: tuple[int, ...]


def of_chance(ground: Ground, null: Null, rows: int, dice: np.random.Generator) -> Ground:
    """Return the first ``rows`` bars of a ground as a market in which nothing can be foreseen."""
    places = _places(ground.listing, ground.panel.symbols)
    start = dice.integers(*_START, len(places)).astype(np.float64)
    daily, panel = ground.daily, ground.panel.rows(0, rows)
    if len(daily):
        daily = _priced(daily, drawn(daily, null, len(daily), dice), start, places, dice)
        start = _close_before(daily, int(panel.days[0]), start)
    panel = _priced(panel, drawn(ground.panel, null, rows, dice), start, places, dice)
    listed = ground.shares_outstanding
    return dataclasses.replace(
        ground,
        panel=panel,
        eligible=panel.traded & (panel.close > 0),
        daily=_with_sessions(daily, panel) if len(daily) else daily,
        listing=dataclasses.replace(ground.listing, base_prices=None),
        shares_outstanding=listed[:rows] if listed is not None and listed.ndim == 2 else listed,
    )


def with_delisted(ground: Ground, count: int, dice: np.random.Generator) -> Delisted:
    """Return the ground with ``count`` names more that end inside the traded part.

    Each trades as a random walk, then falls by the limit for as many as seven sessions with one share traded on each,
    and never trades again; its last price stands as its mark.
    """
    known = ground.panel.symbols
    names = [name for name in (f"99{place:03d}0" for place in range(1, 1_000)) if name not in known][:count]
    sessions = [(first, last) for _day, first, last in ground.panel.sessions() if first >= ground.first]
    fall = max(1, min(LIQUIDATION_SESSIONS, len(sessions) // 6))
    ends = [
        int(place) for place in dice.integers(len(sessions) // 3 + fall, max(2 * len(sessions) // 3, 2) + fall, count)
    ]
    ends = [min(place, len(sessions) - 1) for place in ends]
    grown = _with_names(ground, names)
    columns = np.array([grown.panel.symbols.index(name) for name in names])
    places = [(Kind.COMMON, Market.KOSPI)] * count
    start = dice.integers(*_START, count).astype(np.float64)
    daily = grown.daily
    if len(daily):
        daily = _put(daily, columns, _walks(daily, count, start, places, dice))
        start = _close_before(daily, int(grown.panel.days[0]), np.ones(len(daily.symbols)))[columns]
    panel = _put(grown.panel, columns, _walks(grown.panel, count, start, places, dice))
    blocks = {name: getattr(panel, name).copy() for name in BLOCKS}
    for column, end in zip(columns.tolist(), ends, strict=True):
        _end(blocks, column, panel, sessions[max(end - fall, 0) : end], sessions[end][0])
    panel = with_blocks(panel, blocks)
    eligible = grown.eligible.copy()
    eligible[:, columns] = panel.traded[:, columns]
    grown = dataclasses.replace(
        grown, panel=panel, eligible=eligible, daily=_with_sessions(daily, panel) if len(daily) else daily
    )
    return Delisted(grown, tuple(names), tuple(sessions[end][0] for end in ends))


def _end(
    blocks: dict[str, np.ndarray], column: int, panel: Panel, falling: Sequence[tuple[int, int]], end: int
) -> None:
    """Write the fall of a name, locked at the lower limit each session, and the silence after it."""
    last = int(blocks["close"][max(falling[0][0] - 1, 0), column]) if falling else 0
    for first, beyond in falling:
        last, _upper = Rulebook.on(day_from(int(panel.days[first]))).price_limits(last)
        for name in ("open", "high", "low", "close"):
            blocks[name][first:beyond, column] = last
        blocks["volume"][first:beyond, column] = 0
        blocks["traded"][first:beyond, column] = False
        blocks["volume"][first, column], blocks["traded"][first, column] = 1, True
    mark = blocks["close"][end - 1, column]
    for name in ("open", "high", "low", "close"):
        blocks[name][end:, column] = mark
    blocks["volume"][end:, column] = 0
    blocks["traded"][end:, column] = False


def _walks(
    panel: Panel, count: int, start: FloatArray, places: Sequence[tuple[Kind, Market]], dice: np.random.Generator
) -> Panel:
    """Return bars of ``count`` random walks at the times of a panel, each as volatile as one of its names."""
    donors = dice.choice(np.flatnonzero(panel.traded.any(axis=0)), count)
    blocks = [getattr(panel, name)[:, donors] for name in BLOCKS]
    plain = Panel(tuple(f"{place:06d}" for place in range(count)), panel.days, panel.start, panel.end, *blocks)
    return _priced(plain, drawn(plain, Null.WALK, len(plain), dice), start, places, dice)


def _with_names(ground: Ground, names: Sequence[Symbol]) -> Ground:
    """Return the ground with empty columns for more names, all KOSPI common shares."""
    symbols = tuple(sorted((*ground.panel.symbols, *names)))
    old = np.array([symbols.index(name) for name in ground.panel.symbols])

    def grown(panel: Panel) -> Panel:
        blocks = []
        for name in BLOCKS:
            block = np.zeros((len(panel), len(symbols)), getattr(panel, name).dtype)
            block[:, old] = getattr(panel, name)
            blocks.append(block)
        return Panel(symbols, panel.days, panel.start, panel.end, *blocks)

    eligible = np.zeros((len(ground.panel), len(symbols)), np.bool_)
    eligible[:, old] = ground.eligible
    listed = ground.shares_outstanding
    if listed is not None:
        wide = np.full((*listed.shape[:-1], len(symbols)), int(np.median(listed)), np.int64)
        wide[..., old] = listed
        listed = wide
    return dataclasses.replace(
        ground,
        panel=grown(ground.panel),
        eligible=eligible,
        daily=grown(ground.daily) if len(ground.daily) else ground.daily,
        listing=_listing_of(ground.listing, ground.panel.symbols, symbols, names),
        shares_outstanding=listed,
    )


def _listing_of(
    listing: Listing, known: tuple[Symbol, ...], symbols: tuple[Symbol, ...], names: Sequence[Symbol]
) -> Listing:
    instruments = listing.instruments
    if instruments is None:
        instruments = {
            symbol: Instrument(symbol, symbol, market, kind, dt.date(1990, 1, 3), 0, 0)
            for symbol, (kind, market) in zip(known, _places(listing, known), strict=True)
        }
    added = {name: Instrument(name, name, Market.KOSPI, Kind.COMMON, dt.date(1990, 1, 3), 0, 10**7) for name in names}
    return dataclasses.replace(
        listing, instruments={**instruments, **added}, markets=None, kinds=None, base_prices=None
    )


def _put(panel: Panel, columns: Int64Array, part: Panel) -> Panel:
    blocks = {name: getattr(panel, name).copy() for name in BLOCKS}
    for name, block in blocks.items():
        block[:, columns] = getattr(part, name)
    return with_blocks(panel, blocks)


def _places(listing: Listing, symbols: tuple[Symbol, ...]) -> list[tuple[Kind, Market]]:
    if listing.instruments is not None:
        return [(listing.instruments[symbol].kind, listing.instruments[symbol].market) for symbol in symbols]
    kinds = listing.kinds or [Kind.COMMON] * len(symbols)
    return list(zip(kinds, listing.markets or [Market.KOSPI] * len(symbols), strict=True))


def _close_before(daily: Panel, day: int, otherwise: FloatArray) -> FloatArray:
    row = int(np.searchsorted(daily.days, day)) - 1
    return otherwise if row < 0 else np.where(daily.close[row] > 0, daily.close[row], otherwise).astype(np.float64)


def _with_sessions(daily: Panel, panel: Panel) -> Panel:
    """Return daily bars in which the sessions that have minutes are made of those minutes."""
    blocks = {name: getattr(daily, name).copy() for name in BLOCKS}
    for first, last in ((first, last) for _day, first, last in panel.sessions()):
        row = int(np.searchsorted(daily.days, panel.days[first]))
        if row == len(daily) or daily.days[row] != panel.days[first]:
            continue
        blocks["open"][row], blocks["close"][row] = panel.open[first], panel.close[last - 1]
        blocks["high"][row], blocks["low"][row] = panel.high[first:last].max(axis=0), panel.low[first:last].min(axis=0)
        blocks["volume"][row] = panel.volume[first:last].sum(axis=0)
        blocks["traded"][row] = panel.traded[first:last].any(axis=0)
    return with_blocks(daily, blocks)


def _priced(
    panel: Panel, moves: Moves, start: FloatArray, places: Sequence[tuple[Kind, Market]], dice: np.random.Generator
) -> Panel:
    """Return bars that begin at a price and move so, at the times of a panel."""
    shape = (len(panel), len(places))
    blocks = {name: np.zeros(shape, np.int64) for name in ("open", "high", "low", "close")}
    dither = dice.random((2, *shape))
    last, ticks, day = start, _Ticks(places), 0
    for row in range(shape[0]):
        if int(panel.days[row]) != day:
            day = int(panel.days[row])
            ticks.turn(day)
        opened = ticks.rounded(last * (1.0 + moves.gap[row]), dither[0, row])
        closed = ticks.rounded(opened * (1.0 + moves.inside[row]), dither[1, row])
        blocks["open"][row], blocks["close"][row] = opened, closed
        blocks["high"][row] = np.maximum(
            ticks.rounded(np.maximum(opened, closed) * (1.0 + moves.above[row]), 0.5), np.maximum(opened, closed)
        )
        blocks["low"][row] = np.minimum(
            ticks.rounded(np.minimum(opened, closed) * (1.0 - moves.below[row]), 0.5), np.minimum(opened, closed)
        )
        last = np.where(moves.traded[row], closed, last).astype(np.float64)
    whole = silenced(blocks | {"volume": moves.volume}, moves.traded & (moves.volume > 0))
    return with_blocks(panel, whole)


class _Ticks:
    """The tick grid of the day that is being drawn."""

    def __init__(self, places: Sequence[tuple[Kind, Market]]) -> None:
        self._classes = sorted(set(places), key=lambda place: (place[0].value, place[1].value))
        self._columns = [np.array([each == place for each in places]) for place in self._classes]
        self._tables: list[tuple[Int64Array, Int64Array]] = []

    def turn(self, day: int) -> None:
        rules = Rulebook.on(day_from(day))
        self._tables = [rules.tick_table(kind, market) for kind, market in self._classes]

    def rounded(self, prices: FloatArray, dither: FloatArray | float) -> Int64Array:
        """Return prices on the grid; with a uniform ``dither`` in [0, 1) the mean stays, with 0.5 it is the nearest."""
        found = np.zeros(len(prices), np.int64)
        for columns, (bounds, sizes) in zip(self._columns, self._tables, strict=True):
            mine = prices[columns]
            tick = sizes[np.searchsorted(bounds, mine, side="right")]
            found[columns] = np.maximum(
                np.floor(mine / tick + np.broadcast_to(dither, prices.shape)[columns]).astype(np.int64) * tick, tick
            )
        return found
