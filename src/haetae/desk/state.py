"""The state of the desk: a value, replaced by every step, holding nothing that is not a fold of events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from haetae.desk.exits import Exit
from haetae.desk.settings import DeskSettings
from haetae.desk.tape import Tape, blank_tape, warmed
from haetae.domain.account import Book
from haetae.domain.decisions import Brief
from haetae.domain.events import AccountSnapshot, MarketReading, OperatorState, SessionStart, Vitals
from haetae.domain.learning import Lesson
from haetae.domain.market import Int64Array, Phase
from haetae.domain.orders import Order
from haetae.domain.panel import Panel
from haetae.domain.records import made_often
from haetae.domain.units import Instant, Shares, Symbol, Won
from haetae.execution import NOTHING_KNOWN, Blotter, Difference, Known, carried
from haetae.guards import EscapeState, Traffic, open_escape


@dataclass(frozen=True)  # without slots, like all that a turn copies: copying a dictionary costs least
class Day:
    """Counts and yardsticks of the session."""

    opening_equity: Won = 0
    opening_bought: Won = 0
    opening_sold: Won = 0
    sent: Traffic = field(default_factory=Traffic)
    commands: int = 0
    planned: frozenset[str] = frozenset()
    losing_intents: frozenset[str] = frozenset()
    lost_symbols: frozenset[Symbol] = frozenset()
    new_names: frozenset[Symbol] = frozenset()
    tainted: frozenset[Symbol] = frozenset()
    """Names whose decision context was flagged as steered: not bought any more today."""
    resumed: Mapping[Symbol, Instant] = field(default_factory=dict)
    """When a halt or an interruption of a name ended last."""
    closed: bool = False
    """The day's loss limit was reached: nothing is bought any more, leaving goes on."""
    revoked: bool = False
    """The drawdown limit was reached and told: whoever trades real money withdraws the permit."""


@dataclass(frozen=True)
class Account:
    """What the last comparison with the broker said.

    Attributes
    ----------
    reconciled : whether nothing was open in it.
    clean_at : instant of the newest comparison in which nothing was open, 0 before the first.
    gate : what it lets the desk do, whatever the operator allows: HALT before the first and while something is
        unexplained.
    frozen : names of which nothing is bought: the broker's figures differ, or an order's fate is not known.
    shut : names frozen to the end of the day: an order of theirs was given up to a person, or came back from the dead.
    asked_at, due_at : when a reading was last asked for, and when the next planned one is due.
    last : the newest reading; ``known`` and ``differences`` what came of it.
    agreed_turnover : won bought and sold up to when cash last agreed to the won.
    """

    reconciled: bool = False
    clean_at: Instant = 0
    gate: OperatorState = OperatorState.HALT
    frozen: frozenset[Symbol] = frozenset()
    shut: frozenset[Symbol] = frozenset()
    gap_ppm: int = 0
    short_cash: Won = 0
    """How much less orderable cash the newest reading showed than our books, open buys set aside."""
    short_shares: Mapping[Symbol, Shares] = field(default_factory=dict)
    """How many shares of a name fewer it showed; names that fit are not listed."""
    snapshot_at: Instant = 0
    asked_at: Instant = 0
    due_at: Instant = 0
    retries: int = 0
    known: Known = NOTHING_KNOWN
    differences: tuple[Difference, ...] = ()
    last: AccountSnapshot | None = None
    agreed_turnover: Won = 0
    sellable: Mapping[Symbol, Shares] = field(default_factory=dict)
    """What the newest reading says may be sold, without names of which an order event came since."""


