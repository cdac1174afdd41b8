"""``haetae emulator faults list|check``: what a script of faults may say, and whether one says it rightly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from haetae.cli.options import JSON
from haetae.cli.record import check_target, write_record
from haetae.cli.text import hint, say
from haetae.domain.errors import ConfigError, Text

if TYPE_CHECKING:
    from haetae.emulator.faults.entries import Entry

nouns = typer.Typer(no_args_is_help=True, help=hint("장애 스크립트", "Scripts of faults"))
_WANTED = Text(ko="기대", en="wanted")
_SOURCE = Text(ko="출처", en="source")
_MEETS = Text(ko="대상", en="meets")
_TIMES = Text(ko="기본 횟수", en="times")
_ALWAYS = Text(ko="계속", en="always")


@nouns.command("list", help=hint("장애를 하나씩 설명하고 예를 보입니다.", "Explain each fault, with an example."))
def list_faults(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help=hint("T03 B01 …", "T03 B01 …"))] = None,
    json_file: JSON = None,
) -> None:
    """Print the catalogue, or some of it."""
    check_target(json_file)
    from haetae.emulator.faults.catalogue import BY_ID, CATALOGUE

    wanted = [name.upper() for name in ids or ()]
    unknown = [name for name in wanted if name not in BY_ID]
    if unknown:
        raise ConfigError(
            Text(ko="모르는 장애입니다", en="unknown fault"),
            expected=", ".join(BY_ID),
            found=", ".join(unknown),
            next_step="haetae emulator faults list",
        )
    chosen = [entry for entry in CATALOGUE if not wanted or entry.id in wanted]
    print("\n".join(line for entry in chosen for line in explain(entry)))
    write_record(json_file, {"faults": [record(entry) for entry in chosen]})


def explain(entry: Entry) -> list[str]:
    """Return one fault as lines for people."""
    meets = ", ".join([*entry.operations, *entry.streams])
    times = str(entry.times) if entry.times else say(_ALWAYS)
    lines = [f"{entry.id}  {say(entry.words)}", f"     {say(_WANTED)}: {say(entry.wants)}"]
    lines += [f"     {say(_MEETS)}: {meets}"] if meets else []
    lines += [
        f"     what.{param.name} = {param.default!r}: {say(param.words)} ({param.accepts})" for param in entry.params
    ]
    lines += [f"     {say(_TIMES)}: {times} · {say(_SOURCE)}: {entry.source}"]
    return [*lines, *(f"       {line}" for line in entry.example.strip().splitlines()), ""]


def record(entry: Entry) -> dict[str, Any]:
    """Return one fault as plain values."""
    return {
        "id": entry.id,
        "ko": entry.words.ko,
        "en": entry.words.en,
        "wants_ko": entry.wants.ko,
        "wants_en": entry.wants.en,
        "source": entry.source,
        "meets": [*entry.operations, *entry.streams],
        "times": entry.times,
        "clock": entry.timebase.value,
        "params": {param.name: {"default": param.default, "accepts": param.accepts} for param in entry.params},
        "example": entry.example,
    }


@nouns.command(
    "check", help=hint("스크립트의 모든 잘못을 한 번에 알립니다.", "Tell every mistake of a script at once.")
)
def check(path: Annotated[Path, typer.Argument(metavar="FILE", help="faults.toml")], json_file: JSON = None) -> None:
    """Read a script; its mistakes are one message and exit code 2."""
    check_target(json_file)
    from haetae.emulator.faults.script import read_script

    script = read_script(path)
    for fault in script.faults:
        print(f"{fault.line:>4}  {fault.entry.id}  {say(fault.entry.words)}")
    count = len(script.faults)
    print(say(Text(ko=f"이상 없음: 장애 {count}개", en=f"nothing wrong: {count} fault(s)")))
    write_record(json_file, {"faults": [{"line": fault.line, "id": fault.entry.id} for fault in script.faults]})
