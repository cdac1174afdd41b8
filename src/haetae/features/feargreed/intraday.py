"""Fear & greed of a running day: at each minute, the day so far is folded onto yesterday's memory.

The day so far stands where the finished day will stand: the same components by the same formulas, ranked
against the same trailing days. So the last minute of a day and its daily row agree, component by component,
save calm: a day's own move says little of volatility at ten in the morning, so the running day's volatility is
compared with the median of earlier sessions up to the same minute.

The ranks mean something only against the same symbols: the state given is a daily fold over the symbols that are
watched by the minute, not over the whole market. What is not seen today (index, havens, flows) is missing and
flagged; yesterday's number never stands in. A value is known at the end of its minute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haetae.domain.errors import DataError, Text
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.panel import Panel
from haetae.domain.units import Instant
from haetae.features.feargreed.crowd import fold_crowd, last_closes, move
from haetae.features.feargreed.index import DEFAULTS, FearGreed, MoodState, plain, rules_of
from haetae.features.feargreed.market import (
    BOND,
    COUNT,
    DOLLAR,
    FOREIGN,
    IMPLIED,
    INDEX,
    INPUTS,
    SPREAD_TODAY,
    WEIGHTS,
    fold_market,
)
from haetae.features.feargreed.settings import FearGreedSettings
from haetae.features.minute import SESSION_MINUTES, session_minutes

Float64Array = NDArray[np.float64]

LEAST_SESSIONS: Final = 20
"""Earlier sessions of minutes before their median is usual; with fewer, calm is missing."""
_NO_CURVE: Final = -1.0


@dataclass(frozen=True, slots=True)
class Quotes:
    """What is seen beside the bars at the end of a minute; NaN keeps what was seen earlier in the day.

    ``foreign_won`` is the net won bought by foreigners in the day so far.
    """

    index: float = np.nan
    implied: float = np.nan
    foreign_won: float = np.nan
    bond: float = np.nan
    dollar: float = np.nan


NOTHING: Final = Quotes()


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A day under way: yesterday's memory, which no minute changes, and the day so far as plain numbers."""

    yesterday: MoodState
    day: int
    usual: Float64Array | None
    counted: BoolArray
    rules: Float64Array
    closes: Float64Array
    volumes: Int64Array
    seen: Float64Array = field(default_factory=lambda: np.full(INPUTS, np.nan))
    variance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class IntradayMood:
    """The index at each minute of a day; row ``t`` is known at ``ends[t]``."""

    ends: Int64Array
    rows: FearGreed


@njit(cache=True)
def _market_move(before: Float64Array, closes: Float64Array, counted: BoolArray) -> float:
    # Mean log return of the symbols known at both times.
    moves, known = 0.0, 0
    for s in range(len(closes)):
        if counted[s] and before[s] > 0.0 and closes[s] > 0.0:
            moves += move(before[s], closes[s])
            known += 1
    return moves / known if known else 0.0


@njit(cache=True)
def _curves(close: Int64Array, minutes: Int64Array, cuts: Int64Array, counted: BoolArray, curves: Float64Array) -> None:
    before = np.zeros(close.shape[1])
    now = np.zeros(close.shape[1])
    for session in range(len(cuts) - 1):
        so_far, next_minute = 0.0, 0
        for t in range(cuts[session], cuts[session + 1]):
            now[:] = close[t]
            change = _market_move(before, now, counted)
            minute = min(max(minutes[t], 0), curves.shape[1] - 1)
            for each in range(next_minute, minute):
                curves[session, each] = so_far
            so_far += change * change
            curves[session, minute] = so_far
            next_minute = max(next_minute, minute + 1)
            before[:] = now
        for each in range(next_minute, curves.shape[1]):
            curves[session, each] = so_far


def variance_curves(minutes: Panel, counted: BoolArray | None = None) -> Float64Array:
    """Return the market's squared moves summed up to each minute of each session, ``(n_sessions, 381)``.

    The move is the mean of the symbols; the first of a session is that since the close before.
    """
    sessions = minutes.sessions()
    curves = np.zeros((len(sessions), SESSION_MINUTES))
    if sessions:
        cuts = np.array([first for _, first, _ in sessions] + [sessions[-1][2]], dtype=np.int64)
        chosen = np.ones(len(minutes.symbols), np.bool_) if counted is None else counted
        _curves(plain(minutes.close), session_minutes(minutes), cuts, plain(chosen), curves)
    return curves


def usual_curve(curves: Float64Array) -> Float64Array | None:
    """Return the median of earlier sessions at each minute, ``(381,)``; None of fewer than ``LEAST_SESSIONS``."""
    return np.median(curves, axis=0) if len(curves) >= LEAST_SESSIONS else None


