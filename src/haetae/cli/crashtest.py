"""``haetae crashtest``: kill the desk and every durable write at each named point, start again, judge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haetae.cli.options import JSON, TriesFile
from haetae.cli.record import check_target, write_record
from haetae.cli.tables import print_table
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

if TYPE_CHECKING:
    from haetae.wiring.crashes.sweep import Swept, Tried

BROKEN_EXIT = 1


def crashtest(
    points: Annotated[
        str, typer.Option(help=hint("지점, 쉼표로 (지점:번째)", "points, comma separated (point:visit)"))
    ] = "",
    scenarios: Annotated[str, typer.Option(help=hint("시나리오, 쉼표로", "scenarios, comma separated"))] = "",
    seed: Annotated[int, typer.Option(help=hint("순서와 방문을 뽑는 씨앗", "draws order and visits"))] = 1,
    budget: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help=hint("이만큼만 (0: 끝까지)", "stop after; 0: never"))
    ] = 0.0,
    once: Annotated[bool, typer.Option("--once", help=hint("지점마다 한 번만", "each point once"))] = False,
    listing: Annotated[bool, typer.Option("--list", help=hint("지점과 시나리오", "points and scenarios"))] = False,
    tries: TriesFile = None,
    json_file: JSON = None,
) -> None:
    """Sweep; a broken invariant, a point nobody reaches or an unfinished plan is exit code 1."""
    check_target(json_file)
    check_target(tries)
    from haetae.wiring.crashes.sweep import Wanted, sweep

    if listing:
        _list(json_file)
        return
    wanted = Wanted(_names(points), _names(scenarios), seed, budget, once=once)
    found = sweep(wanted, _tell, tries)
    _report(found)
    write_record(json_file, found.record())
    if not found.well:
        raise typer.Exit(BROKEN_EXIT)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _tell(number: int, total: int, tried: Tried) -> None:
    case, found = tried.case, tried.found
    place = f"{case.death.point}:{case.death.visit} · {case.stage}"
    if found.broken:
        print(f"\n✗ {place}", *(f"    {line}" for line in found.broken), sep="\n", file=sys.stderr)
    elif sys.stderr.isatty():
        print(f"\r\x1b[K{number}/{total} {place} → {found.outcome}", end="", file=sys.stderr, flush=True)


def _list(json_file: Path | None) -> None:
    from haetae.wiring.crashes.points import POINTS
    from haetae.wiring.crashes.sweep import stages

    print_table(Text(ko="지점", en="points"), ("", ""), [(point.name, say(point.told)) for point in POINTS])
    print_table(Text(ko="시나리오", en="scenarios"), ("", ""), [(stage.name, say(stage.told)) for stage in stages()])
    names = {"points": [point.name for point in POINTS], "scenarios": [stage.name for stage in stages()]}
    write_record(json_file, names)


def _report(found: Swept) -> None:
    record = found.record()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    rows = [(name, str(each["cases"]), str(each["bad"])) for name, each in record["by_point"].items()]
    head = Text(ko="지점", en="point"), Text(ko="죽음", en="deaths"), Text(ko="나쁨", en="bad")
    print_table(Text(ko="지점마다", en="by point"), [say(each) for each in head], rows)
    told = ", ".join(f"{name} {count}" for name, count in record["outcomes"].items())
    print(
        say(
            Text(
                ko=f"죽음 {record['cases']}/{record['planned']}건 · 지점 {len(rows)}/{record['points']} · {told} · "
                f"나쁨 {len(found.bad)} · {found.seconds:.1f}초",
                en=f"{record['cases']}/{record['planned']} deaths · {len(rows)}/{record['points']} points · {told} · "
                f"{len(found.bad)} bad · {found.seconds:.1f} s",
            )
        )
    )
    for name in (*found.never, *found.untried):
        print(say(Text(ko=f"아무도 지나지 않은 지점: {name}", en=f"nobody died at {name}")))
