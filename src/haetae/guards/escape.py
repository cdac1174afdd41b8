"""The volatility escape: four levels with hysteresis over the whole market, and exits of single names.

A fold over closed minutes (``observe``), readings of the market as a whole (``heed``) and glances at prices between two
minutes (``glimpse``). Levels rise at once, by whatever of the three; they fall at a minute's end alone, one step after
``calm_minutes`` of calm. Out of reduce and exit_all the universe must also stand ``rearm_bp`` above where it triggered.
Which figures ask for which level is in `asking`.

What it measures begins with the session: the gap of the open is the day's loss limit's affair. Nothing here waits for
an agent, and nothing here sends: the desk acts on the level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from haetae.domain.decisions import FloatArray
from haetae.domain.events import Glance, MarketReading, UsualMoves
from haetae.domain.market import BoolArray, Int64Array
from haetae.domain.records import made_often
from haetae.domain.units import NS_PER_MINUTE, Instant
from haetae.guards.asking import CALM_MARKET, EscapeLevel, Figures, asked_of, indices_of, is_quiet
from haetae.guards.escape_settings import EscapeSettings
from haetae.guards.moves import (
    CALM_MINUTES,
    CALM_X100,
    FALLING_BP,
    FLOOR_PPM,
    MINUTE_BP,
    MOST,
    NAME_ROWS,
    OUT,
    RATIO_X100,
    REARM_BP,
    RULES,
    WINDOW_BP,
    confirmed,
    glance_at,
    measure,
    spans_of,
    usual_ratio,
)

_NOTHING = np.zeros(0, np.int64)


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class EscapeState:
    """Where the escape stands.

    Attributes
    ----------
    why : what asked for the newest rise (``universe``, ``index``, ``volatility``, ``vkospi``, ``fear``).
    closes : (<= window + 1, n_symbols) int64, won
        Newest closes of the session, oldest first.
    moves : (<= memory,) float32
        Mean absolute minute returns of the universe, newest last; they outlive the session.
    prior : float
        Usual mean absolute minute return the session brought, 0 if none.
    names : (5, n_symbols) int64
        What is known of each name, see `moves`; ``fallen`` is how many are out.
    rule : (9,) int64
        What is asked of one name: the settings as the kernels take them, empty before the first minute.
    market, trigger : float
        The universe's level, 1 at the first close, chained by mean minute returns; and where it stood when reduce or
        exit_all was raised, 0 below them.
    usual : what earlier sessions did at each minute, none where that is not known; columns as the session's symbols.
    marks : readings of the market as a whole within the window, oldest first.
    mood : fear & greed of the close before, NaN where it is not known.
    """

    level: EscapeLevel
    calm: int
    closes: Int64Array
    moves: FloatArray
    prior: float
    names: Int64Array
    rule: Int64Array
    fallen: int = 0
    exits: int = 0
    why: str = ""
    figures: Figures = CALM_MARKET
    market: float = 1.0
    trigger: float = 0.0
    usual: UsualMoves | None = None
    marks: tuple[MarketReading, ...] = ()
    mood: float = float("nan")

    @property
    def exiting(self) -> BoolArray:
        """Names that are out now, ``(n_symbols,)``."""
        return self.names[OUT] > 0

    @property
    def market_bp(self) -> float:
        """Mean return of the universe over the window."""
        return self.figures.market_bp

    @property
    def ratio(self) -> float:
        """Realised over usual volatility."""
        return self.figures.ratio


def open_escape(n_symbols: int) -> EscapeState:
    """Return the state before any bar."""
    return EscapeState(
        level=EscapeLevel.NORMAL,
        calm=0,
        closes=np.zeros((0, n_symbols), np.int64),
        moves=np.zeros(0, np.float32),
        prior=0.0,
        names=np.zeros((NAME_ROWS, n_symbols), np.int64),
        rule=_NOTHING,
    )


def start_session(
    state: EscapeState,
    n_symbols: int,
    usual_volatility: float,
    *,
    usual: UsualMoves | None = None,
    mood: float = float("nan"),
) -> EscapeState:
    """Return the state for a new day: every level and every name begins anew, earlier minutes' volatility is kept.

    Parameters
    ----------
    usual_volatility : mean over symbols of the standard deviation of minute returns, 0 if not known.
    usual : what earlier sessions did at each minute, its names as the session's.
    mood : fear & greed of the close before.
    """
    prior = 0.8 * usual_volatility  # a normal variable's mean absolute value is 0.8 of its deviation
    return replace(open_escape(n_symbols), moves=state.moves, prior=prior, usual=usual, mood=mood)


def name_rule(settings: EscapeSettings) -> Int64Array:
    """Return what is asked of one name, as the kernels take it."""
    rule = np.zeros(RULES, np.int64)
    rule[MINUTE_BP], rule[WINDOW_BP] = settings.symbol_minute_bp, settings.symbol_window_bp
    rule[FALLING_BP], rule[RATIO_X100] = settings.symbol_falling_bp, round(settings.symbol_ratio * 100)
    rule[FLOOR_PPM], rule[MOST] = settings.symbol_floor_ppm, settings.escapes_per_symbol
    rule[CALM_MINUTES], rule[CALM_X100] = settings.calm_minutes, round(settings.calm_ratio * 100)
    rule[REARM_BP] = settings.rearm_bp
    rule.flags.writeable = False
    return rule


def observe(
    state: EscapeState,
    closes: Int64Array,
    traded: BoolArray,
    settings: EscapeSettings,
    *,
    minute: int = -1,
    end: Instant = 0,
) -> EscapeState:
    """Return the state after one closed minute.

    Parameters
    ----------
    closes : (n_symbols,) int64, won; not positive where there is no price yet.
    traded : (n_symbols,) bool
    minute : number of the minute in the session, for what is usual then; -1 where it does not matter.
    end : when the minute ended; readings of the market older than the window count no more.
    """
    kept = min(len(state.closes), settings.window)
    window = np.empty((kept + 1, len(closes)), np.int64)
    window[:kept] = state.closes[len(state.closes) - kept :]
    window[kept] = closes
    if kept == 0:
        return replace(state, closes=window, rule=name_rule(settings))
    usual, at_once = state.usual, 0.0
    names, of_names = state.names.copy(), _NOTHING
    if usual is not None and usual.window == settings.window and 0 <= minute < len(usual.market):
        of_names, at_once = usual.names[minute], float(usual.market[minute]) / 1e6
    market_bp, middle_bp, drift, move, fallen = measure(window, traded, names, of_names, state.rule)
    older = min(len(state.moves), settings.memory - 1)
    moves = np.empty(older + 1, np.float32)
    moves[:older] = state.moves[len(state.moves) - older :]
    moves[older] = move
    ratio = usual_ratio(moves, settings.window, at_once, state.prior, settings.arm_after, settings.floor)
    marks = state.marks
    if marks and end - marks[-1].at > settings.window * NS_PER_MINUTE:
        marks = ()
    figures = Figures(market_bp, middle_bp, *indices_of(marks), ratio, _mood(state.mood, marks))
    market = state.market * (1.0 + drift)
    level, why, calm, exits, trigger = _next(state, figures, market, settings, is_over=True)
    return EscapeState(
        level, calm, window, moves, state.prior, names, state.rule, fallen, exits, why, figures, market, trigger, usual,
        marks, state.mood,
    )  # fmt: skip


def heed(state: EscapeState, reading: MarketReading, settings: EscapeSettings) -> EscapeState:
    """Return the state after a reading of the market as a whole; one without an index, or older, changes nothing."""
    if reading.index_x100 <= 0 or (state.marks and reading.at <= state.marks[-1].at):
        return state
    since = reading.at - settings.window * NS_PER_MINUTE
    marks = (*(mark for mark in state.marks if mark.at >= since), reading)
    old = state.figures
    figures = Figures(old.market_bp, old.middle_bp, *indices_of(marks), old.ratio, _mood(state.mood, marks))
    level, why, calm, exits, trigger = _next(state, figures, state.market, settings, is_over=False)
    return replace(
        state, level=level, why=why, calm=calm, exits=exits, trigger=trigger, figures=figures, marks=marks
    )  # fmt: skip


def glimpse(state: EscapeState, glance: Glance, settings: EscapeSettings) -> EscapeState:
    """Return the state after a glance: as if its prices closed the minute that runs, save that nothing calms down.

    Parameters
    ----------
    glance : columns as the session's symbols; prices that cannot be are 0.
    """
    names, window = state.names.copy(), state.closes
    first = max(0, len(window) - settings.window)
    rule = state.rule if len(state.rule) else name_rule(settings)
    fallen = glance_at(window, first, glance.last, glance.before, glance.ago, names, rule)
    if not len(window):
        return replace(state, names=names, fallen=fallen)
    prices = confirmed(glance.last, glance.before, window[-1])
    market_bp, middle_bp, drift = spans_of(window, prices, first)
    figures = state.figures._replace(market_bp=market_bp, middle_bp=middle_bp)
    level, why, calm, exits, trigger = _next(state, figures, state.market * (1.0 + drift), settings, is_over=False)
    return replace(
        state,
        level=level,
        why=why,
        calm=calm,
        exits=exits,
        trigger=trigger,
        figures=figures,
        names=names,
        fallen=fallen,
    )


def _mood(of_close: float, marks: tuple[MarketReading, ...]) -> float:
    """Return the newest fear & greed there is."""
    running = marks[-1].fear_greed if marks else None
    return of_close if running is None else running


def _next(
    state: EscapeState, figures: Figures, market: float, settings: EscapeSettings, *, is_over: bool
) -> tuple[EscapeLevel, str, int, int, float]:
    """Return level, cause, calm minutes, exits and trigger after new figures; ``is_over`` says that a minute is."""
    asked, why = asked_of(figures, settings)
    if asked > state.level:
        trigger = market if asked >= EscapeLevel.REDUCE else 0.0
        return asked, why, 0, state.exits + (asked is EscapeLevel.EXIT_ALL), trigger
    if not is_over:
        return state.level, state.why, state.calm, state.exits, state.trigger
    calm = state.calm + 1 if is_quiet(figures, settings) else 0
    floor = EscapeLevel.NO_BUYS if state.exits >= settings.exits_per_day else EscapeLevel.NORMAL
    above = state.level < EscapeLevel.REDUCE or market >= state.trigger * (1.0 + settings.rearm_bp / 10_000)
    if calm >= settings.calm_minutes and above and state.level > max(floor, asked):
        lower = EscapeLevel(state.level - 1)
        return lower, state.why, 0, state.exits, state.trigger if lower >= EscapeLevel.REDUCE else 0.0
    return state.level, state.why, calm, state.exits, state.trigger
