"""From a proposal to legs, briefs and decisions, and from a decision to an intent."""

from __future__ import annotations

from dataclasses import replace

from haetae.agent import BriefContext, read_reply, unreviewed, write_brief
from haetae.desk.ordering import deny, free_cash, send, situation, submit
from haetae.desk.settings import ReviewMode
from haetae.desk.turn import Turn
from haetae.domain.decisions import Action, AgentReply, Allow, Decision, Deny, Leg, Proposal, Reduce
from haetae.domain.events import AskAgent, OperatorState
from haetae.domain.market import Kind
from haetae.domain.orders import OrderIntent, Side
from haetae.domain.proposals import proposal_fault
from haetae.domain.units import NS_PER_SECOND
from haetae.execution import intent_from, limit_for, plan_legs
from haetae.features import minute
from haetae.guards import STEERED, EscapeLevel, review

_ELEVATED_RATIO = 2.0
"""Twice the usual volatility: the escape's own word for not calm."""
_LAPSE_S = 120
"""A sale nobody answered for goes on at the next minute. One so old was asked for by a process that is gone: its price
and its reason are of another moment, it may even have been sent, and the desk decides anew within minutes."""


def on_proposal(turn: Turn, proposal: Proposal) -> None:
    """Plan the legs of a proposal and have each reviewed; those the guards refuse anyway are not asked about."""
    state = turn.state
    session = state.session
    if session is None or proposal.proposal_id in state.day.planned:
        turn.note("proposal.refused", proposal_id=proposal.proposal_id, why="planned before, or no session")
        return
    turn.count(planned=state.day.planned | {proposal.proposal_id})
    fault = proposal_fault(proposal, state.tape.places)
    if fault is not None:
        turn.note("proposal.refused", proposal_id=proposal.proposal_id, why=str(fault))
        return
    if state.operator is OperatorState.HALT:
        turn.note("proposal.refused", proposal_id=proposal.proposal_id, why="the desk is halted")
        return
    busy = {order.intent.symbol for order in state.blotter.working.values()}
    busy |= {brief.leg.symbol for brief in state.asked.values()}
    legs = plan_legs(
        proposal,
        equity=state.equity,
        cash=free_cash(turn),
        held=state.held,
        busy=busy,
        last=state.tape.prices,
        base_prices=session.base_prices,
        kinds=session.kinds,
        rules=turn.rules,
        settings=state.settings.plan,
    )
    turn.note(
        "proposal.planned",
        proposal_id=proposal.proposal_id,
        policy_id=proposal.policy_id,
        targets=len(proposal.targets),
        legs=len(legs),
    )
    for leg in legs:
        _examine(turn, leg, proposal)


def _examine(turn: Turn, leg: Leg, proposal: Proposal) -> None:
    limits, asking = turn.state.settings.limits, turn.state.settings.review is ReviewMode.ASK
    trial = _intent(turn, leg, f"D-{leg.leg_id}", leg.side, leg.quantity)
    now = situation(turn, trial)
    verdict = review(trial, now, limits)
    turn.reviewed.append((trial, now))
    if isinstance(verdict, Deny):
        decision = unreviewed(leg, turn.at, "GUARD_BLOCKED", verdict.reasons[-1].message)
        _tell(turn, decision)
        deny(turn, trial, verdict, now)
        return
    if isinstance(verdict, Allow) and not asking:
        # Nobody is asked, so the order is the trial itself and what the guards just said of it stands.
        _tell(turn, unreviewed(leg, turn.at, "UNREVIEWED"))
        submit(turn, trial, verdict, now)
        return
    if isinstance(verdict, Reduce):
        leg = replace(leg, quantity=verdict.quantity)
    if not asking:
        _act(turn, unreviewed(leg, turn.at, "UNREVIEWED"))
        return
    brief = write_brief(leg, _context(turn, leg, proposal), at=turn.at, settings=turn.state.settings.agent)
    turn.change(asked={**turn.state.asked, leg.leg_id: brief})
    turn.say(AskAgent(brief))


def on_reply(turn: Turn, reply: AgentReply) -> None:
    """Read a reply strictly and act on the decision; a reply nobody waits for is noted and dropped."""
    brief = turn.state.asked.get(reply.leg_id)
    if brief is None:
        turn.note("reply.ignored", leg_id=reply.leg_id, decider=reply.decider)
        return
    turn.change(asked={name: item for name, item in turn.state.asked.items() if name != reply.leg_id})
    symbol = brief.leg.symbol
    decision = read_reply(
        brief,
        reply,
        at=turn.at,
        last=turn.state.price(symbol),
        held=turn.state.book.quantity(symbol),
        settings=turn.state.settings.agent,
    )
    if STEERED in decision.risk_flags and symbol not in turn.state.day.tainted:
        turn.count(tainted=turn.state.day.tainted | {symbol})
        turn.note("symbol.tainted", symbol=symbol, decision_id=decision.decision_id)
    _act(turn, decision)


