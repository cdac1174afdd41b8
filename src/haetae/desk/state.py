"""The state of the desk: a value, replaced by every step, holding nothing that is not a fold of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from haetae.desk.settings import DeskSettings
from haetae.domain.account import Book
from haetae.domain.decisions import Brief, FloatArray
from haetae.domain.events import OperatorState, SessionStart
from haetae.domain.learning import Lesson
from haetae.domain.market import Int64Array, Phase
from haetae.domain.panel import Panel
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.execution import Blotter
from haetae.features import minute
from haetae.guards import EscapeState, Sent, open_escape


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """What the desk remembers of the market, per symbol of the session.

    Attributes
    ----------
    fold : (n_symbols, width) float64
        State of the minute features.
    features : (n_symbols, n_features) float32
        Newest values, NaN where a look-back is not filled.
    last, lower, upper : (n_symbols,) int64, won
        Last price (base price before the first trade) and the day's limits (0 where no base is known).
    prices, volume, traded_at, turnover :
        The same by symbol: won, shares today, end of the newest bar with a trade, won traded today.
    price_at : end of the newest slice, 0 before the first.
    """

    symbols: tuple[Symbol, ...]
    fold: minute.State
    features: FloatArray
    last: Int64Array
    lower: Int64Array
    upper: Int64Array
    prices: Mapping[Symbol, Won] = field(default_factory=dict)
    volume: Mapping[Symbol, Shares] = field(default_factory=dict)
    turnover: Mapping[Symbol, Won] = field(default_factory=dict)
    traded_at: Mapping[Symbol, Instant] = field(default_factory=dict)
    price_at: Instant = 0


@dataclass(frozen=True, slots=True)
class Day:
    """Counts and yardsticks of the session."""

    opening_equity: Won = 0
    opening_bought: Won = 0
    opening_sold: Won = 0
    sent: tuple[Sent, ...] = ()
    commands: int = 0
    planned: frozenset[str] = frozenset()
    losing_intents: frozenset[str] = frozenset()
    lost_symbols: frozenset[Symbol] = frozenset()
    new_names: frozenset[Symbol] = frozenset()
    closed: bool = False
    """The day's loss limit was reached: nothing is bought any more, leaving goes on."""


@dataclass(frozen=True, slots=True)
class Account:
    """What the last comparison with the broker said."""

    reconciled: bool = False
    frozen: frozenset[Symbol] = frozenset()
    gap_ppm: int = 0
    snapshot_at: Instant = 0
    asked_at: Instant = 0
    retries: int = 0
    readings: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class DeskState:
    """Everything the desk knows; see the fields' own types.

    ``asked`` holds the briefs that wait for a reply, by leg. ``leave`` says how many shares of a name
    may stay while the escape works. ``policy_id`` is that of the newest proposal.
    """

    settings: DeskSettings
    book: Book
    operator: OperatorState
    tape: Tape
    escape: EscapeState
    lessons: tuple[Lesson, ...] = ()
    session: SessionStart | None = None
    phase: Phase = Phase.CLOSED
    blotter: Blotter = field(default_factory=Blotter)
    asked: Mapping[str, Brief] = field(default_factory=dict)
    leave: Mapping[Symbol, Shares] = field(default_factory=dict)
    escape_tries: Mapping[Symbol, int] = field(default_factory=dict)
    halted: frozenset[Symbol] = frozenset()
    excess: bool = False
    peak_equity: Won = 0
    day: Day = field(default_factory=Day)
    account: Account = field(default_factory=Account)

    @property
    def held(self) -> Mapping[Symbol, Shares]:
        """Shares held by symbol."""
        return {symbol: position.quantity for symbol, position in self.book.positions.items()}

    def price(self, symbol: Symbol) -> Won:
        """Return the last price; the average cost where the symbol has none (not in the session)."""
        found = self.tape.prices.get(symbol, 0)
        if found > 0:
            return found
        position = self.book.positions.get(symbol)
        return position.average_price if position else 0

    @property
    def equity(self) -> Won:
        """Trade-date cash plus holdings at last prices."""
        return self.book.cash + sum(p.quantity * self.price(symbol) for symbol, p in self.book.positions.items())


def open_desk(settings: DeskSettings, book: Book, lessons: tuple[Lesson, ...] = ()) -> DeskState:
    """Return a desk before its first session; ``lessons`` are the ones in force."""
    none = np.zeros(0, np.int64)
    tape = Tape(
        symbols=(),
        fold=minute.init_state(0),
        features=np.zeros((0, len(minute.NAMES)), np.float32),
        last=none,
        lower=none,
        upper=none,
    )
    return DeskState(settings, book, settings.start_state, tape, open_escape(0), lessons)


def warm(state: DeskState, panel: Panel) -> DeskState:
    """Return the desk having seen the minutes of earlier sessions, for features and usual volatility.

    ``panel`` holds whole sessions before the next one, ascending. Nothing is decided on them.
    """
    if not len(panel):
        return state
    fold, values = minute.fold(minute.init_state(len(panel.symbols)), panel, minute.session_minutes(panel))
    closes = panel.close.astype(np.float64)
    same_day = (panel.days[1:] == panel.days[:-1])[:, None] & (closes[:-1] > 0.0)
    change = np.abs(np.divide(closes[1:], closes[:-1], out=np.ones_like(closes[1:]), where=same_day) - 1.0)
    counted = same_day.sum(axis=1)
    moves = (change.sum(axis=1)[counted > 0] / counted[counted > 0]).astype(np.float32)
    last = panel.close[-1].copy()
    tape = replace(
        state.tape,
        symbols=panel.symbols,
        fold=fold,
        features=values[-1],
        last=last,
        lower=np.zeros_like(last),
        upper=np.zeros_like(last),
        prices=dict(zip(panel.symbols, last.tolist(), strict=True)),
    )
    memory = state.settings.escape.memory
    return replace(state, tape=tape, escape=replace(state.escape, moves=moves[-memory:]))
