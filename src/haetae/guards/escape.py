"""The volatility escape: four levels with hysteresis over the whole universe, and one exit per name.

A fold over closed minutes. The market's move is the equal-weight return of the universe over a short
window; its volatility is the mean absolute minute return over the window beside its usual value (the
median of the last hours, or what the session brought). Levels rise at once and fall one step after
``calm_minutes`` of calm. A fall of one name alone takes that name out for the day.

Nothing here waits for an agent, and nothing here sends: the desk acts on the level.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from haetae.domain.decisions import FloatArray
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.records import made_often
from haetae.guards.moves import measure, usual_ratio
from haetae.guards.settings import EscapeSettings


class EscapeLevel(IntEnum):
    """How far the desk has withdrawn."""

    NORMAL = 0
    NO_BUYS = 1
    REDUCE = 2
    EXIT_ALL = 3


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class EscapeState:
    """Where the escape stands.

    Attributes
    ----------
    closes : (<= window + 1, n_symbols) int64, won
        Newest closes of the session, oldest first.
    moves : (<= memory,) float32
        Mean absolute minute returns of the universe, newest last; they outlive the session.
    prior : float
        Usual mean absolute minute return the session brought, 0 if none.
    exiting : (n_symbols,) bool
        Names that fell alone today; ``fallen`` is how many.
    """

    level: EscapeLevel
    calm: int
    closes: Int64Array
    moves: FloatArray
    prior: float
    exiting: BoolArray
    fallen: int = 0
    exits: int = 0
    market_bp: float = 0.0
    ratio: float = field(default=1.0)


def open_escape(n_symbols: int) -> EscapeState:
    """Return the state before any bar."""
    return EscapeState(
        level=EscapeLevel.NORMAL,
        calm=0,
        closes=np.zeros((0, n_symbols), np.int64),
        moves=np.zeros(0, np.float32),
        prior=0.0,
        exiting=np.zeros(n_symbols, np.bool_),
    )


def start_session(state: EscapeState, n_symbols: int, usual_volatility: float) -> EscapeState:
    """Return the state for a new day; the usual volatility of earlier minutes is kept.

    Parameters
    ----------
    usual_volatility : mean over symbols of the standard deviation of minute returns, 0 if not known.
    """
    prior = 0.8 * usual_volatility  # a normal variable's mean absolute value is 0.8 of its deviation
    return replace(open_escape(n_symbols), moves=state.moves, prior=prior)


def observe(state: EscapeState, closes: Int64Array, traded: BoolArray, settings: EscapeSettings) -> EscapeState:
    """Return the state after one closed minute.

    Parameters
    ----------
    closes : (n_symbols,) int64, won; not positive where there is no price yet.
    traded : (n_symbols,) bool
    """
    kept = min(len(state.closes), settings.window)
    window = np.empty((kept + 1, len(closes)), np.int64)
    window[:kept] = state.closes[len(state.closes) - kept :]
    window[kept] = closes
    if kept == 0:
        return replace(state, closes=window)
    exiting = state.exiting.copy()
    market_bp, move, fallen = measure(
        window, traded.copy(), exiting, settings.symbol_minute_bp, settings.symbol_window_bp
    )
    older = min(len(state.moves), settings.memory - 1)
    moves = np.empty(older + 1, np.float32)
    moves[:older] = state.moves[len(state.moves) - older :]
    moves[older] = move
    ratio = usual_ratio(moves, settings.window, state.prior, settings.arm_after, settings.floor)
    level, calm, exits = _next_level(state, market_bp, ratio, settings)
    return EscapeState(level, calm, window, moves, state.prior, exiting, fallen, exits, market_bp, ratio)


def _next_level(
    state: EscapeState, market_bp: float, ratio: float, settings: EscapeSettings
) -> tuple[EscapeLevel, int, int]:
    asked = EscapeLevel(sum(1 for trigger in settings.market_bp if market_bp <= trigger))
    if ratio >= settings.volatility_ratio[0]:
        asked = max(asked, EscapeLevel.NO_BUYS)
    if ratio >= settings.volatility_ratio[1] and market_bp <= settings.falling_bp:
        asked = max(asked, EscapeLevel.REDUCE)
    if asked > state.level:
        return asked, 0, state.exits + (asked is EscapeLevel.EXIT_ALL)
    quiet = ratio < settings.calm_ratio and market_bp > settings.calm_bp
    calm = state.calm + 1 if quiet else 0
    floor = EscapeLevel.NO_BUYS if state.exits >= settings.exits_per_day else EscapeLevel.NORMAL
    if calm >= settings.calm_minutes and state.level > floor:
        return EscapeLevel(state.level - 1), 0, state.exits
    return state.level, calm, state.exits
