"""Effects on the market itself: moves, locks, interruptions, halts, breakers, designations, corporate actions.

Here: M01 to M05 and M08, each as what the market lets be scripted. Not here: what follows from them (``course``,
``world``), garbled quotes (``garble``), days of the calendar, which no fault can make.
"""

from __future__ import annotations

import datetime as dt

from haetae.domain.market import Market
from haetae.domain.units import NS_PER_MINUTE, NS_PER_SECOND, Instant, Symbol
from haetae.emulator.faults.armed import Armed
from haetae.emulator.faults.stage import Stage
from haetae.emulator.interventions import (
    Action,
    ActionKind,
    Break,
    Delisting,
    Designation,
    Halt,
    Lock,
    Shock,
    Trip,
)


def gap_and_back(armed: Armed, stage: Stage) -> None:
    """M01: prices gap from one print to the next, and gap by as much the other way after a while."""
    what, at = armed.fault.what, stage.exchange.now
    symbols = armed.fault.where.symbol or None
    stage.exchange.add_shock(Shock(at, 0, what["bp"], symbols))
    if what["back_minutes"]:
        back = at + what["back_minutes"] * NS_PER_MINUTE
        stage.exchange.add_shock(Shock(back, 0, what["back_bp"], symbols))


def lock(armed: Armed, stage: Stage) -> None:
    """M02: names trade at their daily limit, and there only."""
    for symbol in armed.fault.where.symbol:
        upper = armed.fault.what["side"] == "upper"
        stage.exchange.board.script(Lock(stage.exchange.now, symbol, upper, _until(armed, stage)))


def interrupt(armed: Armed, stage: Stage) -> None:
    """M03: names jump just enough to be interrupted."""
    for symbol in armed.fault.where.symbol:
        stage.exchange.board.script(Trip(stage.exchange.now, symbol, armed.fault.what["way"] == "up"))


def set_state(armed: Armed, stage: Stage) -> None:
    """M04: names are halted now, designated or delisted from the next session on."""
    how, board = armed.fault.what["how"], stage.exchange.board
    for symbol in armed.fault.where.symbol:
        match how:
            case "halt":
                board.script(Halt(stage.exchange.now, symbol, _until(armed, stage)))
            case "delisted":
                board.script(Delisting(_session_ahead(stage, 1), symbol))
            case _:
                board.script(Designation(_session_ahead(stage, 1), symbol, frozenset({how})))


def break_circuit(armed: Armed, stage: Stage) -> None:
    """M05: the circuit breaker of a market trips, or of both."""
    wanted = armed.fault.what["market"]
    for market in (Market.KOSPI, Market.KOSDAQ):
        if wanted in ("both", market.value):
            stage.exchange.board.script(Break(stage.exchange.now, market, armed.fault.what["level"]))


def act(armed: Armed, stage: Stage) -> None:
    """M08: a corporate action of names takes effect some sessions ahead."""
    what = armed.fault.what
    for symbol in armed.fault.where.symbol:
        partner: Symbol = what["partner"] if what["kind"] == "merger" else ""
        day = _session_ahead(stage, what["sessions_ahead"])
        kind = ActionKind(what["kind"])
        action = Action(day, symbol, kind, float(what["ratio"]), what["price"], partner=partner)
        stage.exchange.board.script(action)


def _until(armed: Armed, stage: Stage) -> Instant:
    """Return when something ends, 0 where it has no end of its own."""
    seconds = armed.fault.what["seconds"]
    return stage.exchange.now + round(seconds * NS_PER_SECOND) if seconds else 0


def _session_ahead(stage: Stage, count: int) -> dt.date:
    """Return a session after the present one; the last there is where the market ends before."""
    days, row = stage.exchange.world.days, stage.exchange.board.session.row
    return days[min(row + count, len(days) - 1)]
