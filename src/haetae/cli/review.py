"""``haetae review day`` and ``haetae review lessons``: what became of the decisions, what a person took from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from haetae.cli.options import JSON, read_day
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text
from haetae.domain.units import day_of

nouns = typer.Typer(no_args_is_help=True, help=hint("회고", "Looking back"))
lessons = typer.Typer(no_args_is_help=True, help=hint("교훈", "Lessons"))
nouns.add_typer(lessons, name="lessons")
PathArgument = Annotated[Path, typer.Argument(help=hint("저널 파일 (journal.db)", "journal file (journal.db)"))]
LessonId = Annotated[str, typer.Argument(help=hint("교훈 이름", "name of the lesson"))]
Why = Annotated[str, typer.Option("--why", help=hint("무엇을 보고 정했는지", "what the decision rests on"))]


@nouns.command("day", help=hint("하루의 결정에 결과를 붙이고 교훈 후보를 냅니다.", "Label a day's decisions."))
def day(
    path: PathArgument,
    date: Annotated[str | None, typer.Option("--date", help=hint("거래일 (기본: 마지막)", "day; the last"))] = None,
    lake: Annotated[Path | None, typer.Option(help=hint("가격을 읽을 레이크", "lake to take prices from"))] = None,
    json_file: JSON = None,
) -> None:
    """Review a day; what was refused is labelled like what was executed."""
    check_target(json_file)
    chosen = read_day(date, "--date")
    import asyncio

    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.reviews import criticise, review_day_of

    found = review_day_of(path, chosen, lake)
    reviewed = dt.date.fromisoformat(found["day"])
    found["critiques"] = asyncio.run(criticise(path, reviewed, os.environ, SystemClock()))
    print(say(Text(ko=f"{found['day']} 회고: 결정 {found['reviews']:,}건", en=f"{found['day']}: {found['reviews']:,}")))
    _outcomes(found["outcomes"])
    for each in found["attribution"]:
        print(say(_attribution(each)))
    for each in found["lessons"]:
        gain = f"n={each['support']} {each['mean_gain_bp']:+.1f}bp"
        print(f"  {each['lesson_id']} {each['trigger']} → {each['effect']} {gain}")
    count = len(found["lessons"])
    note = Text(ko=f"교훈 후보 {count}건: 승인 전에는 효과 없음", en=f"{count} candidates: no effect before approval")
    print(say(note))
    for each in found["critiques"]:
        print(f"  {each['decision_id']} {each['critic']}: {each['label'] or each['failure']} {each['remark']}")
    write_record(json_file, found)


def _outcomes(rows: list[dict[str, Any]]) -> None:
    head = [hint("상태", "status"), hint("실행", "executed"), hint("건수", "count"), hint("평균 bp", "mean bp")]
    cells = [(r["status"], "O" if r["executed"] else "-", str(r["count"]), f"{r['mean_bp']:+.1f}") for r in rows]
    print_table(Text(ko="결과 (실행하지 않은 것도 같은 자로)", en="outcomes, executed or not"), head, cells)


def _attribution(each: dict[str, Any]) -> Text:
    total, carried, traded, costs = (f"{each[name]:+,}" for name in ("total", "carried", "traded", "costs"))
    return Text(
        ko=f"손익 {total}원 = 보유 {carried} + 매매 {traded} - 비용 {costs}",
        en=f"profit KRW {total} = carried {carried} + traded {traded} - costs {costs}",
    )


@lessons.command("list", help=hint("교훈과 상태.", "Lessons and their state."))
def list_(path: PathArgument, json_file: JSON = None) -> None:
    """Show every lesson, and which of them a brief carries today."""
    check_target(json_file)
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.lessons import standings
    from haetae.wiring.reviews import days_of

    today = max(day_of(SystemClock().now()), *days_of(path), dt.date.min)
    found = standings(path, today)
    head = [hint("교훈", "lesson"), hint("조건", "trigger"), hint("효과", "effect"), "n", "bp", hint("상태", "state")]
    rows = [
        (
            each.lesson.lesson_id, each.lesson.trigger, each.lesson.effect, str(each.lesson.support),
            f"{each.lesson.mean_gain_bp:+.1f}", each.lesson.state + (" *" if each.heard else ""),
        )
        for each in found
    ]  # fmt: skip
    print_table(Text(ko="교훈 (* 는 지금 의견서에 실림)", en="lessons (* is in today's briefs)"), head, rows)
    write_record(json_file, {each.lesson.lesson_id: dataclasses.asdict(each) for each in found})


@lessons.command("approve", help=hint("교훈을 의견서에 싣습니다.", "Let a lesson reach the briefs."))
def approve(path: PathArgument, lesson_id: LessonId, why: Why) -> None:
    """Approve a candidate; from the next session on the agent reads it."""
    _change(path, lesson_id, "active", why)


@lessons.command("retire", help=hint("교훈을 거둡니다.", "Take a lesson out of the briefs."))
def retire(path: PathArgument, lesson_id: LessonId, why: Why) -> None:
    """Retire a lesson; it stays in the book."""
    _change(path, lesson_id, "retired", why)


def _change(path: Path, lesson_id: str, state: str, why: str) -> None:
    from haetae.wiring.clocks import SystemClock
    from haetae.wiring.lessons import change

    done = change(path, lesson_id, state, who=getpass.getuser(), why=why, clock=SystemClock())
    print(f"{done.lesson_id} {done.trigger} → {done.effect}: {done.state}")
