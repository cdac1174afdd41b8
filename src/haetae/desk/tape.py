"""What the desk remembers of the market: one sheet of numbers per symbol, features, and the newest bars.

A minute is folded by one compiled pass over the symbols; mappings by symbol are looked up in the sheet when somebody
asks, and never built. Prices and turnover are won, volumes shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numba import njit

from haetae.desk.window import Window, open_window, window_of
from haetae.domain.decisions import FloatArray
from haetae.domain.events import Glance, SessionStart
from haetae.domain.market import BoolArray, Int64Array, Kind, Slice
from haetae.domain.panel import Panel
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Symbol, Won, yyyymmdd
from haetae.features import minute
from haetae.krx import Rulebook
from haetae.krx.sessions import Session

# Rows of the sheet: newest price and the day's limits, the day so far, end of the newest bar with a trade.
_LAST, _LOWER, _UPPER, _VOLUME, _TURNOVER, _TRADED_AT, _OPEN, _HIGH, _LOW = range(9)
_ROWS = 9


class Column(Mapping[Symbol, int]):
    """A row of the sheet by symbol, looked up when asked."""

    __slots__ = ("_places", "_values")

    def __init__(self, places: Mapping[Symbol, int], values: Int64Array) -> None:
        self._places, self._values = places, values

    def __getitem__(self, symbol: Symbol) -> int:
        return int(self._values[self._places[symbol]])

    def __iter__(self) -> Iterator[Symbol]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """What is remembered of the market, per symbol of the session.

    Attributes
    ----------
    places : where each symbol stands in the arrays.
    sheet : (9, n_symbols) int64
        Read by the properties below.
    fold : (n_symbols, width) float64
        State of the minute features.
    features : (n_symbols, n_features) float32
        Newest values, NaN where a look-back is not filled.
    scores : (n_symbols,) float32
        Rank scores of the day.
    listed : (n_symbols,) bool
        Names the day began with as tradable.
    minutes, daily : the newest closed minutes and sessions.
    hours : the session's own hours, none before the first.
    price_at : end of the newest slice, 0 before the first.
    unpriced : whether a symbol has no price yet.
    """

    symbols: tuple[Symbol, ...]
    places: Mapping[Symbol, int]
    sheet: Int64Array
    fold: minute.State
    features: FloatArray
    scores: FloatArray
    listed: BoolArray
    minutes: Window
    daily: Window
    hours: Session | None = None
    price_at: Instant = 0
    unpriced: bool = True
    _prices: dict[Symbol, Won] = field(default_factory=dict, init=False, repr=False)

    @property
    def last(self) -> Int64Array:
        """Last price of each symbol: the base price before its first trade."""
        return self.sheet[_LAST]

    @property
    def lower(self) -> Int64Array:
        """Lowest price of the day, 0 where no base is known."""
        return self.sheet[_LOWER]

    @property
    def upper(self) -> Int64Array:
        """Highest price of the day, 0 where no base is known."""
        return self.sheet[_UPPER]

    @property
    def prices(self) -> Mapping[Symbol, Won]:
        """Last prices by symbol; written out the first time somebody asks."""
        if not self._prices:
            self._prices.update(zip(self.symbols, self.last.tolist(), strict=True))
        return self._prices

    @property
    def volume(self) -> Column:
        """Shares traded today by symbol."""
        return Column(self.places, self.sheet[_VOLUME])

    @property
    def turnover(self) -> Column:
        """Won traded today by symbol."""
        return Column(self.places, self.sheet[_TURNOVER])

    @property
    def traded_at(self) -> Column:
        """End of the newest bar with a trade by symbol, 0 before the first of the day."""
        return Column(self.places, self.sheet[_TRADED_AT])


class Absorbed(NamedTuple):
    """A minute as the tape took it; ``refused`` marks prices that today's limits exclude."""

    tape: Tape
    traded: BoolArray
    refused: BoolArray | None


def blank_tape(minute_history: int, daily_history: int) -> Tape:
    """Return a tape without symbols."""
    return _tape((), np.zeros((_ROWS, 0), np.int64), minute.init_state(0), open_window((), minute_history),
                 open_window((), daily_history))  # fmt: skip