def expire_asked(turn: Turn) -> None:
    """Decide legs whose reply did not come in time: entries lapse, sales go on, old ones lapse too."""
    for leg_id, brief in sorted(turn.state.asked.items()):
        if turn.at > brief.valid_until + _LAPSE_S * NS_PER_SECOND:
            turn.change(asked={name: item for name, item in turn.state.asked.items() if name != leg_id})
            turn.note("leg.lapsed", leg_id=leg_id, symbol=brief.leg.symbol, side=brief.leg.side.value)
        elif turn.at > brief.valid_until:
            on_reply(turn, AgentReply(leg_id, turn.at, "none", "", "TIMEOUT"))


def _act(turn: Turn, decision: Decision) -> None:
    _tell(turn, decision)
    if decision.quantity <= 0:
        return
    side = Side.SELL if decision.action is Action.EXIT else decision.leg.side
    send(turn, _intent(turn, decision.leg, decision.decision_id, side, decision.quantity), decision)


def _intent(turn: Turn, leg: Leg, decision_id: str, side: Side, quantity: int) -> OrderIntent:
    price = leg.limit_price
    session = turn.state.session
    if side is not leg.side and session is not None:
        kind = Kind(session.kinds.get(leg.symbol, Kind.COMMON.value))
        collar = turn.state.settings.plan.exit_collar_bp
        last = turn.state.price(leg.symbol)
        price = limit_for(side, last, session.base_prices[leg.symbol], kind, collar, turn.rules)
    return intent_from(leg, decision_id, side, quantity, price, turn.account_name, turn.rules.day, turn.at)


def _tell(turn: Turn, decision: Decision) -> None:
    leg = decision.leg
    turn.note(
        "decision.made",
        decision_id=decision.decision_id,
        leg_id=leg.leg_id,
        proposal_id=leg.proposal_id,
        symbol=leg.symbol,
        side=leg.side.value,
        status=decision.status,
        decider=decision.decider,
        action=decision.action.value,
        fraction=decision.fraction,
        confidence=decision.confidence,
        proposed=leg.quantity,
        quantity=decision.quantity,
        limit_price=leg.limit_price,
        last=turn.state.price(leg.symbol),
        score=leg.score,
        escape_level=turn.state.escape.level.name,
        rationale=decision.rationale,
        evidence_ids=list(decision.evidence_ids),
        risk_flags=list(decision.risk_flags),
        baseline=decision.baseline,
    )


def _context(turn: Turn, leg: Leg, proposal: Proposal) -> BriefContext:
    state, session = turn.state, turn.state.session
    assert session is not None
    tape = state.tape
    row = tape.places[leg.symbol]
    position = state.book.positions.get(leg.symbol)
    equity, opening = state.equity, state.day.opening_equity
    scores = sorted(proposal.scores.values())
    rank = sum(1 for score in scores if score <= leg.score) / len(scores) if scores else 0.5
    ratio = state.escape.ratio
    if state.escape.level >= EscapeLevel.REDUCE:
        regime = "stress"
    else:
        calm = state.escape.level is EscapeLevel.NORMAL and ratio < _ELEVATED_RATIO
        regime = "calm" if calm else "elevated"
    return BriefContext(
        policy_id=proposal.policy_id,
        market=session.markets.get(leg.symbol, ""),
        sector=session.sectors.get(leg.symbol, ""),
        last=state.price(leg.symbol),
        base_price=session.base_prices.get(leg.symbol, 0),
        lower_limit=int(tape.lower[row]),
        upper_limit=int(tape.upper[row]),
        snapshot_at=tape.price_at,
        average_turnover=session.average_turnover.get(leg.symbol, 0),
        traded_today_won=tape.turnover.get(leg.symbol, 0),
        held=position.quantity if position else 0,
        average_price=position.average_price if position else 0,
        cash=state.book.cash,
        equity=equity,
        day_return=equity / opening - 1.0 if opening > 0 else 0.0,
        drawdown=equity / state.peak_equity - 1.0 if state.peak_equity > 0 else 0.0,
        regime=regime,
        volatility_ratio=ratio,
        fear_greed=session.fear_greed,
        score_rank=rank,
        features=dict(zip(minute.NAMES, tape.features[row].tolist(), strict=True)),
        lessons=state.lessons,
    )
