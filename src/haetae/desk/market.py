"""The market's events: session, minute, halt. A minute is one event for the whole universe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haetae.desk.deciding import expire_asked
from haetae.desk.leaving import on_level, work_escape
from haetae.desk.ordering import cancel_open, cancel_rested, free_cash
from haetae.desk.state import Account, Day, DeskState, Tape
from haetae.desk.turn import Turn
from haetae.domain.decisions import View
from haetae.domain.errors import MarketRuleError
from haetae.domain.events import AskPolicy, OperatorState, SessionStart, SetTimer
from haetae.domain.market import HaltChange, Int64Array, Kind, Slice
from haetae.domain.orders import Side
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, day_of
from haetae.execution import Blotter
from haetae.features import minute
from haetae.guards import EscapeLevel, observe, start_session
from haetae.krx import Rulebook
from haetae.ledger import settle

_PPM = 1_000_000


def on_session(turn: Turn, event: SessionStart) -> None:
    """Begin a day: settle, carry features over, take yardsticks; orders of another day are gone."""
    if day_of(event.at) != turn.rules.day:
        raise MarketRuleError(
            "the session is not of the rulebook's day",
            expected=turn.rules.day.isoformat(),
            found=day_of(event.at).isoformat(),
            next_step="pass Rulebook.on(day of the session)",
        )
    state = turn.state
    symbols = tuple(sorted({*event.symbols, *state.book.positions}))
    usual = [value for _, value in sorted(event.volatility.items()) if value > 0.0]
    turn.change(
        session=replace(event, symbols=symbols),
        book=settle(state.book, turn.rules.day),
        tape=_new_tape(state, symbols, event, turn.rules),
        escape=start_session(state.escape, len(symbols), sum(usual) / len(usual) if usual else 0.0),
        blotter=Blotter(),
        asked={},
        leave={},
        escape_tries={},
        halted=frozenset(),
        account=Account(),
    )
    equity = turn.state.equity
    turn.change(
        day=Day(opening_equity=equity, opening_bought=state.book.bought, opening_sold=state.book.sold),
        peak_equity=max(state.peak_equity, equity),
    )
    turn.note(
        "session.started",
        day=turn.rules.day.isoformat(),
        symbols=len(symbols),
        equity=equity,
        cash=turn.state.book.cash,
        positions=len(turn.state.book.positions),
        left_open=len(state.blotter.open_orders()),
    )


def _new_tape(state: DeskState, symbols: tuple[str, ...], event: SessionStart, rules: Rulebook) -> Tape:
    old = state.tape
    rows = {symbol: row for row, symbol in enumerate(old.symbols)}
    fold = minute.init_state(len(symbols))
    features = np.full((len(symbols), len(minute.NAMES)), np.nan, np.float32)
    last = np.zeros(len(symbols), np.int64)
    lower, upper = np.zeros_like(last), np.zeros_like(last)
    for row, symbol in enumerate(symbols):
        if symbol in rows:
            fold[row] = old.fold[rows[symbol]]
            features[row] = old.features[rows[symbol]]
        base = event.base_prices.get(symbol, 0)
        last[row] = base or old.prices.get(symbol, 0)
        if base > 0:
            lower[row], upper[row] = rules.price_limits(base, Kind(event.kinds.get(symbol, Kind.COMMON.value)))
    prices = dict(zip(symbols, last.tolist(), strict=True))
    none = dict.fromkeys(symbols, 0)
    return Tape(symbols, fold, features, last, lower, upper, prices, none, none, none)


def on_slice(turn: Turn, piece: Slice) -> None:
    """One closed minute: prices, features, escape, then orders that rested, then perhaps a decision."""
    state = turn.state
    if state.session is None or piece.end <= state.tape.price_at:
        turn.note("slice.ignored", start=piece.start, why="no session, or not newer than the last one")
        return
    if state.tape.price_at and piece.start > state.tape.price_at:
        turn.note("slice.missed", minutes=(piece.start - state.tape.price_at) // NS_PER_MINUTE)
    _fold(turn, _aligned(turn, piece))
    _watch_losses(turn)
    before = state.escape
    on_level(turn, before)
    expire_asked(turn)
    work_escape(turn, reprice=True)
    cancel_rested(turn)
    _ask_account(turn)
    _ask_policy(turn, piece)


def _aligned(turn: Turn, piece: Slice) -> Slice:
    """Return the slice over the session's symbols, without prices that today's limits exclude."""
    tape = turn.state.tape
    close, volume, traded = piece.close, piece.volume, piece.traded
    columns: tuple[Int64Array, ...] = (piece.open, piece.high, piece.low, close, volume)
    if piece.symbols != tape.symbols:
        place = {symbol: row for row, symbol in enumerate(piece.symbols)}
        rows = np.array([place.get(symbol, -1) for symbol in tape.symbols], np.int64)
        known = rows >= 0
        if len(piece.symbols) == 0:
            columns = tuple(np.zeros(len(rows), np.int64) for _ in columns)
            traded = np.zeros(len(rows), np.bool_)
        else:
            columns = tuple(np.where(known, column[rows], 0) for column in columns)
            traded = known & traded[rows]
    opens, highs, lows, close, volume = columns
    possible = (close > 0) & ((tape.upper == 0) | ((close >= tape.lower) & (close <= tape.upper)))
    wrong = traded & ~possible
    if wrong.any():
        names = [symbol for symbol, bad in zip(tape.symbols, wrong.tolist(), strict=True) if bad]
        turn.note("price.refused", symbols=names, prices=close[wrong].tolist())
    traded = traded & possible
    volume = np.where(traded, volume, 0)
    close = np.where(traded, close, tape.last)
    opens, highs, lows = (np.where(traded, column, tape.last) for column in (opens, highs, lows))
    return Slice(piece.start, piece.end, tape.symbols, opens, highs, lows, close, volume, traded)


def _fold(turn: Turn, piece: Slice) -> None:
    state, tape = turn.state, turn.state.tape
    number = minute.minute_of_session(piece.start, turn.rules.session.open_at)
    fold, values = minute.step(
        tape.fold, piece.open, piece.high, piece.low, piece.close, piece.volume, piece.traded, number
    )
    values.flags.writeable = False
    close, volume = piece.close.tolist(), piece.volume.tolist()
    volumes, turnovers, traded_at = dict(tape.volume), dict(tape.turnover), dict(tape.traded_at)
    for row in np.flatnonzero(piece.traded).tolist():
        symbol = tape.symbols[row]
        volumes[symbol] += volume[row]
        turnovers[symbol] += volume[row] * close[row]
        traded_at[symbol] = piece.end
    turn.change(
        tape=replace(
            tape,
            fold=fold,
            features=values,
            last=piece.close,
            prices=dict(zip(tape.symbols, close, strict=True)),
            volume=volumes,
            turnover=turnovers,
            traded_at=traded_at,
            price_at=piece.end,
        ),
        escape=observe(state.escape, piece.close, piece.traded, state.settings.escape),
    )


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


def _ask_account(turn: Turn) -> None:
    account, settings = turn.state.account, turn.state.settings
    if not settings.limits.require_reconciled:
        return
    newest = max(account.snapshot_at, account.asked_at)
    if turn.at - newest >= settings.reconcile_every_s * NS_PER_SECOND:
        turn.account(asked_at=turn.at)
        turn.say(SetTimer(turn.at, "reconcile"))


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
        scores=np.array([session.scores.get(symbol, 0.0) for symbol in tape.symbols], np.float32),
        last=tape.last,
        held=np.array([state.book.quantity(symbol) for symbol in tape.symbols], np.int64),
        tradable=np.array([s in session.tradable and s not in shut for s in tape.symbols], np.bool_),
        cash=free_cash(turn),
        equity=state.equity,
        fear_greed=session.fear_greed,
        book=state.book,
    )


def on_halt(turn: Turn, event: HaltChange) -> None:
    """A symbol was halted or resumed; its open buys are withdrawn."""
    halted = turn.state.halted
    turn.change(halted=halted | {event.symbol} if event.halted else halted - {event.symbol})
    turn.note("symbol.halted" if event.halted else "symbol.resumed", symbol=event.symbol, reason=event.reason)
