"""``haetae strategy``: the ready strategies, and the template of a new one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import Text

nouns = typer.Typer(no_args_is_help=True, help=hint("전략 만들기", "Strategies"))


@nouns.command("new", help=hint("새 전략 파일을 만듭니다.", "Write the template of a new strategy."))
def new(
    name: Annotated[str, typer.Argument(help=hint("이름 (작은 글자, _)", "name, small letters and _"))],
    folder: Annotated[Path, typer.Option("--dir", help=hint("폴더", "folder"))] = Path(),
    form: Annotated[
        str, typer.Option(help=hint("view (한 메서드) 또는 signals (배열)", "view (one method) or signals (arrays)"))
    ] = "view",
) -> None:
    """Write the file and say what to do with it."""
    from haetae.wiring.strategies import new_strategy

    path = new_strategy(name, folder, form)
    print(say(Text(ko=f"만들었습니다: {path}", en=f"written: {path}")))
    print(f"haetae backtest run {path} --lake data/lake")


@nouns.command(
    "list", help=hint("준비된 전략과 매개변수를 보입니다.", "Show the ready strategies and their parameters.")
)
def show(json_file: JSON = None) -> None:
    """Print every ready strategy with its schedule and parameters."""
    check_target(json_file)
    from haetae.policies import LIBRARY

    for name, made in sorted(LIBRARY.items()):
        parameters = ", ".join(f"{each}={value}" for each, value in made.defaults().items())
        print(f"{name:<20} {made.every:<6} {parameters}")
        print(f"    {(made.__doc__ or '').splitlines()[0]}")
    write_record(
        json_file,
        {name: {"every": made.every, "parameters": made.defaults()} for name, made in sorted(LIBRARY.items())},
    )
