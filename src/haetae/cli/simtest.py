"""``haetae simtest``: many trading days of the whole desk on virtual time, under faults, and what did not hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haetae.cli.options import JSON, TriesFile
from haetae.cli.progress import watching
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.wiring.drills.days import Course, Figures

_VIOLATED = 1
_CUT = 130
"""What a shell expects of an interrupted command."""


def simtest(
    days: Annotated[int, typer.Option("--days", min=1, help=hint("거래일 수", "trading days"))] = 20,
    seed: Annotated[int, typer.Option("--seed", min=0, help=hint("씨앗", "seed"))] = 1,
    faults: Annotated[
        str, typer.Option("--faults", help=hint("all, none, 또는 번호들 (T03,B10)", "all, none, or ids (T03,B10)"))
    ] = "all",
    symbols: Annotated[int, typer.Option("--symbols", min=2, max=80, help=hint("종목 수", "names"))] = 50,
    pace: Annotated[
        str, typer.Option("--pace", help=hint("시간을 얼마나 잘게: coarse, normal, fine", "how finely time is cut"))
    ] = "coarse",
    budget: Annotated[
        float, typer.Option("--budget", min=0, help=hint("초; 지나면 새 날을 시작하지 않음", "seconds; 0: no limit"))
    ] = 0.0,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help=hint("동시에 몇 날", "days at once"))] = 1,
    replay: Annotated[
        str, typer.Option("--replay", metavar="SEED:DAY", help=hint("한 날만 다시, 모든 줄과 함께", "one day again"))
    ] = "",
    out: Annotated[Path, typer.Option("--out", help=hint("다시 돌린 날의 기록 폴더", "folder of a replay"))] = Path(
        "."
    ),
    tries: TriesFile = None,
    json_file: JSON = None,
) -> None:
    """Run days from a seed; exit code 1 where an invariant did not hold, with the command that replays it."""
    from haetae.wiring.drills.days import Course, Figures, run_course

    check_target(json_file)
    check_target(tries)
    if replay:
        seed, number = _replayed(replay)
        _again(Course(seed, number + 1, _chosen(faults), symbols, _pace(pace)), number, out)
        return
    course = Course(seed, days, _chosen(faults), symbols, _pace(pace))
    figures, cut = Figures(), False
    with watching() as report:
        try:
            run_course(
                course,
                jobs=jobs,
                budget_s=budget,
                told=lambda so_far: report(Text(ko="모의 거래일", en="simulated days"), so_far.days, days),
                figures=figures,
                file=tries,
            )
        except KeyboardInterrupt:
            cut = True
    _tell(course, figures)
    if json_file is not None:
        write_record(json_file, figures.record(course))
    if figures.failed:
        raise typer.Exit(_VIOLATED)
    if cut:
        raise typer.Exit(_CUT)


def _chosen(faults: str) -> tuple[str, ...]:
    from haetae.wiring.drills.plan import DRAWN

    if faults in ("all", "none"):
        return DRAWN if faults == "all" else ()
    chosen = tuple(dict.fromkeys(name.strip().upper() for name in faults.split(",") if name.strip()))
    strange = [name for name in chosen if name not in DRAWN]
    if strange or not chosen:
        raise ConfigError(
            Text(ko="모르는 장애입니다", en="such a fault is not drilled"),
            expected="all, none, " + ", ".join(DRAWN),
            found=", ".join(strange) or faults,
            next_step="haetae simtest --faults T03,B10",
        )
    return chosen


def _pace(name: str) -> str:
    from haetae.wiring.drills.drill import PACES

    if name not in PACES:
        raise ConfigError(
            Text(ko="모르는 걸음입니다", en="there is no such pace"),
            expected=", ".join(PACES),
            found=name,
            next_step="haetae simtest --pace coarse",
        )
    return name


def _replayed(text: str) -> tuple[int, int]:
    seed, _, number = text.partition(":")
    if not (seed.isdecimal() and number.isdecimal()):
        raise ConfigError(
            Text(ko="다시 돌릴 날을 알 수 없습니다", en="the day to replay is not known"),
            expected="SEED:DAY",
            found=text,
            next_step="haetae simtest --replay 1:0",
        )
    return int(seed), int(number)


def _again(course: Course, number: int, out: Path) -> None:
    """Run one day again with its whole trace; where it fails, look for the fewest faults it fails with."""
    from haetae.wiring.drills.days import run_day, shrink

    out.mkdir(parents=True, exist_ok=True)
    file = out / f"simtest-{course.seed}-{number}.trace"
    day = run_day(course, number, trace=file)
    print(f"{day.date} · {', '.join(day.ids) or '-'} · {day.digest}")
    print(say(Text(ko=f"모든 줄: {file}", en=f"every line: {file}")))
    for one in day.violations:
        print(f"{one.invariant}: {one.what}")
    if day.violations:
        fewest = ", ".join(shrink(course, number)) or "-"
        print(say(Text(ko=f"이만큼만 있어도 실패: {fewest}", en=f"fails with no more than: {fewest}")))
        raise typer.Exit(_VIOLATED)


def _tell(course: Course, figures: Figures) -> None:
    from haetae.wiring.drills.days import replay_command
    from haetae.wiring.drills.invariants import INVARIANTS

    print(
        say(
            Text(
                ko=f"{figures.days:,}일 · 주문 호출 {figures.orders:,} · 체결 {figures.fills:,} · "
                f"데스크 시작 {figures.lives:,}",
                en=f"{figures.days:,} days · {figures.orders:,} order calls · {figures.fills:,} fills · "
                f"{figures.lives:,} starts of the desk",
            )
        )
    )
    for one in INVARIANTS:
        wrong = sum(1 for day in figures.failed for item in day.violations if item.invariant == one.id)
        print(
            f"  {one.id:>4} {figures.looked[one.id]:>12,}  {'✗ ' + str(wrong) if wrong else 'ok':<6} {say(one.words)}"
        )
    struck = ", ".join(f"{name} {count:,}" for name, count in sorted(figures.strikes.items()) if count)
    total = sum(figures.strikes.values())
    print(say(Text(ko=f"장애 {total:,}회: {struck or '-'}", en=f"{total:,} faults: {struck or '-'}")))
    for day in sorted(figures.failed, key=lambda day: day.number):
        print(f"✗ {course.seed}:{day.number} {day.date} [{', '.join(day.ids)}]")
        for item in day.violations:
            print(f"    {item.invariant}: {item.what}")
        for line in day.tail:
            print(f"      {line[:160]}")
        print(f"    {replay_command(course, day.number)}")
    pace = f"{figures.days_per_core_hour:,.0f}"
    print(
        say(
            Text(
                ko=f"코어 한 시간에 {pace}일 · 자취 {figures.digest()}",
                en=f"{pace} days per core-hour · trace {figures.digest()}",
            )
        )
    )
