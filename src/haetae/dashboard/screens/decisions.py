"""AI 의사결정: who decided what and why, and one decision from the policy's wish to its outcome."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from haetae.dashboard import board, states
from haetae.dashboard.board import Card, Cell, Column
from haetae.dashboard.client import ServiceClient
from haetae.dashboard.figures import (
    NONE,
    basis_points,
    clock_time,
    count,
    decimal,
    percent,
    shares,
    tone,
    won,
)
from haetae.dashboard.words import DECIDER, DECISION, GUARD, LABEL, ORDER, SIDE, STEP, say, word
from haetae.service import schemas

_VERDICT = {
    "allow": ("통과", "Allowed"),
    "reduce": ("축소", "Reduced"),
    "deny": ("거절", "Denied"),
    "none": ("이르지 않음", "Not reached"),
}


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    told = client.decisions(day)
    if not told.rows:
        states.nothing(say("이 날의 의사결정이 없습니다.", "There are no decisions on this day."))
        return
    _summary(told)
    chosen = _filtered(told)
    if not chosen:
        states.nothing(say("조건에 맞는 의사결정이 없습니다.", "No decision matches."))
        return
    _table(chosen)
    board.heading(
        say("한 건을 처음부터 끝까지", "One decision from end to end"),
        say("제안 → 답 → 가드 → 주문 → 결과", "Proposal → reply → guards → order → outcome"),
    )
    by_id = {row.decision_id: row for row in chosen}
    executed = [row.decision_id for row in reversed(chosen) if row.executed]
    ids = [row.decision_id for row in reversed(chosen)]
    picked = st.selectbox(
        say("의사결정", "Decision"),
        ids,
        index=ids.index(executed[0]) if executed else 0,
        format_func=lambda code: _title(by_id[code]),
    )
    with states.part():
        _chain(client.chain(picked))


def _title(row: schemas.Decision) -> str:
    what = f"{row.name} {word(SIDE, row.side)} {row.proposed:,}"
    return f"{clock_time(row.at)}  {what} · {word(DECISION, row.status)}"


def _summary(told: schemas.Decisions) -> None:
    rows = told.rows
    asked = [row for row in rows if row.decider != "none"]
    passed = [row for row in rows if row.intent_id]
    board.cards(
        [
            Card(say("제안된 거래", "Legs proposed"), count(told.total)),
            Card(say("에이전트가 답함", "Agent asked"), count(len(asked))),
            Card(
                say("언어 모델(AI)이 답함", "Answered by AI"),
                count(sum(row.ai for row in rows)),
                say("나머지는 오프라인 규칙", "the rest by offline rules"),
            ),
            Card(say("가드가 막음", "Blocked by guards"), count(sum(bool(row.denied_by) for row in rows))),
            Card(say("주문으로 나감", "Sent as orders"), count(len(passed))),
            Card(say("체결됨", "Executed"), count(sum(row.executed > 0 for row in rows))),
        ]
    )
    if asked and not any(row.ai for row in rows):
        st.caption(
            say(
                "이 날의 답은 모두 내장된 오프라인 규칙이 했습니다. AI가 아닙니다.",
                "Every answer of this day came from the built-in offline rules, which are not AI.",
            )
        )


def _filtered(told: schemas.Decisions) -> list[schemas.Decision]:
    found = sorted({row.status for row in told.rows})
    wanted = st.pills(
        say("결과로 거르기", "Filter by outcome"),
        found,
        selection_mode="multi",
        format_func=lambda status: f"{word(DECISION, status)} {sum(row.status == status for row in told.rows):,}",
    )
    return [row for row in told.rows if not wanted or row.status in wanted]


def _table(rows: list[schemas.Decision]) -> None:
    columns = (
        Column(say("시각", "Time")),
        Column(say("종목", "Name")),
        Column(say("구분", "Side")),
        Column(say("제안", "Proposed"), number=True),
        Column(say("결정", "Decided"), number=True),
        Column(say("체결", "Executed"), number=True),
        Column(say("신뢰도", "Confidence"), number=True),
        Column(say("결과", "Outcome")),
        Column(say("막은 가드", "Guards")),
        Column(say("누가", "Decider")),
    )
    drawn = [
        (
            clock_time(row.at),
            row.name,
            Cell(word(SIDE, row.side), "up" if row.side == "buy" else "down"),
            shares(row.proposed),
            shares(row.quantity),
            shares(row.executed),
            percent(row.confidence, 1) if row.decider != "none" else NONE,
            word(DECISION, row.status),
            ", ".join(f"{code} {word(GUARD, code)}" for code in row.denied_by) or NONE,
            word(DECIDER, row.decider),
        )
        for row in reversed(rows)
    ]
    board.table("decisions", columns, drawn, height_px=380)


def _chain(chain: schemas.DecisionChain) -> None:
    made = chain.decision
    left, right = st.columns(2, gap="medium")
    with left:
        _wish(chain)
        _reply(chain)
    with right:
        _guards(chain.guards)
        _order(chain)
        _outcome(chain.review)
    st.caption(f"{made.decision_id} · {made.policy_id}")


def _wish(chain: schemas.DecisionChain) -> None:
    made, proposal = chain.decision, chain.proposal
    st.markdown(f"**1. {say('정책의 제안', 'The policy proposed')}**")
    side = "red" if made.side == "buy" else "blue"
    marks = [(f"{made.name} {word(SIDE, made.side)} {made.proposed:,}{say('주', '')}", side)]
    marks.append((say("지정가 ", "limit ") + won(made.limit_price), ""))
    target = next((t for t in proposal.targets if t.symbol == made.symbol), None) if proposal else None
    if target is not None:
        marks.append((say("목표 비중 ", "target ") + percent(target.weight), ""))
    marks.append((say("점수 ", "score ") + decimal(made.score, 3), ""))
    board.marks(marks)
    if chain.evidence:
        with st.expander(say(f"보여 준 근거 {len(chain.evidence)}개", f"{len(chain.evidence)} facts shown")):
            columns = (Column("ID"), Column(say("내용", "Fact"), wraps=True))
            board.table("evidence", columns, [(fact.id, fact.text) for fact in chain.evidence], height_px=260)


def _reply(chain: schemas.DecisionChain) -> None:
    made, reply = chain.decision, chain.reply
    st.markdown(f"**2. {say('에이전트의 답', 'The agent replied')}**")
    colour = "blue" if made.status == "MODEL_REJECT" else "amber" if made.status == "BELOW_THRESHOLD" else ""
    marks = [(word(DECIDER, made.decider), "ink" if made.ai else ""), (word(DECISION, made.status), colour)]
    if made.decider != "none":
        marks.append((say("신뢰도 ", "confidence ") + percent(made.confidence, 1), ""))
    board.marks(marks)
    if made.rationale:
        board.quote(made.rationale)
    if reply is not None:
        with st.expander(say("받은 그대로의 답", "The reply as it came")):
            if reply.failure:
                st.warning(reply.failure)
            st.code(reply.text or NONE, language="json", wrap_lines=True)


def _guards(told: schemas.GuardVerdict) -> None:
    st.markdown(f"**3. {say('가드', 'Guards')}**")
    colour = {"deny": "red", "reduce": "amber"}.get(told.verdict, "")
    marks = [(say(*_VERDICT[told.verdict]), colour)]
    if told.passed:
        marks.append((say(f"통과 {len(told.passed)}개", f"{len(told.passed)} passed"), ""))
    board.marks(marks)
    for reason in told.reasons:
        board.quote(reason)


def _order(chain: schemas.DecisionChain) -> None:
    st.markdown(f"**4. {say('주문과 체결', 'Order and executions')}**")
    order = chain.order
    if order is None:
        st.caption(say("주문은 나가지 않았습니다.", "No order was sent."))
        return
    done = f"{order.filled:,}/{order.quantity:,}"
    board.marks(
        [
            (word(ORDER, order.status), "ink" if order.status == "filled" else "amber"),
            (say("체결 ", "filled ") + done, ""),
            (say("평균 ", "average ") + won(order.average_price or None), ""),
        ]
    )
    columns = (Column(say("시각", "Time")), Column(say("일", "Event")), Column(say("내용", "Detail"), wraps=True))
    board.table(
        "steps", columns, [(clock_time(s.at), word(STEP, s.what), s.detail) for s in chain.steps], height_px=220
    )


def _outcome(review: schemas.Review | None) -> None:
    st.markdown(f"**5. {say('결과', 'Outcome')}**")
    if review is None:
        st.caption(say("아직 회고하지 않았습니다.", "Not reviewed yet."))
        return
    result = {"up": "red", "down": "blue", "flat": ""}[tone(review.outcome_bp)]
    board.marks(
        [
            (word(LABEL, review.label), result),
            (basis_points(review.outcome_bp), result),
            (say("미끄러짐 ", "slippage ") + basis_points(review.slippage_bp), ""),
            (say("비용 ", "cost ") + won(review.cost), ""),
        ]
    )
