"""The market's events: session, minute, halt. A minute is one event for the whole universe."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np

from haetae.desk.deciding import expire_asked
from haetae.desk.leaving import on_level, work_escape
from haetae.desk.ordering import cancel_open, cancel_rested, doubted, free_cash, look_again, reading_every_s
from haetae.desk.state import Account, Day
from haetae.desk.tape import absorb, glanced, turned
from haetae.desk.turn import Turn
from haetae.domain.decisions import View
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import (
    AskPolicy,
    Glance,
    MarketReading,
    OperatorState,
    SessionStart,
    UsualMoves,
)
from haetae.domain.market import HaltChange, Slice
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Symbol, day_of
from haetae.execution import carried
from haetae.features import minute
from haetae.guards import EscapeLevel, glimpse, heed, observe, start_session
from haetae.ledger import settle

_PPM = 1_000_000


def on_session(turn: Turn, event: SessionStart) -> None:
    """Begin a day: settle, carry features over, take yardsticks; of another day's orders the unsettled ones stay."""
    if day_of(event.at) != turn.rules.day:
        raise MarketRuleError(
            "the session is not of the rulebook's day",
            expected=turn.rules.day.isoformat(),
            found=day_of(event.at).isoformat(),
            next_step="pass Rulebook.on(day of the session)",
        )
    state = turn.state
    symbols = tuple(sorted({*event.symbols, *state.book.positions}))
    left = carried(state.blotter.working.values())
    usual = [value for _, value in sorted(event.volatility.items()) if value > 0.0]
    turn.change(
        session=replace(event, symbols=symbols),
        book=settle(state.book, turn.rules.day),
        tape=turned(state.tape, symbols, event, turn.rules),
        escape=start_session(
            state.escape,
            len(symbols),
            sum(usual) / len(usual) if usual else 0.0,
            usual=_usual_of(event.usual, symbols),
            mood=event.fear_greed,
        ),
        blotter=left,
        asked={},
        leave={},
        exits={},
        escape_due=0,
        refused={},
        halted=frozenset(),
        account=Account(frozen=doubted(left, event.at), agreed_turnover=state.account.agreed_turnover),
    )
    for order in turn.state.blotter.open_orders():
        turn.note(
            "order.carried", intent_id=order.intent.intent_id, symbol=order.intent.symbol, state=order.status.value
        )
    turn.stand()
    equity = turn.state.equity
    monday = turn.rules.day - dt.timedelta(days=turn.rules.day.weekday())
    turn.change(
        day=Day(opening_equity=equity, opening_bought=state.book.bought, opening_sold=state.book.sold),
        peak_equity=max(state.peak_equity, event.peak_equity, equity),
        week=monday,
        week_equity=event.week_equity or (state.week_equity if state.week == monday else equity),
    )
    turn.note(
        "session.started",
        day=turn.rules.day.isoformat(),
        symbols=len(symbols),
        equity=equity,
        cash=turn.state.book.cash,
        positions=len(turn.state.book.positions),
        left_open=len(left.working),
    )


