"""모델·백테스트: the registry, rankers beside one-line scores, the policy beside every baseline."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from haetae.dashboard import board, charts, states
from haetae.dashboard.board import Card, Cell, Column
from haetae.dashboard.client import ServiceClient
from haetae.dashboard.figures import NONE, basis_points, decimal, percent, percent_change, tone, won
from haetae.dashboard.words import STATE, say, word
from haetae.service import schemas

_BOUND = "미래를 아는"
"""The bound that knows the future is no rival and would flatten every real bar: only the table has it."""


def show(client: ServiceClient, day: dt.date | None) -> None:
    """Draw the page."""
    with states.part():
        _backtest(client.backtest())
    with states.part():
        _registry(client.models())


def _backtest(told: schemas.Backtest) -> None:
    board.heading(
        say("정책과 기준선 (표본 밖, 비용 뒤)", "Policy beside baselines (out of sample, after costs)"),
        say(
            f"엔진 {told.engine}. 기간이 짧으면 샤프 지수의 오차가 값보다 큽니다.",
            f"Engine {told.engine}. Over a short window the error of a Sharpe ratio exceeds its value.",
        ),
    )
    runs = ([told.policy] if told.policy else []) + list(told.baselines)
    if not runs:
        states.nothing(say("백테스트 기록이 없습니다.", "There is no backtest."))
    else:
        _runs(told, runs)
    if told.notes:
        st.caption(" · ".join(told.notes))
    _rankers(told.rankers)


def _runs(told: schemas.Backtest, runs: list[schemas.Figures]) -> None:
    if told.policy is not None:
        policy = told.policy
        real = [run for run in told.baselines if _BOUND not in run.name]
        beaten = [run for run in real if (run.total_return or 0) < (policy.total_return or 0)]
        board.cards(
            [
                Card(
                    say("정책 수익률", "Policy return"),
                    percent_change(policy.total_return),
                    say(f"{policy.sessions}거래일", f"{policy.sessions} sessions"),
                    tone(policy.total_return),
                ),
                Card(
                    say("최대 낙폭", "Worst drawdown"),
                    percent_change(policy.max_drawdown),
                    "",
                    tone(policy.max_drawdown),
                ),
                Card(
                    say("샤프 지수", "Sharpe"),
                    decimal(policy.sharpe),
                    say("표준오차 ", "s.e. ") + decimal(policy.sharpe_se),
                ),
                Card(
                    say("이긴 기준선", "Baselines beaten"),
                    f"{len(beaten)} / {len(real)}",
                    say("정직하게 함께 봅니다", "shown side by side"),
                ),
                Card(say("비용", "Costs"), won(policy.fees + policy.taxes)),
            ]
        )
    drawn = [run for run in runs if run.total_return is not None and _BOUND not in run.name]
    names = [run.name if run is not told.policy else say("★ 정책", "★ Policy") for run in drawn]
    values = [100.0 * (run.total_return or 0.0) for run in drawn]
    board.picture(charts.bars(names, values, unit="%", digits=2, height=60 + 42 * len(drawn)), "returns")
    columns = (
        Column(say("이름", "Name")),
        Column(say("수익률", "Return"), number=True),
        Column(say("최대 낙폭", "Drawdown"), number=True),
        Column(say("샤프 ± 오차", "Sharpe ± s.e."), number=True),
        Column(say("노출", "Exposure"), number=True),
        Column(say("적중률", "Hit rate"), number=True),
        Column(say("연 회전율", "Turnover"), number=True),
        Column(say("비용", "Costs"), number=True),
        Column(say("주문", "Orders"), number=True),
    )
    rows = [
        (
            run.name if run is not told.policy else say("★ 정책", "★ Policy"),
            Cell(percent_change(run.total_return), tone(run.total_return)),
            percent_change(run.max_drawdown),
            f"{decimal(run.sharpe)} ± {decimal(run.sharpe_se)}" if run.sharpe is not None else NONE,
            percent(run.exposure, 0),
            percent(run.hit_rate, 0),
            decimal(run.turnover, 1),
            won(run.fees + run.taxes),
            f"{run.orders:,}",
        )
        for run in runs
    ]
    board.table("runs", columns, rows)


def _rankers(rankers: list[schemas.Ranker]) -> None:
    board.heading(
        say("순위 모델과 한 줄 점수 (purged walk-forward)", "Rankers beside one-line scores (purged walk-forward)"),
        say(
            "순위 IC는 점수와 뒤따른 수익 순위의 상관. 십분위 차이는 비용을 뺀 값.",
            "Rank IC: correlation of score and later return. Decile spread is net of costs.",
        ),
    )
    if not rankers:
        states.nothing(say("학습된 순위 모델이 없습니다.", "There is no trained ranker."))
        return
    columns = (
        Column(say("이름", "Name")),
        Column(say("종류", "Kind")),
        Column(say("순위 IC", "Rank IC"), number=True),
        Column("ICIR", number=True),
        Column("t", number=True),
        Column(say("십분위 차이", "Decile spread"), number=True),
        Column(say("일수", "Days"), number=True),
    )
    rows = [
        (
            row.name,
            say("기준선", "Baseline") if row.baseline else say("모델", "Model"),
            Cell(decimal(row.rank_ic, 4), tone(row.rank_ic)),
            decimal(row.icir),
            decimal(row.t),
            Cell(basis_points(row.decile_net_bp), tone(row.decile_net_bp)),
            f"{row.days:,}",
        )
        for row in sorted(rankers, key=lambda row: (row.baseline, -(row.rank_ic or 0.0)))
    ]
    board.table("rankers", columns, rows)


def _registry(told: schemas.Models) -> None:
    board.heading(
        say("모델 보관소", "Registry"),
        say(
            "승격과 되돌리기는 근거와 두 번째 확인을 요구합니다: haetae model promote",
            "Promotion and rollback ask for evidence and a second confirmation: haetae model promote",
        ),
    )
    if not told.rows:
        states.nothing(say("보관된 모델이 없습니다.", "The registry is empty."))
        return
    columns = (
        Column(say("모델", "Model")),
        Column(say("종류", "Kind")),
        Column(say("상태", "State")),
        Column(say("학습 기간", "Trained on")),
        Column(say("씨앗", "Seed"), number=True),
        Column(say("내용 해시", "Content hash")),
    )
    rows = [
        (
            row.model_id,
            row.kind,
            word(STATE, row.state),
            f"{row.train_from} – {row.train_to}",
            f"{row.seed}",
            row.content_hash[:12],
        )
        for row in told.rows
    ]
    board.table("models", columns, rows, height_px=320)