def begin(
    yesterday: MoodState,
    day: int,
    *,
    usual: Float64Array | None = None,
    stands_in: bool = False,
    counted: BoolArray | None = None,
    settings: FearGreedSettings = DEFAULTS,
) -> Running:
    """Return a day (yyyymmdd) before its first minute.

    Parameters
    ----------
    yesterday : MoodState
        Of a daily fold over the watched symbols up to the session before.
    usual : (381,) float64, optional
        See ``usual_curve``; without it calm is missing.
    stands_in : bool
        The daily fold had no index; the mean of the symbols takes its place here too.
    counted : (n_symbols,) bool, optional
        As in ``MoodInputs``.
    """
    symbols = len(yesterday.crowd)
    if usual is not None and usual.shape != (SESSION_MINUTES,):
        raise ValueError(f"usual must have shape ({SESSION_MINUTES},), got {usual.shape}")
    chosen = np.ones(symbols, np.bool_) if counted is None else counted
    return Running(
        yesterday, day, usual, plain(chosen), rules_of(settings, stands_in=stands_in),
        last_closes(yesterday.crowd), np.zeros(symbols, np.int64),
    )  # fmt: skip


def step(
    running: Running, close: Int64Array, volume: Int64Array, minute: int, quotes: Quotes = NOTHING
) -> tuple[Running, FearGreed]:
    """Fold one minute of all symbols; the ``Running`` given is not changed.

    Parameters
    ----------
    close : (n_symbols,) int64, won
        0 where a symbol has no price yet.
    volume : (n_symbols,) int64, shares
        Of the minute.
    minute : int
        Minute of the session of the bar's start, 380 for the closing auction.

    Returns
    -------
    running : Running
    row : FearGreed
        One row, known at the end of the minute.
    """
    if close.shape != running.closes.shape or volume.shape != running.closes.shape:
        raise DataError(
            Text(ko="분봉의 종목 수가 다릅니다", en="the minute has another number of symbols"),
            expected=str(len(running.closes)),
            found=f"{close.shape}, {volume.shape}",
            next_step=Text(ko="감시 종목으로 다시 시작하세요", en="begin the day with the watched symbols"),
        )
    closes = np.where(close > 0, close, running.closes)
    change = _market_move(running.closes, closes, running.counted)
    seen = running.seen.copy()
    for column, told in (
        (INDEX, quotes.index),
        (IMPLIED, quotes.implied),
        (FOREIGN, quotes.foreign_won),
        (BOND, quotes.bond),
        (DOLLAR, quotes.dollar),
    ):
        if told == told:
            seen[column] = told
    after = Running(
        running.yesterday, running.day, running.usual, running.counted, running.rules,
        closes, running.volumes + volume, seen, running.variance + change * change,
    )  # fmt: skip
    return after, _measured(after, minute)


def _measured(running: Running, minute: int) -> FearGreed:
    volumes = running.volumes[None, :]
    close = plain(running.closes.astype(np.int64)[None, :])
    told = fold_crowd(running.yesterday.crowd.copy(), close, plain(volumes), plain(volumes > 0), running.counted)
    inputs = running.seen.copy()[None, :]
    inputs[0, SPREAD_TODAY] = _NO_CURVE
    if running.usual is not None:
        usual = running.usual[min(max(minute, 0), SESSION_MINUTES - 1)]
        inputs[0, SPREAD_TODAY] = running.variance / usual if usual > 0.0 else _NO_CURVE
    days = np.array([running.day], dtype=np.int32)
    raw, ranks, last = np.empty((1, COUNT)), np.empty((1, COUNT)), np.empty((1, COUNT))
    value, implied = np.empty(1), np.zeros(1, np.bool_)
    market = running.yesterday.market.copy()
    fold_market(market, days, told, inputs, running.rules, raw, ranks, last, value, implied)
    return FearGreed(
        days, value, ranks, raw, last.astype(np.int32), implied, running.rules[WEIGHTS:], bool(running.rules[3])
    )


def fold_day(running: Running, minutes: Panel, quotes: dict[Instant, Quotes] | None = None) -> IntradayMood:
    """Return the index at every minute of one session; ``quotes`` by the instant they were known, a bar's end."""
    known = quotes or {}
    rows = []
    for t, minute in enumerate(session_minutes(minutes).tolist()):
        told = known.get(int(minutes.end[t]), NOTHING)
        running, row = step(running, minutes.close[t], minutes.volume[t], minute, told)
        rows.append(row)
    if not rows:
        raise ValueError("a session has at least one minute")
    return IntradayMood(minutes.end, _together(rows))


def _together(rows: list[FearGreed]) -> FearGreed:
    def whole(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(row, name) for row in rows])

    return FearGreed(
        whole("days"), whole("value"), whole("ranks"), whole("raw"), whole("last_known"), whole("implied"),
        rows[0].weights, rows[0].stands_in,
    )  # fmt: skip
