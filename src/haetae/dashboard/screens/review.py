"""회고: where the profit came from, what refusing cost or saved, and the lessons drawn."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from haetae.dashboard import board, charts, states
from haetae.dashboard.board import Card, Cell, Column
from haetae.dashboard.client import ServiceClient
from haetae.dashboard.figures import basis_points, count, day_and_time, tone, won, won_change
from haetae.dashboard.words import DECISION, EFFECT, LABEL, LESSON, SIDE, say, trigger, word
from haetae.service import schemas


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    told = client.retrospect(day)
    if not (told.reviews or told.attribution or told.lessons):
        states.nothing(
            say("이 날은 아직 회고하지 않았습니다: haetae review day", "Not reviewed yet: haetae review day")
        )
        return
    _attribution(told)
    _outcomes(told)
    _lessons(told)
    _reviews(told)


def _attribution(told: schemas.Retrospect) -> None:
    if not told.attribution:
        return
    newest = told.attribution[-1]
    board.heading(say(f"기여도 {newest.day}", f"Attribution {newest.day}"))
    parts = (
        (say("합계", "Total"), newest.total, say("비용 뒤", "after costs")),
        (say("오늘 거래", "Traded today"), newest.traded, ""),
        (say("넘겨받은 보유", "Carried over"), newest.carried, ""),
        (say("탈출", "Escape"), newest.escaped, say("안 팔았을 때와의 차이", "against not selling")),
    )
    drawn = [Card(name, won_change(value), below, tone(value)) for name, value, below in parts]
    board.cards([*drawn, Card(say("비용", "Costs"), won(newest.costs))])


def _outcomes(told: schemas.Retrospect) -> None:
    if not told.outcomes:
        return
    board.heading(
        say("결정 종류별 평균 결과", "Mean outcome by kind of decision"),
        say(
            "실행한 것과 거절한 것을 같은 자로 잽니다. 거절한 거래의 +는 놓친 이익입니다.",
            "Executed and refused legs by one measure; a plus on a refused leg is a gain missed.",
        ),
    )
    left, right = st.columns(2, gap="medium")
    rows = sorted(told.outcomes, key=lambda row: -row.count)
    names = [f"{word(DECISION, row.status)} · {_done(executed=row.executed)}" for row in rows]
    with left:
        board.picture(
            charts.bars(names, [row.mean_bp for row in rows], unit="bp", height=80 + 40 * len(rows)), "outcomes"
        )
    with right:
        columns = (
            Column(say("결정", "Decision")),
            Column(say("실행", "Executed")),
            Column(say("건수", "Count"), number=True),
            Column(say("평균 결과", "Mean"), number=True),
        )
        drawn = [
            (
                word(DECISION, row.status),
                _done(executed=row.executed),
                count(row.count),
                Cell(basis_points(row.mean_bp), tone(row.mean_bp)),
            )
            for row in rows
        ]
        board.table("outcomes", columns, drawn)


def _done(*, executed: bool) -> str:
    return say("실행", "executed") if executed else say("실행 안 함", "not executed")


def _lessons(told: schemas.Retrospect) -> None:
    board.heading(
        say("교훈", "Lessons"),
        say(
            "후보는 사람이 승인하기 전에는 아무 효과가 없습니다: haetae review lessons approve",
            "A candidate has no effect until a person approves it: haetae review lessons approve",
        ),
    )
    if not told.lessons:
        states.nothing(say("아직 교훈이 없습니다.", "There are no lessons yet."))
        return
    columns = (
        Column(say("언제", "When")),
        Column(say("무엇을", "What")),
        Column(say("근거", "Support"), number=True),
        Column(say("평균 이득", "Mean gain"), number=True),
        Column(say("상태", "State")),
        Column("ID"),
    )
    rows = [
        (
            trigger(row.trigger),
            word(EFFECT, row.effect),
            count(row.support),
            Cell(basis_points(row.mean_gain_bp), tone(row.mean_gain_bp)),
            word(LESSON, row.state),
            row.lesson_id,
        )
        for row in told.lessons
    ]
    board.table("lessons", columns, rows, height_px=320)


def _reviews(told: schemas.Retrospect) -> None:
    if not told.reviews:
        return
    labels = sorted({row.label for row in told.reviews})
    board.heading(say(f"결정별 회고 {len(told.reviews):,}건", f"{len(told.reviews):,} reviews"))
    wanted = st.pills(
        say("평가로 거르기", "Filter by label"),
        labels,
        selection_mode="multi",
        format_func=lambda label: f"{word(LABEL, label)} {sum(row.label == label for row in told.reviews):,}",
    )
    columns = (
        Column(say("종목", "Name")),
        Column(say("구분", "Side")),
        Column(say("결정", "Decision")),
        Column(say("실행", "Executed")),
        Column(say("평가", "Label")),
        Column(say("결과", "Outcome"), number=True),
        Column(say("미끄러짐", "Slippage"), number=True),
        Column(say("비용", "Cost"), number=True),
        Column(say("확정 시각", "Resolved")),
    )
    rows = [
        (
            row.name,
            Cell(word(SIDE, row.side), "up" if row.side == "buy" else "down"),
            word(DECISION, row.status),
            _done(executed=row.executed),
            word(LABEL, row.label),
            Cell(basis_points(row.outcome_bp), tone(row.outcome_bp)),
            basis_points(row.slippage_bp) if row.executed else "",
            won(row.cost) if row.executed else "",
            day_and_time(row.resolved_at),
        )
        for row in told.reviews
        if not wanted or row.label in wanted
    ]
    board.table("reviews", columns, rows)
