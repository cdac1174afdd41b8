"""A trading day around the desk in one process: seeded minutes, the simulated exchange, offline rules.

The loop is the one of the floor plan; every test that needs a whole day uses it.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from haetae import agent
from haetae.desk import DeskSettings, DeskState, open_desk, step
from haetae.domain.decisions import AgentReply, Brief, Proposal, View
from haetae.domain.events import (
    AccountSnapshot,
    AskAgent,
    AskPolicy,
    Cancel,
    Command,
    DeskEvent,
    Replace,
    SessionStart,
    SetTimer,
    Submit,
)
from haetae.domain.market import Instrument, Kind, Market, Slice
from haetae.domain.units import Instant
from haetae.guards import Limits
from haetae.krx import Rulebook
from haetae.ledger import open_book
from haetae.sim import FillModel, Venue, accept, close_day, open_venue
from haetae.sim import step as market_step

DAY = dt.date(2026, 11, 23)
CASH = 100_000_000


def codes(count: int) -> tuple[str, ...]:
    """Symbols of a test market."""
    return tuple(f"{100 + 10 * n:06d}" for n in range(count))


def session_start(symbols: tuple[str, ...], day: dt.date = DAY, base: int = 50_000) -> SessionStart:
    """A morning: every name at one base price, two sectors apart, liquid."""
    rules = Rulebook.on(day)
    return SessionStart(
        at=rules.session.orders_from,
        symbols=symbols,
        base_prices=dict.fromkeys(symbols, base),
        scores={symbol: n / len(symbols) for n, symbol in enumerate(symbols)},
        tradable=frozenset(symbols),
        fear_greed=55.0,
        markets={symbol: ("KOSPI" if n % 2 else "KOSDAQ") for n, symbol in enumerate(symbols)},
        sectors={symbol: f"{n % 10:02d}" for n, symbol in enumerate(symbols)},
        average_turnover=dict.fromkeys(symbols, 30_000_000_000),
    )


def instruments(symbols: tuple[str, ...], base: int = 50_000) -> dict[str, Instrument]:
    """The listed names of the test market."""
    return {
        symbol: Instrument(
            symbol, symbol, Market.KOSPI if n % 2 else Market.KOSDAQ, Kind.COMMON, dt.date(2000, 1, 4), base, 10**8
        )
        for n, symbol in enumerate(symbols)
    }


def minutes(
    symbols: tuple[str, ...],
    rng: np.random.Generator,
    *,
    day: dt.date = DAY,
    base: int = 50_000,
    count: int = 381,
    volatility: float = 0.0008,
    shock: tuple[int, int, float] | None = None,
) -> list[Slice]:
    """Seeded minutes on the tick grid; ``shock`` is (first minute, length, total return) of all names."""
    rules = Rulebook.on(day)
    starts, ends = rules.session.minute_edges()
    size = len(symbols)
    moves = rng.normal(0.0, volatility, (count, size))
    if shock:
        first, length, total = shock
        moves[first : first + length] += np.log1p(total) / length
    path = base * np.exp(np.cumsum(moves, axis=0))
    lower, upper = rules.price_limits(base)
    tick = rules.tick_size(base // 2)
    close = np.clip((path // tick * tick).astype(np.int64), -(-lower // tick) * tick, upper // tick * tick)
    close = np.vectorize(rules.floor_tick)(close)
    opens = np.vstack([np.full((1, size), base, np.int64), close[:-1]])
    high = np.maximum(opens, close)
    low = np.minimum(opens, close)
    volume = rng.integers(2_000, 20_000, (count, size))
    traded = np.ones((count, size), np.bool_)
    return [
        Slice(int(starts[t]), int(ends[t]), symbols, opens[t], high[t], low[t], close[t], volume[t], traded[t])
        for t in range(count)
    ]


def offline(brief: Brief, at: Instant) -> AgentReply:
    """The default decider."""
    return AgentReply(brief.leg.leg_id, at, agent.DECIDER, agent.answer(brief))


def top_names(count: int = 10, weight: float = 0.04) -> Callable[[View], Proposal]:
    """A policy that wants the ``count`` best-scored names, changing with the hour."""

    def propose(view: View) -> Proposal:
        hour = int(view.at // 3_600_000_000_000)
        order = np.argsort(-np.roll(view.scores, hour % len(view.symbols)), kind="stable")
        wanted = {view.symbols[n] for n in order[:count].tolist()}
        targets = {s: (weight if s in wanted else 0.0) for s in view.symbols}
        scores = dict(zip(view.symbols, [float(v) for v in view.scores], strict=True))
        return Proposal(f"P{view.at}", view.at, "top-names-1", targets, scores)

    return propose


@dataclass
class DeskDay:
    """The loop: events in order, commands performed, everything remembered."""

    desk: DeskState
    venue: Venue
    rules: Rulebook
    policy: Callable[[View], Proposal] = field(default_factory=top_names)
    decider: Callable[[Brief, Instant], AgentReply | None] = offline
    snapshots: bool = True
    events: list[DeskEvent] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)

    def feed(self, *events: DeskEvent) -> tuple[Command, ...]:
        """Give events to the desk and perform what it asks until nothing is left."""
        queue = deque(events)
        made: list[Command] = []
        while queue:
            event = queue.popleft()
            self.events.append(event)
            self.desk, commands = step(self.desk, event, self.rules)
            self.commands += commands
            made += commands
            at = event.end if isinstance(event, Slice) else event.at
            for command in commands:
                match command:
                    case AskPolicy(view=view):
                        queue.append(self.policy(view))
                    case AskAgent(brief=brief):
                        reply = self.decider(brief, at)
                        if reply is not None:
                            queue.append(reply)
                    case Submit() | Cancel() | Replace():
                        self.venue, replies = accept(self.venue, command, at)
                        queue.extend(replies)
                    case SetTimer(name="reconcile") if self.snapshots:
                        queue.append(self.snapshot(at))
                    case _:
                        pass
        return tuple(made)

    def snapshot(self, at: Instant) -> AccountSnapshot:
        """What the simulated broker says now."""
        orders = tuple(order.report() for order in self.venue.orders.values())
        holdings = {symbol: n for symbol, n in self.venue.holdings.items() if n}
        return AccountSnapshot(at, self.venue.cash, self.venue.orderable_cash, holdings, orders)

    def minute(self, piece: Slice) -> tuple[Command, ...]:
        """Let the market move first, then tell the desk."""
        self.venue, fills = market_step(self.venue, piece)
        return self.feed(*fills, piece)

    def run(self, start: SessionStart, pieces: list[Slice]) -> DeskDay:
        """A whole day."""
        self.feed(start, self.snapshot(start.at))
        for piece in pieces:
            self.minute(piece)
        self.venue, expired = close_day(self.venue, self.rules.session.close_at)
        self.feed(*expired, self.snapshot(self.rules.session.close_at))
        return self


def open_day(
    symbols: tuple[str, ...], *, settings: DeskSettings | None = None, cash: int = CASH, model: FillModel | None = None
) -> DeskDay:
    """A desk and an exchange that have not begun."""
    rules = Rulebook.on(DAY)
    chosen = settings or DeskSettings(limits=Limits(require_vitals=False))
    venue = open_venue(rules, instruments(symbols), cash, model=model)
    return DeskDay(open_desk(chosen, open_book(cash)), venue, rules)


def loose(settings: DeskSettings | None = None, **limits: object) -> DeskSettings:
    """Settings whose limits do not come first: a test of one thing is not decided by another."""
    wide = {
        "max_order_ppm": 50_000,
        "daily_buys_ppm": 1_000_000,
        "daily_turnover_ppm": 2_000_000,
        "orders_per_minute": 60,
        "new_names_per_day": 15,
        "max_top5_ppm": 300_000,
        "require_vitals": False,
        **limits,
    }
    base = settings or DeskSettings()
    return replace(base, limits=replace(base.limits, **wide))


__all__ = ["CASH", "DAY", "DeskDay", "Limits", "codes", "instruments", "loose", "minutes", "open_day", "session_start"]
