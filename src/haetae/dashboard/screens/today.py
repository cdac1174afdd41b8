"""오늘: the day at a glance, equity beside the benchmark, fear & greed."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from haetae.dashboard import board, charts, states
from haetae.dashboard.board import Card, Column
from haetae.dashboard.client import ServiceClient
from haetae.dashboard.figures import (
    count,
    day_and_time,
    percent,
    percent_change,
    tone,
    won,
    won_change,
)
from haetae.dashboard.words import COMPONENT, DECISION, GUARD, LEVEL, OPERATOR, PHASE, fear_greed, say, word
from haetae.service import schemas


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    told = client.today(day)
    _marks(told)
    board.cards(_cards(told))
    with states.part():
        _equity(client.equity())
    left, right = st.columns([1, 2], gap="medium")
    with states.part():
        mood = client.mood()
        with left:
            _gauge(told.fear_greed)
        with right:
            board.heading(
                say("공포·탐욕 추이", "Fear & greed over time"),
                say("범례를 눌러 구성 요소를 켭니다.", "Click the legend to show components."),
            )
            if mood.rows:
                board.picture(charts.mood_line(mood), "mood")
            else:
                states.nothing(say("추이를 만들 이력이 아직 없습니다.", "There is no history yet."))
            if mood.now is not None and mood.now.parts:
                _parts(mood.now.parts)
    _counts(told)


def _marks(told: schemas.Today) -> None:
    level, operator = told.escape_level, told.operator
    marks = [
        (word(PHASE, told.phase), ""),
        (say("탈출 ", "Escape: ") + word(LEVEL, level), "" if level == "NORMAL" else "amber"),
        (say("킬 스위치 ", "Kill switch: ") + word(OPERATOR, operator), "" if operator == "active" else "ink"),
    ]
    if told.synthetic:
        marks.append((say("가상 시장 (실제 수익과 무관)", "Synthetic market: no real profit"), "amber"))
    if told.differences:
        marks.append(
            (say(f"증권사와 다름 {told.differences}건", f"{told.differences} open differences to broker"), "red")
        )
    board.marks(marks)


def _cards(told: schemas.Today) -> list[Card]:
    result = tone(told.profit)
    return [
        Card(say("평가액", "Equity"), won(told.equity), say("시작 ", "Opened at ") + won(told.opening_equity)),
        Card(
            say("오늘 손익", "Profit today"),
            won_change(told.profit),
            percent_change(told.profit_rate),
            result,
            result,
        ),
        Card(
            say("실현 손익", "Realised"),
            won_change(told.realized),
            say("수수료·세금 뒤", "after fees and taxes"),
            tone(told.realized),
        ),
        Card(say("현금", "Cash"), won(told.cash), percent(told.cash / told.equity if told.equity else None)),
        Card(
            say("보유 평가", "Holdings"),
            won(told.market_value),
            say(f"{told.positions}종목", f"{told.positions} names"),
        ),
        Card(
            say("비용", "Costs"),
            won(told.fees + told.taxes),
            say(f"수수료 {told.fees:,} · 세금 {told.taxes:,}", f"fees {told.fees:,} · taxes {told.taxes:,}"),
        ),
        Card(
            say("주문 → 체결", "Orders → fills"),
            f"{told.orders:,} → {told.fills:,}",
            say(f"미체결 {told.open_orders:,}건", f"{told.open_orders:,} open"),
        ),
        Card(
            say("의사결정", "Decisions"),
            count(sum(told.decisions.values())),
            say("기준 시각 ", "as of ") + day_and_time(told.as_of)[5:16],
        ),
    ]


def _equity(told: schemas.Equity) -> None:
    board.heading(
        say("평가액과 기준선", "Equity and benchmark"),
        say(
            f"기준선: {told.benchmark_ko}. 첫 시점 대비 변화율.", f"Benchmark: {told.benchmark_en}. Change since start."
        ),
    )
    if not told.points:
        states.nothing(say("아직 평가액 기록이 없습니다.", "There is no equity yet."))
        return
    board.picture(charts.equity(told), "equity")


def _gauge(mood: schemas.Mood | None) -> None:
    board.heading(say("공포·탐욕 지수", "Fear & greed"), say("개장 전 데스크가 안 값", "as known before the open"))
    if mood is None:
        states.nothing(say("지수를 계산할 데이터가 없습니다.", "The data do not give an index."))
        return
    board.picture(charts.gauge(mood.value), "gauge")
    board.marks([(fear_greed(mood.value), "blue" if mood.value < 45 else "red" if mood.value >= 55 else "")])
    if mood.missing:
        names = ", ".join(word(COMPONENT, name) for name in mood.missing)
        st.caption(say(f"빠진 구성 요소(가중치 재분배): {names}", f"Missing, reweighted: {names}"))


def _parts(parts: list[schemas.MoodPart]) -> None:
    columns = (
        Column(say("구성 요소", "Component")),
        Column(say("순위 0-100", "Rank 0-100"), number=True),
        Column(say("몫", "Share"), number=True),
        Column(say("빠짐", "Missing")),
    )
    never = say("이력 없음", "never known")
    rows = [
        (
            word(COMPONENT, part.name),
            "-" if part.rank is None else f"{part.rank:.0f}",
            f"{part.share:.0%}",
            "" if part.rank is not None else str(part.last_known or never),
        )
        for part in parts
    ]
    board.table("mood_parts", columns, rows)


def _counts(told: schemas.Today) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        board.heading(say("의사결정 결과", "What became of decisions"))
        columns = (Column(say("결과", "Outcome")), Column(say("건수", "Count"), number=True))
        ordered = sorted(told.decisions.items(), key=lambda item: -item[1])
        if ordered:
            board.table("decisions", columns, [(word(DECISION, name), f"{many:,}") for name, many in ordered])
        else:
            states.nothing(say("이 날의 의사결정이 없습니다.", "No decisions on this day."))
    with right:
        board.heading(say("가드가 막은 이유", "Why guards refused"))
        reasons = (
            Column(say("코드", "Code")),
            Column(say("가드", "Guard")),
            Column(say("건수", "Count"), number=True),
        )
        refused = sorted(told.denied.items(), key=lambda item: -item[1])
        if refused:
            board.table("denied", reasons, [(code, word(GUARD, code), f"{many:,}") for code, many in refused])
        else:
            states.nothing(say("가드가 막은 주문이 없습니다.", "The guards refused nothing."))