@made_often
@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A book beside a tape: worked out once for the two, and believed for no other.

    Attributes
    ----------
    shares : (n_symbols,) int64
        Shares held in the order of the tape's symbols.
    equity : won
        Trade-date cash plus holdings at last prices.
    held : the same by symbol, without empty rows.
    elsewhere : whether a position is in a name the session does not list.
    """

    book: Book
    tape: Tape
    shares: Int64Array
    held: Mapping[Symbol, Shares]
    equity: Won
    elsewhere: bool


def standing_of(book: Book, tape: Tape, before: Standing | None = None) -> Standing:
    """Return how a book stands beside a tape; shares are taken from ``before`` where they are the same."""
    if before is not None and before.book.positions is book.positions and before.tape.symbols is tape.symbols:
        shares, held, elsewhere = before.shares, before.held, before.elsewhere
    else:
        held = {symbol: position.quantity for symbol, position in book.positions.items()}
        shares, elsewhere = np.zeros(len(tape.symbols), np.int64), False
        for symbol, quantity in held.items():
            if symbol in tape.places:
                shares[tape.places[symbol]] = quantity
            else:
                elsewhere = True
        shares.flags.writeable = False
    if tape.unpriced or elsewhere:
        worth = sum(p.quantity * _price(book, tape, symbol) for symbol, p in book.positions.items())
    else:
        worth = int(shares @ tape.last)
    return Standing(book, tape, shares, held, book.cash + worth, elsewhere)


def _price(book: Book, tape: Tape, symbol: Symbol) -> Won:
    found = tape.prices.get(symbol, 0)
    if found > 0:
        return found
    position = book.positions.get(symbol)
    return position.average_price if position else 0


@dataclass(frozen=True, eq=False)
class DeskState:
    """Everything the desk knows; see the fields' own types.

    ``asked`` holds the briefs that wait for a reply, by leg. ``leave`` says how many shares of a name
    may stay while the escape works, ``exits`` how each of them is being left, ``escape_due`` when the escape's timer
    fires, 0 while none is set; ``refused`` when a cancel was refused last, by intent. ``policy_id`` is that of the
    newest proposal.
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
    exits: Mapping[Symbol, Exit] = field(default_factory=dict)
    escape_due: Instant = 0
    refused: Mapping[str, Instant] = field(default_factory=dict)
    halted: frozenset[Symbol] = frozenset()
    excess: bool = False
    peak_equity: Won = 0
    week: dt.date | None = None
    """Monday of the session's week, and the equity at its first opening."""
    week_equity: Won = 0
    day: Day = field(default_factory=Day)
    account: Account = field(default_factory=Account)
    vitals: Vitals | None = None
    reading: MarketReading | None = None
    known: Standing | None = None
    latched: bool = False
    """Whether a person set the operator's state; where it is only the desk's start, a clean comparison opens it."""

    @property
    def standing(self) -> Standing:
        """Shares and equity as the tape has them."""
        known = self.known
        if known is not None and known.book is self.book and known.tape is self.tape:
            return known
        return standing_of(self.book, self.tape)

    @property
    def held(self) -> Mapping[Symbol, Shares]:
        """Shares held by symbol."""
        return self.standing.held

    def price(self, symbol: Symbol) -> Won:
        """Return the last price; the average cost where the symbol has none (not in the session)."""
        return _price(self.book, self.tape, symbol)

    @property
    def equity(self) -> Won:
        """Trade-date cash plus holdings at last prices."""
        return self.standing.equity


def open_desk(
    settings: DeskSettings,
    book: Book,
    lessons: tuple[Lesson, ...] = (),
    *,
    unsettled: tuple[Order, ...] = (),
    agreed_turnover: Won | None = None,
) -> DeskState:
    """Return a desk before its first session.

    Parameters
    ----------
    lessons : the ones in force.
    unsettled : orders of the day before whose fate is not known yet.
    agreed_turnover : won
        Turnover of the books up to which the broker's cash agreed; all of it where nothing else is known.
    """
    tape = blank_tape(settings.minute_history, settings.daily_history)
    agreed = book.bought + book.sold if agreed_turnover is None else agreed_turnover
    return DeskState(
        settings,
        book,
        settings.start_state,
        tape,
        open_escape(0),
        lessons,
        blotter=carried(unsettled),
        account=Account(agreed_turnover=agreed),
    )


def warm(state: DeskState, panel: Panel, daily: Panel | None = None) -> DeskState:
    """Return the desk having seen earlier sessions: features, usual volatility, and what a view looks back on.

    Parameters
    ----------
    panel : whole sessions of minutes before the next one, ascending. Nothing is decided on them.
    daily : sessions before the next one, ascending; none leaves the view's sessions as they are.
    """
    tape, moves = warmed(state.tape, panel, daily)
    if not len(panel):
        return replace(state, tape=tape)
    return replace(state, tape=tape, escape=replace(state.escape, moves=moves[-state.settings.escape.memory :]))
