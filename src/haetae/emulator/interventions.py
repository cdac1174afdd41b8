"""What a script may do to a market: moves, locks, halts, breakers, designations, delistings, corporate actions.

Here: the records, validated, and how the moves change the prints of a day. Each is given to ``World.script``
(through ``Board.script``, which lets nothing happen before now). Not here: what follows from it (``course``,
``world``), fault scripts. Prices are won, moves basis points, instants UTC nanoseconds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

import numpy as np

from haetae.domain.errors import MarketRuleError, Text
from haetae.domain.market import BoolArray, Int64Array, Market
from haetae.domain.units import NS_PER_MINUTE, BasisPoints, Instant, Symbol, Won, day_of, instant_at
from haetae.emulator.grid import Grid

FLAGS = frozenset(
    {"administrative", "liquidation", "caution", "warning", "danger", "unfaithful_disclosure", "short_overheated"}
)
"""Status words that a designation may give or take; a halt is a ``Halt``."""


@dataclass(frozen=True, slots=True)
class Shock:
    """A move that stays: from ``at`` on, ``minutes`` long, ``return_bp`` in all; none means all names.

    With 0 minutes it is a gap from one print to the next.
    """

    at: Instant
    minutes: int
    return_bp: BasisPoints
    symbols: tuple[Symbol, ...] | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """A move of one name from one print to the next, just enough for a dynamic VI."""

    at: Instant
    symbol: Symbol
    upward: bool = True


@dataclass(frozen=True, slots=True)
class Lock:
    """A name trades at its daily limit, and there only, until an instant of the same day (0: its close)."""

    at: Instant
    symbol: Symbol
    upper: bool = True
    until: Instant = 0


@dataclass(frozen=True, slots=True)
class Halt:
    """Trading in a name stops; it resumes through a call auction, or not before the script ends (``until`` 0)."""

    at: Instant
    symbol: Symbol
    until: Instant = 0
    reason: str = "주요사항 공시"


@dataclass(frozen=True, slots=True)
class Break:
    """The circuit breaker of a market trips, whatever its index does; level 1, 2 or 3."""

    at: Instant
    market: Market
    level: int = 1


@dataclass(frozen=True, slots=True)
class Designation:
    """From a day on a name has other status flags."""

    day: dt.date
    symbol: Symbol
    add: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Delisting:
    """A day from which on a name is not listed."""

    day: dt.date
    symbol: Symbol


class ActionKind(Enum):
    """Kinds of corporate actions; the value is the word of the lake's table."""

    SPLIT = "split"
    """액면분할·병합: ``ratio`` new shares for an old one."""
    BONUS = "bonus"
    """무상증자: ``ratio`` further shares for each."""
    RIGHTS = "rights"
    """유상증자: the right to ``ratio`` further shares for each at ``price``."""
    MERGER = "merger"
    """흡수합병: ``ratio`` shares of ``partner`` for each; the name itself leaves the list."""
    DIVIDEND = "dividend"
    """현금배당: ``price`` won a share."""


@dataclass(frozen=True, slots=True)
class Action:
    """A corporate action; ``day`` is the first session without it (권리락일, for a split the day it takes effect).

    ``arrives`` is when new shares or money reach the accounts; the same day where none is given. Base prices
    follow the exchange's formulas: ``P / ratio`` for a split, ``P / (1 + ratio)`` for a bonus issue,
    ``(P + ratio * price) / (1 + ratio)`` for rights; a cash dividend moves no base price (KRX since 1999).
    """

    day: dt.date
    symbol: Symbol
    kind: ActionKind
    ratio: float = 0.0
    price: Won = 0
    arrives: dt.date | None = None
    partner: Symbol = ""

    @property
    def arrival(self) -> dt.date:
        """When holders have what they get."""
        return self.arrives or self.day

    @property
    def shares_factor(self) -> float:
        """Shares outstanding after for one before."""
        match self.kind:
            case ActionKind.SPLIT:
                return self.ratio
            case ActionKind.BONUS | ActionKind.RIGHTS:
                return 1.0 + self.ratio
            case _:
                return 1.0

    def base_after(self, close: float) -> float:
        """Return the base price of the day for the last close before it, not yet on the grid."""
        match self.kind:
            case ActionKind.SPLIT:
                return close / self.ratio
            case ActionKind.BONUS:
                return close / (1.0 + self.ratio)
            case ActionKind.RIGHTS:
                return (close + self.ratio * self.price) / (1.0 + self.ratio)
            case _:
                return close

    @property
    def detail(self) -> str:
        """What it is, in Korean."""
        match self.kind:
            case ActionKind.SPLIT:
                return f"액면분할 1:{self.ratio:g}"
            case ActionKind.BONUS:
                return f"무상증자 1주당 {self.ratio:g}주"
            case ActionKind.RIGHTS:
                return f"유상증자 1주당 {self.ratio:g}주, 발행가 {self.price}원"
            case ActionKind.MERGER:
                return f"흡수합병 1주당 {self.partner} {self.ratio:g}주"
            case ActionKind.DIVIDEND:
                return f"현금배당 1주당 {self.price}원"


