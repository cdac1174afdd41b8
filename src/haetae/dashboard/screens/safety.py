"""안전장치: volatility escape, differences to the broker, kill switch with confirmation, guards and refusals."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from haetae.dashboard import board, states
from haetae.dashboard.board import Card, Column
from haetae.dashboard.client import ServiceClient, Trouble
from haetae.dashboard.figures import (
    basis_points,
    clock_time,
    count,
    day_and_time,
    decimal,
    tone,
)
from haetae.dashboard.words import (
    APART,
    APART_STATE,
    DIFFERENCE,
    ESCAPE,
    GUARD,
    LEVEL,
    OPERATOR,
    PENDING,
    WHY,
    commanded,
    say,
    word,
)
from haetae.service import schemas

_LEVELS = ("NORMAL", "NO_BUYS", "REDUCE", "EXIT_ALL")
_LEVEL_COLOURS = ("#57534e", "#d97706", "#c2410c", "#7f1d1d")
_MOVES: tuple[schemas.OperatorWord, ...] = ("halt", "reduce_only", "active")
SHORTEST_REASON = 3


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    told = client.safety(day)
    _escape(told)
    _differences(told)
    _kill_switch(client, told)
    _guards(told)


def _escape(told: schemas.Safety) -> None:
    board.heading(
        say("변동성 탈출", "Volatility escape"),
        say(
            "시장 전체의 급락과 변동성이 단계를 올립니다. 청산은 에이전트를 기다리지 않습니다.",
            "A falling market and its volatility raise the level. Leaving never waits for the agent.",
        ),
    )
    board.ladder([word(LEVEL, name) for name in _LEVELS], _LEVELS.index(told.escape_level), _LEVEL_COLOURS)
    ratio = decimal(told.volatility_ratio, 1)
    worst = max((_LEVELS.index(event.level) for event in told.escape_log if event.level in _LEVELS), default=0)
    board.cards(
        [
            Card(
                say("5분 시장 움직임", "Market move, 5 minutes"),
                basis_points(told.market_bp),
                say("단계가 바뀐 때", "when the level last moved"),
                tone(told.market_bp),
            ),
            Card(
                say("변동성 배율", "Volatility ratio"),
                say(f"{ratio}배", f"× {ratio}") if told.volatility_ratio is not None else ratio,
                say("평소의 몇 배인가", "times its usual level"),
            ),
            Card(say("이 날 가장 높은 단계", "Highest level today"), word(LEVEL, _LEVELS[worst])),
            Card(say("얼린 종목", "Frozen names"), count(len(told.frozen)), ", ".join(told.frozen[:4])),
        ]
    )
    if told.escape_log:
        columns = (
            Column(say("시각", "Time")),
            Column(say("바뀜", "Move")),
            Column(say("까닭", "Why")),
            Column(say("시장 5분", "Market, 5 min"), number=True),
            Column(say("변동성 배율", "Ratio"), number=True),
            Column(say("종목", "Symbol")),
        )
        rows = [
            (
                clock_time(event.at),
                f"{word(LEVEL, event.before)} → {word(LEVEL, event.level)}"
                if event.before
                else word(ESCAPE, event.kind),
                word(WHY, event.why),
                basis_points(event.market_bp),
                decimal(event.ratio, 2),
                f"{event.name} {event.symbol}" if event.symbol else say("시장 전체", "Whole market"),
            )
            for event in reversed(told.escape_log)
        ]
        board.table("escape", columns, rows, height_px=260)
    else:
        st.caption(say("이 날은 탈출이 작동하지 않았습니다.", "The escape did not fire on this day."))


def _differences(told: schemas.Safety) -> None:
    still = sum(row.state == "open" for row in told.differences)
    board.heading(
        say("증권사와 다른 점", "Differences to the broker"),
        say(
            "장부는 거래를 지어내 맞추지 않습니다. 설명되지 않는 차이는 데스크를 멈춥니다.",
            "Nothing is invented to close one. An unexplained difference halts the desk.",
        ),
    )
    if not told.differences:
        st.caption(say("이 날은 언제나 같았습니다.", "Books and broker agreed all day."))
        return
    if still:
        board.marks([(say(f"열린 차이 {still}건", f"{still} open"), "red")])
    columns = (
        Column(say("시각", "Time")),
        Column(say("무엇", "What")),
        Column(say("종목", "Symbol")),
        Column(say("갈래", "Class")),
        Column(say("장부", "Ours"), number=True),
        Column(say("증권사", "Broker"), number=True),
        Column(say("지금", "Now")),
    )
    rows = [
        (
            clock_time(row.at),
            word(APART, row.what),
            f"{row.name} {row.symbol}".strip(),
            word(DIFFERENCE, row.difference),
            f"{row.ours:,}",
            f"{row.theirs:,}",
            word(APART_STATE, row.state),
        )
        for row in reversed(told.differences)
    ]
    board.table("differences", columns, rows, height_px=260)


def _kill_switch(client: ServiceClient, told: schemas.Safety) -> None:
    board.heading(
        say("킬 스위치", "Kill switch"),
        say(
            "정지는 취소 말고는 아무 주문도 내보내지 않습니다. trader 이상의 토큰이 필요합니다.",
            "Halt lets nothing but cancels through. It takes a trader's token or more.",
        ),
    )
    colour = {"active": "", "reduce_only": "amber", "halt": "red"}[told.operator]
    board.marks([(say("지금: ", "Now: ") + word(OPERATOR, told.operator), colour)])
    with st.form("kill"):
        wanted = st.radio(
            say("바꿀 상태", "Move to"),
            _MOVES,
            format_func=lambda state: word(OPERATOR, state),
            horizontal=True,
        )
        why = st.text_input(
            say("이유", "Why"), placeholder=say("예: 시장 급변, 뉴스 확인 전까지", "e.g. until the news is clear")
        )
        sure = st.checkbox(
            say("이 명령이 데스크의 주문을 바로 바꾼다는 것을 압니다", "I know this changes the desk's orders at once")
        )
        pressed = st.form_submit_button(say("명령 보내기", "Send the command"), type="primary")
    if pressed:
        _move(client, wanted, why.strip(), sure=sure)
    if told.pending:
        columns = (
            Column(say("시각", "Time")),
            Column(say("명령", "Command")),
            Column(say("누가", "Who")),
            Column(say("이유", "Why"), wraps=True),
            Column(say("상태", "State")),
        )
        rows = [
            (day_and_time(row.at), commanded(row.what), row.who, row.why, word(PENDING, row.state))
            for row in reversed(told.pending)
        ]
        board.table("pending", columns, rows, height_px=220)
    if told.operator_log:
        heads = (
            Column(say("시각", "Time")),
            Column(say("상태", "State")),
            Column(say("누가", "Who")),
            Column(say("이유", "Why"), wraps=True),
        )
        moves = [
            (day_and_time(row.at), word(OPERATOR, row.state), row.who, row.why) for row in reversed(told.operator_log)
        ]
        board.table("operator", heads, moves, height_px=220)


def _move(client: ServiceClient, wanted: schemas.OperatorWord, why: str, *, sure: bool) -> None:
    """Send the command once a person confirmed it and said why."""
    if not sure:
        st.warning(say("확인 칸에 표시해야 보냅니다.", "Tick the confirmation first."))
        return
    if len(why) < SHORTEST_REASON:
        st.warning(say("이유를 3자 이상 적으십시오.", "Write a reason of 3 letters or more."))
        return
    try:
        answer = client.move_operator(wanted, why)
    except Trouble as trouble:
        states.explain(trouble)
    else:
        st.success(say(answer.note_ko, answer.note_en), icon=":material/check:")


def _guards(told: schemas.Safety) -> None:
    refused = sum(row.denied for row in told.guards)
    board.heading(
        say(f"가드 {len(told.guards)}개, 이 날 거절 {refused:,}건", f"{len(told.guards)} guards, {refused:,} refusals"),
        say("가드 뒤에서 주문은 커지지 않습니다.", "Nothing behind the guards enlarges an order."),
    )
    columns = (
        Column(say("코드", "Code")),
        Column(say("가드", "Guard")),
        Column(say("탈출 주문도 거침", "Escape passes it too")),
        Column(say("거절", "Refusals"), number=True),
    )
    rows = [
        (
            row.code,
            word(GUARD, row.code),
            say("예", "yes") if row.for_escape else "",
            f"{row.denied:,}" if row.denied else "",
        )
        for row in sorted(told.guards, key=lambda row: (-row.denied, row.code))
    ]
    board.table("guards", columns, rows)
    with st.expander(say("한도", "Limits")):
        limits = (Column(say("이름", "Name")), Column(say("값", "Value"), number=True))
        board.table("limits", limits, [(name, f"{value:,g}") for name, value in sorted(told.limits.items())])