def warmed(tape: Tape, panel: Panel, daily: Panel | None) -> tuple[Tape, FloatArray]:
    """Return the tape after the minutes and the sessions before a day, and the moves of the minutes.

    The moves are the mean absolute minute returns of the symbols, float32, newest last.
    """
    minutes, sessions = tape.minutes.depth, tape.daily.depth
    if daily is not None:
        tape = replace(tape, daily=window_of(daily, daily.symbols, sessions))
    if not len(panel):
        return tape, np.zeros(0, np.float32)
    fold, values = minute.fold(minute.init_state(len(panel.symbols)), panel, minute.session_minutes(panel))
    sheet = np.zeros((_ROWS, len(panel.symbols)), np.int64)
    sheet[_LAST] = panel.close[-1]
    warm = _tape(panel.symbols, sheet, fold, window_of(panel, panel.symbols, minutes), tape.daily)
    return replace(warm, features=values[-1]), _moves(panel)


def _tape(symbols: tuple[Symbol, ...], sheet: Int64Array, fold: minute.State, minutes: Window, daily: Window) -> Tape:
    sheet.flags.writeable = False
    return Tape(
        symbols=symbols,
        places={symbol: place for place, symbol in enumerate(symbols)},
        sheet=sheet,
        fold=fold,
        features=np.full((len(symbols), len(minute.NAMES)), np.nan, np.float32),
        scores=np.zeros(len(symbols), np.float32),
        listed=np.zeros(len(symbols), np.bool_),
        minutes=minutes,
        daily=daily,
        unpriced=bool((sheet[_LAST] <= 0).any()),
    )


def _moves(panel: Panel) -> FloatArray:
    closes = panel.close.astype(np.float64)
    same_day = (panel.days[1:] == panel.days[:-1])[:, None] & (closes[:-1] > 0.0)
    change = np.abs(np.divide(closes[1:], closes[:-1], out=np.ones_like(closes[1:]), where=same_day) - 1.0)
    counted = same_day.sum(axis=1)
    moves: FloatArray = (change.sum(axis=1)[counted > 0] / counted[counted > 0]).astype(np.float32)
    return moves


def turned(old: Tape, symbols: tuple[Symbol, ...], event: SessionStart, rules: Rulebook) -> Tape:
    """Return the tape on the morning of a day: features and bars of names that stay are carried over."""
    fold = minute.init_state(len(symbols))
    features = np.full((len(symbols), len(minute.NAMES)), np.nan, np.float32)
    sheet = np.zeros((_ROWS, len(symbols)), np.int64)
    for row, symbol in enumerate(symbols):
        place = old.places.get(symbol, -1)
        if place >= 0:
            fold[row], features[row] = old.fold[place], old.features[place]
        base = event.base_prices.get(symbol, 0)
        sheet[_LAST, row] = base or (old.sheet[_LAST, place] if place >= 0 else 0)
        if base > 0:
            kind = Kind(event.kinds.get(symbol, Kind.COMMON.value))
            sheet[_LOWER, row], sheet[_UPPER, row] = rules.price_limits(base, kind)
    features.flags.writeable = False
    scores = np.array([event.scores.get(symbol, 0.0) for symbol in symbols], np.float32)
    listed = np.array([symbol in event.tradable for symbol in symbols], np.bool_)
    return replace(
        _tape(symbols, sheet, fold, _over(old.minutes, symbols), _over(_with_session(old).daily, symbols)),
        features=features,
        scores=scores,
        listed=listed,
        hours=rules.session,
    )


def _over(window: Window, symbols: tuple[Symbol, ...]) -> Window:
    """Return the same bars over the symbols of a new day."""
    return window if window.symbols == symbols else window_of(window.panel(), symbols, window.depth)


def _with_session(tape: Tape) -> Tape:
    """Return the tape with its session among the closed ones; the same if it is there, or saw no minute."""
    hours = tape.hours
    if hours is None or not tape.price_at or tape.daily.newest_day >= yyyymmdd(hours.day):
        return tape
    traded = tape.sheet[_OPEN] > 0
    last = tape.sheet[_LAST]
    opened, high, low = (np.where(traded, tape.sheet[row], last) for row in (_OPEN, _HIGH, _LOW))
    bars = np.stack((opened, high, low, last, tape.sheet[_VOLUME]))
    daily = tape.daily.append(yyyymmdd(hours.day), hours.open_at, hours.close_at, bars, traded)
    return replace(tape, daily=daily)