def on_slice(turn: Turn, piece: Slice) -> None:
    """One closed minute: prices, features, escape, then orders that rested, then perhaps a decision."""
    state = turn.state
    if state.session is None or piece.end <= state.tape.price_at:
        turn.note("slice.ignored", start=piece.start, why="no session, or not newer than the last one")
        return
    if state.tape.price_at and piece.start > state.tape.price_at:
        turn.note("slice.missed", minutes=(piece.start - state.tape.price_at) // NS_PER_MINUTE)
    before = state.escape
    _fold(turn, piece)
    _watch_losses(turn)
    on_level(turn, before)
    expire_asked(turn)
    work_escape(turn)
    cancel_rested(turn)
    _ask_account(turn)
    _ask_policy(turn, piece)


def _fold(turn: Turn, piece: Slice) -> None:
    state = turn.state
    tape, traded, refused = absorb(state.tape, piece, turn.rules)
    if refused is not None:
        close = dict(zip(piece.symbols, piece.close.tolist(), strict=True))
        names = [symbol for symbol, bad in zip(tape.symbols, refused.tolist(), strict=True) if bad]
        turn.note("price.refused", symbols=names, prices=[close[symbol] for symbol in names])
    number = minute.minute_of_session(piece.start, turn.rules.session.open_at)
    escape = observe(state.escape, tape.last, traded, state.settings.escape, minute=number, end=piece.end)
    turn.change(tape=tape, escape=escape)
    turn.stand()


def _usual_of(usual: UsualMoves | None, symbols: tuple[Symbol, ...]) -> UsualMoves | None:
    """Return the usual moves over the session's own symbols, 0 for names they do not know."""
    if usual is None or usual.symbols == symbols:
        return usual
    there = {symbol: column for column, symbol in enumerate(usual.symbols)}
    names = np.zeros((len(usual.market), len(symbols)), np.int64)
    for column, symbol in enumerate(symbols):
        if symbol in there:
            names[:, column] = usual.names[:, there[symbol]]
    return replace(usual, symbols=symbols, names=names)


def on_glance(turn: Turn, event: Glance) -> None:
    """Prices between two minutes: the escape, and nothing else, goes by them before the minute is over."""
    state = turn.state
    if state.session is None or event.symbols != state.tape.symbols or event.at < state.tape.price_at:
        turn.note("glance.ignored", symbols=len(event.symbols), why="of another session, or older than the last minute")
        return
    tape, seen = glanced(state.tape, event)
    before = state.escape
    turn.change(tape=tape, escape=glimpse(before, seen, state.settings.escape))
    turn.stand()
    on_level(turn, before)
    work_escape(turn)


def on_reading(turn: Turn, event: MarketReading) -> None:
    """The market as a whole: kept for all who ask, and looked at by the escape."""
    before = turn.state.escape
    turn.change(reading=event, escape=heed(before, event, turn.state.settings.escape))
    on_level(turn, before)
    work_escape(turn)


def _watch_losses(turn: Turn) -> None:
    """Take the peak, and close the day for buying at its loss limit; leaving stays possible."""
    equity, day = turn.state.equity, turn.state.day
    if equity > turn.state.peak_equity:
        turn.change(peak_equity=equity)
    allowed = turn.state.settings.limits.day_loss_halt_ppm
    if not day.closed and (day.opening_equity - equity) * _PPM >= allowed * day.opening_equity > 0:
        turn.count(closed=True)
        turn.note("day.closed_by_loss", equity=equity, opening_equity=day.opening_equity)
        cancel_open(turn, why="day's loss limit", side=Side.BUY)
    peak, drawdown = turn.state.peak_equity, turn.state.settings.limits.drawdown_ppm
    if not turn.state.day.revoked and (peak - equity) * _PPM >= drawdown * peak > 0:
        turn.count(revoked=True)
        turn.note("permit.revoked", equity=equity, peak_equity=peak, allowed_ppm=drawdown)


def _ask_account(turn: Turn) -> None:
    """Ask for a reading where the planned one did not come: a timer is lost with its process."""
    account, settings = turn.state.account, turn.state.settings
    newest = max(account.snapshot_at, account.asked_at)
    late = turn.at - newest >= 2 * reading_every_s(turn) * NS_PER_SECOND
    if settings.limits.require_reconciled and late:
        look_again(turn, 0)


def _ask_policy(turn: Turn, piece: Slice) -> None:
    state, settings, hours = turn.state, turn.state.settings, turn.rules.session
    minutes, rest = divmod(piece.end - hours.open_at, NS_PER_MINUTE)
    first = settings.first_decision_minute
    last_at = hours.auction_from - settings.limits.entry_before_auction_s * NS_PER_SECOND
    due = rest == 0 and minutes >= first and (minutes - first) % settings.decision_minutes == 0
    if not due or piece.end > last_at:
        return
    if state.operator is OperatorState.HALT or state.escape.level >= EscapeLevel.REDUCE:
        turn.note("decision.skipped", operator=state.operator.value, escape=state.escape.level.name)
        return
    turn.say(AskPolicy(view_of(turn)))


def view_of(turn: Turn) -> View:
    """Return all a policy may see now."""
    state = turn.state
    session, tape = state.session, state.tape
    assert session is not None
    shut = state.halted | state.account.frozen
    return View(
        at=turn.at,
        day=turn.rules.day,
        symbols=tape.symbols,
        feature_names=minute.NAMES,
        features=tape.features,
        scores=tape.scores,
        last=tape.last,
        held=state.standing.shares,
        tradable=tape.listed & ~np.array([s in shut for s in tape.symbols]) if shut else tape.listed,
        cash=free_cash(turn),
        equity=state.equity,
        fear_greed=session.fear_greed,
        book=state.book,
        daily=tape.daily.panel(),
        minutes=tape.minutes.panel(),
    )


def on_halt(turn: Turn, event: HaltChange) -> None:
    """A symbol was halted or resumed; its open buys are withdrawn."""
    halted = turn.state.halted
    turn.change(halted=halted | {event.symbol} if event.halted else halted - {event.symbol})
    if not event.halted:
        turn.count(resumed={**turn.state.day.resumed, event.symbol: event.at})
    turn.note("symbol.halted" if event.halted else "symbol.resumed", symbol=event.symbol, reason=event.reason)
    if not event.halted:
        work_escape(turn)  # what had to wait is taken up