Move: TypeAlias = Shock | Trip | Lock
Stop: TypeAlias = Halt | Break
Notice: TypeAlias = Designation | Delisting | Action
Intervention: TypeAlias = Move | Stop | Notice
"""Everything a script may do to a market."""


def first_instant(event: Intervention) -> Instant:
    """Return when an intervention begins; a notice begins before its day does."""
    return instant_at(event.day, 0) if isinstance(event, Designation | Delisting | Action) else event.at


def first_day(event: Intervention) -> dt.date:
    """Return the first day an intervention touches."""
    return day_of(first_instant(event))


def check(event: Intervention, symbols: frozenset[Symbol]) -> None:
    """Refuse what no market could do; raises ``MarketRuleError``."""
    named: tuple[Symbol, ...] = ()
    match event:
        case Shock(symbols=some):
            named = some or ()
            sound = event.minutes >= 0 and -9_500 <= event.return_bp <= 50_000
        case Break():
            sound = event.level in (1, 2, 3)
        case Halt() | Lock():
            named = (event.symbol,)
            sound = event.until == 0 or event.until > event.at
        case Designation():
            named = (event.symbol,)
            sound = event.add | event.drop <= FLAGS and not event.add & event.drop
        case Action():
            named = (event.symbol, *([event.partner] if event.kind is ActionKind.MERGER else []))
            sound = event.arrival >= event.day and _fits(event)
        case Trip() | Delisting():
            named, sound = (event.symbol,), True
    strange = sorted(set(named) - symbols)
    if strange or not sound:
        raise MarketRuleError(
            Text(ko="시장에 일어날 수 없는 일입니다", en="this cannot happen to the market"),
            expected=(
                "listed symbols; minutes >= 0, -9500 <= return_bp <= 50000, level 1-3, an end after the start, "
                f"flags of {', '.join(sorted(FLAGS))}, a ratio (and a price) above 0"
            ),
            found=f"unknown {', '.join(strange)}" if strange else str(event)[:200],
            next_step=Text(ko="값을 고쳐 다시 시도하세요", en="mend the values and try again"),
        )


def _fits(action: Action) -> bool:
    if action.kind is ActionKind.DIVIDEND:
        return action.price > 0
    return action.ratio > 0 and (action.kind is not ActionKind.RIGHTS or action.price > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """The prints of a day that moves are put into: ``(n_rows, n_symbols)``, changed in place."""

    start: Int64Array
    end: Int64Array
    price: Int64Array
    volume: Int64Array
    lower: Int64Array
    upper: Int64Array
    listed: BoolArray
    grid: Grid


def put_shock(canvas: Canvas, shock: Shock, columns: Int64Array) -> None:
    """Shift prices inside the limits from the shock on; volume swells while it lasts and stays higher."""
    span = max(1, shock.minutes * NS_PER_MINUTE)
    done = np.clip((canvas.end - shock.at) / span, 0.0, 1.0)
    if shock.minutes == 0:
        done = (canvas.end > shock.at).astype(float)
    later = np.flatnonzero(canvas.end > shock.at)
    mine = columns[canvas.listed[columns]]
    if not len(later) or not len(mine):
        return
    block = np.ix_(later, mine)
    factor = np.exp(np.log1p(shock.return_bp / 10_000) * done[later])[:, None]
    full = np.zeros((len(later), len(canvas.lower)))
    full[:, mine] = canvas.price[block] * factor
    moved = canvas.grid.nearest(full)[:, mine]
    canvas.price[block] = np.clip(moved, canvas.lower[mine], canvas.upper[mine])
    during = canvas.start[later] < shock.at + span
    volume = canvas.volume[block]
    canvas.volume[block] = np.where(during[:, None], volume * 5, volume * 3 // 2)


def put_trip(canvas: Canvas, trip: Trip, column: int, rate_bp: BasisPoints) -> None:
    """Gap one name by a little more than its dynamic rate; the row of the gap prints for certain."""
    row = int(np.searchsorted(canvas.end, trip.at, side="right"))
    if row >= len(canvas.end):
        return
    size = rate_bp + 60
    put_shock(canvas, Shock(trip.at, 0, size if trip.upward else -size), np.array([column]))
    canvas.volume[row, column] = max(int(canvas.volume[row, column]), 10)


def put_lock(canvas: Canvas, lock: Lock, column: int) -> None:
    """Hold one name at its limit: little trades, and all of it there."""
    rows = (canvas.end > lock.at) & (canvas.start < lock.until if lock.until else True)
    edge = canvas.upper if lock.upper else canvas.lower
    canvas.price[rows, column] = edge[column]
    thin = canvas.volume[rows, column] // 20
    canvas.volume[rows, column] = np.where(canvas.volume[rows, column] > 0, np.maximum(thin, 1), 0)