def absorb(tape: Tape, piece: Slice, rules: Rulebook) -> Absorbed:
    """Return the tape after a closed minute, over its own symbols and without prices that today's limits exclude.

    A symbol the slice lacks did not trade. The session becomes a daily bar with the minute that closes it.
    """
    size = len(tape.symbols)
    sheet = tape.sheet.copy()
    bars = np.empty((5, size), np.int64)
    traded, refused = np.empty(size, np.bool_), np.empty(size, np.bool_)
    opens, highs, lows, closes, volumes = (
        np.ascontiguousarray(column) for column in (piece.open, piece.high, piece.low, piece.close, piece.volume)
    )
    trades, places = np.ascontiguousarray(piece.traded), _places(tape, piece.symbols)
    wrong = _absorb(sheet, opens, highs, lows, closes, volumes, trades, places, piece.end, bars, traded, refused)
    for made in (sheet, bars, traded):
        made.flags.writeable = False
    number = minute.minute_of_session(piece.start, rules.session.open_at)
    fold, features = minute.step(tape.fold, bars[0], bars[1], bars[2], bars[3], bars[4], traded, number)
    features.flags.writeable = False
    after = Tape(
        symbols=tape.symbols,
        places=tape.places,
        sheet=sheet,
        fold=fold,
        features=features,
        scores=tape.scores,
        listed=tape.listed,
        minutes=tape.minutes.append(yyyymmdd(rules.day), piece.start, piece.end, bars, traded),
        daily=tape.daily,
        hours=tape.hours,
        price_at=piece.end,
        unpriced=tape.unpriced and bool((sheet[_LAST] <= 0).any()),
    )
    if piece.end >= rules.session.close_at:
        after = _with_session(after)
    return Absorbed(after, traded, refused if wrong else None)


def glanced(tape: Tape, glance: Glance) -> tuple[Tape, Glance]:
    """Return the tape with the prices of a glance as its last ones, and the glance without what today's limits exclude.

    A price is taken where two prints say it, the milder of them; the minute it belongs to is still to come.
    """
    upper = np.where(tape.upper > 0, tape.upper, np.iinfo(np.int64).max)
    last, before = (np.where((tape.lower <= part) & (part <= upper), part, 0) for part in (glance.last, glance.before))
    seen = Glance(glance.at, glance.symbols, last, before, glance.ago)
    both = (seen.last > 0) & (seen.before > 0)
    if not both.any():
        return tape, seen
    sheet = tape.sheet.copy()
    sheet[_LAST] = np.where(both, np.maximum(seen.last, seen.before), sheet[_LAST])
    sheet.flags.writeable = False
    return replace(tape, sheet=sheet), seen


def _places(tape: Tape, symbols: tuple[Symbol, ...]) -> Int64Array:
    """Return where each symbol of the tape stands among those of a slice, -1 for one it lacks."""
    if symbols == tape.symbols:
        return np.arange(len(symbols), dtype=np.int64)
    there = {symbol: row for row, symbol in enumerate(symbols)}
    return np.array([there.get(symbol, -1) for symbol in tape.symbols], np.int64)


@njit(cache=True)
def _absorb(
    sheet: Int64Array,
    opens: Int64Array,
    highs: Int64Array,
    lows: Int64Array,
    closes: Int64Array,
    volumes: Int64Array,
    trades: BoolArray,
    places: Int64Array,
    end: int,
    bars: Int64Array,
    traded: BoolArray,
    refused: BoolArray,
) -> int:
    wrong = 0
    for s in range(sheet.shape[1]):
        p = places[s]
        live = p >= 0 and trades[p]
        refused[s] = False
        if live:
            close, upper = closes[p], sheet[_UPPER, s]
            if close <= 0 or (upper > 0 and not sheet[_LOWER, s] <= close <= upper):
                refused[s], live = True, False
                wrong += 1
        traded[s] = live
        if not live:
            bars[:4, s] = sheet[_LAST, s]
            bars[4, s] = 0
            continue
        bars[0, s], bars[1, s], bars[2, s], bars[3, s], bars[4, s] = opens[p], highs[p], lows[p], close, volumes[p]
        first = sheet[_OPEN, s] == 0
        sheet[_OPEN, s] = opens[p] if first else sheet[_OPEN, s]
        sheet[_HIGH, s] = highs[p] if first else max(sheet[_HIGH, s], highs[p])
        sheet[_LOW, s] = lows[p] if first else min(sheet[_LOW, s], lows[p])
        sheet[_LAST, s] = close
        sheet[_VOLUME, s] += volumes[p]
        sheet[_TURNOVER, s] += volumes[p] * close
        sheet[_TRADED_AT, s] = end
    return wrong
