"""``step``: one event in, the next state and the commands out."""

from __future__ import annotations

from typing import assert_never

from haetae.desk.account import on_snapshot
from haetae.desk.claiming import on_claim
from haetae.desk.corrections import on_adoption, on_cost_correction
from haetae.desk.deciding import on_proposal, on_reply
from haetae.desk.leaving import TIMER, on_timer, work_escape
from haetae.desk.market import on_glance, on_halt, on_reading, on_session, on_slice
from haetae.desk.operating import keep_stopped, on_cancel_request, on_manual_order, on_operator
from haetae.desk.ordering import on_order_event, situation
from haetae.desk.state import DeskState
from haetae.desk.turn import Turn
from haetae.domain.decisions import AgentReply, Proposal
from haetae.domain.events import (
    AccountSnapshot,
    CancelRequest,
    Command,
    CostCorrection,
    DeskEvent,
    Glance,
    ManualAdoption,
    ManualOrder,
    MarketReading,
    OperatorCommand,
    OrderClaim,
    SessionStart,
    Timer,
    Vitals,
)
from haetae.domain.market import HaltChange, PhaseChange, Quote, Slice
from haetae.domain.orders import (
    Accepted,
    Canceled,
    Denied,
    Expired,
    Filled,
    OrderIntent,
    OutcomeUnknown,
    Rejected,
    Replaced,
    Submitted,
)
from haetae.domain.units import Instant
from haetae.guards import Situation
from haetae.krx import Rulebook


def event_at(event: DeskEvent) -> Instant:
    """Return when an event became known to the desk."""
    match event:
        case Slice():
            return event.end
        case Quote():
            return event.seen
        case _:
            return event.at


def step(state: DeskState, event: DeskEvent, rules: Rulebook) -> tuple[DeskState, tuple[Command, ...]]:
    """Return the state after an event and the commands it causes, in order.

    Parameters
    ----------
    rules : the rulebook of the session's day.
    """
    turn = _taken(state, event, rules)
    return turn.state, tuple(turn.commands)


def reviewed(state: DeskState, event: DeskEvent, rules: Rulebook) -> tuple[tuple[OrderIntent, Situation], ...]:
    """Return the intents that the guards review on an event, in order, with what they looked at: to explain them."""
    return tuple(_taken(state, event, rules).reviewed)


def what_if(state: DeskState, intent: OrderIntent, at: Instant, rules: Rulebook) -> Situation:
    """Return what the guards would look at if an intent were made now."""
    return situation(Turn(state, at, rules), intent)


def _taken(state: DeskState, event: DeskEvent, rules: Rulebook) -> Turn:
    turn = Turn(state, event_at(event), rules)
    match event:  # the commonest first
        case Slice():
            on_slice(turn, event)
        case Proposal():
            on_proposal(turn, event)
        case (
            Accepted()
            | Filled()
            | Canceled()
            | Denied()
            | Submitted()
            | Rejected()
            | Replaced()
            | Expired()
            | OutcomeUnknown()
        ):
            on_order_event(turn, event)
            if isinstance(event, Accepted):
                keep_stopped(turn)
            work_escape(turn)
        case SessionStart():
            on_session(turn, event)
        case Glance():
            on_glance(turn, event)
        case Timer(name=name):
            if name == TIMER:
                on_timer(turn)
        case Quote():
            pass
        case Vitals():
            turn.change(vitals=event)
        case MarketReading():
            on_reading(turn, event)
        case PhaseChange():
            turn.change(phase=event.phase)
        case HaltChange():
            on_halt(turn, event)
        case AgentReply():
            on_reply(turn, event)
        case AccountSnapshot():
            on_snapshot(turn, event)
            keep_stopped(turn)
            work_escape(turn)
        case OperatorCommand():
            on_operator(turn, event)
            work_escape(turn)
        case CancelRequest():
            on_cancel_request(turn, event)
        case ManualOrder():
            on_manual_order(turn, event)
        case ManualAdoption():
            on_adoption(turn, event)
        case OrderClaim():
            on_claim(turn, event)
            keep_stopped(turn)
            work_escape(turn)
        case CostCorrection():
            on_cost_correction(turn, event)
        case _:
            assert_never(event)
    return turn
